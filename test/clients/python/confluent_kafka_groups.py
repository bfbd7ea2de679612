# confluent-kafka's consumers, of both protocols, and its admin client go through the scenarios of groups. Arguments: BOOTSTRAP and the base time.
import time as clock

from confluent_kafka import Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions, ConsumerGroupType, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from scenario import BASE, BOOTSTRAP, emit, error

PREFIX = "confluent-groups-"
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def outcome(run):
    try:
        return run()
    except Exception as thrown:
        return error(thrown)


def create(name, partitions):
    for future in admin.create_topics([NewTopic(PREFIX + name, partitions, 1)]).values():
        future.result()
    # Kafka answers before its broker leads.
    clock.sleep(0.5)
    return PREFIX + name


def fill(topic, partitions, first, count):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for at in range(first, first + count):
        for partition in range(partitions):
            producer.produce(topic, partition=partition, value=f"record {at}", timestamp=BASE + at)
    producer.flush(10)


class Member:
    def __init__(self, protocol, group, topics, **config):
        config = {name.replace("_", "."): value for name, value in config.items()}
        if protocol == "classic":
            config = {"session.timeout.ms": 10000, "heartbeat.interval.ms": 100, **config}
        self.consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group, "group.protocol": protocol, "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50, "topic.metadata.refresh.interval.ms": 500, **config})
        self.read = []
        self.failures = []
        self.consumer.subscribe(topics)

    def poll(self):
        message = self.consumer.poll(0.02)
        if message is None:
            return
        if message.error():
            self.failures.append(message.error().name())
        else:
            self.read.append(f"{message.topic()} {message.partition()} {message.offset()} {message.value().decode()}")

    def owned(self):
        return sorted(f"{at.topic} {at.partition}" for at in self.consumer.assignment())


def until(done, *members):
    end = clock.monotonic() + 20
    while clock.monotonic() < end:
        if done():
            return True
        for member in members:
            member.poll()
    return [[member.owned(), len(member.read), member.failures] for member in members]


def committed(group):
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
    return sorted([at.topic, at.partition, at.offset, at.metadata, at.error and at.error.name()] for at in answer.topic_partitions)


def described(group):
    found = admin.describe_consumer_groups([group], include_authorized_operations=True)[group].result()
    members = sorted([m.group_instance_id or "", m.client_id, m.host, len(m.assignment.topic_partitions)] for m in found.members)
    return [found.is_simple_consumer_group, found.partition_assignor, found.state.name, found.type.name, sorted(one.name for one in found.authorized_operations), members]


def share(protocol, name, **config):
    topic = create(f"share-{protocol}-{name}", 4)
    fill(topic, 4, 0, 5)
    a = Member(protocol, topic, [topic], **config)
    all_read = until(lambda: len(a.read) == 20, a)
    a.consumer.commit(asynchronous=False)
    b = Member(protocol, topic, [topic], **config)
    both = until(lambda: len(a.owned()) == 2 and len(b.owned()) == 2, a, b)
    shown = described(topic)
    fill(topic, 4, 5, 2)
    more = until(lambda: len(set(a.read + b.read)) == 28, a, b)
    b.consumer.close()
    alone = until(lambda: len(a.owned()) == 4, a)
    a.consumer.commit(offsets=[TopicPartition(topic, partition, 7) for partition in range(4)], asynchronous=False)
    a.consumer.close()
    return [all_read, both, shown, more, alone, committed(topic)]


def commits(protocol):
    topic = create(f"commits-{protocol}", 2)
    fill(topic, 2, 0, 4)
    a = Member(protocol, topic, [topic])
    until(lambda: len(a.read) == 8, a)

    def commit(partition, offset, metadata=""):
        done = a.consumer.commit(offsets=[TopicPartition(topic, partition, offset, metadata)], asynchronous=False)
        return [[at.partition, at.offset, at.error and at.error.name()] for at in done]

    answers = [outcome(lambda: commit(*what)) for what in ((0, 2), (1, 3, "with metadata"), (0, 1, "m" * 5000), (9, 1))]
    found = a.consumer.committed([TopicPartition(topic, partition) for partition in (0, 1)], timeout=5)
    a.consumer.close()
    b = Member(protocol, topic, [topic])
    again = until(lambda: len(b.read) == 3, b)
    b.consumer.close()
    return [answers, [[at.partition, at.offset, at.metadata] for at in found], again, sorted(b.read)]


def patterns(protocol):
    for name, partitions in (("a", 2), ("b", 1)):
        create(f"pattern-{protocol}-{name}", partitions)
    a = Member(protocol, PREFIX + "patterns-" + protocol, ["^" + PREFIX + "pattern-" + protocol + "-[ab]"])
    found = [until(lambda: len(a.owned()) == 3, a), a.owned()]
    a.consumer.close()
    return found


def refused(protocol):
    topic = create(f"refused-{protocol}", 1)
    config = {"session_timeout_ms": 20, "heartbeat_interval_ms": 10} if protocol == "classic" else {"group_remote_assignor": "nope"}
    a = Member(protocol, topic, [topic], **config)
    until(lambda: len(a.failures) > 0, a)
    a.consumer.close()
    return a.failures[:1]


def administer(protocol):
    topic = create(f"admin-{protocol}", 2)
    fill(topic, 2, 0, 3)
    a = Member(protocol, topic, [topic], group_instance_id="one")
    until(lambda: len(a.read) == 6, a)
    a.consumer.commit(asynchronous=False)

    def alter(group, *offsets):
        spec = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition, offset) for partition, offset in offsets])
        return sorted([at.partition, at.offset, at.error and at.error.name()] for at in admin.alter_consumer_group_offsets([spec])[group].result().topic_partitions)

    def listed(**filters):
        found = admin.list_consumer_groups(**filters).result()
        return [sorted([g.group_id, g.is_simple_consumer_group, g.state.name, g.type.name] for g in found.valid if g.group_id == topic), [str(e) for e in found.errors]]

    answers = [outcome(listed), outcome(lambda: listed(states={ConsumerGroupState.EMPTY})), outcome(lambda: listed(types={ConsumerGroupType.CONSUMER}))]
    answers += [outcome(lambda: described(topic)), outcome(lambda: alter(topic, (0, 1))), outcome(lambda: admin.delete_consumer_groups([topic])[topic].result())]
    a.consumer.close()
    if protocol == "classic":
        # A static member of the classic protocol stays until its session ends.
        end = clock.monotonic() + 15
        while described(topic)[2] != "EMPTY" and clock.monotonic() < end:
            clock.sleep(0.2)
    answers += [outcome(lambda: alter(topic, (0, 1), (1, 2), (9, 0))), outcome(lambda: committed(topic)), outcome(lambda: described(topic))]
    answers += [outcome(lambda: admin.delete_consumer_groups([name])[name].result()) for name in (topic, topic, PREFIX + "nobody")]
    return answers


for assignor in ("range", "roundrobin", "cooperative-sticky"):
    emit(f"share-classic-{assignor}", outcome(lambda: share("classic", assignor, partition_assignment_strategy=assignor)))
for assignor in ("uniform", "range"):
    emit(f"share-consumer-{assignor}", outcome(lambda: share("consumer", assignor, group_remote_assignor=assignor)))
for protocol in ("classic", "consumer"):
    emit(f"commits-{protocol}", outcome(lambda: commits(protocol)))
    emit(f"patterns-{protocol}", outcome(lambda: patterns(protocol)))
    emit(f"refused-{protocol}", outcome(lambda: refused(protocol)))
    emit(f"admin-{protocol}", outcome(lambda: administer(protocol)))

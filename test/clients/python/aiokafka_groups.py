# aiokafka's consumers and its admin client go through the scenarios of groups. Arguments: BOOTSTRAP and the base time.
import asyncio
import time as clock

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from scenario import BASE, BOOTSTRAP, emit, error

PREFIX = "aiokafka-groups-"
ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}


async def outcome(awaitable):
    try:
        return await awaitable
    except Exception as thrown:
        return error(thrown)


async def create(admin, name, partitions):
    await admin.create_topics([NewTopic(PREFIX + name, partitions, 1)])
    # Kafka answers before its broker leads.
    await asyncio.sleep(0.5)
    return PREFIX + name


async def fill(topic, partitions, first, count):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP)
    await producer.start()
    for at in range(first, first + count):
        for partition in range(partitions):
            await producer.send_and_wait(topic, f"record {at}".encode(), partition=partition, timestamp_ms=BASE + at)
    await producer.stop()


class Member:
    def __init__(self, group, *topics, **options):
        options = {"session_timeout_ms": 10000, "heartbeat_interval_ms": 100, "fetch_max_wait_ms": 50, "auto_offset_reset": "earliest", "enable_auto_commit": False, **options}
        self.consumer = AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, group_id=group, **options)
        self.read = []

    async def poll(self):
        for records in (await self.consumer.getmany(timeout_ms=20)).values():
            self.read += [f"{r.topic} {r.partition} {r.offset} {r.value.decode()}" for r in records]

    def owned(self):
        return len(self.consumer.assignment())


async def until(done, *members):
    end = clock.monotonic() + 20
    while clock.monotonic() < end:
        if done():
            return True
        for member in members:
            await member.poll()
    return [[member.owned(), len(member.read)] for member in members]


async def committed(admin, group):
    offsets = await admin.list_consumer_group_offsets(group)
    return sorted([at.topic, at.partition, offset.offset, offset.metadata] for at, offset in offsets.items())


async def share(admin, name):
    topic = await create(admin, f"share-{name}", 4)
    await fill(topic, 4, 0, 5)
    assignor = {"partition_assignment_strategy": (ASSIGNORS[name],)}
    a = Member(topic, topic, **assignor)
    await a.consumer.start()
    all_read = await until(lambda: len(a.read) == 20, a)
    await a.consumer.commit()
    b = Member(topic, topic, **assignor)
    await b.consumer.start()
    both = await until(lambda: a.owned() == 2 and b.owned() == 2, a, b)
    await fill(topic, 4, 5, 2)
    more = await until(lambda: len(set(a.read + b.read)) == 28, a, b)
    described = [[group[0], group[1], group[2], group[3], group[4], len(group[5])] for answer in await admin.describe_consumer_groups([topic]) for group in answer.groups]
    await b.consumer.stop()
    alone = await until(lambda: a.owned() == 4, a)
    await a.consumer.commit({TopicPartition(topic, partition): 7 for partition in range(4)})
    await a.consumer.stop()
    return [all_read, both, more, described, alone, await committed(admin, topic)]


async def commits(admin):
    topic = await create(admin, "commits", 2)
    await fill(topic, 2, 0, 4)
    a = Member(topic, topic)
    await a.consumer.start()
    await until(lambda: len(a.read) == 8, a)
    at = [TopicPartition(topic, partition) for partition in (0, 1, 9)]
    answers = [await outcome(a.consumer.commit(offsets)) for offsets in ({at[0]: 2}, {at[1]: (3, "with metadata")}, {at[0]: (1, "m" * 5000)}, {at[2]: 1})]
    found = [await outcome(a.consumer.committed(one)) for one in at[:2]]
    await a.consumer.stop()
    b = Member(topic, topic)
    await b.consumer.start()
    again = await until(lambda: len(b.read) == 3, b)
    await b.consumer.stop()
    return [answers, found, again, sorted(b.read), await committed(admin, topic)]


async def patterns(admin):
    for name, partitions in (("a", 2), ("b", 1)):
        await create(admin, f"pattern-{name}", partitions)
    a = Member(PREFIX + "patterns", metadata_max_age_ms=500)
    await a.consumer.start()
    a.consumer.subscribe(pattern="^" + PREFIX + "pattern-.*")
    found = await until(lambda: a.owned() == 3, a)
    await a.consumer.stop()
    return found


async def autocommit(admin):
    topic = await create(admin, "auto", 1)
    await fill(topic, 1, 0, 5)
    reads = []
    for expected in (5, 2):
        a = Member(topic, topic, enable_auto_commit=True, auto_commit_interval_ms=50, group_instance_id="one")
        await a.consumer.start()
        await until(lambda: len(a.read) == expected, a)
        await a.consumer.stop()
        reads.append(a.read)
        await fill(topic, 1, 5, 2)
    listed = sorted(list(group) for group in await admin.list_consumer_groups() if group[0] == topic)
    return [reads, listed]


async def refused(admin):
    topic = await create(admin, "refused", 1)
    a = Member(topic, topic, session_timeout_ms=20, heartbeat_interval_ms=10)
    answer = await outcome(a.consumer.start())
    await outcome(a.consumer.stop())
    return answer


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    for name in ASSIGNORS:
        emit(f"share-{name}", await outcome(share(admin, name)))
    emit("commits", await outcome(commits(admin)))
    emit("patterns", await outcome(patterns(admin)))
    emit("autocommit", await outcome(autocommit(admin)))
    emit("refused", await outcome(refused(admin)))
    found = [await outcome(admin.describe_consumer_groups([PREFIX + "nobody"])), await outcome(committed(admin, PREFIX + "nobody"))]
    emit("nobody", [str(answer) for answer in found])
    await admin.close()


asyncio.run(main())

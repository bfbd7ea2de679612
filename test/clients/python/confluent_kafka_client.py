# confluent-kafka, a recent librdkafka, goes through the scenarios. Arguments: BOOTSTRAP and the base time.
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from scenario import BASE, BOOTSTRAP, emit, error, text, time

PREFIX = "confluent-"
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def outcome(run):
    try:
        return run()
    except Exception as thrown:
        return error(thrown)


def create(topic, partitions=1, **configs):
    configs = {name.replace("_", "."): value for name, value in configs.items()}
    futures = admin.create_topics([NewTopic(PREFIX + topic, partitions, 1, config=configs)])
    return [outcome(future.result) for future in futures.values()]


def send(topic, values, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "message.max.bytes": 5_000_000, "message.timeout.ms": 8000, **config})
    sent = []

    def delivered(failure, message):
        sent.append(failure.name() if failure else [message.partition(), message.offset(), message.timestamp()[0], time(message.timestamp()[1])])

    for index, value in enumerate(values):
        fields = value if isinstance(value, dict) else {"value": value}
        producer.produce(PREFIX + topic, partition=0, timestamp=BASE + index, on_delivery=delivered, **fields)
    producer.flush(10)
    return sent


def read(topic, offset=0, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.auto.commit": False, "auto.offset.reset": "error", "enable.partition.eof": True, "check.crcs": True, **config})
    try:
        consumer.assign([TopicPartition(PREFIX + topic, 0, offset)])
        records = []
        while True:
            message = consumer.poll(5)
            if message is None:
                return records + ["nothing for 5 s"]
            if message.error():
                return records + [message.error().name()]
            records.append([message.offset(), message.timestamp()[0], time(message.timestamp()[1]), text(message.key()), text(message.value()), [[k, text(v)] for k, v in message.headers() or []], message.leader_epoch()])
    finally:
        consumer.close()


cluster = admin.describe_cluster().result()
emit("cluster", [[[node.id, node.host] for node in cluster.nodes], cluster.controller.id, len(cluster.cluster_id)])
emit("create-topics", [create("plain", 2), create("plain"), create("bad", retention_ms="soon"), create("no spaces")])
emit("grow-topic", [[outcome(f.result) for f in admin.create_partitions([NewPartitions(PREFIX + "plain", count)]).values()] for count in (4, 2)])
resource = ConfigResource(ResourceType.TOPIC, PREFIX + "plain", incremental_configs=[ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)])
altered = [outcome(f.result) for f in admin.incremental_alter_configs([resource]).values()]
described = [f.result() for f in admin.describe_configs([ConfigResource(ResourceType.TOPIC, PREFIX + "plain")]).values()]
emit("configs", [altered, [sorted([e.name, e.value, e.source, e.is_read_only, e.is_default] for e in configs.values()) for configs in described]])
for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
    create(f"codec-{codec}")
    values = [f"{codec} {index} ".encode() * 30 for index in range(8)]
    emit(f"produce-{codec}", [outcome(lambda: send(f"codec-{codec}", values, compression_type=codec, linger_ms=50)), outcome(lambda: read(f"codec-{codec}"))])
create("idempotent")
emit("produce-idempotent", [outcome(lambda: send("idempotent", [b"a", b"b", b"c"], enable_idempotence=True)), outcome(lambda: read("idempotent"))])
create("acks")
emit("produce-acks", [outcome(lambda: send("acks", [b"a", b"b"], acks=acks)) for acks in ("1", "all")] + [outcome(lambda: read("acks"))])
create("headers")
fields = [{"key": b"key", "value": b"value", "headers": [("a", b"1"), ("a", b"2"), ("größe", "ü".encode()), ("null", None)]}, {"key": b"no value", "value": None}, {"value": b""}]
emit("headers-and-nulls", [outcome(lambda: send("headers", fields)), outcome(lambda: read("headers"))])
create("large")
emit("large-records", [outcome(lambda: send("large", [b"x" * size])) for size in (1_000_000, 2_000_000)] + [outcome(lambda: read("large")), outcome(lambda: read("large", max_partition_fetch_bytes=1000))])
create("append_time", message_timestamp_type="LogAppendTime")
emit("timestamps", [outcome(lambda: send("append_time", [b"a", b"b"])), outcome(lambda: read("append_time"))])
create("consumed")
send("consumed", [f"record {index}".encode() for index in range(20)])
emit("consume", [outcome(lambda: read("consumed", offset)) for offset in (0, 7, 20, 21)] + [outcome(lambda: read("consumed", 5, isolation_level="read_committed"))])
at = TopicPartition(PREFIX + "consumed", 0)
specs = [OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp()] + [OffsetSpec.for_timestamp(BASE + delta) for delta in (-1, 0, 7, 19, 20)]
found = [outcome(f.result) for spec in specs for f in admin.list_offsets({at: spec}).values()]
emit("offsets-by-time", [f if isinstance(f, dict) else [f.offset, time(f.timestamp), f.leader_epoch] for f in found])
emit("delete-records", [[outcome(lambda: f.result().low_watermark) for f in admin.delete_records([TopicPartition(PREFIX + "consumed", 0, offset)]).values()] for offset in (4, 21, -1)])
emit("delete-topics", [outcome(f.result) for f in admin.delete_topics([PREFIX + "consumed", PREFIX + "missing"]).values()])

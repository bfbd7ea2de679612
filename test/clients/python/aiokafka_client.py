# aiokafka goes through the scenarios. Arguments: BOOTSTRAP and the base time. Its consumer is assigned partitions: no group.
import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from scenario import BASE, BOOTSTRAP, emit, error, text, time

PREFIX = "aiokafka-"


async def outcome(awaitable):
    try:
        return await awaitable
    except Exception as thrown:
        return error(thrown)


async def create(admin, topic, partitions=1, **configs):
    configs = {name.replace("_", "."): value for name, value in configs.items()}
    topic = NewTopic(PREFIX + topic, partitions, 1, topic_configs=configs)
    answer = await admin.create_topics([topic])
    return [code for _, code, *_ in answer.topic_errors]


async def grow(admin, count):
    answer = await admin.create_partitions({PREFIX + "plain": NewPartitions(count)})
    return [code for _, code, *_ in answer.topic_errors]


async def delete(admin, at, offset):
    answer = await admin.delete_records({at: RecordsToDelete(before_offset=offset)})
    return [[str(partition), low] for partition, low in answer.items()]


async def read(topic, offset=0, **options):
    options = {"fetch_max_wait_ms": 50, "auto_offset_reset": "none", **options}
    consumer = AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP, enable_auto_commit=False, **options)
    await consumer.start()
    try:
        at = TopicPartition(PREFIX + topic, 0)
        consumer.assign([at])
        end = (await consumer.end_offsets([at]))[at]
        consumer.seek(at, offset)
        records = []
        while await consumer.position(at) < end:
            found = await consumer.getmany(timeout_ms=200)
            records += [record for batch in found.values() for record in batch]
        return [
            [r.offset, time(r.timestamp), r.timestamp_type, text(r.key), text(r.value), [[k, text(v)] for k, v in r.headers]]
            for r in records
        ]
    finally:
        await consumer.stop()


async def send(topic, values, **options):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, max_request_size=5_000_000, **options)
    await producer.start()
    try:
        sent = []
        for index, value in enumerate(values):
            fields = value if isinstance(value, dict) else {"value": value}
            future = await producer.send(PREFIX + topic, partition=0, timestamp_ms=BASE + index, **fields)
            metadata = await future
            sent.append([metadata.partition, metadata.offset, metadata.timestamp_type] if metadata else None)
        return sent
    finally:
        await producer.stop()


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    cluster = await admin.describe_cluster()
    emit("cluster", [[broker["node_id"], broker["host"]] for broker in cluster["brokers"]])
    emit("create-topics", [await create(admin, "plain", 2), await create(admin, "plain"), await create(admin, "bad", retention_ms="soon"), await create(admin, "no spaces")])
    emit("grow-topic", [await outcome(grow(admin, count)) for count in (4, 2)])
    resource = ConfigResource(ConfigResourceType.TOPIC, PREFIX + "plain", {"retention.ms": "7200000"})
    await admin.alter_configs([resource])
    described = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, PREFIX + "plain")])
    emit("configs", [sorted(str(entry) for entry in resources[4]) for answer in described for resources in answer.resources])
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        topic = f"codec-{codec}"
        await create(admin, topic)
        values = [f"{codec} {index} ".encode() * 30 for index in range(8)]
        emit(f"produce-{codec}", [await outcome(send(topic, values, compression_type=codec, linger_ms=50)), await outcome(read(topic))])
    await create(admin, "idempotent")
    emit("produce-idempotent", [await outcome(send("idempotent", [b"a", b"b", b"c"], enable_idempotence=True)), await outcome(read("idempotent"))])
    await create(admin, "headers")
    fields = [{"key": b"key", "value": b"value", "headers": [("a", b"1"), ("größe", "ü".encode())]}, {"key": b"no value", "value": None}, {"value": b""}]
    emit("headers-and-nulls", [await outcome(send("headers", fields)), await outcome(read("headers"))])
    await create(admin, "large")
    emit("large-records", [await outcome(send("large", [b"x" * 1_000_000])), await outcome(send("large", [b"x" * 2_000_000])), await outcome(read("large")), await outcome(read("large", max_partition_fetch_bytes=1000))])
    await create(admin, "append_time", message_timestamp_type="LogAppendTime")
    emit("timestamps", [await outcome(send("append_time", [b"a", b"b"])), await outcome(read("append_time"))])
    await create(admin, "consumed")
    await send("consumed", [f"record {index}".encode() for index in range(20)])
    emit("consume", [await outcome(read("consumed", offset)) for offset in (0, 7, 20)] + [await outcome(read("consumed", 5, isolation_level="read_committed"))])
    consumer = AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP)
    await consumer.start()
    at = TopicPartition(PREFIX + "consumed", 0)
    found = [(await consumer.offsets_for_times({at: BASE + delta}))[at] for delta in (-1, 0, 7, 19, 20)]
    emit("offsets-by-time", [(await consumer.beginning_offsets([at]))[at], (await consumer.end_offsets([at]))[at], [f and [f.offset, time(f.timestamp)] for f in found]])
    await consumer.stop()
    emit("delete-records", [await outcome(delete(admin, at, offset)) for offset in (4, 21, -1)])
    deleted = await admin.delete_topics([PREFIX + "consumed", PREFIX + "missing"])
    emit("delete-topics", sorted([list(e) for e in deleted.topic_error_codes]))
    await admin.close()


asyncio.run(main())

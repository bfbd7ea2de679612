// Writes the golden topics into a running Kafka. Started by make-golden.ts.
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Arguments: BOOTSTRAP STEP. Record timestamps are fixed, except under LogAppendTime. */
public class GoldenTopics {
    private static final long START = 1_700_000_000_000L;
    private static final List<String> CODECS = List.of("gzip", "snappy", "lz4", "zstd");
    private static String bootstrap;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            switch (args[1]) {
                case "fill" -> fill(admin);
                case "refill" -> refill(admin);
                case "crash-fill" -> crashFill(admin);
                case "crash-refill" -> crashRefill();
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
        // An open transaction stays open: no producer is closed on the way out.
        Runtime.getRuntime().halt(0);
    }

    /** The first life of `datadir`. */
    private static void fill(Admin admin) throws Exception {
        Map<String, String> small = Map.of("internal.segment.bytes", "8192", "index.interval.bytes", "512");
        Map<String, String> tiny = Map.of("internal.segment.bytes", "2048", "index.interval.bytes", "256");
        create(admin, "plain", 2, small);
        create(admin, "empty", 1, Map.of());
        create(admin, "by-time", 1, Map.of("segment.ms", "60000", "index.interval.bytes", "64"));
        create(admin, "append-time", 1, Map.of("message.timestamp.type", "LogAppendTime", "index.interval.bytes", "512", "internal.segment.bytes", "4096"));
        create(admin, "nanoseconds", 1, Map.of("message.timestamp.after.max.ms", String.valueOf(Long.MAX_VALUE), "index.interval.bytes", "64", "internal.segment.bytes", "4096"));
        for (String codec : CODECS) create(admin, codec, 1, Map.of("index.interval.bytes", "512"));
        create(admin, "mixed", 1, Map.of("index.interval.bytes", "128"));
        create(admin, "to-gzip", 1, Map.of("compression.type", "gzip"));
        create(admin, "to-uncompressed", 1, Map.of("compression.type", "uncompressed"));
        create(admin, "idempotent", 1, Map.of("internal.segment.bytes", "4096", "index.interval.bytes", "512"));
        create(admin, "transactions", 1, tiny);
        create(admin, "trimmed", 1, tiny);
        create(admin, "compacted", 1, tiny);
        create(admin, "compacted-transactions", 1, Map.of("internal.segment.bytes", "2048", "index.interval.bytes", "256", "delete.retention.ms", "1"));

        oddities("plain");
        plain("plain", 1, 150);
        for (String codec : CODECS) compressed(codec, codec);
        int mixed = 0;
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd", "none")) {
            try (var producer = producer("compression.type", codec)) {
                for (int i = 0; i < 6; i++) send(producer, "mixed", 0, START + mixed++, "k" + i, codec + " " + "z".repeat(i * 20));
                producer.flush();
            }
        }
        compressed("to-gzip", "none");
        compressed("to-uncompressed", "zstd");
        idempotent("idempotent");
        transactions("transactions");
        transactions("compacted-transactions");
        compactable();
        times();
        try (var producer = producer()) {
            for (int batch = 0; batch < 16; batch++) {
                for (int i = 0; i < 5; i++) send(producer, "trimmed", 0, START + batch * 10 + i, "k" + i, "batch " + batch + " record " + i + " " + ".".repeat(30));
                producer.flush();
            }
        }
        admin.deleteRecords(Map.of(new TopicPartition("trimmed", 0), RecordsToDelete.beforeOffset(47))).all().get();
        group();
    }

    /** The second life of `datadir`: another leader epoch, and two topics become compacted. */
    private static void refill(Admin admin) throws Exception {
        plain("plain", 2, 60);
        for (String topic : List.of("compacted", "compacted-transactions")) {
            var policy = new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SET);
            var ratio = new AlterConfigOp(new ConfigEntry("min.cleanable.dirty.ratio", "0.01"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(policy, ratio))).all().get();
        }
    }

    /** The first life of `killed`: something below the recovery point. */
    private static void crashFill(Admin admin) throws Exception {
        create(admin, "plain", 1, Map.of("internal.segment.bytes", "8192", "index.interval.bytes", "512"));
        create(admin, "idempotent", 1, Map.of("internal.segment.bytes", "4096", "index.interval.bytes", "512"));
        create(admin, "transactions", 1, Map.of("internal.segment.bytes", "2048", "index.interval.bytes", "256"));
        create(admin, "append-time", 1, Map.of("message.timestamp.type", "LogAppendTime", "index.interval.bytes", "256", "internal.segment.bytes", "2048"));
        create(admin, "untouched", 1, Map.of());
        plain("plain", 3, 60);
        idempotent("idempotent");
        transactions("transactions");
        try (var producer = producer()) {
            send(producer, "untouched", 0, START, "k", "written before the clean stop, never again");
        }
    }

    /** The second life of `killed`, which ends with kill -9: several segments above the recovery point, a transaction left open. */
    private static void crashRefill() throws Exception {
        plain("plain", 4, 120);
        idempotent("idempotent");
        transactions("transactions");
        try (var producer = producer()) {
            for (int batch = 0; batch < 25; batch++) {
                for (int i = 0; i < 3; i++) send(producer, "append-time", 0, START + i, "k" + i, "the broker's clock replaces the client's " + batch + "." + i);
                producer.flush();
            }
        }
        var open = producer("transactional.id", "left-open", "enable.idempotence", "true", "transaction.timeout.ms", "900000");
        open.initTransactions();
        open.beginTransaction();
        send(open, "transactions", 0, START + 50_000, "open", "in a transaction that nobody ended");
        open.flush();
        try (var producer = producer()) {
            send(producer, "transactions", 0, START + 50_001, "plain", "above the last stable offset");
        }
    }

    private static void create(Admin admin, String topic, int partitions, Map<String, String> configs) throws Exception {
        Map<String, String> all = new HashMap<>(configs);
        all.put("retention.ms", "-1");
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(all))).all().get();
    }

    private static KafkaProducer<byte[], byte[]> producer(String... settings) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("acks", "all");
        config.put("enable.idempotence", "false");
        // Batches end where flush() says, and nowhere else.
        config.put("linger.ms", "60000");
        config.put("batch.size", "1048576");
        for (int i = 0; i < settings.length; i += 2) config.put(settings[i], settings[i + 1]);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int partition, long timestamp, String key, String value, String... headers) {
        RecordHeaders all = new RecordHeaders();
        for (int i = 0; i < headers.length; i += 2) all.add(headers[i], bytes(headers[i + 1]));
        producer.send(new ProducerRecord<>(topic, partition, timestamp, bytes(key), bytes(value), all));
    }

    private static void oddities(String topic) {
        try (var producer = producer()) {
            send(producer, topic, 0, START, null, null);
            producer.flush();
            send(producer, topic, 0, START + 1, "", "");
            send(producer, topic, 0, START + 2, "k", null, "twice", "1", "twice", "2", "null", null, "", "empty name", "größe ✓", "мир");
            producer.flush();
            for (int i = 3; i > 0; i--) send(producer, topic, 0, START + i * 1000, "falling", "timestamps fall inside this batch " + i);
            producer.flush();
            send(producer, topic, 0, START + 1500, "big", "x".repeat(3000));
            send(producer, topic, 0, 0, "zero", "timestamp zero");
            producer.flush();
        }
    }

    private static void plain(String topic, int life, int count) {
        Random random = new Random(life);
        boolean two = life < 3;
        try (var producer = producer()) {
            for (int sent = 0; sent < count; ) {
                int size = 1 + random.nextInt(10);
                for (int i = 0; i < size; i++, sent++) {
                    String key = sent % 3 == 0 ? null : "key " + sent % 17;
                    String value = sent % 29 == 28 ? null : "value " + sent + " " + "abcdefghij".repeat(random.nextInt(14));
                    int partition = two && sent % 7 == 0 ? 1 : 0;
                    long timestamp = START + life * 1_000_000L + sent * 10L;
                    if (sent % 5 == 0) send(producer, topic, partition, timestamp, key, value, "n", String.valueOf(sent));
                    else send(producer, topic, partition, timestamp, key, value);
                }
                producer.flush();
            }
        }
    }

    private static void compressed(String topic, String codec) {
        Random random = new Random(42);
        try (var producer = producer("compression.type", codec)) {
            for (int i = 0; i < 12; i++) send(producer, topic, 0, START + i, i % 4 == 0 ? null : "k" + i, "message number " + i + " " + "a".repeat(30), "i", String.valueOf(i));
            producer.flush();
            send(producer, topic, 0, START + 100, "single", "the only record of its batch");
            producer.flush();
            byte[] noise = new byte[2000];
            random.nextBytes(noise);
            producer.send(new ProducerRecord<>(topic, 0, START + 200, bytes("noise"), noise));
            producer.flush();
            // Over 64 KiB before compression: several blocks of lz4 and snappy.
            if (!topic.startsWith("to-")) {
                for (int i = 0; i < 3; i++) send(producer, topic, 0, START + 300 + i, "large " + i, ("line " + i + " of the quick brown fox; ").repeat(900));
                producer.flush();
            }
            for (int batch = 0; batch < 4; batch++) {
                for (int i = 0; i < 8; i++) send(producer, topic, 0, START + 1000 + batch * 10 + i, "k" + i, i == 5 ? null : "v" + batch + "." + i);
                producer.flush();
            }
        }
    }

    private static void idempotent(String topic) {
        try (var first = producer("enable.idempotence", "true"); var second = producer("enable.idempotence", "true"); var other = producer()) {
            for (int round = 0; round < 24; round++) {
                long timestamp = START + round * 100L;
                for (int i = 0; i < 4; i++) send(first, topic, 0, timestamp + i, "first", "round " + round + " record " + i + " ".repeat(20));
                first.flush();
                if (round % 2 == 0) {
                    for (int i = 0; i < 3; i++) send(second, topic, 0, timestamp + 50 + i, "second", "round " + round + " record " + i);
                    second.flush();
                }
                if (round % 10 == 9) {
                    send(other, topic, 0, timestamp + 90, "other", "without a producer id");
                    other.flush();
                }
            }
        }
    }

    private static void transactions(String topic) {
        try (var first = producer("transactional.id", "first of " + topic, "enable.idempotence", "true");
             var second = producer("transactional.id", "second of " + topic, "enable.idempotence", "true");
             var other = producer()) {
            first.initTransactions();
            second.initTransactions();
            for (int round = 0; round < 6; round++) {
                long timestamp = START + round * 1000L;
                boolean commitsFirst = round % 2 == 0;
                boolean commitsSecond = round % 3 == 2;
                first.beginTransaction();
                second.beginTransaction();
                for (int i = 0; i < 3; i++) {
                    send(first, topic, 0, timestamp + i, "a" + i, "first, round " + round + (commitsFirst ? " committed" : " aborted"));
                    first.flush();
                }
                send(second, topic, 0, timestamp + 100, "b0", "second, round " + round + (commitsSecond ? " committed" : " aborted"));
                second.flush();
                send(other, topic, 0, timestamp + 200, "c", "outside of transactions, round " + round);
                other.flush();
                if (commitsFirst) first.commitTransaction();
                else first.abortTransaction();
                send(second, topic, 0, timestamp + 300, "b1", "second, round " + round + (commitsSecond ? " committed" : " aborted"));
                second.flush();
                if (commitsSecond) second.commitTransaction();
                else second.abortTransaction();
            }
        }
    }

    private static void compactable() {
        try (var producer = producer()) {
            for (int batch = 0; batch < 36; batch++) {
                for (int i = 0; i < 5; i++) {
                    int key = (batch * 3 + i * 7) % 11;
                    boolean isTombstone = key == 4 && batch > 18 || key == 9 && batch > 27;
                    send(producer, "compacted", 0, START + batch * 100L + i, "k" + key, isTombstone ? null : "v" + batch + "." + i);
                }
                producer.flush();
            }
        }
    }

    private static void times() throws Exception {
        try (var producer = producer(); var gzip = producer("compression.type", "gzip")) {
            for (int minute = 0; minute < 8; minute += 2) {
                send(producer, "by-time", 0, START + minute * 60_000L, "k", "opens a segment, minute " + minute);
                producer.flush();
                send(producer, "by-time", 0, START + minute * 60_000L + 5, "k", "same segment");
                producer.flush();
            }
            for (int batch = 0; batch < 20; batch++) {
                var one = batch % 5 == 4 ? gzip : producer;
                for (int i = 0; i < 5; i++) send(one, "append-time", 0, START + i, "k" + i, "the broker's clock replaces the client's " + batch + "." + i);
                one.flush();
                Thread.sleep(5);
            }
            // Beyond 2^53, where a double no longer holds every integer; each batch one nanosecond after the last.
            for (int batch = 0; batch < 60; batch++) {
                for (int i = 0; i < 2; i++) send(producer, "nanoseconds", 0, START * 1_000_000L + batch * 2 + i, "n", "batch " + batch + " record " + i);
                producer.flush();
            }
        }
    }

    /** Puts a few records into __consumer_offsets. */
    private static void group() {
        TopicPartition partition = new TopicPartition("plain", 0);
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "group.id", "golden", "enable.auto.commit", "false");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(5, Optional.of(0), "metadata ✓")));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(6)));
        }
    }
}

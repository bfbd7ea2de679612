// A program with producers and consumers that stay alive while the broker behind their address changes.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Future;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Argument: the address. Commands on standard input, a line each, answered with `done` when all is acknowledged:
 * `create`, `fill`, `transact`, `leave-open`, `go-on N`, `state FILE`, `quit`. What goes wrong ends it with a stack trace.
 */
public class MoveClient {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final List<String> COMPACTED = List.of("compacted", "compacted-and-deleted");
    private static final String GOING_ON = "going-on";

    private final String bootstrap;
    private final Random random = new Random(7);
    private final Admin admin;
    private final KafkaProducer<byte[], byte[]> idempotent;
    private final Map<String, Follower> followers = new TreeMap<>();
    private KafkaProducer<byte[], byte[]> transactional;
    private int sent = 0;
    private int fills = 0;

    /** A member of a group that takes the numbers as they come: each once, none left out. */
    private final class Follower {
        final String group;
        final KafkaConsumer<byte[], byte[]> consumer;
        final int[] next = new int[2];

        Follower(String group, String protocol) {
            this.group = group;
            consumer = new KafkaConsumer<>(consumerConfig(Map.of("group.id", group, "group.protocol", protocol)), new ByteArrayDeserializer(), new ByteArrayDeserializer());
            consumer.subscribe(List.of(GOING_ON));
        }

        void readUpTo(int end) {
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (next[0] < end || next[1] < end) {
                if (System.nanoTime() > deadline) throw new IllegalStateException(group + " has read " + Arrays.toString(next) + " of " + end);
                Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    int number = Integer.parseInt(new String(record.value(), StandardCharsets.UTF_8));
                    if (number != next[record.partition()]) throw new IllegalStateException(group + " met " + number + " at " + record.offset() + ", not " + next[record.partition()]);
                    next[record.partition()] = number + 1;
                    positions.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), "after " + number));
                }
                if (!positions.isEmpty()) consumer.commitSync(positions, Duration.ofSeconds(30));
            }
        }
    }

    private MoveClient(String bootstrap) {
        this.bootstrap = bootstrap;
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        idempotent = producer(Map.of("enable.idempotence", "true", "acks", "all", "linger.ms", "5", "batch.size", "300"));
    }

    public static void main(String[] args) throws Exception {
        var client = new MoveClient(args[0]);
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = input.readLine()) != null;) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "create" -> client.create();
                case "fill" -> client.fill();
                case "transact" -> client.transact();
                case "leave-open" -> client.leaveOpen();
                case "go-on" -> client.goOn(Integer.parseInt(words[1]));
                case "state" -> client.state(Path.of(words[1]));
                case "quit" -> Runtime.getRuntime().halt(0);
                default -> throw new IllegalArgumentException(line);
            }
            System.out.println("done " + line);
        }
        Runtime.getRuntime().halt(0);
    }

    private Map<String, Object> consumerConfig(Map<String, String> more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "auto.offset.reset", "earliest"));
        config.put("reconnect.backoff.max.ms", "200");
        config.putAll(more);
        return config;
    }

    private KafkaProducer<byte[], byte[]> producer(Map<String, String> more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "max.request.size", "4000000", "reconnect.backoff.max.ms", "200"));
        config.putAll(more);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private void create() throws Exception {
        List<NewTopic> topics = new ArrayList<>();
        for (String codec : CODECS) topics.add(topic("codec-" + codec, 1, Map.of("retention.ms", "-1")));
        topics.add(topic("compacted", 1, Map.of("cleanup.policy", "compact", "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "86400000")));
        topics.add(topic("compacted-and-deleted", 1, Map.of("cleanup.policy", "compact,delete", "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01")));
        topics.add(topic("appended", 1, Map.of("message.timestamp.type", "LogAppendTime")));
        topics.add(topic("trimmed", 1, Map.of("index.interval.bytes", "64")));
        topics.add(topic("empty", 3, Map.of()));
        topics.add(topic("large", 1, Map.of("max.message.bytes", "2000000")));
        topics.add(topic("transactions", 1, Map.of("min.insync.replicas", "1")));
        topics.add(topic(GOING_ON, 2, Map.of("retention.bytes", "1000000000")));
        admin.createTopics(topics).all().get();
        alter(ConfigResource.Type.BROKER, "", "message.max.bytes", "3000000");
        alter(ConfigResource.Type.BROKER, "1", "log.cleaner.io.buffer.size", "600000");
        alter(ConfigResource.Type.GROUP, "consumer-group", "consumer.session.timeout.ms", "50000");
    }

    private void alter(ConfigResource.Type type, String name, String key, String value) throws Exception {
        var op = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(type, name), List.of(op))).all().get();
    }

    private static NewTopic topic(String name, int partitions, Map<String, String> configs) {
        return new NewTopic(name, partitions, (short) 1).configs(configs);
    }

    private void fill() throws Exception {
        int fill = fills++;
        for (String codec : CODECS) {
            try (var producer = producer(Map.of("compression.type", codec, "linger.ms", "50", "enable.idempotence", fill % 2 == 0 ? "true" : "false"))) {
                for (int i = 0; i < 40; i++) {
                    var record = new ProducerRecord<>("codec-" + codec, 0, 1_600_000_000_000L + i, i % 3 == 0 ? null : bytes("key " + i), i % 7 == 0 ? null : bytes(fill + " " + "value ".repeat(i)));
                    record.headers().add(new RecordHeader("number", bytes("" + i))).add(new RecordHeader("nothing", null));
                    producer.send(record);
                }
            }
        }
        try (var producer = producer(Map.of("linger.ms", "5"))) {
            for (String name : COMPACTED) {
                for (int i = 0; i < 40; i++) {
                    byte[] value = new byte[100_000];
                    random.nextBytes(value);
                    producer.send(new ProducerRecord<>(name, 0, bytes("key " + i % 6), i % 6 == 5 ? null : value)).get();
                }
            }
            for (int i = 0; i < 20; i++) {
                producer.send(new ProducerRecord<>("appended", 0, 5L, bytes("key"), bytes("value " + i)));
                producer.send(new ProducerRecord<>("trimmed", 0, bytes("key"), bytes("value " + i)));
            }
            for (int i = 0; i < 3; i++) {
                byte[] value = new byte[1_000_000];
                random.nextBytes(value);
                producer.send(new ProducerRecord<>("large", 0, null, value)).get();
            }
        }
        var all = new TopicPartition("trimmed", 0);
        admin.deleteRecords(Map.of(all, RecordsToDelete.beforeOffset(20L * fill + 7))).all().get();
    }

    /** Only where there is a coordinator of transactions. */
    private void transact() throws Exception {
        if (transactional == null) {
            transactional = producer(Map.of("transactional.id", "mover"));
            transactional.initTransactions();
        }
        for (boolean isCommitted : new boolean[] {true, false, true, false}) {
            transactional.beginTransaction();
            for (int i = 0; i < 5; i++) transactional.send(new ProducerRecord<>("transactions", 0, bytes("key"), bytes((isCommitted ? "kept " : "given up ") + i)));
            transactional.flush();
            if (isCommitted) transactional.commitTransaction();
            else transactional.abortTransaction();
        }
        transactional.close();
        transactional = null;
    }

    /** Begins a transaction that only the next `transact` ends. */
    private void leaveOpen() throws Exception {
        var producer = producer(Map.of("transactional.id", "mover"));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("transactions", 0, bytes("key"), bytes("left open"))).get();
    }

    private void goOn(int count) throws Exception {
        List<Future<RecordMetadata>> waiting = new ArrayList<>();
        for (int i = 0; i < count; i++, sent++) {
            for (int partition = 0; partition < 2; partition++) waiting.add(idempotent.send(new ProducerRecord<>(GOING_ON, partition, bytes("" + partition), bytes("" + sent))));
        }
        for (var one : waiting) one.get();
        for (String protocol : List.of("classic", "consumer")) followers.computeIfAbsent(protocol, it -> new Follower(it + "-group", it)).readUpTo(sent);
    }

    /** Everything that must be the same with the next broker, a line each. */
    private void state(Path file) throws Exception {
        List<String> lines = new ArrayList<>();
        var names = new TreeSet<>(admin.listTopics().names().get());
        List<ConfigResource> resources = new ArrayList<>(List.of(new ConfigResource(ConfigResource.Type.BROKER, ""), new ConfigResource(ConfigResource.Type.BROKER, "1"), new ConfigResource(ConfigResource.Type.GROUP, "consumer-group")));
        var topics = admin.describeTopics(names).allTopicNames().get();
        for (String name : names) {
            resources.add(new ConfigResource(ConfigResource.Type.TOPIC, name));
            var topic = topics.get(name);
            lines.add("topic " + name + " " + topic.topicId() + " " + topic.partitions().size());
            for (var info : topic.partitions()) {
                if (info.leader() == null || info.leader().id() != 1) throw new IllegalStateException(name + "-" + info.partition() + " is led by " + info.leader());
                if (!name.startsWith("__")) records(new TopicPartition(name, info.partition()), lines);
            }
        }
        configs(resources, lines);
        groups(lines);
        Files.write(file, lines);
    }

    private void configs(List<ConfigResource> resources, List<String> lines) throws Exception {
        var all = admin.describeConfigs(resources).all().get();
        for (var resource : resources) {
            for (var entry : new TreeMap<>(byName(all.get(resource).entries())).values()) {
                boolean isSet = switch (entry.source()) {
                    case DYNAMIC_TOPIC_CONFIG, DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG, DYNAMIC_GROUP_CONFIG -> true;
                    default -> false;
                };
                if (isSet) lines.add("config " + resource.type() + " " + resource.name() + " " + entry.source() + " " + entry.name() + "=" + entry.value());
            }
        }
    }

    private static Map<String, ConfigEntry> byName(Iterable<ConfigEntry> entries) {
        Map<String, ConfigEntry> all = new HashMap<>();
        for (var entry : entries) all.put(entry.name(), entry);
        return all;
    }

    private void groups(List<String> lines) throws Exception {
        var listings = new TreeMap<String, String>();
        for (var group : admin.listGroups().all().get()) listings.put(group.groupId(), group.type() + " " + group.protocol());
        for (var group : listings.entrySet()) {
            lines.add("group " + group.getKey() + " " + group.getValue());
            var offsets = new TreeMap<String, OffsetAndMetadata>();
            for (var entry : admin.listConsumerGroupOffsets(group.getKey()).partitionsToOffsetAndMetadata().get().entrySet()) offsets.put(entry.getKey().toString(), entry.getValue());
            for (var entry : offsets.entrySet()) {
                lines.add("committed " + group.getKey() + " " + entry.getKey() + " " + entry.getValue().offset() + " " + entry.getValue().leaderEpoch() + " " + entry.getValue().metadata());
            }
        }
    }

    private void records(TopicPartition partition, List<String> lines) throws Exception {
        long start = admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).all().get().get(partition).offset();
        long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get().get(partition).offset();
        lines.add("offsets " + partition + " " + start + " " + end);
        for (String isolation : List.of("read_uncommitted", "read_committed")) {
            if (isolation.equals("read_committed") && !partition.topic().equals("transactions")) continue;
            try (var consumer = new KafkaConsumer<>(consumerConfig(Map.of("isolation.level", isolation)), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, start);
                var latest = new TreeMap<String, String>();
                while (consumer.position(partition) < end) {
                    for (var record : consumer.poll(Duration.ofMillis(200))) {
                        // What compaction takes away may be there or not; the last of each key has to be.
                        if (COMPACTED.contains(partition.topic())) latest.put(text(record.key()), text(record));
                        else lines.add("record " + partition + " " + isolation + " " + text(record));
                    }
                }
                for (String one : latest.values()) lines.add("latest " + partition + " " + one);
            }
        }
    }

    private static String text(ConsumerRecord<byte[], byte[]> record) throws Exception {
        var headers = new StringBuilder();
        for (var header : record.headers()) headers.append(header.key()).append('=').append(text(header.value())).append(' ');
        return record.offset() + " " + record.leaderEpoch() + " " + record.timestampType() + " " + record.timestamp() + " " + text(record.key()) + " " + text(record.value()) + " " + headers;
    }

    private static String text(byte[] value) throws Exception {
        if (value == null) return "null";
        if (value.length < 200) return Base64.getEncoder().encodeToString(value);
        return value.length + ":" + HexFormat.of().formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(value));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

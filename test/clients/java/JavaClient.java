// Kafka's own producer, consumer and admin client go through the scenarios, and print what they saw, a line of JSON each.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

/** Arguments: BOOTSTRAP and the time, in milliseconds, that record times are counted from: a minute ago. */
public class JavaClient {
    static final ObjectMapper JSON = new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
    static final String PREFIX = "java-";
    static String bootstrap;
    static long base;
    static Admin admin;

    interface Scenario {
        Object run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        base = Long.parseLong(args[1]);
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", "60000", "request.timeout.ms", "30000"));
        scenario("cluster", JavaClient::cluster);
        scenario("features", JavaClient::features);
        scenario("create-topics", JavaClient::createTopics);
        scenario("describe-topics", JavaClient::describeTopics);
        scenario("grow-topic", JavaClient::growTopic);
        scenario("describe-configs", JavaClient::describeConfigs);
        scenario("alter-configs", JavaClient::alterConfigs);
        scenario("broker-configs", JavaClient::brokerConfigs);
        scenario("produce-defaults", JavaClient::produceDefaults);
        scenario("produce-codecs", JavaClient::produceCodecs);
        scenario("produce-acks", JavaClient::produceAcks);
        scenario("headers-and-nulls", JavaClient::headersAndNulls);
        scenario("large-records", JavaClient::largeRecords);
        scenario("timestamps", JavaClient::timestamps);
        scenario("offsets-by-time", JavaClient::offsetsByTime);
        scenario("consume", JavaClient::consume);
        scenario("delete-records", JavaClient::deleteRecords);
        scenario("unknown-topics", JavaClient::unknownTopics);
        scenario("compacted-topic", JavaClient::compactedTopic);
        scenario("producers", JavaClient::producers);
        scenario("log-dirs", JavaClient::logDirs);
        scenario("quorum", JavaClient::quorum);
        scenario("reassignments", JavaClient::reassignments);
        scenario("elect-leaders", JavaClient::electLeaders);
        scenario("config-resources", JavaClient::configResources);
        scenario("delete-topics", JavaClient::deleteTopics);
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static void scenario(String name, Scenario scenario) throws Exception {
        Object answer;
        long start = System.currentTimeMillis();
        try {
            answer = scenario.run();
        } catch (Throwable error) {
            answer = error(error);
        }
        System.out.println(JSON.writeValueAsString(map("scenario", name, "ms", System.currentTimeMillis() - start, "answer", answer)));
        System.out.flush();
    }

    // Shapes

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put(String.valueOf(pairs[i]), pairs[i + 1]);
        return map;
    }

    static Map<String, Object> error(Throwable error) {
        while (error instanceof ExecutionException && error.getCause() != null) error = error.getCause();
        return map("error", error.getClass().getSimpleName(), "message", error.getMessage());
    }

    static Object outcome(Scenario scenario) {
        try {
            return scenario.run();
        } catch (Throwable error) {
            return error(error);
        }
    }

    static <K> Map<String, Object> outcomes(Map<K, ? extends Future<?>> futures) {
        Map<String, Object> all = new TreeMap<>();
        futures.forEach((key, future) -> all.put(String.valueOf(key), outcome(() -> String.valueOf(future.get()))));
        return all;
    }

    static ConfigResource topicResource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, PREFIX + topic);
    }

    static String create(String topic, int partitions, String... configs) throws Exception {
        Map<String, String> map = new HashMap<>();
        for (String config : configs) map.put(config.split("=", 2)[0], config.split("=", 2)[1]);
        var created = admin.createTopics(List.of(new NewTopic(PREFIX + topic, partitions, (short) 1).configs(map)));
        Uuid id = created.topicId(PREFIX + topic).get();
        heardOf(PREFIX + topic, id);
        return PREFIX + topic;
    }

    /** Kafka answers before the broker has heard of a topic through the metadata log. */
    static void heardOf(String topic, Uuid id) throws Exception {
        for (int i = 0; i < 3000; i++) {
            try {
                if (admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId().equals(id)) return;
            } catch (ExecutionException unknownYet) {
                // Asked again.
            }
            Thread.sleep(10);
        }
    }

    /** Waits until the broker has heard of all that was decided: what is decided later comes later in the metadata log. */
    static void caughtUp() throws Exception {
        String marker = "marker-" + UUID.randomUUID();
        heardOf(marker, admin.createTopics(List.of(new NewTopic(marker, 1, (short) 1))).topicId(marker).get());
    }

    static KafkaProducer<byte[], byte[]> producer(String... configs) {
        Map<String, Object> map = new HashMap<>();
        map.put("bootstrap.servers", bootstrap);
        map.put("delivery.timeout.ms", "60000");
        map.put("request.timeout.ms", "30000");
        for (String config : configs) map.put(config.split("=", 2)[0], config.split("=", 2)[1]);
        return new KafkaProducer<>(map, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(String... configs) {
        Map<String, Object> map = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "auto.offset.reset", "none", "fetch.max.wait.ms", "50"));
        for (String config : configs) map.put(config.split("=", 2)[0], config.split("=", 2)[1]);
        return new KafkaConsumer<>(map, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        if (bytes == null) return null;
        String text = new String(bytes, StandardCharsets.UTF_8);
        return text.length() <= 60 ? text : text.length() + " characters, hash " + text.hashCode();
    }

    static ProducerRecord<byte[], byte[]> record(String topic, Integer partition, Long timestamp, String key, String value) {
        return new ProducerRecord<>(topic, partition, timestamp, bytes(key), bytes(value));
    }

    static Object sent(Future<RecordMetadata> future) {
        return outcome(() -> {
            RecordMetadata metadata = future.get();
            return map("partition", metadata.partition(), "offset", metadata.hasOffset() ? metadata.offset() : "none", "time", time(metadata.timestamp()));
        });
    }

    /** Records have times that are counted from the base; what a clock says is only said to be that. */
    static Object time(long timestamp) {
        long delta = timestamp - base;
        if (timestamp < 0) return timestamp;
        if (delta > 10_000 && delta < 3_000_000) return "now";
        return Math.abs(delta) < 8_000_000 ? "base" + (delta < 0 ? "" : "+") + delta : String.valueOf(timestamp);
    }

    static Map<String, Object> shown(ConsumerRecord<byte[], byte[]> record) {
        List<Object> headers = new ArrayList<>();
        for (Header header : record.headers()) headers.add(Arrays.asList(header.key(), text(header.value())));
        return map("offset", record.offset(), "time", time(record.timestamp()), "type", record.timestampType().name, "leaderEpoch", record.leaderEpoch().orElse(-1),
            "key", text(record.key()), "value", text(record.value()), "headers", headers);
    }

    static List<Object> readAll(String topic, int partition, String... configs) {
        try (var consumer = consumer(configs)) {
            TopicPartition at = new TopicPartition(topic, partition);
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            long end = consumer.endOffsets(List.of(at)).get(at);
            List<Object> records = new ArrayList<>();
            long deadline = System.currentTimeMillis() + 10_000;
            while (consumer.position(at) < end) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> records.add(shown(record)));
                if (System.currentTimeMillis() > deadline) throw new IllegalStateException("Stuck at " + consumer.position(at) + " of " + end);
            }
            return records;
        }
    }

    // Scenarios

    static Object cluster() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        return map("nodes", cluster.nodes().get().stream().map(node -> node.id() + " " + node.host() + " " + node.rack()).toList(), "controller", cluster.controller().get().id(),
            "idLength", cluster.clusterId().get().length(), "operations", operations(cluster.authorizedOperations().get()),
            "address", cluster.nodes().get().stream().allMatch(node -> (node.host() + ":" + node.port()).equals(bootstrap)));
    }

    static Object operations(Set<AclOperation> operations) {
        return operations == null ? null : new TreeSet<>(operations.stream().map(AclOperation::name).toList());
    }

    static Object features() throws Exception {
        FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
        Map<String, Object> finalized = new TreeMap<>();
        features.finalizedFeatures().forEach((name, range) -> finalized.put(name, range.minVersionLevel() + "-" + range.maxVersionLevel()));
        Map<String, Object> supported = new TreeMap<>();
        features.supportedFeatures().forEach((name, range) -> supported.put(name, range.minVersion() + "-" + range.maxVersion()));
        return map("finalized", finalized, "supported", supported, "hasEpoch", features.finalizedFeaturesEpoch().isPresent(),
            "unknownFeature", outcomes(admin.updateFeatures(Map.of("no.such.feature", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions().validateOnly(true)).values()));
    }

    static Object createTopics() {
        List<NewTopic> topics = List.of(new NewTopic(PREFIX + "plain", 3, (short) 1).configs(Map.of("retention.ms", "3600000", "compression.type", "lz4")),
            new NewTopic(PREFIX + "defaults", Optional.empty(), Optional.empty()), new NewTopic("no spaces", 1, (short) 1), new NewTopic("", 1, (short) 1), new NewTopic("..", 1, (short) 1),
            new NewTopic("x".repeat(250), 1, (short) 1), new NewTopic(PREFIX + "zero", 0, (short) 1), new NewTopic(PREFIX + "negative", -2, (short) 1), new NewTopic(PREFIX + "wide", 1, (short) 3),
            new NewTopic(PREFIX + "strange-config", 1, (short) 1).configs(Map.of("no.such.config", "1")), new NewTopic(PREFIX + "bad-config", 1, (short) 1).configs(Map.of("retention.ms", "soon")),
            new NewTopic(PREFIX + "low-config", 1, (short) 1).configs(Map.of("segment.bytes", "10")), new NewTopic(PREFIX + "assigned", Map.of(0, List.of(1), 1, List.of(1))),
            new NewTopic(PREFIX + "gap", Map.of(0, List.of(1), 2, List.of(1))), new NewTopic(PREFIX + "nobody", Map.of(0, List.of(99))), new NewTopic("__cluster_metadata", 1, (short) 1));
        CreateTopicsResult created = admin.createTopics(topics);
        Map<String, Object> details = new TreeMap<>();
        for (String topic : List.of("plain", "defaults")) {
            details.put(topic, outcome(() -> {
                String name = PREFIX + topic;
                var config = new TreeMap<String, String>();
                created.config(name).get().entries().forEach(entry -> config.put(entry.name(), shown(entry)));
                return map("partitions", created.numPartitions(name).get(), "replication", created.replicationFactor(name).get(), "hasId", !created.topicId(name).get().equals(Uuid.ZERO_UUID), "config", config);
            }));
        }
        Map<String, Object> again = outcomes(admin.createTopics(List.of(new NewTopic(PREFIX + "plain", 1, (short) 1), new NewTopic(PREFIX.replace('-', '.') + "plain", 1, (short) 1))).values());
        Map<String, Object> collision = outcomes(admin.createTopics(List.of(new NewTopic("java_collides.x", 1, (short) 1))).values());
        collision.putAll(outcomes(admin.createTopics(List.of(new NewTopic("java.collides_x", 1, (short) 1))).values()));
        Map<String, Object> onlyChecked = outcomes(admin.createTopics(List.of(new NewTopic(PREFIX + "checked", 5, (short) 1), new NewTopic(PREFIX + "plain", 5, (short) 1)), new CreateTopicsOptions().validateOnly(true)).values());
        return map("first", outcomes(created.values()), "details", details, "again", again, "collision", collision, "onlyChecked", onlyChecked, "names", outcome(JavaClient::names));
    }

    static Object names() throws Exception {
        caughtUp();
        return new TreeSet<>(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().stream().filter(name -> name.startsWith("java")).toList());
    }

    static String shown(ConfigEntry entry) {
        return entry.value() + " | " + entry.source() + (entry.isReadOnly() ? " read-only" : "") + (entry.isSensitive() ? " sensitive" : "");
    }

    static Object described(String topic) {
        return outcome(() -> {
            TopicDescription description = admin.describeTopics(List.of(topic), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get().get(topic);
            return map("internal", description.isInternal(), "operations", operations(description.authorizedOperations()), "hasId", !description.topicId().equals(Uuid.ZERO_UUID),
                "partitions", description.partitions().stream().map(partition -> map("partition", partition.partition(), "leader", partition.leader() == null ? null : partition.leader().id(),
                    "replicas", partition.replicas().stream().map(Node::id).toList(), "isr", partition.isr().stream().map(Node::id).toList(),
                    "elr", ids(partition.elr()), "lastKnownElr", ids(partition.lastKnownElr()))).toList());
        });
    }

    static Object ids(List<Node> nodes) {
        return nodes == null ? null : nodes.stream().map(Node::id).toList();
    }

    static Object describeTopics() throws Exception {
        Object byId = outcome(() -> {
            Uuid id = admin.describeTopics(List.of(PREFIX + "plain")).allTopicNames().get().get(PREFIX + "plain").topicId();
            return admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name();
        });
        return map("plain", described(PREFIX + "plain"), "missing", described(PREFIX + "missing"), "badName", described("no spaces"), "byId", byId,
            "byUnknownId", outcome(() -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(new Uuid(5, 6)))).allTopicIds().get()));
    }

    static Object growTopic() throws Exception {
        create("grown", 1);
        Map<String, Object> answers = new TreeMap<>();
        answers.put("to 4", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(4))).values()));
        answers.put("to 4 again", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(4))).values()));
        answers.put("to 2", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(2))).values()));
        answers.put("missing", outcomes(admin.createPartitions(Map.of(PREFIX + "missing", NewPartitions.increaseTo(2))).values()));
        answers.put("assigned", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(6, List.of(List.of(1), List.of(1))))).values()));
        answers.put("assigned wrongly", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(8, List.of(List.of(1))))).values()));
        answers.put("only checked", outcomes(admin.createPartitions(Map.of(PREFIX + "grown", NewPartitions.increaseTo(9)), new CreatePartitionsOptions().validateOnly(true)).values()));
        caughtUp();
        answers.put("described", described(PREFIX + "grown"));
        return answers;
    }

    static Map<String, Object> configs(ConfigResource resource) {
        Map<String, Object> shown = new TreeMap<>();
        try {
            DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
            admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries().forEach(entry -> shown.put(entry.name(),
                map("value", shown(entry), "type", entry.type().name(), "synonyms", entry.synonyms().stream().map(synonym -> synonym.name() + "=" + synonym.value() + " " + synonym.source()).toList(),
                    "isDocumented", entry.documentation() != null)));
        } catch (Exception error) {
            return error(error);
        }
        return shown;
    }

    static Object describeConfigs() {
        return map("topic", configs(topicResource("plain")), "missing", configs(topicResource("missing")), "badName", configs(new ConfigResource(ConfigResource.Type.TOPIC, "no spaces")));
    }

    static Object alter(ConfigResource resource, AlterConfigOp.OpType type, String name, String value) {
        return outcome(() -> {
            admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(name, value), type)))).all().get();
            // Settings arrive through the metadata log, a moment later.
            String shown = null;
            for (int i = 0; i < 10; i++) {
                ConfigEntry entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name);
                shown = entry == null ? "none" : shown(entry);
                Thread.sleep(15);
            }
            return shown;
        });
    }

    static Object alterConfigs() throws Exception {
        create("altered", 1);
        ConfigResource topic = topicResource("altered");
        Map<String, Object> answers = new LinkedHashMap<>();
        answers.put("set", alter(topic, AlterConfigOp.OpType.SET, "retention.ms", "7200000"));
        answers.put("delete", alter(topic, AlterConfigOp.OpType.DELETE, "retention.ms", null));
        answers.put("append", alter(topic, AlterConfigOp.OpType.APPEND, "cleanup.policy", "compact"));
        answers.put("subtract", alter(topic, AlterConfigOp.OpType.SUBTRACT, "cleanup.policy", "delete"));
        answers.put("append to what is no list", alter(topic, AlterConfigOp.OpType.APPEND, "retention.ms", "5"));
        answers.put("bad value", alter(topic, AlterConfigOp.OpType.SET, "retention.ms", "soon"));
        answers.put("too low", alter(topic, AlterConfigOp.OpType.SET, "segment.bytes", "1"));
        answers.put("unknown name", alter(topic, AlterConfigOp.OpType.SET, "no.such.config", "1"));
        answers.put("missing topic", alter(topicResource("missing"), AlterConfigOp.OpType.SET, "retention.ms", "5"));
        answers.put("only checked", outcome(() -> {
            admin.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "9"), AlterConfigOp.OpType.SET))), new AlterConfigsOptions().validateOnly(true)).all().get();
            return shown(admin.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms"));
        }));
        ConfigResource defaults = new ConfigResource(ConfigResource.Type.BROKER, "");
        answers.put("cluster default", alter(defaults, AlterConfigOp.OpType.SET, "log.retention.ms", "86400000"));
        answers.put("topic sees cluster default", outcome(() -> shown(admin.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms"))));
        answers.put("cluster default deleted", alter(defaults, AlterConfigOp.OpType.DELETE, "log.retention.ms", null));
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        answers.put("broker", alter(broker, AlterConfigOp.OpType.SET, "log.cleaner.threads", "2"));
        answers.put("broker deleted", alter(broker, AlterConfigOp.OpType.DELETE, "log.cleaner.threads", null));
        answers.put("read-only", alter(broker, AlterConfigOp.OpType.SET, "log.dirs", "/nowhere"));
        answers.put("bad broker value", alter(broker, AlterConfigOp.OpType.SET, "log.cleaner.threads", "many"));
        return answers;
    }

    static Object brokerConfigs() {
        return map("broker", configs(new ConfigResource(ConfigResource.Type.BROKER, "1")), "defaults", configs(new ConfigResource(ConfigResource.Type.BROKER, "")),
            "other", outcome(() -> configs(new ConfigResource(ConfigResource.Type.GROUP, "some-group"))));
    }

    static Object produceDefaults() throws Exception {
        String topic = create("defaults-in", 4);
        try (var producer = producer()) {
            List<Future<RecordMetadata>> futures = new ArrayList<>();
            for (int i = 0; i < 50; i++) futures.add(producer.send(record(topic, null, base + i, "key " + i, "value " + i)));
            List<Object> sent = futures.stream().map(JavaClient::sent).toList();
            Map<Integer, Object> read = new TreeMap<>();
            for (int partition = 0; partition < 4; partition++) read.put(partition, readAll(topic, partition));
            return map("partitions", producer.partitionsFor(topic).stream().sorted(Comparator.comparing(PartitionInfo::partition)).map(String::valueOf).map(text -> text.replaceAll("id: \\d+", "id")).map(text -> text.replaceAll("127.0.0.1:\\d+", "address")).toList(), "sent", sent, "read", read);
        }
    }

    static Object produceCodecs() throws Exception {
        Map<String, Object> answers = new TreeMap<>();
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            for (String stored : List.of("producer", "uncompressed", "gzip", "zstd")) {
                String topic = create("codec-" + codec + "-" + stored, 1, "compression.type=" + stored);
                answers.put(codec + " stored as " + stored, outcome(() -> {
                    try (var producer = producer("compression.type=" + codec, "linger.ms=5000")) {
                        List<Future<RecordMetadata>> futures = new ArrayList<>();
                        for (int i = 0; i < 8; i++) futures.add(producer.send(record(topic, 0, base + i, null, (codec + " " + i + " ").repeat(40))));
                        producer.flush();
                        return map("sent", futures.stream().map(JavaClient::sent).toList(), "read", readAll(topic, 0));
                    }
                }));
                if (codec.equals("none") || codec.equals("snappy") || codec.equals("lz4")) break;
            }
        }
        return answers;
    }

    static Object produceAcks() throws Exception {
        String topic = create("acks", 1);
        Map<String, Object> answers = new TreeMap<>();
        for (String acks : List.of("0", "1", "all")) {
            try (var producer = producer("acks=" + acks, "enable.idempotence=" + acks.equals("all"))) {
                List<Object> sent = new ArrayList<>();
                for (int i = 0; i < 3; i++) sent.add(sent(producer.send(record(topic, 0, base + i, null, acks + " " + i))));
                answers.put(acks, sent);
            }
            int expected = acks.equals("0") ? 3 : acks.equals("1") ? 6 : 9;
            for (int i = 0; i < 100 && readAll(topic, 0).size() < expected; i++) Thread.sleep(20);
        }
        create("acks-two", 1, "min.insync.replicas=2");
        try (var producer = producer("retries=0")) {
            answers.put("two in-sync replicas wanted", sent(producer.send(record(PREFIX + "acks-two", 0, base, null, "x"))));
        }
        answers.put("read", readAll(topic, 0));
        return answers;
    }

    static Object headersAndNulls() throws Exception {
        String topic = create("headers", 1);
        try (var producer = producer()) {
            List<Object> sent = new ArrayList<>();
            var with = record(topic, 0, base, "key", "value");
            with.headers().add(new RecordHeader("a", bytes("1"))).add(new RecordHeader("a", bytes("2"))).add(new RecordHeader("größe", bytes("ü"))).add(new RecordHeader("null", null)).add(new RecordHeader("", new byte[0]));
            sent.add(sent(producer.send(with)));
            sent.add(sent(producer.send(record(topic, 0, base + 1, null, "no key"))));
            sent.add(sent(producer.send(record(topic, 0, base + 2, "no value", null))));
            sent.add(sent(producer.send(record(topic, 0, base + 3, null, null))));
            sent.add(sent(producer.send(record(topic, 0, base + 4, "", ""))));
            return map("sent", sent, "read", readAll(topic, 0));
        }
    }

    static Object largeRecords() throws Exception {
        String topic = create("large", 1);
        String small = create("small-limit", 1, "max.message.bytes=1000");
        try (var producer = producer("max.request.size=5000000", "buffer.memory=40000000")) {
            List<Object> sent = new ArrayList<>();
            for (int size : new int[] {1_000_000, 1_040_000, 1_048_600, 2_000_000}) sent.add(sent(producer.send(record(topic, 0, base, null, "x".repeat(size)))));
            sent.add(sent(producer.send(record(small, 0, base, null, "x".repeat(900)))));
            sent.add(sent(producer.send(record(small, 0, base, null, "x".repeat(1000)))));
            return map("sent", sent, "read", readAll(topic, 0), "with small limits", readAll(topic, 0, "max.partition.fetch.bytes=1000", "fetch.max.bytes=1000"));
        }
    }

    static Object timestamps() throws Exception {
        String created = create("create-time", 1);
        String appended = create("append-time", 1, "message.timestamp.type=LogAppendTime");
        String strict = create("strict-time", 1, "message.timestamp.before.max.ms=1000", "message.timestamp.after.max.ms=1000");
        try (var producer = producer()) {
            List<Object> sent = new ArrayList<>();
            for (long time : new long[] {base, base - 50, 0, 1, base + 7_200_000, Long.MAX_VALUE}) sent.add(sent(producer.send(record(created, 0, time, null, "at " + (time - base)))));
            sent.add(sent(producer.send(record(created, 0, null, null, "now"))));
            for (long time : new long[] {base, 0}) sent.add(sent(producer.send(record(appended, 0, time, null, "appended"))));
            for (long time : new long[] {System.currentTimeMillis(), base - 100_000, System.currentTimeMillis() + 100_000}) sent.add(sent(producer.send(record(strict, 0, time, null, "strict"))));
            return map("sent", sent, "created", readAll(created, 0), "appended", readAll(appended, 0));
        }
    }

    static Object offset(String topic, OffsetSpec spec, IsolationLevel isolation) {
        return outcome(() -> {
            TopicPartition at = new TopicPartition(topic, 0);
            var result = admin.listOffsets(Map.of(at, spec), new ListOffsetsOptions(isolation)).partitionResult(at).get();
            return map("offset", result.offset(), "time", time(result.timestamp()), "leaderEpoch", result.leaderEpoch().orElse(-1));
        });
    }

    static Object offsetsByTime() throws Exception {
        String topic = create("by-time", 1);
        create("by-time-empty", 1);
        try (var producer = producer("linger.ms=5000")) {
            // Out of order, and three to a batch.
            for (int minute : new int[] {10, 5, 30, 20, 20, 40}) {
                for (int i = 0; i < 3; i++) producer.send(record(topic, 0, base - 3_600_000 + minute * 60_000 + i, null, minute + "." + i));
                producer.flush();
            }
        }
        Map<String, Object> answers = new LinkedHashMap<>();
        for (String name : List.of("by-time", "by-time-empty", "by-time-missing")) {
            for (IsolationLevel isolation : IsolationLevel.values()) {
                Map<String, Object> found = new LinkedHashMap<>();
                found.put("earliest", offset(PREFIX + name, OffsetSpec.earliest(), isolation));
                found.put("latest", offset(PREFIX + name, OffsetSpec.latest(), isolation));
                if (name.endsWith("missing")) {
                    answers.put(name, found);
                    break;
                }
                found.put("max timestamp", offset(PREFIX + name, OffsetSpec.maxTimestamp(), isolation));
                found.put("earliest local", offset(PREFIX + name, OffsetSpec.earliestLocal(), isolation));
                found.put("latest tiered", offset(PREFIX + name, OffsetSpec.latestTiered(), isolation));
                found.put("earliest pending upload", offset(PREFIX + name, OffsetSpec.earliestPendingUpload(), isolation));
                for (int minute : new int[] {0, 5, 6, 10, 11, 20, 25, 30, 40, 41}) found.put("minute " + minute, offset(PREFIX + name, OffsetSpec.forTimestamp(base - 3_600_000 + minute * 60_000 + 1), isolation));
                answers.put(name + " " + isolation, found);
            }
        }
        try (var consumer = consumer()) {
            TopicPartition at = new TopicPartition(topic, 0);
            answers.put("consumer", map("beginning", consumer.beginningOffsets(List.of(at)).get(at), "end", consumer.endOffsets(List.of(at)).get(at),
                "by time", String.valueOf(consumer.offsetsForTimes(Map.of(at, base - 3_600_000 + 20 * 60_000L))).replace(String.valueOf(base - 3_600_000 + 30 * 60_000L), "minute 30").replace(String.valueOf(base - 3_600_000 + 20 * 60_000L), "minute 20")));
        }
        return answers;
    }

    static Object consume() throws Exception {
        String topic = create("consumed", 2);
        try (var producer = producer("batch.size=200")) {
            for (int i = 0; i < 200; i++) producer.send(record(topic, i % 2, base + i, null, "record " + i));
        }
        Map<String, Object> answers = new LinkedHashMap<>();
        try (var consumer = consumer("max.poll.records=1000")) {
            TopicPartition zero = new TopicPartition(topic, 0);
            TopicPartition one = new TopicPartition(topic, 1);
            consumer.assign(List.of(zero, one));
            consumer.seekToBeginning(List.of(zero, one));
            Map<String, Object> values = new TreeMap<>();
            int count = 0;
            for (long deadline = System.currentTimeMillis() + 10_000; count < 200 && System.currentTimeMillis() < deadline; )
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    count++;
                    values.put(record.partition() + "/" + String.format("%03d", record.offset()), text(record.value()));
                }
            answers.put("all", values);
            answers.put("positions", consumer.position(zero) + " " + consumer.position(one));
            answers.put("idle", consumer.poll(Duration.ofMillis(300)).count());
            answers.put("lag", String.valueOf(consumer.currentLag(zero)));
            consumer.assign(List.of(zero));
            for (long offset : new long[] {42, 99, 100}) {
                consumer.seek(zero, offset);
                answers.put("from " + offset, outcome(() -> {
                    List<Object> records = new ArrayList<>();
                    for (int i = 0; i < 20 && records.isEmpty(); i++) {
                        consumer.poll(Duration.ofMillis(offset == 100 ? 10 : 100)).forEach(record -> records.add(record.offset()));
                    }
                    return records.isEmpty() ? "nothing" : records.get(0);
                }));
            }
            for (long offset : new long[] {101, 100_000}) {
                consumer.seek(zero, offset);
                answers.put("from " + offset, outcome(() -> consumer.poll(Duration.ofMillis(30000)).count()));
            }
            // A record that arrives during a long poll.
            consumer.seek(zero, 100);
            consumer.poll(Duration.ofMillis(50));
            try (var producer = producer()) {
                producer.send(record(topic, 0, base, null, "late")).get();
            }
            answers.put("late", consumer.poll(Duration.ofMillis(30000)).records(zero).stream().map(JavaClient::shown).toList());
            // The subscription changes within a fetch session.
            consumer.assign(List.of(one));
            consumer.seek(one, 98);
            answers.put("other partition", consumer.poll(Duration.ofMillis(30000)).records(one).stream().map(record -> record.offset()).toList());
        }
        try (var consumer = consumer("isolation.level=read_committed", "fetch.min.bytes=100000", "fetch.max.wait.ms=100", "check.crcs=true")) {
            TopicPartition zero = new TopicPartition(topic, 0);
            consumer.assign(List.of(zero));
            consumer.seek(zero, 0);
            answers.put("read committed", consumer.poll(Duration.ofMillis(30000)).count() > 0);
        }
        return answers;
    }

    static Object deleteRecords() throws Exception {
        String topic = create("deleted-records", 1);
        try (var producer = producer()) {
            for (int i = 0; i < 10; i++) producer.send(record(topic, 0, base + i, null, "record " + i)).get();
        }
        String compacted = create("deleted-compacted", 1, "cleanup.policy=compact");
        Map<String, Object> answers = new LinkedHashMap<>();
        for (long offset : new long[] {4, 2, 11, -1}) {
            TopicPartition at = new TopicPartition(topic, 0);
            answers.put("before " + offset, outcome(() -> admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(offset))).lowWatermarks().get(at).get().lowWatermark()));
            answers.put("earliest after " + offset, offset(topic, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED));
            answers.put("read after " + offset, outcome(() -> readAll(topic, 0).size()));
        }
        for (var at : List.of(new TopicPartition(compacted, 0), new TopicPartition(PREFIX + "missing", 0), new TopicPartition(topic, 7)))
            answers.put(String.valueOf(at), outcome(() -> admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(0)), new DeleteRecordsOptions().timeoutMs(at.topic().equals(compacted) ? 30_000 : 700)).lowWatermarks().get(at).get().lowWatermark()));
        try (var consumer = consumer()) {
            TopicPartition at = new TopicPartition(topic, 0);
            consumer.assign(List.of(at));
            consumer.seek(at, 3);
            answers.put("consume deleted", outcome(() -> consumer.poll(Duration.ofMillis(30000)).count()));
        }
        return answers;
    }

    static Object unknownTopics() throws Exception {
        Map<String, Object> answers = new LinkedHashMap<>();
        try (var producer = producer()) {
            answers.put("made by producing", sent(producer.send(record(PREFIX + "made", null, base, null, "first"))));
        }
        try (var producer = producer("max.block.ms=1500")) {
            answers.put("bad name", sent(producer.send(record("no spaces", null, base, null, "first"))));
            answers.put("partition out of range", outcome(() -> sent(producer.send(record(PREFIX + "made", 5, base, null, "x")))));
        }
        answers.put("described", described(PREFIX + "made"));
        try (var consumer = consumer("allow.auto.create.topics=false", "default.api.timeout.ms=1000")) {
            answers.put("partitions of a missing topic", outcome(() -> consumer.partitionsFor(PREFIX + "missing")));
        }
        answers.put("names", names());
        return answers;
    }

    static Object compactedTopic() throws Exception {
        String topic = create("compacted", 1, "cleanup.policy=compact");
        try (var producer = producer("retries=0")) {
            return map("with key", sent(producer.send(record(topic, 0, base, "key", "value"))), "without key", sent(producer.send(record(topic, 0, base, null, "value"))),
                "tombstone", sent(producer.send(record(topic, 0, base, "key", null))), "read", readAll(topic, 0));
        }
    }

    static Object producers() throws Exception {
        String topic = create("producers", 1);
        TopicPartition at = new TopicPartition(topic, 0);
        try (var producer = producer()) {
            for (int i = 0; i < 3; i++) producer.send(record(topic, 0, base + i, null, "x")).get();
            List<Object> active = new ArrayList<>();
            for (ProducerState state : admin.describeProducers(List.of(at)).partitionResult(at).get().activeProducers())
                active.add(map("hasId", state.producerId() >= 0, "epoch", state.producerEpoch(), "lastSequence", state.lastSequence(), "lastTime", time(state.lastTimestamp()), "coordinatorEpoch", String.valueOf(state.coordinatorEpoch()), "transaction", String.valueOf(state.currentTransactionStartOffset())));
            TopicPartition missing = new TopicPartition(PREFIX + "missing", 0);
            return map("active", active, "missing", outcome(() -> admin.describeProducers(List.of(missing), new DescribeProducersOptions().timeoutMs(700)).partitionResult(missing).get().activeProducers().size()));
        }
    }

    static Object logDirs() throws Exception {
        List<Object> found = new ArrayList<>();
        for (var directory : admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).values()) {
            Map<String, Object> replicas = new TreeMap<>();
            directory.replicaInfos().forEach((partition, info) -> {
                if (partition.topic().matches("java-(plain|codec-.*-producer|headers|large|by-time)")) replicas.put(String.valueOf(partition), info.size() + " lag " + info.offsetLag() + (info.isFuture() ? " future" : ""));
            });
            found.add(map("error", String.valueOf(directory.error()), "hasTotal", directory.totalBytes().isPresent(), "hasUsable", directory.usableBytes().isPresent(), "replicas", replicas));
        }
        TopicPartitionReplica replica = new TopicPartitionReplica(PREFIX + "plain", 0, 1);
        return map("found", found, "of a replica", outcome(() -> {
            var info = admin.describeReplicaLogDirs(List.of(replica)).all().get().get(replica);
            return map("lag", info.getCurrentReplicaOffsetLag(), "hasDirectory", info.getCurrentReplicaLogDir() != null, "future", info.getFutureReplicaLogDir());
        }), "move to nowhere", outcome(() -> String.valueOf(admin.alterReplicaLogDirs(Map.of(replica, "/nowhere/at/all")).all().get())));
    }

    static Object quorum() throws Exception {
        QuorumInfo info = admin.describeMetadataQuorum().quorumInfo().get();
        return map("leader", info.leaderId(), "hasEpoch", info.leaderEpoch() > 0, "hasWatermark", info.highWatermark() > 0, "voters", info.voters().stream().map(voter -> voter.replicaId()).toList(),
            "voterDirectories", info.voters().stream().map(voter -> !voter.replicaDirectoryId().equals(Uuid.ZERO_UUID)).toList(), "observers", info.observers().size(), "nodes", info.nodes().keySet());
    }

    static Object reassignments() throws Exception {
        Map<String, Object> answers = new LinkedHashMap<>();
        answers.put("list", String.valueOf(admin.listPartitionReassignments().reassignments().get()));
        TopicPartition at = new TopicPartition(PREFIX + "plain", 0);
        for (var target : List.of(List.of(1), List.of(99), List.of(1, 1), List.<Integer>of()))
            answers.put("to " + target, outcome(() -> String.valueOf(admin.alterPartitionReassignments(Map.of(at, Optional.of(new NewPartitionReassignment(target)))).all().get())));
        answers.put("cancel", outcome(() -> String.valueOf(admin.alterPartitionReassignments(Map.of(at, Optional.empty())).all().get())));
        TopicPartition missing = new TopicPartition(PREFIX + "missing", 0);
        answers.put("missing", outcome(() -> String.valueOf(admin.alterPartitionReassignments(Map.of(missing, Optional.of(new NewPartitionReassignment(List.of(1))))).all().get())));
        return answers;
    }

    static Object electLeaders() throws Exception {
        Map<String, Object> answers = new LinkedHashMap<>();
        for (ElectionType type : ElectionType.values()) {
            var partitions = Set.of(new TopicPartition(PREFIX + "plain", 0), new TopicPartition(PREFIX + "missing", 0));
            Map<String, Object> found = new TreeMap<>();
            admin.electLeaders(type, partitions).partitions().get().forEach((partition, error) -> found.put(String.valueOf(partition), error.map(JavaClient::error).orElse(Map.of())));
            answers.put(type.name(), found);
        }
        return answers;
    }

    static Object configResources() throws Exception {
        var topics = admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new ListConfigResourcesOptions()).all().get();
        var brokers = admin.listConfigResources(Set.of(ConfigResource.Type.BROKER, ConfigResource.Type.BROKER_LOGGER, ConfigResource.Type.CLIENT_METRICS, ConfigResource.Type.GROUP), new ListConfigResourcesOptions()).all().get();
        return map("topics", new TreeSet<>(topics.stream().map(ConfigResource::name).filter(name -> name.startsWith("java")).toList()), "others", new TreeSet<>(brokers.stream().map(String::valueOf).toList()));
    }

    static Object deleteTopics() throws Exception {
        String topic = create("short-lived", 1);
        try (var producer = producer()) {
            for (int i = 0; i < 5; i++) producer.send(record(topic, 0, base, null, "first life")).get();
        }
        Uuid id = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        Map<String, Object> answers = new LinkedHashMap<>();
        answers.put("delete", outcomes(admin.deleteTopics(List.of(topic, PREFIX + "missing")).topicNameValues()));
        answers.put("described", described(topic));
        create("short-lived", 2);
        Uuid next = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        answers.put("new id", !id.equals(next));
        try (var producer = producer()) {
            answers.put("second life", sent(producer.send(record(topic, 0, base, null, "second life"))));
        }
        answers.put("read", readAll(topic, 0));
        answers.put("by old id", outcome(() -> String.valueOf(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get())));
        answers.put("by id", outcome(() -> String.valueOf(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(next))).all().get())));
        answers.put("names", names());
        return answers;
    }
}

// Makes topics in a running Kafka and reads them with Kafka's own consumer.
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Arguments: `BOOTSTRAP create` and for each topic `NAME,PARTITIONS,KEY=VALUE,…`; or `BOOTSTRAP read DIRECTORY`. */
public class KafkaClient {
    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            switch (args[1]) {
                case "create" -> create(admin, List.of(args).subList(2, args.length));
                case "read" -> read(admin, args[0], Path.of(args[2]));
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static void create(Admin admin, List<String> topics) throws Exception {
        List<NewTopic> all = new ArrayList<>();
        for (String topic : topics) {
            String[] parts = topic.split(",");
            Map<String, String> configs = new HashMap<>();
            for (int i = 2; i < parts.length; i++) configs.put(parts[i].split("=")[0], parts[i].split("=")[1]);
            all.add(new NewTopic(parts[0], Integer.parseInt(parts[1]), (short) 1).configs(configs));
        }
        admin.createTopics(all).all().get();
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, String isolation) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "auto.offset.reset", "earliest", "isolation.level", isolation);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Writes what Kafka's consumer reads of every topic, as TOPIC-PARTITION.ISOLATION.jsonl: a line of offsets, then a line per record. */
    private static void read(Admin admin, String bootstrap, Path directory) throws Exception {
        Files.createDirectories(directory);
        for (String isolation : List.of("read_uncommitted", "read_committed")) {
            try (var consumer = consumer(bootstrap, isolation)) {
                for (String topic : new TreeSet<>(admin.listTopics().names().get())) {
                    boolean hasTransactions = topic.contains("transactions");
                    if (isolation.equals("read_committed") && !hasTransactions) continue;
                    for (var info : consumer.partitionsFor(topic)) readPartition(consumer, new TopicPartition(topic, info.partition()), isolation, directory);
                }
            }
        }
    }

    private static void readPartition(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, String isolation, Path directory) throws Exception {
        consumer.assign(List.of(partition));
        long start = consumer.beginningOffsets(List.of(partition)).get(partition);
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        List<String> lines = new ArrayList<>();
        lines.add("{\"startOffset\":" + start + ",\"endOffset\":" + end + "}");
        consumer.seek(partition, start);
        while (consumer.position(partition) < end) {
            for (var record : consumer.poll(Duration.ofMillis(200))) lines.add(json(record));
        }
        Files.writeString(directory.resolve(partition + "." + isolation + ".jsonl"), String.join("\n", lines) + "\n");
    }

    private static String json(ConsumerRecord<byte[], byte[]> record) {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) headers.add("[" + base64(header.key().getBytes(StandardCharsets.UTF_8)) + "," + base64(header.value()) + "]");
        // As a string beyond 2^53, where JSON readers lose digits.
        boolean isSafe = Math.abs(record.timestamp()) < 1L << 53;
        String timestamp = isSafe ? String.valueOf(record.timestamp()) : "\"" + record.timestamp() + "\"";
        return "{\"offset\":" + record.offset()
            + ",\"timestamp\":" + timestamp
            + ",\"timestampType\":\"" + record.timestampType() + "\""
            + ",\"leaderEpoch\":" + record.leaderEpoch().orElse(-1)
            + ",\"key\":" + base64(record.key())
            + ",\"value\":" + base64(record.value())
            + ",\"headers\":[" + String.join(",", headers) + "]}";
    }

    private static String base64(byte[] value) {
        return value == null ? "null" : "\"" + Base64.getEncoder().encodeToString(value) + "\"";
    }
}

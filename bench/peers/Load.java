// Kafka's own clients for Java as loads, in one virtual machine that stays warm: commands come on standard input, a line each.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.ConsumerPerformance;
import org.apache.kafka.tools.EndToEndLatency;
import org.apache.kafka.tools.ProducerPerformance;

/**
 * Words are separated by tabs: `produce`, `consume` and `endtoend` with the arguments of Kafka's tools of that purpose, `latency BOOTSTRAP TOPIC RECORDS
 * ACKS BYTES WARMUP`, `create BOOTSTRAP TOPIC PARTITIONS KEY=VALUE…`, `delete BOOTSTRAP TOPIC`. What is printed is answered as lines `out TEXT`,
 * behind them `done`, or `failed TEXT`.
 */
public class Load {
    private static final PrintStream REAL = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);

    /** A tool's wish to end the program. */
    private static final class Exited extends RuntimeException {
        private final int status;

        Exited(int status, String message) {
            super("exit " + status + (message == null ? "" : ": " + message));
            this.status = status;
        }
    }

    public static void main(String[] args) throws Exception {
        Exit.setExitProcedure((status, message) -> {
            throw new Exited(status, message);
        });
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        REAL.println("ready");
        REAL.flush();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            String end = "done";
            try {
                String[] words = line.split("\t", -1);
                run(words[0], Arrays.copyOfRange(words, 1, words.length));
            } catch (Exited tool) {
                if (tool.status != 0) end = "failed " + tool.getMessage();
            } catch (Throwable error) {
                end = "failed " + error.toString().replaceAll("\\s+", " ");
            }
            for (String text : printed.toString(StandardCharsets.UTF_8).split("\n")) REAL.println("out " + text);
            REAL.println(end);
            REAL.flush();
        }
    }

    private static void run(String command, String[] words) throws Exception {
        switch (command) {
            case "produce" -> ProducerPerformance.main(words);
            case "consume" -> ConsumerPerformance.main(words);
            case "endtoend" -> EndToEndLatency.main(words);
            case "latency" -> latency(words[0], words[1], Integer.parseInt(words[2]), words[3], Integer.parseInt(words[4]), Integer.parseInt(words[5]));
            case "create" -> create(words);
            case "delete" -> {
                try (Admin admin = admin(words[0])) {
                    admin.deleteTopics(List.of(words[1])).all().get();
                }
            }
            default -> throw new IllegalArgumentException("no command " + command);
        }
    }

    private static Admin admin(String bootstrap) {
        return Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", "60000"));
    }

    private static void create(String[] words) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (int i = 3; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            configs.put(pair[0], pair[1]);
        }
        try (Admin admin = admin(words[0])) {
            NewTopic topic = new NewTopic(words[1], Optional.of(Integer.parseInt(words[2])), Optional.empty()).configs(configs);
            admin.createTopics(List.of(topic)).all().get();
            // Done when the leaders serve: a topic is announced before that.
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            for (int i = 0; i < Integer.parseInt(words[2]); i++) ends.put(new TopicPartition(words[1], i), OffsetSpec.latest());
            for (int left = 300; ; left--) {
                try {
                    admin.listOffsets(ends).all().get();
                    return;
                } catch (ExecutionException notYet) {
                    if (left == 0) throw notYet;
                    Thread.sleep(100);
                }
            }
        }
    }

    /** One record in flight: from send() to its acknowledgement, and to its arrival at a consumer. As Kafka's EndToEndLatency, in microseconds. */
    private static void latency(String bootstrap, String topic, int count, String acks, int size, int warmup) throws Exception {
        Map<String, Object> producing = Map.of("bootstrap.servers", bootstrap, "acks", acks, "linger.ms", "0");
        Map<String, Object> consuming = Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "fetch.min.bytes", "1");
        try (var producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer());
                var consumer = new KafkaConsumer<>(consuming, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            consumer.position(partition);
            byte[] value = new byte[size];
            long[] acknowledged = new long[count];
            long[] arrived = new long[count];
            for (int i = -warmup; i < count; i++) {
                long start = System.nanoTime();
                producer.send(new ProducerRecord<>(topic, 0, null, value)).get();
                long ack = System.nanoTime();
                ConsumerRecords<byte[], byte[]> got = ConsumerRecords.empty();
                for (int poll = 0; poll < 20 && got.isEmpty(); poll++) got = consumer.poll(Duration.ofSeconds(1));
                if (got.count() != 1) throw new IllegalStateException(got.count() + " records came instead of one");
                if (i < 0) continue;
                acknowledged[i] = ack - start;
                arrived[i] = System.nanoTime() - start;
            }
            System.out.println("ack " + percentiles(acknowledged));
            System.out.println("end " + percentiles(arrived));
        }
    }

    /** The median, 99th, 99.9th percentile and maximum, in microseconds. */
    private static String percentiles(long[] nanos) {
        Arrays.sort(nanos);
        StringBuilder text = new StringBuilder();
        for (double share : new double[] {0.5, 0.99, 0.999, 1}) text.append(nanos[(int) Math.min(nanos.length - 1, nanos.length * share)] / 1000.0).append(' ');
        return text.toString().trim();
    }
}

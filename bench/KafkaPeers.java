// The clients of the comparison with Kafka: Kafka's own performance test for producers, and a consumer that is assigned its partitions.
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.tools.ProducerPerformance;

/** Arguments: `produce` and those of ProducerPerformance, or `consume BOOTSTRAP TOPIC RECORDS`, which prints `RECORDS SECONDS`. */
public class KafkaPeers {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("produce")) {
            String[] rest = List.of(args).subList(1, args.length).toArray(new String[0]);
            ProducerPerformance.main(rest);
        } else {
            consume(args[1], args[2], Long.parseLong(args[3]));
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** ConsumerPerformance joins a group, which measures more than reading. */
    private static void consume(String bootstrap, String topic, long wanted) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "auto.offset.reset", "earliest");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream().map(info -> new TopicPartition(topic, info.partition())).collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long start = System.nanoTime();
            long count = 0;
            while (count < wanted) {
                int polled = consumer.poll(Duration.ofSeconds(10)).count();
                if (polled == 0) throw new IllegalStateException("Nothing for 10 s after " + count + " of " + wanted + " records");
                count += polled;
            }
            System.out.println(count + " " + (System.nanoTime() - start) / 1e9);
        }
    }
}

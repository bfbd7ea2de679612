// Consumers and producers of Kafka's own client for Java, which write their history. The argument is a plan.
import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ThreadLocalRandom;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.*;

/** The plan is JSON, as `plan.ts` draws it. */
public class JavaMember {
    static final ObjectMapper JSON = new ObjectMapper();
    static JsonNode plan;
    static String topic;
    static volatile boolean isEnding = false;

    public static void main(String[] args) throws Exception {
        plan = JSON.readTree(args[0]);
        topic = plan.get("topic").asText();
        List<Thread> threads = new ArrayList<>();
        List<Member> members = new ArrayList<>();
        for (JsonNode member : plan.get("members")) {
            members.add(new Member(member));
            threads.add(new Thread(members.get(members.size() - 1)));
        }
        for (JsonNode name : plan.get("producers")) threads.add(new Thread(() -> produce(name.asText())));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            isEnding = true;
            for (Member member : members) member.consumer.wakeup();
            try {
                for (Thread thread : threads) thread.join(10_000);
            } catch (InterruptedException enough) {
                // The machine goes down.
            }
        }));
        for (Thread thread : threads) thread.start();
        for (Thread thread : threads) thread.join();
    }

    /** Appends what one process does to its file; see `HistoryWriter`. */
    static class History {
        final String process;
        final FileOutputStream file;

        History(String process) {
            this.process = process;
            try {
                file = new FileOutputStream(plan.get("directory").asText() + "/" + process + ".jsonl", true);
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        synchronized void write(String op, Object... pairs) {
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("at", System.currentTimeMillis());
            event.put("process", process);
            event.put("op", op);
            for (int i = 0; i < pairs.length; i += 2) event.put((String) pairs[i], pairs[i + 1]);
            try {
                file.write((JSON.writeValueAsString(event) + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static class Member implements Runnable, ConsumerRebalanceListener {
        final History history;
        final Consumer<String, String> consumer;
        /** What was given and not yet committed. */
        final Map<Integer, Long> uncommitted = new TreeMap<>();
        int commits = 0;
        long lastCommit = 0;

        Member(JsonNode member) {
            history = new History(member.get("name").asText());
            Map<String, Object> config = new HashMap<>();
            boolean isClassic = plan.get("protocol").asText().equals("classic");
            config.put("bootstrap.servers", plan.get("bootstrap").asText());
            config.put("client.id", history.process);
            config.put("group.id", plan.get("group").asText());
            config.put("group.protocol", plan.get("protocol").asText());
            config.put("enable.auto.commit", "false");
            config.put("auto.offset.reset", "earliest");
            config.put("max.poll.records", "50");
            config.put("reconnect.backoff.max.ms", "500");
            config.put("fetch.max.wait.ms", "200");
            config.put("default.api.timeout.ms", "20000");
            if (isClassic) {
                config.put("session.timeout.ms", plan.get("sessionTimeoutMs").asText());
                config.put("heartbeat.interval.ms", "500");
                config.put("partition.assignment.strategy", RoundRobinAssignor.class.getName());
            }
            if (member.has("instance")) config.put("group.instance.id", member.get("instance").asText());
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            List<Object> start = new ArrayList<>(List.of("group", plan.get("group").asText()));
            if (member.has("instance")) start.addAll(List.of("instance", member.get("instance").asText()));
            history.write("start", start.toArray());
        }

        @Override
        public void run() {
            try {
                consumer.subscribe(List.of(topic), this);
                while (!isEnding) poll();
            } catch (WakeupException ending) {
                // Asked to end.
            } catch (Throwable error) {
                error.printStackTrace();
            } finally {
                try {
                    consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
                } finally {
                    history.write("close");
                }
            }
        }

        void poll() {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
            for (TopicPartition partition : records.partitions()) {
                List<Object> seen = new ArrayList<>();
                for (var record : records.records(partition)) {
                    seen.add(List.of(record.offset(), record.value()));
                    uncommitted.put(partition.partition(), record.offset() + 1);
                }
                history.write("poll", "partition", partition.partition(), "records", seen);
            }
            if (!uncommitted.isEmpty() && System.currentTimeMillis() - lastCommit > 250) commit(uncommitted.keySet());
        }

        /** Whether it was kept or not: what is not kept is given again. */
        void commit(Collection<Integer> partitions) {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            List<Object> pairs = new ArrayList<>();
            for (int partition : List.copyOf(partitions)) {
                Long offset = uncommitted.remove(partition);
                if (offset == null) continue;
                offsets.put(new TopicPartition(topic, partition), new OffsetAndMetadata(offset));
                pairs.add(List.of(partition, offset));
            }
            if (offsets.isEmpty()) return;
            int id = commits++;
            history.write("commit", "id", id, "offsets", pairs);
            try {
                consumer.commitSync(offsets);
                history.write("committed", "id", id);
            } catch (WakeupException | InterruptException ending) {
                history.write("uncommitted", "id", id);
                throw ending;
            } catch (Exception error) {
                history.write("uncommitted", "id", id);
            }
            lastCommit = System.currentTimeMillis();
        }

        static List<Integer> numbers(Collection<TopicPartition> partitions) {
            return partitions.stream().map(TopicPartition::partition).sorted().toList();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            // Only classic members know their generation here for sure.
            if (plan.get("protocol").asText().equals("classic"))
                history.write("assign", "partitions", numbers(partitions), "generation", consumer.groupMetadata().generationId());
            else history.write("assign", "partitions", numbers(partitions));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            try {
                commit(numbers(partitions));
            } finally {
                history.write("revoke", "partitions", numbers(partitions));
            }
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            for (int partition : numbers(partitions)) uncommitted.remove(partition);
            history.write("revoke", "partitions", numbers(partitions));
        }
    }

    /** Many records are on their way at once; the client sends them again until they are acknowledged, and each is written once. */
    static void produce(String name) {
        History history = new History(name);
        Map<String, Object> config = Map.of("bootstrap.servers", plan.get("bootstrap").asText(), "client.id", name, "acks", "all", "linger.ms", "5", "reconnect.backoff.max.ms", "500");
        try (Producer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; !isEnding; number++) {
                int partition = ThreadLocalRandom.current().nextInt(plan.get("partitionCount").asInt());
                List<String> values = List.of(name + "-" + number);
                history.write("send", "partition", partition, "values", values);
                producer.send(new ProducerRecord<>(topic, partition, null, values.get(0)), (metadata, error) -> {
                    if (error == null) history.write("sent", "partition", metadata.partition(), "offset", metadata.offset(), "values", values);
                    else history.write("unsent", "values", values);
                });
                Thread.sleep(5);
            }
        } catch (InterruptedException ending) {
            // The machine goes down.
        }
    }
}

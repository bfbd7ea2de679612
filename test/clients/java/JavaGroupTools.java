// Runs Kafka's command-line tools for groups in one JVM against a broker, and prints what each printed, a line of JSON each.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.*;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Exit;

/** Arguments: BOOTSTRAP and the time, in milliseconds, that record times are counted from: a minute ago. */
public class JavaGroupTools {
    static final PrintStream REAL = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    static final ObjectMapper JSON = new ObjectMapper();
    static final List<Object> RUNS = new ArrayList<>();
    static final String GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    static final String TOPIC = "group-tools";
    static String bootstrap;
    static long base;

    static class Ended extends RuntimeException {
        Ended(int status) {
            super("exit " + status, null, false, false);
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        base = Long.parseLong(args[1]);
        Exit.setExitProcedure((status, message) -> {
            throw new Ended(status);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw new Ended(status);
        });
        topics();
        consumers();
        listings();
        resets();
        deletes();
        configs();
        REAL.flush();
        Runtime.getRuntime().halt(0);
    }

    static void topics() throws Exception {
        for (String name : List.of(TOPIC, TOPIC + "-other")) run("org.apache.kafka.tools.TopicCommand", "--create", "--topic", name, "--partitions", name.equals(TOPIC) ? "3" : "1");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (int at = 0; at < 20; at++) {
                for (int partition = 0; partition < 3; partition++) producer.send(new ProducerRecord<>(TOPIC, partition, base + at * 1000, "k" + at, "v" + at)).get();
                producer.send(new ProducerRecord<>(TOPIC + "-other", 0, base + at * 1000, "k" + at, "w" + at)).get();
            }
        }
        end("topics");
    }

    static void consumers() throws Exception {
        String console = "org.apache.kafka.tools.consumer.ConsoleConsumer";
        for (String protocol : List.of("classic", "consumer")) {
            String group = "tools-console-" + protocol;
            for (int i = 0; i < 2; i++)
                run(console, "--topic", TOPIC, "--group", group, "--from-beginning", "--max-messages", i == 0 ? "60" : "5", "--timeout-ms", i == 0 ? "60000" : "700", "--command-property", "group.protocol=" + protocol,
                    "--formatter-property", "print.partition=true", "--formatter-property", "print.offset=true");
            run(console, "--include", TOPIC + "-o.*", "--group", group + "-pattern", "--from-beginning", "--max-messages", "20", "--timeout-ms", "60000", "--command-property", "group.protocol=" + protocol);
            run("org.apache.kafka.tools.ConsumerPerformance", "--topic", TOPIC, "--num-records", "60", "--group", group + "-performance", "--timeout", "60000", "--command-property", "group.protocol=" + protocol, "--command-property", "auto.offset.reset=earliest");
        }
        end("consumers");
    }

    static KafkaConsumer<String, String> member(String protocol, String group, String topic) {
        KafkaConsumer<String, String> member = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "group.protocol", protocol, "group.id", group, "auto.offset.reset", "earliest", "client.id", "tools", "group.instance.id", "one", "enable.auto.commit", "false"), new StringDeserializer(), new StringDeserializer());
        member.subscribe(List.of(topic));
        long deadline = System.currentTimeMillis() + 60_000;
        int read = 0;
        while (read < 60 && System.currentTimeMillis() < deadline) read += member.poll(Duration.ofMillis(100)).count();
        member.commitSync();
        return member;
    }

    static void listings() throws Exception {
        for (String protocol : List.of("classic", "consumer")) {
            String group = "tools-members-" + protocol;
            try (KafkaConsumer<String, String> member = member(protocol, group, TOPIC)) {
                for (String[] options : new String[][] {{}, {"--offsets"}, {"--offsets", "--verbose"}, {"--members"}, {"--members", "--verbose"}, {"--state"}, {"--state", "--verbose"}, {"--validate-regex", "x"}}) {
                    List<String> all = new ArrayList<>(List.of("--describe", "--group", group));
                    all.addAll(List.of(options));
                    run(GROUPS, all.toArray(new String[0]));
                }
                run(GROUPS, "--delete", "--group", group);
                run(GROUPS, "--delete-offsets", "--group", group, "--topic", TOPIC);
                run(GROUPS, "--reset-offsets", "--group", group, "--topic", TOPIC, "--to-earliest", "--execute");
                if (protocol.equals("consumer")) lists();
            }
            run(GROUPS, "--describe", "--group", group);
            end("members-" + protocol);
        }
        run(GROUPS, "--describe", "--group", "tools-nobody");
        run(GROUPS, "--describe", "--group", "tools-nobody", "--members");
        run(GROUPS, "--describe", "--group", "tools-nobody", "--state");
        run(GROUPS, "--describe", "--group", "tools-console-classic", "--offsets");
        run(GROUPS, "--describe", "--group", "tools-console-classic", "--members");
        run(GROUPS, "--describe", "--group", "tools-console-classic", "--state");
        run(GROUPS, "--describe", "--group", "tools-console-consumer", "--group", "tools-console-classic", "--offsets");
        end("describe");
    }

    static void lists() {
        for (String[] options : new String[][] {{"--list"}, {"--list", "--state"}, {"--list", "--type"}, {"--list", "--state", "--type"}, {"--list", "--state", "stable"}, {"--list", "--type", "consumer"}, {"--list", "--state", "Empty,Stable"}})
            run(GROUPS, options);
        run("org.apache.kafka.tools.GroupsCommand", "--list");
        run("org.apache.kafka.tools.GroupsCommand", "--list", "--consumer");
        run("org.apache.kafka.tools.GroupsCommand", "--list", "--group-type", "classic");
        run("org.apache.kafka.tools.GroupsCommand", "--list", "--protocol", "consumer");
        run("org.apache.kafka.tools.GroupsCommand", "--list", "--share");
    }

    static void reset(String... options) {
        List<String> all = new ArrayList<>(List.of("--reset-offsets", "--group", "tools-reset"));
        all.addAll(List.of(options));
        run(GROUPS, all.toArray(new String[0]));
    }

    static void resets() throws Exception {
        run("org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", TOPIC, "--group", "tools-reset", "--from-beginning", "--max-messages", "60", "--timeout-ms", "60000");
        DateTimeFormatter format = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
        String[][] ways = {{"--to-earliest"}, {"--to-latest"}, {"--to-offset", "7"}, {"--to-offset", "100"}, {"--to-offset", "-1"}, {"--shift-by", "-3"}, {"--shift-by", "2"}, {"--shift-by", "-100"}, {"--shift-by", "100"}, {"--to-current"},
            {"--to-datetime", format.format(Instant.ofEpochMilli(base + 4500)) + "Z"}, {"--to-datetime", format.format(Instant.ofEpochMilli(base + 8000)) + "+00:00"}, {"--to-datetime", "2000-01-01T00:00:00.000"}, {"--to-datetime", "2999-01-01T00:00:00.000"}, {"--to-datetime", "yesterday"}, {"--by-duration", "PT1H"}, {"--by-duration", "PT1S"}, {"--by-duration", "soon"}};
        for (String[] way : ways) {
            if (way.length == 1 || way[1].matches("-3|PT1H|soon|7")) reset(join(way, "--topic", TOPIC, "--dry-run"));
            reset(join(way, "--topic", TOPIC, "--execute"));
        }
        reset("--to-earliest", "--topic", TOPIC + ":0,2", "--execute");
        reset("--to-offset", "3", "--topic", TOPIC + ":1", "--topic", TOPIC + "-other", "--execute");
        reset("--to-current", "--all-topics", "--export");
        reset("--to-latest", "--all-topics", "--export", "--execute");
        reset("--to-earliest", "--all-topics");
        reset("--to-earliest", "--topic", "no-such-topic", "--execute");
        reset("--to-earliest", "--topic", TOPIC + ":9", "--execute");
        reset("--to-earliest", "--execute");
        end("reset");
        Path plan = Files.createTempFile("millrace-clients-groups", ".csv");
        for (String text : List.of(TOPIC + ",0,4\n" + TOPIC + ",2,5\n", "tools-reset," + TOPIC + ",0,6\n", TOPIC + ",0,1000\n", "nonsense\n")) {
            Files.writeString(plan, text);
            reset("--from-file", plan.toString(), "--dry-run");
            reset("--from-file", plan.toString(), "--execute");
        }
        run(GROUPS, "--reset-offsets", "--all-groups", "--topic", TOPIC + "-other", "--to-offset", "2", "--dry-run");
        run(GROUPS, "--reset-offsets", "--group", "tools-reset-new", "--topic", TOPIC, "--to-offset", "2", "--execute");
        run(GROUPS, "--reset-offsets", "--group", "tools-reset-new", "--all-topics", "--shift-by", "1", "--execute");
        Files.writeString(plan, "tools-reset," + TOPIC + ",0,6\ntools-reset-new," + TOPIC + ",1,7\n");
        run(GROUPS, "--reset-offsets", "--group", "tools-reset", "--group", "tools-reset-new", "--from-file", plan.toString(), "--execute");
        run(GROUPS, "--describe", "--group", "tools-reset");
        run("org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", TOPIC, "--group", "tools-reset", "--max-messages", "3", "--timeout-ms", "60000", "--formatter-property", "print.offset=true", "--formatter-property", "print.partition=true", "--formatter-property", "print.value=false");
        Files.delete(plan);
        end("reset-files");
    }

    static String[] join(String[] some, String... more) {
        List<String> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    static void deletes() throws Exception {
        run(GROUPS, "--delete-offsets", "--group", "tools-reset", "--topic", TOPIC + ":0");
        run(GROUPS, "--delete-offsets", "--group", "tools-reset", "--topic", TOPIC);
        run(GROUPS, "--delete-offsets", "--group", "tools-reset", "--topic", "no-such-topic");
        run(GROUPS, "--delete-offsets", "--group", "tools-nobody", "--topic", TOPIC);
        run(GROUPS, "--delete", "--group", "tools-nobody");
        run(GROUPS, "--delete", "--group", "tools-reset", "--group", "tools-reset-new", "--group", "tools-nobody");
        run(GROUPS, "--describe", "--group", "tools-reset");
        end("delete");
    }

    static void configs() throws Exception {
        String command = "kafka.admin.ConfigCommand";
        run(command, "--entity-type", "groups", "--entity-name", "tools-configured", "--describe");
        run(command, "--entity-type", "groups", "--entity-name", "tools-configured", "--alter", "--add-config", "consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000");
        run(command, "--entity-type", "groups", "--entity-name", "tools-configured", "--alter", "--add-config", "consumer.session.timeout.ms=5");
        run(command, "--group", "tools-configured", "--alter", "--add-config", "no.such.setting=5");
        caughtUp();
        run(command, "--group", "tools-configured", "--describe");
        run(command, "--group", "tools-configured", "--alter", "--delete-config", "consumer.session.timeout.ms");
        caughtUp();
        run(command, "--entity-type", "groups", "--entity-name", "tools-configured", "--describe");
        end("configs");
    }

    /** Waits until the broker has heard of all that was decided: what is decided later comes later in the metadata log. */
    static void caughtUp() throws Exception {
        String marker = "marker-" + UUID.randomUUID();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(marker, 1, (short) 1))).all().get();
            for (int i = 0; i < 3000 && !admin.listTopics().names().get().contains(marker); i++) Thread.sleep(10);
        }
    }

    static void end(String scenario) throws Exception {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("scenario", scenario);
        line.put("answer", List.copyOf(RUNS));
        RUNS.clear();
        REAL.println(JSON.writeValueAsString(line));
    }

    static void run(String main, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(new byte[0]));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.add("--bootstrap-server");
        all.add(bootstrap);
        String ended = "normally";
        try {
            Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) all.toArray(new String[0]));
        } catch (java.lang.reflect.InvocationTargetException thrown) {
            ended = thrown.getCause() instanceof Ended ? thrown.getCause().getMessage() : String.valueOf(thrown.getCause());
        } catch (Exception error) {
            ended = String.valueOf(error);
        }
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("command", settled(main.replaceAll(".*\\.", "") + " " + String.join(" ", args)));
        run.put("ended", settled(ended));
        run.put("out", lines(out));
        run.put("err", lines(err));
        RUNS.add(run);
    }

    /** Without clocks, ids of members and of other clients' groups, names of files, and what a performance test measured. */
    static String settled(String line) {
        return line.replaceAll("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+(Z|\\+00:00)", "TIME").replaceAll("/\\S*millrace-clients-groups\\d*\\.csv", "FILE")
            .replaceAll("(127\\.0\\.0\\.1)[ :]\\d+", "$1 PORT").replaceAll("[\\w-]*[\\da-f]{8}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{12}", "ID").replaceAll("(?<![\\w-])(?!tools-|group-|\\w*Exception)[\\w-]{22}(?![\\w-])", "ID")
            .replaceAll("^(20\\d\\d-\\d\\d-\\d\\d .*?)(, \\d+){3}$", "MEASURED").replaceAll("^20\\d\\d-\\d\\d-\\d\\d .*", "MEASURED").replaceAll(" +", " ").trim();
    }

    /** Lists without order: tools print what is in hash maps. */
    static List<String> lines(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("[20") && !line.startsWith("\tat ") && !line.isBlank())
            .map(JavaGroupTools::settled).filter(line -> !isOthers(line)).sorted().collect(Collectors.toList());
    }

    /** Groups of other clients, which run at the same time. */
    static boolean isOthers(String line) {
        String first = line.split("[ ,]")[0];
        if (line.matches("Dynamic configs for group (?!tools-).*|(?!tools-)\\S+ group-tools-other 0 2")) return true;
        return !first.startsWith("tools-") && !first.equals("MEASURED") && line.matches("\\S+( (classic|consumer|Classic|Consumer|Share|Streams|share|streams|Stable|Empty|Dead|PreparingRebalance|CompletingRebalance|Assigning|Reconciling|-))*( consumer| -)?") && !first.equals("GROUP");
    }
}

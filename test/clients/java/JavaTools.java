// Runs Kafka's command-line tools in one JVM against a broker, and prints what each printed, a line of JSON each.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.common.utils.Exit;

/** Arguments: BOOTSTRAP and the base time, which is not used. */
public class JavaTools {
    static final PrintStream REAL = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    static final ObjectMapper JSON = new ObjectMapper();
    static final List<Object> RUNS = new ArrayList<>();
    static String bootstrap;

    static class Ended extends RuntimeException {
        Ended(int status) {
            super("exit " + status, null, false, false);
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Exit.setExitProcedure((status, message) -> {
            throw new Ended(status);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw new Ended(status);
        });
        String tools = "org.apache.kafka.tools.";
        Path deletions = temporary("{\"version\":1,\"partitions\":[{\"topic\":\"tools-plain\",\"partition\":0,\"offset\":2}]}");
        Path move = temporary("{\"version\":1,\"topics\":[{\"topic\":\"tools-plain\"}]}");

        run(tools + "TopicCommand", "--create", "--topic", "tools-plain", "--partitions", "2", "--config", "retention.ms=3600000");
        run(tools + "TopicCommand", "--create", "--topic", "tools-plain");
        run(tools + "TopicCommand", "--create", "--topic", "tools-plain", "--if-not-exists");
        run(tools + "TopicCommand", "--create", "--topic", "tools-bad", "--config", "no.such.config=1");
        run(tools + "TopicCommand", "--alter", "--topic", "tools-plain", "--partitions", "3");
        run(tools + "TopicCommand", "--describe", "--topic", "tools-plain");
        run(tools + "TopicCommand", "--describe", "--under-replicated-partitions", "--topic", "tools-plain");
        run(tools + "TopicCommand", "--list", "--topic", "tools-.*");
        end("topics");

        feed("k1:v1\nk2:v2\nk3:v3\nk4:v4\n", tools + "ConsoleProducer", "--topic", "tools-plain", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:");
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
            feed(codec + " 1\n" + codec + " 2\n", tools + "ConsoleProducer", "--topic", "tools-codecs", "--compression-codec", codec);
        end("console-producer");

        for (String partition : List.of("0", "1", "2"))
            run(tools + "consumer.ConsoleConsumer", "--topic", "tools-plain", "--partition", partition, "--offset", "earliest", "--max-messages", partition.equals("1") ? "2" : "1", "--timeout-ms", "30000", "--formatter-property", "print.key=true",
                "--formatter-property", "print.offset=true", "--formatter-property", "print.partition=true", "--formatter-property", "print.headers=true");
        run(tools + "consumer.ConsoleConsumer", "--topic", "tools-codecs", "--partition", "0", "--offset", "2", "--max-messages", "5", "--timeout-ms", "30000");
        end("console-consumer");

        run(tools + "GetOffsetShell", "--topic", "tools-plain");
        for (String time : List.of("earliest", "latest", "max-timestamp", "earliest-local", "latest-tiered", "0"))
            run(tools + "GetOffsetShell", "--topic-partitions", "tools-codecs:0", "--time", time);
        end("offsets");

        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-plain", "--describe");
        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-plain", "--alter", "--add-config", "segment.ms=90000,cleanup.policy=[compact,delete]");
        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-plain", "--describe");
        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-plain", "--alter", "--delete-config", "segment.ms");
        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-plain", "--alter", "--add-config", "segment.ms=soon");
        run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "tools-missing", "--describe");
        run("kafka.admin.ConfigCommand", "--entity-type", "brokers", "--entity-name", "1", "--describe");
        run("kafka.admin.ConfigCommand", "--entity-type", "brokers", "--entity-default", "--describe");
        end("configs");

        run(tools + "DeleteRecordsCommand", "--offset-json-file", deletions.toString());
        run(tools + "GetOffsetShell", "--topic-partitions", "tools-plain:0", "--time", "earliest");
        end("delete-records");

        run(tools + "LogDirsCommand", "--describe", "--topic-list", "tools-codecs");
        end("log-dirs");
        run(tools + "LeaderElectionCommand", "--election-type", "preferred", "--topic", "tools-plain", "--partition", "0");
        end("elect-leaders");
        run(tools + "reassign.ReassignPartitionsCommand", "--generate", "--topics-to-move-json-file", move.toString(), "--broker-list", "1");
        run(tools + "reassign.ReassignPartitionsCommand", "--list");
        end("reassignments");
        run(tools + "MetadataQuorumCommand", "describe", "--replication");
        end("quorum");
        run(tools + "FeatureCommand", "describe");
        end("features");
        run(tools + "ClusterTool", "cluster-id");
        run(tools + "ClusterTool", "list-endpoints");
        end("cluster");
        run(tools + "BrokerApiVersionsCommand");
        end("api-versions");
        run(tools + "ProducerPerformance", "--topic", "tools-performance", "--num-records", "20000", "--record-size", "100", "--throughput", "-1");
        run(tools + "GetOffsetShell", "--topic", "tools-performance");
        end("producer-performance");
        run(tools + "TopicCommand", "--delete", "--topic", "tools-plain");
        run(tools + "TopicCommand", "--delete", "--topic", "tools-missing");
        end("delete-topics");
        Files.delete(deletions);
        Files.delete(move);
        REAL.flush();
        Runtime.getRuntime().halt(0);
    }

    static Path temporary(String text) throws Exception {
        Path path = Files.createTempFile("millrace-clients-tools", ".json");
        Files.writeString(path, text);
        return path;
    }

    static void end(String scenario) throws Exception {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("scenario", scenario);
        line.put("answer", List.copyOf(RUNS));
        RUNS.clear();
        REAL.println(JSON.writeValueAsString(line));
    }

    static void run(String main, String... args) {
        feed("", main, args);
    }

    static void feed(String input, String main, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.add("--bootstrap-server");
        all.add(bootstrap);
        // Nobody closes it here: what it had not sent yet would come whenever its linger of a second is over.
        if (main.endsWith("ConsoleProducer")) all.addAll(List.of("--sync", "--timeout", "0", "--request-timeout-ms", "30000"));
        String ended = "normally";
        try {
            Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) all.toArray(new String[0]));
        } catch (java.lang.reflect.InvocationTargetException thrown) {
            ended = thrown.getCause() instanceof Ended ? thrown.getCause().getMessage() : String.valueOf(thrown.getCause());
        } catch (Exception error) {
            ended = String.valueOf(error);
        }
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("command", main.replaceAll(".*\\.", "") + " " + String.join(" ", args));
        run.put("ended", ended);
        run.put("out", lines(out));
        run.put("err", lines(err));
        RUNS.add(run);
    }

    /** Without ids, sizes of what was compressed, positions in the metadata log, what a performance test measured, and synonyms in hours, which Kafka leaves out. */
    static String settled(String line) {
        return line.replaceAll("Epoch: \\d+", "Epoch: N").replaceAll("\"size\":\\d+", "SIZE").replaceAll(", DEFAULT_CONFIG:log\\.(retention|roll)\\.hours=\\d+", "").replaceAll("records sent.*", "records sent").replaceAll("(127\\.0\\.0\\.1)[ :]\\d+", "$1 PORT").replaceAll("(?<![\\w-])[\\w-]{22}(?![\\w(-])", "ID").replaceAll("\\t\\d+ +\\t0 +\\t\\d+ +\\t\\d+ +\\t", "\tENDS AND TIMES\t");
    }

    static List<String> lines(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("[20") && !line.startsWith("\tat ")).map(JavaTools::settled).collect(Collectors.toList());
    }
}

// Runs many invocations of Kafka's DumpLogSegments in one JVM and says which line came from which, on which stream.
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.DumpLogSegments;

/**
 * Argument: a file with one invocation a line, its arguments separated by tabs. Output, in the order of printing:
 * `job N`, then `out TEXT` and `err TEXT`, and `threw TEXT` when the tool ended with an exception or an exit status.
 */
public class KafkaTools {
    private static final PrintStream REAL = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);

    /** A stream that puts a word in front of each line and sends it to the real standard output. */
    private static final class Tagged extends ByteArrayOutputStream {
        private final String tag;

        Tagged(String tag) {
            this.tag = tag;
        }

        @Override
        public synchronized void write(int value) {
            if (value != '\n') {
                super.write(value);
                return;
            }
            REAL.println(tag + " " + toString(StandardCharsets.UTF_8));
            reset();
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            for (int i = offset; i < offset + length; i++) write(bytes[i]);
        }

        void end() {
            if (size() > 0) write('\n');
        }
    }

    public static void main(String[] args) throws Exception {
        Tagged out = new Tagged("out");
        Tagged err = new Tagged("err");
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure((status, message) -> {
            throw new IllegalStateException("exit " + status + ": " + message);
        });
        int number = 0;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            REAL.println("job " + number++);
            String threw = null;
            try {
                DumpLogSegments.main(line.split("\t"));
            } catch (Throwable error) {
                threw = error.toString();
            }
            out.end();
            err.end();
            if (threw != null) REAL.println("threw " + threw.replace('\n', ' '));
        }
        REAL.flush();
        Runtime.getRuntime().halt(0);
    }
}

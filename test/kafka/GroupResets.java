// Runs many invocations of Kafka's ConsumerGroupCommand in one JVM and says what each printed.
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/** Argument: a file with one invocation a line, its arguments separated by tabs. Output: `job N`, then the lines of both streams. */
public class GroupResets {
    public static void main(String[] args) throws Exception {
        PrintStream real = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        Exit.setExitProcedure((status, message) -> {
            throw new IllegalStateException("exit " + status + ": " + message);
        });
        int number = 0;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(stream);
            System.setErr(stream);
            try {
                ConsumerGroupCommand.main(line.split("\t"));
            } catch (Throwable error) {
                stream.println("threw " + error.getMessage());
            }
            stream.flush();
            real.println("job " + number++);
            real.print(printed.toString(StandardCharsets.UTF_8));
        }
        real.flush();
        Runtime.getRuntime().halt(0);
    }
}

package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Inspector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A device in {@code /dev/shm} and real head processes on it, for one test; everything goes when the test is over. A test that fails leaves the
 * state file and the output of the heads in {@code target/test-output}.
 */
final class HeadProcesses implements AutoCloseable {
    /** In place of the number of a head: the fabric manager. */
    private static final int FM = -1;

    private static final long TIMEOUT_S = 20;
    private static final long NEEDED_BYTES = 1L << 30;
    private static final AtomicInteger NEXT = new AtomicInteger();

    final String name;
    final DeviceFiles files;

    /** Of the processes that are started from now on. */
    String umask = "022";

    /** What the processes that are started from now on have in their environment besides. */
    final Map<String, String> environment = new HashMap<>();

    /** Where the processes that are started from now on run. */
    Path workingFolder = Path.of("").toAbsolutePath();

    /** What each head's JVM is told besides. */
    List<String> jvmFlags = List.of("-XX:TieredStopAtLevel=1");

    private final List<Head> heads = new ArrayList<>();
    private final Path outputFolder;

    HeadProcesses() {
        this(folderWithRoom() + "mhsld-test-" + ProcessHandle.current().pid() + "-" + NEXT.incrementAndGet());
    }

    /** The device of this name, which is a path to choose where it is. */
    HeadProcesses(String name) {
        this.name = name;
        this.files = DeviceFiles.named(name);
        try {
            outputFolder = Files.createTempDirectory("mhsld-test-output-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Shared memory, which a plain name leads to; the disk where a container's shared memory is small. */
    private static String folderWithRoom() {
        boolean hasRoom = DeviceFiles.SHARED_MEMORY_FOLDER.toFile().getUsableSpace() >= NEEDED_BYTES;
        return hasRoom ? "" : System.getProperty("java.io.tmpdir") + "/";
    }

    /** One head process. */
    record Head(int id, Process process, Path out, Path err) {
        String output() {
            return read(out);
        }

        String log() {
            return read(err);
        }

        /** A word of the line that it was ready with: of {@code mctp=tcp:127.0.0.1:2508} what stands behind the sign. */
        String said(String word) {
            HeadProcesses.await("a whole line", () -> output().contains("\n"));
            for (String pair : output().lines().findFirst().orElse("").split(" ")) {
                if (pair.startsWith(word + "=")) {
                    return pair.substring(word.length() + 1);
                }
            }
            throw new AssertionError("not said: word=" + word + " line=" + output());
        }

        Head awaitReady() {
            HeadProcesses.await("head " + id + " to be ready, it said: " + log(), () -> {
                if (!process.isAlive() && !output().startsWith("ready ")) {
                    throw new AssertionError("head " + id + " ended: " + output() + log());
                }
                return output().startsWith("ready ");
            });
            return this;
        }

        int awaitExit() {
            try {
                if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
                    throw new AssertionError("head " + id + " does not end: " + log());
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return process.exitValue();
        }

        /** SIGKILL. */
        void kill() {
            process.destroyForcibly();
            awaitExit();
        }

        /** SIGTERM. */
        int terminate() {
            process.destroy();
            return awaitExit();
        }

        void signal(String signal) {
            try {
                // The shell's own kill: the program is not on every machine.
                int status = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid())
                        .start()
                        .waitFor();
                if (status != 0) {
                    throw new AssertionError("kill -" + signal + " failed: status=" + status);
                }
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private static String read(Path file) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What a verb came to. */
    record Outcome(int exitCode, String out, String err) {}

    /** Starts {@code mhsld head} for this device, and does not wait for it. */
    Head start(int head, String... options) {
        List<String> arguments = new ArrayList<>(List.of("--mhd-head=" + head, "--mhd-state_file=" + name));
        arguments.addAll(List.of(options));
        return startRaw(head, arguments);
    }

    /** Starts {@code mhsld head} with exactly these options. */
    Head startRaw(int head, List<String> options) {
        List<String> arguments = new ArrayList<>(List.of("head"));
        arguments.addAll(options);
        return startVerb(head, arguments);
    }

    /** Starts {@code mhsld fm} for this device, with a port that the system chooses, and waits until it is ready. */
    Head startFm(String... options) {
        List<String> arguments = new ArrayList<>(List.of("fm", name, "--mctp=tcp:127.0.0.1:0"));
        arguments.addAll(List.of(options));
        return startVerb(FM, arguments).awaitReady();
    }

    private Head startVerb(int head, List<String> arguments) {
        int number = heads.size();
        Path out = outputFolder.resolve(number + "-head" + head + ".out");
        Path err = outputFolder.resolve(number + "-head" + head + ".err");
        try {
            Process process = processOf(arguments)
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            Head started = new Head(head, process, out, err);
            heads.add(started);
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a verb in a JVM of its own. */
    Outcome runProcess(String... arguments) {
        Path out = outputFolder.resolve("verb.out");
        Path err = outputFolder.resolve("verb.err");
        try {
            Process process = processOf(List.of(arguments))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("does not end: " + String.join(" ", arguments));
            }
            return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private ProcessBuilder processOf(List<String> arguments) {
        // The shell sets the umask and becomes the JVM.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask " + umask + "; exec \"$@\"", "sh"));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-XX:ErrorFile=" + outputFolder.resolve("hs_err_%p.log")));
        command.addAll(jvmFlags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(workingFolder.toFile());
        builder.environment().putAll(environment);
        return builder;
    }

    /** Head 0 makes a device of 64 MiB in 32 blocks; the others join. All are ready when this returns. */
    Head[] startDevice(int headCount, String... options) {
        Head[] started = new Head[headCount];
        List<String> init = new ArrayList<>(List.of("--mhd-init", "--size=64M"));
        init.addAll(List.of(options));
        started[0] = start(0, init.toArray(String[]::new));
        for (int head = 1; head < headCount; head++) {
            started[head] = start(head, options);
        }
        Arrays.stream(started).forEach(Head::awaitReady);
        return started;
    }

    /** Runs a verb in this JVM, with the device's name after the verb. */
    Outcome run(String verb, String... options) {
        List<String> arguments = new ArrayList<>(List.of(verb, name));
        arguments.addAll(List.of(options));
        return runRaw(arguments.toArray(String[]::new));
    }

    /** Runs a verb in this JVM. */
    static Outcome runRaw(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                80);
        int exitCode = Main.run(console, arguments);
        return new Outcome(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Looks at the device with the inspector. */
    Inspector.Report inspect() {
        return Device.inspect(files);
    }

    static void await(String what, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("waited in vain for " + what);
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** What JVMs that crashed have left behind. */
    List<Path> crashReports() {
        try (Stream<Path> outputs = Files.list(outputFolder)) {
            return outputs.filter(path -> path.getFileName().toString().startsWith("hs_err"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends all heads, whatever has become of the device. */
    void endAll() {
        for (Head head : heads) {
            if (head.process().isAlive()) {
                head.process().destroyForcibly();
                head.awaitExit();
            }
        }
    }

    void keepEvidence(Path folder) throws IOException {
        Files.createDirectories(folder);
        // A JVM answers SIGQUIT with the stacks of its threads, on its standard output.
        heads.stream().filter(head -> head.process().isAlive()).forEach(head -> head.signal("QUIT"));
        try {
            TimeUnit.MILLISECONDS.sleep(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // A test may have put a pipe there, and whoever opens one waits.
        if (Files.isRegularFile(files.stateFile())) {
            Files.copy(files.stateFile(), folder.resolve("state"), StandardCopyOption.REPLACE_EXISTING);
        }
        try (Stream<Path> outputs = Files.list(outputFolder)) {
            for (Path output : outputs.toList()) {
                Files.copy(output, folder.resolve(output.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    @Override
    public void close() {
        endAll();
        try {
            if (Files.exists(files.stateFile())) {
                Device.destroy(files, 2_000);
            }
            Files.deleteIfExists(files.lockFile());
            Files.deleteIfExists(files.mediaFile());
            Files.deleteIfExists(Path.of(files.mediaFile() + ".device"));
            try (Stream<Path> outputs = Files.list(outputFolder)) {
                for (Path output : outputs.toList()) {
                    Files.delete(output);
                }
            }
            Files.delete(outputFolder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Copies the evidence of a failed test that holds its processes in a field called {@code heads}. */
    static final class Evidence implements AfterTestExecutionCallback {
        @Override
        public void afterTestExecution(ExtensionContext context) throws Exception {
            if (context.getExecutionException().isPresent()
                    && context.getRequiredTestInstance() instanceof HoldsHeads holder) {
                holder.heads()
                        .keepEvidence(Path.of(
                                "target",
                                "test-output",
                                context.getRequiredTestClass().getSimpleName() + "-"
                                        + context.getRequiredTestMethod().getName()));
            }
        }
    }

    /** A test class whose failures leave evidence. */
    interface HoldsHeads {
        HeadProcesses heads();
    }
}

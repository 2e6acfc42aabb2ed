package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Inspector;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The main job as a person would do it: the verbs are those of the command line, the heads are processes of their own, one of them is really
 * killed. Each step is checked; the first that comes out differently ends the demo with an error.
 */
final class Demo {
    private static final long READY_TIMEOUT_S = 20;
    private static final long LEAVE_TIMEOUT_S = 10;
    private static final int HEADS = 3;
    private static final String SECRET = "head 0's secret";
    private static final String GREETING = "written through head 1";

    private final Console console;
    private final DeviceFiles files;
    private final String name;
    private final Path bytesFile;
    private final Process[] heads = new Process[HEADS];
    private int checks;

    private Demo(Console console) throws IOException {
        this.console = console;
        this.name = "mhsld-demo-" + ProcessHandle.current().pid();
        this.files = DeviceFiles.named(name);
        this.bytesFile = Files.createTempFile(name, ".bytes");
    }

    /** Runs the demo on a device of its own, and leaves nothing behind. */
    static ExitCode run(Console console) {
        long startNs = System.nanoTime();
        try {
            Demo demo = new Demo(console);
            Thread cleaner = new Thread(demo::cleanUp, "clean-up");
            Runtime.getRuntime().addShutdownHook(cleaner);
            try {
                demo.play();
            } finally {
                demo.cleanUp();
                Runtime.getRuntime().removeShutdownHook(cleaner);
            }
            long seconds = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            console.out()
                    .printf("%ndemo: all %d checks came out as expected in %.1f s%n", demo.checks, seconds / 1000.0);
            return ExitCode.DONE;
        } catch (IOException e) {
            throw new UncheckedIOException("demo needs a temporary file", e);
        }
    }

    private void play() throws IOException {
        act(
                "Three heads, three processes, one device of 64 MiB. Heads 1 and 2 start first and wait; head 0 makes the device.");
        start(1);
        start(2);
        start(0, "--mhd-init", "--size", "64M", "--block-size", "256K");
        for (int head = 0; head < HEADS; head++) {
            awaitReady(head);
        }
        expect(ExitCode.DONE, "status", name);

        act("Capacity to each head.");
        expect(ExitCode.DONE, "add", name, "--head", "0", "--offset", "0", "--length", "16M");
        expect(ExitCode.DONE, "add", name, "--head", "1", "--offset", "16M", "--length", "16M");
        expect(ExitCode.DONE, "add", name, "--head", "2", "--offset", "40M", "--length", "8M");
        owns(64, 64, 32);
        map();

        act("Bytes written through head 1 are read back through head 1, and refused to head 2.");
        Files.writeString(bytesFile, GREETING);
        expect(ExitCode.DONE, "mem", name, "--head", "1", "write", "--dpa", "16M", "--in", bytesFile.toString());
        says(GREETING, expect(ExitCode.DONE, "mem", name, "--head", "1", "read", "--dpa", "16M", "--length", "22"));
        expect(ExitCode.REFUSED, "mem", name, "--head", "2", "read", "--dpa", "16M", "--length", "22");

        act("An add that overlaps head 1's capacity is refused whole: the free blocks in it stay free.");
        expect(ExitCode.REFUSED, "add", name, "--head", "2", "--offset", "24M", "--length", "16M");
        owns(64, 64, 32);
        map();

        act("Head 1 gives back the middle half of its extent.");
        expect(ExitCode.DONE, "release", name, "--head", "1", "--offset", "20M", "--length", "8M");
        owns(64, 32, 32);
        expect(ExitCode.DONE, "extents", name, "--head", "1");
        map();

        act("Head 0 writes a secret and is killed. Its blocks go to head 2 at once, and read as zero.");
        Files.writeString(bytesFile, SECRET);
        expect(ExitCode.DONE, "mem", name, "--head", "0", "write", "--dpa", "0", "--in", bytesFile.toString());
        kill(0);
        expect(ExitCode.DONE, "add", name, "--head", "2", "--offset", "0", "--length", "16M");
        owns(0, 32, 96);
        byte[] seen = expect(ExitCode.DONE, "mem", name, "--head", "2", "read", "--dpa", "0", "--length", "15");
        check(Arrays.equals(seen, new byte[SECRET.length()]), "head 2 reads zeros where the secret was");
        expect(ExitCode.HEAD_NOT_RUNNING, "add", name, "--head", "0", "--offset", "0", "--length", "256K");
        map();

        act("What must always hold, holds.");
        expect(ExitCode.DONE, "verify", name);

        act("The heads leave when they are asked to, and the device goes.");
        expect(ExitCode.REFUSED, "destroy", name);
        for (int head = 1; head < HEADS; head++) {
            leave(head);
        }
        expect(ExitCode.DONE, "destroy", name);
        check(Files.notExists(files.stateFile()) && Files.notExists(files.mediaFile()), "no file is left");
    }

    // ---- heads

    private void start(int head, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("head", "--mhd-head=" + head, "--mhd-state_file=" + name));
        arguments.addAll(Arrays.asList(more));
        typed(String.join(" ", arguments) + " &");
        List<String> command = new ArrayList<>(launcher());
        command.addAll(arguments);
        heads[head] = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** The launcher script, when it started us; else this JVM again. */
    private static List<String> launcher() {
        String script = System.getProperty("mhsld.launcher");
        if (script != null) {
            return List.of(script);
        }
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName());
    }

    private void awaitReady(int head) throws IOException {
        BufferedReader out =
                new BufferedReader(new InputStreamReader(heads[head].getInputStream(), StandardCharsets.UTF_8));
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_TIMEOUT_S);
        Optional<String> line = Optional.empty();
        while (line.isEmpty() && System.nanoTime() - deadlineNs < 0 && (heads[head].isAlive() || out.ready())) {
            if (out.ready()) {
                line = Optional.ofNullable(out.readLine());
            } else {
                LockSupport.parkNanos(2_000_000);
            }
        }
        line.ifPresent(text -> console.out().println("  " + text));
        check(
                line.filter(text -> text.startsWith("ready head=" + head + " ")).isPresent(),
                "head " + head + " is ready");
    }

    private void kill(int head) {
        typed("kill -9 " + heads[head].pid(), "");
        heads[head].destroyForcibly();
        check(waitFor(heads[head]), "head " + head + " is dead");
    }

    private void leave(int head) {
        typed("kill " + heads[head].pid(), "");
        heads[head].destroy();
        check(waitFor(heads[head]) && heads[head].exitValue() == 0, "head " + head + " left cleanly");
    }

    private static boolean waitFor(Process process) {
        try {
            return process.waitFor(LEAVE_TIMEOUT_S, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void cleanUp() {
        for (Process head : heads) {
            if (head != null && head.isAlive()) {
                head.destroyForcibly();
                waitFor(head);
            }
        }
        try {
            Files.deleteIfExists(bytesFile);
            if (Files.exists(files.stateFile())) {
                Device.destroy(files, 1_000);
            }
            Files.deleteIfExists(files.lockFile());
        } catch (IOException | RuntimeException e) {
            console.err().println("mhsld: demo could not clean up: " + e.getMessage());
        }
    }

    // ---- checks

    private byte[] expect(ExitCode expected, String... verb) {
        typed(String.join(" ", verb));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console captured = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                console.isTerminal(),
                Math.max(40, console.columns() - 2));
        int exitCode = Main.run(captured, verb);
        show(out);
        show(err);
        check(
                exitCode == expected.number(),
                verb[0] + " ends with exit code " + expected.number() + " (" + expected.words() + "), met " + exitCode);
        return out.toByteArray();
    }

    private void map() {
        expect(ExitCode.DONE, "map", name);
    }

    private void owns(long... blocks) {
        Inspector.Report report = Device.inspect(files);
        for (int head = 0; head < blocks.length; head++) {
            check(
                    report.ownedBlocks()[head] == blocks[head],
                    "head " + head + " owns " + blocks[head] + " blocks, met " + report.ownedBlocks()[head]);
        }
        check(report.isSound(), "invariants hold: " + report.findings());
    }

    private void says(String expected, byte[] met) {
        check(Arrays.equals(met, expected.getBytes(StandardCharsets.UTF_8)), "the bytes are those that were written");
    }

    private void check(boolean condition, String what) {
        checks++;
        if (!condition) {
            throw new CommandException(ExitCode.REFUSED, "demo: not as expected: " + what);
        }
    }

    private void act(String what) {
        console.out().println();
        console.out().println("# " + what);
    }

    private void typed(String verb) {
        typed(verb, "mhsld ");
    }

    private void typed(String verb, String program) {
        console.out().println("$ " + program + verb);
        console.out().flush();
    }

    private void show(ByteArrayOutputStream output) {
        String text = output.toString(StandardCharsets.UTF_8);
        if (text.chars().allMatch(c -> c == 0)) {
            // Zeros cannot be seen.
            text = text.isEmpty() ? "" : "\\0".repeat(text.length());
        }
        text.lines().forEach(line -> console.out().println("  " + line));
    }
}

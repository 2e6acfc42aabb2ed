package io.mhsld.stress.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own, with the class path and the openings ({@code --add-opens} and the like) of this one. What it says goes to a file, so that it
 * is still there after {@code SIGKILL}. Closing it kills it.
 */
public final class ChildJvm implements AutoCloseable {
    private static final long END_PATIENCE_S = 20;

    private final Process process;
    private final Path output;

    private ChildJvm(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /**
     * Starts a JVM.
     *
     * @param output where its standard output and error go
     * @param jvmOptions besides those of this JVM's that begin with {@code --}
     */
    public static ChildJvm start(Class<?> main, Path output, List<String> jvmOptions, List<String> arguments) {
        return start(main.getName(), System.getProperty("java.class.path"), output, jvmOptions, arguments);
    }

    /** The same with another class path. */
    public static ChildJvm start(
            String main, String classPath, Path output, List<String> jvmOptions, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--"))
                .forEach(command::add);
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx256m", "-Djava.io.tmpdir=" + output.getParent()));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(arguments);
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            return new ChildJvm(process, output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its process id. */
    public long pid() {
        return process.pid();
    }

    /** False once it has ended. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** All that it has said so far. */
    public String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** True once it has said something. */
    public boolean hasOutput() {
        return output.toFile().length() > 0;
    }

    /** The file of {@link #output()}. */
    public Path outputFile() {
        return output;
    }

    /** Hands it a line on its standard input. */
    public void tell(String line) {
        try {
            Writer input = process.outputWriter(StandardCharsets.UTF_8);
            input.write(line + "\n");
            input.flush();
        } catch (IOException e) {
            // It has ended, which is what its exit tells.
        }
    }

    /** {@code SIGKILL}, without waiting. */
    public void killNow() {
        process.destroyForcibly();
    }

    /** {@code SIGTERM}, without waiting. */
    public void terminate() {
        process.destroy();
    }

    /** {@code SIGKILL}, and waits until the process is gone. */
    public void kill() {
        process.destroyForcibly();
        awaitExit();
    }

    /** {@code SIGSTOP}, {@code SIGCONT} and others, by name without {@code SIG}. */
    public void signal(String name) {
        try {
            // The shell's own kill: the program is not on every machine.
            int status = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid())
                    .start()
                    .waitFor();
            if (status != 0 && isAlive()) {
                throw new IllegalStateException("signal cannot be sent: signal=" + name + " pid=" + pid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Runs an action when it has ended, on another thread. */
    public void onExit(Runnable action) {
        CompletableFuture<Void> unused = process.onExit().thenRun(action);
    }

    /** Waits for its end and tells its exit code. */
    public int awaitExit() {
        return awaitExit(END_PATIENCE_S);
    }

    /** The same with a patience of the caller's. */
    public int awaitExit(long patienceS) {
        try {
            if (!process.waitFor(patienceS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(
                        "process does not end: pid=" + pid() + " waitedS=" + patienceS + " output=" + output);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            kill();
        }
    }
}

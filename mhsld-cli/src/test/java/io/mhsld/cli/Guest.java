package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.qmp.QmpClient;
import io.mhsld.socket.LocalAddress;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * An unmodified Linux under an unmodified QEMU ({@code scripts/guest boot}), whose shell a test types into. It boots while the test goes on; the first
 * command waits for it.
 */
final class Guest implements AutoCloseable {
    static final Path SCRIPT = Path.of("").toAbsolutePath().getParent().resolve("scripts/guest");

    private static final long TIMEOUT_S = 90;
    private static final String DONE = "@@done ";

    private final Process process;
    private final Writer commands;
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
    private final Path console;
    private final Path pidFile;
    private final Path qmp;

    /** What a command came to. */
    record Outcome(int status, String out) {}

    /** A guest on the head that serves vfio-user at this socket. */
    static Guest onHead(Path socket, Path folder, String name) {
        return new Guest(folder, name, List.of("--head", socket.toString()));
    }

    /** A guest on QEMU's own {@code cxl-type3}. */
    static Guest onQemusOwn(Path folder, String name) {
        return new Guest(folder, name, List.of("--type3"));
    }

    private Guest(Path folder, String name, List<String> options) {
        console = folder.resolve(name + ".console");
        pidFile = folder.resolve(name + ".pid");
        List<String> command = new ArrayList<>(List.of(SCRIPT.toString(), "boot"));
        command.addAll(options);
        qmp = folder.resolve(name + ".qmp");
        command.addAll(List.of("--qmp", qmp.toString()));
        command.addAll(List.of("--put", SCRIPT + "-registers", "--put", SCRIPT + "-doe"));
        command.addAll(List.of("--console", console.toString(), "--pid", pidFile.toString(), "--limit", "300"));
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        Thread reader = new Thread(this::readLines, "guest " + name);
        reader.setDaemon(true);
        reader.start();
    }

    private void readLines() {
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(Optional.of(line));
            }
        } catch (IOException e) {
            lines.add(Optional.of("(output lost: " + e + ")"));
        }
        lines.add(Optional.empty());
    }

    /** Waits until it has booted. QEMU resets the device when it starts: what was offered or held before is gone then. */
    Guest awaitReady() {
        run("true");
        return this;
    }

    /** Runs a command that succeeds; what it prints, without the end of the last line. */
    String run(String command) {
        Outcome outcome = tryRun(command);
        assertEquals(0, outcome.status(), () -> command + ": " + outcome.out());
        return outcome.out();
    }

    Outcome tryRun(String command) {
        try {
            commands.write("( " + command + "\n) </dev/null 2>&1; echo \"" + DONE + "$?\"\n");
            commands.flush();
            List<String> out = new ArrayList<>();
            while (true) {
                Optional<String> line = lines.poll(TIMEOUT_S, TimeUnit.SECONDS);
                if (line == null) {
                    throw new AssertionError("no answer in " + TIMEOUT_S + " s: " + command + ": " + out + tail());
                }
                String text =
                        line.orElseThrow(() -> new AssertionError("guest ended: " + command + ": " + out + tail()));
                // A command whose last line has no end is followed by the mark.
                int mark = text.indexOf(DONE);
                if (mark >= 0) {
                    if (mark > 0) {
                        out.add(text.substring(0, mark));
                    }
                    return new Outcome(Integer.parseInt(text.substring(mark + DONE.length())), String.join("\n", out));
                }
                out.add(text);
            }
        } catch (IOException e) {
            throw new AssertionError("guest ended: " + command + tail(), e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Runs a command until it prints what is wanted. */
    String await(String command, String wanted) {
        String[] seen = {""};
        HeadProcesses.await(wanted + " from " + command, () -> {
            seen[0] = tryRun(command).out();
            return seen[0].contains(wanted);
        });
        return seen[0];
    }

    /** QEMU's own QMP. */
    QmpClient qmp() {
        HeadProcesses.await("QEMU", () -> Files.exists(qmp));
        return QmpClient.connect(LocalAddress.unix(qmp), 5_000);
    }

    /** What the kernel has said. */
    String console() {
        try {
            return Files.exists(console) ? Files.readString(console, StandardCharsets.ISO_8859_1) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String tail() {
        String said = console();
        return "\n" + said.substring(Math.max(0, said.length() - 2000));
    }

    /** SIGKILL to QEMU: the virtual machine is gone between two instructions. */
    void killQemu() {
        try {
            long pid = Long.parseLong(Files.readString(pidFile).strip());
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
                throw new AssertionError("scripts/guest does not end without its QEMU");
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Switches the machine off from inside; the status of scripts/guest. */
    int shutDown() {
        try {
            commands.close();
            if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
                throw new AssertionError("guest does not end" + tail());
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroy(); // SIGTERM: the script ends QEMU and cleans up
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

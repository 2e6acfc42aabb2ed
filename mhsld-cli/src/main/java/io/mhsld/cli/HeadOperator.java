package io.mhsld.cli;

import io.mhsld.qmp.CxlCommands;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpError;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpJson;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What people and scripts ask of a running head, through its control socket. */
final class HeadOperator {
    private static final long TIMEOUT_MS = 60_000;

    /** Part of a request, relative to its region. */
    record Range(long offsetBytes, long lengthBytes) {
        Map<String, Object> toJson() {
            return Map.of("offset", QmpJson.unsigned(offsetBytes), "len", QmpJson.unsigned(lengthBytes));
        }

        @Override
        public String toString() {
            return String.format("0x%x+0x%x", offsetBytes, lengthBytes);
        }
    }

    private final DeviceFiles files;
    private final int head;
    private final Console console;

    HeadOperator(DeviceFiles files, int head, Console console) {
        this.files = files;
        this.head = head;
        this.console = console;
    }

    /** What concerns events, at the same head. */
    EventOperator onEvents() {
        return new EventOperator(this, console);
    }

    /** The head that is spoken to. */
    int head() {
        return head;
    }

    // ---- memory

    ExitCode memoryRead(long dpa, long lengthBytes, Optional<Path> output) {
        try (QmpClient client = connect()) {
            check(client, dpa, lengthBytes);
            try (OutputStream out = output.isPresent() ? Files.newOutputStream(output.get()) : null) {
                OutputStream sink = out == null ? console.out() : out;
                for (long done = 0; done < lengthBytes; ) {
                    long part = Math.min(CxlCommands.MEMORY_CHUNK_BYTES, lengthBytes - done);
                    HeadAnswer answer = ask(client, "x-mem-read", range(dpa + done, part));
                    sink.write(answer.base64("data", part));
                    done += part;
                    if (out == null && console.out().checkError()) {
                        // Nobody reads it any more, or it cannot be written: the end of the process tells.
                        break;
                    }
                }
                sink.flush();
            } catch (IOException e) {
                throw fileFailed("written", output.orElse(Path.of("standard output")), e);
            }
            return ExitCode.DONE;
        }
    }

    ExitCode memoryWrite(long dpa, Optional<Long> lengthBytes, Optional<Path> input, boolean json) {
        try (QmpClient client = connect();
                InputStream in = input.isPresent() ? Files.newInputStream(input.get()) : System.in) {
            boolean isSized =
                    lengthBytes.isEmpty() && input.filter(Files::isRegularFile).isPresent();
            Optional<Long> known = isSized ? Optional.of(Files.size(input.get())) : lengthBytes;
            if (known.isPresent()) {
                check(client, dpa, known.get());
            }
            long written = 0;
            while (known.isEmpty() || written < known.get()) {
                long part = Math.min(CxlCommands.MEMORY_CHUNK_BYTES, known.orElse(Long.MAX_VALUE) - written);
                byte[] bytes = in.readNBytes((int) part);
                if (bytes.length == 0) {
                    break;
                }
                writeChunk(client, dpa + written, bytes, written);
                written += bytes.length;
            }
            if (known.isEmpty() && written == 0) {
                throw new CommandException(ExitCode.REFUSED, "nothing to write, the input is empty: head=" + head);
            }
            if (known.isPresent() && written < known.get()) {
                throw new CommandException(
                        ExitCode.REFUSED,
                        "input is shorter than --length: written=" + written + " length=" + known.get());
            }
            tellFact("written", written, json);
            return ExitCode.DONE;
        } catch (IOException e) {
            throw fileFailed("read", input.orElse(Path.of("standard input")), e);
        }
    }

    private void writeChunk(QmpClient client, long dpa, byte[] bytes, long writtenBefore) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("dpa", QmpJson.unsigned(dpa));
        arguments.put("data", Base64.getEncoder().encodeToString(bytes));
        Optional<QmpError> refusal = client.execute("x-mem-write", arguments).error();
        if (refusal.isPresent()) {
            throw refused(refusal.get(), "writtenBefore=" + writtenBefore);
        }
    }

    ExitCode memoryFill(long dpa, long lengthBytes, int value, boolean json) {
        try (QmpClient client = connect()) {
            Map<String, Object> arguments = range(dpa, lengthBytes);
            arguments.put("value", value);
            ask(client, "x-mem-fill", arguments);
            tellFact("filled", lengthBytes, json);
            return ExitCode.DONE;
        }
    }

    ExitCode memoryCrc(long dpa, long lengthBytes, boolean json) {
        try (QmpClient client = connect()) {
            long crc = ask(client, "x-mem-crc", range(dpa, lengthBytes)).number("crc32c");
            if (json) {
                console.out().println(QmpJson.write(Map.of("crc32c", crc)));
            } else {
                console.out().printf("crc32c=0x%08x%n", crc);
            }
            return ExitCode.DONE;
        }
    }

    private void check(QmpClient client, long dpa, long lengthBytes) {
        ask(client, "x-mem-check", range(dpa, lengthBytes));
    }

    private static Map<String, Object> range(long dpa, long lengthBytes) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("dpa", QmpJson.unsigned(dpa));
        arguments.put("length", QmpJson.unsigned(lengthBytes));
        return arguments;
    }

    private void tellFact(String name, long bytes, boolean json) {
        if (json) {
            console.out().println(QmpJson.write(Map.of(name, bytes)));
        } else {
            console.out().printf("%s: bytes=%d head=%d%n", name, bytes, head);
        }
    }

    // ---- QMP

    ExitCode qmp(InputStream input) {
        try (QmpClient client = connect()) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
            if (console.isTerminal()) {
                console.err()
                        .println("connected to head " + head + "; query-commands lists what there is, Ctrl-D leaves");
            }
            ExitCode last = ExitCode.DONE;
            String line = prompt(lines);
            while (line != null) {
                if (!line.isBlank()) {
                    last = execute(client, line.strip());
                }
                for (var event = client.awaitEvent(0); event.isPresent(); event = client.awaitEvent(0)) {
                    console.out().println(QmpJson.write(event.get()));
                }
                line = prompt(lines);
            }
            if (console.isTerminal()) {
                console.out().println();
            }
            return last;
        } catch (IOException e) {
            throw fileFailed("read", Path.of("standard input"), e);
        }
    }

    private String prompt(BufferedReader lines) throws IOException {
        if (console.isTerminal()) {
            console.out().print("(mhsld) ");
            console.out().flush();
        }
        return lines.readLine();
    }

    private ExitCode execute(QmpClient client, String line) {
        String command;
        Map<String, Object> arguments = new LinkedHashMap<>();
        try {
            if (line.startsWith("{")) {
                Map<?, ?> json = (Map<?, ?>) QmpJson.parse(line);
                if (!(json.get("execute") instanceof String execute)) {
                    throw new IllegalArgumentException("no command: \"execute\" is missing, or no string");
                }
                command = execute;
                if (json.get("arguments") instanceof Map<?, ?> given) {
                    given.forEach((name, value) -> arguments.put(String.valueOf(name), value));
                }
            } else {
                String[] words = line.split("\\s+");
                command = words[0];
                for (int i = 1; i < words.length; i++) {
                    int equals = words[i].indexOf('=');
                    if (equals < 1) {
                        throw new IllegalArgumentException("not name=value: " + words[i]);
                    }
                    arguments.put(words[i].substring(0, equals), valueOf(words[i].substring(equals + 1)));
                }
            }
        } catch (IllegalArgumentException e) {
            console.err().println("mhsld: " + e.getMessage());
            return ExitCode.USAGE;
        }
        QmpReply reply = client.execute(command, arguments);
        Optional<QmpError> refusal = reply.error();
        if (refusal.isPresent()) {
            console.out()
                    .println(QmpJson.write(Map.of(
                            "error",
                            Map.of(
                                    "class",
                                    refusal.get().errorClass(),
                                    "desc",
                                    refusal.get().description()))));
            return ExitCode.REFUSED;
        }
        console.out().println(QmpJson.write(Collections.singletonMap("return", reply.value())));
        return ExitCode.DONE;
    }

    /** A value as {@code qmp-shell} takes it: JSON where it is JSON, else the word itself. */
    private static Object valueOf(String word) {
        try {
            return QmpJson.parse(word);
        } catch (IllegalArgumentException e) {
            return word;
        }
    }

    // ---- parts

    /** A connection to the head's control socket. */
    QmpClient connect() {
        Row row;
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            int headCount = state.geometry().headCount();
            if (head < 0 || head >= headCount) {
                throw new CommandException(
                        ExitCode.USAGE,
                        "no such head: head=" + head + " heads=" + headCount + " (0 to " + (headCount - 1) + ") file="
                                + files.stateFile());
            }
            row = state.heads().readAcquire(head);
        }
        if (DeviceFacts.stateOf(row, true) == DeviceFacts.HeadState.STOPPED) {
            // It would take the connection and never answer.
            throw notRunning("head is stopped (SIGSTOP), continue it or fence it: head=" + head + " pid=" + row.pid());
        }
        if (row.state() != HeadTable.State.SERVING) {
            throw notRunning("head is not running: head=" + head + " state="
                    + row.state().name().toLowerCase(Locale.ROOT));
        }
        try {
            return QmpClient.connect(LocalAddress.unix(Path.of(row.controlSocket())), TIMEOUT_MS);
        } catch (IllegalArgumentException e) {
            throw new StateFileException(
                    Problem.DAMAGED,
                    "control socket in the head table makes no sense: head=" + head + " (" + e.getMessage() + ")",
                    files.stateFile());
        } catch (QmpException e) {
            throw notRunning("head does not answer: head=" + head + " pid=" + row.pid() + " (" + e.getMessage() + ")");
        }
    }

    private CommandException notRunning(String cause) {
        return new CommandException(ExitCode.HEAD_NOT_RUNNING, cause + " file=" + files.stateFile());
    }

    /** What the head answers; a refusal is thrown. */
    HeadAnswer ask(QmpClient client, String command, Map<String, ?> arguments) {
        QmpReply reply = client.execute(command, arguments);
        Optional<QmpError> refusal = reply.error();
        if (refusal.isPresent()) {
            throw refused(refusal.get(), "");
        }
        return HeadAnswer.of(reply.value());
    }

    /** A refusal in the head's words, with the values that it does not name itself. */
    CommandException refused(QmpError refusal, String about) {
        String text = refusal.description();
        String values = about.isEmpty() || text.contains(": ") ? about : "head=" + head + " " + about;
        return new CommandException(
                ExitCode.REFUSED,
                "refused: " + text + (values.isEmpty() ? "" : (text.contains(": ") ? " " : ": ") + values));
    }

    private static CommandException fileFailed(String what, Path file, IOException e) {
        String reason = e.getMessage();
        if (e instanceof NoSuchFileException) {
            reason = "no such file";
        } else if (e instanceof AccessDeniedException) {
            reason = "no permission";
        } else if (e instanceof FileSystemException f && f.getReason() != null) {
            reason = f.getReason();
        }
        return new CommandException(
                ExitCode.REFUSED, "file cannot be " + what + ": reason=\"" + reason + "\" file=" + file, e);
    }
}

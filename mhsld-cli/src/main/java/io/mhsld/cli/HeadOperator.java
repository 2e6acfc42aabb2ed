package io.mhsld.cli;

import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.cci.ReturnCode;
import io.mhsld.qmp.CxlCommands;
import io.mhsld.qmp.QmpAddress;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpError;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpJson;
import io.mhsld.qmp.QmpReply;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.text.ForeignText;
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
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/** What people and scripts ask of a running head, through its control socket. */
final class HeadOperator {
    private static final long TIMEOUT_MS = 60_000;
    private static final long FOLLOW_POLL_NS = 100_000_000;

    /** What a request has come to, by the state in which it left the capacity. */
    private static final Map<String, String> ADDED =
            Map.of("accepted", "added", "pending", "offered", "free", "rejected");

    private static final Map<String, String> ASKED =
            Map.of("accepted", "asked", "pending", "asked", "free", "released");
    private static final Map<String, String> TAKEN = Map.of("free", "taken");

    /** Part of a request, relative to its region. */
    record Range(long offsetBytes, long lengthBytes) {
        private Map<String, Object> toJson() {
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

    // ---- add and release

    ExitCode add(int region, List<Range> ranges, Optional<UUID> tag, boolean json) {
        return request("cxl-add-dynamic-capacity", "selection-policy", region, ranges, tag, Map.of(), ADDED, json);
    }

    ExitCode release(int region, List<Range> ranges, boolean forced, boolean json) {
        Map<String, Object> options = Map.of("forced-removal", forced);
        return request(
                "cxl-release-dynamic-capacity",
                "removal-policy",
                region,
                ranges,
                Optional.empty(),
                options,
                forced ? TAKEN : ASKED,
                json);
    }

    private ExitCode request(
            String command,
            String policy,
            int region,
            List<Range> ranges,
            Optional<UUID> tag,
            Map<String, Object> options,
            Map<String, String> done,
            boolean json) {
        try (QmpClient client = connect()) {
            HeadAnswer about = ask(client, "x-query-head", Map.of());
            Map<String, Object> arguments = new LinkedHashMap<>(options);
            arguments.put("path", about.text("id"));
            arguments.put("host-id", head);
            arguments.put(policy, "prescriptive");
            arguments.put("region", region);
            arguments.put("extents", ranges.stream().map(Range::toJson).toList());
            tag.ifPresent(uuid -> arguments.put("tag", uuid.toString()));
            Optional<QmpError> refusal = client.execute(command, arguments).error();
            if (refusal.isPresent()) {
                throw refused(refusal.get(), String.format("region=%d extents=%s", region, ranges));
            }
            tellExtents(client, region, ranges, done, json);
            return ExitCode.DONE;
        }
    }

    /** What became of each range: the host has answered by now if it is going to answer at once. */
    private void tellExtents(QmpClient client, int region, List<Range> ranges, Map<String, String> done, boolean json) {
        HeadAnswer extents = ask(client, "x-query-extents", Map.of());
        List<Object> rows = new ArrayList<>();
        for (Range range : ranges) {
            String state = isIn(extents.objects("accepted"), region, range)
                    ? "accepted"
                    : extents.objects("pending").stream()
                                    .anyMatch(group -> isIn(group.objects("extents"), region, range))
                            ? "pending"
                            : "free";
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("head", head);
            row.put("region", region);
            row.put("offset", range.offsetBytes);
            row.put("length", range.lengthBytes);
            row.put("state", state);
            rows.add(row);
            if (!json) {
                console.out()
                        .printf(
                                "%s: head=%d region=%d extent=%s state=%s%n",
                                done.getOrDefault(state, "done"), head, region, range, state);
            }
        }
        if (json) {
            console.out().println(QmpJson.write(rows));
        }
    }

    private static boolean isIn(List<HeadAnswer> extents, int region, Range range) {
        for (HeadAnswer extent : extents) {
            long offset = extent.number("offset");
            boolean holds = extent.number("region") == region
                    && range.offsetBytes >= offset
                    && range.offsetBytes < offset + extent.number("len");
            if (holds) {
                return true;
            }
        }
        return false;
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

    // ---- mailbox and events

    ExitCode listCommands(boolean json) {
        if (json) {
            List<Object> rows = new ArrayList<>();
            for (Opcode opcode : OpcodeTable.ALL) {
                rows.add(Map.of("opcode", String.format("%04x", opcode.code()), "name", opcode.name()));
            }
            console.out().println(QmpJson.write(rows));
        } else {
            OpcodeTable.ALL.forEach(opcode -> console.out().printf("%04x  %s%n", opcode.code(), opcode.name()));
        }
        return ExitCode.DONE;
    }

    ExitCode cci(int opcode, String payload, boolean json) {
        try (QmpClient client = connect()) {
            HeadAnswer answer = ask(client, "x-cci", Map.of("opcode", opcode, "payload", payload));
            int number = (int) answer.number("return-code");
            byte[] bytes = answer.hexadecimal("payload");
            Optional<Opcode> row = OpcodeTable.of(opcode);
            String code = ReturnCode.of(number).map(ReturnCode::toString).orElse("unknown");
            String name = row.map(Opcode::name).orElse("unknown command");
            if (json) {
                Map<String, Object> facts = new LinkedHashMap<>();
                facts.put("opcode", String.format("%04x", opcode));
                facts.put("name", name);
                facts.put("return-code", number);
                facts.put("return-code-name", code);
                facts.put("payload", answer.text("payload"));
                if (row.isPresent() && bytes.length > 0) {
                    facts.put("decoded", row.get().response().decode(bytes));
                }
                console.out().println(QmpJson.write(facts));
            } else {
                console.out().printf("%04x %s: %04x %s, %d bytes%n", opcode, name, number, code, bytes.length);
                if (number == ReturnCode.INVALID_PAYLOAD_LENGTH.value() && row.isPresent()) {
                    tellInputLength(row.get(), payload.length() / 2);
                }
                if (row.isPresent() && bytes.length > 0) {
                    row.get()
                            .response()
                            .lines(bytes)
                            .forEach(line -> console.out().println("  " + line));
                }
            }
            boolean isTaken = number == ReturnCode.SUCCESS.value() || number == ReturnCode.BACKGROUND_STARTED.value();
            return isTaken ? ExitCode.DONE : ExitCode.REFUSED;
        }
    }

    private void tellInputLength(Opcode row, int met) {
        Opcode.InputLength input = row.input();
        String expected = input.min() == input.max() ? "" + input.min() : input.min() + " to " + input.max();
        console.out().printf("  input: %d bytes, the command takes %s%n", met, expected);
    }

    ExitCode events(boolean follow, boolean json) {
        try (QmpClient client = connect()) {
            long seen = 0;
            while (true) {
                HeadAnswer answer = ask(client, "x-query-events", Map.of("since", seen));
                tellEvents(answer, json, follow);
                seen = answer.number("appended");
                if (!follow) {
                    return ExitCode.DONE;
                }
                if (console.out().checkError()) {
                    return ExitCode.DONE;
                }
                LockSupport.parkNanos(FOLLOW_POLL_NS);
            }
        }
    }

    private void tellEvents(HeadAnswer answer, boolean json, boolean follow) {
        if (json && !follow) {
            console.out().println(QmpJson.write(answer.members()));
            return;
        }
        for (HeadAnswer record : answer.objects("records")) {
            if (json) {
                console.out().println(QmpJson.write(record.members()));
            } else {
                console.out()
                        .printf(
                                "%5d  %-14s region=%d dpa=0x%x length=0x%x%s available=%d%n",
                                record.number("sequence"),
                                ForeignText.line(record.text("type")),
                                record.number("region"),
                                record.number("dpa"),
                                record.number("len"),
                                record.flag("more") ? " more" : "",
                                record.number("extents-available"));
            }
        }
        if (!json && !follow) {
            console.out()
                    .printf(
                            "events=%d unread=%d overflow=%d%n",
                            answer.number("appended"), answer.number("unread"), answer.number("overflow"));
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

    private QmpClient connect() {
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
            return QmpClient.connect(QmpAddress.unix(Path.of(row.controlSocket())), TIMEOUT_MS);
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

    private HeadAnswer ask(QmpClient client, String command, Map<String, ?> arguments) {
        QmpReply reply = client.execute(command, arguments);
        Optional<QmpError> refusal = reply.error();
        if (refusal.isPresent()) {
            throw refused(refusal.get(), "");
        }
        return HeadAnswer.of(reply.value());
    }

    private CommandException refused(QmpError refusal, String about) {
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

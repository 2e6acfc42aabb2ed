package io.mhsld.cli;

import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpJson;
import io.mhsld.text.ForeignText;
import io.mhsld.type3.EventLog;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** What people and scripts ask of a running head about events: what there was, and to report what there was not. */
final class EventOperator {
    private static final long FOLLOW_POLL_NS = 100_000_000;

    /** Of the RAS registers, by what they are about. */
    private static final String MASK = "-mask";

    private final HeadOperator head;
    private final Console console;

    EventOperator(HeadOperator head, Console console) {
        this.head = head;
        this.console = console;
    }

    // ---- looking

    /** Prints what the logs got; in JSON one object for one log, a list of them for several. */
    ExitCode events(List<EventLog.Kind> logs, boolean follow, boolean json) {
        Map<EventLog.Kind, Long> seen = new EnumMap<>(EventLog.Kind.class);
        boolean isOne = logs.size() == 1;
        try (QmpClient client = head.connect()) {
            while (true) {
                List<Object> answers = new ArrayList<>();
                for (EventLog.Kind log : logs) {
                    Map<String, Object> arguments = new LinkedHashMap<>();
                    arguments.put("log", log.toString());
                    arguments.put("since", seen.getOrDefault(log, 0L));
                    HeadAnswer answer = head.ask(client, "x-query-events", arguments);
                    answers.add(answer.members());
                    if (!json || follow) {
                        tellEvents(answer, log, isOne, json, follow);
                    }
                    seen.put(log, answer.number("appended"));
                }
                if (json && !follow) {
                    console.out().println(QmpJson.write(isOne ? answers.get(0) : answers));
                }
                if (!follow || console.out().checkError()) {
                    return ExitCode.DONE;
                }
                LockSupport.parkNanos(FOLLOW_POLL_NS);
            }
        }
    }

    private void tellEvents(HeadAnswer answer, EventLog.Kind log, boolean isOne, boolean json, boolean follow) {
        String where = isOne ? "" : log + " ";
        for (HeadAnswer record : answer.objects("records")) {
            if (json) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("log", log.toString());
                record.members().forEach((name, value) -> row.put(String.valueOf(name), value));
                console.out().println(QmpJson.write(row));
            } else {
                console.out().println(where + line(record));
            }
        }
        if (!json && !follow) {
            console.out()
                    .printf(
                            "%sevents=%d unread=%d overflow=%d%n",
                            where, answer.number("appended"), answer.number("unread"), answer.number("overflow"));
        }
    }

    private static String line(HeadAnswer record) {
        long sequence = record.number("sequence");
        if (record.members().containsKey("bytes")) {
            return String.format("%5d  %s", sequence, EventText.of(record.hexadecimal("bytes")));
        }
        return String.format(
                "%5d  %-14s region=%d dpa=0x%x length=0x%x%s available=%d",
                sequence,
                ForeignText.line(record.text("type")),
                record.number("region"),
                record.number("dpa"),
                record.number("len"),
                record.flag("more") ? " more" : "",
                record.number("extents-available"));
    }

    // ---- injecting

    /** Puts a record into a log, and says what the log then holds. */
    ExitCode injectEvent(String command, Map<String, Object> arguments, boolean json) {
        try (QmpClient client = head.connect()) {
            head.ask(client, command, withPath(client, arguments));
            HeadAnswer log =
                    head.ask(client, "x-query-events", Map.of("log", arguments.get("log"), "since", Long.MAX_VALUE));
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("log", arguments.get("log"));
            facts.put("events", log.number("appended"));
            facts.put("unread", log.number("unread"));
            facts.put("overflow", log.number("overflow"));
            tell("injected", facts, json);
            return ExitCode.DONE;
        }
    }

    /** Poisons a range of the media. */
    ExitCode injectPoison(long start, long lengthBytes, boolean json) {
        try (QmpClient client = head.connect()) {
            Map<String, Object> arguments = new LinkedHashMap<>();
            arguments.put("start", QmpJson.unsigned(start));
            arguments.put("length", QmpJson.unsigned(lengthBytes));
            head.ask(client, "cxl-inject-poison", withPath(client, arguments));
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("start", json ? QmpJson.unsigned(start) : "0x" + Long.toHexString(start));
            facts.put("length", json ? QmpJson.unsigned(lengthBytes) : "0x" + Long.toHexString(lengthBytes));
            tell("poisoned", facts, json);
            return ExitCode.DONE;
        }
    }

    /** Moves what Get Health Info tells, and prints it with the alerts that are on. */
    ExitCode setHealth(Map<String, Object> arguments, boolean json) {
        try (QmpClient client = head.connect()) {
            Map<String, Object> facts = new LinkedHashMap<>();
            head.ask(client, "x-set-health", arguments)
                    .members()
                    .forEach((name, value) ->
                            facts.put(ForeignText.line(String.valueOf(name)), json ? value : word(value)));
            tell("health", facts, json);
            return ExitCode.DONE;
        }
    }

    private static Object word(Object value) {
        return value instanceof String text ? ForeignText.line(text) : value;
    }

    /**
     * Reports errors of link or protocol. Those that the host has masked leave no trace, which is said.
     *
     * @param registers {@code correctable} or {@code uncorrectable}
     * @param bits the errors in these registers
     * @param unmask first clears their bits in the mask, as a host does that wants to know of them
     */
    ExitCode injectErrors(
            String command, Map<String, Object> arguments, String registers, long bits, boolean unmask, boolean json) {
        try (QmpClient client = head.connect()) {
            long mask = head.ask(client, "x-query-ras", Map.of()).number(registers + MASK);
            if (unmask) {
                mask &= ~bits;
                head.ask(client, "x-ras-write", Map.of("register", registers + MASK, "value", mask));
            }
            head.ask(client, command, withPath(client, arguments));
            HeadAnswer ras = head.ask(client, "x-query-ras", Map.of());
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("masked", (mask & bits) == bits);
            facts.put("status", register(ras.number(registers + "-status"), json));
            facts.put("mask", register(ras.number(registers + MASK), json));
            tell((mask & bits) == bits ? "masked, nothing is recorded (--unmask helps)" : "injected", facts, json);
            return ExitCode.DONE;
        }
    }

    private static Object register(long value, boolean json) {
        return json ? (Object) value : "0x" + Long.toHexString(value);
    }

    private Map<String, Object> withPath(QmpClient client, Map<String, Object> arguments) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("path", head.ask(client, "x-query-head", Map.of()).text("id"));
        all.putAll(arguments);
        return all;
    }

    private void tell(String done, Map<String, Object> facts, boolean json) {
        if (json) {
            console.out().println(QmpJson.write(facts));
            return;
        }
        StringBuilder line = new StringBuilder(done).append(':');
        facts.forEach((name, value) -> line.append(' ').append(name).append('=').append(value));
        console.out().println(line);
    }
}

package io.mhsld.cli;

import io.mhsld.state.StateFile;
import io.mhsld.text.ForeignText;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.errors.ErrorLogReader;

/** {@code errors}: what went wrong in heads, live or dead; a head that starts anew empties its log. */
final class ErrorReport {
    /**
     * One distinct error of one head.
     *
     * @param text the exception with its stack trace
     */
    record Observation(int head, int count, long firstMs, long lastMs, String text) {
        /** What it was, and what caused it, without where. */
        List<String> summary() {
            List<String> lines = new ArrayList<>();
            text.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("\t"))
                    .forEach(lines::add);
            return lines;
        }
    }

    private ErrorReport() {}

    /** The log of one head, as far as it can be read. */
    static List<Observation> read(StateFile state, int head) {
        List<Observation> errors = new ArrayList<>();
        try {
            ErrorLogReader.read(
                    state.errorLog(head),
                    (count, firstMs, lastMs, text) -> errors.add(new Observation(head, count, firstMs, lastMs, text)));
        } catch (RuntimeException e) {
            errors.add(new Observation(head, 0, 0, 0, "the rest of the error log cannot be read: " + e.getMessage()));
        }
        return errors;
    }

    /** For people. */
    static String text(List<Observation> errors, boolean withTraces) {
        if (errors.isEmpty()) {
            return "no errors\n";
        }
        StringBuilder text = new StringBuilder();
        for (Observation error : errors) {
            text.append("head ").append(error.head).append(": ").append(Sizes.count(error.count, "time"));
            if (error.count > 0) {
                text.append(", last at ").append(Times.utc(error.lastMs));
            }
            if (error.count > 1) {
                text.append(", first at ").append(Times.utc(error.firstMs));
            }
            text.append('\n');
            List<String> lines = withTraces ? error.text.lines().toList() : error.summary();
            lines.forEach(line -> text.append("  ")
                    .append(ForeignText.line(line.replace("\t", "    ")))
                    .append('\n'));
        }
        return text.toString();
    }

    /** The members of the JSON object. */
    static void json(Json out, String name, List<Observation> errors) {
        out.put("name", name);
        out.array(
                "errors",
                all -> errors.forEach(error -> all.element(one -> one.put("head", error.head)
                        .put("count", error.count)
                        .put("first_ms", error.firstMs)
                        .put("last_ms", error.lastMs)
                        .put("error", String.join("; ", error.summary()))
                        .put("trace", error.text))));
    }
}

package io.mhsld.stress.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was to be reached, beside what was measured. */
final class Goals {
    private record Row(String what, String goal, String measured, boolean isMet) {}

    private final List<Row> rows = new ArrayList<>();

    /** More is better. */
    void atLeast(String what, double goal, double measured, String unit) {
        add(what, "≥ " + text(goal, unit), text(measured, unit), measured >= goal);
    }

    /** Less is better. */
    void atMost(String what, double goal, double measured, String unit) {
        add(what, "≤ " + text(goal, unit), text(measured, unit), measured <= goal);
    }

    private void add(String what, String goal, String measured, boolean isMet) {
        rows.add(new Row(what, goal, measured, isMet));
    }

    private static String text(double value, String unit) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : "%.0f %s", value, unit)
                .strip();
    }

    void print(PrintStream out) {
        out.printf("%n%-64s %12s %12s%n", "Goals", "goal", "measured");
        for (Row row : rows) {
            out.printf("%-64s %12s %12s  %s%n", row.what, row.goal, row.measured, row.isMet ? "met" : "missed");
        }
    }
}

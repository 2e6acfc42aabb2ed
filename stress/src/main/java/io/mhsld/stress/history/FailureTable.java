package io.mhsld.stress.history;

import io.mhsld.stress.history.Linearizability.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The end of a block's history that nothing explains, as a table: one operation to a line, in the order of their calls. */
final class FailureTable {
    private static final String HEADINGS = "%12s  %12s  %s";

    private FailureTable() {}

    /** Times are microseconds since the window began; what had begun before it has a negative one. */
    static List<String> lines(long block, Failure failure) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "block %d is no register {free, owned by h}: nothing explains what the marked operation (->) returned",
                block));
        lines.add(String.format(Locale.ROOT, "   " + HEADINGS, "call", "return", "operation"));
        for (BlockOperation operation : failure.window()) {
            lines.add((operation.equals(failure.returned()) ? "-> " : "   ")
                    + String.format(
                            Locale.ROOT,
                            HEADINGS,
                            time(operation.invokeNs(), failure),
                            operation.returnNs() == BlockOperation.NEVER
                                    ? "never"
                                    : time(operation.returnNs(), failure),
                            operation.source()));
        }
        return lines;
    }

    private static String time(long timeNs, Failure failure) {
        return String.format(Locale.ROOT, "%.3f us", (timeNs - failure.windowStartNs()) / 1000.0);
    }
}

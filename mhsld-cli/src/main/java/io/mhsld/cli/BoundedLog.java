package io.mhsld.cli;

import io.mhsld.head.HeadLog;
import io.mhsld.text.ForeignText;
import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What a head says on its standard error, a file most of the time. Clients can make it say something at will, so it says no more than a bound: a
 * burst, and then so many lines a second. What is left out is counted. Any thread.
 */
final class BoundedLog implements HeadLog {
    /** Four times what one request with as many extents as there can be makes a head say. */
    static final int BURST_LINES = 4096;

    /** Some 100 MB a day at most, if somebody tries. */
    static final int LINES_PER_SECOND = 10;

    /** Longer lines are cut: the text of a client may be in them. */
    static final int LINE_LENGTH_LIMIT = 1000;

    private static final long NS_PER_LINE = TimeUnit.SECONDS.toNanos(1) / LINES_PER_SECOND;

    private final PrintStream out;
    private final String who;
    private final LongSupplier clockNs;
    private long credit = BURST_LINES;
    private long creditedNs;
    private long leftOut;

    BoundedLog(PrintStream out, int head, LongSupplier clockNs) {
        this(out, "head=" + head, clockNs);
    }

    /** @param who says it, in front of each line */
    BoundedLog(PrintStream out, String who, LongSupplier clockNs) {
        this.out = out;
        this.who = who;
        this.clockNs = clockNs;
        this.creditedNs = clockNs.getAsLong();
    }

    @Override
    public synchronized void line(String text) {
        if (takesLine()) {
            print(text);
        }
    }

    /** What is left out is not put into words either. */
    @Override
    public synchronized void say(String format, Object... arguments) {
        if (takesLine()) {
            print(String.format(format, arguments));
        }
    }

    /** Counts a line: as one that is said, or that is left out. */
    private boolean takesLine() {
        long lines = (clockNs.getAsLong() - creditedNs) / NS_PER_LINE;
        credit = Math.min(BURST_LINES, credit + lines);
        creditedNs += lines * NS_PER_LINE;
        if (credit == 0) {
            leftOut++;
            return false;
        }
        credit--;
        if (leftOut > 0) {
            print("log lines left out: lines=" + leftOut + " limitPerSecond=" + LINES_PER_SECOND);
            leftOut = 0;
        }
        return true;
    }

    private void print(String text) {
        String shown = text.length() > LINE_LENGTH_LIMIT ? text.substring(0, LINE_LENGTH_LIMIT) + "…" : text;
        out.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + who + " "
                + ForeignText.line(shown.replace('\n', ' ')));
    }
}

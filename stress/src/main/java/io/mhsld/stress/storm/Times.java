package io.mhsld.stress.storm;

import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How long something took, time and again. Any thread. */
final class Times {
    private static final long MAX_US = TimeUnit.MINUTES.toMicros(5);
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int SLOWEST = 4;
    private static final double GOAL_PERCENTILE = 99;

    private final Histogram micros = new Histogram(MAX_US, SIGNIFICANT_DIGITS);
    private final TreeMap<Long, String> slowest = new TreeMap<>();

    synchronized void record(long tookNs) {
        micros.recordValue(Math.min(MAX_US, TimeUnit.NANOSECONDS.toMicros(tookNs)));
    }

    /** Why one took so long; the slowest few are kept. */
    synchronized void course(long tookNs, long goneNs, String what) {
        slowest.put(
                tookNs,
                String.format(
                        Locale.ROOT, "tookMs=%.1f processEndedAfterMs=%.1f %s", tookNs / 1e6, goneNs / 1e6, what));
        if (slowest.size() > SLOWEST) {
            slowest.pollFirstEntry();
        }
    }

    synchronized List<String> slowest() {
        return List.copyOf(slowest.descendingMap().values());
    }

    synchronized long count() {
        return micros.getTotalCount();
    }

    synchronized double p99Ms() {
        return micros.getValueAtPercentile(GOAL_PERCENTILE) / 1e3;
    }

    /** Whether the 99th percentile is within the goal. */
    String verdict(double goalMs) {
        return count() == 0 ? "not measured" : p99Ms() <= goalMs ? "met" : "MISSED";
    }

    /** For people. */
    synchronized String text() {
        return String.format(
                Locale.ROOT,
                "n=%d p50=%.1f ms p99=%.1f ms max=%.1f ms",
                count(),
                micros.getValueAtPercentile(50) / 1e3,
                p99Ms(),
                micros.getMaxValue() / 1e3);
    }

    /** For a record. */
    synchronized String pairs(String name) {
        return String.format(
                Locale.ROOT,
                "%1$s_n=%2$d %1$s_p50_ms=%3$.1f %1$s_p99_ms=%4$.1f %1$s_max_ms=%5$.1f",
                name,
                count(),
                micros.getValueAtPercentile(50) / 1e3,
                p99Ms(),
                micros.getMaxValue() / 1e3);
    }
}

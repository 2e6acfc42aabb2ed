package io.mhsld.stress.storm;

import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What the storm did, saw and found wrong. Any thread. */
public final class Tally {
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int SLOWEST = 5;

    /** Reads on one path. */
    private static final class Reads {
        private long count;
        private long marked;
    }

    private final PrintStream out;
    private final Map<String, Long> operations = new TreeMap<>();
    private final Map<String, Long> deeds = new TreeMap<>();
    private final Map<String, Reads> reads = new TreeMap<>();
    private final List<String> violations = new ArrayList<>();
    private final Histogram onConflict = new Histogram(TimeUnit.MINUTES.toMicros(5), SIGNIFICANT_DIGITS);
    private final TreeMap<Long, String> slowest = new TreeMap<>();
    private final Histogram gone = new Histogram(TimeUnit.MINUTES.toMicros(5), SIGNIFICANT_DIGITS);
    private final Histogram withoutConflict = new Histogram(TimeUnit.MINUTES.toMicros(5), SIGNIFICANT_DIGITS);

    Tally(PrintStream out) {
        this.out = out;
    }

    /** A request that was answered. */
    public synchronized void operation(String kind) {
        operations.merge(kind, 1L, Long::sum);
    }

    /** Something that was done to a process or the device. */
    synchronized void deed(String kind) {
        deeds.merge(kind, 1L, Long::sum);
    }

    /**
     * A read that was checked.
     *
     * @param marked on this block the path could have shown another one's bytes
     */
    synchronized void read(String path, boolean marked) {
        Reads entry = reads.computeIfAbsent(path, unused -> new Reads());
        entry.count++;
        entry.marked += marked ? 1 : 0;
    }

    /** A process that was killed is gone, by the kernel's word. */
    synchronized void gone(long tookNs) {
        gone.recordValue(TimeUnit.NANOSECONDS.toMicros(tookNs));
    }

    /**
     * Another head got a block of a dead one.
     *
     * @param course what took how long
     */
    synchronized void claimableOnConflict(long tookNs, String course) {
        onConflict.recordValue(TimeUnit.NANOSECONDS.toMicros(tookNs));
        slowest.put(tookNs, course);
        if (slowest.size() > SLOWEST) {
            slowest.pollFirstEntry();
        }
    }

    synchronized void claimableWithoutConflict(long tookNs) {
        withoutConflict.recordValue(TimeUnit.NANOSECONDS.toMicros(tookNs));
    }

    /** Something that must never be. */
    public synchronized void violation(String format, Object... arguments) {
        String text = Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + String.format(format, arguments);
        violations.add(text);
        out.println("VIOLATION " + text);
        out.flush();
    }

    /** All that was found wrong. */
    public synchronized List<String> violations() {
        return List.copyOf(violations);
    }

    /** What was done, of the kinds that begin so. */
    public synchronized long deeds(String prefix) {
        return deeds.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /** Requests that were answered. */
    public synchronized long operations() {
        return operations.values().stream().mapToLong(Long::longValue).sum();
    }

    synchronized long readsChecked(String prefix) {
        return reads.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .mapToLong(entry -> entry.getValue().count)
                .sum();
    }

    synchronized Histogram onConflict() {
        return onConflict.copy();
    }

    /** The course of the slowest claims from the dead. */
    synchronized List<String> slowest() {
        return List.copyOf(slowest.descendingMap().values());
    }

    synchronized Histogram gone() {
        return gone.copy();
    }

    synchronized Histogram withoutConflict() {
        return withoutConflict.copy();
    }

    /** Prints what was counted. */
    public synchronized void print() {
        out.println("operations by kind: total=" + operations());
        operations.forEach((kind, count) -> out.printf("  %9d  %s%n", count, kind));
        out.println("done to processes and device:");
        deeds.forEach((kind, count) -> out.printf("  %9d  %s%n", count, kind));
        out.println("reads checked, and on how many of these blocks another one's marker had been before:");
        reads.forEach((path, entry) -> out.printf("  %9d %9d  %s%n", entry.count, entry.marked, path));
    }
}

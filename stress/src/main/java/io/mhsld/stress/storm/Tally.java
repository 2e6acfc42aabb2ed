package io.mhsld.stress.storm;

import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the storm did, saw and found wrong. Any thread. */
public final class Tally {
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
    private final Times gone = new Times();
    private final Times onConflict = new Times();
    private final Times onConflictAfterEnd = new Times();
    private final Times withoutConflict = new Times();
    private final Times withoutConflictAfterEnd = new Times();

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
        gone.record(tookNs);
    }

    /**
     * Another head got a block of a dead one.
     *
     * @param goneNs how long it took the kernel to end the process; 0 when it has not told yet, but must have
     * @param course what else took how long
     */
    synchronized void claimableOnConflict(long tookNs, long goneNs, String course) {
        onConflict.record(tookNs);
        onConflict.course(tookNs, goneNs, course);
        onConflictAfterEnd.record(goneNs == 0 ? 0 : Math.max(0, tookNs - goneNs));
    }

    /** The dead one's blocks were all free, and nobody had asked. */
    synchronized void claimableWithoutConflict(long tookNs, long goneNs, String course) {
        withoutConflict.record(tookNs);
        withoutConflict.course(tookNs, goneNs, course);
        withoutConflictAfterEnd.record(goneNs == 0 ? 0 : Math.max(0, tookNs - goneNs));
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

    Times gone() {
        return gone;
    }

    Times onConflict() {
        return onConflict;
    }

    /** The part of it after the kernel had ended the process. */
    Times onConflictAfterEnd() {
        return onConflictAfterEnd;
    }

    Times withoutConflict() {
        return withoutConflict;
    }

    /** The part of it after the kernel had ended the process. */
    Times withoutConflictAfterEnd() {
        return withoutConflictAfterEnd;
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

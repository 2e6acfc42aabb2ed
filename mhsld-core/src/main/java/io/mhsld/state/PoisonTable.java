package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.MAX_POISON_RECORDS;
import static io.mhsld.state.StateFileDescriptor.MAX_UNLISTED_POISON;
import static io.mhsld.state.StateFileDescriptor.POISON_ADDING_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_FLAGS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_LIST_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_OVERFLOW_NS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_RECORDS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_RECORD_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_SOURCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_TABLE_HEADER_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_UNLISTED_OFFSET;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory that is known to be bad, whoever owns it. There are two lists, of which one counts: a writer fills the other one and then says, with one
 * store, that it counts. So a writer may die anywhere and the list is what it was or what it was to become. Writers hold the table lock; a reader
 * looks again when the lists changed places under it.
 *
 * <p>Whoever adds poison says so before it looks whose the blocks are: who claims blocks meanwhile is seen by it, or sees that, and waits for the
 * lock. One that died doing so left the word as it was; the next one with the lock takes it back.
 */
public final class PoisonTable {
    /** Records that the list has room for. */
    public static final int MAX_RECORDS = MAX_POISON_RECORDS;

    /** Records beyond these, which the poison list does not show. */
    public static final int MAX_UNLISTED = MAX_UNLISTED_POISON;

    /** Poison comes in lines of so many bytes. */
    public static final long LINE_BYTES = 64;

    /** The largest number that stands for a source (CXL r3.1 table 8-140). */
    static final int LAST_SOURCE = 7;

    private static final int OVERFLOW = 1;
    private static final int MAX_READ_ATTEMPTS = 1000;

    private final SharedMemory table;

    PoisonTable(SharedMemory table) {
        this.table = table;
    }

    /**
     * A run of bad lines.
     *
     * @param startDpa first byte, a multiple of {@link #LINE_BYTES}
     * @param lengthBytes a multiple of {@link #LINE_BYTES}
     * @param source who says so, as the specification numbers it
     */
    public record Run(long startDpa, long lengthBytes, int source) {
        /** True when somebody can have meant it: whole lines of one region, and a source. */
        public boolean isPossible(Geometry geometry) {
            if (lengthBytes <= 0 || (startDpa | lengthBytes) % LINE_BYTES != 0 || source < 0 || source > LAST_SOURCE) {
                return false;
            }
            return geometry.regions().stream()
                    .anyMatch(region -> startDpa >= region.baseDpa()
                            && startDpa < region.endDpa()
                            && lengthBytes <= region.endDpa() - startDpa);
        }
    }

    /**
     * The list at one moment.
     *
     * @param records what the poison list shows
     * @param unlisted what it had no room for
     * @param hasOverflowed there was such poison since the last scan that recovered all
     * @param overflowNs when that was, nanoseconds since 1970
     * @param generation changes with each writing
     */
    public record Snapshot(
            List<Run> records, List<Run> unlisted, boolean hasOverflowed, long overflowNs, long generation) {
        /** Copies the list. */
        public Snapshot {
            records = List.copyOf(records);
            unlisted = List.copyOf(unlisted);
        }
    }

    /** Changes with each writing: who remembers the list need not read it while this stays. */
    public long generationVolatile() {
        return table.getLongVolatile(0) >>> 1;
    }

    /** The list that counts. */
    public Snapshot read() {
        for (int attempt = 0; ; attempt++) {
            long current = table.getLongAcquire(0);
            Snapshot snapshot = readPlain(current);
            VarHandle.acquireFence();
            // A reader that always meets a writer takes what it has: a list that was valid when it began, or nearly so.
            if (table.getLongPlain(0) == current || attempt == MAX_READ_ATTEMPTS) {
                return snapshot;
            }
        }
    }

    /**
     * Under the table lock: the list is now this.
     *
     * @throws IllegalArgumentException when there is no room for so many records
     */
    public void writeRelease(List<Run> records, List<Run> unlisted, boolean hasOverflowed, long overflowNs) {
        if (records.size() > MAX_RECORDS || unlisted.size() > MAX_UNLISTED) {
            throw new IllegalArgumentException("too many records: records=" + records.size() + " limit=" + MAX_RECORDS
                    + " unlisted=" + unlisted.size() + " limit=" + MAX_UNLISTED);
        }
        long current = table.getLongVolatile(0);
        int list = list(current ^ 1);
        writePlain(list, 0, records);
        writePlain(list, MAX_RECORDS, unlisted);
        table.putIntPlain(list + POISON_COUNT_OFFSET, records.size());
        table.putIntPlain(list + POISON_UNLISTED_OFFSET, unlisted.size());
        table.putIntPlain(list + POISON_FLAGS_OFFSET, hasOverflowed ? OVERFLOW : 0);
        table.putLongPlain(list + POISON_OVERFLOW_NS_OFFSET, overflowNs);
        CrashPoint.POISON_WRITTEN.reached();
        table.putLongRelease(0, ((current >>> 1) + 1) << 1 | (~current & 1));
        CrashPoint.POISON_SET.reached();
    }

    private void writePlain(int list, int first, List<Run> records) {
        for (int i = 0; i < records.size(); i++) {
            int at = record(list, first + i);
            table.putLongPlain(at, records.get(i).startDpa);
            table.putLongPlain(at + Long.BYTES, records.get(i).lengthBytes);
            table.putIntPlain(at + POISON_SOURCE_OFFSET, records.get(i).source);
        }
    }

    /** Under the table lock: poison is about to be added. What is loaded after it, is loaded after everybody can see it. */
    public void beginAdding() {
        table.putLongRelease(POISON_ADDING_OFFSET, 1);
        VarHandle.fullFence();
        CrashPoint.POISON_ANNOUNCED.reached();
    }

    /** Under the table lock: it is added, or will not be; also what one that died had begun. */
    public void endAdding() {
        table.putLongRelease(POISON_ADDING_OFFSET, 0);
    }

    /** Somebody is adding poison, or died doing so: without the table lock nobody knows where. */
    public boolean isAddingVolatile() {
        return addingVolatile() != 0;
    }

    long addingVolatile() {
        return table.getLongVolatile(POISON_ADDING_OFFSET);
    }

    boolean isAddingUnsound() {
        return (addingVolatile() & ~1) != 0;
    }

    /** False when generation and list do not go together, or the generation is out of its range. */
    boolean isCurrentSound() {
        long current = currentVolatile();
        return (current >>> 1 & 1) == (current & 1) && current >= 0 && current <= RowCheck.LAST_NUMBER;
    }

    long currentVolatile() {
        return table.getLongVolatile(0);
    }

    /** Repair, under the table lock: only what somebody can have meant stays. True when there was something else. */
    boolean mend(Geometry geometry) {
        if (isAddingVolatile()) {
            endAdding();
        }
        Snapshot met = read();
        List<Run> possible =
                met.records.stream().filter(run -> run.isPossible(geometry)).toList();
        List<Run> unlisted =
                met.unlisted.stream().filter(run -> run.isPossible(geometry)).toList();
        boolean isSound = isCurrentSound()
                && possible.size() == countPlain()
                && unlisted.size() == unlistedCountPlain()
                && isKnownFlags(flagsPlain());
        if (!isSound) {
            long current = currentVolatile() & RowCheck.LAST_NUMBER & ~0b11;
            table.putLongRelease(0, current | (currentVolatile() & 1) * 0b11);
            writeRelease(possible, unlisted, met.hasOverflowed, met.overflowNs);
        }
        return !isSound;
    }

    /** As it stands in the list that counts, whether so many have room or not. */
    int countPlain() {
        return table.getIntPlain(list(table.getLongVolatile(0)) + POISON_COUNT_OFFSET);
    }

    int unlistedCountPlain() {
        return table.getIntPlain(list(table.getLongVolatile(0)) + POISON_UNLISTED_OFFSET);
    }

    int flagsPlain() {
        return table.getIntPlain(list(table.getLongVolatile(0)) + POISON_FLAGS_OFFSET);
    }

    /** Where in the section the list that counts has its record of that number; unlisted ones follow the {@link #MAX_RECORDS} others. */
    int recordPlace(int index) {
        return record(list(table.getLongVolatile(0)), index);
    }

    int listPlace() {
        return list(table.getLongVolatile(0));
    }

    static boolean isKnownFlags(int flags) {
        return (flags & ~OVERFLOW) == 0;
    }

    private Snapshot readPlain(long current) {
        int list = list(current);
        return new Snapshot(
                readPlain(list, 0, table.getIntPlain(list + POISON_COUNT_OFFSET), MAX_RECORDS),
                readPlain(list, MAX_RECORDS, table.getIntPlain(list + POISON_UNLISTED_OFFSET), MAX_UNLISTED),
                (table.getIntPlain(list + POISON_FLAGS_OFFSET) & OVERFLOW) != 0,
                table.getLongPlain(list + POISON_OVERFLOW_NS_OFFSET),
                current >>> 1);
    }

    private List<Run> readPlain(int list, int first, int count, int limit) {
        // A damaged count must not lead out of the list.
        int sound = Math.min(Math.max(0, count), limit);
        List<Run> records = new ArrayList<>(sound);
        for (int i = 0; i < sound; i++) {
            int at = record(list, first + i);
            records.add(new Run(
                    table.getLongPlain(at),
                    table.getLongPlain(at + Long.BYTES),
                    table.getIntPlain(at + POISON_SOURCE_OFFSET)));
        }
        return records;
    }

    private static int list(long current) {
        return POISON_TABLE_HEADER_LENGTH + (int) (current & 1) * POISON_LIST_LENGTH;
    }

    private static int record(int list, int index) {
        return list + POISON_RECORDS_OFFSET + index * POISON_RECORD_LENGTH;
    }
}

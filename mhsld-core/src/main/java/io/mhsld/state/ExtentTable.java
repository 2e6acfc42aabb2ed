package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_DPA_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_ENTRY_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_GROUP_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_SEQUENCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TABLE_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TAG_HIGH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TAG_LOW_OFFSET;
import static io.mhsld.state.StateFileDescriptor.GENERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAX_EXTENTS;
import static io.mhsld.state.StateFileDescriptor.SEQUENCE_OFFSET;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The extents that a head holds, as the other processes may see them. One writer, the holder of the head's lease; any number of readers, which
 * get the lists of one moment or nothing: a seqlock, odd while the writer is at work. A writer that dies leaves it odd, and the next holder of
 * the lease writes it anew.
 */
public final class ExtentTable {
    /** A reader gives up after so many tries, each of which met a writer at work. */
    private static final int MAX_READ_ATTEMPTS = 1000;

    private final SharedMemory tables;
    private final int base;

    ExtentTable(SharedMemory tables, int head) {
        this.tables = tables;
        this.base = head * EXTENT_TABLE_LENGTH;
    }

    /**
     * One extent of the table.
     *
     * @param startDpa first byte
     * @param lengthBytes length
     * @param tag the nil UUID for none
     * @param sharedSequence 0 when not shared
     * @param pendingGroup the group that awaits the host's answer, 0 when the extent is accepted
     */
    public record Entry(long startDpa, long lengthBytes, UUID tag, int sharedSequence, long pendingGroup) {
        /** True when the host has not answered yet. */
        public boolean isPending() {
            return pendingGroup != 0;
        }
    }

    /** An entry, and the place in the table where it stands, from 0. */
    public record Placed(int place, Entry entry) {}

    /** The whole table at one moment. */
    public record Snapshot(List<Entry> entries, int generation) {}

    /**
     * Replaces the table. Readers see the old one, or the new one, or that it is being written.
     *
     * @throws IllegalArgumentException when there are more extents than the table has room for
     */
    public void writeSeqlock(List<Entry> entries, int generation) {
        writeSeqlock(entries, generation, tables.getLongPlain(base + SEQUENCE_OFFSET));
    }

    /**
     * The same by a writer that knows what it wrote before: what stands there now may be damage.
     *
     * @param lastSequence what its last writing came to
     * @return what this one comes to
     * @throws IllegalArgumentException when there are more extents than the table has room for
     */
    public long writeSeqlock(List<Entry> entries, int generation, long lastSequence) {
        List<Placed> all = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            all.add(new Placed(all.size(), entry));
        }
        return writeSeqlock(entries.size(), all, generation, lastSequence);
    }

    /**
     * The same, leaving alone what is to stay as it was written before. Damage to that is left to the writer's look at what is its own.
     *
     * @param count how many entries there are from now on
     * @param changes those that are others than before
     */
    public long writeSeqlock(int count, List<Placed> changes, int generation, long lastSequence) {
        if (count > MAX_EXTENTS) {
            throw new IllegalArgumentException("too many extents: extents=" + count + " limit=" + MAX_EXTENTS);
        }
        long odd = lastSequence | 1;
        tables.putLongRelease(base + SEQUENCE_OFFSET, odd);
        // The odd sequence must be seen before any of the stores that follow.
        VarHandle.fullFence();
        for (Placed change : changes) {
            writePlain(base + EXTENTS_OFFSET + change.place * EXTENT_ENTRY_LENGTH, change.entry);
        }
        tables.putIntPlain(base + GENERATION_OFFSET, generation);
        tables.putIntPlain(base + EXTENT_COUNT_OFFSET, count);
        tables.putLongRelease(base + SEQUENCE_OFFSET, odd + 1);
        return odd + 1;
    }

    private void writePlain(int offset, Entry entry) {
        tables.putLongPlain(offset + EXTENT_DPA_OFFSET, entry.startDpa);
        tables.putLongPlain(offset + EXTENT_LENGTH_OFFSET, entry.lengthBytes);
        tables.putLongPlain(offset + EXTENT_TAG_HIGH_OFFSET, entry.tag.getMostSignificantBits());
        tables.putLongPlain(offset + EXTENT_TAG_LOW_OFFSET, entry.tag.getLeastSignificantBits());
        tables.putLongPlain(offset + EXTENT_GROUP_OFFSET, entry.pendingGroup);
        tables.putIntPlain(offset + EXTENT_SEQUENCE_OFFSET, entry.sharedSequence);
    }

    /** Repair, by the writer: the sequence that its last writing came to. */
    public void writeSequenceRelease(long lastSequence) {
        tables.putLongRelease(base + SEQUENCE_OFFSET, lastSequence);
    }

    /** The table at one moment; empty when a writer was at work all the time, or died at work. */
    public Optional<Snapshot> readSeqlock() {
        for (int attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++) {
            long before = tables.getLongAcquire(base + SEQUENCE_OFFSET);
            if ((before & 1) == 0) {
                Snapshot snapshot = readPlain();
                VarHandle.acquireFence();
                if (tables.getLongPlain(base + SEQUENCE_OFFSET) == before) {
                    return Optional.of(snapshot);
                }
            }
            Thread.onSpinWait();
        }
        return Optional.empty();
    }

    /** Odd while the table is being written. */
    public long sequenceAcquire() {
        return tables.getLongAcquire(base + SEQUENCE_OFFSET);
    }

    /** False when the table says that it holds more extents than it has room for, or less than none. */
    public boolean isCountSound() {
        int count = countPlain();
        return count >= 0 && count <= MAX_EXTENTS;
    }

    /** As it stands there, whether so many have room or not. */
    int countPlain() {
        return tables.getIntPlain(base + EXTENT_COUNT_OFFSET);
    }

    /** Repair, with the head's lease: a sequence that no writer comes to is brought back into its range. */
    void mendRelease(long lastNumber) {
        long met = sequenceAcquire();
        if ((met & ~lastNumber) != 0) {
            tables.putLongRelease(base + SEQUENCE_OFFSET, met & lastNumber);
        }
    }

    /** False when the table says that it is empty: a quick look, before a whole reading. */
    public boolean mayHoldPlain() {
        return countPlain() != 0;
    }

    private Snapshot readPlain() {
        // A damaged or half-written count must not lead out of the table.
        int count = Math.min(Math.max(0, tables.getIntPlain(base + EXTENT_COUNT_OFFSET)), MAX_EXTENTS);
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int offset = base + EXTENTS_OFFSET + i * EXTENT_ENTRY_LENGTH;
            entries.add(new Entry(
                    tables.getLongPlain(offset + EXTENT_DPA_OFFSET),
                    tables.getLongPlain(offset + EXTENT_LENGTH_OFFSET),
                    new UUID(
                            tables.getLongPlain(offset + EXTENT_TAG_HIGH_OFFSET),
                            tables.getLongPlain(offset + EXTENT_TAG_LOW_OFFSET)),
                    tables.getIntPlain(offset + EXTENT_SEQUENCE_OFFSET),
                    tables.getLongPlain(offset + EXTENT_GROUP_OFFSET)));
        }
        return new Snapshot(entries, tables.getIntPlain(base + GENERATION_OFFSET));
    }
}

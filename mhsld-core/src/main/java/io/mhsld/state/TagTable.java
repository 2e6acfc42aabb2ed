package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.MAX_EXTENTS;
import static io.mhsld.state.StateFileDescriptor.TAG_CHECKSUM_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENT_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENT_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_HIGH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_HOLDERS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_INCARNATIONS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_LIFE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_LOW_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_REGION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_ROWS;
import static io.mhsld.state.StateFileDescriptor.TAG_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_TABLE_HEADER_LENGTH;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The tags of shared capacity: which extents belong to a tag, which heads hold it, whether the fabric manager keeps it.
 *
 * <p>Writers hold the table lock, one at a time; readers need nothing. All that a reader must see whole is one 64-bit word: the <em>life</em> of a
 * row says its state, its FM reference and its epoch, and while it says "live" in one epoch, tag, region and extents stay. So there is no moment
 * at which a row is half of something, whoever dies when.
 *
 * <p>A head <em>holds</em> a tag when its bit is among the holders and the incarnation beside it is the head's present one. Reaping raises the
 * incarnation, and with that one store the dead head holds nothing any more, in any row, without the lock. A row that no head holds and that the
 * fabric manager does not keep is <em>gone</em>: its blocks are anybody's, and nobody may join it. Somebody who has the lock makes it free later.
 * What is gone stays gone: whoever adds a holder or a reference first <em>announces</em> it, then looks whether somebody of those who held it
 * before still does, and only then makes it so. What is announced keeps others from the blocks, and lets nobody join: whoever announced it may have
 * come too late, and have died before he could take it back.
 */
public final class TagTable {
    /** Tags that a device has room for. */
    public static final int ROWS = TAG_ROWS;

    private static final int MAX_READ_ATTEMPTS = 1000;
    private static final long STATE_MASK = 0b11;
    private static final long REFERENCED = 0b100;
    private static final long BEING_REFERENCED = 0b1000;
    private static final int EPOCH_SHIFT = 16;
    private static final long KNOWN_BITS = STATE_MASK | REFERENCED | BEING_REFERENCED | -1L << EPOCH_SHIFT;

    /** What a row is. */
    public enum State {
        /** Nothing. */
        FREE(0),
        /** A tag and its extents. */
        LIVE(1),
        /** The last reference has gone, and its memory is being given back: nobody may claim its blocks yet. */
        FREEING(2),
        /** The file holds a number that means nothing. */
        DAMAGED(3);

        private final int number;

        State(int number) {
            this.number = number;
        }

        private static State of(long life) {
            State state = values()[(int) (life & STATE_MASK)];
            // Only what is live can be kept.
            boolean isKept = (life & (REFERENCED | BEING_REFERENCED)) != 0;
            boolean makesSense = (life & ~KNOWN_BITS) == 0 && (state == LIVE || !isKept);
            return makesSense ? state : DAMAGED;
        }
    }

    /** Bytes of a tag: its extents are told in the order of their shared sequence, which counts from 1. */
    public record Range(long startDpa, long lengthBytes) {
        /** First byte after it. */
        public long endDpa() {
            return startDpa + lengthBytes;
        }

        /** True when at least one byte lies in both. */
        public boolean overlaps(long otherStart, long otherLength) {
            return startDpa < otherStart + otherLength && otherStart < endDpa();
        }
    }

    /**
     * A row at one moment.
     *
     * @param row its place in the table
     * @param life state, reference and epoch, as they stand in the file
     * @param holders heads that hold it now
     * @param staleHolders heads that once did, in an incarnation that is over
     */
    public record Entry(
            int row, long life, long holders, long staleHolders, UUID tag, int region, List<Range> extents) {
        /** What the row is. */
        public State state() {
            return State.of(life);
        }

        /** The fabric manager keeps it. */
        public boolean isReferenced() {
            return (life & REFERENCED) != 0;
        }

        /** Counts the lives of the row. */
        public long epoch() {
            return life >>> EPOCH_SHIFT;
        }

        /** Nobody holds it and nothing keeps it. */
        public boolean isGone() {
            return state() == State.LIVE && holders == 0 && !isReferenced();
        }

        /** True when head <i>h</i> holds it. */
        public boolean isHeldBy(int head) {
            return (holders >>> head & 1) != 0;
        }

        /** Of all its extents. */
        public long lengthBytes() {
            return extents.stream().mapToLong(Range::lengthBytes).sum();
        }
    }

    private final SharedMemory table;
    private final HeadTable heads;
    private final int headCount;

    TagTable(SharedMemory table, HeadTable heads, Geometry geometry) {
        this.table = table;
        this.heads = heads;
        this.headCount = geometry.headCount();
    }

    // ---- reading

    /** Odd while the table is being changed, else what it was as long as no row of it became another. Not moved by heads that die. */
    public long sequenceVolatile() {
        return table.getLongVolatile(0);
    }

    /** What a life says that the row is. */
    public static State stateOf(long life) {
        return State.of(life);
    }

    /** What a life says of the FM reference. */
    public static boolean isReferenced(long life) {
        return (life & REFERENCED) != 0;
    }

    /** What a life says of an FM reference that is announced. */
    public static boolean isBeingReferenced(long life) {
        return (life & BEING_REFERENCED) != 0;
    }

    /** The epoch of a life. */
    public static long epochOf(long life) {
        return life >>> EPOCH_SHIFT;
    }

    /** Bits of heads that hold the row, or held it in an incarnation that is over. */
    public long holderBitsVolatile(int row) {
        return table.getLongVolatile(row(row) + TAG_HOLDERS_OFFSET);
    }

    /** True when the row is something: live, or being freed, or damaged. */
    public boolean isUsedVolatile(int row) {
        return State.of(lifeVolatile(row)) != State.FREE;
    }

    /** State, reference and epoch of a row. */
    public long lifeVolatile(int row) {
        return table.getLongVolatile(row(row) + TAG_LIFE_OFFSET);
    }

    /** The row at one moment; empty when it is free, or became another one again and again. */
    public Optional<Entry> read(int row) {
        for (int attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++) {
            long life = lifeVolatile(row);
            if (State.of(life) == State.FREE) {
                return Optional.empty();
            }
            Entry entry = readPlain(row, life);
            VarHandle.acquireFence();
            if (lifeVolatile(row) == life) {
                return Optional.of(entry);
            }
            Thread.onSpinWait();
        }
        return Optional.empty();
    }

    /** All rows that are not free, each at one moment. */
    public List<Entry> readAll() {
        List<Entry> all = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            read(row).ifPresent(all::add);
        }
        return all;
    }

    /** The row of a tag that is not gone; none of one that is being freed. */
    public Optional<Entry> find(UUID tag) {
        for (int row = 0; row < ROWS; row++) {
            int at = row(row);
            if (State.of(lifeVolatile(row)) == State.LIVE
                    && table.getLongPlain(at + TAG_HIGH_OFFSET) == tag.getMostSignificantBits()
                    && table.getLongPlain(at + TAG_LOW_OFFSET) == tag.getLeastSignificantBits()) {
                Optional<Entry> entry = read(row).filter(met -> met.tag.equals(tag) && !met.isGone());
                if (entry.isPresent()) {
                    return entry;
                }
            }
        }
        return Optional.empty();
    }

    /** The heads that hold the row, whatever its state: bit and incarnation agree. */
    public long holdersVolatile(int row) {
        long holders = 0;
        for (long bits = table.getLongVolatile(row(row) + TAG_HOLDERS_OFFSET) & existing();
                bits != 0;
                bits &= bits - 1) {
            int head = Long.numberOfTrailingZeros(bits);
            long incarnation = heads.incarnationAcquire(head);
            // None is a number that nobody has had a life with.
            if (incarnation != 0 && table.getLongVolatile(incarnation(row, head)) == incarnation) {
                holders |= 1L << head;
            }
        }
        return holders;
    }

    /** True when somebody holds a live row or keeps it, or has announced that: its blocks are not to be claimed. */
    public boolean isSpokenForVolatile(int row) {
        if ((lifeVolatile(row) & (REFERENCED | BEING_REFERENCED)) != 0) {
            return true;
        }
        for (long bits = holderBitsVolatile(row) & existing(); bits != 0; bits &= bits - 1) {
            int head = Long.numberOfTrailingZeros(bits);
            long place = table.getLongVolatile(incarnation(row, head));
            long incarnation = heads.incarnationAcquire(head);
            if (incarnation != 0 && (place == incarnation || place == ~incarnation)) {
                return true;
            }
        }
        return false;
    }

    /** False when the row says of its tag, region or extents something else than what was once written. */
    public boolean isWhole(Entry entry) {
        return table.getIntPlain(row(entry.row) + TAG_CHECKSUM_OFFSET)
                == checksum(entry.epoch(), entry.tag, entry.region, entry.extents);
    }

    // ---- writing, under the table lock

    /** A change begins: readers must not rely on what they remember of the table. */
    public void beginChange() {
        table.putLongRelease(0, sequenceVolatile() | 1);
        VarHandle.fullFence();
    }

    /** The change is over. */
    public void endChange() {
        table.putLongRelease(0, (sequenceVolatile() | 1) + 1);
    }

    /** A row that is nothing; -1 when there is none. */
    public int findFree() {
        for (int row = 0; row < ROWS; row++) {
            if (State.of(lifeVolatile(row)) == State.FREE) {
                return row;
            }
        }
        return -1;
    }

    /** How many rows are nothing. */
    public int countFreeVolatile() {
        int free = 0;
        for (int row = 0; row < ROWS; row++) {
            free += State.of(lifeVolatile(row)) == State.FREE ? 1 : 0;
        }
        return free;
    }

    /** Fills a free row; {@link #publish} makes it live. */
    public void fillPlain(int row, UUID tag, int region, List<Range> extents) {
        if (extents.isEmpty() || extents.size() > MAX_EXTENTS) {
            throw new IllegalArgumentException("extents of a tag: extents=" + extents.size() + " limit=" + MAX_EXTENTS);
        }
        int at = row(row);
        // Whoever still reads what the row was before must not see what follows and take it for that.
        VarHandle.fullFence();
        table.putLongRelease(at + TAG_HOLDERS_OFFSET, 0);
        table.putLongPlain(at + TAG_HIGH_OFFSET, tag.getMostSignificantBits());
        table.putLongPlain(at + TAG_LOW_OFFSET, tag.getLeastSignificantBits());
        table.putIntPlain(at + TAG_REGION_OFFSET, region);
        table.putIntPlain(at + TAG_EXTENT_COUNT_OFFSET, extents.size());
        table.putIntPlain(at + TAG_CHECKSUM_OFFSET, checksum(lifeVolatile(row) >>> EPOCH_SHIFT, tag, region, extents));
        for (int i = 0; i < extents.size(); i++) {
            table.putLongPlain(extent(at, i), extents.get(i).startDpa);
            table.putLongPlain(extent(at, i) + Long.BYTES, extents.get(i).lengthBytes);
        }
    }

    /** Makes a filled row live; whoever sees that sees all of it. */
    public void publish(int row, boolean isReferenced) {
        putLife(row, epochBits(row) | State.LIVE.number | (isReferenced ? REFERENCED : 0));
    }

    /** The head may come to hold the row: {@link #addHolder} makes it so. Seen by whoever looks after this returns. */
    public void announceHolder(int row, int head) {
        putHolder(row, head, ~heads.incarnationAcquire(head));
    }

    /** The head holds the row from here on, in its present incarnation. Seen by whoever looks after this returns. */
    public void addHolder(int row, int head) {
        putHolder(row, head, heads.incarnationAcquire(head));
    }

    private void putHolder(int row, int head, long incarnation) {
        table.putLongRelease(incarnation(row, head), incarnation);
        int at = row(row) + TAG_HOLDERS_OFFSET;
        table.putLongRelease(at, table.getLongVolatile(at) | 1L << head);
        VarHandle.fullFence();
    }

    /** The head does not hold the row any more. */
    public void removeHolder(int row, int head) {
        removeHolders(row, 1L << head);
    }

    /** These heads do not. */
    public void removeHolders(int row, long bits) {
        int at = row(row) + TAG_HOLDERS_OFFSET;
        table.putLongRelease(at, table.getLongVolatile(at) & ~bits);
        VarHandle.fullFence();
    }

    /** The fabric manager may come to keep the row, or does not after all: {@link #setReferenced} makes it so. */
    public void announceReference(int row, boolean isAnnounced) {
        long life = lifeVolatile(row);
        putLife(row, isAnnounced ? life | BEING_REFERENCED : life & ~BEING_REFERENCED);
    }

    /** The fabric manager keeps the row, or does not any more. Seen by whoever looks after this returns. */
    public void setReferenced(int row, boolean isReferenced) {
        long life = lifeVolatile(row) & ~BEING_REFERENCED;
        putLife(row, isReferenced ? life | REFERENCED : life & ~REFERENCED);
    }

    /** From here on nobody may join it, and nobody claim its blocks. */
    public void beginFreeing(int row) {
        putLife(row, epochBits(row) | State.FREEING.number);
    }

    /** The row is nothing any more; it says so in a new epoch. */
    public void free(int row) {
        putLife(row, epochBits(row) + (1L << EPOCH_SHIFT) | State.FREE.number);
    }

    /** Repair: brings the sequence back into its range. */
    void mendSequenceRelease(long lastNumber) {
        long met = sequenceVolatile();
        if ((met & ~lastNumber) != 0) {
            table.putLongRelease(0, met & lastNumber);
        }
    }

    private void putLife(int row, long life) {
        table.putLongRelease(row(row) + TAG_LIFE_OFFSET, life);
        VarHandle.fullFence();
    }

    private long epochBits(int row) {
        return lifeVolatile(row) & -1L << EPOCH_SHIFT;
    }

    // ---- places

    int extentCountPlain(int row) {
        return table.getIntPlain(row(row) + TAG_EXTENT_COUNT_OFFSET);
    }

    private Entry readPlain(int row, long life) {
        int at = row(row);
        // A damaged count must not lead out of the row.
        int count = Math.min(Math.max(0, extentCountPlain(row)), MAX_EXTENTS);
        List<Range> extents = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            extents.add(new Range(table.getLongPlain(extent(at, i)), table.getLongPlain(extent(at, i) + Long.BYTES)));
        }
        long bits = holderBitsVolatile(row) & existing();
        long holders = bits & holdersVolatile(row);
        return new Entry(
                row,
                life,
                holders,
                bits & ~holders,
                new UUID(table.getLongPlain(at + TAG_HIGH_OFFSET), table.getLongPlain(at + TAG_LOW_OFFSET)),
                table.getIntPlain(at + TAG_REGION_OFFSET),
                List.copyOf(extents));
    }

    private static int checksum(long epoch, UUID tag, int region, List<Range> extents) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * Long.BYTES + extents.size() * TAG_EXTENT_LENGTH);
        bytes.putLong(epoch).putLong(tag.getMostSignificantBits()).putLong(tag.getLeastSignificantBits());
        bytes.putInt(region).putInt(extents.size());
        extents.forEach(range -> bytes.putLong(range.startDpa).putLong(range.lengthBytes));
        CRC32C crc = new CRC32C();
        crc.update(bytes.flip());
        return (int) crc.getValue();
    }

    private long existing() {
        return headCount == Long.SIZE ? -1L : (1L << headCount) - 1;
    }

    private static int row(int row) {
        if (row < 0 || row >= ROWS) {
            throw new IllegalArgumentException("no such row: row=" + row + " rows=" + ROWS);
        }
        return TAG_TABLE_HEADER_LENGTH + row * TAG_ROW_LENGTH;
    }

    private static int extent(int rowOffset, int index) {
        return rowOffset + TAG_EXTENTS_OFFSET + index * TAG_EXTENT_LENGTH;
    }

    private static int incarnation(int row, int head) {
        return row(row) + TAG_INCARNATIONS_OFFSET + head * Long.BYTES;
    }
}

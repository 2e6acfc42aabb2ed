package io.mhsld.state;

import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.HeadTable.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Looks whether what must always hold does hold in a state file: the same eyes for tests, {@code verify} and {@code recover}. It only reads, and
 * may look while heads are at work: of a head that changes something meanwhile it looks again, for a while, and then says that it was busy.
 *
 * <p>It sees the parts of I1, I2, I5, I6 and I8 that are in the file, and by opening it at all, I7. What a file cannot show (I3, I4, and the
 * "at no instant" of I1) the tests prove by other means.
 */
public final class Inspector {
    private static final int MAX_ATTEMPTS = 200;
    private static final long RETRY_PAUSE_NS = 1_000_000;
    private static final int MAX_FINDINGS = 100;

    /** A head whose blocks were not the same at two looks, all the time. */
    private static final long UNKNOWN = -1;

    /**
     * Something that must hold and does not.
     *
     * @param invariant "I1" to "I8"
     * @param message what is wrong: which block, head, value
     */
    public record Finding(String invariant, String message) {
        @Override
        public String toString() {
            return invariant + " " + message;
        }
    }

    /**
     * The result of one look.
     *
     * @param findings what is wrong; no more than 100, the last one says how many more there are
     * @param notes what is not wrong and worth knowing: dead heads that wait to be reaped, heads that were busy
     * @param ownedBlocks for each head how many blocks have its bit, -1 when it was busy
     * @param freeBlocks blocks without any bit
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Report(List<Finding> findings, List<String> notes, long[] ownedBlocks, long freeBlocks) {
        /** True when nothing is wrong. */
        public boolean isSound() {
            return findings.isEmpty();
        }
    }

    private final StateFile state;
    private final IntPredicate lives;
    private final Geometry geometry;
    private final OwnerMap map;
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private int suppressed;

    private Inspector(StateFile state, IntPredicate lives) {
        this.state = state;
        this.lives = lives;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
    }

    /**
     * Looks once at the whole file.
     *
     * @param lives whether some process holds the lease of a head
     */
    public static Report inspect(StateFile state, IntPredicate lives) {
        return new Inspector(state, lives).inspect();
    }

    private Report inspect() {
        long free = checkLanes();
        long[] owned = new long[geometry.headCount()];
        for (int head = 0; head < owned.length; head++) {
            owned[head] = checkHead(head);
        }
        checkSum(free, owned);
        if (suppressed > 0) {
            findings.add(new Finding("I1", "and more of these: findings=" + suppressed));
        }
        return new Report(List.copyOf(findings), List.copyOf(notes), owned, free);
    }

    /** I1: every lane has one bit at most, and no bit of a head that does not exist. */
    private long checkLanes() {
        long heads = geometry.headCount() == Long.SIZE ? -1L : (1L << geometry.headCount()) - 1;
        long free = 0;
        for (long block = 0; block < map.blockCount(); block++) {
            long lane = map.ownersVolatile(block);
            if (lane == 0) {
                free++;
            } else if ((lane & ~heads) != 0) {
                found("I1", "owner is no head: block=%d lane=0x%x heads=%d", block, lane, geometry.headCount());
            } else if (Long.bitCount(lane) > 1) {
                found("I1", "block has several owners: block=%d owners=%s", block, headsOf(lane));
            }
        }
        if (map.padding() != 0) {
            found(
                    "I1",
                    "lanes beyond the last block are not empty: lanes=0x%x blocks=%d",
                    map.padding(),
                    map.blockCount());
        }
        return free;
    }

    /** I2, I5, I6, I8 of one head; returns how many blocks it owns. */
    private long checkHead(int head) {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            long operation = state.heads().operationAcquire(head);
            Row row = state.heads().readAcquire(head);
            boolean alive = lives.test(head);
            Optional<ExtentTable.Snapshot> table = state.extents(head).readSeqlock();
            boolean interrupted = (operation & 1) != 0 || table.isEmpty();
            if (!interrupted) {
                List<long[]> runs = runsOf(head);
                long counted = state.counters(head).getAcquire(Counter.BLOCKS_OWNED);
                boolean unchanged = operation == state.heads().operationAcquire(head)
                        && row.equals(state.heads().readAcquire(head));
                if (unchanged) {
                    return judge(row, alive, table.get(), runs, counted);
                }
            } else if (!alive) {
                notes.add("head died in the middle of an operation, the next claim or recover frees its blocks: head="
                        + head + " blocks=" + map.countVolatile(head) + " pid=" + row.pid());
                return map.countVolatile(head);
            }
            LockSupport.parkNanos(RETRY_PAUSE_NS);
        }
        if (state.heads().stateAcquire(head) == State.REAPING) {
            noteReaping(head);
            return UNKNOWN;
        }
        notes.add("head was busy all the time, its extents were not compared: head=" + head);
        return UNKNOWN;
    }

    private void noteReaping(int head) {
        notes.add("head is being reaped; if that does not end, the process that reaps it is stopped: head=" + head
                + " blocks=" + map.countVolatile(head));
    }

    private long judge(Row row, boolean alive, ExtentTable.Snapshot table, List<long[]> runs, long counted) {
        int head = row.head();
        long owned = runs.stream().mapToLong(run -> run[1]).sum();
        compareWithExtents(head, table, runs);
        if (row.state() == State.DAMAGED) {
            found("I6", "head table row makes no sense: head=%d", head);
        }
        if (row.state() == State.FREE && (owned > 0 || !table.entries().isEmpty())) {
            found("I6", "nobody is this head, and it holds capacity: head=%d blocks=%d", head, owned);
        }
        if (row.state() != State.FREE && !alive) {
            notes.add("head is dead, the next claim or recover frees its blocks: head=" + head + " blocks=" + owned
                    + " pid=" + row.pid());
        }
        if (row.state() == State.REAPING && alive) {
            noteReaping(head);
        }
        if (counted != owned) {
            found("I8", "counter and owner map disagree: head=%d counted=%d owned=%d", head, counted, owned);
        }
        return owned;
    }

    /** I2: the head's runs of blocks are exactly its extents, none of which overlap. */
    private void compareWithExtents(int head, ExtentTable.Snapshot table, List<long[]> runs) {
        List<long[]> extents = new ArrayList<>();
        for (ExtentTable.Entry entry : table.entries()) {
            try {
                long first = geometry.blockOfDpa(entry.startDpa());
                long last = geometry.blockOfDpa(entry.startDpa() + entry.lengthBytes() - 1);
                boolean whole = entry.startDpa() % geometry.blockSizeBytes() == 0
                        && entry.lengthBytes() % geometry.blockSizeBytes() == 0
                        && geometry.regionOfBlock(first).equals(geometry.regionOfBlock(last));
                if (!whole || entry.lengthBytes() <= 0) {
                    throw new IllegalArgumentException("not whole blocks of one region");
                }
                extents.add(new long[] {first, last - first + 1});
            } catch (IllegalArgumentException e) {
                found(
                        "I2",
                        "extent is impossible: head=%d dpa=0x%x length=0x%x (%s)",
                        head,
                        entry.startDpa(),
                        entry.lengthBytes(),
                        e.getMessage());
            }
        }
        extents.sort((a, b) -> Long.compare(a[0], b[0]));
        List<long[]> merged = new ArrayList<>();
        for (long[] extent : extents) {
            long[] previous = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (previous != null && previous[0] + previous[1] > extent[0]) {
                found("I2", "extents overlap: head=%d block=%d", head, extent[0]);
            }
            if (previous != null && previous[0] + previous[1] >= extent[0]) {
                previous[1] = Math.max(previous[1], extent[0] + extent[1] - previous[0]);
            } else {
                merged.add(extent);
            }
        }
        reportDifference(head, runs, merged);
    }

    private void reportDifference(int head, List<long[]> runs, List<long[]> extents) {
        if (equal(runs, extents)) {
            return;
        }
        for (long[] run : without(runs, extents)) {
            found("I2", "owned blocks in no extent: head=%d block=%d count=%d", head, run[0], run[1]);
        }
        for (long[] run : without(extents, runs)) {
            found("I2", "blocks of an extent are not owned: head=%d block=%d count=%d", head, run[0], run[1]);
        }
    }

    /** I8: every block is free or owned by one. */
    private void checkSum(long free, long[] owned) {
        boolean quiet = Arrays.stream(owned).noneMatch(count -> count == UNKNOWN)
                && allHeads().noneMatch(lives);
        if (quiet && free + Arrays.stream(owned).sum() != map.blockCount()) {
            found(
                    "I8",
                    "free and owned blocks do not add up: free=%d owned=%d blocks=%d",
                    free,
                    Arrays.stream(owned).sum(),
                    map.blockCount());
        }
    }

    private IntStream allHeads() {
        return IntStream.range(0, geometry.headCount());
    }

    private List<long[]> runsOf(int head) {
        List<long[]> runs = new ArrayList<>();
        map.forEachRunVolatile(head, (first, count) -> runs.add(new long[] {first, count}));
        return runs;
    }

    /** The parts of {@code minuend} that lie in no run of {@code subtrahend}; both ascend. */
    private static List<long[]> without(List<long[]> minuend, List<long[]> subtrahend) {
        List<long[]> rest = new ArrayList<>();
        for (long[] run : minuend) {
            long start = run[0];
            long end = run[0] + run[1];
            for (long[] hole : subtrahend) {
                if (hole[0] + hole[1] <= start || hole[0] >= end) {
                    continue;
                }
                if (hole[0] > start) {
                    rest.add(new long[] {start, hole[0] - start});
                }
                start = Math.max(start, hole[0] + hole[1]);
            }
            if (start < end) {
                rest.add(new long[] {start, end - start});
            }
        }
        return rest;
    }

    private static boolean equal(List<long[]> left, List<long[]> right) {
        return Arrays.deepEquals(left.toArray(), right.toArray());
    }

    private static List<Integer> headsOf(long lane) {
        List<Integer> heads = new ArrayList<>();
        for (long bits = lane; bits != 0; bits &= bits - 1) {
            heads.add(Long.numberOfTrailingZeros(bits));
        }
        return heads;
    }

    private void found(String invariant, String format, Object... arguments) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(new Finding(invariant, String.format(format, arguments)));
        } else {
            suppressed++;
        }
    }
}

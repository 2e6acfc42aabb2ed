package io.mhsld.head;

import io.mhsld.state.Counter;
import io.mhsld.state.Counters;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A live head's look at what the state file says of it. The head knows what it holds, and what is its own in the file nobody else writes: where the
 * two differ the file was damaged, and the head puts it right. Only the head itself can do that without guessing: to others a bit, an extent or a
 * row can be older or younger than what they compare it with, and so can the head.
 *
 * <p>On the head's thread and outside its operations. It stores nothing while nothing is wrong.
 */
final class SelfCheck {
    /** So much of the map is looked at each time: some milliseconds. Only a larger map takes several looks. */
    private static final long MAP_BYTES_AT_A_TIME = 8 << 20;

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final int head;
    private final OwnNumbers numbers;
    private final HeadLog log;
    private final long blocksAtATime;
    private Row row;
    private long nextBlock;

    SelfCheck(StateFile state, int head, OwnNumbers numbers, HeadLog log) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.head = head;
        this.numbers = numbers;
        this.log = log;
        this.blocksAtATime = MAP_BYTES_AT_A_TIME / geometry.laneBytes();
        rememberRow();
    }

    /** After so many looks a head has seen all that is its own. */
    static long looksPerRound(Geometry geometry) {
        long mapBytes = geometry.blockCount() * geometry.laneBytes();
        return (mapBytes + MAP_BYTES_AT_A_TIME - 1) / MAP_BYTES_AT_A_TIME;
    }

    /** What the row says now is what the head has just written. */
    void rememberRow() {
        row = state.heads().readAcquire(head);
    }

    /** Looks, and repairs. */
    void look(DynamicCapacity capacity) {
        List<Extent> accepted = capacity.recorded();
        List<PendingGroup> pending = capacity.pending();
        mendRow();
        mendNumbers();
        mendTable(accepted, pending, capacity.generation());
        List<Extent> held = new ArrayList<>(accepted);
        pending.forEach(group -> held.addAll(group.extents()));
        mendCounters(held);
        long first = nextBlock;
        long end = Math.min(first + blocksAtATime, map.blockCount());
        nextBlock = end == map.blockCount() ? 0 : end;
        mendMap(held, first, end);
    }

    private void mendRow() {
        Row met = state.heads().readAcquire(head);
        if (!met.equals(row)) {
            state.heads().writeRelease(row);
            log.say("repaired own row, which said: %s", met);
        }
    }

    private void mendNumbers() {
        List<String> mended = numbers.mend();
        if (!mended.isEmpty()) {
            log.say("repaired own numbers: %s", String.join(" ", mended));
        }
    }

    private void mendTable(List<Extent> accepted, List<PendingGroup> pending, int generation) {
        Optional<ExtentTable.Snapshot> met = state.extents(head).readSeqlock();
        ExtentTable.Snapshot known = new ExtentTable.Snapshot(SharedCapacity.entries(accepted, pending), generation);
        if (!met.equals(Optional.of(known)) || !state.extents(head).isCountSound()) {
            numbers.begin();
            numbers.writeTable(known.entries(), generation);
            numbers.end();
            log.say("repaired own extent table: extents=%d", known.entries().size());
        }
    }

    private void mendCounters(List<Extent> held) {
        long blocks = held.stream().mapToLong(Extent::lengthBytes).sum() / geometry.blockSizeBytes();
        Counters counters = state.counters(head);
        if (counters.getAcquire(Counter.BLOCKS_OWNED) != blocks
                || counters.getAcquire(Counter.EXTENTS_HELD) != held.size()) {
            counters.setRelease(Counter.BLOCKS_OWNED, blocks);
            counters.setRelease(Counter.EXTENTS_HELD, held.size());
            log.say("repaired own counters: blocks=%d extents=%d", blocks, held.size());
        }
    }

    /** Blocks [first, end): those of the head's extents have its bit, the others have not. */
    private void mendMap(List<Extent> held, long first, long end) {
        List<Extent> ascending = new ArrayList<>(held);
        ascending.sort(Comparator.comparingLong(Extent::startDpa));
        long block = first;
        for (Extent extent : ascending) {
            long start = geometry.blockOfDpa(extent.startDpa());
            long stop = start + extent.lengthBytes() / geometry.blockSizeBytes();
            if (start < end && stop > first) {
                mendRun(block, Math.max(first, start), Mine.NOT);
                block = Math.min(end, stop);
                mendRun(Math.max(first, start), block, extent.sharedSequence() > 0 ? Mine.SHARED : Mine.ALONE);
            }
        }
        mendRun(block, end, Mine.NOT);
    }

    /** Whose blocks are. */
    private enum Mine {
        NOT,
        ALONE,
        SHARED
    }

    private void mendRun(long first, long end, Mine mine) {
        boolean isMine = mine != Mine.NOT;
        long wrong = map.findFirstVolatile(head, first, end - first, !isMine);
        if (wrong == end) {
            return;
        }
        long mended = 0;
        numbers.begin();
        try {
            for (long block = wrong;
                    block < end;
                    block = map.findFirstVolatile(head, block + 1, end - block - 1, !isMine)) {
                if (!isMine) {
                    // Its memory is left as it is: by the same damage another head may use it.
                    mended += map.clear(head, block, 1);
                } else if (mine == Mine.SHARED) {
                    mended += map.share(head, block, 1);
                } else if (map.claim(head, block, 1) == OwnerMap.CLAIMED) {
                    mended++;
                }
                // Else another head has a bit there. It lets go by its own look, if it does not hold the block.
            }
        } finally {
            numbers.end();
        }
        if (mended > 0) {
            log.say(
                    isMine
                            ? "repaired owner map: set own bits of what this head holds: block=%d blocks=%d"
                            : "repaired owner map: cleared own bits in no extent of this head: block=%d blocks=%d",
                    wrong,
                    mended);
        }
    }
}

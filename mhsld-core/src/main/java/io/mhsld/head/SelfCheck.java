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
    /** Of a larger map a part is looked at each time, so that no look takes longer than a fraction of a millisecond. */
    private static final long BLOCKS_AT_A_TIME = 1 << 16;

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final int head;
    private final HeadLog log;
    private Row row;
    private long nextBlock;

    SelfCheck(StateFile state, int head, HeadLog log) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.head = head;
        this.log = log;
        rememberRow();
    }

    /** What the row says now is what the head has just written. */
    void rememberRow() {
        row = state.heads().readAcquire(head);
    }

    /** Looks, and repairs. */
    void look(DynamicCapacity capacity) {
        List<Extent> accepted = capacity.accepted();
        List<PendingGroup> pending = capacity.pending();
        mendRow();
        mendTable(accepted, pending, capacity.generation());
        List<Extent> held = new ArrayList<>(accepted);
        pending.forEach(group -> held.addAll(group.extents()));
        mendCounters(held);
        long first = nextBlock;
        long count = Math.min(BLOCKS_AT_A_TIME, map.blockCount() - first);
        nextBlock = first + count == map.blockCount() ? 0 : first + count;
        mendMap(held, first, first + count);
    }

    private void mendRow() {
        Row met = state.heads().readAcquire(head);
        if (!met.equals(row)) {
            state.heads().writeRelease(row);
            log.say("repaired own row, which said: %s", met);
        }
        if ((state.heads().operationAcquire(head) & 1) != 0) {
            state.heads().endOperationRelease(head);
            log.say("repaired own operation number, which said that one is under way");
        }
    }

    private void mendTable(List<Extent> accepted, List<PendingGroup> pending, int generation) {
        Optional<ExtentTable.Snapshot> met = state.extents(head).readSeqlock();
        ExtentTable.Snapshot known = new ExtentTable.Snapshot(SharedCapacity.entries(accepted, pending), generation);
        if (!met.equals(Optional.of(known)) || !state.extents(head).isCountSound()) {
            state.heads().beginOperationRelease(head);
            state.extents(head).writeSeqlock(known.entries(), generation);
            state.heads().endOperationRelease(head);
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

    private void mendMap(List<Extent> held, long first, long end) {
        List<long[]> wanted = new ArrayList<>();
        for (Extent extent : held) {
            long start = geometry.blockOfDpa(extent.startDpa());
            long stop = start + extent.lengthBytes() / geometry.blockSizeBytes();
            if (start < end && stop > first) {
                wanted.add(new long[] {Math.max(first, start), Math.min(end, stop)});
            }
        }
        boolean hasAll = wanted.stream().allMatch(run -> map.ownsAllVolatile(head, run[0], run[1] - run[0]));
        long[] marked = {0};
        map.forEachRunVolatile(head, first, end - first, (start, count) -> marked[0] += count);
        if (hasAll
                && marked[0]
                        == wanted.stream().mapToLong(run -> run[1] - run[0]).sum()) {
            return;
        }
        for (long block = first; block < end; block++) {
            long at = block;
            boolean isMine = wanted.stream().anyMatch(run -> run[0] <= at && at < run[1]);
            if (isMine != map.ownsAllVolatile(head, block, 1)) {
                mendBlock(block, isMine);
            }
        }
    }

    private void mendBlock(long block, boolean isMine) {
        state.heads().beginOperationRelease(head);
        try {
            if (!isMine) {
                // Its memory is left as it is: by the same damage another head may use it.
                map.clear(head, block, 1);
                log.say("repaired owner map: cleared own bit of a block in no extent of this head: block=%d", block);
            } else if (map.claim(head, block, 1) == OwnerMap.CLAIMED) {
                log.say("repaired owner map: set own bit of a block that this head holds: block=%d", block);
            }
            // Else another head has a bit there. It lets go by its own look, if it does not hold the block.
        } finally {
            state.heads().endOperationRelease(head);
        }
    }
}

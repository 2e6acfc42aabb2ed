package io.mhsld.head;

import io.mhsld.head.Leases.Lease;
import io.mhsld.state.Counter;
import io.mhsld.state.Counters;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.RegionTable.Setting;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How one head gets at blocks: those that it is told to claim, or those that it finds free. Owners that are dead are reaped on the way. What is
 * claimed here is not the head's to use before {@link #check} has found nothing: blocks without an owner may belong to a tag.
 */
final class Claims {
    /** How long a claim waits for a dead owner that somebody else is reaping. */
    private static final long PATIENCE_MS = 1_000;

    /** How long a choice waits for others that are in the middle of something. */
    private static final long CHOICE_PATIENCE_MS = 600;

    private static final long REAP_POLL_NS = 500_000;
    private static final long CHOICE_POLL_NS = 100_000;

    /** What came of choosing and claiming once. */
    private enum Attempt {
        CLAIMED,
        /** Somebody was faster. */
        MET_OTHERS,
        NOT_ENOUGH
    }

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final Counters counters;
    private final int head;
    private final TableLock tables;
    private final Reaper reaper;
    private final TagRegistry registry;
    private final Machine machine;
    private final HeadLog log;
    private final OwnNumbers numbers;
    private final KeptBlocks kept;
    private final FreeBlocks free;

    Claims(
            StateFile state,
            int head,
            Leases leases,
            Reaper reaper,
            TagRegistry registry,
            Machine machine,
            HeadLog log,
            OwnNumbers numbers) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.counters = state.counters(head);
        this.head = head;
        this.tables = leases.tables();
        this.reaper = reaper;
        this.registry = registry;
        this.machine = machine;
        this.log = log;
        this.numbers = numbers;
        this.kept = new KeptBlocks(state);
        this.free = new FreeBlocks(state, kept);
    }

    // ---- blocks that were named

    /** Claims the blocks of all extents; what was claimed before one is refused stands in {@code claimed}. */
    Optional<Refusal> claimAll(List<Extent> extents, List<Extent> claimed) {
        // In one order for all heads: of requests that meet, the one that gets furthest wins. In the order of each
        // request, all could lose.
        List<Extent> ascending = new ArrayList<>(extents);
        ascending.sort(Comparator.comparingLong(Extent::startDpa));
        for (Extent extent : ascending) {
            long met = claim(extent);
            if (met != OwnerMap.CLAIMED) {
                counters.addRelease(Counter.CLAIM_CONFLICTS, 1);
                return Refusal.of(
                        Cause.OWNED_BY_OTHER_HEAD,
                        "block=%d dpa=0x%x owner=%s requester=%d",
                        met,
                        geometry.dpaOfBlock(met),
                        ownersOf(met),
                        head);
            }
            claimed.add(extent);
            CrashPoint.ADD_EXTENT_CLAIMED.reached();
        }
        CrashPoint.ADD_CLAIMED.reached();
        return Optional.empty();
    }

    /** Claims the blocks of an extent; owners that are dead are reaped first, and waited for when somebody else is at it. */
    private long claim(Extent extent) {
        long first = geometry.blockOfDpa(extent.startDpa());
        long count = extent.lengthBytes() / geometry.blockSizeBytes();
        long deadlineNs = machine.nanoTime() + PATIENCE_MS * 1_000_000;
        while (true) {
            long met = map.claim(head, first, count);
            // Ends: each round either frees what a dead head held, or waits for another reaper until the deadline.
            if (met == OwnerMap.CLAIMED || !ownersGiveWay(met, deadlineNs)) {
                return met;
            }
        }
    }

    private boolean ownersGiveWay(long block, long deadlineNs) {
        boolean mustWait = false;
        for (long lane = map.ownersVolatile(block); lane != 0; lane &= lane - 1) {
            int owner = Long.numberOfTrailingZeros(lane);
            if (owner == head) {
                return false;
            }
            if (owner >= geometry.headCount()) {
                log.say("cleared owners that cannot be: block=%d bits=%d", block, map.clearForeignBits(block));
                continue;
            }
            Reaper.Outcome outcome = reapOwner(owner);
            if (outcome == Reaper.Outcome.ALIVE) {
                HeadTable.Row row = state.heads().readAcquire(owner);
                if (machine.isAlive(ProcessIdentity.named(row))) {
                    return false;
                }
            }
            // Somebody else reaps it, or has this moment done so.
            mustWait |= outcome != Reaper.Outcome.REAPED;
        }
        if (!mustWait) {
            // However long it took: what stood in the way is gone.
            return true;
        }
        machine.pause(REAP_POLL_NS);
        return machine.nanoTime() - deadlineNs < 0;
    }

    /** Reaps a peer if it is dead, and counts and tells it. */
    Reaper.Outcome reapPeer(int peer) {
        return reaper.reap(peer, freedBlocks -> tellReaped(peer, freedBlocks));
    }

    private Reaper.Outcome reapOwner(int owner) {
        return reaper.reapOwner(owner, freedBlocks -> tellReaped(owner, freedBlocks));
    }

    private void tellReaped(int peer, long freedBlocks) {
        counters.addRelease(Counter.HEADS_REAPED, 1);
        log.say("reaped dead head: head=%d blocks=%d", peer, freedBlocks);
    }

    /**
     * Blocks that were free in the map, and that a live head has in its extents all the same: the map is damaged there, and that head goes on
     * using them. No sound release looks like that, for extents leave the table before their bits are cleared.
     */
    private Optional<Refusal> checkExtentsOfOthers(List<Extent> extents) {
        for (int peer = 0; peer < geometry.headCount(); peer++) {
            if (peer == head || !state.extents(peer).mayHoldPlain()) {
                continue;
            }
            OptionalLong held = firstHeldBy(peer, extents);
            if (held.isPresent()
                    && reapOwner(peer) == Reaper.Outcome.ALIVE
                    && firstHeldBy(peer, extents).isPresent()) {
                counters.addRelease(Counter.CLAIM_CONFLICTS, 1);
                long block = geometry.blockOfDpa(held.getAsLong());
                return Refusal.of(
                        Cause.OWNED_BY_OTHER_HEAD,
                        "block=%d dpa=0x%x owner=[%d] requester=%d (in its extents, and not in the owner map: see verify)",
                        block,
                        geometry.dpaOfBlock(block),
                        peer,
                        head);
            }
        }
        return Optional.empty();
    }

    /** The lowest address of the extents that is in one of the peer's; none while the peer's table is being written all the time. */
    private OptionalLong firstHeldBy(int peer, List<Extent> extents) {
        List<ExtentTable.Entry> held = state.extents(peer)
                .readSeqlock()
                .map(ExtentTable.Snapshot::entries)
                .orElse(List.of());
        return extents.stream()
                .flatMapToLong(extent -> held.stream()
                        .filter(entry -> entry.startDpa() < extent.endDpa()
                                && entry.startDpa() + entry.lengthBytes() > extent.startDpa())
                        .mapToLong(entry -> Math.max(entry.startDpa(), extent.startDpa())))
                .min();
    }

    // ---- blocks that are free

    /**
     * Claims so many free blocks of a region, wherever they are. Refused only when there are not enough though nobody else was in the middle of
     * something, or somebody was for too long.
     *
     * <p>The first attempt is made at once, and gives up when it meets anybody. The next ones are made with the table lock, so that of all who
     * choose one gets on: requests that each have a part of what the other needs could all lose.
     *
     * @param claimed what was claimed, ascending; nothing when refused
     */
    Optional<Refusal> claimFree(FreeBlocks.Request request, List<Extent> claimed) {
        List<Optional<Refusal>> refusal = new ArrayList<>(1);
        if (attempt(request, claimed, refusal) == Attempt.CLAIMED) {
            return Optional.empty();
        }
        long deadlineNs = machine.nanoTime() + CHOICE_PATIENCE_MS * 1_000_000;
        // Nothing is claimed while it waits, so that who has the lock need not wait for this head.
        Optional<Lease> lock =
                tables.take(CHOICE_PATIENCE_MS, numbers::end, numbers::begin).lease();
        try {
            while (true) {
                long[] operations = operationsOfOthers();
                Attempt attempt = attempt(request, claimed, refusal);
                if (attempt == Attempt.CLAIMED) {
                    return Optional.empty();
                }
                // Without the lock somebody may be about to free what a tag has; but it has been waited for already.
                boolean isOver = lock.isEmpty() || machine.nanoTime() - deadlineNs >= 0;
                boolean isCertain = attempt == Attempt.NOT_ENOUGH && !reapDead() && wereQuiet(operations);
                if (isOver || isCertain) {
                    counters.addRelease(Counter.CLAIM_CONFLICTS, attempt == Attempt.MET_OTHERS ? 1 : 0);
                    return refusal.get(0);
                }
                if (attempt == Attempt.MET_OTHERS || !wereQuiet(operations)) {
                    machine.pause(CHOICE_POLL_NS);
                }
            }
        } finally {
            lock.ifPresent(Lease::release);
        }
    }

    private Attempt attempt(FreeBlocks.Request request, List<Extent> claimed, List<Optional<Refusal>> refusal) {
        List<Extent> chosen = new ArrayList<>(1);
        refusal.clear();
        refusal.add(free.choose(request, chosen));
        if (refusal.get(0).isPresent()) {
            return Attempt.NOT_ENOUGH;
        }
        for (Extent extent : chosen) {
            if (map.claim(head, firstBlock(extent), blocks(extent)) != OwnerMap.CLAIMED) {
                refusal.set(0, Refusal.of(Cause.NO_FREE_CAPACITY, "%s (others were faster)", extent));
                clear(claimed);
                return Attempt.MET_OTHERS;
            }
            claimed.add(extent);
            CrashPoint.ADD_EXTENT_CLAIMED.reached();
        }
        CrashPoint.ADD_CLAIMED.reached();
        return Attempt.CLAIMED;
    }

    /** Takes back what was claimed and not touched. */
    private void clear(List<Extent> claimed) {
        claimed.forEach(extent -> map.clear(head, firstBlock(extent), blocks(extent)));
        claimed.clear();
    }

    /** What is known of free blocks. */
    FreeBlocks free() {
        return free;
    }

    private long[] operationsOfOthers() {
        long[] operations = new long[geometry.headCount()];
        for (int peer = 0; peer < operations.length; peer++) {
            operations[peer] = peer == head ? 0 : state.heads().operationAcquire(peer);
        }
        return operations;
    }

    /** True when no other head was in the middle of something when that was read, and none has begun since. */
    private boolean wereQuiet(long[] before) {
        long[] now = operationsOfOthers();
        for (int peer = 0; peer < now.length; peer++) {
            if ((before[peer] & 1) != 0 || now[peer] != before[peer]) {
                return false;
            }
        }
        return true;
    }

    /** True when there was a head to reap. */
    private boolean reapDead() {
        boolean reaped = false;
        for (int peer = 0; peer < geometry.headCount(); peer++) {
            reaped |= peer != head && reapPeer(peer) == Reaper.Outcome.REAPED;
        }
        return reaped;
    }

    // ---- what is claimed, and not the head's yet

    /** Whether the claimed blocks may be used; else they must be let go of, and their memory be left as it is. */
    Optional<Refusal> check(List<Extent> claimed) {
        return checkUntagged(claimed).or(() -> checkGranule(claimed)).or(() -> checkExtentsOfOthers(claimed));
    }

    /** Capacity that only the fabric manager keeps has no owner in the map. */
    private Optional<Refusal> checkUntagged(List<Extent> claimed) {
        for (Extent extent : claimed) {
            List<KeptBlocks.Kept> tagged = kept.within(firstBlock(extent), blocks(extent));
            if (!tagged.isEmpty()) {
                counters.addRelease(Counter.CLAIM_CONFLICTS, 1);
                return Refusal.of(
                        Cause.OWNED_BY_OTHER_HEAD,
                        "block=%d dpa=0x%x owner=[] requester=%d (it belongs to a tag: see tags)",
                        tagged.get(0).first(),
                        geometry.dpaOfBlock(tagged.get(0).first()),
                        head);
            }
        }
        return Optional.empty();
    }

    /** Somebody may have set another block size since the request was checked. */
    private Optional<Refusal> checkGranule(List<Extent> claimed) {
        for (Extent extent : claimed) {
            Geometry.Region region = geometry.regionOfBlock(firstBlock(extent));
            Setting setting = state.regionSettings().readVolatile(region.id());
            if (!isAligned(extent, region, setting) && setting.granuleBytes() > setting.blockSizeBytes()) {
                // A proposal, perhaps of somebody who died: who has the lock drops it, or it has become the size.
                registry.settleWithin(TableLock.PATIENCE_MS);
                setting = state.regionSettings().readVolatile(region.id());
            }
            if (!isAligned(extent, region, setting)) {
                return Refusal.of(Cause.UNALIGNED, "%s blockSize=0x%x", extent, setting.granuleBytes());
            }
        }
        return Optional.empty();
    }

    private static boolean isAligned(Extent extent, Geometry.Region region, Setting setting) {
        return (extent.startDpa() - region.baseDpa() | extent.lengthBytes()) % setting.granuleBytes() == 0;
    }

    long firstBlock(Extent extent) {
        return geometry.blockOfDpa(extent.startDpa());
    }

    long blocks(Extent extent) {
        return extent.lengthBytes() / geometry.blockSizeBytes();
    }

    private List<Integer> ownersOf(long block) {
        List<Integer> owners = new ArrayList<>();
        for (long lane = map.ownersVolatile(block); lane != 0; lane &= lane - 1) {
            owners.add(Long.numberOfTrailingZeros(lane));
        }
        return owners;
    }
}

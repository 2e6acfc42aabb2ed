package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.Counters;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.FreeSpace;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What makes a Type-3 device a head among others: its hooks claim and clear blocks in the shared owner map, its journal keeps the head's row of
 * the shared tables, its memory is the shared media file.
 *
 * <p>Order of the steps, so that a death between any two of them is repaired by reaping alone: claim, scrub, publish the extents, offer; and back:
 * unpublish (no access any more), give memory back, clear.
 */
final class SharedCapacity implements MultiHeadHooks, ExtentJournal, DcMemory {
    /** How long a claim waits for a dead owner that somebody else is reaping. */
    private static final long REAP_PATIENCE_MS = 1_000;

    private static final long REAP_POLL_NS = 500_000;

    /** How often blocks are chosen anew because another head was quicker. */
    private static final int SELECT_ATTEMPTS = 100;

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final Counters counters;
    private final int head;
    private final Media media;
    private final Reaper reaper;
    private final Machine machine;
    private final HeadLog log;
    private final OwnNumbers numbers;
    private Operation operation = Operation.RESET;

    /** What stands at each place of this head's table by its own last writing, also beyond its end. */
    private final Extent[] published = new Extent[DynamicCapacity.MAX_EXTENTS];

    private final long[] publishedGroups = new long[DynamicCapacity.MAX_EXTENTS];
    private final List<ExtentTable.Placed> changes = new ArrayList<>();

    SharedCapacity(StateFile state, int head, Media media, Reaper reaper, Machine machine, HeadLog log) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.counters = state.counters(head);
        this.head = head;
        this.media = media;
        this.reaper = reaper;
        this.machine = machine;
        this.log = log;
        this.numbers = new OwnNumbers(state, head);
    }

    /** As this head has written them. */
    OwnNumbers numbers() {
        return numbers;
    }

    // ---- hooks

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        List<Extent> claimed = new ArrayList<>(extents.size());
        List<Extent> scrubbed = new ArrayList<>(extents.size());
        boolean kept = false;
        try {
            Optional<Refusal> refusal = claimAll(extents, claimed)
                    .or(() -> checkExtentsOfOthers(extents))
                    .or(() -> scrubAll(extents, scrubbed));
            // What was done to a file that has been cut meanwhile was done to nothing.
            state.surfaceFault();
            kept = refusal.isEmpty();
            counters.addRelease(kept ? Counter.ADDS : Counter.ADDS_REFUSED, 1);
            refusal.ifPresent(reason -> log.say("add refused: %s", reason));
            return refusal;
        } finally {
            if (kept) {
                counters.addRelease(Counter.BLOCKS_OWNED, blocks(extents));
                CrashPoint.ADD_COUNTED.reached();
            } else {
                claimed.forEach(extent -> letGo(extent, scrubbed.contains(extent)));
            }
        }
    }

    @Override
    public void accept(List<Extent> extents) {
        counters.addRelease(Counter.BLOCKS_ACCEPTED, blocks(extents));
        CrashPoint.ACCEPT_COUNTED.reached();
    }

    @Override
    public void reclaim(List<Extent> extents) {
        letGo(extents, Counter.BLOCKS_RECLAIMED);
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        if (sanitize) {
            // What a host that is asked to forget has stored is gone for certain, before anybody can claim it.
            for (Extent extent : extents) {
                media.scrub(geometry.mediaOffsetOfDpa(extent.startDpa()), extent.lengthBytes());
            }
        }
        letGo(extents, Counter.BLOCKS_RELEASED);
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        if (shared) {
            return Selection.refused(Refusal.of(Cause.NOT_SHAREABLE, "tag=%s (no tag table)", tag));
        }
        Selection selection = null;
        for (int attempt = 0; attempt < SELECT_ATTEMPTS; attempt++) {
            selection = selectOnce(region, lengthBytes, contiguous, maxExtents, tag);
            boolean isContended = selection
                    .refusal()
                    .filter(refusal -> refusal.cause() == Cause.OWNED_BY_OTHER_HEAD)
                    .isPresent();
            if (!isContended) {
                return selection;
            }
        }
        return selection;
    }

    private Selection selectOnce(DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag) {
        FreeSpace free = new FreeSpace(region);
        long block = geometry.blockOfDpa(region.baseDpa());
        long end = block + region.lengthBytes() / geometry.blockSizeBytes();
        for (long first = block; block < end; block++) {
            boolean isFree = map.ownersVolatile(block) == 0;
            if (!isFree || block + 1 == end) {
                free.add(dpaIn(region, first), dpaIn(region, isFree ? end : block));
                first = block + 1;
            }
        }
        List<Extent> chosen = new ArrayList<>();
        Optional<Refusal> refusal = free.choose(lengthBytes, contiguous, maxExtents, tag, false, chosen)
                .or(() -> reserve(chosen));
        return refusal.isPresent() ? Selection.refused(refusal) : Selection.of(List.copyOf(chosen));
    }

    private long dpaIn(DcRegion region, long block) {
        return region.baseDpa() + (block - geometry.blockOfDpa(region.baseDpa())) * geometry.blockSizeBytes();
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        return Selection.refused(Refusal.of(Cause.TAG_UNKNOWN, "tag=%s (no tag table)", tag));
    }

    @Override
    public DcRegion current(DcRegion known) {
        return known;
    }

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        long first = geometry.blockOfDpa(startDpa);
        long last = geometry.blockOfDpa(startDpa + lengthBytes - 1);
        return map.ownsAllVolatile(head, first, last - first + 1);
    }

    private Optional<Refusal> claimAll(List<Extent> extents, List<Extent> claimed) {
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
        long deadlineNs = machine.nanoTime() + REAP_PATIENCE_MS * 1_000_000;
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

    private Optional<Refusal> scrubAll(List<Extent> extents, List<Extent> scrubbed) {
        for (Extent extent : extents) {
            // Before it is: a scrub that fails may have begun.
            scrubbed.add(extent);
            if (!media.scrub(geometry.mediaOffsetOfDpa(extent.startDpa()), extent.lengthBytes())) {
                return Refusal.of(Cause.NO_SPACE, "%s media=%s", extent, media.file());
            }
            CrashPoint.ADD_EXTENT_SCRUBBED.reached();
        }
        CrashPoint.ADD_SCRUBBED.reached();
        return Optional.empty();
    }

    private void letGo(List<Extent> extents, Counter counter) {
        extents.forEach(extent -> letGo(extent, true));
        counters.addRelease(counter, blocks(extents));
        counters.addRelease(Counter.BLOCKS_OWNED, -blocks(extents));
    }

    /**
     * The reverse of a claim.
     *
     * @param isOwnMemory false before the scrub: then there is nothing to give back, and by damage the memory may be another head's
     */
    private void letGo(Extent extent, boolean isOwnMemory) {
        if (isOwnMemory) {
            media.giveBack(geometry.mediaOffsetOfDpa(extent.startDpa()), extent.lengthBytes());
        }
        reached("GIVEN_BACK");
        map.clear(head, geometry.blockOfDpa(extent.startDpa()), extent.lengthBytes() / geometry.blockSizeBytes());
        reached("CLEARED");
    }

    private List<Integer> ownersOf(long block) {
        List<Integer> owners = new ArrayList<>();
        for (long lane = map.ownersVolatile(block); lane != 0; lane &= lane - 1) {
            owners.add(Long.numberOfTrailingZeros(lane));
        }
        return owners;
    }

    private long blocks(List<Extent> extents) {
        long lengthBytes = 0;
        for (Extent extent : extents) {
            lengthBytes += extent.lengthBytes();
        }
        return lengthBytes / geometry.blockSizeBytes();
    }

    // ---- journal

    @Override
    public void begin(Operation begun) {
        operation = begun;
        numbers.begin();
        reached("BEGUN");
    }

    @Override
    public void record(List<Extent> accepted, List<PendingGroup> pending, int generation) {
        changes.clear();
        int place = 0;
        for (Extent extent : accepted) {
            publish(place++, extent, 0);
        }
        for (PendingGroup group : pending) {
            for (Extent extent : group.extents()) {
                publish(place++, extent, group.id());
            }
        }
        numbers.writeTable(place, changes, generation);
        counters.setRelease(Counter.EXTENTS_HELD, place);
        reached("PUBLISHED");
    }

    @Override
    public void end() {
        numbers.end();
        state.surfaceFault();
        reached("ENDED");
    }

    /** Those steps that several operations have. */
    private void reached(String step) {
        if (CrashPoint.areWatched()) {
            CrashPoint.valueOf(operation + "_" + step).reached();
        }
    }

    /** What the head's table says when it holds these. */
    static List<ExtentTable.Entry> entries(List<Extent> accepted, List<PendingGroup> pending) {
        List<ExtentTable.Entry> entries = new ArrayList<>();
        accepted.forEach(extent -> entries.add(entry(extent, 0)));
        for (PendingGroup group : pending) {
            group.extents().forEach(extent -> entries.add(entry(extent, group.id())));
        }
        return entries;
    }

    /** An extent that stayed where it was is the same object, and need not be written again. */
    @SuppressWarnings(
            "ReferenceEquality") // The same object is quicker seen, and another one with the same values is only
    // written again.
    private void publish(int place, Extent extent, long group) {
        if (published[place] != extent || publishedGroups[place] != group) {
            published[place] = extent;
            publishedGroups[place] = group;
            changes.add(new ExtentTable.Placed(place, entry(extent, group)));
        }
    }

    private static ExtentTable.Entry entry(Extent extent, long group) {
        return new ExtentTable.Entry(
                extent.startDpa(), extent.lengthBytes(), extent.tag(), extent.sharedSequence(), group);
    }

    // ---- memory

    @Override
    public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {
        media.read(geometry.mediaOffsetOfDpa(dpa), destination, destinationOffset, lengthBytes);
        counters.addRelease(Counter.BYTES_READ, lengthBytes);
    }

    @Override
    public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
        return counted(media.write(geometry.mediaOffsetOfDpa(dpa), source, sourceOffset, lengthBytes), lengthBytes);
    }

    @Override
    public boolean fill(long dpa, long lengthBytes, byte value) {
        return counted(media.fill(geometry.mediaOffsetOfDpa(dpa), lengthBytes, value), lengthBytes);
    }

    private boolean counted(boolean written, long lengthBytes) {
        counters.addRelease(Counter.BYTES_WRITTEN, written ? lengthBytes : 0);
        return written;
    }

    @Override
    public int crc32c(long dpa, long lengthBytes) {
        counters.addRelease(Counter.BYTES_READ, lengthBytes);
        return media.crc32c(geometry.mediaOffsetOfDpa(dpa), lengthBytes);
    }
}

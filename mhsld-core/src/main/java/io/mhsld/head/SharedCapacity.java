package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.Counters;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagTable;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * What makes a Type-3 device a head among others: its hooks claim and clear blocks in the shared owner map, its journal keeps the head's row of
 * the shared tables, its memory is the shared media file.
 *
 * <p>Order of the steps, so that a death between any two of them is repaired by reaping alone: claim, scrub, take poison out, publish the extents,
 * offer; and back:
 * unpublish (no access any more), give memory back, clear. Where tags come in between, the {@link TagRegistry} says.
 */
final class SharedCapacity implements MultiHeadHooks, ExtentJournal, DcMemory {
    private static final int MAX_CHOICES = 3;

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final Counters counters;
    private final int head;
    private final Media media;
    private final Claims claims;
    private final SharedTags tags;
    private final PoisonRegistry poison;
    private final HeadLog log;
    private final OwnNumbers numbers;
    private final List<Extent> scrubbed = new ArrayList<>();
    private Operation operation = Operation.RESET;

    /** What stands at each place of this head's table by its own last writing, also beyond its end. */
    private final Extent[] published = new Extent[DynamicCapacity.MAX_EXTENTS];

    private final long[] publishedGroups = new long[DynamicCapacity.MAX_EXTENTS];
    private final List<ExtentTable.Placed> changes = new ArrayList<>();

    SharedCapacity(StateFile state, int head, Media media, Leases leases, Reaper reaper, Machine machine, HeadLog log) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.counters = state.counters(head);
        this.head = head;
        this.media = media;
        this.poison = new PoisonRegistry(state, leases, machine);
        this.log = log;
        TagRegistry registry = new TagRegistry(state, leases, media, machine);
        this.numbers = new OwnNumbers(state, head);
        this.claims = new Claims(state, head, leases, reaper, registry, machine, log, numbers);
        this.tags = new SharedTags(state, head, registry, log);
    }

    /** As this head has written them. */
    OwnNumbers numbers() {
        return numbers;
    }

    /** The poison of the media, as this head knows of it. */
    PoisonRegistry poison() {
        return poison;
    }

    // ---- hooks

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        List<Extent> claimed = new ArrayList<>(extents.size());
        return take(claimed, () -> claims.claimAll(extents, claimed).or(() -> prepare(extents)));
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        if (lengthBytes == 0) {
            return Selection.of(List.of());
        }
        boolean isAligned = lengthBytes > 0 && lengthBytes % region.blockSizeBytes() == 0;
        if (!isAligned || maxExtents <= 0) {
            return Selection.refused(new Refusal(
                    isAligned ? Cause.TOO_MANY_EXTENTS : Cause.UNALIGNED,
                    String.format(
                            "region=%d length=0x%x blockSize=0x%x available=%d",
                            region.id(), lengthBytes, region.blockSizeBytes(), maxExtents)));
        }
        for (int attempt = 1; ; attempt++) {
            List<Extent> claimed = new ArrayList<>();
            Optional<Refusal> refusal = take(
                    claimed,
                    () -> claims.claimFree(
                                    new FreeBlocks.Request(region, lengthBytes, contiguous, maxExtents, tag, shared),
                                    claimed)
                            .or(() -> prepare(claimed)));
            // What was chosen has become somebody's in the moment before it was claimed: others may be free.
            boolean isTriedAgain = attempt < MAX_CHOICES
                    && refusal.filter(reason -> reason.cause() == Cause.OWNED_BY_OTHER_HEAD)
                            .isPresent();
            if (!isTriedAgain) {
                return refusal.map(Selection::refused).orElseGet(() -> Selection.of(claimed));
            }
        }
    }

    /** What is claimed becomes what can be offered: nobody else's, scrubbed, not poisoned, and known by its tag when it is to be shared. */
    private Optional<Refusal> prepare(List<Extent> claimed) {
        return claims.check(claimed)
                .or(() -> scrubAll(claimed))
                .or(() -> removePoison(claimed))
                .or(() -> createTag(claimed));
    }

    private Optional<Refusal> removePoison(List<Extent> claimed) {
        // Before the tag is known: who joins it may poison it.
        Optional<Refusal> refusal = poison.removeFromClaimed(claimed);
        CrashPoint.ADD_UNPOISONED.reached();
        return refusal;
    }

    private Optional<Refusal> createTag(List<Extent> extents) {
        if (!Extent.isAnyShared(extents)) {
            return Optional.empty();
        }
        UUID tag = extents.get(0).tag();
        boolean isOneTag = extents.stream()
                .allMatch(extent -> extent.isShared() && extent.tag().equals(tag));
        if (!isOneTag) {
            throw new IllegalArgumentException("shared extents are not of one tag: extents=" + extents);
        }
        List<Extent> inSequence = new ArrayList<>(extents);
        inSequence.sort(Comparator.comparingInt(Extent::sharedSequence));
        Geometry.Region region = geometry.regionOfBlock(claims.firstBlock(inSequence.get(0)));
        boolean isOfOneRegion = extents.stream()
                .allMatch(extent ->
                        geometry.regionOfBlock(claims.firstBlock(extent)).equals(region));
        return isOfOneRegion && region.shareable()
                ? tags.create(tag, region.id(), inSequence)
                : Refusal.of(Cause.NOT_SHAREABLE, "region=%d", region.id());
    }

    /**
     * Claims and prepares, and lets go again when that is refused.
     *
     * @param claimed is filled with what the action claims, as it does
     */
    private Optional<Refusal> take(List<Extent> claimed, Supplier<Optional<Refusal>> action) {
        boolean kept = false;
        scrubbed.clear();
        try {
            Optional<Refusal> refusal = action.get();
            // What was done to a file that has been cut meanwhile was done to nothing.
            state.surfaceFault();
            kept = refusal.isEmpty();
            count(refusal);
            return refusal;
        } finally {
            if (kept) {
                counters.addRelease(Counter.BLOCKS_OWNED, blocks(claimed));
                CrashPoint.ADD_COUNTED.reached();
            } else {
                claimed.forEach(extent -> letGo(extent, scrubbed.contains(extent), false));
            }
        }
    }

    private void count(Optional<Refusal> refusal) {
        counters.addRelease(refusal.isEmpty() ? Counter.ADDS : Counter.ADDS_REFUSED, 1);
        refusal.ifPresent(reason -> log.say("add refused: %s", reason));
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        List<Extent> extents = new ArrayList<>();
        Optional<Refusal> refusal = tags.isAccepted(tag)
                .flatMap(accepted -> Refusal.of(
                        accepted ? Cause.ALREADY_ACCEPTED : Cause.STILL_PENDING, "tag=%s head=%d", tag, head))
                .or(() -> tags.join(tag, region.id(), extents));
        count(refusal);
        if (refusal.isPresent()) {
            return Selection.refused(refusal);
        }
        CrashPoint.TAG_JOIN_UNLOCKED.reached();
        for (Extent extent : extents) {
            map.share(head, claims.firstBlock(extent), claims.blocks(extent));
            CrashPoint.TAG_JOIN_EXTENT_SHARED.reached();
        }
        state.surfaceFault();
        counters.addRelease(Counter.BLOCKS_OWNED, blocks(extents));
        CrashPoint.TAG_JOINED.reached();
        return Selection.of(extents);
    }

    @Override
    public void accept(List<Extent> extents) {
        tags.accept(extents);
        counters.addRelease(Counter.BLOCKS_ACCEPTED, blocks(extents));
        CrashPoint.ACCEPT_COUNTED.reached();
    }

    @Override
    public void reclaim(List<Extent> extents) {
        letGo(extents, Counter.BLOCKS_RECLAIMED, false);
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        letGo(extents, Counter.BLOCKS_RELEASED, sanitize);
    }

    @Override
    public DcRegion current(DcRegion known) {
        return RegionSettings.current(state, known);
    }

    /** Reaps a peer if it is dead, and counts and tells it. */
    Reaper.Outcome reapPeer(int peer) {
        return claims.reapPeer(peer);
    }

    /** Ends what was left undone with tags, by this head or by others who died, and puts right what the table says of this head's. */
    void lookAtTags() {
        tags.look();
        claims.free().lookEverywhere();
    }

    @Override
    public int tagsSupported() {
        return TagTable.ROWS;
    }

    @Override
    public int tagsAvailable() {
        return state.tags().countFreeVolatile();
    }

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        long first = geometry.blockOfDpa(startDpa);
        long last = geometry.blockOfDpa(startDpa + lengthBytes - 1);
        return map.ownsAllVolatile(head, first, last - first + 1);
    }

    private Optional<Refusal> scrubAll(List<Extent> extents) {
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

    private void letGo(List<Extent> extents, Counter counter, boolean sanitize) {
        Map<UUID, Boolean> isAlone = leaveTags(extents);
        for (Extent extent : extents) {
            boolean isOwnMemory = extent.sharedSequence() == 0 || isAlone.getOrDefault(extent.tag(), false);
            letGo(extent, isOwnMemory, sanitize);
        }
        counters.addRelease(counter, blocks(extents));
        counters.addRelease(Counter.BLOCKS_OWNED, -blocks(extents));
    }

    /** Leaves the tags whose extents these are; tells of which of them memory and blocks are now this head's alone. */
    private Map<UUID, Boolean> leaveTags(List<Extent> extents) {
        Map<UUID, Long> lengths = new LinkedHashMap<>();
        for (Extent extent : extents) {
            if (tags.has(extent)) {
                lengths.merge(extent.tag(), extent.lengthBytes(), Long::sum);
            }
        }
        Map<UUID, Boolean> isAlone = new HashMap<>();
        lengths.forEach((tag, lengthBytes) -> isAlone.put(tag, tags.leave(tag, lengthBytes)));
        return isAlone;
    }

    /**
     * The reverse of a claim.
     *
     * @param isOwnMemory false before the scrub: then there is nothing to give back, and by damage the memory may be another head's; and false for
     *     what is shared with others
     */
    private void letGo(Extent extent, boolean isOwnMemory, boolean sanitize) {
        if (isOwnMemory) {
            long offset = geometry.mediaOffsetOfDpa(extent.startDpa());
            if (sanitize && !media.scrub(offset, extent.lengthBytes())) {
                log.say("not sanitized, it is scrubbed before it is offered again: %s", extent);
            }
            media.giveBack(offset, extent.lengthBytes());
            Optional<Refusal> refusal =
                    poison.removeWithin(sanitize ? TableLock.PATIENCE_MS : 0, extent.startDpa(), extent.lengthBytes());
            if (sanitize && refusal.isPresent()) {
                log.say("still poisoned, until it is offered again: %s (%s)", extent, refusal.get());
            }
        }
        reached("GIVEN_BACK");
        map.clear(head, claims.firstBlock(extent), claims.blocks(extent));
        claims.free().freed(extent);
        reached("CLEARED");
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
        record(accepted, 0, pending, generation);
    }

    @Override
    public void record(List<Extent> accepted, int unchanged, List<PendingGroup> pending, int generation) {
        changes.clear();
        int place = accepted.size();
        for (int i = unchanged; i < place; i++) {
            publish(i, accepted.get(i), 0);
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

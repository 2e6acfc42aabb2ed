package io.mhsld.type3;

import io.mhsld.type3.ExtentJournal.Operation;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The extent state machine of one Type-3 device (CXL r3.1 9.13.3): what the fabric manager offers, what the host accepts, what either side
 * lets go of.
 *
 * <pre>
 *            add                    add response: accepted parts
 *   free ----------> pending group ------------------------------> accepted extents
 *    ^  (reserve)        |  rest of the group, or withdrawn              |
 *    |                   v  (reclaim)                                    |  host release, forced release
 *    +-------------------+-----------------------------------------------+  (release)
 * </pre>
 *
 * Every operation checks everything before it changes anything. One thread at a time; {@link #covers} alone may be asked by any thread.
 */
public final class DynamicCapacity {
    /** Extents, accepted and pending together, that one device keeps track of (the number that QEMU reports too). */
    public static final int MAX_EXTENTS = 512;

    /** Withdrawn groups whose answer is still expected; the oldest is forgotten beyond that. */
    private static final int MAX_GROUPS = 1024;

    /** How an add or release is told to the host: one call per extent, {@code more} on all but the last of a request. */
    interface Announcer {
        int free();

        void announce(DcEvent.Type type, int region, Extent extent, boolean more);
    }

    /** An extent of a request, relative to its region: both numbers are unsigned 64-bit values, straight from the client. */
    public record Range(long offsetBytes, long lengthBytes) {}

    /** An extent named by the host: both numbers are unsigned 64-bit values, straight from the mailbox. */
    public record HostRange(long startDpa, long lengthBytes) {}

    private final List<DcRegion> regions;
    private final MultiHeadHooks hooks;
    private final ExtentJournal journal;
    private final Announcer announcer;
    private final ExtentList accepted = new ExtentList();
    private final ArrayDeque<PendingGroup> groups = new ArrayDeque<>();
    private final List<HostRange> unfinishedResponse = new ArrayList<>();
    private final List<HostRange> unfinishedRelease = new ArrayList<>();
    private int generation;
    private long lastGroupId;

    DynamicCapacity(List<DcRegion> regions, MultiHeadHooks hooks, ExtentJournal journal, Announcer announcer) {
        this.regions = List.copyOf(regions);
        this.hooks = hooks;
        this.journal = journal;
        this.announcer = announcer;
    }

    /** The regions, in order of their ids. */
    public List<DcRegion> regions() {
        return regions;
    }

    /** The accepted extents in the order in which the host accepted them. */
    public List<Extent> accepted() {
        return accepted.view();
    }

    /** Accepted extents {@code start} to {@code start + count - 1}, fewer at the end of the list. */
    public List<Extent> accepted(int start, int count) {
        return accepted.view(start, count);
    }

    /** Number of accepted extents. */
    public int acceptedCount() {
        return accepted.size();
    }

    /** The groups that await the host's answer, oldest first. */
    public List<PendingGroup> pending() {
        return List.copyOf(groups);
    }

    /** Changes with every change of the accepted extents (CXL r3.1 8.2.9.9.9.2). */
    public int generation() {
        return generation;
    }

    /** Extents that can still be offered or come out of a split. */
    public int extentsAvailable() {
        return MAX_EXTENTS - accepted.size() - pendingExtentCount();
    }

    /** True when the host accepted every byte of the range. Any thread. */
    public boolean covers(long startDpa, long lengthBytes) {
        return accepted.covers(startDpa, lengthBytes);
    }

    /** The region in whose usable part the whole range lies; both numbers are unsigned. */
    public Optional<DcRegion> regionOf(long startDpa, long lengthBytes) {
        for (DcRegion region : regions) {
            if (region.hasRange(startDpa - region.baseDpa(), lengthBytes)) {
                return Optional.of(region);
            }
        }
        return Optional.empty();
    }

    // ---- the fabric manager's side

    /**
     * Offers capacity to the host: one group, all or nothing. Refusals come in the order of QEMU's checks: region, then extent by extent
     * length, alignment, range, overlap within the request, already accepted, still pending; then our own: extent limit, event log room, and
     * what {@link MultiHeadHooks#reserve} says. An empty list succeeds and does nothing.
     */
    public Optional<Refusal> add(int regionId, List<Range> ranges, UUID tag) {
        List<Extent> extents = new ArrayList<>(ranges.size());
        Optional<Refusal> refusal = checkRequest(regionId, ranges, tag, extents, freeCheck());
        if (refusal.isPresent() || extents.isEmpty()) {
            return refusal;
        }
        if (extents.size() > extentsAvailable()) {
            return Refusal.of(
                    Cause.TOO_MANY_EXTENTS, "extents=%d available=%d", extents.size(), Math.max(0, extentsAvailable()));
        }
        refusal = checkCanBeTold(extents);
        if (refusal.isPresent()) {
            return refusal;
        }
        journal.begin(Operation.ADD);
        try {
            refusal = hooks.reserve(extents);
            if (refusal.isPresent()) {
                return refusal;
            }
            groups.add(new PendingGroup(++lastGroupId, extents, extents));
            forgetOldestWithdrawnGroup();
            recordLists();
        } finally {
            journal.end();
        }
        announceAll(DcEvent.Type.ADD, extents);
        return Optional.empty();
    }

    /**
     * Asks the host to give capacity back. Nothing changes until the host releases it; the request may be repeated. Refused unless the host
     * accepted every byte, and when the event log has no room for the whole request: half of it would be worse than none.
     */
    public Optional<Refusal> requestRelease(int regionId, List<Range> ranges) {
        List<Extent> extents = new ArrayList<>(ranges.size());
        Optional<Refusal> refusal = checkRequest(regionId, ranges, Extent.NO_TAG, extents, releasableCheck())
                .or(() -> checkCanBeTold(extents));
        if (refusal.isEmpty()) {
            announceAll(DcEvent.Type.RELEASE, extents);
        }
        return refusal;
    }

    /**
     * Takes capacity away without asking the host, and withdraws offers that it has not answered: every byte must be accepted or pending. The
     * host is told afterwards by forced-release events, as far as its event log has room, for a host that does not read it is no reason to
     * leave it the capacity.
     */
    public Optional<Refusal> forceRelease(int regionId, List<Range> ranges) {
        List<Extent> extents = new ArrayList<>(ranges.size());
        Optional<Refusal> refusal = checkRequest(regionId, ranges, Extent.NO_TAG, extents, heldCheck());
        if (refusal.isPresent() || extents.isEmpty()) {
            return refusal;
        }
        NavigableMap<Long, Extent> holes = ExtentList.byAddress(extents);
        List<Extent> left = accepted.without(holes);
        refusal = checkTrackable(left.size() + pendingList().without(holes).size());
        if (refusal.isPresent()) {
            return refusal;
        }
        List<Extent> revoked = partsWithin(accepted, extents);
        List<Extent> withdrawn = partsWithin(pendingList(), extents);
        journal.begin(Operation.FORCED_RELEASE);
        try {
            replaceAccepted(left, !revoked.isEmpty());
            withdraw(holes);
            recordLists();
            letGo(revoked, withdrawn);
        } finally {
            journal.end();
        }
        announceAll(DcEvent.Type.FORCED_RELEASE, extents);
        return Optional.empty();
    }

    /** Drops everything, accepted and pending, without events: the host behind the device has restarted, or the head ends. */
    public void releaseAll() {
        List<Extent> revoked = accepted.view();
        List<Extent> withdrawn = pendingList().view();
        journal.begin(Operation.RESET);
        try {
            replaceAccepted(List.of(), !revoked.isEmpty());
            groups.clear();
            unfinishedResponse.clear();
            unfinishedRelease.clear();
            recordLists();
            letGo(revoked, withdrawn);
        } finally {
            journal.end();
        }
    }

    // ---- the host's side

    /**
     * The host's answer to the oldest group (Add Dynamic Capacity Response, CXL r3.1 8.2.9.9.9.3). The named ranges become accepted extents,
     * the rest of the group is free again; no range at all rejects the whole group.
     *
     * @param more the answer goes on in the next call; nothing happens before its end, and a refused part forgets the whole answer
     */
    public Optional<Refusal> addResponse(List<HostRange> ranges, boolean more) {
        Optional<List<HostRange>> whole = collect(unfinishedResponse, ranges, more);
        if (whole.isEmpty()) {
            return tooLong(unfinishedResponse);
        }
        List<HostRange> answer = whole.get();
        if (groups.isEmpty()) {
            return Refusal.of(Cause.NOTHING_PENDING, "extents=%d", answer.size());
        }
        if (answer.isEmpty()) {
            return finishGroup(groups.peek(), List.of());
        }
        List<Extent> extents = new ArrayList<>(answer.size());
        Optional<Refusal> refusal = checkHostList(answer, extents);
        if (refusal.isPresent()) {
            return refusal;
        }
        PendingGroup group = answeredGroup(extents.get(0));
        List<Extent> acceptedParts = new ArrayList<>(extents.size());
        for (Extent extent : extents) {
            Optional<Extent> offer =
                    group.extents().stream().filter(e -> e.contains(extent)).findFirst();
            if (offer.isEmpty()) {
                return Refusal.of(Cause.NOT_OFFERED, "%s group=%d", extent, group.id());
            }
            acceptedParts.add(offer.get().withRange(extent.startDpa(), extent.lengthBytes()));
        }
        refusal = checkTrackable(accepted.size()
                + acceptedParts.size()
                + pendingExtentCount()
                - group.extents().size());
        return refusal.isPresent() ? refusal : finishGroup(group, acceptedParts);
    }

    /**
     * The host gives accepted capacity back, asked or not (Release Dynamic Capacity, CXL r3.1 8.2.9.9.9.4): ranges may split extents or span
     * several.
     *
     * @param more as in {@link #addResponse}
     */
    public Optional<Refusal> hostRelease(List<HostRange> ranges, boolean more) {
        Optional<List<HostRange>> whole = collect(unfinishedRelease, ranges, more);
        if (whole.isEmpty()) {
            return tooLong(unfinishedRelease);
        }
        if (whole.get().isEmpty()) {
            return Refusal.of(Cause.EMPTY_LIST, "extents=0");
        }
        List<Extent> extents = new ArrayList<>(whole.get().size());
        Optional<Refusal> refusal = checkHostList(whole.get(), extents);
        if (refusal.isPresent()) {
            return refusal;
        }
        for (Extent extent : extents) {
            boolean held = accepted.covers(extent.startDpa(), extent.lengthBytes())
                    && hooks.accessValid(extent.startDpa(), extent.lengthBytes());
            if (!held) {
                return Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
            }
        }
        List<Extent> left = accepted.without(ExtentList.byAddress(extents));
        refusal = checkTrackable(left.size() + pendingExtentCount());
        if (refusal.isPresent()) {
            return refusal;
        }
        List<Extent> released = partsWithin(accepted, extents);
        journal.begin(Operation.RELEASE);
        try {
            replaceAccepted(left, true);
            recordLists();
            letGo(released, List.of());
        } finally {
            journal.end();
        }
        return Optional.empty();
    }

    // ---- checks

    private interface ExtentCheck {
        Optional<Refusal> check(Extent extent);
    }

    private Optional<Refusal> checkRequest(
            int regionId, List<Range> ranges, UUID tag, List<Extent> extents, ExtentCheck heldCheck) {
        if (regionId < 0 || regionId >= regions.size()) {
            return Refusal.of(Cause.REGION_UNKNOWN, "region=%d regions=%d", regionId, regions.size());
        }
        DcRegion region = regions.get(regionId);
        NavigableMap<Long, Extent> seen = new TreeMap<>();
        for (Range range : ranges) {
            Optional<Refusal> refusal = checkRange(region, range.offsetBytes, range.lengthBytes);
            if (refusal.isPresent()) {
                return refusal;
            }
            Extent extent = new Extent(region.baseDpa() + range.offsetBytes, range.lengthBytes, tag, 0);
            refusal = checkIsNew(seen, extent).or(() -> heldCheck.check(extent));
            if (refusal.isPresent()) {
                return refusal;
            }
            extents.add(extent);
        }
        return Optional.empty();
    }

    private static Optional<Refusal> checkRange(DcRegion region, long offsetBytes, long lengthBytes) {
        if (lengthBytes == 0) {
            return Refusal.of(Cause.LENGTH_ZERO, "region=%d offset=0x%x", region.id(), offsetBytes);
        }
        boolean aligned = region.isAligned(offsetBytes, lengthBytes);
        return aligned && region.hasRange(offsetBytes, lengthBytes)
                ? Optional.empty()
                : Refusal.of(
                        aligned ? Cause.OUTSIDE_REGION : Cause.UNALIGNED,
                        "region=%d offset=0x%x length=0x%x blockSize=0x%x regionLength=0x%x",
                        region.id(),
                        offsetBytes,
                        lengthBytes,
                        region.blockSizeBytes(),
                        region.lengthBytes());
    }

    private Optional<Refusal> checkHostList(List<HostRange> ranges, List<Extent> extents) {
        NavigableMap<Long, Extent> seen = new TreeMap<>();
        for (HostRange range : ranges) {
            Extent extent = Extent.untagged(range.startDpa, range.lengthBytes);
            Optional<DcRegion> region = regionOf(range.startDpa, range.lengthBytes);
            if (region.isEmpty() || range.lengthBytes == 0) {
                return Refusal.of(Cause.OUTSIDE_REGION, "%s", extent);
            }
            if (!region.get().isAligned(range.startDpa - region.get().baseDpa(), range.lengthBytes)) {
                return Refusal.of(
                        Cause.UNALIGNED,
                        "%s blockSize=0x%x",
                        extent,
                        region.get().blockSizeBytes());
            }
            Optional<Refusal> refusal = checkIsNew(seen, extent);
            if (refusal.isPresent()) {
                return refusal;
            }
            extents.add(extent);
        }
        return Optional.empty();
    }

    private static Optional<Refusal> checkIsNew(NavigableMap<Long, Extent> seen, Extent extent) {
        Map.Entry<Long, Extent> below = seen.lowerEntry(extent.endDpa());
        if (below != null && below.getValue().overlaps(extent)) {
            return Refusal.of(Cause.OVERLAP_IN_REQUEST, "%s", extent);
        }
        seen.put(extent.startDpa(), extent);
        return Optional.empty();
    }

    private ExtentCheck freeCheck() {
        ExtentList pending = pendingList();
        return extent -> {
            if (accepted.overlaps(extent)) {
                return Refusal.of(Cause.ALREADY_ACCEPTED, "%s", extent);
            }
            return pending.overlaps(extent) ? Refusal.of(Cause.STILL_PENDING, "%s", extent) : Optional.empty();
        };
    }

    private ExtentCheck releasableCheck() {
        ExtentList pending = pendingList();
        return extent -> {
            if (pending.overlaps(extent)) {
                return Refusal.of(Cause.STILL_PENDING, "%s", extent);
            }
            return accepted.covers(extent.startDpa(), extent.lengthBytes())
                    ? Optional.empty()
                    : Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
        };
    }

    private ExtentCheck heldCheck() {
        ExtentList held = pendingList();
        held.addAll(accepted.view());
        return extent -> held.covers(extent.startDpa(), extent.lengthBytes())
                ? Optional.empty()
                : Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
    }

    private Optional<Refusal> checkCanBeTold(List<Extent> extents) {
        return extents.size() > announcer.free()
                ? Refusal.of(Cause.EVENT_LOG_FULL, "records=%d free=%d", extents.size(), announcer.free())
                : Optional.empty();
    }

    private static Optional<Refusal> checkTrackable(int extentCount) {
        return extentCount > MAX_EXTENTS
                ? Refusal.of(Cause.TOO_MANY_EXTENTS, "extents=%d limit=%d", extentCount, MAX_EXTENTS)
                : Optional.empty();
    }

    // ---- steps

    /** Adds {@code part} to an answer that comes in pieces; present once the answer is whole, then the store is empty again. */
    private static Optional<List<HostRange>> collect(List<HostRange> unfinished, List<HostRange> part, boolean more) {
        unfinished.addAll(part);
        if (more || unfinished.size() > MAX_EXTENTS) {
            return Optional.empty();
        }
        List<HostRange> whole = List.copyOf(unfinished);
        unfinished.clear();
        return Optional.of(whole);
    }

    private static Optional<Refusal> tooLong(List<HostRange> unfinished) {
        Optional<Refusal> refusal = checkTrackable(unfinished.size());
        if (refusal.isPresent()) {
            unfinished.clear();
        }
        return refusal;
    }

    /**
     * The group that the host answers by naming {@code first}: the oldest one. Groups that were withdrawn whole may be skipped, for the host
     * may have learnt of that before it answered; when one of those offered the same extent as the first live group, the live one is meant.
     */
    private PendingGroup answeredGroup(Extent first) {
        PendingGroup withdrawn = null;
        for (PendingGroup group : groups) {
            if (!group.isWithdrawn()) {
                return withdrawn == null || offers(group.extents(), first) ? group : withdrawn;
            }
            if (withdrawn == null && offers(group.offered(), first)) {
                withdrawn = group;
            }
        }
        return withdrawn == null ? groups.peek() : withdrawn;
    }

    private static boolean offers(List<Extent> extents, Extent wanted) {
        return extents.stream().anyMatch(extent -> extent.contains(wanted));
    }

    private Optional<Refusal> finishGroup(PendingGroup group, List<Extent> acceptedParts) {
        ExtentList rest = new ExtentList();
        rest.addAll(group.extents());
        List<Extent> rejectedParts = rest.without(ExtentList.byAddress(acceptedParts));
        journal.begin(acceptedParts.isEmpty() ? Operation.REJECT : Operation.ACCEPT);
        try {
            while (groups.remove().id() != group.id()) {
                // Only groups that were withdrawn whole stand before it: the host skipped its answer to them.
            }
            accepted.addAll(acceptedParts);
            if (!acceptedParts.isEmpty()) {
                generation++;
            }
            recordLists();
            if (!acceptedParts.isEmpty()) {
                hooks.accept(acceptedParts);
            }
            if (!rejectedParts.isEmpty()) {
                hooks.reclaim(rejectedParts);
            }
        } finally {
            journal.end();
        }
        return Optional.empty();
    }

    private void withdraw(NavigableMap<Long, Extent> holes) {
        for (int i = groups.size(); i > 0; i--) {
            PendingGroup group = groups.remove();
            ExtentList rest = new ExtentList();
            rest.addAll(group.extents());
            groups.add(new PendingGroup(group.id(), group.offered(), rest.without(holes)));
        }
    }

    private void forgetOldestWithdrawnGroup() {
        if (groups.size() > MAX_GROUPS) {
            groups.stream().filter(PendingGroup::isWithdrawn).findFirst().ifPresent(groups::remove);
        }
    }

    private void replaceAccepted(List<Extent> left, boolean changed) {
        accepted.replaceWith(left);
        if (changed) {
            generation++;
        }
    }

    private void letGo(List<Extent> revoked, List<Extent> withdrawn) {
        if (!revoked.isEmpty()) {
            hooks.release(revoked, false);
        }
        if (!withdrawn.isEmpty()) {
            hooks.reclaim(withdrawn);
        }
    }

    private void recordLists() {
        journal.record(accepted.view(), pending(), generation);
    }

    private void announceAll(DcEvent.Type type, List<Extent> extents) {
        for (int i = 0; i < extents.size(); i++) {
            Extent extent = extents.get(i);
            int region = regionOf(extent.startDpa(), extent.lengthBytes())
                    .orElseThrow()
                    .id();
            // The last record that fits ends the request: the log loses the others, and a host must not wait for them.
            boolean more = i < extents.size() - 1 && announcer.free() != 1;
            announcer.announce(type, region, extent, more);
        }
    }

    private static List<Extent> partsWithin(ExtentList list, List<Extent> ranges) {
        List<Extent> parts = new ArrayList<>();
        for (Extent range : ranges) {
            parts.addAll(list.partsWithin(range));
        }
        return parts;
    }

    private ExtentList pendingList() {
        ExtentList list = new ExtentList();
        for (PendingGroup group : groups) {
            list.addAll(group.extents());
        }
        return list;
    }

    private int pendingExtentCount() {
        return groups.stream().mapToInt(group -> group.extents().size()).sum();
    }
}

package io.mhsld.type3;

import io.mhsld.type3.ExtentJournal.Operation;
import io.mhsld.type3.MultiHeadHooks.Selection;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The extent state machine of one Type-3 device (CXL r3.1 9.13.3): what the fabric manager offers, what the host accepts, what either side
 * lets go of.
 *
 * <pre>
 *       add, chosen or joined          add response: accepted parts
 *   free ----------> pending group ------------------------------> accepted extents
 *    ^  (reserve)        |  rest of the group, or withdrawn              |
 *    |  (select, join)   v  (reclaim)                                    |  host release, forced release
 *    +-------------------+-----------------------------------------------+  (release)
 * </pre>
 *
 * Capacity that is added with a tag to a shareable region is <i>shared</i>: its extents have sequence numbers from 1, other heads may join them
 * by the tag, and the tag comes and goes as a whole (9.13.3.2): an answer or a release that names some of its extents only is kept in mind until
 * the host has named them all. In a region that is not shareable a tag is a label.
 *
 * <p>Every operation checks everything before it changes anything. One thread at a time; {@link #covers} and {@link #regionOf} alone may be
 * asked by any thread.
 */
public final class DynamicCapacity {
    /** Extents, accepted and pending together, that one device keeps track of (the number that QEMU reports too). */
    public static final int MAX_EXTENTS = 512;

    /** How an add or release is told to the host: one call per extent, {@code more} on all but the last of a request. */
    interface Announcer {
        int free();

        /** Extents that will be announced, and that nobody had before. */
        default void reserved(List<Extent> extents) {}

        void announce(DcEvent.Type type, int region, Extent extent, boolean more);
    }

    /** An extent of a request, relative to its region: both numbers are unsigned 64-bit values, straight from the client. */
    public record Range(long offsetBytes, long lengthBytes) {}

    /** An extent named by the host: both numbers are unsigned 64-bit values, straight from the mailbox. */
    public record HostRange(long startDpa, long lengthBytes) {}

    private final HeldCapacity held;
    private final MultiHeadHooks hooks;
    private final Announcer announcer;
    private final ListInParts responseParts = new ListInParts();
    private final ListInParts releaseParts = new ListInParts();
    private final boolean hasShareableRegion;

    DynamicCapacity(List<DcRegion> regions, MultiHeadHooks hooks, ExtentJournal journal, Announcer announcer) {
        this.held = new HeldCapacity(regions, hooks, journal);
        this.hooks = held.hooks();
        this.announcer = announcer;
        this.hasShareableRegion = regions.stream().anyMatch(DcRegion::shareable);
    }

    /** The regions, in order of their ids. */
    public List<DcRegion> regions() {
        return held.regions();
    }

    /** The accepted extents in the order in which the host accepted them. */
    public List<Extent> accepted() {
        return held.accepted().view();
    }

    /** Accepted extents {@code start} to {@code start + count - 1}, fewer at the end of the list. */
    public List<Extent> accepted(int start, int count) {
        return held.accepted().view(start, count);
    }

    /**
     * What others see as accepted, and what counts as held: the accepted extents and, behind them, the shared ones that the host has released
     * while it has others of their tag.
     */
    public List<Extent> recorded() {
        return held.recorded();
    }

    /** Shared extents that the host has released, and may not touch any more, while it has others of their tag. */
    public List<Extent> leaving() {
        return held.leaving().view();
    }

    /** Number of accepted extents. */
    public int acceptedCount() {
        return held.accepted().size();
    }

    /** The groups that await the host's answer, oldest first. */
    public List<PendingGroup> pending() {
        return held.groups().view();
    }

    /** Changes with every change of the accepted extents (CXL r3.1 8.2.9.9.9.2). */
    public int generation() {
        return held.generation();
    }

    /** Extents that can still be offered or come out of a split. */
    public int extentsAvailable() {
        return MAX_EXTENTS - held.count();
    }

    /** Tags of shared capacity that the device can keep track of; 0 when no region is shareable. */
    public int tagsSupported() {
        return hasShareableRegion ? hooks.tagsSupported() : 0;
    }

    /** How many more at this moment. */
    public int tagsAvailable() {
        return hasShareableRegion ? hooks.tagsAvailable() : 0;
    }

    /** True when the host accepted every byte of the range. Any thread. */
    public boolean covers(long startDpa, long lengthBytes) {
        return held.accepted().covers(startDpa, lengthBytes);
    }

    /** The region in whose usable part the whole range lies; both numbers are unsigned. Any thread. */
    public Optional<DcRegion> regionOf(long startDpa, long lengthBytes) {
        return Optional.ofNullable(RequestChecks.regionOf(held.regions(), startDpa, lengthBytes));
    }

    // ---- the fabric manager's side

    /**
     * Offers capacity to the host: one group, all or nothing. Refusals of a prescriptive request come in the order of QEMU's checks: region, then
     * extent by extent length, alignment, range, overlap within the request, already accepted, still pending; then our own: tag, extent limit,
     * event log room, and what {@link MultiHeadHooks#reserve} says. Of the others: region, alignment of the length, tag ({@code TAG_REQUIRED},
     * {@code NOT_SHAREABLE}), limits, and what {@link MultiHeadHooks#select} or {@link MultiHeadHooks#join} says. No ranges, a length of 0, and
     * joining no tag succeed and do nothing.
     */
    public Optional<Refusal> add(AddRequest request) {
        refreshRegions();
        boolean isPrescriptive = request.policy() == SelectionPolicy.PRESCRIPTIVE;
        int region = request.region();
        if (region != AddRequest.ANY_REGION || !isPrescriptive) {
            Optional<Refusal> refusal = checkRegion(region);
            if (refusal.isPresent()) {
                return refusal;
            }
        }
        return switch (request.policy()) {
            case PRESCRIPTIVE -> addPrescribed(request);
            case FREE, CONTIGUOUS -> addChosen(held.regions().get(region), request);
            case ENABLE_SHARED_ACCESS -> addJoined(held.regions().get(region), request.tag());
        };
    }

    /** {@link AddRequest#prescriptive} in short. */
    public Optional<Refusal> add(int regionId, List<Range> ranges, UUID tag) {
        return regionId == AddRequest.ANY_REGION
                ? checkRegion(regionId)
                : add(AddRequest.prescriptive(regionId, ranges, tag));
    }

    private Optional<Refusal> addPrescribed(AddRequest request) {
        List<Extent> extents = new ArrayList<>(request.ranges().size());
        Optional<Refusal> refusal =
                checkRanges(request.region(), request.ranges(), request.tag(), extents, held::checkFree);
        if (refusal.isPresent() || extents.isEmpty()) {
            return refusal;
        }
        refusal = RequestChecks.tag(held.regions(), extents, request.tag());
        if (refusal.isEmpty()) {
            refusal = checkCanBeOffered(extents.size());
        }
        if (refusal.isPresent()) {
            return refusal;
        }
        boolean shared = held.regionAt(extents.get(0)).shareable();
        List<Extent> offered = shared ? numbered(extents) : List.copyOf(extents);
        return offerReserved(() -> {
            Optional<Refusal> reserved = hooks.reserve(offered);
            return reserved.isPresent() ? Selection.refused(reserved) : Selection.of(offered);
        });
    }

    private Optional<Refusal> addChosen(DcRegion region, AddRequest request) {
        if (request.lengthBytes() == 0) {
            return Optional.empty();
        }
        boolean contiguous = request.policy() == SelectionPolicy.CONTIGUOUS;
        Optional<Refusal> refusal = RequestChecks.length(region, request.lengthBytes());
        if (refusal.isPresent()) {
            return refusal;
        }
        if (region.shareable() && request.tag().equals(Extent.NO_TAG)) {
            return Refusal.of(Cause.TAG_REQUIRED, "region=%d length=0x%x", region.id(), request.lengthBytes());
        }
        if (Long.compareUnsigned(request.lengthBytes(), region.lengthBytes()) > 0) {
            return Refusal.of(
                    Cause.NO_FREE_CAPACITY,
                    "region=%d length=0x%x regionLength=0x%x",
                    region.id(),
                    request.lengthBytes(),
                    region.lengthBytes());
        }
        refusal = checkCanBeOffered(1);
        if (refusal.isPresent()) {
            return refusal;
        }
        int maxExtents = Math.min(extentsAvailable(), announcer.free());
        return offerReserved(() ->
                hooks.select(region, request.lengthBytes(), contiguous, maxExtents, request.tag(), region.shareable()));
    }

    private Optional<Refusal> addJoined(DcRegion region, UUID tag) {
        if (tag.equals(Extent.NO_TAG)) {
            return Optional.empty();
        }
        if (!region.shareable()) {
            return Refusal.of(Cause.NOT_SHAREABLE, "region=%d tag=%s", region.id(), tag);
        }
        return offer(() -> {
            Selection joined = hooks.join(region, tag);
            Optional<Refusal> refusal = joined.refusal().isPresent()
                    ? joined.refusal()
                    : checkCanBeOffered(joined.extents().size());
            if (refusal.isPresent() && !joined.extents().isEmpty()) {
                hooks.reclaim(joined.extents());
            }
            return refusal.isPresent() ? Selection.refused(refusal) : joined;
        });
    }

    private Optional<Refusal> offerReserved(HeldCapacity.Reservation reservation) {
        return offer(() -> {
            Selection selection = reservation.reserve();
            announcer.reserved(selection.extents());
            return selection;
        });
    }

    private Optional<Refusal> offer(HeldCapacity.Reservation reservation) {
        Selection selection = held.offer(reservation);
        if (selection.refusal().isEmpty()) {
            announceAll(DcEvent.Type.ADD, selection.extents());
        }
        return selection.refusal();
    }

    private static List<Extent> numbered(List<Extent> extents) {
        List<Extent> numbered = new ArrayList<>(extents.size());
        for (Extent extent : extents) {
            numbered.add(extent.withSequence(numbered.size() + 1));
        }
        return List.copyOf(numbered);
    }

    /**
     * Takes capacity back. Unless {@code forced}, the host is asked: nothing changes until it releases, and the request may be repeated; refused
     * unless the host accepted every byte, and when the event log has no room for the whole request: half of it would be worse than none.
     *
     * <p>{@code forced} does not ask, and withdraws offers that the host has not answered: every byte must be accepted or pending. The host is told
     * afterwards, as far as its event log has room, for a host that does not read it is no reason to leave it the capacity.
     *
     * <p>By tag: {@code TAG_UNKNOWN} when the host has nothing of it. Of shared capacity a part is {@code INCOMPLETE_TAG}. No ranges, and no tag
     * and no length, succeed and do nothing.
     */
    public Optional<Refusal> release(ReleaseRequest request) {
        if (request.region() != AddRequest.ANY_REGION) {
            Optional<Refusal> refusal = checkRegion(request.region());
            if (refusal.isPresent()) {
                return refusal;
            }
        }
        List<Extent> extents = new ArrayList<>();
        Optional<Refusal> refusal = request.policy() == RemovalPolicy.TAG_BASED
                ? chooseByTag(request, extents)
                : checkRanges(
                        request.region(),
                        request.ranges(),
                        Extent.NO_TAG,
                        extents,
                        request.forced() ? held::checkHeld : held::checkReleasable);
        if (refusal.isPresent() || extents.isEmpty()) {
            return refusal;
        }
        long[] holes = Runs.of(extents);
        refusal = RequestChecks.wholeTags(held.accepted(), leaving(), holes);
        if (refusal.isPresent()) {
            return refusal;
        }
        return request.forced() ? revoke(extents, holes, request.sanitize()) : askFor(extents, request.sanitize());
    }

    /** What of this host's capacity has the tag, or so much of that, the last accepted first. */
    private Optional<Refusal> chooseByTag(ReleaseRequest request, List<Extent> extents) {
        UUID tag = request.tag();
        long missing = request.lengthBytes();
        boolean all = missing == 0;
        if (all && tag.equals(Extent.NO_TAG)) {
            return Optional.empty();
        }
        List<Extent> tagged = new ArrayList<>();
        List<Extent> chosenFrom = new ArrayList<>(leaving());
        chosenFrom.addAll(accepted());
        if (request.forced()) {
            chosenFrom.addAll(held.groups().extents().view());
        }
        for (Extent extent : chosenFrom) {
            if (extent.tag().equals(tag)) {
                tagged.add(0, extent);
            }
        }
        if (tagged.isEmpty()) {
            boolean isPending = held.groups().extents().view().stream()
                    .anyMatch(extent -> extent.tag().equals(tag));
            return Refusal.of(isPending ? Cause.STILL_PENDING : Cause.TAG_UNKNOWN, "tag=%s", tag);
        }
        for (Extent extent : tagged) {
            Optional<Refusal> refusal = RequestChecks.length(held.regionAt(extent), missing);
            if (refusal.isPresent()) {
                return refusal;
            }
            if (all || missing != 0) {
                boolean whole = all || Long.compareUnsigned(extent.lengthBytes(), missing) <= 0;
                long length = whole ? extent.lengthBytes() : missing;
                extents.add(whole ? extent : extent.withRange(extent.endDpa() - length, length));
                missing -= all ? 0 : length;
            }
        }
        return missing == 0
                ? Optional.empty()
                : Refusal.of(
                        Cause.NOT_ACCEPTED, "tag=%s length=0x%x missing=0x%x", tag, request.lengthBytes(), missing);
    }

    private Optional<Refusal> askFor(List<Extent> extents, boolean sanitize) {
        List<Extent> asked = held.accepted().hasShared() ? held.accepted().partsWithin(extents) : extents;
        Optional<Refusal> refusal = checkCanBeTold(asked.size());
        if (refusal.isEmpty()) {
            if (sanitize) {
                held.markForSanitizing(extents);
            }
            announceAll(DcEvent.Type.RELEASE, asked);
        }
        return refusal;
    }

    private Optional<Refusal> revoke(List<Extent> extents, long[] holes, boolean sanitize) {
        ExtentList pending = held.groups().extents();
        Optional<Refusal> refusal = RequestChecks.wholeTags(pending, List.of(), holes);
        if (refusal.isEmpty()) {
            refusal = RequestChecks.trackable(
                    held.accepted().sizeWithout(holes) + held.leaving().size() + pending.sizeWithout(holes));
        }
        if (refusal.isPresent()) {
            return refusal;
        }
        if (sanitize) {
            held.markForSanitizing(held.recordedPartsWithin(extents));
        }
        List<Extent> told = extents;
        if (!held.leaving().isEmpty()) {
            // The host has let go of these by itself.
            ExtentList asked = new ExtentList(extents);
            asked.cut(held.leaving().runs());
            told = asked.view();
        }
        held.remove(Operation.FORCED_RELEASE, extents, holes);
        announceAll(DcEvent.Type.FORCED_RELEASE, told);
        return Optional.empty();
    }

    /** Drops everything, accepted and pending, without events: the host behind the device has restarted, or the head ends. */
    public void releaseAll() {
        responseParts.clear();
        releaseParts.clear();
        held.removeAll();
    }

    /**
     * Looks whether regions have other block sizes or settings than before, which another head's fabric manager may have changed, and tells the
     * host of each that has: one event record of type "region configuration updated" (CXL r3.1 8.2.9.2.1.6). Every add does this too.
     */
    public void refreshRegions() {
        for (int region = 0; region < held.regions().size(); region++) {
            if (held.refresh(region)) {
                announcer.announce(DcEvent.Type.REGION_CONFIGURATION_UPDATED, region, DcEvent.NOTHING, false);
            }
        }
    }

    // ---- the host's side

    /**
     * The host's answer to the oldest group (Add Dynamic Capacity Response, CXL r3.1 8.2.9.9.9.3). The named ranges become accepted extents,
     * the rest of the group is free again; no range at all rejects the whole group, and does nothing when there is none. Of a shared tag's group
     * the host names extents as a whole, anything else is {@code INCOMPLETE_TAG}; the group stays pending until answers have named them all, or
     * one rejects it.
     *
     * @param more the answer goes on in the next call; nothing happens before its end, and a refused part forgets the whole answer
     */
    public Optional<Refusal> addResponse(List<HostRange> ranges, boolean more) {
        Optional<List<HostRange>> whole = responseParts.add(ranges, more);
        if (whole.isEmpty()) {
            return responseParts.refusal();
        }
        List<HostRange> answer = whole.get();
        PendingGroups groups = held.groups();
        if (groups.isEmpty()) {
            return answer.isEmpty() ? Optional.empty() : Refusal.of(Cause.NOTHING_PENDING, "extents=%d", answer.size());
        }
        if (answer.isEmpty()) {
            held.finish(groups.oldest(), List.of());
            return Optional.empty();
        }
        List<Extent> extents = new ArrayList<>(answer.size());
        Optional<Refusal> refusal = RequestChecks.hostList(held.regions(), answer, extents);
        if (refusal.isPresent()) {
            return refusal;
        }
        PendingGroup group = groups.answeredBy(extents.get(0));
        int wholeOffers = 0;
        for (int i = 0; i < extents.size(); i++) {
            Extent extent = extents.get(i);
            Extent offer = group.offerOf(extent);
            if (offer == null) {
                return Refusal.of(Cause.NOT_OFFERED, "%s group=%d", extent, group.id());
            }
            extents.set(i, offer.within(extent));
            wholeOffers += extent.lengthBytes() == offer.lengthBytes() ? 1 : 0;
        }
        if (group.isShared()) {
            if (wholeOffers < extents.size()) {
                return Refusal.of(
                        Cause.INCOMPLETE_TAG, "tag=%s group=%d", extents.get(0).tag(), group.id());
            }
            extents = groups.gather(group, extents);
            if (extents.size() < group.extents().size()) {
                return Optional.empty();
            }
        }
        refusal = RequestChecks.trackable(
                held.count() + extents.size() - group.extents().size());
        if (refusal.isEmpty()) {
            held.finish(group, extents);
        }
        return refusal;
    }

    /**
     * The host gives accepted capacity back, asked or not (Release Dynamic Capacity, CXL r3.1 8.2.9.9.9.4): ranges may split extents or span
     * several. Extents of shared capacity are given back as a whole, anything else is {@code INCOMPLETE_TAG}. Those of a tag of which the host has
     * others yet are its no more, but stay held until it has given back the last one, for what one head has of a tag is what every head has of it.
     * No range at all does nothing.
     *
     * @param more as in {@link #addResponse}
     */
    public Optional<Refusal> hostRelease(List<HostRange> ranges, boolean more) {
        Optional<List<HostRange>> whole = releaseParts.add(ranges, more);
        if (whole.isEmpty()) {
            return releaseParts.refusal();
        }
        List<Extent> extents = new ArrayList<>(whole.get().size());
        Optional<Refusal> refusal = RequestChecks.hostList(held.regions(), whole.get(), extents);
        if (refusal.isPresent() || extents.isEmpty()) {
            return refusal;
        }
        for (Extent extent : extents) {
            refusal = held.checkAccepted(extent);
            if (refusal.isEmpty() && !hooks.accessValid(extent.startDpa(), extent.lengthBytes())) {
                refusal = Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
            }
            if (refusal.isPresent()) {
                return refusal;
            }
        }
        long[] holes = Runs.of(extents);
        refusal = RequestChecks.wholeExtents(held.accepted(), holes);
        if (refusal.isEmpty()) {
            refusal = RequestChecks.trackable(held.countWithout(holes));
        }
        if (refusal.isEmpty()) {
            held.remove(Operation.RELEASE, extents, holes);
        }
        return refusal;
    }

    // ---- checks

    private Optional<Refusal> checkRegion(int regionId) {
        return regionId >= 0 && regionId < held.regions().size()
                ? Optional.empty()
                : Refusal.of(
                        Cause.REGION_UNKNOWN,
                        "region=%d regions=%d",
                        regionId,
                        held.regions().size());
    }

    private Optional<Refusal> checkRanges(
            int regionId, List<Range> ranges, UUID tag, List<Extent> extents, RequestChecks.ExtentCheck heldCheck) {
        DcRegion region =
                regionId == AddRequest.ANY_REGION ? null : held.regions().get(regionId);
        return RequestChecks.ranges(held.regions(), region, ranges, tag, extents, heldCheck);
    }

    private Optional<Refusal> checkCanBeOffered(int extentCount) {
        return extentCount > extentsAvailable()
                ? Refusal.of(
                        Cause.TOO_MANY_EXTENTS, "extents=%d available=%d", extentCount, Math.max(0, extentsAvailable()))
                : checkCanBeTold(extentCount);
    }

    private Optional<Refusal> checkCanBeTold(int records) {
        return records > announcer.free()
                ? Refusal.of(Cause.EVENT_LOG_FULL, "records=%d free=%d", records, announcer.free())
                : Optional.empty();
    }

    // ---- steps

    private void announceAll(DcEvent.Type type, List<Extent> extents) {
        for (int i = 0; i < extents.size(); i++) {
            Extent extent = extents.get(i);
            // The last record that fits ends the request: the log loses the others, and a host must not wait for them.
            boolean more = i < extents.size() - 1 && announcer.free() != 1;
            announcer.announce(type, held.regionAt(extent).id(), extent, more);
        }
    }
}

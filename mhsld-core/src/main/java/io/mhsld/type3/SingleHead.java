package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The hooks of a device with one head, which knows all owners: itself. Free is what it does not hold, and a tag lives as long as it is held. */
final class SingleHead implements MultiHeadHooks {
    private static final Held NOTHING = new Held() {
        @Override
        public List<Extent> extents() {
            return List.of();
        }

        @Override
        public Optional<Extent> lowestEndingAbove(long dpa) {
            return Optional.empty();
        }

        @Override
        public boolean isPending(Extent extent) {
            return false;
        }
    };

    private final Held held;

    /** Of no device yet. */
    SingleHead() {
        this(NOTHING);
    }

    private SingleHead(Held held) {
        this.held = held;
    }

    @Override
    public MultiHeadHooks boundTo(Held ofDevice) {
        return new SingleHead(ofDevice);
    }

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        Extent first = extents.get(0);
        return first.isShared() ? checkTagIsNew(first.tag()) : Optional.empty();
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        Optional<Refusal> refusal = shared ? checkTagIsNew(tag) : Optional.empty();
        if (refusal.isPresent()) {
            return Selection.refused(refusal);
        }
        FreeSpace free = new FreeSpace(region, lengthBytes, maxExtents);
        long from = region.baseDpa();
        while (free.wants(from)) {
            Optional<Extent> taken = held.lowestEndingAbove(from).filter(next -> next.startDpa() < region.endDpa());
            if (taken.isEmpty()) {
                break;
            }
            if (from < taken.get().startDpa()) {
                free.add(from, taken.get().startDpa());
            }
            from = taken.get().endDpa();
        }
        free.add(from, region.endDpa());
        List<Extent> chosen = new ArrayList<>();
        refusal = free.choose(contiguous, tag, shared, chosen);
        return refusal.isPresent() ? Selection.refused(refusal) : Selection.of(chosen);
    }

    private Optional<Refusal> checkTagIsNew(UUID tag) {
        return firstOf(tag).isPresent() ? Refusal.of(Cause.TAG_IN_USE, "tag=%s", tag) : Optional.empty();
    }

    /** Whoever could share the tag's extents has them. */
    @Override
    public Selection join(DcRegion region, UUID tag) {
        Optional<Extent> first = firstOf(tag);
        Cause cause = first.isEmpty()
                ? Cause.TAG_UNKNOWN
                : held.isPending(first.get()) ? Cause.STILL_PENDING : Cause.ALREADY_ACCEPTED;
        return Selection.refused(Refusal.of(cause, "tag=%s", tag));
    }

    private Optional<Extent> firstOf(UUID tag) {
        return held.extents().stream()
                .filter(extent -> extent.isShared() && extent.tag().equals(tag))
                .findFirst();
    }

    @Override
    public void accept(List<Extent> extents) {}

    @Override
    public void reclaim(List<Extent> extents) {}

    @Override
    public void release(List<Extent> extents, boolean sanitize) {}

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        return true;
    }

    @Override
    public DcRegion current(DcRegion known) {
        return known;
    }

    @Override
    public int tagsSupported() {
        return DynamicCapacity.MAX_EXTENTS;
    }

    @Override
    public int tagsAvailable() {
        long live = held.extents().stream()
                .filter(Extent::isShared)
                .map(Extent::tag)
                .distinct()
                .count();
        return (int) (DynamicCapacity.MAX_EXTENTS - live);
    }
}

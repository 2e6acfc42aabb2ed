package io.mhsld.type3;

import io.mhsld.type3.ExtentJournal.Operation;
import io.mhsld.type3.MultiHeadHooks.Selection;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What the host of a device holds, accepted and pending, and the steps that change it: each does lists, journal and hooks in the one order in which a
 * death between any two of them does no harm. Whether a step may be done has been checked before.
 */
final class HeldCapacity implements MultiHeadHooks.Held {
    /** Chooses, and takes from the other heads. */
    interface Reservation {
        Selection reserve();
    }

    private final MultiHeadHooks hooks;
    private final ExtentJournal journal;
    private final ExtentList accepted = new ExtentList();
    private final LeavingExtents leaving = new LeavingExtents();
    private final PendingGroups groups = new PendingGroups();
    private final SanitizeMarks toSanitize = new SanitizeMarks();

    /** In order of their ids; replaced as a whole, for any thread looks at them. */
    private volatile List<DcRegion> regions;

    private int generation;

    HeldCapacity(List<DcRegion> regions, MultiHeadHooks hooks, ExtentJournal journal) {
        this.hooks = hooks.boundTo(this);
        this.journal = journal;
        this.regions = regions.stream().map(this.hooks::current).toList();
    }

    MultiHeadHooks hooks() {
        return hooks;
    }

    List<DcRegion> regions() {
        return regions;
    }

    /** Asks for the region's settings of this moment; true when they are others than before. */
    boolean refresh(int region) {
        DcRegion known = regions.get(region);
        DcRegion now = hooks.current(known);
        if (now.equals(known)) {
            return false;
        }
        List<DcRegion> changed = new ArrayList<>(regions);
        changed.set(region, now);
        regions = List.copyOf(changed);
        return true;
    }

    DcRegion regionAt(Extent extent) {
        return RequestChecks.regionOf(regions, extent.startDpa(), 1);
    }

    ExtentList accepted() {
        return accepted;
    }

    LeavingExtents leaving() {
        return leaving;
    }

    /** What others see as accepted: what the host has, and behind that what of its tags it has let go of. */
    List<Extent> recorded() {
        if (leaving.isEmpty()) {
            return accepted.view();
        }
        List<Extent> recorded = new ArrayList<>(accepted.size() + leaving.size());
        recorded.addAll(accepted.view());
        recorded.addAll(leaving.view());
        return Collections.unmodifiableList(recorded);
    }

    /** What of that lies in the ranges. */
    List<Extent> recordedPartsWithin(List<Extent> ranges) {
        if (leaving.isEmpty()) {
            return accepted.partsWithin(ranges);
        }
        return new ExtentList(recorded()).partsWithin(ranges);
    }

    /** Extents that are recorded, and that await the host's answer. */
    int count() {
        return accepted.size() + leaving.size() + groups.extentCount();
    }

    /** The same without {@code holes}: what the host then has let go of is counted, even if that is a whole tag. */
    int countWithout(long[] holes) {
        return accepted.sizeWithout(holes) + accepted.sharedTouchedBy(holes) + leaving.size() + groups.extentCount();
    }

    PendingGroups groups() {
        return groups;
    }

    int generation() {
        return generation;
    }

    @Override
    public List<Extent> extents() {
        List<Extent> held = new ArrayList<>(recorded());
        held.addAll(groups.extents().view());
        return held;
    }

    @Override
    public Optional<Extent> lowestEndingAbove(long dpa) {
        Extent lowest = accepted.lowestEndingAbove(dpa);
        if (!leaving.isEmpty()) {
            lowest = lower(lowest, leaving.lowestEndingAbove(dpa));
        }
        if (!groups.isEmpty()) {
            lowest = lower(lowest, groups.extents().lowestEndingAbove(dpa));
        }
        return Optional.ofNullable(lowest);
    }

    /** Of two that do not overlap; null stands for none. */
    private static Extent lower(Extent one, Extent other) {
        return one == null || (other != null && other.startDpa() < one.startDpa()) ? other : one;
    }

    @Override
    public boolean isPending(Extent extent) {
        return groups.extents().overlaps(extent);
    }

    // ---- checks

    Optional<Refusal> checkFree(Extent extent) {
        if (accepted.overlaps(extent) || leaving.overlaps(extent)) {
            return Refusal.of(Cause.ALREADY_ACCEPTED, "%s", extent);
        }
        return isPending(extent) ? Refusal.of(Cause.STILL_PENDING, "%s", extent) : Optional.empty();
    }

    Optional<Refusal> checkReleasable(Extent extent) {
        return isPending(extent) ? Refusal.of(Cause.STILL_PENDING, "%s", extent) : checkHeld(extent);
    }

    Optional<Refusal> checkAccepted(Extent extent) {
        return accepted.covers(extent) ? Optional.empty() : Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
    }

    /** Every byte must be accepted or pending. */
    Optional<Refusal> checkHeld(Extent extent) {
        long heldTo = extent.startDpa();
        while (heldTo < extent.endDpa()) {
            Optional<Extent> next = lowestEndingAbove(heldTo);
            if (next.isEmpty() || next.get().startDpa() > heldTo) {
                return Refusal.of(Cause.NOT_ACCEPTED, "%s", extent);
            }
            heldTo = next.get().endDpa();
        }
        return Optional.empty();
    }

    // ---- steps

    /** Offers what the reservation comes to. */
    Selection offer(Reservation reservation) {
        journal.begin(Operation.ADD);
        try {
            Selection selection = reservation.reserve();
            if (selection.refusal().isEmpty()) {
                groups.offer(selection.extents());
                record();
            }
            return selection;
        } finally {
            journal.end();
        }
    }

    /** The host has answered: it has these parts of the group, none for none of it. */
    void finish(PendingGroup group, List<Extent> acceptedParts) {
        List<Extent> rejectedParts = acceptedParts.isEmpty() ? group.extents() : List.of();
        if (!acceptedParts.isEmpty() && !acceptedParts.equals(group.extents())) {
            ExtentList rest = new ExtentList(group.extents());
            rest.cut(Runs.of(acceptedParts));
            rejectedParts = rest.view();
        }
        journal.begin(acceptedParts.isEmpty() ? Operation.REJECT : Operation.ACCEPT);
        try {
            groups.finish(group);
            if (!acceptedParts.isEmpty()) {
                accepted.addAll(acceptedParts);
                generation++;
            }
            record();
            if (!acceptedParts.isEmpty()) {
                hooks.accept(acceptedParts);
            }
            if (!rejectedParts.isEmpty()) {
                hooks.reclaim(rejectedParts);
            }
        } finally {
            journal.end();
        }
    }

    /** What the host lets go of from now on is to be scrubbed then. */
    void markForSanitizing(List<Extent> extents) {
        if (!extents.isEmpty()) {
            toSanitize.mark(extents);
        }
    }

    /**
     * Takes accepted and pending capacity away. Of a shared tag of which the host keeps something nothing is let go of yet.
     *
     * @param holes the addresses of all that goes
     */
    void remove(Operation operation, List<Extent> extents, long[] holes) {
        List<Extent> revoked = accepted.partsWithin(extents);
        ExtentList pending = groups.extents();
        List<Extent> withdrawn = pending.isEmpty() ? List.of() : pending.partsWithin(extents);
        List<Extent> gone = revoked;
        journal.begin(operation);
        try {
            if (!revoked.isEmpty()) {
                accepted.cut(holes);
                gone = leaving.leave(revoked, accepted.live());
                generation++;
            }
            if (!withdrawn.isEmpty()) {
                groups.withdraw(holes);
            }
            record();
            letGo(gone, withdrawn, gone.equals(revoked) ? holes : Runs.of(gone));
        } finally {
            journal.end();
        }
    }

    void removeAll() {
        List<Extent> revoked = recorded();
        List<Extent> withdrawn = groups.extents().view();
        long[] holes = Runs.of(revoked);
        journal.begin(Operation.RESET);
        try {
            if (!revoked.isEmpty()) {
                accepted.clear();
                leaving.clear();
                generation++;
            }
            groups.clear();
            record();
            letGo(revoked, withdrawn, holes);
        } finally {
            journal.end();
        }
    }

    private void letGo(List<Extent> revoked, List<Extent> withdrawn, long[] holes) {
        if (!revoked.isEmpty()) {
            release(revoked);
        }
        if (!withdrawn.isEmpty()) {
            hooks.reclaim(withdrawn);
        }
        toSanitize.forget(holes);
    }

    private void release(List<Extent> revoked) {
        List<Extent> sanitized = new ArrayList<>();
        List<Extent> others = new ArrayList<>(revoked.size());
        for (Extent extent : revoked) {
            if (hooks.current(regionAt(extent)).sanitizeOnRelease()) {
                sanitized.add(extent);
            } else {
                toSanitize.split(extent, sanitized, others);
            }
        }
        if (!sanitized.isEmpty()) {
            hooks.release(sanitized, true);
        }
        if (!others.isEmpty()) {
            hooks.release(others, false);
        }
    }

    private void record() {
        journal.record(
                leaving.isEmpty() ? accepted.live() : recorded(), accepted.unchanged(), groups.view(), generation);
        accepted.seen();
    }
}

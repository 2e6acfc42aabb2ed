package io.mhsld.stress.fuzz;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What the multi-headed part must be told, block by block: free, reserved, accepted. Fails at once when a hook is called for a block that is not in
 * the state which the hook is for, and at a check when blocks and extent lists disagree.
 */
final class CapacityModel implements MultiHeadHooks, ExtentJournal {
    private static final int RESERVED = 1;
    private static final int ACCEPTED = 2;

    private final long blockSizeBytes;
    private final Map<Long, Integer> blocks = new HashMap<>();

    /** Blocks that another head owns, and so no reserve gets. */
    private final Map<Long, Boolean> foreign = new HashMap<>();

    /** What is under way, null when nothing is. */
    private Operation operation;

    private List<Extent> recordedAccepted = List.of();
    private int recordedGeneration;

    CapacityModel(long blockSizeBytes) {
        this.blockSizeBytes = blockSizeBytes;
    }

    /** Another head takes a block, or lets go of it. */
    void toggleForeign(long dpa) {
        if (!blocks.containsKey(dpa) && foreign.remove(dpa) == null) {
            foreign.put(dpa, true);
        }
    }

    /** Compares with what the device says of itself. */
    void check(DynamicCapacity capacity) {
        Check.equal(null, operation, "operation that has not ended");
        Map<Long, Integer> expected = new HashMap<>();
        int extents = capacity.recorded().size();
        capacity.recorded().forEach(extent -> put(expected, extent, ACCEPTED));
        for (PendingGroup group : capacity.pending()) {
            group.extents().forEach(extent -> put(expected, extent, RESERVED));
            extents += group.extents().size();
            for (Extent extent : group.extents()) {
                Check.that(
                        group.offered().stream().anyMatch(offer -> offer.contains(extent)),
                        "a group holds what was not offered: " + extent);
            }
        }
        Check.equal(expected, blocks, "blocks by extent lists and by hooks");
        Check.that(extents <= DynamicCapacity.MAX_EXTENTS, "too many extents: " + extents);
        Check.equal(DynamicCapacity.MAX_EXTENTS - extents, capacity.extentsAvailable(), "extents available");
        Check.equal(capacity.recorded(), recordedAccepted, "accepted extents in the journal");
        Check.equal(capacity.generation(), recordedGeneration, "generation in the journal");
    }

    private void put(Map<Long, Integer> map, Extent extent, int state) {
        Check.that(extent.lengthBytes() > 0 && extent.lengthBytes() % blockSizeBytes == 0, "length of " + extent);
        Check.equal(0L, extent.startDpa() % blockSizeBytes, "alignment of " + extent);
        each(extent, dpa -> Check.equal(null, map.put(dpa, state), "two extents over one block: " + extent));
    }

    private interface Step {
        void apply(long dpa);
    }

    private void each(Extent extent, Step step) {
        for (long dpa = extent.startDpa(); dpa < extent.endDpa(); dpa += blockSizeBytes) {
            step.apply(dpa);
        }
    }

    private void each(List<Extent> extents, Set<Operation> within, Step step) {
        Check.that(!extents.isEmpty(), "hook without extents");
        Check.that(operation != null && within.contains(operation), "hook within operation " + operation);
        extents.forEach(extent -> each(extent, step));
    }

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        boolean[] isTaken = {false};
        each(extents, Set.of(Operation.ADD), dpa -> isTaken[0] |= foreign.containsKey(dpa));
        if (isTaken[0]) {
            return Refusal.of(Cause.OWNED_BY_OTHER_HEAD, "by the model");
        }
        each(extents, Set.of(Operation.ADD), dpa -> Check.equal(null, blocks.put(dpa, RESERVED), "reserved twice"));
        return Optional.empty();
    }

    @Override
    public void accept(List<Extent> extents) {
        each(
                extents,
                Set.of(Operation.ACCEPT),
                dpa -> Check.equal(RESERVED, blocks.put(dpa, ACCEPTED), "accepted without reserve"));
    }

    @Override
    public void reclaim(List<Extent> extents) {
        Set<Operation> within = Set.of(Operation.ACCEPT, Operation.REJECT, Operation.FORCED_RELEASE, Operation.RESET);
        each(extents, within, dpa -> Check.equal(RESERVED, blocks.remove(dpa), "reclaimed without reserve"));
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        Set<Operation> within = Set.of(Operation.RELEASE, Operation.FORCED_RELEASE, Operation.RESET);
        each(extents, within, dpa -> Check.equal(ACCEPTED, blocks.remove(dpa), "released without accept"));
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        FreeSpace free = new FreeSpace(region, lengthBytes, maxExtents);
        for (long dpa = region.baseDpa(); dpa < region.endDpa(); dpa += blockSizeBytes) {
            if (!blocks.containsKey(dpa) && !foreign.containsKey(dpa)) {
                free.add(dpa, dpa + blockSizeBytes);
            }
        }
        List<Extent> chosen = new ArrayList<>();
        Optional<Refusal> refusal = free.choose(contiguous, tag, shared, chosen);
        if (refusal.isPresent()) {
            return Selection.refused(refusal);
        }
        Check.equal(Optional.empty(), reserve(chosen), "reserve of free blocks");
        return Selection.of(chosen);
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        return Selection.refused(Refusal.of(Cause.TAG_UNKNOWN, "tag=%s", tag));
    }

    @Override
    public DcRegion current(DcRegion known) {
        return known;
    }

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        Check.that(lengthBytes > 0, "access check of nothing");
        return isAccepted(startDpa, lengthBytes);
    }

    /** True when every byte lies in an accepted block. */
    boolean isAccepted(long startDpa, long lengthBytes) {
        for (long dpa = startDpa - startDpa % blockSizeBytes; dpa < startDpa + lengthBytes; dpa += blockSizeBytes) {
            if (blocks.getOrDefault(dpa, 0) != ACCEPTED) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void begin(Operation begun) {
        Check.equal(null, operation, "operation under way");
        operation = begun;
    }

    @Override
    public void record(List<Extent> accepted, List<PendingGroup> pending, int generation) {
        Check.that(
                generation != recordedGeneration || accepted.equals(recordedAccepted),
                "the list changes and its generation does not");
        recordedAccepted = accepted;
        recordedGeneration = generation;
    }

    @Override
    public void end() {
        operation = null;
    }
}

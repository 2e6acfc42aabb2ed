package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Stands for the multi-headed part: knows of each block whether it is reserved or accepted, and fails the test when a hook is called for a
 * block that is not in the state which the hook is for.
 */
final class ModelHooks implements MultiHeadHooks {
    private static final long GRANULE = TestDevice.MIB;

    /** Blocks that are not free, by address: true when accepted. */
    private final Map<Long, Boolean> taken = new HashMap<>();

    private Refusal nextRefusal;

    /** Keeps the announcements of one device, and has room for so many. */
    static final class Events implements DynamicCapacity.Announcer {
        final List<DcEvent> events = new ArrayList<>();
        private final int room;

        Events(int room) {
            this.room = room;
        }

        @Override
        public int free() {
            return room - events.size();
        }

        @Override
        public void announce(DcEvent.Type type, int region, Extent extent, boolean more) {
            events.add(new DcEvent(type, 0, region, more, extent, 0));
        }
    }

    void refuseNext(Refusal refusal) {
        nextRefusal = refusal;
    }

    Boolean state(long dpa) {
        return taken.get(dpa);
    }

    int size() {
        return taken.size();
    }

    private interface Step {
        void apply(long dpa);
    }

    private static void each(List<Extent> extents, Step step) {
        assertFalse(extents.isEmpty(), "hook without extents");
        for (Extent extent : extents) {
            for (long dpa = extent.startDpa(); dpa < extent.endDpa(); dpa += GRANULE) {
                step.apply(dpa);
            }
        }
    }

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        Optional<Refusal> refusal = Optional.ofNullable(nextRefusal);
        nextRefusal = null;
        if (refusal.isEmpty()) {
            each(extents, dpa -> assertEquals(null, taken.put(dpa, false), "reserved twice"));
        }
        return refusal;
    }

    @Override
    public void accept(List<Extent> extents) {
        each(extents, dpa -> assertEquals(false, taken.put(dpa, true), "accepted without reserve"));
    }

    @Override
    public void reclaim(List<Extent> extents) {
        each(extents, dpa -> assertEquals(false, taken.remove(dpa), "reclaimed without reserve"));
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        throw new UnsupportedOperationException();
    }

    @Override
    public DcRegion current(DcRegion known) {
        return known;
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        each(extents, dpa -> assertEquals(true, taken.remove(dpa), "released without accept"));
    }

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        assertTrue(lengthBytes > 0);
        for (long dpa = startDpa - startDpa % GRANULE; dpa < startDpa + lengthBytes; dpa += GRANULE) {
            if (!Boolean.TRUE.equals(taken.get(dpa))) {
                return false;
            }
        }
        return true;
    }
}

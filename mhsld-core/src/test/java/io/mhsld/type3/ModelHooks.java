package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Stands for the multi-headed part, one for each head of a {@link Pool}: knows of each block whether it is reserved or accepted, and fails the test
 * when a hook is called for a block that is not in the state which the hook is for, or for a part of a shared tag.
 */
final class ModelHooks implements MultiHeadHooks {
    static final int TAGS = 16;

    private static final long GRANULE = TestDevice.MIB;

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

    /** What all heads have in common. */
    static final class Pool {
        private record Tag(int region, List<Extent> extents, Set<ModelHooks> holders) {}

        /** How many heads have a block, by its address. */
        private final Map<Long, Integer> owners = new HashMap<>();

        private final Map<UUID, Tag> tags = new HashMap<>();
        private final Set<Integer> sanitizedRegions = new HashSet<>();

        boolean isLive(UUID tag) {
            return tags.containsKey(tag);
        }

        /** Its extents, by their sequence. */
        List<Extent> extentsOf(UUID tag) {
            return tags.get(tag).extents;
        }

        int owners(long dpa) {
            return owners.getOrDefault(dpa, 0);
        }

        boolean isSanitized(int region) {
            return sanitizedRegions.contains(region);
        }

        /** The other setting from now on. */
        void toggleSanitize(int region) {
            if (!sanitizedRegions.remove(region)) {
                sanitizedRegions.add(region);
            }
        }
    }

    private final Pool pool;

    /** Blocks of this head, by address: true when accepted. */
    private final Map<Long, Boolean> taken = new HashMap<>();

    /** Blocks that were released since this was last asked for: true when they were to be sanitized. */
    private Map<Long, Boolean> released = new HashMap<>();

    private Refusal nextRefusal;

    ModelHooks() {
        this(new Pool());
    }

    ModelHooks(Pool pool) {
        this.pool = pool;
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

    Map<Long, Boolean> takeReleased() {
        Map<Long, Boolean> answer = released;
        released = new HashMap<>();
        return answer;
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

    private void take(List<Extent> extents) {
        each(extents, dpa -> {
            assertEquals(null, taken.put(dpa, false), "reserved twice");
            pool.owners.merge(dpa, 1, Integer::sum);
        });
    }

    private void drop(List<Extent> extents, boolean wasAccepted) {
        each(extents, dpa -> {
            assertEquals(wasAccepted, taken.remove(dpa), "given back in another state");
            pool.owners.merge(dpa, -1, Integer::sum);
        });
        for (UUID tag : requireWholeTags(extents)) {
            Pool.Tag row = pool.tags.get(tag);
            assertTrue(row.holders.remove(this));
            if (row.holders.isEmpty()) {
                pool.tags.remove(tag);
            }
        }
    }

    private Set<UUID> requireWholeTags(List<Extent> extents) {
        Map<UUID, Set<Extent>> parts = new HashMap<>();
        extents.stream()
                .filter(Extent::isShared)
                .forEach(extent -> parts.computeIfAbsent(extent.tag(), unused -> new HashSet<>())
                        .add(extent));
        parts.forEach((tag, part) -> assertEquals(new HashSet<>(pool.extentsOf(tag)), part));
        return parts.keySet();
    }

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        Optional<Refusal> refusal = Optional.ofNullable(nextRefusal);
        nextRefusal = null;
        Extent first = extents.get(0);
        boolean shared = first.isShared();
        if (refusal.isEmpty() && shared && pool.isLive(first.tag())) {
            refusal = Refusal.of(Cause.TAG_IN_USE, "");
        }
        boolean[] isTaken = {false};
        each(extents, dpa -> isTaken[0] |= pool.owners(dpa) > 0 && !taken.containsKey(dpa));
        if (refusal.isEmpty() && isTaken[0]) {
            refusal = Refusal.of(Cause.OWNED_BY_OTHER_HEAD, "");
        }
        if (refusal.isPresent()) {
            return refusal;
        }
        take(extents);
        for (int i = 0; i < extents.size(); i++) {
            assertEquals(shared ? i + 1 : 0, extents.get(i).sharedSequence());
            assertEquals(first.tag(), extents.get(i).tag());
        }
        if (shared) {
            assertTrue(first.isTagged());
            pool.tags.put(first.tag(), new Pool.Tag(0, List.copyOf(extents), new HashSet<>(Set.of(this))));
        }
        return Optional.empty();
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        if (shared && pool.isLive(tag)) {
            return Selection.refused(Refusal.of(Cause.TAG_IN_USE, ""));
        }
        FreeSpace free = new FreeSpace(region, lengthBytes, maxExtents);
        long from = region.baseDpa();
        for (long dpa = region.baseDpa(); dpa < region.endDpa(); dpa += GRANULE) {
            if (pool.owners(dpa) > 0) {
                free.add(from, dpa);
                from = dpa + GRANULE;
            }
        }
        free.add(from, region.endDpa());
        List<Extent> chosen = new ArrayList<>();
        Optional<Refusal> refusal = free.choose(contiguous, tag, shared, chosen);
        if (refusal.isPresent()) {
            return Selection.refused(refusal);
        }
        assertEquals(Optional.empty(), reserve(chosen));
        return Selection.of(chosen);
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        if (!pool.isLive(tag)) {
            return Selection.refused(Refusal.of(Cause.TAG_UNKNOWN, ""));
        }
        List<Extent> extents = pool.extentsOf(tag);
        if (!pool.tags.get(tag).holders.add(this)) {
            boolean accepted = taken.get(extents.get(0).startDpa());
            return Selection.refused(Refusal.of(accepted ? Cause.ALREADY_ACCEPTED : Cause.STILL_PENDING, ""));
        }
        take(extents);
        return Selection.of(extents);
    }

    @Override
    public void accept(List<Extent> extents) {
        requireWholeTags(extents);
        each(extents, dpa -> assertEquals(false, taken.put(dpa, true), "accepted without reserve"));
    }

    @Override
    public void reclaim(List<Extent> extents) {
        drop(extents, false);
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        drop(extents, true);
        each(extents, dpa -> released.put(dpa, sanitize));
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

    @Override
    public DcRegion current(DcRegion known) {
        boolean sanitized = pool.isSanitized(known.id());
        return known.sanitizeOnRelease() == sanitized
                ? known
                : new DcRegion(
                        known.id(),
                        known.baseDpa(),
                        known.decodeLengthBytes(),
                        known.lengthBytes(),
                        known.blockSizeBytes(),
                        known.shareable(),
                        sanitized);
    }

    @Override
    public int tagsSupported() {
        return TAGS;
    }

    @Override
    public int tagsAvailable() {
        return TAGS - pool.tags.size();
    }
}

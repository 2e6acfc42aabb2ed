package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Heads create, join, leave, are kept and die at random, beside a model that only knows who holds which tag. */
@Timeout(300)
class SharingModelTest {
    private static final long SEED = Long.getLong("mhsld.seed", 20_241_018L);
    private static final int ROUNDS = 25;
    private static final int STEPS = 120;
    private static final int HEADS = 4;
    private static final int TAGS = 6;
    private static final int BLOCKS = 64;
    private static final long BLOCK = 4096;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /** What is known of a tag. */
    private static final class Tag {
        private long holders;
        private long pending;
        private boolean isKept;
        private long blocks;
        private int value;

        private boolean exists() {
            return holders != 0 || isKept;
        }
    }

    private final Map<UUID, Tag> model = new HashMap<>();
    private final SharingHead[] heads = new SharingHead[HEADS];
    private SplittableRandom random;

    @Test
    void shouldDoAsModelDoes() {
        for (int round = 0; round < ROUNDS; round++) {
            long seed = SEED + round;
            try {
                live(seed);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("-Dmhsld.seed=" + seed, e);
            }
        }
    }

    private void live(long seed) {
        random = new SplittableRandom(seed);
        model.clear();
        Geometry geometry = Geometry.of(HEADS, BLOCKS * BLOCK, 1, BLOCK).withShareable(Set.of(0));
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
        for (int id = 0; id < HEADS; id++) {
            heads[id] = SharingHead.attach(fixture.files(), id);
        }
        for (int step = 0; step < STEPS; step++) {
            step(heads[random.nextInt(HEADS)]);
            check("step=" + step);
        }
        for (SharingHead head : heads) {
            head.close();
        }
        long kept = model.values().stream()
                .filter(tag -> tag.isKept)
                .mapToLong(tag -> tag.blocks)
                .sum();
        Inspector.Report report = fixture.assertSound();
        assertEquals(kept, report.keptBlocks());
        assertEquals(BLOCKS - kept, report.freeBlocks());
    }

    private void step(SharingHead head) {
        UUID name = new UUID(0, 1L + random.nextInt(TAGS));
        Tag tag = model.computeIfAbsent(name, unused -> new Tag());
        long bit = 1L << head.id;
        switch (random.nextInt(10)) {
            case 0, 1 -> create(head, name, tag);
            case 2, 3, 4 -> join(head, name, tag);
            case 5, 6 -> letGo(head, name, tag);
            case 7 -> keep(head, name, tag);
            case 8 -> die(head);
            default -> {
                Optional<Refusal> refusal = head.addFree(0, 1 + random.nextInt(9), random.nextBoolean(), 16);
                refusal.ifPresent(reason -> assertTrue(
                        Set.of(Cause.NO_FREE_CAPACITY, Cause.TOO_MANY_EXTENTS).contains(reason.cause()),
                        reason.toString()));
                if (refusal.isEmpty()) {
                    // Behind what awaits an answer already.
                    answerAll(head);
                    assertEquals(0, head.bytes(Extent.NO_TAG), "stale bytes");
                    head.release(Extent.NO_TAG);
                }
            }
        }
        assertTrue((tag.pending & ~tag.holders) == 0, "model: head " + bit);
    }

    private void create(SharingHead head, UUID name, Tag tag) {
        int blocks = 1 + random.nextInt(9);
        Optional<Refusal> refusal = head.create(name, 0, blocks, 1 + random.nextInt(4));
        if (tag.exists()) {
            assertTrue(refusal.isPresent(), "a tag was made twice");
            return;
        }
        if (refusal.isPresent()) {
            assertTrue(
                    Set.of(Cause.NO_FREE_CAPACITY, Cause.TOO_MANY_EXTENTS)
                            .contains(refusal.get().cause()),
                    refusal.toString());
            return;
        }
        tag.holders = 1L << head.id;
        tag.pending = tag.holders;
        tag.blocks = blocks;
        answerAll(head);
        tag.value = 1 + random.nextInt(100);
        assertEquals(0, head.bytes(name), "stale bytes");
        head.fill(name, tag.value);
    }

    private void join(SharingHead head, UUID name, Tag tag) {
        boolean holds = (tag.holders >>> head.id & 1) != 0;
        boolean isPending = (tag.pending >>> head.id & 1) != 0;
        Optional<Refusal> refusal = head.join(name, 0);
        Cause expected = !tag.exists()
                ? Cause.TAG_UNKNOWN
                : !holds ? null : isPending ? Cause.STILL_PENDING : Cause.ALREADY_ACCEPTED;
        assertEquals(Optional.ofNullable(expected), refusal.map(Refusal::cause));
        if (refusal.isEmpty()) {
            tag.holders |= 1L << head.id;
            tag.pending |= 1L << head.id;
            if (random.nextInt(3) > 0) {
                answerAll(head);
                assertEquals(tag.value, head.bytes(name), "not the bytes of the others");
            }
        }
    }

    private void letGo(SharingHead head, UUID name, Tag tag) {
        boolean isAccepted = ((tag.holders & ~tag.pending) >>> head.id & 1) != 0;
        if (isAccepted) {
            if (random.nextBoolean()) {
                head.release(name);
            } else {
                head.releaseParts(name);
            }
            tag.holders &= ~(1L << head.id);
        } else if (!head.groups.isEmpty()) {
            UUID rejected = head.groups.peek().extents().get(0).tag();
            head.reject();
            forget(head, model.get(rejected));
        }
    }

    private void keep(SharingHead head, UUID name, Tag tag) {
        boolean keep = random.nextBoolean();
        TagRegistry registry = head.registry();
        Optional<Refusal> refusal = keep ? registry.addReference(name) : registry.removeReference(name);
        assertEquals(tag.exists() ? Optional.empty() : Optional.of(Cause.TAG_UNKNOWN), refusal.map(Refusal::cause));
        if (tag.exists()) {
            tag.isKept = keep;
        }
    }

    /** As by SIGKILL; sometimes its successor frees what it held, sometimes a peer. */
    private void die(SharingHead head) {
        head.bury();
        if (random.nextBoolean()) {
            heads[(head.id + 1) % HEADS].tick();
        }
        heads[head.id] = SharingHead.attach(fixture.files(), head.id);
        model.values().forEach(tag -> forget(head, tag));
    }

    private static void forget(SharingHead head, Tag tag) {
        tag.holders &= ~(1L << head.id);
        tag.pending &= ~(1L << head.id);
    }

    private void answerAll(SharingHead head) {
        while (!head.groups.isEmpty()) {
            UUID answered = head.groups.peek().extents().get(0).tag();
            head.accept();
            if (model.containsKey(answered)) {
                model.get(answered).pending &= ~(1L << head.id);
            }
        }
    }

    private void check(String which) {
        List<TagRegistry.Tag> tags = heads[0].registry().list();
        List<UUID> expected = new ArrayList<>();
        model.forEach((name, tag) -> {
            if (tag.exists()) {
                expected.add(name);
            }
        });
        assertEquals(
                Set.copyOf(expected),
                Set.copyOf(tags.stream().map(TagRegistry.Tag::tag).toList()),
                which);
        for (TagRegistry.Tag tag : tags) {
            Tag known = model.get(tag.tag());
            assertEquals(known.holders, tag.holders(), which + " " + tag);
            assertEquals(known.pending, tag.pendingHolders(), which + " " + tag);
            assertEquals(known.isKept, tag.isReferenced(), which + " " + tag);
            assertEquals(known.blocks * BLOCK, tag.lengthBytes(), which + " " + tag);
        }
        Inspector.Report report = fixture.assertSound();
        long taken = model.values().stream()
                .filter(Tag::exists)
                .mapToLong(tag -> tag.blocks)
                .sum();
        assertEquals(BLOCKS - taken, report.freeBlocks(), which);
    }
}

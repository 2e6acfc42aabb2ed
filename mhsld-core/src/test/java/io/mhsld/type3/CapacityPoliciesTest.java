package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.MIB;
import static io.mhsld.type3.TestDevice.TAG;
import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.hostBlocks;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Policies, tags and sharing: two heads of a device with a plain region and a shareable one, 512 blocks each. */
class CapacityPoliciesTest {
    private static final Optional<Refusal> DONE = Optional.empty();
    private static final int PLAIN = 0;
    private static final int SHAREABLE = 1;
    private static final UUID OTHER = new UUID(1, 2);
    private static final long SHARED_BASE = BASE + 1024 * MIB;
    private static final List<DcRegion> REGIONS = List.of(
            new DcRegion(PLAIN, BASE, 1024 * MIB, 1024 * MIB, BLOCK),
            new DcRegion(SHAREABLE, SHARED_BASE, 1024 * MIB, 1024 * MIB, BLOCK, true, false));

    private final ModelHooks.Pool pool = new ModelHooks.Pool();
    private final ModelHooks hooks = new ModelHooks(pool);
    private final ModelHooks.Events events = new ModelHooks.Events(4096);
    private final DynamicCapacity first = new DynamicCapacity(REGIONS, hooks, ExtentJournal.NONE, events);
    private final ModelHooks secondHooks = new ModelHooks(pool);
    private final ModelHooks.Events secondEvents = new ModelHooks.Events(20);
    private final DynamicCapacity second = new DynamicCapacity(REGIONS, secondHooks, ExtentJournal.NONE, secondEvents);

    private static Cause cause(Optional<Refusal> refusal) {
        return refusal.map(Refusal::cause).orElse(null);
    }

    private static HostRange shared(long first, long count) {
        return new HostRange(SHARED_BASE + first * BLOCK, count * BLOCK);
    }

    private static Extent sharedExtent(long first, long count, int sequence) {
        return new Extent(SHARED_BASE + first * BLOCK, count * BLOCK, TAG, sequence);
    }

    private static Optional<Refusal> respond(DynamicCapacity capacity, HostRange... ranges) {
        return capacity.addResponse(List.of(ranges), false);
    }

    private static Optional<Refusal> release(DynamicCapacity capacity, HostRange... ranges) {
        return capacity.hostRelease(List.of(ranges), false);
    }

    private void share() {
        assertEquals(DONE, first.add(SHAREABLE, List.of(blocks(8, 2), blocks(0, 4)), TAG));
        assertEquals(DONE, respond(first, shared(8, 2), shared(0, 4)));
    }

    // ---- empty requests

    @Test
    void shouldDoNothingForRequestsOfNothing() {
        assertEquals(DONE, first.add(AddRequest.free(PLAIN, 0, Extent.NO_TAG)));
        assertEquals(DONE, first.add(AddRequest.contiguous(SHAREABLE, 0, Extent.NO_TAG)));
        assertEquals(DONE, first.add(AddRequest.join(PLAIN, Extent.NO_TAG)));
        assertEquals(DONE, first.add(AddRequest.atDpa(List.of(), Extent.NO_TAG)));
        assertEquals(DONE, first.release(ReleaseRequest.tagged(Extent.NO_TAG)));
        assertEquals(DONE, first.release(ReleaseRequest.atDpa(List.of())));
        assertEquals(Cause.REGION_UNKNOWN, cause(first.add(AddRequest.free(2, 0, Extent.NO_TAG))));
        assertEquals(Cause.REGION_UNKNOWN, cause(first.add(AddRequest.join(AddRequest.ANY_REGION, TAG))));
        assertEquals(List.of(), events.events);
    }

    // ---- device addresses

    @Test
    void shouldTakeDeviceAddressesInSeveralRegions() {
        List<Range> ranges = List.of(new Range(BASE, BLOCK), new Range(BASE + 2 * BLOCK, BLOCK));
        assertEquals(DONE, first.add(AddRequest.atDpa(ranges, Extent.NO_TAG)));
        assertEquals(DONE, respond(first, hostBlocks(0, 1), hostBlocks(2, 1)));
        share();
        assertEquals(
                Cause.OUTSIDE_REGION,
                cause(first.add(AddRequest.atDpa(
                        List.of(new Range(BASE + 4 * BLOCK, BLOCK), new Range(SHARED_BASE + 20 * BLOCK, BLOCK)),
                        OTHER))));
        assertEquals(Cause.OUTSIDE_REGION, cause(first.add(AddRequest.atDpa(List.of(new Range(0, BLOCK)), TAG))));
        assertEquals(
                Cause.OUTSIDE_REGION,
                cause(first.add(AddRequest.atDpa(List.of(new Range(SHARED_BASE - BLOCK, 2 * BLOCK)), TAG))));
        assertEquals(
                DONE,
                first.release(ReleaseRequest.atDpa(List.of(
                                new Range(BASE, BLOCK),
                                new Range(SHARED_BASE, 4 * BLOCK),
                                new Range(SHARED_BASE + 8 * BLOCK, 2 * BLOCK)))
                        .byForce(true)));
        assertEquals(List.of(TestDevice.extent(2, 1)), first.accepted());
        assertFalse(pool.isLive(TAG));
    }

    // ---- limits

    @Test
    void shouldOfferNoMoreExtentsThanTheHostCanBeToldOf() {
        for (int i = 0; i < 512; i += 2) {
            assertEquals(DONE, first.add(PLAIN, List.of(blocks(i, 1)), Extent.NO_TAG));
        }
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(second.add(AddRequest.free(PLAIN, 21 * BLOCK, Extent.NO_TAG))));
        assertEquals(DONE, second.add(AddRequest.free(PLAIN, 20 * BLOCK, Extent.NO_TAG)));
        assertEquals(20, second.pending().get(0).extents().size());
        assertEquals(Cause.EVENT_LOG_FULL, cause(second.add(AddRequest.free(PLAIN, BLOCK, Extent.NO_TAG))));
        assertEquals(Cause.UNALIGNED, cause(second.add(AddRequest.free(PLAIN, BLOCK + 1, Extent.NO_TAG))));
        assertEquals(Cause.NO_FREE_CAPACITY, cause(second.add(AddRequest.free(PLAIN, -BLOCK, Extent.NO_TAG))));
    }

    @Test
    void shouldGiveBackWhatItJoinsAndCannotOffer() {
        assertEquals(DONE, first.add(SHAREABLE, singles(0, 21), TAG));
        assertEquals(Cause.EVENT_LOG_FULL, cause(second.add(AddRequest.join(SHAREABLE, TAG))));
        assertEquals(0, secondHooks.size());
        assertEquals(List.of(), second.pending());
        first.releaseAll();
        assertFalse(pool.isLive(TAG));
    }

    // ---- tags

    @Test
    void shouldLetATagBeALabelWhereNothingIsShared() {
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(0, 1)), TAG));
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(2, 1)), TAG));
        assertEquals(DONE, second.add(AddRequest.free(PLAIN, BLOCK, TAG)));
        assertEquals(0, first.pending().get(0).extents().get(0).sharedSequence());
        assertEquals(Cause.NOT_SHAREABLE, cause(second.add(AddRequest.join(PLAIN, TAG))));
        assertEquals(ModelHooks.TAGS, first.tagsAvailable());
    }

    @Test
    void shouldWantATagWhereCapacityIsShared() {
        assertEquals(Cause.TAG_REQUIRED, cause(first.add(SHAREABLE, List.of(blocks(0, 1)), Extent.NO_TAG)));
        assertEquals(Cause.TAG_REQUIRED, cause(first.add(AddRequest.free(SHAREABLE, BLOCK, Extent.NO_TAG))));
        share();
        assertEquals(Cause.TAG_IN_USE, cause(second.add(SHAREABLE, List.of(blocks(20, 1)), TAG)));
        assertEquals(Cause.TAG_IN_USE, cause(second.add(AddRequest.contiguous(SHAREABLE, BLOCK, TAG))));
        assertEquals(Cause.TAG_UNKNOWN, cause(second.add(AddRequest.join(SHAREABLE, OTHER))));
        assertEquals(ModelHooks.TAGS - 1, second.tagsAvailable());
        assertEquals(ModelHooks.TAGS, second.tagsSupported());
    }

    @Test
    void shouldReleaseSoMuchOfATagTheLastFirst() {
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(0, 4), blocks(8, 2)), TAG));
        assertEquals(DONE, respond(first, hostBlocks(0, 4), hostBlocks(8, 2)));
        assertEquals(Cause.UNALIGNED, cause(first.release(ReleaseRequest.tagged(TAG, 1))));
        assertEquals(Cause.NOT_ACCEPTED, cause(first.release(ReleaseRequest.tagged(TAG, 7 * BLOCK))));
        assertEquals(Cause.TAG_UNKNOWN, cause(first.release(ReleaseRequest.tagged(OTHER, BLOCK))));
        assertEquals(DONE, first.release(ReleaseRequest.tagged(TAG, 3 * BLOCK).byForce(true)));
        assertEquals(List.of(new Extent(BASE, 3 * BLOCK, TAG, 0)), first.accepted());
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(16, 1)), TAG));
        assertEquals(DONE, first.release(ReleaseRequest.tagged(TAG)));
        DcEvent last = events.events.get(events.events.size() - 1);
        assertEquals(DcEvent.Type.RELEASE, last.type());
        assertEquals(new Extent(BASE, 3 * BLOCK, TAG, 0), last.extent());
        first.release(ReleaseRequest.prescriptive(PLAIN, List.of(blocks(0, 3))).byForce(true));
        assertEquals(Cause.STILL_PENDING, cause(first.release(ReleaseRequest.tagged(TAG))));
    }

    // ---- sharing

    @Test
    void shouldOfferAllExtentsOfATagTogetherToEveryHost() {
        share();
        assertEquals(DONE, second.add(AddRequest.join(SHAREABLE, TAG)));
        assertEquals(List.of(sharedExtent(8, 2, 1), sharedExtent(0, 4, 2)), first.accepted());
        assertEquals(first.accepted(), second.pending().get(0).extents());
        assertEquals(2, secondEvents.events.size());
        assertTrue(secondEvents.events.get(0).more());
        assertFalse(secondEvents.events.get(1).more());
        assertEquals(sharedExtent(0, 4, 2), secondEvents.events.get(1).extent());
        assertEquals(2, pool.owners(SHARED_BASE));
    }

    @Test
    void shouldTakeTheWholeOfATagOrNothing() {
        assertEquals(DONE, first.add(SHAREABLE, List.of(blocks(8, 2), blocks(0, 4)), TAG));
        assertEquals(Cause.INCOMPLETE_TAG, cause(respond(first, shared(8, 2), shared(0, 3))));
        assertEquals(Cause.INCOMPLETE_TAG, cause(respond(first, shared(8, 2), shared(0, 1), shared(1, 3))));
        assertEquals(List.of(), first.accepted());
        assertEquals(DONE, respond(first, shared(0, 4), shared(8, 2)));
        assertEquals(DONE, second.add(AddRequest.join(SHAREABLE, TAG)));
        assertEquals(DONE, respond(second));
        assertEquals(1, pool.owners(SHARED_BASE));
        assertTrue(pool.isLive(TAG));
    }

    @Test
    void shouldTakeATagExtentByExtentAndHaveItWithTheLast() {
        assertEquals(DONE, first.add(SHAREABLE, List.of(blocks(8, 2), blocks(0, 4), blocks(16, 1)), TAG));
        assertEquals(DONE, respond(first, shared(0, 4)));
        assertEquals(List.of(), first.accepted());
        assertFalse(first.covers(SHARED_BASE, 1));
        assertEquals(1, first.pending().size());
        assertEquals(DONE, respond(first, shared(0, 4), shared(8, 2)));
        assertEquals(Cause.NOT_OFFERED, cause(respond(first, shared(20, 1))));
        assertEquals(0, first.generation());
        assertEquals(DONE, respond(first, shared(16, 1)));
        assertEquals(List.of(sharedExtent(0, 4, 2), sharedExtent(8, 2, 1), sharedExtent(16, 1, 3)), first.accepted());
        assertEquals(List.of(), first.pending());
        assertEquals(1, first.generation());
    }

    @Test
    void shouldRejectTheWholeOfATagThatWasTakenInPart() {
        assertEquals(DONE, first.add(SHAREABLE, List.of(blocks(8, 2), blocks(0, 4)), TAG));
        assertEquals(DONE, respond(first, shared(0, 4)));
        assertEquals(DONE, respond(first));
        assertEquals(List.of(), first.accepted());
        assertEquals(List.of(), first.pending());
        assertFalse(pool.isLive(TAG));
        assertEquals(DONE, first.add(SHAREABLE, List.of(blocks(8, 2), blocks(0, 4)), TAG));
        assertEquals(DONE, respond(first, shared(8, 2)));
        assertEquals(List.of(), first.accepted());
    }

    @Test
    void shouldReleaseATagByWholeExtents() {
        share();
        assertEquals(Cause.INCOMPLETE_TAG, cause(release(first, shared(8, 2), shared(1, 3))));
        assertEquals(Cause.INCOMPLETE_TAG, cause(ask(first, blocks(0, 4))));
        assertEquals(Cause.INCOMPLETE_TAG, cause(force(first, blocks(0, 4))));
        assertEquals(DONE, second.add(AddRequest.join(SHAREABLE, TAG)));
        assertEquals(Cause.INCOMPLETE_TAG, cause(force(second, blocks(8, 2))));
        assertEquals(DONE, release(first, shared(8, 2), shared(0, 1), shared(1, 3)));
        assertEquals(List.of(), first.accepted());
        assertTrue(pool.isLive(TAG));
        assertEquals(DONE, second.release(ReleaseRequest.tagged(TAG).byForce(true)));
        assertFalse(pool.isLive(TAG));
    }

    @Test
    void shouldHoldATagUntilItsLastExtentIsReleased() {
        share();
        int available = first.extentsAvailable();
        assertEquals(DONE, release(first, shared(8, 2)));
        assertEquals(List.of(sharedExtent(0, 4, 2)), first.accepted());
        assertEquals(List.of(sharedExtent(8, 2, 1)), first.leaving());
        assertEquals(List.of(sharedExtent(0, 4, 2), sharedExtent(8, 2, 1)), first.recorded());
        assertEquals(2, first.generation());
        assertEquals(available, first.extentsAvailable());
        assertFalse(first.covers(SHARED_BASE + 8 * BLOCK, 1));
        assertTrue(first.covers(SHARED_BASE, 4 * BLOCK));
        assertEquals(1, pool.owners(SHARED_BASE + 8 * BLOCK));
        assertEquals(Cause.NOT_ACCEPTED, cause(release(first, shared(8, 2))));
        assertEquals(Cause.NOT_ACCEPTED, cause(release(first, shared(8, 2), shared(0, 4))));
        assertEquals(Cause.ALREADY_ACCEPTED, cause(first.add(AddRequest.join(SHAREABLE, TAG))));
        assertEquals(Cause.ALREADY_ACCEPTED, cause(first.add(SHAREABLE, List.of(blocks(8, 1)), OTHER)));
        assertEquals(DONE, release(first, shared(0, 4)));
        assertEquals(List.of(), first.leaving());
        assertEquals(0, pool.owners(SHARED_BASE + 8 * BLOCK));
        assertFalse(pool.isLive(TAG));
    }

    @Test
    void shouldTakeBackATagThatIsReleasedInPart() {
        share();
        assertEquals(DONE, release(first, shared(8, 2)));
        int before = events.events.size();
        assertEquals(Cause.INCOMPLETE_TAG, cause(ask(first, blocks(8, 2))));
        assertEquals(Cause.INCOMPLETE_TAG, cause(force(first, blocks(8, 2))));
        assertEquals(DONE, first.release(ReleaseRequest.tagged(TAG, 6 * BLOCK)));
        assertEquals(DONE, first.release(ReleaseRequest.tagged(TAG)));
        assertEquals(DONE, ask(first, blocks(0, 4)));
        for (DcEvent event : events.events.subList(before, events.events.size())) {
            assertEquals(sharedExtent(0, 4, 2), event.extent());
            assertFalse(event.more());
        }
        assertEquals(before + 3, events.events.size());
        assertEquals(DONE, force(first, blocks(0, 4)));
        assertEquals(before + 4, events.events.size());
        assertEquals(List.of(), first.recorded());
        assertFalse(pool.isLive(TAG));
    }

    @Test
    void shouldForgetATagThatIsReleasedInPartWhenTheHostRestarts() {
        share();
        assertEquals(DONE, release(first, shared(0, 4)));
        first.releaseAll();
        assertEquals(List.of(), first.recorded());
        assertFalse(pool.isLive(TAG));
        assertEquals(DynamicCapacity.MAX_EXTENTS, first.extentsAvailable());
    }

    private static Optional<Refusal> ask(DynamicCapacity capacity, DynamicCapacity.Range range) {
        return capacity.release(ReleaseRequest.prescriptive(SHAREABLE, List.of(range)));
    }

    private static Optional<Refusal> force(DynamicCapacity capacity, DynamicCapacity.Range range) {
        return capacity.release(
                ReleaseRequest.prescriptive(SHAREABLE, List.of(range)).byForce(true));
    }

    // ---- sanitize

    @Test
    void shouldRememberUntilTheHostLetsGoWhatIsToBeSanitized() {
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(0, 8)), Extent.NO_TAG));
        assertEquals(DONE, respond(first, hostBlocks(0, 8)));
        assertEquals(
                DONE,
                first.release(ReleaseRequest.prescriptive(PLAIN, List.of(blocks(2, 2)))
                        .sanitizing(true)));
        assertEquals(DONE, release(first, hostBlocks(1, 2)));
        Map<Long, Boolean> released = hooks.takeReleased();
        assertEquals(false, released.get(BASE + BLOCK));
        assertEquals(true, released.get(BASE + 2 * BLOCK));
        assertEquals(DONE, release(first, hostBlocks(0, 1), hostBlocks(3, 5)));
        released = hooks.takeReleased();
        assertEquals(false, released.get(BASE));
        assertEquals(true, released.get(BASE + 3 * BLOCK));
        assertEquals(false, released.get(BASE + 4 * BLOCK));
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(2, 2)), Extent.NO_TAG));
        assertEquals(DONE, respond(first, hostBlocks(2, 2)));
        assertEquals(DONE, release(first, hostBlocks(2, 2)));
        assertEquals(false, hooks.takeReleased().get(BASE + 2 * BLOCK), "the mark went with the capacity");
    }

    @Test
    void shouldSanitizeByForceAndBySetting() {
        share();
        pool.toggleSanitize(SHAREABLE);
        first.releaseAll();
        assertFalse(hooks.takeReleased().containsValue(false));
        assertEquals(DONE, first.add(PLAIN, List.of(blocks(0, 1)), Extent.NO_TAG));
        assertEquals(DONE, respond(first, hostBlocks(0, 1)));
        assertEquals(
                DONE,
                first.release(ReleaseRequest.prescriptive(PLAIN, List.of(blocks(0, 1)))
                        .byForce(true)
                        .sanitizing(true)));
        assertEquals(true, hooks.takeReleased().get(BASE));
    }

    // ---- region settings

    @Test
    void shouldTellTheHostOfARegionsOtherSettingOnce() {
        pool.toggleSanitize(PLAIN);
        first.refreshRegions();
        first.refreshRegions();
        assertEquals(1, events.events.size());
        DcEvent event = events.events.get(0);
        assertEquals(DcEvent.Type.REGION_CONFIGURATION_UPDATED, event.type());
        assertEquals(3, event.type().value());
        assertEquals(DcEvent.NOTHING, event.extent());
        assertFalse(event.more());
        assertTrue(first.regions().get(PLAIN).sanitizeOnRelease());
        assertEquals(DONE, second.add(PLAIN, List.of(), Extent.NO_TAG));
        assertEquals(1, secondEvents.events.size(), "an add looks too");
    }

    // ---- one head

    @Test
    void shouldChooseFromWhatADeviceWithOneHeadDoesNotHold() {
        DynamicCapacity alone =
                new DynamicCapacity(REGIONS, MultiHeadHooks.NONE, ExtentJournal.NONE, new ModelHooks.Events(4096));
        assertEquals(DONE, alone.add(PLAIN, List.of(blocks(4, 4), blocks(100, 1)), Extent.NO_TAG));
        assertEquals(DONE, respond(alone, hostBlocks(4, 4)));
        assertEquals(DONE, alone.add(AddRequest.free(PLAIN, 4 * BLOCK, Extent.NO_TAG)));
        assertEquals(List.of(TestDevice.extent(0, 4)), alone.pending().get(0).extents());
        assertEquals(Cause.NO_FREE_CAPACITY, cause(alone.add(AddRequest.contiguous(PLAIN, 505 * BLOCK, TAG))));
        assertEquals(DONE, alone.add(AddRequest.contiguous(PLAIN, 504 * BLOCK, Extent.NO_TAG)));
        assertEquals(Cause.NO_FREE_CAPACITY, cause(alone.add(AddRequest.free(PLAIN, BLOCK, Extent.NO_TAG))));
        assertEquals(512, alone.tagsAvailable());
        assertEquals(DONE, alone.add(AddRequest.free(SHAREABLE, 512 * BLOCK, TAG)));
        assertEquals(511, alone.tagsAvailable());
        assertEquals(Cause.TAG_IN_USE, cause(alone.add(AddRequest.free(SHAREABLE, BLOCK, TAG))));
        assertEquals(Cause.STILL_PENDING, cause(alone.add(AddRequest.join(SHAREABLE, TAG))));
        assertEquals(Cause.TAG_UNKNOWN, cause(alone.add(AddRequest.join(SHAREABLE, OTHER))));
    }
}

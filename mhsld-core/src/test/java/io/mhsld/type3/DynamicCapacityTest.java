package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.MIB;
import static io.mhsld.type3.TestDevice.TAG;
import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.extent;
import static io.mhsld.type3.TestDevice.hostBlocks;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DynamicCapacityTest {
    private static final int REGIONS = 2;
    private static final long REGION_BYTES = 1024 * MIB;

    private final Type3Device device = TestDevice.withRegions(REGIONS);
    private final DynamicCapacity capacity = device.capacity();
    private final EventLog log = device.log(EventLog.Kind.DYNAMIC_CAPACITY);

    private static final Optional<Refusal> DONE = Optional.empty();

    private static Cause cause(Optional<Refusal> refusal) {
        return refusal.map(Refusal::cause).orElse(null);
    }

    private Optional<Refusal> add(Range... ranges) {
        return capacity.add(0, List.of(ranges), Extent.NO_TAG);
    }

    private Optional<Refusal> respond(HostRange... ranges) {
        return capacity.addResponse(List.of(ranges), false);
    }

    private Optional<Refusal> release(HostRange... ranges) {
        return capacity.hostRelease(List.of(ranges), false);
    }

    private Optional<Refusal> force(Range... ranges) {
        return capacity.release(ReleaseRequest.prescriptive(0, List.of(ranges)).byForce(true));
    }

    private void accept(long first, long count) {
        assertEquals(DONE, add(blocks(first, count)));
        assertEquals(DONE, respond(hostBlocks(first, count)));
    }

    private void clearLog() {
        log.clearAll();
    }

    private List<DcEvent> events() {
        return log.oldest(log.depth()).stream()
                .map(record -> (DcEvent) record.body())
                .toList();
    }

    // ---- add

    @Test
    void shouldTellOneRecordPerExtentAndMoreOnAllButTheLast() {
        assertEquals(DONE, capacity.add(0, List.of(blocks(0, 64), blocks(64, 64)), TAG));
        List<DcEvent> events = events();
        assertEquals(2, events.size());
        Extent first = new Extent(BASE, 64 * BLOCK, TAG, 0);
        assertEquals(new DcEvent(DcEvent.Type.ADD, TestDevice.HOST_ID, 0, true, first, 510), events.get(0));
        assertEquals(false, events.get(1).more());
    }

    @Test
    void shouldOfferInTheRegionThatIsNamed() {
        assertEquals(DONE, capacity.add(1, List.of(blocks(3, 1)), Extent.NO_TAG));
        assertEquals(BASE + REGION_BYTES + 3 * BLOCK, events().get(0).extent().startDpa());
        assertEquals(1, events().get(0).region());
    }

    @Test
    void shouldDoNothingForAnEmptyRequest() {
        assertEquals(DONE, add());
        assertEquals(List.of(), capacity.pending());
        assertEquals(0, log.size());
    }

    @Test
    void shouldRefuseARegionThatDoesNotExist() {
        assertEquals(Cause.REGION_UNKNOWN, cause(capacity.add(REGIONS, List.of(blocks(0, 1)), Extent.NO_TAG)));
        assertEquals(Cause.REGION_UNKNOWN, cause(capacity.add(-1, List.of(blocks(0, 1)), Extent.NO_TAG)));
        assertEquals(Cause.REGION_UNKNOWN, cause(capacity.add(255, List.of(), Extent.NO_TAG)));
    }

    @Test
    void shouldRefuseRangesThatWrapAroundTheAddressSpace() {
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(-BLOCK, BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(-BLOCK, 2 * BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(0, -BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(BLOCK, -BLOCK))));
        assertEquals(Cause.UNALIGNED, cause(add(new Range(-1, -1))));
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(REGION_BYTES, BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(add(new Range(REGION_BYTES - BLOCK, 2 * BLOCK))));
        assertEquals(DONE, add(new Range(REGION_BYTES - BLOCK, BLOCK)));
    }

    @Test
    void shouldCheckExtentByExtentInTheOrderOfTheRequest() {
        assertEquals(Cause.LENGTH_ZERO, cause(add(new Range(1, 0), new Range(1, 1))));
        assertEquals(Cause.UNALIGNED, cause(add(new Range(1, BLOCK), new Range(0, 0))));
        assertEquals(Cause.UNALIGNED, cause(add(new Range(REGION_BYTES, 1))));
        assertEquals(Cause.OVERLAP_IN_REQUEST, cause(add(blocks(0, 4), blocks(3, 1), new Range(0, 0))));
        accept(0, 4);
        assertEquals(Cause.OVERLAP_IN_REQUEST, cause(add(blocks(8, 4), blocks(9, 1))));
        assertEquals(Cause.ALREADY_ACCEPTED, cause(add(blocks(3, 4))));
        add(blocks(4, 4));
        assertEquals(Cause.ALREADY_ACCEPTED, cause(add(blocks(3, 4))));
        assertEquals(Cause.STILL_PENDING, cause(add(blocks(7, 4))));
        assertEquals(1, capacity.pending().size());
    }

    @Test
    void shouldKeepTrackOf512ExtentsAndNotOneMore() {
        assertEquals(DONE, capacity.add(0, singles(0, 256), Extent.NO_TAG));
        assertEquals(DONE, capacity.add(1, singles(0, 255), Extent.NO_TAG));
        assertEquals(1, capacity.extentsAvailable());
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(add(blocks(300, 1), blocks(301, 1))));
        assertEquals(DONE, add(blocks(300, 1)));
        assertEquals(0, capacity.extentsAvailable());
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(add(blocks(301, 1))));
    }

    @Test
    void shouldRefuseAnOfferThatTheEventLogCannotHold() {
        accept(0, 1);
        clearLog();
        for (int i = 0; i < log.depth() - 1; i++) {
            assertEquals(DONE, capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1)))));
        }
        assertEquals(Cause.EVENT_LOG_FULL, cause(add(blocks(2, 1), blocks(4, 1))));
        assertEquals(List.of(), capacity.pending());
        assertEquals(DONE, add(blocks(2, 1)));
    }

    @Test
    void shouldChangeNothingWhenTheMultiHeadedPartRefuses() {
        Refusal owned = new Refusal(Cause.OWNED_BY_OTHER_HEAD, "block=0 owner=2");
        ModelHooks hooks = new ModelHooks();
        hooks.refuseNext(owned);
        DynamicCapacity shared = new DynamicCapacity(
                TestDevice.regions(1), hooks, ExtentJournal.NONE, new ModelHooks.Events(Integer.MAX_VALUE));
        assertEquals(Optional.of(owned), shared.add(0, List.of(blocks(0, 1)), Extent.NO_TAG));
        assertEquals(List.of(), shared.pending());
        assertEquals(DONE, shared.add(0, List.of(blocks(0, 1)), Extent.NO_TAG));
    }

    @Test
    void shouldRefuseAHugeRequestInReasonableTime() {
        DcRegion region = new DcRegion(0, 0, 1L << 40, 1L << 40, 4096);
        DynamicCapacity large =
                TestDevice.with(List.of(region), new TestDevice.HandClock()).capacity();
        List<Range> ranges = new ArrayList<>();
        for (long i = 0; i < 300_000; i++) {
            ranges.add(new Range((300_000 - i) * 8192, 4096));
        }
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            assertEquals(Cause.TOO_MANY_EXTENTS, cause(large.add(0, ranges, Extent.NO_TAG)));
            large.add(0, List.of(new Range(0, 1L << 40)), Extent.NO_TAG);
            assertEquals(
                    Cause.TOO_MANY_EXTENTS,
                    cause(large.release(ReleaseRequest.prescriptive(0, ranges).byForce(true))));
            large.addResponse(List.of(new HostRange(0, 1L << 40)), false);
            assertEquals(
                    Cause.TOO_MANY_EXTENTS,
                    cause(large.release(ReleaseRequest.prescriptive(0, ranges).byForce(true))));
            assertEquals(Cause.EVENT_LOG_FULL, cause(large.release(ReleaseRequest.prescriptive(0, ranges))));
        });
    }

    // ---- add response

    @Test
    void shouldAcceptPartsAndGiveTheRestBack() {
        capacity.add(0, List.of(blocks(0, 8), blocks(16, 8)), TAG);
        assertEquals(DONE, respond(hostBlocks(2, 2), hostBlocks(16, 8), hostBlocks(6, 1)));
        List<HostRange> ranges = capacity.accepted().stream()
                .map(e -> new HostRange(e.startDpa(), e.lengthBytes()))
                .toList();
        assertEquals(List.of(hostBlocks(2, 2), hostBlocks(16, 8), hostBlocks(6, 1)), ranges);
        assertTrue(capacity.accepted().stream().allMatch(e -> e.tag().equals(TAG)));
        assertEquals(List.of(), capacity.pending());
        assertEquals(DONE, add(blocks(0, 2), blocks(4, 2), blocks(7, 1)));
    }

    @Test
    void shouldTakeAnswersInTheOrderOfTheOffers() {
        add(blocks(0, 1));
        add(blocks(2, 1));
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(2, 1))));
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(0, 1), hostBlocks(2, 1))));
        assertEquals(DONE, respond());
        assertEquals(DONE, respond(hostBlocks(2, 1)));
        assertEquals(List.of(extent(2, 1)), capacity.accepted());
    }

    @Test
    void shouldRefuseAnswersThatAreNoProperList() {
        add(blocks(0, 4));
        assertEquals(Cause.OUTSIDE_REGION, cause(respond(new HostRange(0, BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(respond(new HostRange(BASE, 0))));
        assertEquals(Cause.OUTSIDE_REGION, cause(respond(new HostRange(-BLOCK, BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(respond(new HostRange(BASE, -BLOCK))));
        assertEquals(Cause.OUTSIDE_REGION, cause(respond(new HostRange(BASE + REGION_BYTES - BLOCK, 2 * BLOCK))));
        assertEquals(Cause.UNALIGNED, cause(respond(new HostRange(BASE + 1, BLOCK))));
        assertEquals(Cause.UNALIGNED, cause(respond(new HostRange(BASE, BLOCK / 2))));
        assertEquals(Cause.OVERLAP_IN_REQUEST, cause(respond(hostBlocks(0, 2), hostBlocks(1, 1))));
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(3, 2))));
        assertEquals(0, capacity.acceptedCount());
        assertEquals(DONE, respond(hostBlocks(0, 4)));
    }

    @Test
    void shouldMeasureAlignmentFromTheRegionWhenBlocksAreLargerThanTheDecodeGranule() {
        long block = 512 * MIB;
        DcRegion region = new DcRegion(0, 256 * MIB, 1024 * MIB, 1024 * MIB, block);
        DynamicCapacity coarse =
                TestDevice.with(List.of(region), new TestDevice.HandClock()).capacity();
        assertEquals(DONE, coarse.add(0, List.of(new Range(0, block)), Extent.NO_TAG));
        assertEquals(Cause.UNALIGNED, cause(coarse.addResponse(List.of(new HostRange(512 * MIB, block)), false)));
        assertEquals(DONE, coarse.addResponse(List.of(new HostRange(256 * MIB, block)), false));
    }

    @Test
    void shouldCollectAnAnswerThatComesInPieces() {
        add(blocks(0, 1), blocks(2, 1), blocks(4, 1));
        assertEquals(DONE, capacity.addResponse(List.of(hostBlocks(0, 1)), true));
        assertEquals(DONE, capacity.addResponse(List.of(), true));
        assertEquals(0, capacity.acceptedCount());
        assertEquals(DONE, respond(hostBlocks(4, 1)));
        assertEquals(List.of(extent(0, 1), extent(4, 1)), capacity.accepted());
    }

    @Test
    void shouldForgetAnAnswerInPiecesThatGrowsTooLong() {
        add(blocks(0, 1));
        List<HostRange> piece = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            piece.add(hostBlocks(i, 1));
        }
        assertEquals(DONE, capacity.addResponse(piece, true));
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(capacity.addResponse(piece, true)));
        assertEquals(DONE, respond(hostBlocks(0, 1)));
        assertEquals(List.of(extent(0, 1)), capacity.accepted());
    }

    @Test
    void shouldForgetAnAnswerInPiecesThatIsRefused() {
        add(blocks(0, 2));
        assertEquals(DONE, capacity.addResponse(List.of(hostBlocks(9, 1)), true));
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(0, 1))));
        assertEquals(DONE, respond(hostBlocks(0, 1)));
    }

    @Test
    void shouldRefuseAnAnswerThatSplitsAnOfferIntoTooManyExtents() {
        assertEquals(DONE, add(blocks(0, 512)));
        assertEquals(DONE, capacity.add(1, singles(0, 257), Extent.NO_TAG));
        List<HostRange> everySecond = new ArrayList<>();
        for (int i = 0; i < 256; i++) {
            everySecond.add(hostBlocks(i * 2L, 1));
        }
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(capacity.addResponse(everySecond, false)));
        assertEquals(DONE, capacity.addResponse(everySecond.subList(0, 255), false));
        assertEquals(0, capacity.extentsAvailable());
    }

    // ---- release

    @Test
    void shouldAskForAReleaseOnlyOfWhatIsAccepted() {
        accept(0, 8);
        add(blocks(8, 8));
        assertEquals(
                Cause.STILL_PENDING, cause(capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(4, 8))))));
        assertEquals(
                Cause.NOT_ACCEPTED, cause(capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(16, 1))))));
        clearLog();
        assertEquals(DONE, capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1), blocks(4, 4)))));
        assertEquals(2, events().size());
        assertEquals(DcEvent.Type.RELEASE, events().get(0).type());
        assertTrue(capacity.covers(BASE, 8 * BLOCK));
        assertEquals(DONE, capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1)))));
    }

    @Test
    void shouldSplitExtentsThatAreReleasedInTheMiddle() {
        capacity.add(0, List.of(blocks(0, 64)), TAG);
        respond(hostBlocks(0, 64));
        assertEquals(DONE, release(hostBlocks(16, 16)));
        assertEquals(
                List.of(new Extent(BASE, 16 * BLOCK, TAG, 0), new Extent(BASE + 32 * BLOCK, 32 * BLOCK, TAG, 0)),
                capacity.accepted());
        assertEquals(Cause.NOT_ACCEPTED, cause(release(hostBlocks(16, 16))));
        assertEquals(Cause.NOT_ACCEPTED, cause(release(hostBlocks(15, 2))));
    }

    @Test
    void shouldReleaseAcrossSeveralExtents() {
        accept(0, 4);
        accept(4, 4);
        accept(8, 4);
        assertEquals(DONE, release(hostBlocks(2, 8)));
        assertEquals(List.of(extent(0, 2), extent(10, 2)), capacity.accepted());
    }

    @Test
    void shouldReleaseWithoutBeingAsked() {
        accept(0, 4);
        assertEquals(DONE, release(hostBlocks(0, 4)));
        assertEquals(0, capacity.acceptedCount());
        int generation = capacity.generation();
        assertEquals(DONE, release());
        assertEquals(DONE, respond());
        assertEquals(generation, capacity.generation());
    }

    @Test
    void shouldReleaseNothingBeforeAListInPiecesIsWhole() {
        accept(0, 4);
        assertEquals(DONE, capacity.hostRelease(List.of(hostBlocks(0, 1)), true));
        assertEquals(List.of(extent(0, 4)), capacity.accepted());
        assertEquals(DONE, release(hostBlocks(2, 1)));
        assertEquals(List.of(extent(1, 1), extent(3, 1)), capacity.accepted());
    }

    @Test
    void shouldRefuseAReleaseThatLeavesTooManyFragments() {
        accept(0, 512);
        assertEquals(DONE, capacity.add(1, singles(0, 510), Extent.NO_TAG));
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(release(hostBlocks(5, 1), hostBlocks(10, 1))));
        assertEquals(DONE, release(hostBlocks(5, 1)));
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(release(hostBlocks(10, 1))));
        assertEquals(DONE, release(hostBlocks(6, 1)));
        assertEquals(List.of(extent(0, 5), extent(7, 505)), capacity.accepted());
    }

    // ---- forced release

    @Test
    void shouldTakeAcceptedAndPendingCapacityByForce() {
        accept(0, 4);
        add(blocks(4, 4));
        clearLog();
        assertEquals(DONE, force(blocks(2, 4)));
        assertEquals(List.of(extent(0, 2)), capacity.accepted());
        assertEquals(List.of(extent(6, 2)), capacity.pending().get(0).extents());
        assertEquals(List.of(extent(4, 4)), capacity.pending().get(0).offered());
        assertEquals(DcEvent.Type.FORCED_RELEASE, events().get(0).type());
        assertEquals(Cause.NOT_ACCEPTED, cause(force(blocks(2, 1))));
        assertEquals(DONE, respond(hostBlocks(6, 2)));
    }

    @Test
    void shouldRefuseAnAnswerToWhatWasWithdrawn() {
        add(blocks(0, 4));
        force(blocks(0, 4));
        assertTrue(capacity.pending().get(0).isWithdrawn());
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(0, 4))));
        assertEquals(DONE, respond());
        assertEquals(List.of(), capacity.pending());
    }

    @Test
    void shouldLetTheHostSkipWithdrawnOffers() {
        add(blocks(0, 4));
        add(blocks(8, 4));
        force(blocks(0, 4));
        assertEquals(DONE, respond(hostBlocks(8, 4)));
        assertEquals(List.of(), capacity.pending());
        assertEquals(List.of(extent(8, 4)), capacity.accepted());
    }

    @Test
    void shouldNotBlockCapacityThatIsOfferedAgainAfterItsWithdrawal() {
        add(blocks(0, 4));
        force(blocks(0, 4));
        assertEquals(Cause.NOT_OFFERED, cause(respond(hostBlocks(0, 4))));
        add(blocks(0, 4));
        assertEquals(DONE, respond(hostBlocks(0, 4)));
        assertEquals(List.of(extent(0, 4)), capacity.accepted());
        assertEquals(List.of(), capacity.pending());
    }

    @Test
    void shouldForgetWithdrawnOffersBeyondALimit() {
        for (int i = 0; i < 3000; i++) {
            add(blocks(0, 1));
            force(blocks(0, 1));
            clearLog();
        }
        assertTrue(capacity.pending().size() <= 1024);
        add(blocks(0, 1));
        assertEquals(DONE, respond(hostBlocks(0, 1)));
    }

    @Test
    void shouldWorkByForceThoughTheEventLogIsFullAndEndTheRequestThere() {
        accept(0, 8);
        clearLog();
        for (int i = 0; i < log.depth() - 2; i++) {
            capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1))));
        }
        assertEquals(
                Cause.EVENT_LOG_FULL,
                cause(capacity.release(
                        ReleaseRequest.prescriptive(0, List.of(blocks(0, 1), blocks(2, 1), blocks(4, 1))))));
        assertEquals(DONE, force(blocks(0, 1), blocks(2, 1), blocks(4, 1)));
        assertEquals(1, log.overflowCount());
        List<DcEvent> events = events();
        assertTrue(events.get(log.depth() - 2).more());
        assertEquals(false, events.get(log.depth() - 1).more());
        assertEquals(DONE, force(blocks(1, 1), blocks(3, 1)));
        assertEquals(3, log.overflowCount());
        assertEquals(List.of(extent(5, 3)), capacity.accepted());
    }

    @Test
    void shouldRefuseForceThatLeavesTooManyFragments() {
        accept(0, 511);
        assertEquals(DONE, capacity.add(1, singles(0, 509), Extent.NO_TAG));
        assertEquals(DONE, capacity.add(1, List.of(blocks(509, 3)), Extent.NO_TAG));
        clearLog();
        assertEquals(DONE, force(blocks(5, 1)));
        assertEquals(Cause.TOO_MANY_EXTENTS, cause(force(blocks(10, 1))));
        assertEquals(
                Cause.TOO_MANY_EXTENTS,
                cause(capacity.release(
                        ReleaseRequest.prescriptive(1, List.of(blocks(510, 1))).byForce(true))));
        assertEquals(
                DONE,
                capacity.release(
                        ReleaseRequest.prescriptive(1, List.of(blocks(511, 1))).byForce(true)));
        assertEquals(List.of(extent(0, 5), extent(6, 505)), capacity.accepted());
    }

    // ---- generation

    @Test
    void shouldChangeTheGenerationWithTheAcceptedExtentsAndOnlyThen() {
        int before = capacity.generation();
        add(blocks(0, 4));
        assertEquals(before, capacity.generation());
        respond(hostBlocks(0, 4));
        int accepted = capacity.generation();
        assertNotEquals(before, accepted);
        add(blocks(8, 4));
        respond();
        release(hostBlocks(20, 1));
        capacity.release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1))));
        assertEquals(accepted, capacity.generation());
        release(hostBlocks(0, 1));
        int released = capacity.generation();
        assertNotEquals(accepted, released);
        force(blocks(1, 1));
        int forced = capacity.generation();
        assertNotEquals(released, forced);
        capacity.releaseAll();
        assertNotEquals(forced, capacity.generation());
        int empty = capacity.generation();
        capacity.releaseAll();
        assertEquals(empty, capacity.generation());
    }
}

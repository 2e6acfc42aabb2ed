package io.mhsld.head;

import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.extent;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.Mailbox;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.HostDriver.Act;
import io.mhsld.head.HostDriver.Mode;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventBody;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HostDriverTest {
    private final Type3Device device = TestDevice.withRegions(2);
    private final DynamicCapacity capacity = device.capacity();
    private final EventLog log = device.log(EventLog.Kind.DYNAMIC_CAPACITY);
    private final Mailbox mailbox = new Mailbox(device, Optional.empty(), error -> {
        throw new AssertionError("internal error", error);
    });
    private final List<String> acts = new ArrayList<>();

    private HostDriver driver(Mode mode) {
        return new HostDriver(mailbox, mode, (act, extents, code) -> acts.add(describe(act, extents, code)));
    }

    private static String describe(Act act, List<Extent> extents, ReturnCode code) {
        return act + " " + extents.size() + (code == ReturnCode.SUCCESS ? "" : " " + code);
    }

    /** A driver that is called for each event, as in a head. */
    private HostDriver attach(Mode mode) {
        HostDriver driver = driver(mode);
        device.onEvent(EventLog.Kind.DYNAMIC_CAPACITY, driver::eventPending);
        return driver;
    }

    private void add(Range... ranges) {
        assertEquals(Optional.empty(), capacity.add(0, List.of(ranges), Extent.NO_TAG));
    }

    private void requestRelease(Range... ranges) {
        assertEquals(Optional.empty(), capacity.release(ReleaseRequest.prescriptive(0, List.of(ranges))));
    }

    private void force(Range... ranges) {
        assertEquals(
                Optional.empty(),
                capacity.release(ReleaseRequest.prescriptive(0, List.of(ranges)).byForce(true)));
    }

    private void assertNothingIsLeftToDo() {
        assertEquals(0, log.size());
        assertEquals(List.of(), capacity.pending());
    }

    @Test
    void shouldPassOverRecordsOfOtherKinds() {
        HostDriver driver = driver(Mode.AUTO);
        EventBody other = GeneralMediaEvent.of(new MediaError(TestDevice.BASE, 0, 0, 0));
        device.report(EventLog.Kind.DYNAMIC_CAPACITY, EventHeader.INFORMATIONAL, other);
        add(blocks(0, 4));
        device.report(EventLog.Kind.DYNAMIC_CAPACITY, EventHeader.INFORMATIONAL, other);

        driver.eventPending();

        assertEquals(List.of("ACCEPTED 1"), acts);
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldKnowItsModesByTheirWords() {
        assertEquals(Optional.of(Mode.AUTO), Mode.of("auto"));
        assertEquals(Optional.of(Mode.REJECT), Mode.of("reject"));
        assertEquals(Optional.of(Mode.MANUAL), Mode.of("manual"));
        assertEquals(Optional.empty(), Mode.of("AUTO"));
        assertEquals(Optional.empty(), Mode.of(""));
        assertEquals(Mode.AUTO, driver(Mode.AUTO).mode());
    }

    @Test
    void shouldAcceptAllThatIsOffered() {
        attach(Mode.AUTO);
        add(blocks(0, 4), blocks(8, 4));
        assertEquals(List.of(extent(0, 4), extent(8, 4)), capacity.accepted());
        assertNothingIsLeftToDo();
        assertEquals(List.of("ACCEPTED 2"), acts);
    }

    @Test
    void shouldRejectAllThatIsOffered() {
        attach(Mode.REJECT);
        add(blocks(0, 4), blocks(8, 4));
        assertEquals(0, capacity.acceptedCount());
        assertNothingIsLeftToDo();
        assertEquals(List.of("REJECTED 2"), acts);
    }

    @Test
    void shouldTouchNothingInManualMode() {
        attach(Mode.MANUAL);
        add(blocks(0, 4));
        assertEquals(1, capacity.pending().size());
        assertEquals(1, log.size());
        assertEquals(List.of(), acts);
    }

    @Test
    void shouldAcceptAndReleaseSharedCapacityByWholeTags() {
        DcRegion region = new DcRegion(0, TestDevice.BASE, 1L << 30, 1L << 30, TestDevice.BLOCK, true, false);
        Type3Device shared = TestDevice.with(List.of(region), new TestDevice.HandClock());
        DynamicCapacity sharedCapacity = shared.capacity();
        Mailbox sharedMailbox = new Mailbox(shared, Optional.empty(), error -> {
            throw new AssertionError("internal error", error);
        });
        HostDriver driver = new HostDriver(
                sharedMailbox, Mode.AUTO, (act, extents, code) -> acts.add(describe(act, extents, code)));
        shared.onEvent(EventLog.Kind.DYNAMIC_CAPACITY, driver::eventPending);
        assertEquals(Optional.empty(), sharedCapacity.add(0, singles(0, 130), TestDevice.TAG));
        assertEquals(130, sharedCapacity.acceptedCount());
        assertEquals(130, sharedCapacity.accepted().get(129).sharedSequence());
        assertEquals(Optional.empty(), sharedCapacity.release(ReleaseRequest.tagged(TestDevice.TAG)));
        assertEquals(0, sharedCapacity.acceptedCount());
        assertEquals(List.of("ACCEPTED 130", "RELEASED 130"), acts);
    }

    /** A log that has lost records of a request names some extents of a tag; a part of it cannot be released. */
    @Test
    void shouldReleaseTheWholeTagWhenItIsAskedForAPart() {
        DcRegion region = new DcRegion(0, TestDevice.BASE, 1L << 30, 1L << 30, TestDevice.BLOCK, true, false);
        Type3Device shared = TestDevice.with(List.of(region), new TestDevice.HandClock());
        Mailbox sharedMailbox = new Mailbox(shared, Optional.empty(), error -> {
            throw new AssertionError("internal error", error);
        });
        HostDriver driver = new HostDriver(
                sharedMailbox, Mode.AUTO, (act, extents, code) -> acts.add(describe(act, extents, code)));
        assertEquals(Optional.empty(), shared.capacity().add(0, List.of(blocks(0, 2), blocks(4, 2)), TestDevice.TAG));
        driver.eventPending();
        EventLog sharedLog = shared.log(EventLog.Kind.DYNAMIC_CAPACITY);
        assertEquals(Optional.empty(), shared.capacity().release(ReleaseRequest.tagged(TestDevice.TAG)));
        assertEquals(
                Optional.empty(),
                sharedLog.clear(new int[] {sharedLog.oldest(1).get(0).handle()}));
        driver.eventPending();
        assertEquals(0, shared.capacity().acceptedCount());
        assertEquals(List.of("ACCEPTED 2", "RELEASED 2"), acts);
    }

    @Test
    void shouldDoNothingWithoutEvents() {
        driver(Mode.AUTO).eventPending();
        assertEquals(List.of(), acts);
    }

    @Test
    void shouldAnswerSeveralGroupsInTheirOrder() {
        add(blocks(0, 4), blocks(8, 4));
        add(blocks(16, 1));
        capacity.add(1, List.of(blocks(0, 2)), TestDevice.TAG);
        driver(Mode.AUTO).eventPending();
        assertEquals(4, capacity.acceptedCount());
        assertNothingIsLeftToDo();
        assertEquals(List.of("ACCEPTED 2", "ACCEPTED 1", "ACCEPTED 1"), acts);
    }

    @Test
    void shouldAnswerGroupsLargerThanOnePayload() {
        attach(Mode.AUTO);
        for (int count : new int[] {84, 85, 86, 170, 171, 512}) {
            assertEquals(Optional.empty(), capacity.add(0, singles(0, count), Extent.NO_TAG));
            assertEquals(count, capacity.acceptedCount());
            assertEquals(Optional.empty(), capacity.release(ReleaseRequest.prescriptive(0, singles(0, count))));
            assertEquals(0, capacity.acceptedCount());
            assertNothingIsLeftToDo();
        }
        assertEquals("RELEASED 512", acts.get(acts.size() - 1));
    }

    @Test
    void shouldReadAFullLog() {
        add(blocks(0, 1));
        capacity.addResponse(List.of(TestDevice.hostBlocks(0, 1)), false);
        while (log.free() > 512) {
            requestRelease(blocks(0, 1));
        }
        assertEquals(Optional.empty(), capacity.add(1, singles(0, 511), Extent.NO_TAG));
        requestRelease(blocks(0, 1));
        assertEquals(0, log.free());
        driver(Mode.AUTO).eventPending();
        assertEquals(511, capacity.acceptedCount());
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldReleaseWhatItIsAskedForInEveryMode() {
        for (Mode mode : List.of(Mode.AUTO, Mode.REJECT)) {
            add(blocks(0, 8));
            capacity.addResponse(List.of(TestDevice.hostBlocks(0, 8)), false);
            log.clearAll();
            requestRelease(blocks(1, 2), blocks(5, 1));
            driver(mode).eventPending();
            assertEquals(List.of(extent(0, 1), extent(3, 2), extent(6, 2)), capacity.accepted());
            assertNothingIsLeftToDo();
            device.reset();
        }
        assertEquals(List.of("RELEASED 2", "RELEASED 2"), acts);
    }

    @Test
    void shouldReleaseOnlyWhatItStillHas() {
        add(blocks(0, 4));
        add(blocks(4, 4));
        driver(Mode.AUTO).eventPending();
        requestRelease(blocks(0, 8));
        requestRelease(blocks(2, 4));
        capacity.hostRelease(List.of(TestDevice.hostBlocks(3, 1)), false);
        acts.clear();
        driver(Mode.AUTO).eventPending();
        assertEquals(0, capacity.acceptedCount());
        assertEquals(List.of("RELEASED 2"), acts);
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldReadExtentListsLongerThanOnePayload() {
        attach(Mode.AUTO);
        for (int i = 0; i < 4; i++) {
            assertEquals(Optional.empty(), capacity.add(0, singles(i * 120, 120), Extent.NO_TAG));
        }
        requestRelease(blocks(0, 470));
        assertEquals(10, capacity.acceptedCount());
    }

    @Test
    void shouldNoteWhatIsTakenByForce() {
        attach(Mode.AUTO);
        add(blocks(0, 4));
        force(blocks(0, 1), blocks(2, 1));
        assertEquals(List.of("ACCEPTED 1", "REVOKED 2"), acts);
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldAcceptWhatIsLeftOfAnOfferThatWasPartlyWithdrawn() {
        add(blocks(0, 4), blocks(8, 4));
        force(blocks(1, 2), blocks(8, 4));
        driver(Mode.AUTO).eventPending();
        assertEquals(List.of(extent(0, 1), extent(3, 1)), capacity.accepted());
        assertNothingIsLeftToDo();
        assertEquals(List.of("ACCEPTED 2", "REVOKED 2"), acts);
    }

    @Test
    void shouldNotMistakeOneOfferForAnotherAfterAWithdrawal() {
        add(blocks(0, 4));
        force(blocks(0, 4));
        add(blocks(8, 4));
        add(blocks(0, 4));
        driver(Mode.AUTO).eventPending();
        assertEquals(List.of(extent(8, 4), extent(0, 4)), capacity.accepted());
        assertNothingIsLeftToDo();
        assertEquals(List.of("REJECTED 1", "REVOKED 1", "ACCEPTED 1", "ACCEPTED 1"), acts);
    }

    @Test
    void shouldGoOnAfterAnOverflow() {
        add(blocks(0, 16));
        capacity.addResponse(List.of(TestDevice.hostBlocks(0, 16)), false);
        while (log.free() > 1) {
            requestRelease(blocks(15, 1));
        }
        force(blocks(0, 1), blocks(2, 1), blocks(4, 1));
        assertEquals(2, log.overflowCount());
        HostDriver driver = attach(Mode.AUTO);
        driver.eventPending();
        assertTrue(acts.contains("RECORDS_LOST 0"));
        assertNothingIsLeftToDo();
        add(blocks(0, 1));
        assertEquals(
                12 + 1,
                capacity.accepted().stream()
                        .mapToLong(e -> e.lengthBytes() / TestDevice.BLOCK)
                        .sum());
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldNotRejectTheNextOfferWhenSomebodyElseAnsweredOne() {
        add(blocks(0, 4));
        capacity.addResponse(List.of(), false);
        add(blocks(8, 4));
        driver(Mode.AUTO).eventPending();
        assertEquals(List.of("ACCEPTED 1 invalid physical address", "ACCEPTED 1"), acts);
        assertEquals(List.of(extent(8, 4)), capacity.accepted());
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldRejectAnOfferOfWhichItDoesNotKnowWhatIsLeft() {
        add(blocks(15, 1));
        driver(Mode.AUTO).eventPending();
        add(blocks(0, 4), blocks(8, 4));
        while (log.free() > 0) {
            requestRelease(blocks(15, 1));
        }
        force(blocks(0, 4));
        acts.clear();
        driver(Mode.AUTO).eventPending();
        assertEquals(
                List.of("RECORDS_LOST 0", "ACCEPTED 2 invalid physical address", "REJECTED 2", "RELEASED 1"), acts);
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldNotBeCalledFromWithin() {
        HostDriver[] driver = new HostDriver[1];
        int[] calls = {0};
        driver[0] = new HostDriver(mailbox, Mode.AUTO, (act, extents, code) -> {
            calls[0]++;
            driver[0].eventPending();
        });
        add(blocks(0, 4));
        driver[0].eventPending();
        assertEquals(1, calls[0]);
        assertNothingIsLeftToDo();
    }

    @Test
    void shouldEndThoughEachAnswerMakesANewEvent() {
        HostDriver driver = new HostDriver(mailbox, Mode.AUTO, (act, extents, code) -> {
            if (act == Act.ACCEPTED) {
                requestRelease(blocks(0, 1));
            } else {
                capacity.add(0, List.of(blocks(0, 1)), Extent.NO_TAG);
            }
        });
        add(blocks(0, 1));
        driver.eventPending();
        assertTrue(log.size() <= 1);
    }

    static LongStream seeds() {
        return Seeds.of(20);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldLeaveNothingPendingWhateverTheFabricManagerDoes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        HostDriver driver = driver(Mode.AUTO);
        for (int step = 0; step < 600; step++) {
            int region = random.nextInt(2);
            List<Range> ranges = new ArrayList<>();
            for (int i = random.nextInt(4); i >= 0; i--) {
                ranges.add(blocks(random.nextInt(60), 1 + random.nextInt(6)));
            }
            switch (random.nextInt(5)) {
                case 0, 1 -> capacity.add(region, ranges, Extent.NO_TAG);
                case 2 -> capacity.release(ReleaseRequest.prescriptive(region, ranges));
                case 3 ->
                    capacity.release(ReleaseRequest.prescriptive(region, ranges).byForce(true));
                default -> {
                    driver.eventPending();
                    assertNothingIsLeftToDo();
                }
            }
        }
        assertEquals(
                List.of(), acts.stream().filter(act -> act.contains("invalid")).toList(), "seed=" + seed);
    }
}

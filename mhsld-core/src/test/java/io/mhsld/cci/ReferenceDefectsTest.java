package io.mhsld.cci;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.SparseMemory;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What the emulation that came before this one got wrong in the Type-3 device and its mailbox: a test for each, named after it.
 */
class ReferenceDefectsTest {
    private final Host host = Host.singleHeaded();
    private final DynamicCapacity capacity = host.device.capacity();

    private void add(Range... ranges) {
        assertEquals(Optional.empty(), capacity.add(0, List.of(ranges), Extent.NO_TAG));
    }

    private Host heads(int count, int attached) {
        return new Host(1, Optional.of(new SomeHeads(count, attached)));
    }

    // ---- the multi-headed device

    @Test
    void shouldNotAccept5501StartAtTheHeadCount() {
        Host three = heads(3, 3);
        assertEquals(ReturnCode.INVALID_INPUT, three.code(0x5501, "03 01"));
        assertEquals(ReturnCode.SUCCESS, three.code(0x5501, "02 01"));
    }

    @Test
    void shouldNotAccept5501RangesBeyondTheHeads() {
        assertEquals(ReturnCode.INVALID_INPUT, heads(3, 3).code(0x5501, "01 03"));
    }

    @Test
    void shouldNotGiveTwoCommandsOneName() {
        List<String> names = OpcodeTable.ALL.stream().map(Opcode::name).toList();
        assertEquals(names.size(), names.stream().collect(Collectors.toSet()).size());
    }

    @Test
    void shouldNotShowATrainedLinkAsAsleep() {
        assertEquals(LinkState.TRAINING_L0, heads(1, 1).output(0x5501, "00 01").get(4 + 6));
    }

    @Test
    void shouldIndex5501AnswersFromZero() {
        ByteBuffer answer = heads(4, 4).output(0x5501, "02 02");
        assertEquals(4 + 2 * 9, answer.capacity());
        assertEquals(2, answer.get(4));
        assertEquals(3, answer.get(4 + 9));
    }

    @Test
    void shouldNotCallAbsentHeadsLd0() {
        assertArrayEquals(
                Host.hex("03 03 0000 00 03 0000 00 ff ff"), heads(3, 1).outputBytes(0x5500, "00 08"));
    }

    @Test
    void shouldReportTheHeadsThatExistInsteadOfEight() {
        assertEquals(3, heads(3, 3).output(0x5500, "00 08").get(0));
        assertEquals(3, heads(3, 3).output(0x5500, "00 08").get(1));
    }

    /** Counts what is reserved and not given back. */
    private static final class Counting implements MultiHeadHooks {
        private long bytes;
        private final List<Extent> reclaimed = new ArrayList<>();

        private static long sum(List<Extent> extents) {
            return extents.stream().mapToLong(Extent::lengthBytes).sum();
        }

        @Override
        public Optional<Refusal> reserve(List<Extent> extents) {
            bytes += sum(extents);
            return Optional.empty();
        }

        @Override
        public void accept(List<Extent> extents) {}

        @Override
        public void reclaim(List<Extent> extents) {
            reclaimed.addAll(extents);
            bytes -= sum(extents);
        }

        @Override
        public void release(List<Extent> extents, boolean sanitize) {
            bytes -= sum(extents);
        }

        @Override
        public Selection select(
                DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
            throw new AssertionError("nothing is to be chosen");
        }

        @Override
        public Selection join(DcRegion region, UUID tag) {
            throw new AssertionError("nothing is to be joined");
        }

        @Override
        public DcRegion current(DcRegion known) {
            return known;
        }

        @Override
        public boolean accessValid(long startDpa, long lengthBytes) {
            return true;
        }
    }

    private final Counting counting = new Counting();
    private final Type3Device counted = new Type3Device(
            new Type3Device.Identity(1, 0, TestDevice.regions(2)),
            new TestDevice.HandClock(),
            counting,
            ExtentJournal.NONE,
            new SparseMemory());

    @Test
    void shouldReclaimAGroupThatIsRejectedWhole() {
        counted.capacity().add(0, List.of(blocks(0, 8), blocks(16, 8)), Extent.NO_TAG);
        assertEquals(16 * BLOCK, counting.bytes);
        Mailbox mailbox = new Mailbox(counted, Optional.empty(), e -> {});
        assertEquals(ReturnCode.SUCCESS, mailbox.execute(0x4802, new byte[8]).code());
        assertEquals(0, counting.bytes);
    }

    @Test
    void shouldReclaimAGroupThatNobodyAnswersWhenItIsWithdrawn() {
        counted.capacity().add(0, List.of(blocks(0, 8)), Extent.NO_TAG);
        assertEquals(
                Optional.empty(),
                counted.capacity()
                        .release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 8)))
                                .byForce(true)));
        assertEquals(0, counting.bytes);
    }

    @Test
    void shouldReclaimEachExtentWhereItLies() {
        counted.capacity().add(0, List.of(blocks(0, 1), blocks(500, 8)), Extent.NO_TAG);
        counted.capacity().add(1, List.of(blocks(0, 1)), Extent.NO_TAG);
        counted.capacity().addResponse(List.of(), false);
        counted.capacity().addResponse(List.of(), false);
        assertEquals(0, counting.bytes);
        assertEquals(3, counting.reclaimed.size());
        assertEquals(BASE + 512 * BLOCK, counting.reclaimed.get(2).startDpa());
    }

    @Test
    void shouldClearTheExtentListsOnResetTogetherWithTheMap() {
        counted.capacity().add(0, List.of(blocks(0, 8)), Extent.NO_TAG);
        counted.capacity().addResponse(List.of(TestDevice.hostBlocks(0, 4)), false);
        counted.capacity().add(0, List.of(blocks(8, 8)), Extent.NO_TAG);
        counted.reset();
        assertEquals(0, counting.bytes);
        assertEquals(0, counted.capacity().acceptedCount());
        assertEquals(List.of(), counted.capacity().pending());
    }

    @Test
    void shouldCheckAccessesBelowOneBlock() {
        add(blocks(0, 1));
        host.respond(Host.blocks(0, 1));
        assertTrue(host.device.checkAccess(BASE + BLOCK, 1).isPresent());
        assertTrue(host.device.checkAccess(BASE, 1L << 32).isPresent());
        assertEquals(Optional.empty(), host.device.checkAccess(BASE, 1));
    }

    @Test
    void shouldRemoveByForce() {
        add(blocks(0, 8));
        host.respond(Host.blocks(0, 8));
        assertEquals(
                Optional.empty(),
                capacity.release(
                        ReleaseRequest.prescriptive(0, List.of(blocks(0, 8))).byForce(true)));
        assertEquals(0, host.extents(1, 0).total());
    }

    @Test
    void shouldKeepTags() {
        capacity.add(0, List.of(blocks(0, 8)), TestDevice.TAG);
        host.respond(Host.blocks(0, 8));
        host.release(Host.blocks(2, 2));
        byte[] answer = host.outputBytes(0x4801, "02000000 00000000");
        byte[] tag = Host.hex("00112233445566778899aabbccddeeff");
        for (int extent = 0; extent < 2; extent++) {
            int at = 16 + 40 * extent + 16;
            assertArrayEquals(tag, Arrays.copyOfRange(answer, at, at + 16));
        }
    }

    // ---- the device underneath

    @Test
    void shouldSurvive4802WithNothingPending() {
        assertEquals(ReturnCode.SUCCESS, host.respond());
        assertEquals(ReturnCode.INVALID_INPUT, host.respond(Host.blocks(0, 1)));
    }

    @Test
    void shouldCountOnlyAcceptedExtentsIn4801() {
        for (int i = 0; i < 9; i++) {
            add(blocks(i, 1));
        }
        assertEquals(0, host.extents(9, 0).returned());
        assertEquals(0, host.extents(9, 0).total());
        host.respond(Host.blocks(0, 1));
        host.respond();
        assertEquals(1, host.extents(9, 0).returned());
        assertEquals(1, host.extents(9, 0).total());
    }

    @Test
    void shouldTakeGetLogOffsetsAsBytes() {
        byte[] entry = host.outputBytes(0x0401, "0da9c0b5bf414b788f7996b1623b3f17 08000000 04000000");
        assertArrayEquals(Host.hex("01011000"), entry);
    }

    @Test
    void shouldNotReadPastTheCommandEffectsLog() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, "0da9c0b5bf414b788f7996b1623b3f17 00000000 00040000"));
    }

    @Test
    void shouldHoldTheRecordsOfMoreThanEightExtents() {
        assertEquals(Optional.empty(), capacity.add(0, singles(0, 512), Extent.NO_TAG));
        int read = 0;
        int handle = 1;
        ByteBuffer events = host.events();
        while (events.getShort(20) > 0) {
            assertEquals(0, events.getShort(2), "overflow count");
            int count = events.getShort(20);
            int[] handles = new int[count];
            for (int i = 0; i < count; i++) {
                read++;
                assertEquals(read < 512 ? 1 : 0, events.get(32 + 128 * i + 53), "More of record " + read);
                handles[i] = handle++;
            }
            assertEquals(ReturnCode.SUCCESS, host.clear(handles));
            events = host.events();
        }
        assertEquals(512, read);
    }

    @Test
    void shouldNotSayMoreRecordsWhenAllWereReturned() {
        add(blocks(0, 1), blocks(1, 1));
        assertEquals(0, host.events().get(0));
        assertEquals(2, host.events().getShort(20));
    }

    @Test
    void shouldClearAllWhenToldTo() {
        add(blocks(0, 1));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "04 01 00 000000"));
        assertEquals(0, host.events().getShort(20));
    }

    @Test
    void shouldCallAWrongHandleAnInvalidHandle() {
        add(blocks(0, 1));
        assertEquals(ReturnCode.INVALID_HANDLE, host.clear(77));
    }

    @Test
    void shouldChangeTheGenerationNumber() {
        long before = host.extents(0, 0).generation();
        add(blocks(0, 1));
        host.respond(Host.blocks(0, 1));
        assertNotEquals(before, host.extents(0, 0).generation());
    }

    @Test
    void shouldTellTheHostIdInEvents() {
        add(blocks(0, 1));
        assertEquals(TestDevice.HOST_ID, host.events().getShort(32 + 50));
    }

    @Test
    void shouldTellTheDynamicCapacityInterruptVector() {
        host.code(0x0103, "00 00 00 00 01");
        assertEquals(0x21, host.output(0x0102, "").get(4));
    }

    @Test
    void shouldShowEffectsInTheBitsOfTheSpecification() {
        assertEquals(1 << 6, CommandEffect.bits(Set.of(CommandEffect.BACKGROUND_OPERATION)));
        assertEquals(1 << 7, CommandEffect.bits(Set.of(CommandEffect.SECONDARY_MAILBOX_SUPPORTED)));
        assertEquals(1 << 8, CommandEffect.bits(Set.of(CommandEffect.REQUEST_ABORT_SUPPORTED)));
        assertEquals(1 << 9, CommandEffect.bits(Set.of(CommandEffect.RESET_BITS_VALID)));
        assertEquals(1 << 11, CommandEffect.bits(Set.of(CommandEffect.CONFIGURATION_CHANGE_AFTER_CXL_RESET)));
    }

    @Test
    void shouldNotTrustHugeCounts() {
        add(blocks(0, 1));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, "ffffffff 00 000000"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4803, "ffffffff 00 000000"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0101, "04 00 ff 000000"));
        assertEquals(0, host.extents(0xFFFFFFFFL, 0).returned());
    }

    @Test
    void shouldNotLetAnAddWrapAroundTheAddressSpace() {
        assertTrue(capacity.add(0, List.of(new Range(-BLOCK, 2 * BLOCK)), Extent.NO_TAG)
                .isPresent());
        assertTrue(capacity.add(0, List.of(new Range(2 * BLOCK, -BLOCK)), Extent.NO_TAG)
                .isPresent());
    }

    @Test
    void shouldLimitTheExtentsOfAnAddSoThatAvailableExtentsStayTrue() {
        assertEquals(Optional.empty(), capacity.add(0, singles(0, 512), Extent.NO_TAG));
        assertEquals(0, host.events().getInt(32 + 120), "extents available");
        Host.ExtentAnswer none = host.extents(0, 0);
        assertEquals(0, none.total());
        assertEquals(0, host.output(0x4800, "01 00").getInt(8 + 40 + 4));
    }

    @Test
    void shouldRefuseInputsThatTheLengthFieldAllowsButThePayloadAreaDoesNot() {
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, new byte[(1 << 20) - 1]));
    }
}

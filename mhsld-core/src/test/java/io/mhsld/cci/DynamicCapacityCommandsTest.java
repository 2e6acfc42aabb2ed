package io.mhsld.cci;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.MIB;
import static io.mhsld.type3.TestDevice.TAG;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DynamicCapacityCommandsTest {
    private final Host host = Host.singleHeaded();

    private void add(long first, long count) {
        assertEquals(
                Optional.empty(),
                host.device.capacity().add(0, List.of(TestDevice.blocks(first, count)), Extent.NO_TAG));
    }

    @Test
    void shouldFollowTheTraceOfARunningDevice() {
        Range first = new Range(0, 128 * MIB);
        Range second = new Range(128 * MIB, 128 * MIB);
        assertEquals(Optional.empty(), host.device.capacity().add(0, List.of(first, second), Extent.NO_TAG));
        ByteBuffer events = host.events();
        assertEquals(2, events.getShort(20));
        assertEquals(1, events.get(32 + 53));
        assertEquals(0, events.get(32 + 128 + 53));
        assertEquals(510, events.getInt(32 + 120));

        assertEquals(ReturnCode.SUCCESS, host.respond(new long[] {BASE, 128 * MIB}));
        assertEquals(1, host.extents(10, 0).total());

        assertEquals(ReturnCode.SUCCESS, host.release(new long[] {BASE + 32 * MIB, 32 * MIB}));
        Host.ExtentAnswer fragments = host.extents(10, 0);
        assertEquals(2, fragments.returned());
        assertArrayEquals(new long[] {BASE, 32 * MIB}, fragments.extents().get(0));
        assertArrayEquals(
                new long[] {BASE + 64 * MIB, 64 * MIB}, fragments.extents().get(1));

        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.release(new long[] {BASE + 32 * MIB, 32 * MIB}));
        assertEquals(ReturnCode.SUCCESS, host.release());
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, host.release(new long[] {BASE, MIB}));
        assertEquals(
                ReturnCode.INVALID_EXTENT_LIST, host.release(new long[] {BASE, 4 * MIB}, new long[] {BASE, 4 * MIB}));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.release(new long[] {0, 4 * MIB}));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, "01020000 00 000000 0000000000000000"));
    }

    @Test
    void shouldTellTheRegionsWithDecodeLengthsInUnitsOf256MiB() {
        List<DcRegion> regions = List.of(
                new DcRegion(0, 256 * MIB, 512 * MIB, 300 * MIB, 2 * MIB),
                new DcRegion(1, 768 * MIB, 256 * MIB, 256 * MIB, 4096));
        Mailbox mailbox = new Mailbox(TestDevice.with(regions, new TestDevice.HandClock()), Optional.empty(), e -> {});
        String region0 = "0000001000000000 0200000000000000 0000c01200000000 0000200000000000 00000000 00 000000";
        String region1 = "0000003000000000 0100000000000000 0000001000000000 0010000000000000 01000000 00 000000";
        String tail = "00020000 00020000 00000000 00000000";
        assertArrayEquals(
                Host.hex("02 02 000000000000" + region0 + region1 + tail),
                mailbox.execute(0x4800, Host.hex("ff 00")).payload());
        assertArrayEquals(
                Host.hex("02 01 000000000000" + region1 + tail),
                mailbox.execute(0x4800, Host.hex("01 01")).payload());
        assertArrayEquals(
                Host.hex("02 00 000000000000" + tail),
                mailbox.execute(0x4800, Host.hex("00 00")).payload());
        assertEquals(
                ReturnCode.INVALID_INPUT,
                mailbox.execute(0x4800, Host.hex("01 02")).code());
        assertEquals(
                ReturnCode.INVALID_INPUT,
                mailbox.execute(0x4800, Host.hex("ff ff")).code());
    }

    @Test
    void shouldTellTagsAndSettingsOfRegions() {
        List<DcRegion> regions = List.of(
                new DcRegion(0, 256 * MIB, 256 * MIB, 256 * MIB, 2 * MIB, true, false),
                new DcRegion(1, 512 * MIB, 256 * MIB, 256 * MIB, 2 * MIB, false, true));
        Type3Device device = TestDevice.with(regions, new TestDevice.HandClock());
        Mailbox mailbox = new Mailbox(device, Optional.empty(), e -> {});
        assertEquals(Optional.empty(), device.capacity().add(0, List.of(TestDevice.blocks(0, 1)), TAG));
        byte[] answer = mailbox.execute(0x4800, Host.hex("02 00")).payload();
        assertEquals(0, answer[8 + 36]);
        assertEquals(1, answer[8 + 40 + 36]);
        assertArrayEquals(
                Host.hex("00020000 ff010000 00020000 ff010000"),
                Arrays.copyOfRange(answer, answer.length - 16, answer.length));
        byte[] record = mailbox.execute(0x0100, Host.hex("04")).payload();
        assertEquals(3, record[32 + 49], "extents and tags are valid");
        assertEquals(1, record[32 + 56 + 32], "the first of its tag");
        assertArrayEquals(Host.hex("ff010000 ff010000"), Arrays.copyOfRange(record, record.length - 8, record.length));
    }

    @Test
    void shouldFitEightRegionsIntoTheAnswer() {
        ByteBuffer answer = new Host(8, Optional.empty()).output(0x4800, "08 00");
        assertEquals(8 + 8 * 40 + 16, answer.capacity());
        assertEquals(7, answer.getInt(8 + 7 * 40 + 32));
    }

    @Test
    void shouldWriteExtentsByteByByte() {
        host.device.capacity().add(0, List.of(TestDevice.blocks(1, 2)), TAG);
        host.respond(Host.blocks(1, 2));
        byte[] answer = host.outputBytes(0x4801, "ffffffff 00000000");
        assertArrayEquals(
                Host.hex("01000000 01000000 01000000 00000000"
                        + "0000201000000000 0000400000000000 00112233445566778899aabbccddeeff 0000 000000000000"),
                answer);
    }

    @Test
    void shouldReturnAsManyExtentsAsFitAndBeAskedForTheRest() {
        assertEquals(Optional.empty(), host.device.capacity().add(0, singles(0, 120), Extent.NO_TAG));
        for (int from = 0; from < 120; from += 40) {
            long[][] part = new long[40][];
            for (int i = 0; i < 40; i++) {
                part[i] = Host.blocks(from + i, 1);
            }
            assertEquals(ReturnCode.SUCCESS, host.code(0x4802, Host.extentList(from < 80, part)));
        }
        Host.ExtentAnswer page = host.extents(0xFFFFFFFFL, 0);
        assertEquals(50, page.returned());
        assertEquals(120, page.total());
        assertArrayEquals(Host.blocks(0, 1), page.extents().get(0));
        assertArrayEquals(Host.blocks(50, 1), host.extents(7, 50).extents().get(0));
        assertEquals(7, host.extents(7, 50).returned());
        assertEquals(20, host.extents(0xFFFFFFFFL, 100).returned());
        assertEquals(0, host.extents(0xFFFFFFFFL, 120).returned());
        assertEquals(0, host.extents(0, 0).returned());
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4801, "01000000 79000000"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4801, "ffffffff ffffffff"));
    }

    @Test
    void shouldTakeAnswersInPiecesByTheMoreFlag() {
        add(0, 8);
        assertEquals(ReturnCode.SUCCESS, host.code(0x4802, Host.extentList(true, Host.blocks(0, 2))));
        assertEquals(0, host.extents(9, 0).total());
        assertEquals(ReturnCode.SUCCESS, host.code(0x4802, Host.extentList(false, Host.blocks(4, 2))));
        assertEquals(2, host.extents(9, 0).total());
        assertEquals(ReturnCode.SUCCESS, host.code(0x4803, Host.extentList(true, Host.blocks(0, 2))));
        assertEquals(2, host.extents(9, 0).total());
        assertEquals(ReturnCode.SUCCESS, host.code(0x4803, Host.extentList(false, Host.blocks(4, 1))));
        assertArrayEquals(Host.blocks(5, 1), host.extents(9, 0).extents().get(0));
    }

    @Test
    void shouldCheckCountsAgainstTheLengthWithoutOverflow() {
        add(0, 8);
        for (String count : List.of("02000000", "00000080", "ffffffff", "abaaaa0a", "55555555", "abaaaaaa")) {
            byte[] list = Host.extentList(false, Host.blocks(0, 1));
            System.arraycopy(Host.hex(count), 0, list, 0, 4);
            assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, list), count);
            assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4803, list), count);
        }
        assertEquals(ReturnCode.SUCCESS, host.respond(Host.blocks(0, 1)));
    }

    @Test
    void shouldNotLookAtBytesAfterTheList() {
        add(0, 8);
        byte[] longer = Arrays.copyOf(Host.extentList(false, Host.blocks(0, 1)), 200);
        Arrays.fill(longer, 32, 200, (byte) 0xFF);
        assertEquals(ReturnCode.SUCCESS, host.code(0x4802, longer));
    }

    @Test
    void shouldRefuseAddressesThatWrap() {
        add(0, 8);
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.respond(new long[] {-BLOCK, 2 * BLOCK}));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.respond(new long[] {BASE, -BLOCK}));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.respond(new long[] {BASE, 0}));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.release(new long[] {-1, -1}));
    }

    @Test
    void shouldRefuseMoreExtentsThanTheDeviceTracks() {
        add(0, 100);
        long[][] part = new long[85][];
        for (int i = 0; i < part.length; i++) {
            part[i] = Host.blocks(i, 1);
        }
        for (int i = 0; i < 6; i++) {
            assertEquals(ReturnCode.SUCCESS, host.code(0x4802, Host.extentList(true, part)));
        }
        assertEquals(ReturnCode.RESOURCES_EXHAUSTED, host.code(0x4802, Host.extentList(true, part)));
        assertEquals(ReturnCode.SUCCESS, host.respond(part));
    }

    @Test
    void shouldChangeTheGenerationWhenTheListChanges() {
        long before = host.extents(0, 0).generation();
        add(0, 2);
        assertEquals(before, host.extents(0, 0).generation());
        host.respond(Host.blocks(0, 2));
        long accepted = host.extents(0, 0).generation();
        assertNotEquals(before, accepted);
        host.release(Host.blocks(0, 1));
        assertNotEquals(accepted, host.extents(0, 0).generation());
    }

    @Test
    void shouldShowTheConfigurationToPeople() {
        byte[] answer = host.outputBytes(0x4800, "01 00");
        List<String> lines = OpcodeTable.of(0x4800).orElseThrow().response().lines(answer);
        assertTrue(lines.containsAll(List.of(
                "regions[0]:",
                "  baseDpa: 0x10000000",
                "  decodeLengthBytes: 1073741824 (1 GiB)",
                "  blockSizeBytes: 2097152 (2 MiB)",
                "extentsSupported: 512")));
    }

    @Test
    void shouldReadLittleEndianInputs() {
        ByteBuffer input = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        add(0, 8);
        input.putInt(1).putInt(0).putLong(BASE + BLOCK).putLong(BLOCK);
        assertEquals(ReturnCode.SUCCESS, host.code(0x4802, input.array()));
        assertArrayEquals(Host.blocks(1, 1), host.extents(1, 0).extents().get(0));
    }
}

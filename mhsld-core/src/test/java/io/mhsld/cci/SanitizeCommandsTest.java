package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.BackgroundOperations.State;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.TestDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SanitizeCommandsTest {
    private static final long BASE = TestDevice.BASE;
    private static final long BLOCK = TestDevice.BLOCK;
    private static final int SANITIZE = 0;
    private static final int ZEROS = 1;

    private final Host host = Host.singleHeaded().owning(0, 2);

    private void write(long dpa, int... bytes) {
        byte[] data = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            data[i] = (byte) bytes[i];
        }
        assertEquals(Optional.empty(), host.device.write(dpa, data, 0, data.length));
    }

    private byte[] read(long dpa, int length) {
        byte[] data = new byte[length];
        assertEquals(Optional.empty(), host.device.read(dpa, data, 0, length));
        return data;
    }

    private static byte[] operation(int operation, int subclass, long... ranges) {
        ByteBuffer input = ByteBuffer.allocate(8 + 8 * ranges.length).order(ByteOrder.LITTLE_ENDIAN);
        input.put((byte) operation)
                .put((byte) subclass)
                .putInt(4, ranges.length / 2)
                .position(8);
        for (long number : ranges) {
            input.putLong(number);
        }
        return input.array();
    }

    private ReturnCode overwrite(int subclass, long... ranges) {
        return host.code(0x4402, operation(1, subclass, ranges));
    }

    // ---- sanitize

    @Test
    void shouldOverwriteWhatTheHostHasAndLeaveItTheHosts() {
        write(BASE, 1, 2, 3);
        write(BASE + 2 * BLOCK - 1, 4);
        host.code(0x4301, Host.input(8).putLong(BASE + 64).array());
        assertEquals(ReturnCode.BACKGROUND_STARTED, host.code(0x4400, ""));
        assertEquals(4, host.steps.all());
        assertArrayEquals(new byte[128], read(BASE, 128), "the poison is gone too");
        assertArrayEquals(new byte[1], read(BASE + 2 * BLOCK - 1, 1));
        assertEquals(1, host.extents(9, 0).total());
        write(BASE, 9);
        assertArrayEquals(new byte[] {9}, read(BASE, 1));
    }

    @Test
    void shouldNotTouchWhatIsNotTheHostsAnyMore() {
        write(BASE + BLOCK, 7);
        host.code(0x4400, "");
        host.steps.one();
        assertEquals(ReturnCode.SUCCESS, host.release(Host.blocks(1, 1)));
        host.steps.all();
        assertEquals(State.SUCCEEDED, host.device.background().status().state());
        // This device has nobody who scrubs: what was not touched is there still.
        host.owning(1, 1);
        assertArrayEquals(new byte[] {7}, read(BASE + BLOCK, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x4101, 0x4102, 0x4103, 0x4300, 0x4301, 0x4302})
    void shouldDisableTheMediaMeanwhile(int opcode) {
        byte[] input = new byte[OpcodeTable.of(opcode).orElseThrow().input().min()];
        host.code(0x4400, "");
        assertEquals(ReturnCode.MEDIA_DISABLED, host.code(opcode, input));
        host.steps.all();
        assertEquals(false, host.code(opcode, input) == ReturnCode.MEDIA_DISABLED);
    }

    @Test
    void shouldRefuseTheDataPathMeanwhile() {
        host.code(0x4400, "");
        assertEquals(
                Optional.of(Cause.MEDIA_DISABLED),
                host.device.read(BASE, new byte[1], 0, 1).map(Refusal::cause));
        assertEquals(
                Optional.of(Cause.MEDIA_DISABLED),
                host.device.write(BASE, new byte[1], 0, 1).map(Refusal::cause));
        assertEquals(
                Optional.of(Cause.MEDIA_DISABLED),
                host.device.fill(BASE, 1, (byte) 0).map(Refusal::cause));
        host.steps.all();
        write(BASE, 1);
    }

    @Test
    void shouldAnswerWhatNeedsNoMediaMeanwhile() {
        host.code(0x4400, "");
        for (int opcode : new int[] {0x0102, 0x0200, 0x0300, 0x0400, 0x4000, 0x4100, 0x4200, 0x4201, 0x4203, 0x4500}) {
            assertEquals(ReturnCode.SUCCESS, host.code(opcode, ""));
        }
        assertEquals(ReturnCode.BUSY, host.code(0x4400, ""));
        assertEquals(ReturnCode.SUCCESS, host.code(0x4402, "00000000 00000000 0000 1000"));
    }

    @Test
    void shouldLeaveTheMediaDisabledUntilASanitizeIsDoneOrTheHostRestarts() {
        host.code(0x4400, "");
        assertEquals(ReturnCode.SUCCESS, host.code(0x0005, ""));
        assertEquals(ReturnCode.MEDIA_DISABLED, host.code(0x4102, new byte[8]));
        assertEquals(ReturnCode.MEDIA_DISABLED, host.code(0x4304, new byte[17]));
        assertEquals(ReturnCode.MEDIA_DISABLED, overwrite(ZEROS, BASE, 64));
        assertEquals(ReturnCode.BACKGROUND_STARTED, host.code(0x4400, ""));
        host.steps.all();
        assertEquals(ReturnCode.SUCCESS, host.code(0x4102, new byte[8]));
        host.code(0x4400, "");
        host.device.reset();
        assertEquals(ReturnCode.SUCCESS, host.code(0x4102, new byte[8]));
        assertEquals(1, host.steps.all(), "the step that was due does nothing");
    }

    @Test
    void shouldSanitizeNothingWhereThereIsNothing() {
        Host empty = Host.singleHeaded();
        assertEquals(ReturnCode.BACKGROUND_STARTED, empty.code(0x4400, ""));
        assertEquals(1, empty.steps.all());
        assertEquals(State.SUCCEEDED, empty.device.background().status().state());
    }

    // ---- operations on ranges

    @Test
    void shouldListItsOperations() {
        assertEquals(
                "4000000000000000 0300 0300 0000 0100 0101".replace(" ", ""),
                HexFormat.of().formatHex(host.outputBytes(0x4402, "00000000 00000000 0000 1000")));
        assertEquals(
                "4000000000000000 0300 0100 0100".replace(" ", ""),
                HexFormat.of().formatHex(host.outputBytes(0x4402, "00000000 00000000 0100 0100")));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4402, "00000000 00000000 0300 0100"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4402, "00000000 00000000"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4402, "00000000 00000000 000010"));
    }

    @Test
    void shouldDoNothingForADiscoveryOfRanges() {
        write(BASE, 1);
        assertEquals(0, host.output(0x4402, operation(0, 0, 0, 0x10000)).capacity());
        assertEquals(0, host.steps.all());
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4402, "00000000 01000000" + "00".repeat(16) + "0000 1000"));
    }

    @ParameterizedTest
    @ValueSource(ints = {SANITIZE, ZEROS})
    void shouldOverwriteRanges(int subclass) {
        write(BASE, 1, 2, 3);
        write(BASE + 64, 4);
        write(BASE + 127, 5, 6);
        write(BASE + BLOCK, 7);
        assertEquals(ReturnCode.BACKGROUND_STARTED, overwrite(subclass, BASE + BLOCK, BLOCK, BASE + 64, 64));
        assertEquals(3, host.steps.all());
        assertArrayEquals(new byte[] {1, 2, 3}, read(BASE, 3));
        assertArrayEquals(new byte[64], read(BASE + 64, 64));
        assertArrayEquals(new byte[] {6}, read(BASE + 128, 1));
        assertArrayEquals(new byte[1], read(BASE + BLOCK, 1));
    }

    @Test
    void shouldTakePoisonAwayBySanitizingAndNotByWritingZeros() {
        host.code(0x4301, Host.input(8).putLong(BASE).array());
        overwrite(ZEROS, BASE, 64);
        host.steps.all();
        assertEquals(
                Optional.of(Cause.POISONED),
                host.device.read(BASE, new byte[1], 0, 1).map(Refusal::cause));
        overwrite(SANITIZE, BASE, 64);
        host.steps.all();
        assertArrayEquals(new byte[64], read(BASE, 64));
    }

    @Test
    void shouldKeepTheRestOfTheMediaToBeHadMeanwhile() {
        overwrite(SANITIZE, BASE, BLOCK);
        write(BASE + BLOCK, 1);
        assertEquals(ReturnCode.SUCCESS, host.code(0x4102, new byte[8]));
    }

    @Test
    void shouldRefuseRangesThatAreNone() {
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE, 0));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE + 1, 64));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE, 63));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE + 64, 64, BASE, 128));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE, 64, BASE, 64));
        assertEquals(ReturnCode.INVALID_INPUT, overwrite(SANITIZE, BASE, -64, BASE + BLOCK, 64));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4402, "01000000 02000000" + "00".repeat(16)));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4402, "01000000 ffffffff" + "00".repeat(16)));
    }

    @Test
    void shouldRefuseRangesThatAreNotTheHosts() {
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, overwrite(SANITIZE, BASE + 2 * BLOCK, 64));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, overwrite(ZEROS, BASE, 64, BASE + 2 * BLOCK - 64, 128));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, overwrite(ZEROS, 0, 64));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, overwrite(ZEROS, -64, 64));
        assertEquals(0, host.steps.all());
    }

    @Test
    void shouldRefuseOperationsThatThereAreNot() {
        for (int[] operation : new int[][] {{0, 1}, {1, 2}, {2, 0}, {255, 255}}) {
            assertEquals(ReturnCode.UNSUPPORTED, host.code(0x4402, operation(operation[0], operation[1], BASE, 64)));
        }
    }
}

package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.FirmwarePackage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FirmwareCommandsTest {
    private static final int FULL = 0;
    private static final int INITIATE = 1;
    private static final int CONTINUE = 2;
    private static final int END = 3;
    private static final int ABORT = 4;
    private static final int PART = 256;

    private final Host host = Host.singleHeaded();
    private final byte[] whole = new FirmwarePackage("new one", false, false).toBytes(1000);

    private ReturnCode transfer(int action, int slot, int offset, byte[] data) {
        return host.code(
                0x0201,
                Host.input(128 + data.length)
                        .put((byte) action)
                        .put((byte) slot)
                        .putInt(4, offset)
                        .put(128, data)
                        .array());
    }

    private byte[] part(int number) {
        return Arrays.copyOfRange(whole, number * PART, Math.min(whole.length, (number + 1) * PART));
    }

    private ReturnCode send(int action, int slot, int part) {
        return transfer(action, slot, part * PART / 128, part(part));
    }

    private ReturnCode activate(int action, int slot) {
        return host.code(0x0202, new byte[] {(byte) action, (byte) slot});
    }

    private static String text(ByteBuffer bytes, int offset) {
        byte[] text = new byte[16];
        bytes.get(offset, text);
        return new String(text, StandardCharsets.US_ASCII).trim();
    }

    /** Slots, active and staged, and what is in them. */
    private String info() {
        ByteBuffer info = host.output(0x0200, "");
        assertEquals(0x50, info.capacity());
        assertEquals(1, info.get(2), "online activation");
        String revisions = String.join("|", text(info, 16), text(info, 32), text(info, 48), text(info, 64));
        return info.get(0) + " " + (info.get(1) & 7) + "/" + (info.get(1) >> 3) + " " + revisions;
    }

    private String identity() {
        return text(host.output(0x4000, ""), 0);
    }

    @Test
    void shouldComeWithFirmwareInTheFirstSlot() {
        assertEquals("2 1/0 mhsld 0.1|||", info());
        assertEquals("mhsld 0.1", identity());
    }

    @Test
    void shouldTakeAWholePackageAndActivateItOnline() {
        assertEquals(ReturnCode.SUCCESS, transfer(FULL, 2, 77, whole));
        assertEquals("2 1/0 mhsld 0.1|new one||", info());
        assertEquals(ReturnCode.BACKGROUND_STARTED, activate(0, 2));
        assertEquals("mhsld 0.1", identity());
        host.steps.all();
        assertEquals("2 2/0 mhsld 0.1|new one||", info());
        assertEquals("new one", identity());
        assertEquals(ReturnCode.SUCCESS, activate(0, 2), "the active slot is active");
        host.device.reset();
        assertEquals("new one", identity());
    }

    @Test
    void shouldTakeAPackageInPartsAndActivateItAtTheNextReset() {
        assertEquals(ReturnCode.SUCCESS, send(INITIATE, 0, 0));
        assertEquals(ReturnCode.SUCCESS, send(INITIATE, 0, 0), "sent again");
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 1));
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 2));
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 2), "sent again");
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 3));
        assertEquals(ReturnCode.BACKGROUND_STARTED, send(END, 2, 4));
        assertEquals("2 1/0 mhsld 0.1|||", info());
        assertEquals(1, host.steps.all());
        assertEquals("2 1/0 mhsld 0.1|new one||", info());
        assertEquals(ReturnCode.SUCCESS, activate(1, 2));
        assertEquals("2 1/2 mhsld 0.1|new one||", info());
        assertEquals(ReturnCode.SUCCESS, activate(1, 1), "taken back");
        assertEquals("2 1/0 mhsld 0.1|new one||", info());
        assertEquals(ReturnCode.SUCCESS, activate(1, 2));
        host.device.reset();
        assertEquals("2 2/0 mhsld 0.1|new one||", info());
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "3", "255"})
    void shouldWriteOnlySlotsThatAreThereAndNotInUse(int slot) {
        assertEquals(ReturnCode.INVALID_FIRMWARE_SLOT, transfer(FULL, slot, 0, whole));
        send(INITIATE, 0, 0);
        for (int i = 1; i < 4; i++) {
            send(CONTINUE, 0, i);
        }
        assertEquals(ReturnCode.INVALID_FIRMWARE_SLOT, send(END, slot, 4));
        assertEquals(ReturnCode.BACKGROUND_STARTED, send(END, 2, 4), "the transfer goes on");
    }

    @Test
    void shouldRefuseAnotherTransferUntilTheFirstHasEnded() {
        assertEquals(ReturnCode.SUCCESS, send(INITIATE, 0, 0));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_IN_PROGRESS, transfer(FULL, 2, 0, whole));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_IN_PROGRESS, transfer(INITIATE, 0, 0, new byte[128]));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_IN_PROGRESS, activate(0, 1));
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 1));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_IN_PROGRESS, send(INITIATE, 0, 0));
        assertEquals(ReturnCode.SUCCESS, transfer(ABORT, 0, 0, new byte[0]));
        assertEquals(ReturnCode.SUCCESS, transfer(ABORT, 0, 0, new byte[0]), "nothing to abort");
        assertEquals(ReturnCode.SUCCESS, transfer(FULL, 2, 0, whole));
    }

    @Test
    void shouldRefusePartsThatAreNotTheNext() {
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(CONTINUE, 0, 0));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(END, 2, 0));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(INITIATE, 0, 1));
        assertEquals(ReturnCode.SUCCESS, send(INITIATE, 0, 0));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(CONTINUE, 0, 2));
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 1));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(CONTINUE, 0, 0));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, transfer(CONTINUE, 0, 2, new byte[256]), "other bytes");
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 2));
    }

    @Test
    void shouldForgetATransferThatWaitsTooLong() {
        send(INITIATE, 0, 0);
        host.clock.advanceNs(30_000_000_000L);
        assertEquals(ReturnCode.SUCCESS, send(CONTINUE, 0, 1));
        host.clock.advanceNs(30_001_000_000L);
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(CONTINUE, 0, 2));
        assertEquals(ReturnCode.SUCCESS, transfer(FULL, 2, 0, whole));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 13, 17, 32, 127, 500, 1151})
    void shouldNotTakeAPackageOfWhichAByteHasChanged(int position) {
        byte[] changed = whole.clone();
        changed[position] ^= 4;
        assertEquals(ReturnCode.FIRMWARE_AUTHENTICATION_FAILED, transfer(FULL, 2, 0, changed));
        assertEquals("2 1/0 mhsld 0.1|||", info());
    }

    @Test
    void shouldEndATransferThatIsNotAuthentic() {
        send(INITIATE, 0, 0);
        send(CONTINUE, 0, 1);
        assertEquals(ReturnCode.FIRMWARE_AUTHENTICATION_FAILED, send(END, 2, 2));
        assertEquals(ReturnCode.FIRMWARE_TRANSFER_OUT_OF_ORDER, send(CONTINUE, 0, 3));
        assertEquals(ReturnCode.FIRMWARE_AUTHENTICATION_FAILED, transfer(FULL, 2, 0, new byte[0]));
    }

    @Test
    void shouldRefuseLengthsThatAreNotAligned() {
        for (int action : new int[] {FULL, INITIATE}) {
            assertEquals(ReturnCode.INVALID_INPUT, transfer(action, 2, 0, new byte[127]));
        }
        send(INITIATE, 0, 0);
        assertEquals(ReturnCode.INVALID_INPUT, transfer(CONTINUE, 2, 2, new byte[1]));
        assertEquals(ReturnCode.INVALID_INPUT, transfer(END, 2, 2, new byte[129]));
        assertEquals(ReturnCode.INVALID_INPUT, transfer(5, 2, 0, new byte[128]));
    }

    @Test
    void shouldEmptyASlotWithAPackageOfZeros() {
        transfer(FULL, 2, 0, whole);
        activate(1, 2);
        assertEquals(ReturnCode.SUCCESS, transfer(FULL, 2, 0, new byte[128]));
        assertEquals("2 1/0 mhsld 0.1|||", info());
        host.device.reset();
        assertEquals("mhsld 0.1", identity());
    }

    @Test
    void shouldAbortTheStoringOfAPackage() {
        send(INITIATE, 0, 0);
        for (int i = 1; i < 4; i++) {
            send(CONTINUE, 0, i);
        }
        assertEquals(ReturnCode.BACKGROUND_STARTED, send(END, 2, 4));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0005, ""));
        host.steps.all();
        assertEquals("2 1/0 mhsld 0.1|||", info());
        assertEquals(ReturnCode.SUCCESS, transfer(FULL, 2, 0, whole));
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, FIRMWARE_RESET_REQUIRED, stubborn",
        "false, true, FIRMWARE_ROLLED_BACK, mhsld 0.1",
        "true, true, FIRMWARE_RESET_REQUIRED, mhsld 0.1"
    })
    void shouldRefuseOnlineActivation(boolean needsReset, boolean startsNot, ReturnCode code, String afterReset) {
        assertEquals(
                ReturnCode.SUCCESS,
                transfer(FULL, 2, 0, new FirmwarePackage("stubborn", needsReset, startsNot).toBytes(0)));
        assertEquals(code, activate(0, 2));
        assertEquals("mhsld 0.1", identity());
        assertEquals(ReturnCode.SUCCESS, activate(1, 2));
        host.device.reset();
        assertEquals(afterReset, identity());
    }

    @Test
    void shouldRefuseSlotsWithoutFirmwareAndUnknownActions() {
        for (int slot : new int[] {0, 2, 3, 255}) {
            assertEquals(ReturnCode.INVALID_FIRMWARE_SLOT, activate(0, slot));
            assertEquals(ReturnCode.INVALID_FIRMWARE_SLOT, activate(1, slot));
        }
        assertEquals(ReturnCode.INVALID_INPUT, activate(2, 1));
    }
}

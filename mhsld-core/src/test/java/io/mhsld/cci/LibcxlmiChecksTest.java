package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.HandSteps;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What libcxlmi's test programs ask of a fresh device, in their order, and what they call a success: the code, and the exact length where they
 * look at it.
 */
class LibcxlmiChecksTest {
    private static final String EFFECTS_LOG = "0da9c0b5bf414b788f7996b1623b3f17";
    private static final String DEBUG_LOG = "e1819d9a482e4e2aab4513757da848e5";

    private final HandSteps steps = new HandSteps();
    private final Mailbox cci;

    LibcxlmiChecksTest() {
        Type3Device device = TestDevice.with(
                List.of(new DcRegion(0, 0, 4L << 30, 4L << 30, TestDevice.BLOCK)), new TestDevice.HandClock());
        device.background().runLater(steps);
        cci = new Mailbox(device, Optional.of(new SomeHeads(8, 1)), error -> {
                    throw new AssertionError(error);
                })
                .ldCci();
    }

    private ByteBuffer passes(int opcode, String input, int length) {
        Response response = cci.execute(opcode, Host.hex(input));
        assertEquals(ReturnCode.SUCCESS, response.code(), Integer.toHexString(opcode));
        assertEquals(length, response.length(), Integer.toHexString(opcode));
        return ByteBuffer.wrap(response.payload()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void starts(int opcode, String input) {
        assertEquals(
                ReturnCode.BACKGROUND_STARTED,
                cci.execute(opcode, Host.hex(input)).code());
        // The next request is read when the head has gone round its loop once.
        steps.one();
    }

    @Test
    void shouldPassTheGenericSuite() {
        passes(0x0001, "", 18);
        passes(0x0002, "", 8);
        byte limit = passes(0x0003, "", 1).get();
        passes(0x0004, String.format("%02x", limit), 1);
        assertTrue(List.of(ReturnCode.SUCCESS, ReturnCode.REQUEST_ABORT_NOT_SUPPORTED)
                .contains(cci.execute(0x0005, new byte[0]).code()));
        passes(0x0300, "", 8);
        passes(0x0301, "0000000000000000", 0);
        ByteBuffer info = passes(0x0200, "", 80);
        int slot = (info.get(1) & 7) % info.get(0) + 1;
        passes(0x0201, String.format("00%02x", slot) + "00".repeat(126) + "00".repeat(128), 0);
        passes(0x0202, String.format("00%02x", info.get(1) & 7), 0);
        int logBytes = passes(0x0400, "", 8 + 2 * 20).getInt(24);
        passes(0x0405, "1000", 8 + 2 * 20);
        passes(0x0401, EFFECTS_LOG + "00000000" + String.format("%08x", Integer.reverseBytes(logBytes)), logBytes);
        passes(0x0402, EFFECTS_LOG, 4);
        passes(0x0403, DEBUG_LOG, 0);
        passes(0x0404, DEBUG_LOG, 0);
        // Sixteen bytes of answer are asked for, which hold no feature: the programs skip what they would do with one.
        assertEquals(0, passes(0x0500, "10000000 0000 0000", 8).getShort());
    }

    @Test
    void shouldPassTheMemoryDeviceSuite() {
        ByteBuffer identity = passes(0x4000, "", 69);
        assertNotEquals(0, identity.getLong(16), "total capacity");
        assertTrue(identity.getInt(56) >= 256, "labels");
        assertNotEquals(0, identity.getShort(63), "inject poison limit");
        long volatileUnits = passes(0x4100, "", 32).getLong();
        passes(0x4102, "00000000 00010000", 256);
        passes(0x4200, "", 18);
        ByteBuffer alerts = passes(0x4201, "", 16);
        passes(
                0x4202,
                String.format(
                        "0000 %02x 00 %04x %04x %04x %04x",
                        alerts.get(3),
                        Short.reverseBytes(alerts.getShort(8)),
                        Short.reverseBytes(alerts.getShort(10)),
                        Short.reverseBytes(alerts.getShort(12)),
                        Short.reverseBytes(alerts.getShort(14))),
                0);
        passes(0x4203, "", 1);
        assertEquals(0, passes(0x4300, "0000000000000000 0000010000000000", 32).getShort(10));
        passes(0x4301, "0010000000000000", 0);
        passes(0x4302, "0010000000000000" + "00".repeat(64), 0);
        passes(0x4303, "0000000000000000 0000010000000000", 4);
        passes(0x4500, "", 4);
        passes(0x4800, "0800", 8 + 40 + 16);
        passes(0x4801, "08000000 00000000", 16);
        passes(0x4101, String.format("%016x 00", Long.reverseBytes(volatileUnits)), 0);
        passes(0x4103, "00000000 00000000" + "00".repeat(256), 0);
        passes(0x4204, "00", 0);
        starts(0x4304, "0000000000000000 0000010000000000 00");
        assertEquals(0, passes(0x4305, "", 32).getShort(18));
        starts(0x4400, "");
        ByteBuffer operations = passes(0x4402, "00000000 00000000 0000 1000", 12 + 2 * 3);
        assertEquals(3, operations.getShort(10));
        passes(0x4402, "00000000 01000000 0000000000000000 0000010000000000", 0);
    }
}

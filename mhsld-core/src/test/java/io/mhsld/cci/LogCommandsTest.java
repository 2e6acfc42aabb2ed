package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LogCommandsTest {
    private static final String LOG_ID = "0da9c0b5bf414b788f7996b1623b3f17";

    private final Host host = Host.singleHeaded();

    private static String getLog(String id, long offset, long length) {
        return String.format(
                "%s %08x %08x", id, Integer.reverseBytes((int) offset), Integer.reverseBytes((int) length));
    }

    @Test
    void shouldCountTheTimeThatWasSet() {
        assertEquals(0, host.output(0x0300, "").getLong());
        assertEquals(ReturnCode.SUCCESS, host.code(0x0301, "00e40b5402000000"));
        host.clock.advanceNs(77);
        assertEquals(10_000_000_077L, host.output(0x0300, "").getLong());
    }

    /** Opcode and effects, as the specification has them: bit 2 data, 3 policy, 4 log, 6 background, 8 can be aborted. */
    private static final String EFFECTS =
            "0005:0000 0100:0000 0101:0010 0102:0000 0103:0002 0200:0000 0201:0140 0202:0140"
                    + " 0300:0000 0301:0008 0400:0000 0401:0000 0402:0000 0403:0010 0404:0010 0405:0000 0500:0000 0501:0000"
                    + " 0502:003e 4000:0000 4100:0000 4101:0007 4102:0000 4103:0006 4200:0000 4201:0000 4202:0008 4203:0000"
                    + " 4204:0008 4300:0000 4301:0004 4302:0004 4303:0000 4304:0140 4305:0000 4400:0164 4402:0044 4500:0000"
                    + " 4800:0000 4801:0000 4802:0004 4803:0004";

    private static final int CEL_BYTES = 4 * EFFECTS.split(" ").length;

    private static final String DEBUG_LOG_ID = "e1819d9a482e4e2aab4513757da848e5";

    private static String log(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        ByteBuffer entries = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (entries.hasRemaining()) {
            text.append(String.format("%04x:%04x ", entries.getShort(), entries.getShort()));
        }
        return text.toString().strip();
    }

    private static String u32(int value) {
        return String.format("%08x", Integer.reverseBytes(value));
    }

    @Test
    void shouldSupportTheCommandEffectsLogAndAnEmptyDebugLog() {
        byte[] logs = host.outputBytes(0x0400, "");
        assertArrayEquals(Host.hex("0200 000000000000" + LOG_ID + u32(CEL_BYTES) + DEBUG_LOG_ID + "00000000"), logs);
        assertEquals(ReturnCode.INVALID_LOG, host.code(0x0401, getLog("00000000000000000000000000000000", 0, 4)));
    }

    @Test
    void shouldListSupportedLogsInParts() {
        String first = "00 0200";
        assertArrayEquals(
                Host.hex("01" + first + "00 000000" + LOG_ID + u32(CEL_BYTES)), host.outputBytes(0x0405, "0100"));
        assertArrayEquals(
                Host.hex("01" + first + "01 000000" + DEBUG_LOG_ID + u32(0)), host.outputBytes(0x0405, "ff01"));
        assertEquals(48, host.outputBytes(0x0405, "ff00").length);
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0405, "0000"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0405, "0102"));
    }

    @Test
    void shouldListEachCommandWithItsEffectsInTheSpecificationsBits() {
        assertEquals(EFFECTS, log(host.outputBytes(0x0401, getLog(LOG_ID, 0, CEL_BYTES))));
    }

    @Test
    void shouldPopulateAndClearTheDebugLogAlone() {
        assertArrayEquals(Host.hex("00000000"), host.outputBytes(0x0402, LOG_ID));
        assertArrayEquals(Host.hex("03000000"), host.outputBytes(0x0402, DEBUG_LOG_ID));
        assertEquals(ReturnCode.INVALID_LOG, host.code(0x0402, "00".repeat(16)));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0404, DEBUG_LOG_ID));
        ByteBuffer logs = host.output(0x0400, "");
        int length = logs.getInt(8 + 20 + 16);
        String text = new String(host.outputBytes(0x0401, getLog(DEBUG_LOG_ID, 0, length)), StandardCharsets.US_ASCII);
        assertTrue(text.contains("acceptedExtents=0\n") && text.endsWith("percent=0\n"), text);
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(DEBUG_LOG_ID, 1, length)));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0403, DEBUG_LOG_ID));
        assertEquals(0, host.output(0x0400, "").getInt(8 + 20 + 16));
        for (int opcode : new int[] {0x0403, 0x0404}) {
            assertEquals(ReturnCode.INVALID_INPUT, host.code(opcode, LOG_ID));
            assertEquals(ReturnCode.INVALID_LOG, host.code(opcode, "00".repeat(16)));
        }
    }

    @Test
    void shouldListTheMultiHeadedSetOnlyWhereThereAreSeveralHeads() {
        Host multiHeaded = new Host(1, Optional.of(new SomeHeads(8, 1)));
        ByteBuffer logs = multiHeaded.output(0x0400, "");
        assertEquals(CEL_BYTES + 8, logs.getInt(24));
        byte[] log = multiHeaded.outputBytes(0x0401, getLog(LOG_ID, CEL_BYTES, 8));
        assertArrayEquals(Host.hex("00550000 01550000"), log);
    }

    @Test
    void shouldReadPartsOfTheLogByByteOffset() {
        byte[] whole = host.outputBytes(0x0401, getLog(LOG_ID, 0, CEL_BYTES));
        for (int offset = 0; offset <= whole.length; offset++) {
            int length = Math.min(5, whole.length - offset);
            byte[] part = host.outputBytes(0x0401, getLog(LOG_ID, offset, length));
            assertArrayEquals(Arrays.copyOfRange(whole, offset, offset + length), part);
        }
    }

    @Test
    void shouldNotReadBeyondTheLog() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0, CEL_BYTES + 1)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, CEL_BYTES, 1)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0xFFFFFFFFL, 1)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 1, 0xFFFFFFFFL)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0xFFFFFFFFL, 0xFFFFFFFFL)));
    }
}

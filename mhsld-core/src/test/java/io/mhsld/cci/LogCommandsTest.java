package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
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

    @Test
    void shouldSupportTheCommandEffectsLogAlone() {
        byte[] logs = host.outputBytes(0x0400, "");
        assertArrayEquals(Host.hex("0100 000000000000" + LOG_ID + "34000000"), logs);
        assertEquals(ReturnCode.INVALID_LOG, host.code(0x0401, getLog("00000000000000000000000000000000", 0, 4)));
    }

    @Test
    void shouldListEachCommandWithItsEffectsInTheSpecificationsBits() {
        byte[] log = host.outputBytes(0x0401, getLog(LOG_ID, 0, 0x34));
        assertArrayEquals(
                Host.hex("00010000 01011000 02010000 03010200 00030000 01030800 00040000 01040000 00400000"
                        + " 00480000 01480000 02480400 03480400"),
                log);
    }

    @Test
    void shouldListTheMultiHeadedSetOnlyWhereThereAreSeveralHeads() {
        Host multiHeaded = new Host(1, Optional.of(new SomeHeads(8, 1)));
        ByteBuffer logs = multiHeaded.output(0x0400, "");
        assertEquals(0x3c, logs.getInt(24));
        byte[] log = multiHeaded.outputBytes(0x0401, getLog(LOG_ID, 0x34, 8));
        assertArrayEquals(Host.hex("00550000 01550000"), log);
    }

    @Test
    void shouldReadPartsOfTheLogByByteOffset() {
        byte[] whole = host.outputBytes(0x0401, getLog(LOG_ID, 0, 0x34));
        for (int offset = 0; offset <= whole.length; offset++) {
            int length = Math.min(5, whole.length - offset);
            byte[] part = host.outputBytes(0x0401, getLog(LOG_ID, offset, length));
            assertArrayEquals(Arrays.copyOfRange(whole, offset, offset + length), part);
        }
    }

    @Test
    void shouldNotReadBeyondTheLog() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0, 0x35)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0x34, 1)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0xFFFFFFFFL, 1)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 1, 0xFFFFFFFFL)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0401, getLog(LOG_ID, 0xFFFFFFFFL, 0xFFFFFFFFL)));
    }
}

package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class MultiHeadCommandsTest {
    private static final String UP = " 10 10 1f 05 05 04 00 04";
    private static final String DOWN = " 10 00 1f 05 00 00 00 00";

    private final Host host = new Host(1, Optional.of(new SomeHeads(5, 2)));

    @Test
    void shouldMapEachLogicalDeviceToItsHead() {
        assertArrayEquals(Host.hex("05 05 0000 00 05 0000 00 01 ff ff ff"), host.outputBytes(0x5500, "00 ff"));
        assertArrayEquals(Host.hex("05 05 0000 01 02 0000 01 ff"), host.outputBytes(0x5500, "01 02"));
        assertArrayEquals(Host.hex("05 05 0000 04 01 0000 ff"), host.outputBytes(0x5500, "04 05"));
    }

    @Test
    void shouldRefuseToMapWhatDoesNotExist() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5500, "05 01"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5500, "ff 01"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5500, "00 00"));
    }

    @Test
    void shouldDescribeTheHeadsThatAreAskedForFromTheFirstEntryOn() {
        assertArrayEquals(Host.hex("02 000000 00" + UP + "01" + UP), host.outputBytes(0x5501, "00 02"));
        assertArrayEquals(Host.hex("03 000000 01" + UP + "02" + DOWN + "03" + DOWN), host.outputBytes(0x5501, "01 03"));
        assertArrayEquals(Host.hex("01 000000 04" + DOWN), host.outputBytes(0x5501, "04 01"));
    }

    @Test
    void shouldRefuseHeadsThatDoNotExist() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5501, "05 01"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5501, "04 02"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5501, "00 06"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5501, "ff ff"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x5501, "00 00"));
    }

    @Test
    void shouldFitTheLargestDeviceIntoThePayload() {
        Host large = new Host(1, Optional.of(new SomeHeads(64, 64)));
        assertEquals(8 + 64, large.output(0x5500, "00 ff").capacity());
        assertEquals(4 + 9 * 64, large.output(0x5501, "00 40").capacity());
    }

    @Test
    void shouldReadTheLinkStateAnewEachTime() {
        boolean[] attached = {false};
        MultiHeadInfo info = new MultiHeadInfo() {
            @Override
            public int headCount() {
                return 1;
            }

            @Override
            public int ldCount() {
                return 1;
            }

            @Override
            public int headOf(int ld) {
                return 0;
            }

            @Override
            public boolean isAttached(int head) {
                return attached[0];
            }
        };
        Host changing = new Host(1, Optional.of(info));
        assertEquals(0, changing.output(0x5501, "00 01").get(4 + 6));
        attached[0] = true;
        assertEquals(4, changing.output(0x5501, "00 01").get(4 + 6));
        assertTrue(
                Layouts.HEAD_INFO.lines(changing.outputBytes(0x5501, "00 01")).contains("  linkTrainingState: L0"));
    }
}

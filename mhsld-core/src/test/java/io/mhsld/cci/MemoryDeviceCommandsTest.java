package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class MemoryDeviceCommandsTest {
    private final Host host = Host.singleHeaded();

    @Test
    void shouldIdentifyADeviceWithoutStaticMemory() {
        byte[] expected = Host.hex(
                "6d68736c6420302e3100000000000000" // mhsld 0.1
                        + "0000000000000000 0000000000000000 0000000000000000 0000000000000000"
                        + "0001 0001 0001 0001 00000000 000000 0000 00 00 0004");
        assertEquals(0x45, expected.length);
        assertArrayEquals(expected, host.outputBytes(0x4000, ""));
    }
}

package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.LabelStorage;
import io.mhsld.type3.TestDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemoryDeviceCommandsTest {
    private final Host host = Host.singleHeaded();

    @Test
    void shouldIdentifyADeviceWithoutStaticMemory() {
        byte[] expected = identity("0000000000000000");
        assertEquals(0x45, expected.length);
        assertArrayEquals(expected, host.outputBytes(0x4000, ""));
    }

    @Test
    void shouldTellTheCapacityOfAllRegionsToThoseWhoAskByMessages() {
        assertArrayEquals(
                identity("0400000000000000"),
                host.ldCci.execute(0x4000, new byte[0]).payload());
    }

    private static byte[] identity(String totalCapacity) {
        return Host.hex(
                "6d68736c6420302e3100000000000000" // mhsld 0.1
                        + totalCapacity
                        + "0000000000000000 0000000000000000 0000000000000000"
                        + "0001 0001 0001 0001 00000200 000100 0001 00 00 0004");
    }

    @Test
    void shouldNotSayThatASmallDeviceHasNoCapacity() {
        DcRegion small = new DcRegion(0, 0, 256L << 20, TestDevice.BLOCK, TestDevice.BLOCK);
        Mailbox mailbox =
                new Mailbox(TestDevice.with(List.of(small), new TestDevice.HandClock()), Optional.empty(), error -> {
                    throw error;
                });
        assertEquals(1, mailbox.ldCci().execute(0x4000, new byte[0]).payload()[16]);
    }

    @Test
    void shouldHaveNoPartitionsAndTakeThem() {
        assertArrayEquals(new byte[0x20], host.outputBytes(0x4100, ""));
        assertEquals(ReturnCode.SUCCESS, host.code(0x4101, "0000000000000000 00"));
        assertEquals(ReturnCode.SUCCESS, host.code(0x4101, "0000000000000000 01"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4101, "0100000000000000 00"));
        // In bytes this would be 2^64.
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4101, "0000000010000000 00"));
    }

    private ReturnCode setLabels(long offset, byte[] data) {
        return host.code(
                0x4103,
                Host.input(8 + data.length).putInt((int) offset).put(8, data).array());
    }

    private static byte[] gettingLabels(long offset, long length) {
        return Host.input(8).putInt((int) offset).putInt((int) length).array();
    }

    @Test
    void shouldKeepLabels() {
        byte[] data = new byte[2040];
        Arrays.fill(data, (byte) 0x5A);
        int last = LabelStorage.LENGTH_BYTES - data.length;
        assertArrayEquals(
                new byte[2048],
                host.output(0x4102, gettingLabels(last - 8, 2048)).array());
        assertEquals(ReturnCode.SUCCESS, setLabels(last, data));
        assertEquals(ReturnCode.SUCCESS, setLabels(3, new byte[] {1, 2}));
        assertEquals(ReturnCode.SUCCESS, setLabels(LabelStorage.LENGTH_BYTES, new byte[0]));
        host.device.reset();
        assertArrayEquals(
                data, host.output(0x4102, gettingLabels(last, data.length)).array());
        assertArrayEquals(
                new byte[] {0, 1, 2, 0},
                host.output(0x4102, gettingLabels(2, 4)).array());
        assertEquals(
                0,
                host.output(0x4102, gettingLabels(LabelStorage.LENGTH_BYTES, 0)).capacity());
    }

    @Test
    void shouldRefuseLabelsBeyondTheArea() {
        assertEquals(ReturnCode.INVALID_INPUT, setLabels(LabelStorage.LENGTH_BYTES - 1, new byte[2]));
        assertEquals(ReturnCode.INVALID_INPUT, setLabels(0xFFFF_FFFFL, new byte[2]));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4102, gettingLabels(LabelStorage.LENGTH_BYTES - 1, 2)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4102, gettingLabels(0xFFFF_FFFFL, 0xFFFF_FFFFL)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4102, gettingLabels(0, 2049)));
    }

    @Test
    void shouldHaveNothingLocked() {
        assertArrayEquals(new byte[4], host.outputBytes(0x4500, ""));
    }
}

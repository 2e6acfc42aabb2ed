package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.MIB;
import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.hostBlocks;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class Type3DeviceTest {
    private final TestDevice.HandClock clock = new TestDevice.HandClock();
    private final SparseMemory memory = new SparseMemory();
    private final Type3Device device = new Type3Device(
            new Type3Device.Identity(1, TestDevice.HOST_ID, TestDevice.regions(2)),
            clock,
            MultiHeadHooks.NONE,
            ExtentJournal.NONE,
            memory);

    private void accept(long first, long count) {
        assertEquals(Optional.empty(), device.capacity().add(0, List.of(blocks(first, count)), Extent.NO_TAG));
        assertEquals(Optional.empty(), device.capacity().addResponse(List.of(hostBlocks(first, count)), false));
    }

    private Cause access(long dpa, long length) {
        return device.checkAccess(dpa, length).map(Refusal::cause).orElse(null);
    }

    @Test
    void shouldAllowAccessExactlyToAcceptedBytes() {
        accept(1, 2);
        long start = BASE + BLOCK;
        assertEquals(null, access(start, 1));
        assertEquals(null, access(start, 2 * BLOCK));
        assertEquals(null, access(start + BLOCK - 3, 7));
        assertEquals(Cause.ACCESS_INVALID, access(start - 1, 1));
        assertEquals(Cause.ACCESS_INVALID, access(start - 1, 2));
        assertEquals(Cause.ACCESS_INVALID, access(start, 2 * BLOCK + 1));
        assertEquals(Cause.ACCESS_INVALID, access(start + 2 * BLOCK, 1));
    }

    @Test
    void shouldCheckAccessesSmallerThanABlock() {
        accept(0, 1);
        assertEquals(Cause.ACCESS_INVALID, access(BASE + BLOCK, 64));
        assertEquals(Cause.ACCESS_INVALID, access(BASE + BLOCK - 32, 64));
    }

    @Test
    void shouldRefuseAccessesOutsideOfEveryRegion() {
        assertEquals(Cause.OUTSIDE_REGION, access(0, 64));
        assertEquals(Cause.OUTSIDE_REGION, access(BASE + 2048 * MIB, 64));
        assertEquals(Cause.OUTSIDE_REGION, access(BASE, 1025 * MIB));
        assertEquals(Cause.OUTSIDE_REGION, access(BASE, -1L));
        assertEquals(Cause.OUTSIDE_REGION, access(-1L, 1));
        assertEquals(Cause.OUTSIDE_REGION, access(-64L, 128));
        assertEquals(Cause.LENGTH_ZERO, access(BASE, 0));
    }

    @Test
    void shouldNotOfferAccessBeforeTheHostAccepted() {
        device.capacity().add(0, List.of(blocks(0, 1)), Extent.NO_TAG);
        assertEquals(Cause.ACCESS_INVALID, access(BASE, 1));
    }

    @Test
    void shouldReadBackWhatWasWritten() {
        accept(0, 2);
        byte[] data = {1, 2, 3, 4};
        long dpa = BASE + BLOCK - 2;
        assertEquals(Optional.empty(), device.write(dpa, data, 0, 4));
        byte[] back = new byte[4];
        assertEquals(Optional.empty(), device.read(dpa, back, 0, 4));
        assertArrayEquals(data, back);
        assertEquals(memory.crc32c(dpa, 4), device.crc32c(dpa, 4));
        assertEquals(Optional.empty(), device.fill(dpa, 4, (byte) 9));
        device.read(dpa, back, 0, 4);
        assertArrayEquals(new byte[] {9, 9, 9, 9}, back);
    }

    @Test
    void shouldCopyNothingWhenAccessIsRefused() {
        byte[] buffer = {5};
        assertEquals(
                Cause.ACCESS_INVALID,
                device.read(BASE, buffer, 0, 1).orElseThrow().cause());
        assertEquals(5, buffer[0]);
        assertEquals(
                Cause.ACCESS_INVALID,
                device.write(BASE, buffer, 0, 1).orElseThrow().cause());
        accept(0, 1);
        device.read(BASE, buffer, 0, 1);
        assertEquals(0, buffer[0]);
        assertThrows(IllegalStateException.class, () -> device.crc32c(BASE + BLOCK, 1));
    }

    @Test
    void shouldSayWhenTheSystemHasNoMemory() {
        accept(0, 1);
        memory.fillUp();
        assertEquals(
                Cause.NO_SPACE,
                device.write(BASE, new byte[1], 0, 1).orElseThrow().cause());
        assertEquals(
                Cause.NO_SPACE, device.fill(BASE, 1, (byte) 1).orElseThrow().cause());
    }

    @Test
    void shouldShowTimeOnlyOnceItWasSet() {
        assertEquals(0, device.timestampNs());
        device.setTimestampNs(5_000);
        clock.advanceNs(70);
        assertEquals(5_070, device.timestampNs());
        device.reset();
        assertEquals(0, device.timestampNs());
    }

    @Test
    void shouldLetGoOfEverythingOnReset() {
        accept(0, 4);
        device.capacity().add(0, List.of(blocks(8, 4)), Extent.NO_TAG);
        device.reset();
        assertEquals(0, device.capacity().acceptedCount());
        assertEquals(List.of(), device.capacity().pending());
        assertEquals(0, device.log(EventLog.Kind.DYNAMIC_CAPACITY).size());
        assertEquals(Cause.ACCESS_INVALID, access(BASE, 1));
        accept(0, 16);
    }

    @Test
    void shouldCallTheListenerOncePerRequest() {
        AtomicInteger calls = new AtomicInteger();
        device.onEvent(EventLog.Kind.DYNAMIC_CAPACITY, calls::incrementAndGet);
        device.capacity().add(0, List.of(blocks(0, 1), blocks(2, 1), blocks(4, 1)), Extent.NO_TAG);
        assertEquals(1, calls.get());
        device.capacity().add(0, List.of(), Extent.NO_TAG);
        assertEquals(1, calls.get());
    }

    @Test
    void shouldTellTheListenerOfTheLogThatGotARecordAndOfThoseItLost() {
        List<EventLog.Kind> told = new ArrayList<>();
        for (EventLog.Kind kind : EventLog.Kind.values()) {
            device.onEvent(kind, () -> told.add(kind));
        }
        EventBody body = GeneralMediaEvent.of(new MediaError(BASE, 0, 0, 0));
        assertTrue(device.report(EventLog.Kind.FATAL, EventHeader.INFORMATIONAL, body));
        assertTrue(device.report(EventLog.Kind.WARNING, EventHeader.INFORMATIONAL, body));
        assertEquals(List.of(EventLog.Kind.FATAL, EventLog.Kind.WARNING), told);
        assertEquals(body, device.log(EventLog.Kind.FATAL).oldest(1).get(0).body());
        told.clear();
        for (int i = 0; i < Type3Device.EVENT_LOG_DEPTH; i++) {
            assertEquals(
                    i < Type3Device.EVENT_LOG_DEPTH - 1,
                    device.report(EventLog.Kind.FATAL, EventHeader.INFORMATIONAL, body));
        }
        assertEquals(Type3Device.EVENT_LOG_DEPTH, told.size());
        assertEquals(1, device.log(EventLog.Kind.FATAL).overflowCount());
    }
}

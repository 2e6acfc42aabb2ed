package io.mhsld;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.Head;
import io.mhsld.state.Geometry;
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What hosts learn through their mailboxes of poison in the media that their heads have together, and of health. */
@Timeout(60)
class HeadPoisonTest {
    private static final UUID TAG = new UUID(7, 7);
    private static final int LINE = MediaPoison.LINE_BYTES;

    private static final int GENERAL_MEDIA = 0xFBCD0A77;
    private static final int MEMORY_MODULE = 0xFE927475;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /**
     * A record as the host reads it.
     *
     * @param id the first four bytes of the record identifier
     * @param dpa physical address, of media events; else event type and health
     */
    private record Told(int id, int severity, long dpa, int descriptor, int transaction) {}

    private static ByteBuffer input(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @SuppressWarnings("ByteBufferBackingArray") // They are allocated by input().
    private static Response execute(LocalHead head, int opcode, ByteBuffer input) {
        return head.call(h -> h.mailbox().execute(opcode, input.array()));
    }

    /** What is in a log, by Get Event Records. */
    private static List<Told> log(LocalHead head, EventLog.Kind kind) {
        Response response = execute(head, 0x0100, input(1).put(0, (byte) kind.number()));
        assertEquals(ReturnCode.SUCCESS, response.code());
        ByteBuffer bytes = ByteBuffer.wrap(response.payload());
        List<Told> told = new ArrayList<>();
        for (int at = 0x20; at < bytes.capacity(); at += 0x80) {
            int id = bytes.order(ByteOrder.BIG_ENDIAN).getInt(at);
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            boolean isMedia = id == GENERAL_MEDIA;
            told.add(new Told(
                    id,
                    bytes.get(at + 0x11) & 3,
                    isMedia ? bytes.getLong(at + 0x30) : bytes.get(at + 0x30),
                    isMedia ? bytes.get(at + 0x38) : 0,
                    isMedia ? bytes.get(at + 0x3A) : 0));
        }
        assertEquals(Short.toUnsignedInt(bytes.getShort(0x14)), told.size());
        return told;
    }

    private void make(int heads) {
        Geometry geometry = Geometry.of(heads, 32 * BLOCK, 1, BLOCK).withShareable(Set.of(0));
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
    }

    private static void add(LocalHead head, AddRequest request) {
        head.call(h -> {
            assertEquals(Optional.empty(), h.device().capacity().add(request));
            List<HostRange> ranges = new ArrayList<>();
            for (Extent extent : h.device().capacity().pending().get(0).extents()) {
                ranges.add(new HostRange(extent.startDpa(), extent.lengthBytes()));
            }
            assertEquals(Optional.empty(), h.device().capacity().addResponse(ranges, false));
            return null;
        });
    }

    private static Optional<Cause> read(LocalHead head, long dpa, int length) {
        return head.call(h -> h.device().read(dpa, new byte[length], 0, length).map(Refusal::cause));
    }

    private static void clearLogs(LocalHead head) {
        head.call((Head h) -> {
            for (EventLog.Kind kind : EventLog.Kind.values()) {
                h.device().log(kind).clearAll();
            }
            return null;
        });
    }

    @Test
    void shouldTellEachKindInItsLog() throws InterruptedException {
        make(2);
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            add(zero, AddRequest.free(0, 2 * BLOCK, TAG));
            add(one, AddRequest.join(0, TAG));
            clearLogs(zero);
            clearLogs(one);

            // Injected: information.
            assertEquals(
                    ReturnCode.SUCCESS,
                    execute(zero, 0x4301, input(8).putLong(0, 0x1000)).code());
            assertEquals(List.of(new Told(GENERAL_MEDIA, 0, 0x1001, 0, 4)), log(zero, EventLog.Kind.INFORMATIONAL));
            // Read: a failure of whoever reads it.
            assertEquals(Optional.of(Cause.POISONED), read(one, 0xFC0, 128));
            assertEquals(List.of(new Told(GENERAL_MEDIA, 2, 0x1001, 1, 1)), log(one, EventLog.Kind.FAILURE));
            assertEquals(List.of(), log(zero, EventLog.Kind.FAILURE));
            // Found by a scan: a warning.
            ByteBuffer scan = input(0x11).putLong(0, 0).putLong(8, 2 * BLOCK / LINE);
            assertEquals(
                    ReturnCode.BACKGROUND_STARTED, execute(one, 0x4304, scan).code());
            while (one.call(h -> h.device().background().status().state()) == BackgroundOperations.State.RUNNING) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            assertEquals(List.of(new Told(GENERAL_MEDIA, 1, 0x1001, 1, 3)), log(one, EventLog.Kind.WARNING));
            // The list has overflowed: a warning of whose poison it was.
            zero.call(h -> {
                for (int i = 0; i < MediaPoison.MAX_RECORDS; i++) {
                    assertEquals(
                            Optional.empty(), h.device().injectPoison(BLOCK + 2L * i * LINE, LINE, Source.INTERNAL));
                }
                return null;
            });
            assertEquals(List.of(new Told(GENERAL_MEDIA, 1, 1, 4, 0)), log(zero, EventLog.Kind.WARNING));
            int status = one.call(h -> h.device().healthInfo().healthStatus());
            assertEquals(1, status, "maintenance needed");
            // An alert comes, gets worse and goes.
            clearLogs(one);
            for (int celsius : new int[] {85, 96, 30}) {
                one.call((Head h) -> {
                    h.device().health().setTemperature(celsius);
                    return null;
                });
            }
            Told temperature = new Told(MEMORY_MODULE, 0, 3, 0, 0);
            assertEquals(List.of(new Told(MEMORY_MODULE, 1, 3, 0, 0)), log(one, EventLog.Kind.WARNING));
            assertEquals(
                    new Told(MEMORY_MODULE, 2, 3, 0, 0),
                    log(one, EventLog.Kind.FAILURE).get(0));
            List<Told> ends = log(one, EventLog.Kind.INFORMATIONAL);
            assertEquals(temperature, ends.get(ends.size() - 1));
            assertEquals(List.of(), log(zero, EventLog.Kind.FAILURE), "another head is not hot");
        }
    }

    @Test
    void shouldAnswerAsTheSpecificationSaysForOthersBlocks() {
        fixture.make(2, 1, 8);
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            add(zero, AddRequest.free(0, BLOCK, Extent.NO_TAG));
            assertEquals(
                    ReturnCode.INVALID_PHYSICAL_ADDRESS,
                    execute(one, 0x4301, input(8).putLong(0, 0x40)).code());
            assertEquals(
                    ReturnCode.INVALID_PHYSICAL_ADDRESS,
                    execute(one, 0x4302, input(72).putLong(0, 0x40)).code());
            assertEquals(
                    ReturnCode.SUCCESS,
                    execute(zero, 0x4301, input(8).putLong(0, 0x40)).code());
            ByteBuffer all = input(16).putLong(0, 0).putLong(8, 8 * BLOCK / LINE);
            assertEquals(
                    1,
                    ByteBuffer.wrap(execute(zero, 0x4300, all).payload())
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getShort(0x0A));
            assertEquals(
                    0,
                    ByteBuffer.wrap(execute(one, 0x4300, all).payload())
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getShort(0x0A));
        }
    }
}

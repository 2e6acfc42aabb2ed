package io.mhsld;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.Head;
import io.mhsld.state.Geometry;
import io.mhsld.type3.BackgroundOperations.State;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a head's mailbox does to its media and its files, with memory and an event loop behind it. */
@Timeout(60)
class HeadMediaTest {
    private static final long BLOCK = 2L << 20;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    @SuppressWarnings("ByteBufferBackingArray") // They are allocated by input().
    private static ReturnCode code(LocalHead head, int opcode, ByteBuffer input) {
        return head.call(h -> h.mailbox().execute(opcode, input.array()).code());
    }

    private static ByteBuffer input(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ReturnCode setLabels(LocalHead head, int offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return code(head, 0x4103, input(8 + bytes.length).putInt(0, offset).put(8, bytes));
    }

    private static String labels(LocalHead head, int offset, int length) {
        Response response = head.call(h -> h.mailbox()
                .execute(0x4102, input(8).putInt(offset).putInt(length).array()));
        assertEquals(ReturnCode.SUCCESS, response.code());
        return new String(response.payload(), StandardCharsets.US_ASCII).replace('\0', '.');
    }

    /** The head owns so many blocks of the only region; the base of that. */
    @SuppressWarnings("ByteBufferBackingArray") // It is allocated by input().
    private static long own(LocalHead head, long first, long count) {
        return head.call(h -> {
            Range range = new Range(first * BLOCK, count * BLOCK);
            assertEquals(Optional.empty(), h.device().capacity().add(0, List.of(range), Extent.NO_TAG));
            long base = h.device().capacity().regions().get(0).baseDpa();
            ByteBuffer answer = input(32)
                    .putInt(0, 1)
                    .putLong(8, base + range.offsetBytes())
                    .putLong(16, range.lengthBytes());
            assertEquals(
                    ReturnCode.SUCCESS,
                    h.mailbox().execute(0x4802, answer.array()).code());
            return base;
        });
    }

    private static Optional<Cause> read(Head head, long dpa, byte[] bytes) {
        return head.device().read(dpa, bytes, 0, bytes.length).map(Refusal::cause);
    }

    @Test
    void shouldKeepTheLabelsOfEachHeadOverItsLives() {
        fixture.make(2, 1, 4);
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            assertEquals("....", labels(zero, 0, 4));
            assertEquals(ReturnCode.SUCCESS, setLabels(zero, 1, "zero"));
            assertEquals(ReturnCode.SUCCESS, setLabels(one, 1, "one"));
            assertEquals(".zero.", labels(zero, 0, 6));
            zero.call(h -> {
                h.device().reset();
                return h;
            });
            assertEquals(".zero.", labels(zero, 0, 6));
        }
        assertEquals(fixture.files().labelFile(0), fixture.files().stateFile().resolveSibling("dev.head0.lsa"));
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            assertEquals(".zero.", labels(zero, 0, 6));
            assertEquals(".one..", labels(one, 0, 6));
        }
    }

    @Test
    void shouldRemoveLabelsWithTheDevice() throws Exception {
        fixture.make(2, 1, 4);
        try (LocalHead one = fixture.attach(1)) {
            setLabels(one, 0, "old");
        }
        Path file = fixture.files().labelFile(1);
        byte[] old = Files.readAllBytes(file);
        fixture.make(2, 1, 4);
        assertTrue(Files.notExists(file));
        Files.write(file, old);
        try (LocalHead one = fixture.attach(1)) {
            assertEquals("...", labels(one, 0, 3), "labels of the device before");
        }
        Device.destroy(fixture.files(), 5_000);
        assertTrue(Files.notExists(file));
    }

    @Test
    void shouldChangeNoLabelsAfterItHasEnded() {
        fixture.make(1, 1, 4);
        LocalHead zero = fixture.attach(0);
        setLabels(zero, 0, "a");
        zero.call(h -> {
            h.close();
            return h;
        });
        assertEquals(
                ReturnCode.INTERNAL_ERROR,
                zero.call(h -> h.mailbox().execute(0x4103, new byte[9]).code()));
        zero.close();
        try (LocalHead again = fixture.attach(0)) {
            assertEquals("a", labels(again, 0, 1));
        }
    }

    @Test
    void shouldSanitizeWhatThisHeadOwnsWhileItGoesOnAnswering() {
        fixture.make(2, 1, 64);
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            long base = own(zero, 0, 60);
            own(one, 60, 2);
            zero.call(h -> h.device().fill(base, 60 * BLOCK, (byte) 7));
            one.call(h -> h.device().fill(base + 60 * BLOCK, 2 * BLOCK, (byte) 8));
            assertEquals(ReturnCode.BACKGROUND_STARTED, code(zero, 0x4400, input(0)));
            assertEquals(
                    Optional.of(Cause.MEDIA_DISABLED), zero.call(h -> read(h, base, new byte[1])), "it is at work");
            int[] turns = {0};
            DeviceFixture.await("the end of the sanitize", 20_000, () -> {
                turns[0]++;
                return zero.call(h -> h.device().background().status().state()) != State.RUNNING;
            });
            assertTrue(turns[0] > 2, "turns=" + turns[0]);
            byte[] bytes = new byte[1 << 20];
            for (long offset = 0; offset < 60 * BLOCK; offset += bytes.length) {
                long dpa = base + offset;
                assertEquals(Optional.empty(), zero.call(h -> read(h, dpa, bytes)));
                assertArrayEquals(new byte[bytes.length], bytes);
            }
            assertEquals(Optional.empty(), one.call(h -> read(h, base + 62 * BLOCK - 1, new byte[1])));
            byte[] others = new byte[1];
            one.call(h -> read(h, base + 60 * BLOCK, others));
            assertEquals(8, others[0], "memory of another head");
            assertEquals(60, fixture.blocksOf(0).size());
        }
    }

    @Test
    void shouldStopWhatGoesOnWhenItEnds() {
        Geometry geometry = fixture.make(1, 1, 64);
        LocalHead zero = fixture.attach(0);
        own(zero, 0, geometry.blockCount());
        assertEquals(ReturnCode.BACKGROUND_STARTED, code(zero, 0x4400, input(0)));
        zero.close();
        assertFalse(zero.lines.stream().anyMatch(line -> line.startsWith("error")), zero.lines.toString());
    }

    @Test
    void shouldPoisonFreeCapacityAndOfferItWithout() {
        fixture.make(1, 1, 8);
        try (LocalHead zero = fixture.attach(0)) {
            assertEquals(ReturnCode.SUCCESS, code(zero, 0x4301, input(8).putLong(0, 0x1000)));
            long base = own(zero, 0, 1);
            assertEquals(0, base);
            assertEquals(Optional.empty(), zero.call(h -> read(h, 0x1000, new byte[64])));
            assertEquals(ReturnCode.SUCCESS, code(zero, 0x4301, input(8).putLong(0, 0x1000)));
            assertEquals(Optional.of(Cause.POISONED), zero.call(h -> read(h, 0x1000, new byte[64])));
            assertEquals(
                    ReturnCode.SUCCESS,
                    code(zero, 0x4302, input(72).putLong(0, 0x1000).put(8, new byte[] {9})));
            byte[] line = new byte[64];
            assertEquals(Optional.empty(), zero.call(h -> read(h, 0x1000, line)));
            assertEquals(9, line[0]);
        }
    }
}

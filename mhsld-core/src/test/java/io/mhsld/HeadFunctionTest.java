package io.mhsld;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.head.Head;
import io.mhsld.register.PciFunction;
import io.mhsld.register.Type3Function;
import io.mhsld.state.Counter;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two heads of one device, each a function of its own: nobody sees the other's bytes through the data BAR. */
@Timeout(60)
class HeadFunctionTest {
    private static final int DATA = 4;
    private static final int BYTES = 4096;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private static PciFunction functionOf(LocalHead head) {
        return head.call(h -> new Type3Function(h.device(), h.mailbox(), true, h::countRefusedAccess));
    }

    private static byte[] read(LocalHead head, PciFunction function, long dpa, int length) {
        byte[] bytes = new byte[length];
        head.call(h -> {
            function.read(DATA, dpa, bytes, 0, length);
            return h;
        });
        return bytes;
    }

    private static void write(LocalHead head, PciFunction function, long dpa, byte[] bytes) {
        head.call(h -> {
            function.write(DATA, dpa, bytes, 0, bytes.length);
            return h;
        });
    }

    private static byte[] all(int value) {
        byte[] bytes = new byte[BYTES];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static long refused(LocalHead head) {
        return head.call(h -> h.counters().getAcquire(Counter.ACCESSES_REFUSED));
    }

    private static long base(Head head) {
        return head.geometry().regions().get(0).baseDpa();
    }

    @Test
    void shouldShowNobodyTheBytesOfAnother() {
        fixture.make(2, 1, 8);
        LocalHead first = fixture.attach(0);
        LocalHead second = fixture.attach(1);
        PciFunction ours = functionOf(first);
        PciFunction theirs = functionOf(second);
        long base = first.call(HeadFunctionTest::base);
        first.take(0, 0, 1);
        second.take(0, 1, 1);
        write(first, ours, base, all(0x11));
        write(second, theirs, base + BLOCK, all(0x22));
        write(second, theirs, base, all(0x33));

        assertArrayEquals(all(0x11), read(first, ours, base, BYTES));
        assertArrayEquals(all(0xFF), read(second, theirs, base, BYTES));
        assertArrayEquals(all(0xFF), read(first, ours, base + BLOCK, BYTES));
        byte[] across = read(first, ours, base + BLOCK - BYTES / 2, BYTES);
        assertEquals(0, across[0]);
        assertEquals(-1, across[BYTES / 2]);
        assertEquals(2, refused(first));
        assertEquals(2, refused(second));

        assertEquals(List.of(), first.release(base, BLOCK).stream().toList());
        second.take(0, 0, 1);
        assertArrayEquals(all(0), read(second, theirs, base, BYTES), "scrubbed");
        assertArrayEquals(all(0xFF), read(first, ours, base, BYTES));
        first.call(h -> {
            ours.reset();
            return h;
        });
        assertEquals(List.of(0, 1), fixture.blocksOf(1));
    }

    @Test
    void shouldAnswerEverywhere() {
        fixture.make(2, 2, 4);
        LocalHead head = fixture.attach(0);
        PciFunction function = functionOf(head);
        head.take(1, 0, 4);
        long end = function.regionLengthBytes(DATA);
        for (long dpa = 0; dpa < end; dpa += end / 64) {
            write(head, function, dpa, all(0x44));
        }
        write(head, function, end - BYTES, all(0x44));
        long served = 0;
        for (long dpa = 0; dpa < end; dpa += end / 64) {
            byte[] read = read(head, function, dpa, BYTES);
            served += read[0] == 0x44 ? 1 : 0;
            assertArrayEquals(all(read[0] == 0x44 ? 0x44 : 0xFF), read);
        }
        assertEquals(1, served, "only where the second region begins, of 8 MiB in 256");
        assertArrayEquals(all(0xFF), read(head, function, end - BYTES, BYTES));
    }

    /** What is taken from a host by its own machine's reset is anybody's at once. */
    @Test
    void shouldLetGoOfEverythingByAReset() {
        fixture.make(2, 1, 4);
        LocalHead first = fixture.attach(0);
        LocalHead second = fixture.attach(1);
        PciFunction ours = functionOf(first);
        PciFunction theirs = functionOf(second);
        long base = first.call(HeadFunctionTest::base);
        first.take(0, 0, 4);
        byte[] secret = new byte[BYTES];
        new Random(7).nextBytes(secret);
        write(first, ours, base + 3 * BLOCK, secret);
        first.call(h -> {
            ours.reset();
            return h;
        });
        assertEquals(List.of(), fixture.blocksOf(0));
        second.take(0, 0, 4);
        assertArrayEquals(all(0), read(second, theirs, base + 3 * BLOCK, BYTES));
        assertArrayEquals(all(0xFF), read(first, ours, base + 3 * BLOCK, BYTES));
    }
}

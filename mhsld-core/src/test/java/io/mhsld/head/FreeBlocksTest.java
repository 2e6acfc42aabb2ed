package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.state.Geometry;
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Type3Device;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class FreeBlocksTest {
    private static final long SEED = 20_261_121;
    private static final long BLOCK = 2L << 20;
    private static final long SMALL_BLOCK = 4096;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private void make(int heads, long blocks) {
        Geometry geometry = Geometry.of(heads, blocks * BLOCK, 1, BLOCK);
        Device.initialise(fixture.files(), new Device.Specification(geometry, 1, true, Optional.empty(), false), 1_000);
    }

    /** What the host has then, all of it accepted. */
    private static List<Extent> add(DynamicCapacity capacity, AddRequest request) {
        assertEquals(Optional.empty(), capacity.add(request));
        accept(capacity);
        return capacity.accepted();
    }

    private static AddRequest free(long blocks) {
        return AddRequest.free(0, blocks * BLOCK, Extent.NO_TAG);
    }

    private static AddRequest contiguous(long blocks) {
        return AddRequest.contiguous(0, blocks * BLOCK, Extent.NO_TAG);
    }

    private static Extent extent(long first, long count) {
        return Extent.untagged(first * BLOCK, count * BLOCK);
    }

    /** A head that is alone decides as a device that has never had others, wherever the search begins. */
    @Test
    void shouldChooseAsADeviceWithOneHead() {
        make(1, 4096);
        try (LocalHead head = fixture.attach(0)) {
            head.call(real -> {
                DynamicCapacity many = real.device().capacity();
                Type3Device alone = new Type3Device(
                        new Type3Device.Identity(1, 0, many.regions()),
                        Clock.systemUTC(),
                        MultiHeadHooks.NONE,
                        ExtentJournal.NONE,
                        new NoMemory());
                DynamicCapacity one = alone.capacity();
                SplittableRandom random = new SplittableRandom(SEED);
                for (int step = 0; step < 3_000; step++) {
                    String what = "seed=" + SEED + " step=" + step;
                    if (random.nextInt(100) < 55) {
                        long blocks = 1L + random.nextInt(random.nextInt(1, random.nextInt(10) == 0 ? 2000 : 40));
                        AddRequest request = random.nextBoolean() ? free(blocks) : contiguous(blocks);
                        Optional<Refusal> refusal = one.add(request);
                        assertEquals(
                                refusal.map(Refusal::cause), many.add(request).map(Refusal::cause), what);
                        if (refusal.isEmpty()) {
                            assertEquals(
                                    one.pending().get(0).extents(),
                                    many.pending().get(0).extents(),
                                    what);
                            accept(one);
                            accept(many);
                        }
                    } else if (one.acceptedCount() > 0) {
                        Extent gone = one.accepted(random.nextInt(one.acceptedCount()), 1)
                                .get(0);
                        List<Range> ranges = List.of(new Range(gone.startDpa(), gone.lengthBytes()));
                        assertEquals(
                                Optional.empty(),
                                one.release(
                                        ReleaseRequest.prescriptive(0, ranges).byForce(true)),
                                what);
                        assertEquals(
                                Optional.empty(),
                                many.release(
                                        ReleaseRequest.prescriptive(0, ranges).byForce(true)),
                                what);
                    }
                    assertEquals(one.accepted(), many.accepted(), what);
                    alone.log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
                    real.device().log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
                }
                return real;
            });
        }
        assertTrue(fixture.assertSound().isSound());
    }

    private static void accept(DynamicCapacity capacity) {
        List<HostRange> all = capacity.pending().get(0).extents().stream()
                .map(extent -> new HostRange(extent.startDpa(), extent.lengthBytes()))
                .toList();
        assertEquals(Optional.empty(), capacity.addResponse(all, false));
    }

    @Test
    void shouldFindWhatOthersHaveFreedBelow() {
        make(2, 64);
        try (LocalHead zero = fixture.attach(0);
                LocalHead one = fixture.attach(1)) {
            one.call(h -> add(h.device().capacity(), free(32)));
            assertEquals(List.of(extent(32, 30)), zero.call(h -> add(h.device().capacity(), free(30))));
            one.call(h -> {
                h.device().reset();
                return h;
            });
            assertEquals(
                    List.of(extent(32, 30), extent(0, 32)),
                    zero.call(h -> add(h.device().capacity(), contiguous(32))));
            assertEquals(List.of(extent(62, 2)), one.call(h -> add(h.device().capacity(), free(2))));
        }
    }

    /** Millions of blocks, of which the last ones are free. */
    @Test
    void shouldChooseAmongMillionsOfBlocksInMilliseconds() {
        Geometry geometry = Geometry.of(8, 16L << 30, 1, SMALL_BLOCK);
        long blocks = geometry.blockCount();
        Device.initialise(fixture.files(), new Device.Specification(geometry, 1, true, Optional.empty(), false), 1_000);
        try (LocalHead head = fixture.attach(0)) {
            head.call(h -> {
                DynamicCapacity capacity = h.device().capacity();
                assertEquals(
                        Optional.empty(), capacity.add(AddRequest.free(0, (blocks - 8) * SMALL_BLOCK, Extent.NO_TAG)));
                accept(capacity);
                long bestNs = Long.MAX_VALUE;
                for (int round = 0; round < 20; round++) {
                    long startNs = System.nanoTime();
                    assertTrue(capacity.add(AddRequest.contiguous(0, 9 * SMALL_BLOCK, Extent.NO_TAG))
                            .isPresent());
                    bestNs = Math.min(bestNs, System.nanoTime() - startNs);
                }
                assertTrue(bestNs < 100_000_000, "ns=" + bestNs);
                assertEquals(Optional.empty(), capacity.add(AddRequest.free(0, 8 * SMALL_BLOCK, Extent.NO_TAG)));
                return h;
            });
        }
    }

    /** Nobody reads or writes. */
    private static final class NoMemory implements DcMemory {
        @Override
        public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean fill(long dpa, long lengthBytes, byte value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int crc32c(long dpa, long lengthBytes) {
            throw new UnsupportedOperationException();
        }
    }
}

package io.mhsld.stress.bench;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.state.OwnerMap;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** May this head touch these bytes? Asked again and again for random places in 128 GiB, of which the head has every other GiB. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AccessBenchmark {
    private static final int HEAD = 3;
    private static final int QUESTIONS = 4096;
    private static final long BLOCKS = 1 << 16;
    private static final long EXTENT_BYTES = 1L << 30;
    private static final int EXTENTS = 64;
    private static final int LINE_BYTES = 64;

    private final long[] blocks = new long[QUESTIONS];
    private final long[] addresses = new long[QUESTIONS];
    private ScratchDevice device;
    private EventLoop loop;
    private Head head;
    private OwnerMap map;
    private Type3Device type3;

    /** A head that has accepted 64 extents. */
    @Setup
    public void attach() {
        device = ScratchDevice.createSparse(BLOCKS);
        loop = EventLoop.open();
        head = Device.attach(device.files(), HEAD, loop, 0, text -> {});
        map = head.state().ownerMap();
        type3 = head.device();
        List<Range> ranges = LongStream.range(0, EXTENTS)
                .mapToObj(i -> new Range(2 * i * EXTENT_BYTES, EXTENT_BYTES))
                .toList();
        require(type3.capacity().add(0, ranges, Extent.NO_TAG));
        List<HostRange> answer = ranges.stream()
                .map(range -> new HostRange(range.offsetBytes(), range.lengthBytes()))
                .toList();
        require(type3.capacity().addResponse(answer, false));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < QUESTIONS; i++) {
            long extent = random.nextInt(EXTENTS);
            addresses[i] = 2 * extent * EXTENT_BYTES + random.nextLong(EXTENT_BYTES / LINE_BYTES) * LINE_BYTES;
            blocks[i] = addresses[i] / ScratchDevice.BLOCK_SIZE_BYTES;
        }
    }

    /** Lets go of everything. */
    @TearDown
    public void leave() {
        head.close();
        loop.close();
        device.close();
    }

    /** The owner map alone, for one block. */
    @Benchmark
    @OperationsPerInvocation(QUESTIONS)
    public int ownerMap() {
        int owned = 0;
        for (long block : blocks) {
            owned += map.ownsAllVolatile(HEAD, block, 1) ? 1 : 0;
        }
        return owned;
    }

    /** The whole check of the data path, for 64 bytes: region, accepted extents, owner map. */
    @Benchmark
    @OperationsPerInvocation(QUESTIONS)
    public int wholeCheck() {
        int allowed = 0;
        for (long address : addresses) {
            allowed += type3.checkAccess(address, LINE_BYTES).isEmpty() ? 1 : 0;
        }
        return allowed;
    }

    private static void require(Optional<Refusal> refusal) {
        refusal.ifPresent(unexpected -> {
            throw new IllegalStateException(unexpected.toString());
        });
    }
}

package io.mhsld.stress.bench;

import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.agrona.BufferUtil;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One head claims blocks and clears them again, with nobody in its way: by whole words, and byte after byte. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ClaimBenchmark {
    private static final int HEAD = 3;
    private static final int MAP_BLOCKS = 1 << 17;

    /** How many blocks are claimed at once. */
    @Param({"1", "8", "64", "2048", "65536"})
    public int blocks;

    /** Where they begin: at the start of a word, or inside one so that both ends are ragged. */
    @Param({"0", "5"})
    public int first;

    private ScratchDevice device;
    private StateFile state;
    private OwnerMap map;
    private ByteBuffer bytes;
    private ByteOwnerMap byteMap;

    /** Makes both maps. */
    @Setup
    public void open() {
        device = ScratchDevice.createSparse(MAP_BLOCKS);
        state = StateFile.open(device.files().stateFile(), StateFile.Access.READ_WRITE, 0);
        map = state.ownerMap();
        bytes = ByteBuffer.allocateDirect(MAP_BLOCKS);
        byteMap = new ByteOwnerMap(BufferUtil.address(bytes));
    }

    /** Unmaps and removes the files. */
    @TearDown
    public void close() {
        state.close();
        device.close();
    }

    /** The owner map of the device. */
    @Benchmark
    public long byWords() {
        long claimed = map.claim(HEAD, first, blocks);
        map.clear(HEAD, first, blocks);
        return claimed;
    }

    /** The reference's way. */
    @Benchmark
    public long byBytes() {
        long claimed = byteMap.claim(HEAD, first, blocks);
        byteMap.clear(HEAD, first, blocks);
        return claimed;
    }
}

package io.mhsld.stress.bench;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A device of the benchmark's own, which goes when it is closed. */
final class ScratchDevice implements AutoCloseable {
    static final long BLOCK_SIZE_BYTES = 2L << 20;

    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final long WAIT_MS = 5_000;

    private final DeviceFiles files;

    private ScratchDevice(DeviceFiles files) {
        this.files = files;
    }

    /** A fresh device of so many blocks and 8 heads, as init makes it when nobody says otherwise. */
    static ScratchDevice create(long blockCount) {
        return create(blockCount, BLOCK_SIZE_BYTES, false);
    }

    /** The same with blocks of another size. */
    static ScratchDevice create(long blockCount, long blockSizeBytes) {
        return create(blockCount, blockSizeBytes, false);
    }

    /** The same without memory set aside for what is offered: for benchmarks that look at the owner map only. */
    static ScratchDevice createSparse(long blockCount) {
        return create(blockCount, BLOCK_SIZE_BYTES, true);
    }

    private static ScratchDevice create(long blockCount, long blockSizeBytes, boolean sparseMedia) {
        String name = "mhsld-bench-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();
        DeviceFiles files = DeviceFiles.named(name);
        Geometry geometry = Geometry.of(8, blockCount * blockSizeBytes, 1, blockSizeBytes);
        Device.initialise(files, new Device.Specification(geometry, 1, sparseMedia, Optional.empty(), false), WAIT_MS);
        return new ScratchDevice(files);
    }

    DeviceFiles files() {
        return files;
    }

    String name() {
        return files.stateFile().getFileName().toString();
    }

    @Override
    public void close() {
        Device.destroy(files, WAIT_MS);
    }
}

package io.mhsld.stress.process;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A device of a trial's own in shared memory, sparse, with the smallest blocks there are. It goes when it is closed. */
public final class TrialDevice implements AutoCloseable {
    private static final long WAIT_MS = 10_000;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final DeviceFiles files;

    private TrialDevice(DeviceFiles files) {
        this.files = files;
    }

    /** A device with room for so many heads. */
    public static TrialDevice create(String trial, int heads, int blocks) {
        DeviceFiles files = DeviceFiles.named(
                "mhsld-" + trial + "-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet());
        Geometry geometry =
                Geometry.of(heads, blocks * Geometry.MIN_BLOCK_SIZE_BYTES, 1, Geometry.MIN_BLOCK_SIZE_BYTES);
        Device.initialise(files, new Device.Specification(geometry, 1, true, Optional.empty(), false), WAIT_MS);
        return new TrialDevice(files);
    }

    /** Its files. */
    public DeviceFiles files() {
        return files;
    }

    /** The state file's path, by which another process finds the device: {@link DeviceFiles#named}. */
    public String name() {
        return files.stateFile().toString();
    }

    @Override
    public void close() {
        Device.destroy(files, WAIT_MS);
    }
}

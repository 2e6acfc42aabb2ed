package io.mhsld.stress.simulation;

import io.mhsld.Device;
import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files of the simulated device: real ones, mapped once for all simulated processes. */
final class SharedFiles implements AutoCloseable {
    /** A state file and its media, as a process has mapped them. */
    record Mapped(StateFile state, Media media) {}

    private static final long WAIT_MS = 1_000;

    private final DeviceFiles files;
    private final Geometry geometry;
    private final List<Mapped> all = new ArrayList<>();
    private boolean removed = true;

    SharedFiles(DeviceFiles files, Geometry geometry) {
        this.files = files;
        this.geometry = geometry;
    }

    /** What a process gets that opens the device now; a device that is not there is made, for so does the reference. */
    Mapped open() {
        if (removed) {
            all.add(Steps.aside(this::make));
            removed = false;
        }
        return last();
    }

    /** The newest. */
    Mapped last() {
        return all.get(all.size() - 1);
    }

    private Mapped make() {
        Device.initialise(files, new Device.Specification(geometry, 1, true, Optional.empty(), false), WAIT_MS);
        StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
        Path media = Path.of(state.identity().mediaFile());
        return new Mapped(state, Media.open(media, geometry.capacityBytes(), Media.Space.SPARSE));
    }

    /** Only what a defect does. */
    void remove() {
        try {
            Files.deleteIfExists(files.stateFile());
            removed = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        open();
        for (Mapped mapped : all) {
            mapped.media.close();
            mapped.state.close();
        }
        Device.destroy(files, WAIT_MS);
    }
}

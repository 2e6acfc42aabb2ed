package io.mhsld.stress.process;

import io.mhsld.state.DeviceFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The folder of one trial: what its processes said, and whatever else tells what happened. */
public final class TrialFolder {
    private final Path path;

    private TrialFolder(Path path) {
        this.path = path;
    }

    /** A new folder below another one, whose name begins with that of the trial. */
    public static TrialFolder create(Path below, String trial) {
        try {
            return new TrialFolder(Files.createTempDirectory(below, trial + "-"));
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for the trial", e);
        }
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** A file in it. */
    public Path file(String name) {
        return path.resolve(name);
    }

    /** Copies the state file of a device: evidence that the end of the device does not take away. */
    public void keep(DeviceFiles files) {
        try {
            if (Files.exists(files.stateFile())) {
                Files.copy(
                        files.stateFile(),
                        file(files.stateFile().getFileName() + ".state"),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("state file cannot be kept: file=" + files.stateFile(), e);
        }
    }

    /** Removes it with all that is in it: nothing was wrong. */
    public void delete() {
        try (Stream<Path> found = Files.walk(path)) {
            List<Path> inside = found.sorted(Comparator.reverseOrder()).toList();
            for (Path file : inside) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("folder of the trial cannot be removed: folder=" + path, e);
        }
    }
}

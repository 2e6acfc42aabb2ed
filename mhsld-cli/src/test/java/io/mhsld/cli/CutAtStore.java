package io.mhsld.cli;

import io.mhsld.state.SharedMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** In a head's process: cuts the state file just before the head's next store to one section, once the test has made the file that says which. */
public final class CutAtStore implements SharedMemory.Step {
    static final String FILE_PROPERTY = "mhsld.test.cut";

    private final Path file = Path.of(System.getProperty(FILE_PROPERTY));
    private final Path order = order(file);
    private boolean done;

    static Path order(Path file) {
        return file.resolveSibling("cut-at-store");
    }

    @Override
    public void beforeStore(String section, long offset) {
        try {
            if (!done && Files.exists(order) && Files.readString(order).equals(section)) {
                done = true;
                try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                    open.setLength(0);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

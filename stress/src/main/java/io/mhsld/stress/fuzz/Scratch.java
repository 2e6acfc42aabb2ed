package io.mhsld.stress.fuzz;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Where targets put their files: a folder in memory, with a short path, for sockets lie there too. */
final class Scratch {
    /** Names the folder to use; whoever starts the fuzzer removes it, for a fuzzer that finds something ends without a word. */
    static final String FOLDER_PROPERTY = "mhsld.fuzz.folder";

    private static final long WAIT_MS = 5_000;

    private static Path folder;

    private Scratch() {}

    /** The folder of this JVM. */
    static synchronized Path folder() {
        if (folder == null) {
            String given = System.getProperty(FOLDER_PROPERTY);
            folder = given != null ? makeOwnFolder(Path.of(given)) : makeFolder();
            if (given == null) {
                Path made = folder;
                Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(made), "scratch"));
            }
        }
        return folder;
    }

    /** Merging has a second JVM at work beside the first; each has devices of its own. */
    private static Path makeOwnFolder(Path given) {
        try {
            return Files.createDirectories(
                    given.resolve(Long.toString(ProcessHandle.current().pid())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A new folder. */
    static Path makeFolder() {
        try {
            Path memory = DeviceFiles.SHARED_MEMORY_FOLDER;
            return Files.isWritable(memory)
                    ? Files.createTempDirectory(memory, "mhsld-fuzz-")
                    : Files.createTempDirectory("mhsld-fuzz-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Removes a folder with all that is in it. */
    static void remove(Path unwanted) {
        try (Stream<Path> files = Files.walk(unwanted)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A fresh small device: so many heads, 2 regions, blocks of 4 KiB. */
    static DeviceFiles device(String name, int heads, int blocks) {
        DeviceFiles files = DeviceFiles.named(folder().resolve(name).toString());
        Geometry geometry =
                Geometry.of(heads, blocks * Geometry.MIN_BLOCK_SIZE_BYTES, 2, Geometry.MIN_BLOCK_SIZE_BYTES);
        Device.initialise(files, new Device.Specification(geometry, 7, true, Optional.empty(), false), WAIT_MS);
        return files;
    }
}

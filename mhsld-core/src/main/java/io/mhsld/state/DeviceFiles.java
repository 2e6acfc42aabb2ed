package io.mhsld.state;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * The files of one device: the state file and, beside it, the lock file, the media file and each head's control socket.
 *
 * @param stateFile absolute path of the state file
 */
public record DeviceFiles(Path stateFile) {
    /** Where a device that is named without a slash lives. */
    public static final Path SHARED_MEMORY_FOLDER = Path.of("/dev/shm");

    /** A unix socket's path may have 107 bytes (sun_path less the final NUL); the longest suffix of ours must fit behind the state file's. */
    private static final int MAX_STATE_PATH_BYTES = 107 - ".head63.sock".length();

    /**
     * The files of the device that a person calls {@code name}: a plain name lives in {@code /dev/shm}, anything with a slash is a path.
     *
     * @throws IllegalArgumentException when it is empty, a folder's name, or longer than a socket beside it may be called
     */
    public static DeviceFiles named(String name) {
        if (name.isBlank() || name.equals(".") || name.equals("..") || name.endsWith("/")) {
            throw new IllegalArgumentException("not a name of a state file: name=\"" + name + "\"");
        }
        Path path;
        try {
            path = name.indexOf('/') >= 0 ? Path.of(name) : SHARED_MEMORY_FOLDER.resolve(name);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException(
                    "not a name of a state file: name=\"" + name.replace('\0', '?') + "\"", e);
        }
        path = path.toAbsolutePath().normalize();
        if (path.getFileName() == null) {
            throw new IllegalArgumentException("not a name of a state file: name=\"" + name + "\"");
        }
        int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_STATE_PATH_BYTES) {
            throw new IllegalArgumentException("state file path too long for the sockets beside it: bytes=" + length
                    + " limit=" + MAX_STATE_PATH_BYTES + " file=" + path);
        }
        return new DeviceFiles(path);
    }

    /** Byte <i>h</i> of it is the lease of head <i>h</i>. */
    public Path lockFile() {
        return beside(".lock");
    }

    /** The DC memory, unless init names another file. */
    public Path mediaFile() {
        return beside(".media");
    }

    /** A state file in the making; renamed when it is whole. */
    public Path unfinishedStateFile() {
        return beside(".new");
    }

    /** The control socket of a head. */
    public Path controlSocket(int head) {
        return beside(".head" + head + ".sock");
    }

    private Path beside(String suffix) {
        return stateFile.resolveSibling(stateFile.getFileName() + suffix);
    }
}

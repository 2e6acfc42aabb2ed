package io.mhsld.state;

import io.mhsld.text.ForeignText;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The files of one device: the state file and, beside it, the lock file, the media file, each head's control socket and labels.
 *
 * @param stateFile absolute path of the state file
 */
public record DeviceFiles(Path stateFile) {
    /** Where a device that is named without a slash lives. */
    public static final Path SHARED_MEMORY_FOLDER = Path.of("/dev/shm");

    private static final String SOCKET_SUFFIX = ".sock";

    /** PATH_MAX, less the final NUL. */
    private static final int MAX_PATH_BYTES = 4095;

    /** NAME_MAX. */
    private static final int MAX_NAME_BYTES = 255;

    /** How many bytes the path of a unix socket may have: Linux has room for 107 and the final NUL, and the JDK takes one less. */
    public static final int MAX_SOCKET_PATH_BYTES = 106;

    /** The longest suffix of ours must fit behind it. */
    private static final int MAX_STATE_PATH_BYTES = MAX_SOCKET_PATH_BYTES - ".head63.sock".length();

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
                    "not a name of a state file: name=\"" + ForeignText.line(name) + "\"", e);
        }
        path = path.toAbsolutePath().normalize();
        if (path.getFileName() == null) {
            throw new IllegalArgumentException("not a name of a state file: name=\"" + name + "\"");
        }
        int length = lengthBytes(path);
        if (length > MAX_STATE_PATH_BYTES) {
            throw new IllegalArgumentException("state file path too long for the sockets beside it: bytes=" + length
                    + " limit=" + MAX_STATE_PATH_BYTES + " file=" + path);
        }
        return new DeviceFiles(path);
    }

    /** The path that a text is, wherever it comes from; empty when it can be none: no text, a NUL in it, or more than Linux takes. */
    public static Optional<Path> pathOf(String text) {
        try {
            Path path = Path.of(text);
            boolean fits = lengthBytes(path) <= MAX_PATH_BYTES;
            for (Path name : path) {
                fits &= lengthBytes(name) <= MAX_NAME_BYTES;
            }
            return fits && !text.isEmpty() ? Optional.of(path) : Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static int lengthBytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    /** Byte <i>h</i> of it is the lease of head <i>h</i>. */
    public Path lockFile() {
        return beside(".lock");
    }

    /** The DC memory, unless init names another file. */
    public Path mediaFile() {
        return beside(".media");
    }

    /** The Label Storage Area of a head; there from the first write to it. */
    public Path labelFile(int head) {
        return beside(".head" + head + ".lsa");
    }

    /** A state file in the making; renamed when it is whole. */
    public Path unfinishedStateFile() {
        return beside(".new");
    }

    /** The control socket of a head. */
    public Path controlSocket(int head) {
        return beside(".head" + head + SOCKET_SUFFIX);
    }

    /**
     * Where a socket that nobody answers on any more is put before it is removed: beside it, by a name of its own, no longer than the socket's if
     * that ends in {@code .sock}. Whoever dies between the two leaves it there, for the next one to remove.
     */
    public static Path leftoverOf(Path socket) {
        String name = socket.getFileName().toString();
        String stem = name.endsWith(SOCKET_SUFFIX) ? name.substring(0, name.length() - SOCKET_SUFFIX.length()) : name;
        return socket.resolveSibling("." + stem + ".old");
    }

    private Path beside(String suffix) {
        return stateFile.resolveSibling(stateFile.getFileName() + suffix);
    }
}

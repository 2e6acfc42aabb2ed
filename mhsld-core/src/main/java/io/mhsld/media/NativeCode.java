package io.mhsld.media;

import com.kenai.jffi.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.CodeSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where jffi's native code is loaded from: a folder that nobody else can write to.
 *
 * <p>Left to itself jffi unpacks it into the temporary folder, readable and writable as the umask has it, and leaves it there when the process is
 * killed in the meantime; where that folder cannot be written to, or executed from, it tries the working directory.
 */
public final class NativeCode {
    private static final String LOAD_FROM = "jffi.boot.library.path";
    private static final String UNPACK_INTO = "jffi.extract.dir";

    /** The name has the version of jffi's own interface, and has not changed for ten years; asking jffi for it would load it. */
    private static final String LIBRARY = "jffi-1.2";

    private static final String TEMPORARY = "mhsld-native-";

    /** Loading takes some milliseconds. */
    private static final long STALE_MS = 60_000;

    /** No file can be made there. */
    private static final String NOWHERE = "/dev/null";

    private NativeCode() {}

    /**
     * Does what loads jffi's native code, once per process. The folder is what {@code jffi.boot.library.path} says, or {@code jni/PLATFORM} beside
     * jffi's jar, as in a built checkout, or a temporary one that is gone when this returns.
     *
     * @throws LinkageError when there is none to be had
     */
    public static <T> T load(Supplier<T> firstUse) {
        if (System.getProperty(UNPACK_INTO) != null) {
            // Somebody has decided.
            return firstUse.get();
        }
        Path temporary = null;
        try {
            if (System.getProperty(LOAD_FROM) == null) {
                Optional<Path> beside = besideJar();
                temporary = beside.isPresent() ? null : unpacked();
                System.setProperty(LOAD_FROM, beside.orElse(temporary).toString());
            }
            System.setProperty(UNPACK_INTO, NOWHERE);
            return firstUse.get();
        } catch (IOException e) {
            LinkageError error = new UnsatisfiedLinkError("native code cannot be unpacked: reason=" + e.getMessage());
            error.initCause(e);
            throw error;
        } finally {
            delete(temporary);
        }
    }

    private static Optional<Path> besideJar() {
        CodeSource source = Platform.class.getProtectionDomain().getCodeSource();
        try {
            Path folder = Path.of(source.getLocation().toURI()).resolveSibling("jni/" + platform());
            return Optional.of(folder).filter(there -> Files.isReadable(there.resolve(file())));
        } catch (URISyntaxException | RuntimeException e) {
            // The classes come from somewhere that is no file.
            return Optional.empty();
        }
    }

    /** Into a folder that was made for its owner alone, whatever the umask. */
    private static Path unpacked() throws IOException {
        String resource = "jni/" + platform() + "/" + file();
        try (InputStream in = Platform.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException("none for this platform, " + resource);
            }
            Path folder = Files.createTempDirectory(TEMPORARY);
            boolean done = false;
            try {
                sweep(folder);
                Files.copy(in, folder.resolve(file()));
                done = true;
            } finally {
                if (!done) {
                    delete(folder);
                }
            }
            return folder;
        }
    }

    /** Removes what processes left that were killed in the instant between unpacking and loading. */
    private static void sweep(Path ours) throws IOException {
        Object owner = Files.getAttribute(ours, "unix:uid");
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(ours.getParent(), TEMPORARY + "*")) {
            for (Path folder : folders) {
                // A link to a folder is none, and somebody else's is his.
                Map<String, Object> facts = Files.readAttributes(
                        folder, "unix:uid,isDirectory,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
                long ageMs = System.currentTimeMillis() - ((FileTime) facts.get("lastModifiedTime")).toMillis();
                if (owner.equals(facts.get("uid"))
                        && Boolean.TRUE.equals(facts.get("isDirectory"))
                        && ageMs > STALE_MS) {
                    delete(folder);
                }
            }
        } catch (NoSuchFileException | DirectoryIteratorException e) {
            // Somebody else was sweeping.
        }
    }

    /** What is loaded stays loaded without its file. */
    private static void delete(Path folder) {
        if (folder != null) {
            try {
                Files.deleteIfExists(folder.resolve(file()));
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                // Somebody cleans the temporary folder some day.
            }
        }
    }

    private static String platform() {
        return Platform.getPlatform().getName();
    }

    private static String file() {
        return System.mapLibraryName(LIBRARY);
    }
}

package io.mhsld.media;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import net.openhft.chronicle.bytes.MappedBytesStore;
import net.openhft.chronicle.bytes.MappedFile;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.core.Jvm;
import net.openhft.chronicle.core.OS;
import net.openhft.chronicle.core.io.BackgroundResourceReleaser;
import net.openhft.chronicle.core.io.IORuntimeException;
import net.openhft.chronicle.core.io.ReferenceOwner;

/** A file mapped as one piece, shared with all processes that map it. The only class that calls Chronicle. */
final class Mapping {
    private static final String PROPERTIES_FILE = "system.properties";
    private static final String BUILD_FOLDER = "project.build.directory";

    /** Nothing can be read there, and no file be made. */
    private static final String NOWHERE = "/dev/null";

    /** Always 0; not final, or the compiler would know. */
    private static int noBytes;

    static {
        loadChronicle();
    }

    private final Path file;
    private final MappedFile mappedFile;
    private final MappedBytesStore store;
    private final ReferenceOwner user = ReferenceOwner.temporary("media");

    private Mapping(Path file, MappedFile mappedFile) throws IOException {
        this.file = file;
        this.mappedFile = mappedFile;
        store = mappedFile.acquireByteStore(user, 0);
        store.syncMode(SyncMode.NONE);
    }

    /**
     * Left to itself Chronicle takes system properties from a file of the working directory or the one above it, whoever wrote that, and makes
     * a folder {@code target} in the temporary folder. It does both once, when it is loaded.
     */
    private static void loadChronicle() {
        List<String> ours = Stream.of(PROPERTIES_FILE, BUILD_FOLDER)
                .filter(name -> System.getProperty(name) == null)
                .toList();
        ours.forEach(name -> System.setProperty(name, NOWHERE));
        try {
            Jvm.init();
            OS.pageSize();
        } finally {
            ours.forEach(System::clearProperty);
        }
    }

    /** Does the class's static work now. */
    static void warmUp() {}

    /** Maps the first bytes of a file, for reading and writing. The file must be that long. */
    static Mapping map(Path file, long lengthBytes) throws IOException {
        MappedFile mappedFile = null;
        try {
            mappedFile = MappedFile.ofSingle(file.toFile(), lengthBytes, false);
            return new Mapping(file, mappedFile);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            if (mappedFile != null) {
                mappedFile.releaseLast();
            }
            if (e instanceof IOException io) {
                throw io;
            }
            throw e instanceof IORuntimeException && e.getCause() instanceof IOException io
                    ? io
                    : new IOException("not mapped, " + e.getMessage(), e);
        }
    }

    /** The open file behind the mapping. An interrupted thread does not close it. */
    RandomAccessFile openFile() {
        return mappedFile.raf();
    }

    /** The number of an open file, for system calls. */
    static int descriptorNumber(FileDescriptor descriptor) {
        return Jvm.<Integer>getValue(descriptor, "fd");
    }

    void read(long offset, byte[] destination, int destinationOffset, int length) {
        try {
            store.read(offset, destination, destinationOffset, length);
            surfaceFault();
        } catch (InternalError e) {
            throw faulted(offset, length, e);
        }
    }

    void write(long offset, byte[] source, int sourceOffset, int length) {
        try {
            store.write(offset, source, sourceOffset, length);
            surfaceFault();
        } catch (InternalError e) {
            throw faulted(offset, length, e);
        }
    }

    /**
     * The JVM throws a fault's error late: when a thread next enters its runtime, which compiled code may not do for long. An array whose
     * sizes are not constant enters it always (some 20 ns; native calls do not, before Java 21), so that the error is thrown here.
     */
    private static byte[][] surfaceFault() {
        return new byte[noBytes][noBytes];
    }

    /** The JVM's word for a page that could not be had. */
    private MediaException faulted(long offset, long length, InternalError e) {
        return new MediaException(
                "media file truncated or file system full: offset=" + offset + " length=" + length, file, e);
    }

    /** Unmaps: whoever still reads or writes crashes the JVM. */
    void close() {
        store.release(user);
        // The mapped file holds its store too, and lets it go only if told so by a system property.
        store.release(mappedFile);
        mappedFile.releaseLast();
        BackgroundResourceReleaser.releasePendingResources();
    }
}

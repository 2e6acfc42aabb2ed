package io.mhsld.media;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * The memory of a device: a file of the device's capacity, shared by the processes of all heads. It is sparse: capacity that nobody holds
 * takes no space. Offsets are bytes into the file, not device addresses.
 *
 * <p>What a head has scrubbed it can store to. Under {@link Space#RESERVED} the pages are there from then on, and a store by any process,
 * through any mapping, cannot fail for want of space (on file systems that write elsewhere than they reserve, such as btrfs and zfs, it
 * still can). Under {@link Space#SPARSE} pages are taken by the first store, which is refused when there are none.
 *
 * <p>A range outside the media is an {@link IllegalArgumentException}. All calls but {@link #close} may come from several threads, as far
 * as their ranges differ; stores to the same bytes have no order. {@link #close} must not run while another call does, since the memory
 * goes away with it: guard it with the lock that guards the device. Afterwards every call is an {@link IllegalStateException}.
 */
public final class Media implements AutoCloseable {
    /** When pages are taken. */
    public enum Space {
        /** By the scrub, which is refused when there are none: later stores cannot fail. */
        RESERVED,
        /** By the first store, which is refused when there are none. */
        SPARSE
    }

    /** The length is a multiple of this, so that no part of a page lies outside. */
    private static final int PAGE_BYTES = 4096;
    /** What {@link #fill} and {@link #crc32c} have on the heap at a time. */
    private static final int CHUNK_BYTES = 64 << 10;

    private final Path file;
    private final long lengthBytes;
    private final Space space;
    private final Mapping mapping;
    private final FileSpace fileSpace;
    private volatile boolean closed;

    private Media(Path file, long lengthBytes, Space space, Mapping mapping) throws IOException {
        this.file = file;
        this.lengthBytes = lengthBytes;
        this.space = space;
        this.mapping = mapping;
        this.fileSpace = new FileSpace(file, mapping.openFile());
    }

    /**
     * Makes the media file of a new device: it reads as zero and takes no space. A new file appears under its name only when it is whole.
     * The caller sees to it that no head is alive and that nobody else creates.
     *
     * @param lengthBytes a positive multiple of 4096.
     * @param permissions of a new file; one that is kept keeps its own.
     * @param keepExistingInode an existing file is emptied and, if too short, made longer, never shorter, so that whoever has it open or
     *     mapped (a virtual machine's memory backend) stays with it. Otherwise a new file takes its place. Where the file system cannot
     *     make holes the old bytes stay until they are scrubbed.
     * @throws MediaException if it cannot be made, or its name belongs to something other than a regular file, such as a symbolic link.
     */
    public static void create(
            Path file, long lengthBytes, Set<PosixFilePermission> permissions, boolean keepExistingInode) {
        requireLength(lengthBytes);
        Path temporary = unfinished(file);
        try {
            Files.deleteIfExists(temporary); // of a creator that died
            BasicFileAttributes existing = attributesOf(file);
            if (existing != null && keepExistingInode) {
                empty(file, lengthBytes, existing);
            } else {
                createAnew(file, lengthBytes, permissions, temporary);
            }
        } catch (IOException e) {
            throw MediaException.failed("media file cannot be created", file, e);
        }
    }

    /** Removes what a {@link #create} that died half-way may have left. */
    public static void deleteUnfinished(Path file) {
        try {
            Files.deleteIfExists(unfinished(file));
        } catch (IOException e) {
            throw MediaException.failed("media file cannot be removed", unfinished(file), e);
        }
    }

    private static Path unfinished(Path file) {
        return file.resolveSibling("." + file.getFileName() + ".new");
    }

    private static void createAnew(Path file, long lengthBytes, Set<PosixFilePermission> permissions, Path temporary)
            throws IOException {
        boolean done = false;
        try {
            Files.createFile(
                    temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try (RandomAccessFile open = new RandomAccessFile(temporary.toFile(), "rw")) {
                open.setLength(lengthBytes);
            }
            // Not at creation: the umask would take some away. A link that has taken the name is not followed.
            Files.getFileAttributeView(temporary, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setPermissions(permissions);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            done = true;
        } finally {
            if (!done) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    private static void empty(Path file, long lengthBytes, BasicFileAttributes existing) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            requireSame(file, existing);
            long oldLength = open.length();
            if (oldLength > 0) {
                new FileSpace(file, open).punch(0, oldLength);
            }
            if (oldLength < lengthBytes) {
                open.setLength(lengthBytes);
            }
        }
    }

    /**
     * Opens and maps the media of a device.
     *
     * @param lengthBytes the device's capacity, a positive multiple of 4096; a file that is longer keeps its rest to itself.
     * @throws MediaException if the file is missing, too short, not a regular file (a symbolic link included), or may not be read and
     *     written.
     */
    public static Media open(Path file, long lengthBytes, Space space) {
        requireLength(lengthBytes);
        Mapping mapping = null;
        Media media = null;
        try {
            BasicFileAttributes attributes = attributesOf(file);
            if (attributes == null) {
                throw new MediaException("media file missing:", file);
            }
            if (attributes.size() < lengthBytes) {
                throw new MediaException(
                        "media file too short: length=" + attributes.size() + " expected=" + lengthBytes, file);
            }
            if (!Files.isReadable(file) || !Files.isWritable(file)) {
                throw new MediaException("media file may not be read and written:", file);
            }
            mapping = Mapping.map(file, lengthBytes);
            requireSame(file, attributes);
            media = new Media(file, lengthBytes, space, mapping);
            return media;
        } catch (IOException e) {
            throw MediaException.failed("media file cannot be opened", file, e);
        } finally {
            if (media == null && mapping != null) {
                mapping.close();
            }
        }
    }

    /** The attributes of a regular file, null if there is no file. */
    private static BasicFileAttributes attributesOf(Path file) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return null;
        }
        if (!attributes.isRegularFile()) {
            throw new MediaException(
                    attributes.isSymbolicLink()
                            ? "media file is a symbolic link:"
                            : "media file is not a regular file:",
                    file);
        }
        return attributes;
    }

    /** Files are opened by name, and a link might have taken the name in the meantime. */
    private static void requireSame(Path file, BasicFileAttributes expected) throws IOException {
        BasicFileAttributes attributes = attributesOf(file);
        if (attributes == null || !Objects.equals(attributes.fileKey(), expected.fileKey())) {
            throw new MediaException("media file replaced while it was opened:", file);
        }
    }

    private static void requireLength(long lengthBytes) {
        if (lengthBytes <= 0 || lengthBytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "media length not a positive multiple of the page: length=" + lengthBytes + " page=" + PAGE_BYTES);
        }
    }

    /**
     * Loads now what the first scrub would otherwise wait for (up to 60 ms). It blocks nothing else, so a background thread may do it.
     */
    public static void warmUp() {
        Mapping.warmUp();
        Fallocate.call(-1, Fallocate.PUNCH_HOLE, 0, 1);
    }

    /** Copies bytes out of the media. */
    public void read(long offset, byte[] destination, int destinationOffset, int length) {
        Objects.checkFromIndexSize(destinationOffset, length, destination.length);
        requireUsable(offset, length);
        if (space == Space.RESERVED) {
            mapping.read(offset, destination, destinationOffset, length);
        } else {
            fileSpace.read(offset, destination, destinationOffset, length);
        }
    }

    /**
     * Copies bytes into the media.
     *
     * @return false when there is no space left ({@link Space#SPARSE} only); the first bytes may have been written.
     */
    public boolean write(long offset, byte[] source, int sourceOffset, int length) {
        Objects.checkFromIndexSize(sourceOffset, length, source.length);
        requireUsable(offset, length);
        if (space == Space.SPARSE) {
            return fileSpace.store(offset, source, sourceOffset, length);
        }
        mapping.write(offset, source, sourceOffset, length);
        return true;
    }

    /**
     * Writes one value all over a range.
     *
     * @return false when there is no space left ({@link Space#SPARSE} only); the first bytes may have been written.
     */
    public boolean fill(long offset, long lengthBytes, byte value) {
        requireUsable(offset, lengthBytes);
        if (value == 0 && space == Space.SPARSE && lengthBytes > 0 && fileSpace.isHole(offset, lengthBytes)) {
            return true;
        }
        byte[] chunk = new byte[(int) Math.min(lengthBytes, CHUNK_BYTES)];
        Arrays.fill(chunk, value);
        for (long done = 0; done < lengthBytes; done += chunk.length) {
            if (!write(offset + done, chunk, 0, (int) Math.min(lengthBytes - done, chunk.length))) {
                return false;
            }
        }
        return true;
    }

    /** The CRC32C (Castagnoli) of a range, 0 for an empty one. */
    public int crc32c(long offset, long lengthBytes) {
        requireUsable(offset, lengthBytes);
        CRC32C crc = new CRC32C();
        byte[] chunk = new byte[(int) Math.min(lengthBytes, CHUNK_BYTES)];
        for (long done = 0; done < lengthBytes; done += chunk.length) {
            int length = (int) Math.min(lengthBytes - done, chunk.length);
            read(offset + done, chunk, 0, length);
            crc.update(chunk, 0, length);
        }
        return (int) crc.getValue();
    }

    /**
     * Makes a range read as zero, for whoever maps it, and under {@link Space#RESERVED} takes its pages.
     *
     * @return false when there is no space: the file system, the machine or the container has too little left. Then the range holds what
     *     was there before or zeros, and takes no more space than before. (Without holes in the file system, it may take more.)
     * @throws MediaException if the file was made shorter, or the device below it fails.
     */
    public boolean scrub(long offset, long lengthBytes) {
        requireUsable(offset, lengthBytes);
        if (lengthBytes == 0) {
            return true;
        }
        long sizeBytes = fileSpace.sizeBytes();
        if (sizeBytes < offset + lengthBytes) {
            throw new MediaException(
                    "media file truncated: length=" + sizeBytes + " expected=" + this.lengthBytes, file);
        }
        return fileSpace.scrub(offset, lengthBytes, space == Space.RESERVED);
    }

    /**
     * Gives the memory of a range back to the system; it reads as zero then. Best effort, so this is no scrub: where there are no holes to
     * be made, or the device below the file fails, the range stays as it is.
     */
    public void giveBack(long offset, long lengthBytes) {
        requireUsable(offset, lengthBytes);
        if (lengthBytes == 0) {
            return;
        }
        try {
            // What is reserved and not written looks like a hole, and takes space all the same.
            if (space == Space.RESERVED || !fileSpace.isHole(offset, lengthBytes)) {
                fileSpace.punch(offset, lengthBytes);
            }
        } catch (MediaException e) {
            // Nothing is lost but the memory; the scrub before the next use tells it.
        }
    }

    private void requireUsable(long offset, long length) {
        if (closed) {
            throw new IllegalStateException("media closed: file=" + file);
        }
        if (offset < 0 || length < 0 || offset > lengthBytes - length) {
            throw new IllegalArgumentException("range outside media: offset=" + offset + " length=" + length
                    + " mediaLength=" + lengthBytes + " file=" + file);
        }
    }

    /** The capacity in bytes, which is the part of the file that is mapped. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** The number of the user whom the file that is open belongs to, whatever its name leads to by now. */
    public int ownerId() throws IOException {
        return fileSpace.ownerId();
    }

    /** Which file it is that is open, whatever its name leads to by now: the numbers of its device and of its inode, in a list. */
    public Object fileKey() throws IOException {
        return fileSpace.fileKey();
    }

    /** The media file. */
    public Path file() {
        return file;
    }

    /** Unmaps and closes the file, which stays as it is. Closing twice is harmless. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            mapping.close();
        }
    }
}

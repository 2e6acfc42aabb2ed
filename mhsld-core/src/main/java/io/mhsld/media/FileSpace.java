package io.mhsld.media;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The space that an open file takes: holes, reserved pages, and transfers that find a full file system without a fault. Safe for several
 * threads as far as their ranges differ.
 */
final class FileSpace {
    /** Small enough that a signal now and then does not keep a step from ending, and that shortage is seen while there is some left. */
    private static final long STEP_BYTES = 4 << 20;
    /** How often the machine's memory is asked for: asking takes as long as reserving 500 KiB. */
    private static final long MEMORY_CHECK_BYTES = 16 * STEP_BYTES;
    /** What was asked of the machine holds for so long. */
    private static final long MEMORY_CREDIT_NS = 100_000_000;
    /** And for such a part of what there was: if every head of a device took as much meanwhile, half of it would still be there. */
    private static final int MEMORY_CREDIT_PART = 128;
    /** Left alone in the machine, so that the head itself, which runs on the same memory, can go on. */
    private static final long MEMORY_HEADROOM_BYTES = 64 << 20;
    /** Per transfer: the JDK keeps a native copy of the largest per thread. */
    private static final int TRANSFER_BYTES = 64 << 10;

    private static final long PAGE_BYTES = 4096;
    private static final Set<String> IN_MEMORY = Set.of("tmpfs", "ramfs", "devtmpfs");
    private static final byte[] ZEROS = new byte[TRANSFER_BYTES];

    private final Path file;
    private final LongSupplier availableBytes;
    private final FileChannel channel;
    private final int descriptor;
    private FileStore fileStore;
    private long memoryAskedNs = System.nanoTime() - MEMORY_CREDIT_NS;
    private long memoryCreditBytes;

    FileSpace(Path file, RandomAccessFile openFile) throws IOException {
        this(file, openFile, SystemMemory::availableBytes);
    }

    /** With another word on how much memory there is. */
    FileSpace(Path file, RandomAccessFile openFile, LongSupplier availableBytes) throws IOException {
        this.file = file;
        this.availableBytes = availableBytes;
        this.channel = openFile.getChannel();
        this.descriptor = Mapping.descriptorNumber(openFile.getFD());
    }

    int ownerId() throws IOException {
        return (Integer) Files.getAttribute(openFile(), "unix:uid");
    }

    Object fileKey() throws IOException {
        Map<String, Object> attributes = Files.readAttributes(openFile(), "unix:dev,ino");
        return Arrays.asList(attributes.get("dev"), attributes.get("ino"));
    }

    /** Leads to the file that is open, whatever has its name by now. */
    private Path openFile() {
        return Path.of("/proc/self/fd", Integer.toString(descriptor));
    }

    long sizeBytes() {
        long length = SeekData.length(descriptor);
        try {
            return length < 0 ? channel.size() : length;
        } catch (IOException e) {
            throw MediaException.failed("media file cannot be examined", file, e);
        }
    }

    /**
     * Makes a range read as zero, and reserves its pages when asked to.
     *
     * @return false when there is no space; what was reserved by then is given back.
     */
    boolean scrub(long offset, long lengthBytes, boolean reserve) {
        if (!reserve && isHole(offset, lengthBytes)) {
            return true;
        }
        boolean isHole = punch(offset, lengthBytes);
        if (isHole && !reserve) {
            return true;
        }
        boolean done = false;
        try {
            done = allocateZeros(offset, lengthBytes, isHole);
        } finally {
            if (!done && isHole) {
                punch(offset, lengthBytes);
            }
        }
        return done;
    }

    /**
     * True when the range is a hole by the kernel's word: it reads as zero, and takes no space but what has been reserved and not written. False when
     * it is not, or nobody knows.
     */
    boolean isHole(long offset, long lengthBytes) {
        return SeekData.isHole(descriptor, offset, lengthBytes);
    }

    /** Turns a range into a hole; false where the system has no holes to make. */
    boolean punch(long offset, long lengthBytes) {
        int error = Fallocate.call(descriptor, Fallocate.PUNCH_HOLE, offset, lengthBytes);
        return switch (error) {
            case 0 -> true;
            case Fallocate.EOPNOTSUPP, Fallocate.ENOSYS -> false;
            default -> throw failed("media file cannot be cleared", offset, lengthBytes, error);
        };
    }

    private boolean allocateZeros(long offset, long lengthBytes, boolean isHole) {
        long end = offset + lengthBytes;
        for (long position = offset; position < end; ) {
            // What is no hole may have its pages already: then only the attempt tells.
            long needed = isHole ? end - position : 0;
            if ((position - offset) % MEMORY_CHECK_BYTES == 0 && !(hasRoom(needed) && hasMemory(needed))) {
                return false;
            }
            long step = Math.min(end - position, STEP_BYTES);
            if (!(isHole ? allocateStep(position, step) : writeZeros(position, step))) {
                return false;
            }
            position += step;
        }
        return true;
    }

    private boolean allocateStep(long offset, long lengthBytes) {
        int error = Fallocate.call(descriptor, Fallocate.RESERVE, offset, lengthBytes);
        return switch (error) {
            case 0 -> true;
            case Fallocate.ENOSPC, Fallocate.EDQUOT, Fallocate.ENOMEM -> false;
            case Fallocate.EOPNOTSUPP, Fallocate.ENOSYS -> writeZeros(offset, lengthBytes);
            default -> throw failed("media file cannot be reserved", offset, lengthBytes, error);
        };
    }

    private boolean writeZeros(long offset, long lengthBytes) {
        for (long done = 0; done < lengthBytes; done += TRANSFER_BYTES) {
            if (!write(offset + done, ZEROS, 0, (int) Math.min(lengthBytes - done, TRANSFER_BYTES))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Writes where there may be no pages yet.
     *
     * @return false when there is no space, in the file system or in the machine; the first bytes may have been written.
     */
    boolean store(long offset, byte[] source, int sourceOffset, int length) {
        long pageBytes = ((offset + length - 1) / PAGE_BYTES - offset / PAGE_BYTES + 1) * PAGE_BYTES;
        return length == 0
                || ((hasMemory(pageBytes) || SeekData.isData(descriptor, offset, length))
                        && write(offset, source, sourceOffset, length));
    }

    /** Writes without touching the mapping; false when the file system is full, with some of it written. */
    boolean write(long offset, byte[] source, int sourceOffset, int length) {
        try {
            for (int done = 0; done < length; ) {
                int part = Math.min(length - done, TRANSFER_BYTES);
                done += channel.write(ByteBuffer.wrap(source, sourceOffset + done, part), offset + done);
            }
            return true;
        } catch (IOException e) {
            if (isNoSpace(e)) {
                return false;
            }
            throw MediaException.failed("media file cannot be written", file, e);
        }
    }

    /** Reads without touching the mapping: in memory, looking at a hole through a mapping takes a page. */
    void read(long offset, byte[] destination, int destinationOffset, int length) {
        try {
            for (int done = 0; done < length; ) {
                int part = Math.min(length - done, TRANSFER_BYTES);
                int count = channel.read(ByteBuffer.wrap(destination, destinationOffset + done, part), offset + done);
                if (count < 0) {
                    throw new MediaException("media file truncated: length=" + channel.size(), file);
                }
                done += count;
            }
        } catch (IOException e) {
            throw MediaException.failed("media file cannot be read", file, e);
        }
    }

    /** The JDK tells the reason in words only, and in the user's language: unknown words are judged by the space there is. */
    private boolean isNoSpace(IOException e) {
        String words = String.valueOf(e.getMessage());
        return words.startsWith("No space left") || words.startsWith("Disk quota exceeded") || !hasRoom(TRANSFER_BYTES);
    }

    /** Asked of the file, not of its store, which is not to be had where the mount point is out of sight; without a name, nobody knows. */
    private boolean hasRoom(long lengthBytes) {
        return file.toFile().getUsableSpace() >= lengthBytes || Files.notExists(file);
    }

    /** Asking takes longer than reserving a small block does, so an answer with much to spare is made use of again. */
    private synchronized boolean hasMemory(long lengthBytes) {
        FileStore store = fileStore();
        if (store == null || !IN_MEMORY.contains(store.type())) {
            return true;
        }
        long now = System.nanoTime();
        if (now - memoryAskedNs >= MEMORY_CREDIT_NS || lengthBytes > memoryCreditBytes) {
            long leftBytes = availableBytes.getAsLong() - MEMORY_HEADROOM_BYTES - lengthBytes;
            if (leftBytes < 0) {
                return false;
            }
            memoryAskedNs = now;
            memoryCreditBytes = leftBytes / MEMORY_CREDIT_PART;
        } else {
            memoryCreditBytes -= lengthBytes;
        }
        return true;
    }

    private FileStore fileStore() {
        if (fileStore == null) {
            try {
                fileStore = Files.getFileStore(file);
            } catch (IOException e) {
                return null;
            }
        }
        return fileStore;
    }

    private MediaException failed(String what, long offset, long lengthBytes, int error) {
        return new MediaException(what + ": offset=" + offset + " length=" + lengthBytes + " errno=" + error, file);
    }
}

package io.mhsld.state;

import io.mhsld.state.StateFile.Identity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.BitUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Small pieces of shared memory for the stress tests, a fresh one for each run of a race, and the production classes laid over them. They
 * stand in this package because only this package may make an owner map or a table of something that is no whole state file.
 *
 * <p>The memory is one file, mapped twice: each of the two heads of a race has its own mapping of it, as it would have in a process of its own.
 */
public final class SharedSlots {
    /** The longest slot: all of a header that means something. */
    public static final int MAX_SLOT_LENGTH = StateFileDescriptor.CHECKSUMMED_END;

    /**
     * A slot must not come round again while its run is not over. jcstress keeps 256 x 40 runs in flight unless it is told otherwise, and makes
     * as many new ones while it looks at what has become of those.
     */
    private static final int SLOTS = 24 * 1024;

    private static final int MEMORY_LENGTH = SLOTS * MAX_SLOT_LENGTH;

    /** Shared memory is scarce in a container, and as many processes as there are processors may want some at the same time. */
    private static final long ENOUGH_SPACE = 16L * MEMORY_LENGTH;

    private static final Path NO_FILE = Path.of("slot");
    private static final MappedByteBuffer[] MAPPINGS = mapTwice();
    private static final AtomicInteger NEXT_SLOT = new AtomicInteger();

    private SharedSlots() {}

    /** The next slot of so many bytes, all of them zero. One process asks for slots of one length only. */
    public static Slot next(int lengthBytes) {
        if (lengthBytes > MAX_SLOT_LENGTH) {
            throw new IllegalArgumentException("slot too long: length=" + lengthBytes + " limit=" + MAX_SLOT_LENGTH);
        }
        int strideBytes = BitUtil.align(lengthBytes, BitUtil.CACHE_LINE_LENGTH);
        int number = Math.floorMod(NEXT_SLOT.getAndIncrement(), SLOTS);
        Slot slot = new Slot(number * strideBytes, lengthBytes);
        slot.view(0, 0, lengthBytes).setMemory(0, lengthBytes, (byte) 0);
        return slot;
    }

    /** Room for an extent table that is never given more than so many entries. */
    public static int extentTableLength(int maxEntries) {
        return StateFileDescriptor.EXTENTS_OFFSET + maxEntries * StateFileDescriptor.EXTENT_ENTRY_LENGTH;
    }

    /** Room for a tag table of one row with one extent. */
    public static final int TAG_ROW_OF_ONE_EXTENT_LENGTH = StateFileDescriptor.TAG_TABLE_HEADER_LENGTH
            + StateFileDescriptor.TAG_EXTENTS_OFFSET
            + StateFileDescriptor.TAG_EXTENT_LENGTH;

    /** Room for a row of a head table. */
    public static final int HEAD_ROW_LENGTH = StateFileDescriptor.HEAD_ROW_LENGTH;

    /** What the header of a state file says. */
    public record Header(Geometry geometry, Identity identity) {}

    /** One piece of shared memory. A mapping is 0 or 1, for whichever head looks through it. */
    public static final class Slot {
        private final int start;
        private final int lengthBytes;

        private Slot(int start, int lengthBytes) {
            this.start = start;
            this.lengthBytes = lengthBytes;
        }

        /** Bare memory. */
        public AtomicBuffer memory(int mapping, int offset, int memoryLength) {
            return view(mapping, offset, memoryLength);
        }

        /** An owner map from an offset on. */
        public OwnerMap ownerMap(int mapping, int offset, Geometry geometry) {
            return new OwnerMap(section(mapping, offset, (int) geometry.ownerMapBytes()), geometry);
        }

        /** A head table of one row, from an offset on. */
        public HeadTable headTable(int mapping, int offset) {
            return new HeadTable(section(mapping, offset, StateFileDescriptor.HEAD_ROW_LENGTH), 1);
        }

        /** A head table from an offset on. */
        public HeadTable headTable(int mapping, int offset, int headCount) {
            return new HeadTable(section(mapping, offset, headCount * StateFileDescriptor.HEAD_ROW_LENGTH), headCount);
        }

        /** A tag table from an offset on, of which only the first row may be used, and that with one extent. */
        public TagTable tagTable(int mapping, int offset, HeadTable heads, Geometry geometry) {
            return new TagTable(section(mapping, offset, TAG_ROW_OF_ONE_EXTENT_LENGTH), heads, geometry);
        }

        /** An extent table from an offset on, which must not be given more than so many entries. */
        public ExtentTable extentTable(int mapping, int offset, int maxEntries) {
            return new ExtentTable(section(mapping, offset, extentTableLength(maxEntries)), 0);
        }

        /** Writes a header to the start of the slot, as the creation of a state file does. */
        public void fillHeader(int mapping, Header header, byte[] mediaPath) {
            StateFileHeader.fill(
                    section(mapping, 0, lengthBytes),
                    header.geometry,
                    header.identity,
                    mediaPath,
                    StateFileDescriptor.fileLength(header.geometry));
        }

        /**
         * Reads the header at the start of the slot, as the opening of a state file does.
         *
         * @throws StateFileException as the opening does
         */
        public Header readHeader(int mapping) {
            SharedMemory header = section(mapping, 0, lengthBytes);
            StateFileHeader.requireReadable(header, NO_FILE);
            return new Header(
                    StateFileHeader.readGeometry(header, NO_FILE), StateFileHeader.readIdentity(header, NO_FILE));
        }

        SharedMemory section(int mapping, int offset, int sectionLength) {
            return new SharedMemory("slot", view(mapping, offset, sectionLength));
        }

        private UnsafeBuffer view(int mapping, int offset, int viewLength) {
            return new UnsafeBuffer(MAPPINGS[mapping], start + offset, viewLength);
        }
    }

    private static MappedByteBuffer[] mapTwice() {
        try {
            Path folder = DeviceFiles.SHARED_MEMORY_FOLDER;
            boolean hasRoom =
                    Files.isWritable(folder) && Files.getFileStore(folder).getUsableSpace() >= ENOUGH_SPACE;
            Path file = hasRoom
                    ? Files.createTempFile(folder, "mhsld-stress-", "")
                    : Files.createTempFile("mhsld-stress-", "");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                return new MappedByteBuffer[] {
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, MEMORY_LENGTH),
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, MEMORY_LENGTH)
                };
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("no shared memory for the stress tests", e);
        }
    }
}

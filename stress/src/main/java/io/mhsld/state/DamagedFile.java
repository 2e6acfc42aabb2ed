package io.mhsld.state;

import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.StateFileDescriptor.Section;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.errors.DistinctErrorLog;

/** The bytes of a state file, to be damaged and written in its place, for the fuzzer. It stands in this package because only here offsets are known. */
public final class DamagedFile {
    private static final List<Section> SECTIONS = List.of(Section.values());

    /** Those in which each head has a part of its own. */
    private static final Set<Section> OF_HEADS =
            EnumSet.of(Section.HEAD_TABLE, Section.EXTENT_TABLES, Section.COUNTERS, Section.ERROR_LOGS);

    /** A header, the sections, and the length of the file. */
    private static final int PLACES = 1 + SECTIONS.size() + 1;

    private static final List<Integer> SHAPE_FIELDS = shapeFields();

    private final DeviceFiles files;
    private final Geometry geometry;
    private final byte[] soundHeader;
    private byte[] bytes;

    private DamagedFile(DeviceFiles files, Geometry geometry, byte[] bytes) {
        this.files = files;
        this.geometry = geometry;
        this.bytes = bytes;
        this.soundHeader = Arrays.copyOf(bytes, StateFileDescriptor.HEADER_LENGTH);
    }

    /** The file of a fresh device, after two of its heads have lived: they hold extents, have counted and recorded errors, and are dead. */
    public static DamagedFile of(DeviceFiles files) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0)) {
            live(state, files, 1);
            live(state, files, 2);
            return new DamagedFile(files, state.geometry(), Files.readAllBytes(files.stateFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void live(StateFile state, DeviceFiles files, int head) {
        Geometry geometry = state.geometry();
        long blockSize = geometry.blockSizeBytes();
        long first = head * 10L;
        state.heads().startRelease(head, Integer.MAX_VALUE, 1, 1_700_000_000_000L);
        state.heads().serveRelease(head, files.controlSocket(head).toString());
        state.ownerMap().claim(head, first, 5);
        state.extents(head)
                .writeSeqlock(
                        List.of(
                                new Entry(geometry.dpaOfBlock(first), 3 * blockSize, new UUID(head, 1), 0, 0),
                                new Entry(geometry.dpaOfBlock(first + 3), 2 * blockSize, new UUID(0, 0), 0, 4)),
                        9);
        state.counters(head).setRelease(Counter.BLOCKS_OWNED, 5);
        state.counters(head).setRelease(Counter.EXTENTS_HELD, 2);
        DistinctErrorLog log = new DistinctErrorLog(state.errorLog(head), () -> 1_700_000_001_000L);
        log.record(new IllegalStateException("something went wrong: head=" + head));
        log.record(new IllegalArgumentException("something else: head=" + head));
    }

    /** The same bytes, to be damaged. */
    public DamagedFile copy() {
        return new DamagedFile(files, geometry, bytes.clone());
    }

    /**
     * Puts bytes somewhere.
     *
     * @param place chooses the header, a section and a head in it, or the length of the file; any number
     * @param at from the start of that; any number
     */
    public void patch(int place, int at, byte[] patch) {
        int kind = place % PLACES;
        int head = place / PLACES % geometry.headCount();
        if (kind == PLACES - 1) {
            resize(patch.length > 1 && (patch[1] & 1) != 0 ? bytes.length + (byte) at : at);
            return;
        }
        int start = 0;
        int length = StateFileDescriptor.CHECKSUMMED_END;
        if (kind > 0) {
            Section section = SECTIONS.get(kind - 1);
            boolean isOfHeads = OF_HEADS.contains(section);
            length = (int) section.lengthBytes(geometry) / (isOfHeads ? geometry.headCount() : 1);
            start = (int) section.offset(geometry) + (isOfHeads ? head * length : 0);
        }
        for (int i = 0; i < patch.length; i++) {
            int position = start + (at + i) % length;
            if (position < bytes.length) {
                bytes[position] = patch[i];
            }
        }
    }

    /** Puts bytes where a field of the header begins that says something of the shape; any number chooses it. */
    public void patchShape(int field, byte[] patch) {
        int position = SHAPE_FIELDS.get(field % SHAPE_FIELDS.size());
        for (int i = 0; i < patch.length && position + i < bytes.length; i++) {
            bytes[position + i] = patch[i];
        }
    }

    private static List<Integer> shapeFields() {
        List<Integer> fields = new ArrayList<>(List.of(
                StateFileDescriptor.FILE_LENGTH_OFFSET,
                StateFileDescriptor.BLOCK_SIZE_OFFSET,
                StateFileDescriptor.BLOCK_COUNT_OFFSET,
                StateFileDescriptor.HEAD_COUNT_OFFSET,
                StateFileDescriptor.LANE_BYTES_OFFSET,
                StateFileDescriptor.REGION_COUNT_OFFSET,
                StateFileDescriptor.MEDIA_SPACE_OFFSET,
                StateFileDescriptor.MEDIA_PATH_LENGTH_OFFSET));
        int regionsEnd = StateFileDescriptor.REGIONS_OFFSET + 2 * StateFileDescriptor.REGION_ENTRY_LENGTH;
        for (int at = StateFileDescriptor.REGIONS_OFFSET; at < regionsEnd; at += Long.BYTES) {
            fields.add(at);
        }
        for (Section section : SECTIONS) {
            fields.add(section.entryOffset());
            fields.add(section.entryOffset() + Long.BYTES);
        }
        return List.copyOf(fields);
    }

    private void resize(int length) {
        bytes = Arrays.copyOf(bytes, Math.max(0, length));
    }

    /** True when what the checksum covers, or the checksum, is not as it was. */
    public boolean isHeaderChanged() {
        int end = StateFileDescriptor.CHECKSUMMED_END;
        return bytes.length < end || !Arrays.equals(bytes, 0, end, soundHeader, 0, end);
    }

    /** True when all that the header says of the shape, derived numbers included, is what a new file of that shape would say. */
    public boolean tells(Geometry shape) {
        ByteBuffer fresh = ByteBuffer.allocateDirect(StateFileDescriptor.HEADER_LENGTH);
        StateFileHeader.fill(
                new SharedMemory("header", new UnsafeBuffer(fresh)),
                shape,
                new StateFile.Identity(new UUID(0, 0), 0, 0, false, ""),
                new byte[0],
                StateFileDescriptor.fileLength(shape));
        int sectionsEnd =
                StateFileDescriptor.SECTIONS_OFFSET + SECTIONS.size() * StateFileDescriptor.SECTION_ENTRY_LENGTH;
        int regionsEnd =
                StateFileDescriptor.REGIONS_OFFSET + shape.regions().size() * StateFileDescriptor.REGION_ENTRY_LENGTH;
        return isSame(fresh, StateFileDescriptor.FILE_LENGTH_OFFSET, StateFileDescriptor.DEVICE_ID_OFFSET)
                && isSame(fresh, StateFileDescriptor.BLOCK_SIZE_OFFSET, StateFileDescriptor.MEDIA_SPACE_OFFSET)
                && isSame(fresh, StateFileDescriptor.SECTIONS_OFFSET, sectionsEnd)
                && isSame(fresh, StateFileDescriptor.REGIONS_OFFSET, regionsEnd);
    }

    private boolean isSame(ByteBuffer fresh, int from, int to) {
        return fresh.slice(from, to - from).equals(ByteBuffer.wrap(bytes, from, to - from));
    }

    /** Writes the file, before that perhaps with a checksum that is right again. */
    public void write(boolean withRightChecksum) {
        if (withRightChecksum && bytes.length >= StateFileDescriptor.HEADER_LENGTH) {
            CRC32C crc = new CRC32C();
            int from = StateFileDescriptor.FILE_LENGTH_OFFSET;
            crc.update(bytes, from, StateFileDescriptor.CHECKSUMMED_END - from);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(StateFileDescriptor.CHECKSUM_OFFSET, (int)
                    crc.getValue());
        }
        try {
            Files.write(files.stateFile(), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

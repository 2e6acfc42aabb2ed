package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.BLOCK_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.BLOCK_SIZE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.CHECKSUMMED_END;
import static io.mhsld.state.StateFileDescriptor.CHECKSUM_OFFSET;
import static io.mhsld.state.StateFileDescriptor.CREATED_MS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.DEVICE_ID_OFFSET;
import static io.mhsld.state.StateFileDescriptor.FILE_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.HEAD_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.LANE_BYTES_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAGIC;
import static io.mhsld.state.StateFileDescriptor.MAGIC_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAX_MEDIA_PATH_BYTES;
import static io.mhsld.state.StateFileDescriptor.MEDIA_PATH_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MEDIA_PATH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MEDIA_SPACE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.REGIONS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.REGION_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.REGION_ENTRY_LENGTH;
import static io.mhsld.state.StateFileDescriptor.SERIAL_OFFSET;
import static io.mhsld.state.StateFileDescriptor.VERSION;
import static io.mhsld.state.StateFileDescriptor.VERSION_OFFSET;

import io.mhsld.state.StateFile.Identity;
import io.mhsld.state.StateFileDescriptor.Section;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.text.ForeignText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32C;

/** The first page of a state file, as {@link StateFileDescriptor} draws it: written once, by init, and believed by nobody who has not checked it. */
final class StateFileHeader {
    private static final int FLAGS_IN_REGION = 4 * Long.BYTES;
    private static final long SHAREABLE = 1;

    private StateFileHeader() {}

    /** Fills a header of zeros; the version comes last, and with it the file is ready. */
    static void fill(SharedMemory header, Geometry geometry, Identity identity, byte[] mediaPath, long lengthBytes) {
        header.putLongPlain(FILE_LENGTH_OFFSET, lengthBytes);
        header.putLongPlain(DEVICE_ID_OFFSET, identity.deviceId().getMostSignificantBits());
        header.putLongPlain(DEVICE_ID_OFFSET + Long.BYTES, identity.deviceId().getLeastSignificantBits());
        header.putLongPlain(CREATED_MS_OFFSET, identity.createdMs());
        header.putLongPlain(SERIAL_OFFSET, identity.serial());
        header.putLongPlain(BLOCK_SIZE_OFFSET, geometry.blockSizeBytes());
        header.putLongPlain(BLOCK_COUNT_OFFSET, geometry.blockCount());
        header.putIntPlain(HEAD_COUNT_OFFSET, geometry.headCount());
        header.putIntPlain(LANE_BYTES_OFFSET, geometry.laneBytes());
        header.putIntPlain(REGION_COUNT_OFFSET, geometry.regions().size());
        header.putIntPlain(MEDIA_SPACE_OFFSET, identity.sparseMedia() ? 1 : 0);
        for (Section section : Section.values()) {
            header.putLongPlain(section.entryOffset(), section.offset(geometry));
            header.putLongPlain(section.entryOffset() + Long.BYTES, section.lengthBytes(geometry));
        }
        for (Geometry.Region region : geometry.regions()) {
            int entry = REGIONS_OFFSET + region.id() * REGION_ENTRY_LENGTH;
            header.putLongPlain(entry, region.baseDpa());
            header.putLongPlain(entry + Long.BYTES, region.decodeLengthBytes());
            header.putLongPlain(entry + 2 * Long.BYTES, region.lengthBytes());
            header.putLongPlain(entry + 3 * Long.BYTES, region.firstBlock());
            header.putLongPlain(entry + FLAGS_IN_REGION, region.shareable() ? SHAREABLE : 0);
        }
        header.putIntPlain(MEDIA_PATH_LENGTH_OFFSET, mediaPath.length);
        header.putBytesPlain(MEDIA_PATH_OFFSET, mediaPath);
        header.putIntPlain(CHECKSUM_OFFSET, checksum(header));
        header.putLongPlain(MAGIC_OFFSET, MAGIC);
        CrashPoint.INIT_HEADER_FILLED.reached();
        header.putIntRelease(VERSION_OFFSET, VERSION);
    }

    private static int checksum(SharedMemory header) {
        CRC32C crc = new CRC32C();
        crc.update(header.getBytesPlain(FILE_LENGTH_OFFSET, CHECKSUMMED_END - FILE_LENGTH_OFFSET));
        return (int) crc.getValue();
    }

    /** Throws unless it is the header of a whole state file of this version, with the checksum that it should have. */
    static void requireReadable(SharedMemory header, Path file) {
        int version = header.getIntAcquire(VERSION_OFFSET);
        long magic = header.getLongPlain(MAGIC_OFFSET);
        if (version == 0 && (magic == 0 || magic == MAGIC)) {
            throw new StateFileException(Problem.NOT_READY, "state file not initialised: version=0", file);
        }
        if (magic != MAGIC) {
            throw new StateFileException(
                    Problem.FOREIGN,
                    String.format("not a state file: magic=0x%016x expected=0x%016x", magic, MAGIC),
                    file);
        }
        if (version != VERSION) {
            throw new StateFileException(
                    Problem.FOREIGN,
                    "state file of another version: version=" + version + " expected=" + VERSION,
                    file);
        }
        int stored = header.getIntPlain(CHECKSUM_OFFSET);
        int computed = checksum(header);
        if (stored != computed) {
            throw new StateFileException(
                    Problem.DAMAGED,
                    String.format("header checksum differs: stored=0x%08x computed=0x%08x", stored, computed),
                    file);
        }
    }

    /** The shape of the device; throws when any of the numbers that follow from it is another one in the file. */
    static Geometry readGeometry(SharedMemory header, Path file) {
        int regionCount = header.getIntPlain(REGION_COUNT_OFFSET);
        long blockSizeBytes = header.getLongPlain(BLOCK_SIZE_OFFSET);
        long blockCount = header.getLongPlain(BLOCK_COUNT_OFFSET);
        Geometry geometry;
        try {
            // Every derived number is computed anew and compared, so that none of the file's is trusted.
            long sizeBytes = Math.multiplyExact(blockCount, blockSizeBytes);
            geometry = Geometry.of(header.getIntPlain(HEAD_COUNT_OFFSET), sizeBytes, regionCount, blockSizeBytes)
                    .withShareable(shareableRegions(header, regionCount));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new StateFileException(
                    Problem.DAMAGED, "geometry in header makes no sense: " + e.getMessage(), file, e);
        }
        checkEqual("lane length", header.getIntPlain(LANE_BYTES_OFFSET), geometry.laneBytes(), file);
        for (Section section : Section.values()) {
            String name = section.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            checkEqual(name + " offset", header.getLongPlain(section.entryOffset()), section.offset(geometry), file);
            checkEqual(
                    name + " length",
                    header.getLongPlain(section.entryOffset() + Long.BYTES),
                    section.lengthBytes(geometry),
                    file);
        }
        for (Geometry.Region region : geometry.regions()) {
            int entry = REGIONS_OFFSET + region.id() * REGION_ENTRY_LENGTH;
            String name = "region " + region.id();
            checkEqual(name + " base", header.getLongPlain(entry), region.baseDpa(), file);
            checkEqual(
                    name + " decode length", header.getLongPlain(entry + Long.BYTES), region.decodeLengthBytes(), file);
            checkEqual(name + " length", header.getLongPlain(entry + 2 * Long.BYTES), region.lengthBytes(), file);
            checkEqual(name + " first block", header.getLongPlain(entry + 3 * Long.BYTES), region.firstBlock(), file);
            checkEqual(
                    name + " flags",
                    header.getLongPlain(entry + FLAGS_IN_REGION),
                    region.shareable() ? SHAREABLE : 0,
                    file);
        }
        return geometry;
    }

    private static Set<Integer> shareableRegions(SharedMemory header, int regionCount) {
        Set<Integer> shareable = new HashSet<>();
        for (int id = 0; id < Math.min(Math.max(0, regionCount), Geometry.MAX_REGIONS); id++) {
            if ((header.getLongPlain(REGIONS_OFFSET + id * REGION_ENTRY_LENGTH + FLAGS_IN_REGION) & SHAREABLE) != 0) {
                shareable.add(id);
            }
        }
        return shareable;
    }

    /** What init decided besides; throws when it makes no sense. */
    static Identity readIdentity(SharedMemory header, Path file) {
        int pathLength = header.getIntPlain(MEDIA_PATH_LENGTH_OFFSET);
        if (pathLength <= 0 || pathLength > MAX_MEDIA_PATH_BYTES) {
            throw damaged("media path length", pathLength, MAX_MEDIA_PATH_BYTES, file);
        }
        String mediaFile = new String(header.getBytesPlain(MEDIA_PATH_OFFSET, pathLength), StandardCharsets.UTF_8);
        int space = header.getIntPlain(MEDIA_SPACE_OFFSET);
        if (space != 0 && space != 1) {
            throw damaged("media space", space, 0, file);
        }
        if (DeviceFiles.pathOf(mediaFile).filter(Path::isAbsolute).isEmpty()) {
            throw new StateFileException(
                    Problem.DAMAGED, "media path is none: met=\"" + ForeignText.line(mediaFile) + "\"", file);
        }
        return new Identity(
                new UUID(header.getLongPlain(DEVICE_ID_OFFSET), header.getLongPlain(DEVICE_ID_OFFSET + Long.BYTES)),
                header.getLongPlain(CREATED_MS_OFFSET),
                header.getLongPlain(SERIAL_OFFSET),
                space == 1,
                mediaFile);
    }

    private static void checkEqual(String what, long met, long expected, Path file) {
        if (met != expected) {
            throw damaged(what, met, expected, file);
        }
    }

    static StateFileException damaged(String what, long met, long expected, Path file) {
        return new StateFileException(
                Problem.DAMAGED, "wrong " + what + ": met=" + met + " expected=" + expected, file);
    }
}

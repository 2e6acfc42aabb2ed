package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.COUNTER_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.ERROR_LOG_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TABLE_LENGTH;
import static io.mhsld.state.StateFileDescriptor.FILE_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.HEADER_LENGTH;
import static io.mhsld.state.StateFileDescriptor.HEAD_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.MAGIC;
import static io.mhsld.state.StateFileDescriptor.MAX_MEDIA_PATH_BYTES;
import static io.mhsld.state.StateFileDescriptor.REGION_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_TABLE_HEADER_LENGTH;

import io.mhsld.state.StateFileDescriptor.Section;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.BufferUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The mapped state file: made whole by {@link #create}, checked by {@link #open}, and from then on the tables and the owner map in it.
 *
 * <p>Creation writes a new file under another name and renames it, so that a file is never shorter than it says and never half of what it was;
 * the version, stored last with release order, says so once more to whoever meets a file that something else has made.
 *
 * <p>Close it after its last user: the mapping goes away with it.
 */
public final class StateFile implements AutoCloseable {
    private static final long POLL_MS = 5;

    /** How a file is mapped. */
    public enum Access {
        /** For heads and repair. */
        READ_WRITE,
        /** For looking: nothing can be stored through it. */
        READ_ONLY
    }

    /**
     * What init decides besides the geometry.
     *
     * @param deviceId drawn anew for each life of a file name
     * @param createdMs milliseconds since 1970
     * @param serial serial number of the device
     * @param sparseMedia false: memory is reserved before it is offered, so that a store cannot fail; true: it is not, and a store can be refused
     * @param mediaFile absolute path of the DC memory
     */
    public record Identity(UUID deviceId, long createdMs, long serial, boolean sparseMedia, String mediaFile) {}

    private final Path file;
    private final Object fileKey;
    private final Geometry geometry;
    private final Identity identity;
    private final MappedByteBuffer mapping;
    private final UnsafeBuffer whole;
    private final SharedMemory everything;
    private final List<UnsafeBuffer> views = new ArrayList<>();
    private final OwnerMap ownerMap;
    private final HeadTable headTable;
    private final TagTable tagTable;
    private final RegionTable regionTable;
    private final PoisonTable poisonTable;
    private final List<ExtentTable> extentTables = new ArrayList<>();
    private final List<Counters> counters = new ArrayList<>();
    private final List<UnsafeBuffer> errorLogs = new ArrayList<>();

    private StateFile(Path file, Object fileKey, Geometry geometry, Identity identity, MappedByteBuffer mapping) {
        this.file = file;
        this.fileKey = fileKey;
        this.geometry = geometry;
        this.identity = identity;
        this.mapping = mapping;
        this.whole = new UnsafeBuffer(mapping);
        this.everything = new SharedMemory("reserved bytes", view(0, whole.capacity()));
        this.ownerMap = new OwnerMap(section(Section.OWNER_MAP), geometry);
        this.headTable = new HeadTable(section(Section.HEAD_TABLE), geometry.headCount());
        this.tagTable = new TagTable(section(Section.TAG_TABLE), headTable, geometry);
        this.regionTable = new RegionTable(section(Section.REGION_SETTINGS), geometry);
        this.poisonTable = new PoisonTable(section(Section.POISON_TABLE));
        SharedMemory extents = section(Section.EXTENT_TABLES);
        SharedMemory counts = section(Section.COUNTERS);
        for (int head = 0; head < geometry.headCount(); head++) {
            extentTables.add(new ExtentTable(extents, head));
            counters.add(new Counters(counts, head));
            errorLogs.add(view((int) Section.ERROR_LOGS.offset(geometry) + head * ERROR_LOG_LENGTH, ERROR_LOG_LENGTH));
        }
    }

    /**
     * Makes a new state file, in place of an old one if there is one. The caller holds the leases of all heads, so that nobody uses the old one.
     *
     * @param unfinished where it is written before it is renamed to {@code file}; a leftover there is replaced
     * @throws StateFileException {@code SYSTEM} when the system refuses; then {@code file} is what it was before
     */
    public static void create(
            Path file, Path unfinished, Geometry geometry, Identity identity, Set<PosixFilePermission> permissions) {
        prepare(file, unfinished, geometry, identity, permissions);
        publish(file, unfinished);
    }

    /** The first half of {@link #create}: writes a whole state file under the name {@code unfinished}. */
    public static void prepare(
            Path file, Path unfinished, Geometry geometry, Identity identity, Set<PosixFilePermission> permissions) {
        byte[] mediaPath = identity.mediaFile.getBytes(StandardCharsets.UTF_8);
        if (mediaPath.length > MAX_MEDIA_PATH_BYTES) {
            throw new StateFileException(
                    Problem.SYSTEM,
                    "media path too long: bytes=" + mediaPath.length + " limit=" + MAX_MEDIA_PATH_BYTES,
                    file);
        }
        long lengthBytes = StateFileDescriptor.fileLength(geometry);
        try {
            Files.deleteIfExists(unfinished);
            try (FileChannel channel = FileChannel.open(
                    unfinished,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(permissions))) {
                // The umask may have taken some away. Whatever takes the name in the meantime is not followed.
                Files.getFileAttributeView(unfinished, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .setPermissions(permissions);
                CrashPoint.INIT_CREATED.reached();
                preallocate(channel, lengthBytes);
                CrashPoint.INIT_PREALLOCATED.reached();
                MappedByteBuffer mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, HEADER_LENGTH);
                SharedMemory header = new SharedMemory("header", new UnsafeBuffer(mapping));
                StateFileHeader.fill(header, geometry, identity, mediaPath, lengthBytes);
                mapping.force();
                channel.force(true);
                BufferUtil.free(mapping);
            }
            CrashPoint.INIT_PREPARED.reached();
        } catch (IOException e) {
            deleteQuietly(unfinished, e);
            throw refusedBySystem("state file cannot be created", lengthBytes, file, e);
        }
    }

    /** The second half of {@link #create}: gives what was prepared its name. */
    public static void publish(Path file, Path unfinished) {
        try {
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            deleteQuietly(unfinished, e);
            throw refusedBySystem("state file cannot be created", -1, file, e);
        }
    }

    /**
     * Maps an existing state file. Waits while it is missing or unfinished, until {@code timeoutMs} have passed.
     *
     * @throws StateFileException naming what is wrong with it
     */
    public static StateFile open(Path file, Access access, long timeoutMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (true) {
            try {
                StateFile state = openNow(file, access);
                if (access == Access.READ_WRITE) {
                    SharedMemory.warmUp();
                }
                return state;
            } catch (StateFileException e) {
                boolean mayCome = e.problem() == Problem.MISSING || e.problem() == Problem.NOT_READY;
                if (!mayCome) {
                    throw e;
                }
                if (System.nanoTime() - deadlineNs >= 0) {
                    throw timeoutMs == 0 ? e : waitedInVain(e, timeoutMs, file);
                }
            }
            LockSupport.parkNanos(POLL_MS * 1_000_000);
        }
    }

    /** True when a file stands there that is a state file, of whatever version and state of health, or an empty one. */
    public static boolean isReplaceable(Path file) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            ByteBuffer magic = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            while (magic.hasRemaining() && channel.read(magic) >= 0) {
                // The channel may hand over less than asked for.
            }
            return magic.position() == 0 || (!magic.hasRemaining() && magic.getLong(0) == MAGIC);
        } catch (NoSuchFileException e) {
            return true;
        } catch (IOException e) {
            throw refusedBySystem("state file cannot be read", -1, file, e);
        }
    }

    /** The file that is mapped. */
    public Path file() {
        return file;
    }

    /** Which file it is that is mapped, as {@link FileGuard.Facts#key} says, whatever its name leads to by now. */
    public Object fileKey() {
        return fileKey;
    }

    /** Where in this process it is mapped, by which the kernel's list of mappings tells what it calls the file. */
    public long address() {
        return whole.addressOffset();
    }

    /** Shape of the device. */
    public Geometry geometry() {
        return geometry;
    }

    /** What init decided besides. */
    public Identity identity() {
        return identity;
    }

    /** Who may touch which block. */
    public OwnerMap ownerMap() {
        return ownerMap;
    }

    /** Who the heads are. */
    public HeadTable heads() {
        return headTable;
    }

    /** The tags of shared capacity. */
    public TagTable tags() {
        return tagTable;
    }

    /** What of the regions can be set while the device is in use. */
    public RegionTable regionSettings() {
        return regionTable;
    }

    /** Memory that is known to be bad. */
    public PoisonTable poison() {
        return poisonTable;
    }

    /** The extents that a head holds. */
    public ExtentTable extents(int head) {
        return extentTables.get(head);
    }

    /** What a head counts. */
    public Counters counters(int head) {
        return counters.get(head);
    }

    /** Room for a head's Agrona distinct error log. */
    public AtomicBuffer errorLog(int head) {
        return errorLogs.get(head);
    }

    /**
     * Repair, with the head's lease: what its row, table and error log hold that no head writes is made harmless. What it owns is not touched.
     *
     * @param nowMs the time of day, milliseconds since 1970
     */
    public void mend(int head, long nowMs) {
        headTable.mendRelease(head, RowCheck.LAST_NUMBER, RowCheck.LAST_TIME_MS, nowMs);
        extents(head).mendRelease(RowCheck.LAST_NUMBER);
        ErrorLogCheck.firstWrong(errorLog(head)).ifPresent(offset -> ErrorLogCheck.cut(errorLog(head), offset));
    }

    /** Repair, under the table lock: region settings and poison that nobody can have meant, and a sequence of the tag table out of its range. */
    public void mendTables() {
        tagTable.mendSequenceRelease(RowCheck.LAST_NUMBER);
        geometry.regions().forEach(region -> regionTable.mendRelease(region.id()));
        poisonTable.mend(geometry);
    }

    /** Repair, also under live heads: makes reserved bytes zero. */
    public void clearReservedBytes() {
        reservedBytes().clear();
    }

    /** Reserved bytes that are not zero. */
    List<Finding> dirtyReservedBytes() {
        List<Finding> dirty = new ArrayList<>();
        reservedBytes()
                .forEachDirt((section, offset, byteCount) -> dirty.add(Finding.of("I7", "reserved bytes are not zero")
                        .with("section", section)
                        .with("bytes", byteCount)
                        .with("offset", offset)));
        return dirty;
    }

    private ReservedBytes reservedBytes() {
        return new ReservedBytes(everything, geometry);
    }

    // ---- places in the file

    long headRowOffset(int head) {
        return Section.HEAD_TABLE.offset(geometry) + (long) head * HEAD_ROW_LENGTH;
    }

    long extentTableOffset(int head) {
        return Section.EXTENT_TABLES.offset(geometry) + (long) head * EXTENT_TABLE_LENGTH;
    }

    long tagRowOffset(int row) {
        return Section.TAG_TABLE.offset(geometry) + TAG_TABLE_HEADER_LENGTH + (long) row * TAG_ROW_LENGTH;
    }

    long tagTableOffset() {
        return Section.TAG_TABLE.offset(geometry);
    }

    long regionRowOffset(int region) {
        return Section.REGION_SETTINGS.offset(geometry) + (long) region * REGION_ROW_LENGTH;
    }

    long poisonTableOffset() {
        return Section.POISON_TABLE.offset(geometry);
    }

    long counterOffset(int head, Counter counter) {
        return Section.COUNTERS.offset(geometry)
                + (long) head * COUNTER_ROW_LENGTH
                + (long) counter.place() * Long.BYTES;
    }

    long laneOffset(long block) {
        return Section.OWNER_MAP.offset(geometry) + block * geometry.laneBytes();
    }

    /** Length that the file must have for as long as it is mapped. */
    public long lengthBytes() {
        return StateFileDescriptor.fileLength(geometry);
    }

    /** Throws the {@link InternalError} that a file which has been cut leads to, if this thread has met one: all that it did with the file is void. */
    public void surfaceFault() {
        SharedMemory.surfaceFault();
    }

    /** Empties a head's error log, by the holder of its lease. */
    public void clearErrorLog(int head) {
        SharedMemory.clear(errorLogs.get(head), 0);
    }

    /** Unmaps the file. No other thread may be using it; a later use throws {@code IndexOutOfBoundsException}. */
    @Override
    public void close() {
        if (whole.capacity() > 0) {
            // Views first: one that still pointed to the mapping would take the process down with it.
            byte[] nothing = new byte[0];
            views.forEach(view -> view.wrap(nothing));
            whole.wrap(nothing);
            BufferUtil.free(mapping);
        }
    }

    private SharedMemory section(Section section) {
        return new SharedMemory(
                section.name(), view((int) section.offset(geometry), (int) section.lengthBytes(geometry)));
    }

    private UnsafeBuffer view(int offset, int lengthBytes) {
        UnsafeBuffer view = new UnsafeBuffer(whole, offset, lengthBytes);
        views.add(view);
        return view;
    }

    // ---- creating

    private static void preallocate(FileChannel channel, long lengthBytes) throws IOException {
        // Written, not truncated to length: a file system without room says so now, not by a fault at some later store.
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 18);
        for (long position = 0; position < lengthBytes; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), lengthBytes - position));
            position += channel.write(zeros, position);
        }
    }

    // ---- opening

    private static StateFile openNow(Path file, Access access) {
        Set<OpenOption> options = access == Access.READ_WRITE
                ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)
                : Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        try {
            // Before opening: opening a pipe would wait for its other end.
            FileGuard.Facts found = FileGuard.requireReliable(file, "state file");
            return openNow(file, access, options, found);
        } catch (NoSuchFileException e) {
            throw new StateFileException(Problem.MISSING, "no such state file", file, e);
        } catch (IOException e) {
            throw refusedBySystem("state file cannot be opened", -1, file, e);
        } catch (InternalError e) {
            // Somebody cut the file while its header was being read.
            throw new StateFileException(Problem.DAMAGED, "state file truncated", file, e);
        }
    }

    private static StateFile openNow(Path file, Access access, Set<OpenOption> options, FileGuard.Facts found)
            throws IOException {
        try (FileChannel channel = FileChannel.open(file, options)) {
            if (!found.key().equals(FileGuard.look(file).key())) {
                throw new StateFileException(Problem.NOT_READY, "state file replaced while it was opened", file);
            }
            long actualLength = channel.size();
            if (actualLength < HEADER_LENGTH) {
                Problem problem = actualLength == 0 ? Problem.NOT_READY : Problem.FOREIGN;
                throw new StateFileException(
                        problem,
                        "too short for a state file: length=" + actualLength + " header=" + HEADER_LENGTH,
                        file);
            }
            FileChannel.MapMode mode =
                    access == Access.READ_WRITE ? FileChannel.MapMode.READ_WRITE : FileChannel.MapMode.READ_ONLY;
            MappedByteBuffer headerMapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, HEADER_LENGTH);
            SharedMemory header = new SharedMemory("header", new UnsafeBuffer(headerMapping));
            try {
                StateFileHeader.requireReadable(header, file);
                Geometry geometry = StateFileHeader.readGeometry(header, file);
                long lengthBytes = StateFileDescriptor.fileLength(geometry);
                if (header.getLongPlain(FILE_LENGTH_OFFSET) != lengthBytes) {
                    throw StateFileHeader.damaged(
                            "file length in header", header.getLongPlain(FILE_LENGTH_OFFSET), lengthBytes, file);
                }
                if (actualLength != lengthBytes) {
                    throw StateFileHeader.damaged("file length", actualLength, lengthBytes, file);
                }
                Identity identity = StateFileHeader.readIdentity(header, file);
                return new StateFile(file, found.key(), geometry, identity, channel.map(mode, 0, lengthBytes));
            } finally {
                BufferUtil.free(headerMapping);
            }
        }
    }

    // ---- errors

    private static StateFileException waitedInVain(StateFileException last, long timeoutMs, Path file) {
        String cause = last.problem() == Problem.MISSING
                ? "no such state file: waitedMs=" + timeoutMs + " (start one head with --mhd-init, or run init)"
                : "state file not initialised: waitedMs=" + timeoutMs
                        + " version=0 (its init has not finished, or died)";
        return new StateFileException(last.problem(), cause, file, last);
    }

    private static StateFileException refusedBySystem(String what, long lengthBytes, Path file, IOException e) {
        String reason;
        if (e instanceof AccessDeniedException) {
            reason = "no permission";
        } else if (e instanceof FileAlreadyExistsException) {
            reason = "file exists";
        } else if (e instanceof NoSuchFileException) {
            reason = "no such folder";
        } else {
            reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
        }
        String length = lengthBytes < 0 ? "" : " length=" + lengthBytes;
        return new StateFileException(Problem.SYSTEM, what + ": reason=\"" + reason + "\"" + length, file, e);
    }

    private static void deleteQuietly(Path file, IOException reason) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }
}

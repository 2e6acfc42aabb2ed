package io.mhsld.head;

import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The leases of a device: kernel locks on the bytes of its lock file, byte <i>h</i> for head <i>h</i>, byte 64 for init, destroy, recover and fence.
 * The kernel drops them when their process ends, however it ends.
 *
 * <p>A kernel lock of this kind is lost when the process closes <em>any</em> channel of the file, so a process opens each lock file once, here,
 * and shares it, by whatever path it came to it. No operation on the channel is one that an interrupt of the thread would close it for.
 *
 * <p>Whoever has a lease looks once more whether the lock file {@link #isInPlace}: one that was removed can still be locked, to no avail.
 */
public final class LeaseFile implements Leases, AutoCloseable {
    private static final Path OPEN_BY_THIS_PROCESS = Path.of("/proc/self/fd");

    private static final int DEVICE_BYTE = Geometry.MAX_HEADS;
    private static final int TABLES_BYTE = DEVICE_BYTE + 1;
    private static final long DEVICE_POLL_NS = 2_000_000;
    private static final Map<Object, LeaseFile> OPEN_FILES = new HashMap<>();

    private final Path file;
    private final FileChannel channel;
    private final FileGuard.Facts facts;
    private final TableLock tables = new TableLock(this::tryTables, Machine.REAL);
    private final LeaseWait device = new LeaseWait(this::tryDevice, Machine.REAL, DEVICE_POLL_NS);
    private int users;

    private LeaseFile(Path file, FileChannel channel, FileGuard.Facts facts) {
        this.file = file;
        this.channel = channel;
        this.facts = facts;
    }

    private record KernelLock(FileLock lock) implements Lease {
        @Override
        public void release() {
            try {
                lock.release();
            } catch (ClosedChannelException e) {
                // The channel took the lock with it.
            } catch (IOException e) {
                throw new UncheckedIOException("lease cannot be released", e);
            }
        }

        @Override
        public boolean isHeld() {
            return lock.isValid();
        }
    }

    /**
     * Opens the lock file, and creates it when it is missing.
     *
     * @throws StateFileException {@code SYSTEM} when the system refuses
     */
    public static LeaseFile open(Path lockFile, Set<PosixFilePermission> permissions) {
        return open(lockFile, Optional.of(permissions)).orElseThrow();
    }

    /** Opens the lock file if there is one: without it, nobody holds a lease. */
    public static Optional<LeaseFile> openExisting(Path lockFile) {
        return open(lockFile, Optional.empty());
    }

    private static Optional<LeaseFile> open(Path lockFile, Optional<Set<PosixFilePermission>> createWith) {
        synchronized (OPEN_FILES) {
            try {
                Optional<LeaseFile> opened = Optional.empty();
                // Ends: only a file that was removed in this very moment leads to another round.
                while (opened.isEmpty()) {
                    if (createWith.isPresent()) {
                        createUnlessThere(lockFile, createWith.get());
                    } else if (Files.notExists(lockFile, LinkOption.NOFOLLOW_LINKS)) {
                        return Optional.empty();
                    }
                    opened = openIfThere(lockFile, createWith.orElse(Set.of()));
                }
                opened.get().users++;
                return opened;
            } catch (IOException e) {
                throw refused("lock file cannot be opened", lockFile, e);
            }
        }
    }

    private static void createUnlessThere(Path lockFile, Set<PosixFilePermission> permissions) throws IOException {
        try {
            FileChannel created = FileChannel.open(
                    lockFile,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(permissions));
            try {
                // The umask may have taken some away, and with them the right to open it once more.
                if (Files.exists(lockFile, LinkOption.NOFOLLOW_LINKS)) {
                    grant(FileGuard.look(lockFile), permissions);
                }
            } finally {
                created.close();
            }
        } catch (FileAlreadyExistsException e) {
            // The usual case.
        }
    }

    /**
     * Gives a file that is open here, and this process's user's, what it lacks of permissions. Not by its name, which may lead elsewhere by now, and
     * not by opening it once more, for closing that would drop our leases.
     */
    private static void grant(FileGuard.Facts facts, Set<PosixFilePermission> permissions) throws IOException {
        if (facts.userId() != FileGuard.userId() || !facts.isRegular() || facts.permits(permissions)) {
            return;
        }
        List<Path> descriptors;
        try (Stream<Path> all = Files.list(OPEN_BY_THIS_PROCESS)) {
            descriptors = all.toList();
        }
        for (Path descriptor : descriptors) {
            try {
                Map<String, Object> open = Files.readAttributes(descriptor, "unix:dev,ino,nlink");
                // Under another name too it would be something else besides a lock file.
                if (facts.key().equals(Arrays.asList(open.get("dev"), open.get("ino")))
                        && open.get("nlink").equals(1)) {
                    Set<PosixFilePermission> wanted = EnumSet.copyOf(permissions);
                    wanted.addAll(Files.getPosixFilePermissions(descriptor));
                    Files.setPosixFilePermissions(descriptor, wanted);
                    return;
                }
            } catch (FileSystemException e) {
                // Closed meanwhile, or no file; where permissions cannot be changed, those that it has may do.
            }
        }
    }

    /**
     * The file as it was found before and after its channel was opened, so that the channel is that very file's.
     *
     * @param permissions what it is to have at least; an earlier device of this name may have had fewer
     */
    private static Optional<LeaseFile> openIfThere(Path lockFile, Set<PosixFilePermission> permissions)
            throws IOException {
        try {
            FileGuard.Facts facts = FileGuard.requireReliable(lockFile, "lock file");
            LeaseFile open = OPEN_FILES.get(facts.key());
            if (open != null) {
                grant(facts, permissions);
                return Optional.of(open);
            }
            FileChannel channel = FileChannel.open(
                    lockFile, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            boolean same = false;
            try {
                same = facts.key().equals(identityOf(lockFile));
            } finally {
                if (!same) {
                    channel.close();
                }
            }
            if (!same) {
                return Optional.empty();
            }
            LeaseFile opened = new LeaseFile(lockFile, channel, facts);
            OPEN_FILES.put(facts.key(), opened);
            grant(facts, permissions);
            return Optional.of(opened);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<Lease> tryHead(int head) {
        return tryByte(head);
    }

    /** Takes the right to change the device as a whole. */
    public Optional<Lease> tryDevice() {
        return tryByte(DEVICE_BYTE);
    }

    /** The same, if it can be had in so long; for less after a wait in vain, for a second. */
    public Optional<Lease> awaitDevice(long patienceMs) {
        return device.await(patienceMs, () -> {}, () -> {}).lease();
    }

    @Override
    public Optional<Lease> tryTables() {
        return tryByte(TABLES_BYTE);
    }

    @Override
    public TableLock tables() {
        return tables;
    }

    @Override
    public boolean isHeld(int head) {
        try (FileLock probe = channel.tryLock(head, 1, true)) {
            return probe == null;
        } catch (OverlappingFileLockException e) {
            return true;
        } catch (IOException e) {
            throw refused("lease cannot be looked at: head=" + head, file, e);
        }
    }

    /**
     * The process that holds the lease of a head by the kernel's word: as that head, or for a moment, to reap it. What the head table says anybody
     * may have written who can write the state file; before a process is killed, the kernel is asked.
     *
     * <p>The caller holds the right to change the device, and finds by it what the kernel calls this file.
     *
     * @return empty when nobody holds it, or somebody whom this process cannot see, or where the kernel keeps its list to itself
     */
    public Optional<Long> holderOf(int head) {
        return locks().stream()
                .filter(lock -> lock.covers(head))
                .map(KernelLocks.Held::pid)
                .findFirst();
    }

    /** The heads whose leases a process holds by the kernel's word, ascending; the caller holds the right to change the device. */
    public List<Integer> headsHeldBy(long pid) {
        List<KernelLocks.Held> held =
                locks().stream().filter(lock -> lock.pid() == pid).toList();
        return IntStream.range(0, Geometry.MAX_HEADS)
                .filter(head -> held.stream().anyMatch(lock -> lock.covers(head)))
                .boxed()
                .toList();
    }

    private List<KernelLocks.Held> locks() {
        List<KernelLocks.Held> all = KernelLocks.read().orElse(List.of());
        long self = ProcessHandle.current().pid();
        Set<String> places = all.stream()
                .filter(lock -> lock.pid() == self && lock.covers(DEVICE_BYTE))
                .map(KernelLocks.Held::place)
                .collect(Collectors.toSet());
        if (places.size() > 1) {
            // Another thread is at another device.
            places.removeIf(place -> !place.endsWith(":" + facts.inode()));
        }
        return all.stream()
                .filter(lock -> places.size() == 1 && places.contains(lock.place()))
                .toList();
    }

    /** False when the device was destroyed, or its lock file removed: leases of this file are worth nothing. */
    public boolean isInPlace() {
        try {
            return channel.isOpen() && facts.key().equals(identityOf(file));
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes the lock file for good. The caller holds every lease of it. */
    public void retire() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw refused("lock file cannot be removed", file, e);
        }
    }

    /** The last user's close drops every lease of this process. */
    @Override
    public void close() {
        synchronized (OPEN_FILES) {
            if (--users == 0) {
                OPEN_FILES.remove(facts.key(), this);
                try {
                    channel.close();
                } catch (IOException e) {
                    throw refused("lock file cannot be closed", file, e);
                }
            }
        }
    }

    private Optional<Lease> tryByte(int position) {
        try {
            return Optional.ofNullable(channel.tryLock(position, 1, false)).map(KernelLock::new);
        } catch (OverlappingFileLockException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw refused("lease cannot be taken: byte=" + position, file, e);
        }
    }

    private static Object identityOf(Path file) throws IOException {
        return FileGuard.look(file).key();
    }

    private static StateFileException refused(String what, Path file, IOException e) {
        String reason;
        if (e instanceof AccessDeniedException) {
            reason = "no permission";
        } else if (e instanceof NoSuchFileException) {
            reason = "no such folder";
        } else {
            reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
        }
        return new StateFileException(Problem.SYSTEM, what + ": reason=\"" + reason + "\"", file, e);
    }
}

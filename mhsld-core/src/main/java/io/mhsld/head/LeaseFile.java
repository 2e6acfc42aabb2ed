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
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    /** A line of it: number, type, mandatory or not, access, process, major:minor:inode, first and last byte. */
    private static final Path LOCKS = Path.of("/proc/locks");

    private static final int TYPE = 1;
    private static final int ACCESS = 3;
    private static final int PID = 4;
    private static final int PLACE = 5;
    private static final int FIRST = 6;
    private static final int LAST = 7;

    private static final int DEVICE_BYTE = Geometry.MAX_HEADS;
    private static final Map<Object, LeaseFile> OPEN_FILES = new HashMap<>();

    private final Path file;
    private final FileChannel channel;
    private final Object identity;
    private int users;

    private LeaseFile(Path file, FileChannel channel, Object identity) {
        this.file = file;
        this.channel = channel;
        this.identity = identity;
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
                    opened = openIfThere(lockFile);
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
            Files.createFile(lockFile, PosixFilePermissions.asFileAttribute(permissions));
        } catch (FileAlreadyExistsException e) {
            // The usual case.
        }
        try {
            // The umask may have taken some away, or an earlier device of this name had fewer.
            PosixFileAttributes present =
                    Files.readAttributes(lockFile, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (present.isRegularFile() && !present.permissions().containsAll(permissions)) {
                Set<PosixFilePermission> all = EnumSet.copyOf(permissions);
                all.addAll(present.permissions());
                // By name: to change them without following a link the JDK would open the file, and drop our leases.
                Files.setPosixFilePermissions(lockFile, all);
            }
        } catch (FileSystemException e) {
            // Somebody else's file, which may serve all the same: opening it tells.
        }
    }

    /** The file as it was found before and after its channel was opened, so that the channel is that very file's. */
    private static Optional<LeaseFile> openIfThere(Path lockFile) throws IOException {
        try {
            Object identity = FileGuard.requireReliable(lockFile, "lock file").key();
            LeaseFile open = OPEN_FILES.get(identity);
            if (open != null) {
                return Optional.of(open);
            }
            if (!Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
                // Even a pipe can be locked, but no head would have made it.
                throw new FileSystemException(lockFile.toString(), null, "not a regular file");
            }
            FileChannel channel = FileChannel.open(
                    lockFile, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            boolean same = false;
            try {
                same = identity.equals(identityOf(lockFile));
            } finally {
                if (!same) {
                    channel.close();
                }
            }
            if (!same) {
                return Optional.empty();
            }
            LeaseFile opened = new LeaseFile(lockFile, channel, identity);
            OPEN_FILES.put(identity, opened);
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
     * True when the kernel names this process as the holder of a head's lease. What the head table says anybody may have written who can write the
     * state file; before a process is killed for it, the kernel is asked. Where the kernel keeps its list to itself the answer is true.
     */
    public boolean isHeldBy(int head, long pid) {
        try (Stream<String> locks = Files.lines(LOCKS)) {
            String inode = Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS)
                    .toString();
            return locks.map(line -> line.trim().split("\\s+"))
                    .anyMatch(words -> isWriteLock(words)
                            && words[PID].equals(Long.toString(pid))
                            && words[PLACE].endsWith(":" + inode)
                            && words[FIRST].equals(Integer.toString(head))
                            && words[LAST].equals(words[FIRST]));
        } catch (IOException | UncheckedIOException e) {
            return true;
        }
    }

    /** One that is held: of one that is waited for, the second word is an arrow. */
    private static boolean isWriteLock(String[] words) {
        return words.length > LAST && words[TYPE].equals("POSIX") && words[ACCESS].equals("WRITE");
    }

    /** False when the device was destroyed, or its lock file removed: leases of this file are worth nothing. */
    public boolean isInPlace() {
        try {
            return channel.isOpen() && identity.equals(identityOf(file));
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
                OPEN_FILES.remove(identity, this);
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

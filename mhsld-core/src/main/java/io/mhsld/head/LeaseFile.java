package io.mhsld.head;

import io.mhsld.state.Geometry;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The leases of a device: kernel locks on the bytes of its lock file, byte <i>h</i> for head <i>h</i>, byte 64 for init, destroy and recover.
 * The kernel drops them when their process ends, however it ends.
 *
 * <p>A kernel lock of this kind is lost when the process closes <em>any</em> channel of the file, so a process opens each lock file once, here,
 * and shares it. The file stays empty until {@link #retire} writes one byte into it: whoever then still gets a lock on the removed file
 * sees that it is worth nothing.
 */
public final class LeaseFile implements AutoCloseable {
    private static final int DEVICE_BYTE = Geometry.MAX_HEADS;
    private static final Map<Path, LeaseFile> OPEN_FILES = new HashMap<>();

    private final Path file;
    private final FileChannel channel;
    private final Object identity;
    private int users = 1;

    private LeaseFile(Path file, FileChannel channel, Object identity) {
        this.file = file;
        this.channel = channel;
        this.identity = identity;
    }

    /** The right to be a head, or to change the device as a whole; held until it is released or the process ends. */
    public static final class Lease {
        private final FileLock lock;

        private Lease(FileLock lock) {
            this.lock = lock;
        }

        /** Gives the right back. A second time does nothing. */
        public void release() {
            try {
                lock.release();
            } catch (ClosedChannelException e) {
                // The channel took the lock with it.
            } catch (IOException e) {
                throw new UncheckedIOException("lease cannot be released", e);
            }
        }

        /** False after {@link #release}. */
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
            LeaseFile open = OPEN_FILES.get(lockFile);
            if (open != null && open.isInPlace()) {
                open.users++;
                return Optional.of(open);
            }
            try {
                Set<OpenOption> options = new HashSet<>(
                        Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
                createWith.ifPresent(permissions -> options.add(StandardOpenOption.CREATE));
                FileChannel channel = FileChannel.open(
                        lockFile,
                        options,
                        PosixFilePermissions.asFileAttribute(
                                createWith.orElse(PosixFilePermissions.fromString("rw-------"))));
                LeaseFile opened = new LeaseFile(lockFile, channel, identityOf(lockFile));
                OPEN_FILES.put(lockFile, opened);
                return Optional.of(opened);
            } catch (NoSuchFileException e) {
                if (createWith.isEmpty()) {
                    return Optional.empty();
                }
                throw refused("lock file cannot be created", lockFile, e);
            } catch (IOException e) {
                throw refused("lock file cannot be opened", lockFile, e);
            }
        }
    }

    /** Takes the lease of a head, unless another process, or another head in this process, has it. */
    public Optional<Lease> tryHead(int head) {
        return tryByte(head);
    }

    /** Takes the right to change the device as a whole. */
    public Optional<Lease> tryDevice() {
        return tryByte(DEVICE_BYTE);
    }

    /** True when somebody holds the lease of the head. It may be over when this returns. */
    public boolean isHeld(int head) {
        try (FileLock probe = channel.tryLock(head, 1, true)) {
            return probe == null;
        } catch (OverlappingFileLockException e) {
            return true;
        } catch (IOException e) {
            throw refused("lease cannot be looked at: head=" + head, file, e);
        }
    }

    /** False when the device was destroyed, or its lock file removed: leases of this file are worth nothing. */
    public boolean isInPlace() {
        try {
            return channel.isOpen() && channel.size() == 0 && identity.equals(identityOf(file));
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes the lock file for good. The caller holds every lease of it. */
    public void retire() {
        try {
            channel.write(ByteBuffer.wrap(new byte[] {'X'}), 0);
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
                OPEN_FILES.remove(file, this);
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
            return Optional.ofNullable(channel.tryLock(position, 1, false)).map(Lease::new);
        } catch (OverlappingFileLockException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw refused("lease cannot be taken: byte=" + position, file, e);
        }
    }

    private static Object identityOf(Path file) throws IOException {
        return Files.readAttributes(file, "unix:dev,ino", LinkOption.NOFOLLOW_LINKS);
    }

    private static StateFileException refused(String what, Path file, IOException e) {
        return new StateFileException(
                Problem.SYSTEM, what + ": reason=\"" + e.getClass().getSimpleName() + "\"", file, e);
    }
}

package io.mhsld;

import io.mhsld.head.EventLoop;
import io.mhsld.head.Fence;
import io.mhsld.head.Head;
import io.mhsld.head.HeadLog;
import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases.Lease;
import io.mhsld.head.Machine;
import io.mhsld.head.MediaBinding;
import io.mhsld.head.Patience;
import io.mhsld.head.ProcessIdentity;
import io.mhsld.head.Reaper;
import io.mhsld.head.Repairer;
import io.mhsld.media.Media;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One MHSLD: its files, and what is done to it as a whole. Everything here works from any process, with or without live heads; what must not
 * happen under live heads is refused with a message that names them.
 */
public final class Device {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    /**
     * What init decides.
     *
     * @param geometry heads, regions, blocks
     * @param serial serial number that every host sees
     * @param sparseMedia true: memory is taken by the first store, which is refused when the system has none left; false: it is reserved before capacity
     *     is offered, which takes its time, and then no store is refused
     * @param mediaFile the DC memory; empty: beside the state file
     * @param groupAccess true: the files are open to the group too (mode 0660 instead of 0600)
     */
    public record Specification(
            Geometry geometry, long serial, boolean sparseMedia, Optional<Path> mediaFile, boolean groupAccess) {
        /** Throws an {@link IllegalArgumentException} when the path of the media file is longer than can be. */
        public Specification {
            mediaFile.ifPresent(MediaBinding::requirePath);
        }

        /** Heads of a device when nobody says otherwise: the reference's number. */
        public static final int DEFAULT_HEADS = 8;

        /** Block size when nobody says otherwise: the reference's. */
        public static final long DEFAULT_BLOCK_SIZE_BYTES = 2L << 20;

        /** Serial number when nobody says otherwise: that of the reference's example. */
        public static final long DEFAULT_SERIAL = 66667;

        /** One region, 8 heads, blocks of 2 MiB, sparse media. */
        public static Specification ofSize(long sizeBytes) {
            return new Specification(
                    Geometry.of(DEFAULT_HEADS, sizeBytes, 1, DEFAULT_BLOCK_SIZE_BYTES),
                    DEFAULT_SERIAL,
                    true,
                    Optional.empty(),
                    false);
        }

        private Set<PosixFilePermission> permissions() {
            return groupAccess ? PosixFilePermissions.fromString("rw-rw----") : OWNER_ONLY;
        }
    }

    private Device() {}

    /**
     * Makes a fresh device. A state file that no live head uses is replaced; so is its media file, unless {@code mediaFile} names one, which is
     * kept, grown if needed, and emptied. An init that fails leaves an earlier device as it was.
     *
     * @param waitMs how long to wait for another init, destroy or recover to finish
     * @throws StateFileException {@code IN_USE} naming the live heads; {@code FOREIGN} when the file is something else; {@code SYSTEM}
     */
    public static void initialise(DeviceFiles files, Specification specification, long waitMs) {
        Set<PosixFilePermission> permissions = specification.permissions();
        Path mediaFile = specification.mediaFile().orElse(files.mediaFile()).toAbsolutePath();
        List<Path> others = new ArrayList<>(List.of(files.stateFile(), files.unfinishedStateFile(), files.lockFile()));
        IntStream.range(0, Geometry.MAX_HEADS).mapToObj(files::labelFile).forEach(others::add);
        if (others.contains(mediaFile.normalize())) {
            throw new IllegalArgumentException("media file is another file of the device: file=" + mediaFile);
        }
        MediaBinding binding = new MediaBinding(mediaFile, files);
        // Before the lock file is made, too: nothing is left beside a file that is not ours.
        requireReplaceable(files, "init will not overwrite it");
        requireMediaIsOurs(files, mediaFile, binding);
        withAllLeases(files, permissions, waitMs, leases -> {
            CrashPoint.INIT_LEASED.reached();
            requireReplaceable(files, "init will not overwrite it");
            StateFile.Identity identity = new StateFile.Identity(
                    UUID.randomUUID(),
                    System.currentTimeMillis(),
                    specification.serial(),
                    specification.sparseMedia(),
                    mediaFile.toString());
            try {
                // What needs space first, what takes the old device's place last: until then a refusal leaves all as it
                // was.
                StateFile.prepare(
                        files.stateFile(),
                        files.unfinishedStateFile(),
                        specification.geometry(),
                        identity,
                        permissions);
                binding.bind(permissions);
                CrashPoint.INIT_MEDIA_BOUND.reached();
                Media.create(
                        mediaFile,
                        specification.geometry().capacityBytes(),
                        permissions,
                        specification.mediaFile().isPresent());
                CrashPoint.INIT_MEDIA_CREATED.reached();
                StateFile.publish(files.stateFile(), files.unfinishedStateFile());
                CrashPoint.INIT_PUBLISHED.reached();
                deleteLabels(files);
            } catch (RuntimeException e) {
                leaveNothingBehind(files, binding, leases, e);
                throw e;
            }
            return identity;
        });
    }

    /** Memory of another device is refused, and so is a file in the place of ours that no device has made. */
    private static void requireMediaIsOurs(DeviceFiles files, Path mediaFile, MediaBinding binding) {
        binding.requireOurs();
        boolean isInTheWay = mediaFile.equals(files.mediaFile())
                && !binding.isKnown()
                && Files.exists(mediaFile, LinkOption.NOFOLLOW_LINKS)
                && Files.notExists(files.stateFile(), LinkOption.NOFOLLOW_LINKS);
        if (isInTheWay) {
            throw new StateFileException(
                    Problem.FOREIGN, "no device's memory, and init will not overwrite it", mediaFile);
        }
    }

    /** After an init that failed: without a device before, not even its lock file stays. */
    private static void leaveNothingBehind(
            DeviceFiles files, MediaBinding binding, LeaseFile leases, RuntimeException reason) {
        List<Runnable> steps = List.of(
                () -> delete(files.unfinishedStateFile()),
                () -> {
                    if (Files.notExists(files.stateFile(), LinkOption.NOFOLLOW_LINKS)) {
                        binding.unbind();
                    }
                },
                () -> {
                    if (Files.notExists(files.stateFile(), LinkOption.NOFOLLOW_LINKS)) {
                        leases.retire();
                    }
                });
        for (Runnable step : steps) {
            try {
                // Each for itself: what one cannot remove, somebody else's file in our way, keeps the others from
                // nothing.
                step.run();
            } catch (StateFileException e) {
                reason.addSuppressed(e);
            }
        }
    }

    /**
     * Removes a device: the state file, its own media file (not one that init was given), sockets and lock file.
     *
     * @return the media file that was left alone, if init was given one
     * @throws StateFileException {@code MISSING}; {@code IN_USE} naming the live heads; {@code FOREIGN} when the file is something else
     */
    public static Optional<Path> destroy(DeviceFiles files, long waitMs) {
        if (Files.notExists(files.stateFile())) {
            throw new StateFileException(Problem.MISSING, "no such state file", files.stateFile());
        }
        requireReplaceable(files, "destroy will not remove it");
        if (isEmpty(files.stateFile())) {
            throw new StateFileException(
                    Problem.FOREIGN, "an empty file, and destroy will not remove it", files.stateFile());
        }
        return withAllLeases(files, OWNER_ONLY, waitMs, leases -> {
            CrashPoint.DESTROY_LEASED.reached();
            requireReplaceable(files, "destroy will not remove it");
            Path media = mediaFileOf(files).orElse(files.mediaFile());
            delete(files.unfinishedStateFile());
            if (media.equals(files.mediaFile())) {
                Media.deleteUnfinished(media);
                delete(media);
            }
            CrashPoint.DESTROY_MEDIA_REMOVED.reached();
            new MediaBinding(media, files).unbind();
            CrashPoint.DESTROY_MEDIA_UNBOUND.reached();
            for (int head = 0; head < Geometry.MAX_HEADS; head++) {
                deleteSocket(files.controlSocket(head));
                deleteSocket(DeviceFiles.leftoverOf(files.controlSocket(head)));
            }
            deleteLabels(files);
            CrashPoint.DESTROY_SOCKETS_REMOVED.reached();
            // Last, so that a destroy that did not come to its end can be repeated.
            delete(files.stateFile());
            CrashPoint.DESTROY_STATE_REMOVED.reached();
            leases.retire();
            CrashPoint.DESTROY_LEASES_REMOVED.reached();
            return media.equals(files.mediaFile()) ? Optional.empty() : Optional.of(media);
        });
    }

    /**
     * Becomes a head: waits for the device to be initialised, takes the lease, frees what an earlier process left behind as this head.
     *
     * @param loop the head's thread; the head only registers timers and sockets with it
     * @param waitMs how long to wait for an init to finish
     * @param log where the head says what happens to its capacity
     * @throws StateFileException naming what is wrong with the file, or {@code IN_USE} naming the process that is this head already
     * @throws IllegalArgumentException when the device has no such head
     */
    public static Head attach(DeviceFiles files, int head, EventLoop loop, long waitMs, HeadLog log) {
        return Head.attach(files, head, loop, waitMs, log);
    }

    /** Looks at a device without changing it. */
    public static Inspector.Report inspect(DeviceFiles files) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return inspect(files, state);
        }
    }

    /** Looks at an open state file. */
    public static Inspector.Report inspect(DeviceFiles files, StateFile state) {
        Optional<LeaseFile> leases = LeaseFile.openExisting(files.lockFile());
        try {
            return Repairer.inspect(
                    files, state, head -> leases.isPresent() && leases.get().isHeld(head));
        } finally {
            leases.ifPresent(LeaseFile::close);
        }
    }

    /** Which heads are held by a live process, by the kernel's word. */
    public static boolean[] liveHeads(DeviceFiles files, int headCount) {
        boolean[] live = new boolean[headCount];
        Optional<LeaseFile> leases = LeaseFile.openExisting(files.lockFile());
        try {
            for (int head = 0; head < headCount && leases.isPresent(); head++) {
                live[head] = leases.get().isHeld(head);
            }
        } finally {
            leases.ifPresent(LeaseFile::close);
        }
        return live;
    }

    /**
     * Frees what dead heads left behind, and repairs what is damaged, as {@link Repairer} describes. What live heads hold is not touched. A second
     * run changes nothing.
     */
    public static Repairer.Recovery recover(DeviceFiles files, long waitMs) {
        return withDeviceLease(files, waitMs, leases -> {
            try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                    Media media = MediaBinding.open(files, state)) {
                return new Repairer(files, state, leases, media).recover();
            }
        });
    }

    /**
     * Ends the process that is a head, with SIGKILL, and frees what it held; see {@link Fence}.
     *
     * @return whom it ended, empty when nobody was that head
     * @throws StateFileException {@code IN_USE} when the process cannot be identified, is this one, or does not end
     */
    public static Optional<Fence.Ended> fence(DeviceFiles files, int head) {
        return withDeviceLease(files, Fence.KILL_PATIENCE_MS, leases -> {
            try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                    Media media = MediaBinding.open(files, state)) {
                return new Fence(state, leases, media).end(head);
            }
        });
    }

    // ---- parts

    private interface Exclusive<T> {
        T with(LeaseFile leases);
    }

    /** Runs an action while no process is, or can become, a head of the device. */
    private static <T> T withAllLeases(
            DeviceFiles files, Set<PosixFilePermission> permissions, long waitMs, Exclusive<T> action) {
        return withDeviceLease(files, permissions, waitMs, leases -> {
            List<Lease> held = new ArrayList<>();
            try {
                for (int head = 0; head < Geometry.MAX_HEADS; head++) {
                    int wanted = head;
                    held.add(Patience.await(() -> leases.tryHead(wanted), Patience.PROBE_MS)
                            .orElseThrow(() -> inUse(files)));
                }
                if (isAnyServedWithoutLease(files)) {
                    throw inUse(files);
                }
                return action.with(leases);
            } finally {
                held.forEach(Lease::release);
            }
        });
    }

    /** The same for what live heads may go on under; the device must exist. */
    private static <T> T withDeviceLease(DeviceFiles files, long waitMs, Exclusive<T> action) {
        StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0).close();
        return withDeviceLease(files, OWNER_ONLY, waitMs, action);
    }

    private static <T> T withDeviceLease(
            DeviceFiles files, Set<PosixFilePermission> permissions, long waitMs, Exclusive<T> action) {
        // Ends: another round is for a destroy that came to its end while this waited.
        while (true) {
            try (LeaseFile leases = LeaseFile.open(files.lockFile(), permissions)) {
                Lease device = Patience.await(leases::tryDevice, waitMs)
                        .orElseThrow(() -> new StateFileException(
                                Problem.IN_USE,
                                "another init, destroy, recover or fence is at work: waitedMs=" + waitMs,
                                files.stateFile()));
                try {
                    if (leases.isInPlace()) {
                        return action.with(leases);
                    }
                } finally {
                    device.release();
                }
            }
        }
    }

    private static void requireReplaceable(DeviceFiles files, String refusal) {
        if (!StateFile.isReplaceable(files.stateFile())) {
            throw new StateFileException(Problem.FOREIGN, "not a state file, and " + refusal, files.stateFile());
        }
    }

    private static boolean isEmpty(Path file) {
        try {
            return Files.size(file) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static StateFileException inUse(DeviceFiles files) {
        List<String> heads = new ArrayList<>();
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            for (int head = 0; head < state.geometry().headCount(); head++) {
                Row row = state.heads().readAcquire(head);
                // Our own leases, taken on the way here, are held too: only heads that a process says and can be are
                // named.
                boolean isNamed = row.state() != HeadTable.State.FREE
                        && Machine.REAL.canBeHead(ProcessIdentity.named(row), state, head);
                if (isNamed) {
                    heads.add("head " + head + " (pid " + row.pid() + ")");
                }
            }
        } catch (StateFileException e) {
            heads.clear();
        }
        String names =
                heads.isEmpty() ? "a head that is starting" : heads.stream().collect(Collectors.joining(", "));
        return new StateFileException(
                Problem.IN_USE, "the device is in use by " + names + ": nothing was changed", files.stateFile());
    }

    /** A lock file that was removed under live heads tells nothing of them; their rows do. */
    private static boolean isAnyServedWithoutLease(DeviceFiles files) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return IntStream.range(0, state.geometry().headCount())
                    .anyMatch(head ->
                            Reaper.isServedByAnother(state, state.heads().readAcquire(head), Machine.REAL));
        } catch (StateFileException e) {
            // Without a file that can be read there are no rows.
            return false;
        }
    }

    private static Optional<Path> mediaFileOf(DeviceFiles files) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return Optional.of(Path.of(state.identity().mediaFile()));
        } catch (StateFileException e) {
            // A state file that cannot be read can still be destroyed.
            return Optional.empty();
        }
    }

    /** What cannot be removed is no harm: a device knows its labels by its own id. */
    private static void deleteLabels(DeviceFiles files) {
        try {
            Head.deleteLabels(files);
        } catch (IOException e) {
            // The folder is not writable for us any more, or the file is another user's.
        }
    }

    /** Something else of that name is not ours. */
    private static void deleteSocket(Path file) {
        try {
            if (FileGuard.look(file).isSocket()) {
                delete(file);
            }
        } catch (IOException e) {
            // There is none, which is the usual case.
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StateFileException(
                    Problem.SYSTEM,
                    "file cannot be removed: reason=\"" + e.getClass().getSimpleName() + "\"",
                    file,
                    e);
        }
    }
}

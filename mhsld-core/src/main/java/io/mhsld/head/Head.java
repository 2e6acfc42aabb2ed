package io.mhsld.head;

import io.mhsld.cci.Mailbox;
import io.mhsld.cci.MultiHeadInfo;
import io.mhsld.head.Leases.Lease;
import io.mhsld.media.Media;
import io.mhsld.state.Counters;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.errors.DistinctErrorLog;

/**
 * One head of a device, for as long as this process, or the {@code Head}, lives: its lease, its Type-3 device with the multi-head hooks behind it,
 * its mailbox, and the watch over its peers. Everything runs on the thread of the event loop that it was attached with.
 */
public final class Head implements AutoCloseable {
    /** A peer whose death no socket told of is noticed within this time. */
    static final long TICK_MS = 400;

    private static final int BRIEF_TRACE_FRAMES = 8;

    private final DeviceFiles files;
    private final int id;
    private final EventLoop loop;
    private final HeadLog log;
    private final LeaseFile leases;
    private final Lease lease;
    private final StateFile state;
    private final Media media;
    private final Incarnation incarnation;
    private final Mailbox mailbox;
    private final DistinctErrorLog errors;
    private final PeerWatch peers;
    private final EventLoop.Timer tick;
    private final Object mediaFileKey;
    private Consumer<StateFileException> onLost = problem -> {};
    private boolean closed;

    /** Attaches as {@link io.mhsld.Device#attach} describes. */
    public static Head attach(DeviceFiles files, int id, EventLoop loop, long waitMs, HeadLog log) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        for (long leftMs = waitMs; ; leftMs = Math.max(0, (deadlineNs - System.nanoTime()) / 1_000_000)) {
            // The lease must come before the mapping: only then no init can put another file in its place.
            checkHeadExists(files, id, leftMs);
            LeaseFile leases = LeaseFile.open(files.lockFile(), permissionsOf(files.stateFile()));
            Lease lease = null;
            Head head = null;
            try {
                lease = waitForLease(files, id, leases, Math.max(Patience.REAP_MS, leftMs));
                if (leases.isInPlace() && Files.exists(files.stateFile())) {
                    head = new Head(files, id, loop, log, leases, lease);
                    return head;
                }
            } finally {
                if (head == null) {
                    if (lease != null) {
                        lease.release();
                    }
                    leases.close();
                }
            }
        }
    }

    private Head(DeviceFiles files, int id, EventLoop loop, HeadLog log, LeaseFile leases, Lease lease) {
        this.files = files;
        this.id = id;
        this.loop = loop;
        this.log = log;
        this.leases = leases;
        this.lease = lease;
        StateFile opened = null;
        Media openedMedia = null;
        try {
            opened = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
            // Once more: another init may have come before the lease.
            requireHead(opened, id);
            openedMedia = MediaBinding.open(files, opened);
            this.state = opened;
            this.media = openedMedia;
            this.mediaFileKey = openedMedia.fileKey();
            this.errors = openErrorLog();
            this.incarnation = Incarnation.begin(state, id, media, leases, Machine.REAL, log);
            incarnation
                    .device()
                    .background()
                    .runLater(
                            task -> loop.execute(() -> runIfOpen(task)),
                            (delayMs, task) -> loop.after(delayMs, () -> runIfOpen(task)));
            incarnation
                    .device()
                    .keepLabelsIn(new LabelFile(
                            files.labelFile(id),
                            state.identity().deviceId(),
                            permissionsOf(files.stateFile()),
                            () -> !closed));
            this.mailbox = new Mailbox(incarnation.device(), Optional.of(new TableInfo()), this::recordError);
            this.peers = new PeerWatch(loop, this::peerGone);
            lookAtPeers();
            this.tick = loop.every(TICK_MS, this::tick);
        } catch (IOException e) {
            closed = true;
            closeAll(openedMedia, opened);
            throw new StateFileException(Problem.SYSTEM, "media file cannot be looked at", files.stateFile(), e);
        } catch (RuntimeException | Error e) {
            closed = true;
            if (opened != null && isOurs(opened)) {
                withdraw(opened, e);
            }
            closeAll(openedMedia, opened);
            throw e;
        }
    }

    /** 0 to head count - 1; also the host id and the LD id. */
    public int id() {
        return id;
    }

    /** The device that the host behind this head sees. */
    public Type3Device device() {
        return incarnation.device();
    }

    /** The host's way to the device. */
    public Mailbox mailbox() {
        return mailbox;
    }

    /** Shape of the device. */
    public Geometry geometry() {
        return state.geometry();
    }

    /** The shared state, to look at. */
    public StateFile state() {
        return state;
    }

    /** The files of the device. */
    public DeviceFiles files() {
        return files;
    }

    /** Where this head's control socket is to be. */
    public Path controlSocket() {
        return files.controlSocket(id);
    }

    /** Removes the labels of all heads of a device, which nobody may be then. */
    public static void deleteLabels(DeviceFiles files) throws IOException {
        LabelFile.deleteAll(files, Geometry.MAX_HEADS);
    }

    /** What this head counts. */
    public Counters counters() {
        return state.counters(id);
    }

    /** Says in the head table that the control socket answers, so that peers and tools find it. */
    public void serve() {
        incarnation.serve(controlSocket().toString());
    }

    /** Called once when the state file has been cut, replaced or removed under this head: it must not go on. */
    public void onLost(Consumer<StateFileException> listener) {
        onLost = listener;
    }

    /** Keeps an error where {@code mhsld status} finds it, even after this process has died. */
    public void recordError(Throwable error) {
        log.say("error: %s", error);
        // In a file that has been cut there is nowhere to write it, and trying to could take the process down.
        if (!closed && lost().isEmpty() && !errors.record(error)) {
            // The log has no room for the whole trace: where it happened may still fit, and else at least what.
            Throwable brief = new IllegalStateException(error.toString());
            brief.setStackTrace(
                    Arrays.copyOf(error.getStackTrace(), Math.min(BRIEF_TRACE_FRAMES, error.getStackTrace().length)));
            if (!errors.record(brief)) {
                log.say("error log is full: head=%d", id);
            }
        }
    }

    /** Counts an access that the device refused. */
    public void countRefusedAccess(Refusal refusal) {
        incarnation.countRefusedAccess();
        log.say("access refused: %s", refusal.detail());
    }

    /** Lets go of all capacity and of the lease. The process may go on; as this head it changes nothing any more. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        tick.cancel();
        peers.close();
        try {
            // Where the device has been taken from under this head, what it holds may be others' by now. Its memory is
            // this head's all the same, whatever became of the name.
            if (isOurs(state)) {
                incarnation.leave();
            }
        } finally {
            closeAll(media, state);
            lease.release();
            leases.close();
        }
    }

    /** False when the state file or the leases have been taken from under this head. */
    private boolean isOurs(StateFile opened) {
        return lossOfState(opened).isEmpty();
    }

    /** After a start that failed: as if it had not begun, though this process lives on. */
    private void withdraw(StateFile opened, Throwable reason) {
        try {
            Row row = opened.heads().readAcquire(id);
            boolean saysThatItStarts = row.state() == HeadTable.State.STARTING
                    && row.pid() == ProcessHandle.current().pid();
            if (saysThatItStarts) {
                opened.heads().freeRelease(id);
            }
        } catch (RuntimeException | InternalError e) {
            reason.addSuppressed(e);
        }
    }

    // ---- starting

    private static void checkHeadExists(DeviceFiles files, int id, long waitMs) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, waitMs)) {
            requireHead(state, id);
        }
    }

    private static void requireHead(StateFile state, int id) {
        int headCount = state.geometry().headCount();
        if (id < 0 || id >= headCount) {
            throw new IllegalArgumentException("no such head: head=" + id + " heads=" + headCount + " (0 to "
                    + (headCount - 1) + ") file=" + state.file());
        }
    }

    private static Lease waitForLease(DeviceFiles files, int id, LeaseFile leases, long patienceMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patienceMs);
        while (true) {
            Optional<Lease> lease = leases.tryHead(id);
            OptionalLong served = processThatIs(files, id);
            if (lease.isPresent()) {
                boolean isAnother = served.isPresent()
                        && served.getAsLong() != ProcessHandle.current().pid();
                if (!isAnother) {
                    return lease.get();
                }
                // Its lock file was removed under it: it is the head until it has noticed that.
                lease.get().release();
            }
            if (served.isPresent()) {
                throw new StateFileException(
                        Problem.IN_USE, "head is taken: head=" + id + " pid=" + served.getAsLong(), files.stateFile());
            }
            if (System.nanoTime() - deadlineNs >= 0) {
                throw new StateFileException(
                        Problem.IN_USE,
                        "head is taken by a process that has not said which it is: head=" + id + " waitedMs="
                                + patienceMs,
                        files.stateFile());
            }
            Patience.pause();
        }
    }

    /** The process that the head table names, if it lives and can be the head; it may be this one. */
    private static OptionalLong processThatIs(DeviceFiles files, int id) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            if (id < state.geometry().headCount()) {
                Row row = state.heads().readAcquire(id);
                boolean isSelf = row.state() != HeadTable.State.FREE
                        && ProcessIdentity.named(row).equals(ProcessIdentity.current());
                if (isSelf || Reaper.isServedByAnother(state, row, Machine.REAL)) {
                    return OptionalLong.of(row.pid());
                }
            }
        } catch (StateFileException e) {
            // It is being replaced: nobody is served by it.
        }
        return OptionalLong.empty();
    }

    private DistinctErrorLog openErrorLog() {
        state.clearErrorLog(id);
        return new DistinctErrorLog(state.errorLog(id), SystemEpochClock.INSTANCE);
    }

    private static Set<PosixFilePermission> permissionsOf(Path file) {
        try {
            return Files.getPosixFilePermissions(file);
        } catch (IOException e) {
            throw new StateFileException(Problem.MISSING, "no such state file", file, e);
        }
    }

    // ---- peers

    private void tick() {
        Optional<StateFileException> lost = lost();
        if (lost.isPresent()) {
            tick.cancel();
            onLost.accept(lost.get());
        } else {
            incarnation.lookAtItself();
            lookAtPeers();
            // A fabric manager that set a region has told this head, unless it died, or could not reach it.
            device().capacity().refreshRegions();
        }
    }

    private void lookAtPeers() {
        incarnation.reapPeers(peer -> peers.watch(peer.head(), peer.incarnation(), peer.controlSocket()));
    }

    private void peerGone(int peer) {
        if (!closed) {
            // The kernel closes a dying process's files one by one: the socket may go before the lock.
            if (incarnation.reapPeer(peer) == Reaper.Outcome.ALIVE) {
                loop.after(5, () -> reapIfOpen(peer));
                loop.after(50, () -> reapIfOpen(peer));
            }
        }
    }

    /** The next step of something in the background: not when there is no memory any more. */
    private void runIfOpen(Runnable task) {
        if (!closed) {
            task.run();
        }
    }

    private void reapIfOpen(int peer) {
        if (!closed) {
            incarnation.reapPeer(peer);
        }
    }

    /** How the device has been taken from under this head, which must not go on then; empty while it has not. The message names the file. */
    public Optional<StateFileException> lost() {
        return lossOfState(state).or(() -> lossOf("media file", media.file(), mediaFileKey, media.lengthBytes(), true));
    }

    private Optional<StateFileException> lossOfState(StateFile opened) {
        return lossOf("state file", files.stateFile(), opened.fileKey(), opened.lengthBytes(), false)
                .or(() -> leases.isInPlace()
                        ? Optional.empty()
                        : Optional.of(loss("lock file was removed", files.lockFile())));
    }

    private Optional<StateFileException> lossOf(
            String what, Path file, Object key, long lengthBytes, boolean mayBeLonger) {
        try {
            if (!key.equals(fileKey(file))) {
                return Optional.of(loss(what + " was replaced", file));
            }
            long met = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .size();
            return met == lengthBytes || (met > lengthBytes && mayBeLonger)
                    ? Optional.empty()
                    : Optional.of(loss(what + " was cut", file));
        } catch (IOException e) {
            return Optional.of(loss(what + " was removed", file));
        }
    }

    private StateFileException loss(String what, Path file) {
        return new StateFileException(Problem.DAMAGED, what + " under a live head: head=" + id, file);
    }

    private static Object fileKey(Path file) throws IOException {
        return FileGuard.look(file).key();
    }

    private static void closeAll(Media media, StateFile state) {
        if (media != null) {
            media.close();
        }
        if (state != null) {
            state.close();
        }
    }

    /** The multi-headed commands tell what stands in the shared head table. */
    private final class TableInfo implements MultiHeadInfo {
        @Override
        public int headCount() {
            return state.geometry().headCount();
        }

        @Override
        public int ldCount() {
            return state.geometry().headCount();
        }

        @Override
        public int headOf(int ld) {
            return isAttached(ld) ? ld : NO_HEAD;
        }

        @Override
        public boolean isAttached(int head) {
            return state.heads().stateAcquire(head) == HeadTable.State.SERVING;
        }
    }
}

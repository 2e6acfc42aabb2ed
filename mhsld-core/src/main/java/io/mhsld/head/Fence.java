package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Ends the process that has a head, for good, and frees what it held.
 *
 * <p>Who that is the kernel says, not the head table, in which anybody may have written any process: the holder of the head's lease. Usually the
 * table names it too. If it does not, the process is one that starts as the head, or another head that reaps it, and neither takes long; is it
 * still at it after {@link Patience#REAP_MS}, it has been stopped, or hangs, and nothing else helps. Without a lease, a process that the table names
 * is the head if the kernel's word is that it can be, as {@link Machine#canBeHead} judges.
 */
public final class Fence {
    /** A killed process is gone within this time, unless the system is in trouble. */
    public static final long KILL_PATIENCE_MS = 5_000;

    /**
     * A process that was ended.
     *
     * @param pid its process id
     * @param wasHead true when it was the head; false when it only held its lease, because it was starting as the head or reaping it
     * @param otherHeads what it was, or held the leases of, besides
     */
    public record Ended(long pid, boolean wasHead, List<Integer> otherHeads) {}

    private static final long NOBODY = 0;

    private final StateFile state;
    private final LeaseFile leases;
    private final Reaper reaper;

    /** For one device; the caller holds its device lease. */
    public Fence(StateFile state, LeaseFile leases, Media media) {
        this.state = state;
        this.leases = leases;
        this.reaper = new Reaper(state, leases, media, Machine.REAL);
    }

    /**
     * Ends whoever has the head.
     *
     * @return whom, empty when nobody has it; what was left behind is freed either way
     * @throws StateFileException {@code IN_USE} when the process cannot be identified, is this one, or does not end
     */
    public Optional<Ended> end(int head) {
        Optional<Target> found = find(head);
        found.ifPresent(target -> kill(head, target));
        long pid = found.map(target -> target.ended.pid).orElse(0L);
        if (!Patience.awaitTrue(() -> reaper.reap(head) != Reaper.Outcome.ALIVE, KILL_PATIENCE_MS)) {
            throw inUse("the process did not end", head, pid, " waitedMs=" + KILL_PATIENCE_MS);
        }
        for (int other : found.map(target -> target.ended.otherHeads).orElse(List.of())) {
            if (other < state.geometry().headCount()) {
                reaper.reap(other);
            }
        }
        return found.map(target -> target.ended);
    }

    /** Whom to end, and its handle, which another process of the same number does not answer to. */
    private record Target(Ended ended, ProcessHandle handle) {}

    private void kill(int head, Target target) {
        if (!target.handle.destroyForcibly() && target.handle.isAlive()) {
            throw inUse("the process cannot be ended by this user", head, target.ended.pid, "");
        }
    }

    /** Empty when nobody has the head. */
    private Optional<Target> find(int head) {
        long giveUpNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(KILL_PATIENCE_MS);
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Patience.REAP_MS);
        Suspect suspect = new Suspect(NOBODY, -1);
        while (true) {
            Row row = state.heads().readAcquire(head);
            boolean isLeased = leases.isHeld(head);
            if (!isLeased && !Reaper.isServedByAnother(state, row, Machine.REAL)) {
                return Optional.empty();
            }
            long holder = isLeased ? leases.holderOf(head).orElse(NOBODY) : row.pid();
            Suspect met = new Suspect(holder, row.incarnation());
            if (holder != NOBODY && !met.equals(suspect)) {
                suspect = met;
                deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Patience.REAP_MS);
            }
            boolean isHead = holder != NOBODY && isNamed(holder, row);
            boolean isPatienceOver = System.nanoTime() - deadlineNs >= 0;
            boolean isStuck = holder != NOBODY && isPatienceOver;
            Optional<Target> target = isHead || isStuck ? targetOf(holder, head, isHead) : Optional.empty();
            if (target.isPresent()) {
                return target;
            }
            if (System.nanoTime() - giveUpNs >= 0 || (isPatienceOver && suspect.pid == NOBODY)) {
                throw inUse("the process that holds the head cannot be identified", head, row.pid(), "");
            }
            Patience.pause();
        }
    }

    /** Who holds the lease without being the head; one that does so for another incarnation is doing something else. */
    private record Suspect(long pid, long incarnation) {}

    private static boolean isNamed(long holder, Row row) {
        return row.pid() == holder
                && (row.state() == HeadTable.State.STARTING || row.state() == HeadTable.State.SERVING)
                && ProcessIdentity.named(row).isAlive();
    }

    /** Empty when the process has let go of the head meanwhile, or has ended. */
    private Optional<Target> targetOf(long pid, int head, boolean isHead) {
        if (pid == ProcessHandle.current().pid()) {
            throw inUse(
                    isHead ? "this process itself is the head" : "this process itself has the lease of the head",
                    head,
                    pid,
                    "");
        }
        Optional<ProcessHandle> handle = ProcessHandle.of(pid);
        List<Integer> others =
                leases.headsHeldBy(pid).stream().filter(other -> other != head).toList();
        // Once more: the handle is that of the process which has the head, and not of a later one with its number.
        boolean isStill = leases.isHeld(head)
                ? leases.holderOf(head).equals(Optional.of(pid))
                : Reaper.isServedByAnother(state, state.heads().readAcquire(head), Machine.REAL);
        return handle.filter(unused -> isStill).map(found -> new Target(new Ended(pid, isHead, others), found));
    }

    private StateFileException inUse(String cause, int head, long pid, String more) {
        return new StateFileException(Problem.IN_USE, cause + ": head=" + head + " pid=" + pid + more, state.file());
    }
}

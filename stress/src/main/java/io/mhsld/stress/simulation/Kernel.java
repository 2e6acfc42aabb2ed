package io.mhsld.stress.simulation;

import io.mhsld.head.Leases;
import io.mhsld.head.Machine;
import io.mhsld.head.ProcessIdentity;
import io.mhsld.head.TableLock;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.StateFile;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Processes, their deaths, and leases, as the system keeps them: what a process held it loses a little after its death, one by one, first what it had
 * mapped, then its leases; only then is it seen to be dead.
 */
final class Kernel {
    /** No process has ended so. */
    static final long NOT_YET = Long.MAX_VALUE;

    /** How long after a kill the last trace of a process may be gone. */
    private static final int MAX_DYING_NS = 20_000_000;

    private static final long FIRST_PID = 1000;

    /** What the kernel knows of the lease of one head. */
    private static final class HeadLease {
        private SimulatedProcess holder;
        private SimulatedProcess lastHolder;
        private long freeSinceNs;
        private long freeBeforeLastHolderNs;
    }

    private final Scheduler scheduler;
    private final int headCount;
    private final HeadLease[] leases;
    private final Map<Long, SimulatedProcess> processes = new HashMap<>();

    Kernel(Scheduler scheduler, int headCount) {
        this.scheduler = scheduler;
        this.headCount = headCount;
        // Behind those of the heads stands the table lock.
        this.leases = new HeadLease[headCount + 1];
        for (int head = 0; head <= headCount; head++) {
            leases[head] = new HeadLease();
        }
    }

    /** A process, as it sees itself and its machine. */
    final class SimulatedProcess implements Machine, Leases {
        private final long pid;
        private final Scheduler.Actor actor;
        private final TableLock tables = new TableLock(this::tryTables, this);
        private long diedNs = NOT_YET;
        private boolean killed;
        private SharedFiles.Mapped mapped;
        private boolean isUnmapped;
        private Optional<CrashPoint> lastPoint = Optional.empty();
        private long healthySinceNs = NOT_YET;

        private SimulatedProcess(long pid, Scheduler.Actor actor) {
            this.pid = pid;
            this.actor = actor;
        }

        long pid() {
            return pid;
        }

        boolean runsOn(Scheduler.Actor thread) {
            return actor == thread;
        }

        /** It has opened the device. */
        void maps(SharedFiles.Mapped file) {
            mapped = file;
        }

        /** What it has open. */
        SharedFiles.Mapped mapped() {
            return mapped;
        }

        /** From now on it looks after its peers. */
        void serves() {
            healthySinceNs = scheduler.nowNs();
        }

        /** It looks after its peers again, and has done so since then. */
        void serves(long sinceNs) {
            healthySinceNs = sinceNs;
        }

        /** It looks after its peers no more. */
        void leaves() {
            healthySinceNs = NOT_YET;
        }

        /** Since when it has been looking after its peers without being stopped; {@link #NOT_YET} when it does not. */
        long healthySinceNs() {
            return healthySinceNs;
        }

        /** It is between this point and the next. */
        void comesTo(CrashPoint point) {
            lastPoint = Optional.of(point);
        }

        /** The last point that it has come to. */
        Optional<CrashPoint> lastPoint() {
            return lastPoint;
        }

        boolean holds(int head) {
            return leases[head].holder == this;
        }

        boolean holdsTables() {
            return holds(headCount);
        }

        /** Stops it for so long. */
        void stop(long ns) {
            actor.stop(ns);
            if (healthySinceNs != NOT_YET) {
                // Who is stopped already goes on when the longest of them is over.
                healthySinceNs = Math.max(healthySinceNs, scheduler.nowNs() + ns);
            }
        }

        /** {@code SIGKILL}. */
        void kill() {
            killed = true;
            healthySinceNs = NOT_YET;
            long unmappedNs = scheduler.random().nextInt(MAX_DYING_NS);
            long releasedNs = unmappedNs;
            scheduler.after(unmappedNs, () -> isUnmapped = true);
            for (HeadLease lease : leases) {
                if (lease.holder == this) {
                    long delayNs = unmappedNs + 1 + scheduler.random().nextInt(MAX_DYING_NS);
                    releasedNs = Math.max(releasedNs, delayNs);
                    scheduler.after(delayNs, () -> release(lease, this));
                }
            }
            scheduler.after(
                    releasedNs + 1 + scheduler.random().nextInt(MAX_DYING_NS), () -> diedNs = scheduler.nowNs());
            scheduler.kill(actor);
        }

        /** It has come to its own end. */
        void exit() {
            if (!killed) {
                killed = true;
                healthySinceNs = NOT_YET;
                isUnmapped = true;
                for (HeadLease lease : leases) {
                    release(lease, this);
                }
                diedNs = scheduler.nowNs();
            }
        }

        @Override
        public long nanoTime() {
            return scheduler.nowNs();
        }

        @Override
        public void pause(long ns) {
            scheduler.step("pause", "ns", ns);
            scheduler.pause(ns);
        }

        @Override
        public Clock clock() {
            return new SimulatedClock();
        }

        @Override
        public ProcessIdentity self() {
            return identityOf(pid);
        }

        @Override
        public boolean isAlive(ProcessIdentity process) {
            scheduler.step("alive?", "pid", process.pid());
            SimulatedProcess found = processes.get(process.pid());
            return found != null
                    && found.diedNs == NOT_YET
                    && identityOf(found.pid).equals(process);
        }

        @Override
        public boolean canBeHead(ProcessIdentity process, StateFile state, int head) {
            if (!isAlive(process)) {
                return false;
            }
            scheduler.step("maps?", "pid", process.pid());
            SimulatedProcess found = processes.get(process.pid());
            return !found.isUnmapped && found.mapped != null && found.mapped.state() == state;
        }

        @Override
        public Optional<Lease> tryHead(int head) {
            scheduler.step("try", "lease", head);
            HeadLease lease = leases[head];
            if (lease.holder != null) {
                return Optional.empty();
            }
            lease.holder = this;
            if (lease.lastHolder != this) {
                lease.lastHolder = this;
                lease.freeBeforeLastHolderNs = lease.freeSinceNs;
            }
            return Optional.of(new Lease() {
                @Override
                public void release() {
                    // The dead release nothing: the kernel does, in its own time.
                    if (!killed && isHeld()) {
                        scheduler.step("free", "lease", head);
                        Kernel.this.release(lease, SimulatedProcess.this);
                    }
                }

                @Override
                public boolean isHeld() {
                    return lease.holder == SimulatedProcess.this;
                }
            });
        }

        @Override
        public Optional<Lease> tryTables() {
            return tryHead(headCount);
        }

        @Override
        public TableLock tables() {
            return tables;
        }

        @Override
        public boolean isHeld(int head) {
            scheduler.step("held?", "lease", head);
            return Kernel.this.isHeld(head);
        }

        @Override
        public String toString() {
            return actor + "/" + pid;
        }
    }

    /** A new process on that thread. */
    SimulatedProcess spawn(Scheduler.Actor actor) {
        SimulatedProcess process = new SimulatedProcess(FIRST_PID + processes.size(), actor);
        processes.put(process.pid, process);
        return process;
    }

    /** True while some process has the lease. */
    boolean isHeld(int head) {
        return leases[head].holder != null;
    }

    /** Since when nobody has been the head and nobody has been reaping it; {@link #NOT_YET} while somebody is. Its process may still be seen. */
    long deadSinceNs(int head) {
        return leases[head].holder != null ? NOT_YET : leases[head].freeSinceNs;
    }

    /** The same, as if this process had never tried. */
    long deadSinceNs(int head, SimulatedProcess except) {
        HeadLease lease = leases[head];
        return lease.holder == null && lease.lastHolder == except ? lease.freeBeforeLastHolderNs : deadSinceNs(head);
    }

    private void release(HeadLease lease, SimulatedProcess holder) {
        if (lease.holder == holder) {
            lease.holder = null;
            lease.freeSinceNs = scheduler.nowNs();
        }
    }

    private static ProcessIdentity identityOf(long pid) {
        return new ProcessIdentity(pid, pid * 7);
    }

    private final class SimulatedClock extends Clock {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochSecond(1_800_000_000L, scheduler.nowNs());
        }
    }
}

package io.mhsld.head;

import io.mhsld.state.StateFile;
import java.time.Clock;
import java.util.concurrent.locks.LockSupport;

/** What a head must know of the machine that it runs on, besides memory and leases: time, and which processes live. */
public interface Machine {
    /** Nanoseconds from some moment in the past; only differences mean something. */
    long nanoTime();

    /** Lets time pass: about so many nanoseconds, or fewer. */
    void pause(long ns);

    /** The time of day. */
    Clock clock();

    /** The process that this code runs in. */
    ProcessIdentity self();

    /** True when that very process exists. */
    boolean isAlive(ProcessIdentity process);

    /**
     * True when that very process exists and can be a head of this device by the kernel's word, with or without a lease of the lock file that is
     * there now. It is not for hot paths.
     */
    boolean canBeHead(ProcessIdentity process, StateFile state, int head);

    /** The machine itself. */
    Machine REAL = new Machine() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void pause(long ns) {
            LockSupport.parkNanos(ns);
        }

        @Override
        public Clock clock() {
            return Clock.systemUTC();
        }

        @Override
        public ProcessIdentity self() {
            return ProcessIdentity.current();
        }

        @Override
        public boolean isAlive(ProcessIdentity process) {
            return process.isAlive();
        }

        @Override
        public boolean canBeHead(ProcessIdentity process, StateFile state, int head) {
            return process.isAlive() && HeadEvidence.isHead(process.pid(), state, head);
        }
    };
}

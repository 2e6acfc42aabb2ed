package io.mhsld.head;

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
    };
}

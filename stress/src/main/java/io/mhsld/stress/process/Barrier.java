package io.mhsld.stress.process;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.AtomicBuffer;

/** Holds processes until all of them have come, and then lets them go at once. It lies in memory that they share. */
public final class Barrier {
    /** Bytes that it takes, zero at first: two numbers, far enough apart not to be in each other's way. */
    public static final int LENGTH = 256;

    private static final int ARRIVED = 0;
    private static final int ROUND = 128;

    /** Who spins leaves the barrier soonest; who goes on spinning keeps those from coming for whom there is no processor. */
    private static final int SPINS = 2_000;

    private static final long PAUSE_NS = 20_000;

    private final AtomicBuffer memory;
    private final int offset;
    private final int parties;
    private final long patienceNs;

    /**
     * A barrier.
     *
     * @param parties how many processes use it
     * @param patienceS how long one waits for the others
     */
    public Barrier(AtomicBuffer memory, int offset, int parties, int patienceS) {
        this.memory = memory;
        this.offset = offset;
        this.parties = parties;
        this.patienceNs = TimeUnit.SECONDS.toNanos(patienceS);
    }

    /**
     * Waits for the others. What any of them stored before it came is seen by all afterwards.
     *
     * @throws IllegalStateException when somebody did not come in time
     */
    public void await() {
        long round = memory.getLongVolatile(offset + ROUND);
        if (memory.getAndAddLong(offset + ARRIVED, 1) == parties - 1) {
            memory.putLongVolatile(offset + ARRIVED, 0);
            memory.putLongVolatile(offset + ROUND, round + 1);
            return;
        }
        int spins = 0;
        long deadlineNs = 0;
        while (memory.getLongVolatile(offset + ROUND) == round) {
            if (++spins < SPINS) {
                Thread.onSpinWait();
                continue;
            }
            LockSupport.parkNanos(PAUSE_NS);
            long now = System.nanoTime();
            deadlineNs = deadlineNs == 0 ? now + patienceNs : deadlineNs;
            if (now - deadlineNs > 0) {
                throw new IllegalStateException("another process did not come: arrived="
                        + memory.getLongVolatile(offset + ARRIVED) + " parties=" + parties + " round=" + round);
            }
        }
    }
}

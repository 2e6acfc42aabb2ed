package io.mhsld.head;

import io.mhsld.head.Leases.Lease;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The table lock: who has it may change tag table, region settings and poison table. It is a kernel lock, so a holder that dies loses it; one that is
 * stopped keeps it, and then others are refused after a while rather than wait for ever. It is never taken twice by one thread.
 */
final class TableLock {
    /** Others hold it for some microseconds, or while memory is given back, for a quarter of a second at most. */
    static final long PATIENCE_MS = 300;

    /** After a wait in vain nobody here waits for long again, for so long: whoever waits holds up all that its thread has to do. */
    private static final long SHORT_OF_PATIENCE_NS = 1_000_000_000;

    private static final long SHORT_PATIENCE_MS = 5;

    private static final long POLL_NS = 50_000;

    private final Leases leases;
    private final Machine machine;
    private boolean waitedInVain;
    private long inVainNs;

    TableLock(Leases leases, Machine machine) {
        this.leases = leases;
        this.machine = machine;
    }

    /** Does something with the lock; empty when it was not to be had in so long. 0 asks once. */
    <T> Optional<T> with(long patienceMs, Supplier<T> action) {
        Optional<Lease> lock = leases.tryTables();
        if (lock.isEmpty() && patienceMs > 0) {
            lock = waitFor(isShortOfPatience() ? Math.min(SHORT_PATIENCE_MS, patienceMs) : patienceMs);
        }
        if (lock.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(action.get());
        } finally {
            lock.get().release();
        }
    }

    private boolean isShortOfPatience() {
        return waitedInVain && machine.nanoTime() - inVainNs < SHORT_OF_PATIENCE_NS;
    }

    private Optional<Lease> waitFor(long patienceMs) {
        boolean isLong = patienceMs > SHORT_PATIENCE_MS;
        long deadlineNs = machine.nanoTime() + patienceMs * 1_000_000;
        Optional<Lease> lock = Optional.empty();
        while (lock.isEmpty() && machine.nanoTime() - deadlineNs < 0) {
            machine.pause(POLL_NS);
            lock = leases.tryTables();
        }
        if (isLong) {
            waitedInVain = lock.isEmpty();
            inVainNs = machine.nanoTime();
        }
        return lock;
    }
}

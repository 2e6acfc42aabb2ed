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
    static final long PATIENCE_MS = 500;

    private static final long POLL_NS = 50_000;

    private final Leases leases;
    private final Machine machine;

    TableLock(Leases leases, Machine machine) {
        this.leases = leases;
        this.machine = machine;
    }

    /** Does something with the lock; empty when it was not to be had in so long. 0 asks once. */
    <T> Optional<T> with(long patienceMs, Supplier<T> action) {
        Optional<Lease> lock = leases.tryTables();
        if (lock.isEmpty() && patienceMs > 0) {
            lock = waitFor(patienceMs);
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

    private Optional<Lease> waitFor(long patienceMs) {
        long deadlineNs = machine.nanoTime() + patienceMs * 1_000_000;
        Optional<Lease> lock = Optional.empty();
        while (lock.isEmpty() && machine.nanoTime() - deadlineNs < 0) {
            machine.pause(POLL_NS);
            lock = leases.tryTables();
        }
        return lock;
    }
}

package io.mhsld.head;

import io.mhsld.head.Leases.Lease;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * The table lock, as one process has it on one device: who holds it may change tag table, region settings and poison table. It is a kernel lock, so a
 * holder that dies loses it; one that is stopped keeps it, and then others are refused after a while rather than wait for ever. All who want it here
 * share what waiting has taught: after a wait in vain none of them waits for more than 5 ms again, for a second. It is never taken twice by one
 * thread.
 */
public final class TableLock {
    /** Others hold it for some microseconds, or while memory is given back, for a quarter of a second at most. */
    static final long PATIENCE_MS = 300;

    private static final long POLL_NS = 50_000;

    /**
     * What came of something that wanted the lock.
     *
     * @param value empty when the lock was not to be had
     * @param waitedMs for how long it was waited for
     */
    record Result<T>(Optional<T> value, long waitedMs) {
        /** What was done, or what is said to the time that it was waited for in vain. */
        T orRefused(LongFunction<T> refused) {
            return value.orElseGet(() -> refused.apply(waitedMs));
        }

        boolean isDone() {
            return value.isPresent();
        }
    }

    private final LeaseWait wait;

    /**
     * For the leases of one process.
     *
     * @param attempt takes the lock, or does not
     */
    public TableLock(Supplier<Optional<Lease>> attempt, Machine machine) {
        wait = new LeaseWait(attempt, machine, POLL_NS);
    }

    /** Does something with the lock, if it can be had in so long. 0 asks once. */
    <T> Result<T> with(long patienceMs, Supplier<T> action) {
        LeaseWait.Outcome taken = take(patienceMs, () -> {}, () -> {});
        if (taken.lease().isEmpty()) {
            return new Result<>(Optional.empty(), taken.waitedMs());
        }
        Lease lock = taken.lease().get();
        try {
            return new Result<>(Optional.of(action.get()), taken.waitedMs());
        } finally {
            lock.release();
        }
    }

    /** Takes the lock, for the caller to release: see {@link LeaseWait#await}. */
    LeaseWait.Outcome take(long patienceMs, Runnable begins, Runnable ends) {
        return wait.await(patienceMs, begins, ends);
    }
}

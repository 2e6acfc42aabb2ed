package io.mhsld.head;

import io.mhsld.head.Leases.Lease;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How one process waits for a right that others hold for an instant only. Somebody who is stopped may hold it for ever: after a wait in vain nobody
 * here waits for long again, for a while, since whoever waits holds up all that its thread has to do. Any thread.
 */
final class LeaseWait {
    /** After a wait in vain there is no patience for so long. */
    private static final long SHORT_OF_PATIENCE_NS = 1_000_000_000;

    private static final long SHORT_PATIENCE_MS = 5;

    /**
     * What came of it.
     *
     * @param lease empty when it was not to be had
     * @param waitedMs for how long it was waited for
     */
    record Outcome(Optional<Lease> lease, long waitedMs) {}

    private final Supplier<Optional<Lease>> attempt;
    private final Machine machine;
    private final long pollNs;
    private volatile boolean waitedInVain;
    private volatile long inVainNs;

    /** @param pollNs the time between two attempts */
    LeaseWait(Supplier<Optional<Lease>> attempt, Machine machine, long pollNs) {
        this.attempt = attempt;
        this.machine = machine;
        this.pollNs = pollNs;
    }

    /**
     * Tries at least once.
     *
     * @param patienceMs how long to wait at most; 0 asks once
     * @param begins called when it has to wait
     * @param ends called when that is over, however it ended
     */
    Outcome await(long patienceMs, Runnable begins, Runnable ends) {
        Optional<Lease> lease = attempt.get();
        if (lease.isPresent() || patienceMs <= 0) {
            return new Outcome(lease, 0);
        }
        begins.run();
        try {
            return await(isShortOfPatience() ? Math.min(SHORT_PATIENCE_MS, patienceMs) : patienceMs);
        } finally {
            ends.run();
        }
    }

    private boolean isShortOfPatience() {
        return waitedInVain && machine.nanoTime() - inVainNs < SHORT_OF_PATIENCE_NS;
    }

    private Outcome await(long patienceMs) {
        long startNs = machine.nanoTime();
        long waitedNs = 0;
        Optional<Lease> lease = Optional.empty();
        while (lease.isEmpty() && waitedNs < patienceMs * 1_000_000) {
            machine.pause(pollNs);
            lease = attempt.get();
            waitedNs = machine.nanoTime() - startNs;
        }
        if (patienceMs > SHORT_PATIENCE_MS && lease.isEmpty()) {
            inVainNs = machine.nanoTime();
            waitedInVain = true;
        } else if (lease.isPresent()) {
            waitedInVain = false;
        }
        return new Outcome(lease, waitedNs / 1_000_000);
    }
}

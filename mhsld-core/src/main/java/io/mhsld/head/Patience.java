package io.mhsld.head;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for what other processes do, who tell nobody that they have done it. */
public final class Patience {
    /** A probe of another process may hold a lease for an instant, and a process that is ending may be seen for another. */
    public static final long PROBE_MS = 300;

    /** Somebody who is not a live head rarely holds a lease for longer: a reaper, an init, a tool that looks. */
    public static final long REAP_MS = 2_000;

    private static final long POLL_NS = 2_000_000;

    private Patience() {}

    /** Tries until something comes of it, at least once, and for so long; empty if nothing does. */
    public static <T> Optional<T> await(Supplier<Optional<T>> attempt, long patienceMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patienceMs);
        while (true) {
            Optional<T> result = attempt.get();
            if (result.isPresent() || System.nanoTime() - deadlineNs >= 0) {
                return result;
            }
            pause();
        }
    }

    /** Waits until something holds; false if it does not in so long. */
    public static boolean awaitTrue(BooleanSupplier condition, long patienceMs) {
        return await(() -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty(), patienceMs)
                .isPresent();
    }

    /** The time between two attempts. */
    static void pause() {
        LockSupport.parkNanos(POLL_NS);
    }
}

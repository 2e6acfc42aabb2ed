package io.mhsld.head;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether one that waits for work looks for it a little longer before it sleeps. To be woken takes longer than most requests do: 20 to 35 µs where
 * a sleeping processor must first be given back to a virtual machine. Looking pays when the next request is on its way already, as when a client
 * asks one thing after the other; so whoever waited longer than {@link #LOOK_NS} last time goes to sleep at once, and who waits for nothing costs nothing.
 *
 * <p>{@link #begin}, then looking as long as {@link #looksOn}, then sleeping if nothing came, then {@link #found} or {@link #foundNothing}. Belongs to
 * one thread.
 */
public final class Lookout {
    /** How long one looks, and what counts as soon: a request through two processes and back. */
    public static final long LOOK_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final LongSupplier clockNs;
    private long sinceNs;
    private boolean wasSoon;

    /** Of one that has not waited yet: it sleeps the first time. */
    public Lookout() {
        this(System::nanoTime);
    }

    Lookout(LongSupplier clockNs) {
        this.clockNs = clockNs;
    }

    /** Waiting begins. */
    public void begin() {
        sinceNs = clockNs.getAsLong();
    }

    /** True: look, without waiting; whoever else wanted the processor has had it. False: sleep. */
    @SuppressWarnings("ThreadPriorityCheck") // A courtesy: nothing depends on who runs next.
    public boolean looksOn() {
        if (!wasSoon || waitedNs() >= LOOK_NS) {
            return false;
        }
        Thread.yield();
        return true;
    }

    /** The wait ended with work that somebody else brought. */
    public void found() {
        wasSoon = waitedNs() < LOOK_NS;
    }

    /** The wait ended with nothing, or with work of one's own, such as a timer's. */
    public void foundNothing() {
        wasSoon = false;
    }

    private long waitedNs() {
        return clockNs.getAsLong() - sinceNs;
    }
}

package io.mhsld.head;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether one that waits for work looks for it a little longer before it sleeps. To be woken takes longer than most requests do: 20 to 35 µs where a
 * sleeping processor must first be given back to a virtual machine. Looking pays when the next request is on its way already, as when a client asks
 * one thing after the other; so whoever waited longer than {@link #LOOK_NS} last time goes to sleep at once, and who waits for nothing costs nothing.
 *
 * <p>Between looks the processor is offered to others: whoever brings the work may need it. Where somebody takes it for {@link #TAKEN_NS}, there are
 * more who compute than processors, and looking would mean to wait behind them, which one that is woken does not; so there is no more of it for
 * {@link #PAUSE_NS}.
 *
 * <p>{@link #begin}, then looking as long as {@link #looksOn}, then sleeping if nothing came, then {@link #found} or {@link #foundNothing}. Belongs to
 * one thread.
 */
public final class Lookout {
    /** How long one looks, and what counts as soon: a request through two processes and back. */
    public static final long LOOK_NS = TimeUnit.MICROSECONDS.toNanos(100);

    /** Nobody who answers a request takes so long; who computes is given some milliseconds at a time. */
    static final long TAKEN_NS = TimeUnit.MICROSECONDS.toNanos(500);

    /** Long enough that waiting behind others once in it costs little. */
    static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final LongSupplier clockNs;
    private final Runnable offer;
    private long sinceNs;
    private boolean wasSoon;
    /** No look before this. */
    private long pausesUntilNs;

    /** Of one that has not waited yet: it sleeps the first time. */
    @SuppressWarnings("ThreadPriorityCheck") // What depends on the scheduler is how soon, and nothing else.
    public Lookout() {
        this(System::nanoTime, Thread::yield);
    }

    Lookout(LongSupplier clockNs, Runnable offer) {
        this.clockNs = clockNs;
        this.offer = offer;
        this.pausesUntilNs = clockNs.getAsLong();
    }

    /** Waiting begins. */
    public void begin() {
        sinceNs = clockNs.getAsLong();
    }

    /** True: look, without waiting; the processor has been offered to whoever else wants it. False: sleep. */
    public boolean looksOn() {
        if (!wasSoon) {
            return false;
        }
        long now = clockNs.getAsLong();
        if (now - pausesUntilNs < 0 || now - sinceNs >= LOOK_NS) {
            return false;
        }
        offer.run();
        long after = clockNs.getAsLong();
        if (after - now >= TAKEN_NS) {
            pausesUntilNs = after + PAUSE_NS;
        }
        return true;
    }

    /** The wait ended with work that somebody else brought. */
    public void found() {
        wasSoon = clockNs.getAsLong() - sinceNs < LOOK_NS;
    }

    /** The wait ended with nothing, or with work of one's own, such as a timer's. */
    public void foundNothing() {
        wasSoon = false;
    }
}

package io.mhsld.head;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The one thread of a head: waits in a selector for sockets, timers and tasks, and runs them one after the other, so that what they touch
 * needs no locks. Without work it sleeps until the next timer is due; only when one request closely followed another does it look for the next one
 * a little longer, as {@link Lookout} tells.
 *
 * <p>A thread that must wait for something that no selector knows can take the head's {@link #turn}: nothing else runs meanwhile.
 */
public final class EventLoop implements AutoCloseable {
    /** Called on the loop's thread when its channel is ready. An exception closes that channel and goes to the error sink. */
    public interface ChannelHandler {
        /** Reads, writes or accepts. */
        void ready(SelectionKey key) throws IOException;
    }

    /** A task that is due later; cancelling it twice, or after it ran, is harmless. */
    public interface Timer {
        /** The task does not run any more. */
        void cancel();
    }

    private final Selector selector;
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>(Comparator.comparingLong(alarm -> alarm.dueNs));
    private Consumer<Throwable> errorSink = error -> {};
    private volatile boolean stopped;

    /** Held by whoever runs something, never while waiting in the selector. Fair: who takes it again and again keeps nobody else from it. */
    private final ReentrantLock turn = new ReentrantLock(true);

    /** The loop's thread once it runs; it stays so after the end. Written within a turn; whoever hands over a task reads it without one. */
    private volatile Thread runner;

    /** Nobody else gets a turn after the loop. Written and read within a turn. */
    private boolean ended;

    /** What ended the loop in another thread's turn. Written and read within a turn. */
    private Error foreignError;

    /** The loop's thread's own. */
    private final Lookout lookout = new Lookout();

    private EventLoop(Selector selector) {
        this.selector = selector;
    }

    /** A loop that is not running yet. */
    public static EventLoop open() {
        try {
            return new EventLoop(Selector.open());
        } catch (IOException e) {
            throw new UncheckedIOException("no selector to be had", e);
        }
    }

    /** Where exceptions of handlers, timers and tasks go; the loop goes on after them. {@link Error}s end it. */
    public void onError(Consumer<Throwable> sink) {
        errorSink = sink;
    }

    /** Watches a channel, which becomes non-blocking. Within a turn, or before the loop runs. */
    public SelectionKey register(SelectableChannel channel, int operations, ChannelHandler handler) {
        try {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, operations, handler);
            wakeIfElsewhere();
            return key;
        } catch (IOException e) {
            throw new UncheckedIOException("channel cannot be watched", e);
        }
    }

    /**
     * Watches for these operations from now on. Within a turn. Other than {@link SelectionKey#interestOps(int)} alone it also works in a turn of
     * another thread, of which a selector that is waiting would not hear.
     */
    public void watch(SelectionKey key, int operations) {
        if (key.interestOps() != operations) {
            key.interestOps(operations);
            wakeIfElsewhere();
        }
    }

    /** Runs a task again and again; the first time after one period. Within a turn, or before the loop runs. */
    public Timer every(long periodMs, Runnable task) {
        return schedule(periodMs, periodMs, task);
    }

    /** Runs a task once. Within a turn, or before the loop runs. */
    public Timer after(long delayMs, Runnable task) {
        return schedule(delayMs, 0, task);
    }

    /** Hands a task to the loop's thread. Any thread. */
    public void execute(Runnable task) {
        tasks.add(task);
        // The loop's own thread looks at the tasks before it waits: waking it would cost three system calls.
        if (Thread.currentThread() != runner) {
            selector.wakeup();
        }
    }

    /**
     * Does something in the calling thread while the loop runs nothing: what belongs on the loop's thread may be done so, and what it makes the
     * loop wait for is waited for. Any thread; a turn within a turn is the same one. It lasts as long as a handler may, and waits for nothing.
     *
     * <p>An {@link Error} ends the loop as one of a task does: {@link #run} throws it, and so does this.
     *
     * @throws IllegalStateException in another thread than the loop's, when the loop has ended
     */
    public <T> T turn(Supplier<T> work) {
        turn.lock();
        try {
            boolean isElsewhere = runner != Thread.currentThread();
            if (ended && isElsewhere) {
                throw new IllegalStateException("event loop has ended");
            }
            try {
                return work.get();
            } catch (Error e) {
                if (isElsewhere && foreignError == null) {
                    foreignError = e;
                    stop();
                }
                throw e;
            }
        } finally {
            turn.unlock();
        }
    }

    /** The same without a result. */
    public void turn(Runnable work) {
        turn(() -> {
            work.run();
            return null;
        });
    }

    /** True within a turn of the calling thread. */
    public boolean isTurn() {
        return turn.isHeldByCurrentThread();
    }

    /**
     * Runs until {@link #stop}; what was handed over before the stop still runs. An interrupt of the thread is a stop too, and is still to be
     * seen afterwards.
     */
    public void run() {
        turn(() -> runner = Thread.currentThread());
        try {
            while (!stopped) {
                waitForWork();
                if (Thread.currentThread().isInterrupted()) {
                    // No selector would wait any more.
                    stopped = true;
                }
                runReadyChannels();
                runDueAlarms();
                runTasks();
            }
            runTasks();
        } finally {
            turn(() -> ended = true);
        }
        Error error = turn(() -> foreignError);
        if (error != null) {
            throw error;
        }
    }

    /** Ends {@link #run} after the current round. Any thread. */
    public void stop() {
        stopped = true;
        selector.wakeup();
    }

    /** Closes the selector and every channel that it still watches. */
    @Override
    public void close() {
        try {
            for (SelectionKey key : Set.copyOf(selector.keys())) {
                key.channel().close();
            }
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException("event loop cannot be closed", e);
        } catch (ClosedSelectorException e) {
            // Closed before: nothing is left to do.
        }
    }

    private Timer schedule(long delayMs, long periodMs, Runnable task) {
        Alarm alarm = new Alarm(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMs), periodMs, task);
        alarms.add(alarm);
        wakeIfElsewhere();
        return alarm;
    }

    /** The loop's thread may sleep in the selector while another one has its turn, and knows nothing of what has changed. */
    private void wakeIfElsewhere() {
        if (runner != null && runner != Thread.currentThread()) {
            selector.wakeup();
        }
    }

    private void waitForWork() {
        try {
            lookout.begin();
            boolean isAny = !tasks.isEmpty();
            if (isAny) {
                selector.selectNow();
            }
            while (!isAny && !stopped && lookout.looksOn()) {
                isAny = selector.selectNow() > 0 || !tasks.isEmpty();
            }
            // A selectNow may use up a waking, so tasks are looked at after it, never before. A stop is looked at here,
            // timers and channels are by sleep.
            if (!isAny && !stopped) {
                sleep();
            }
            if (selector.selectedKeys().isEmpty()) {
                lookout.foundNothing();
            } else {
                lookout.found();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("selector failed", e);
        }
    }

    private void sleep() throws IOException {
        Alarm next = turn(alarms::peek);
        if (next == null) {
            selector.select();
            return;
        }
        long leftNs = next.dueNs - System.nanoTime();
        if (leftNs <= 0) {
            selector.selectNow();
        } else {
            // Rounded up, for waking too early would mean going round the loop once more.
            selector.select(TimeUnit.NANOSECONDS.toMillis(leftNs) + 1);
        }
    }

    private void runReadyChannels() {
        List<SelectionKey> ready = new ArrayList<>(selector.selectedKeys());
        selector.selectedKeys().clear();
        for (SelectionKey key : ready) {
            turn(() -> runReady(key));
            // However many sockets are busy, a timer waits for one of them at most.
            runDueAlarms();
        }
    }

    private void runReady(SelectionKey key) {
        if (key.isValid()) {
            try {
                ((ChannelHandler) key.attachment()).ready(key);
            } catch (IOException | RuntimeException e) {
                errorSink.accept(e);
                closeQuietly(key);
            }
        }
    }

    private void runDueAlarms() {
        long now = System.nanoTime();
        boolean isAnyLeft = true;
        while (isAnyLeft) {
            isAnyLeft = turn(() -> runDueAlarm(now));
        }
    }

    /** False when none is due. */
    private boolean runDueAlarm(long now) {
        if (alarms.isEmpty() || alarms.peek().dueNs - now > 0) {
            return false;
        }
        Alarm alarm = alarms.remove();
        if (!alarm.cancelled) {
            guarded(alarm.task);
            if (alarm.periodMs > 0) {
                alarm.dueNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(alarm.periodMs);
                alarms.add(alarm);
            }
        }
        return true;
    }

    private void runTasks() {
        // Only what was there at the start: a task that hands over another one must not starve the sockets.
        for (int left = tasks.size(); left > 0; left--) {
            Runnable task = tasks.remove();
            turn(() -> guarded(task));
            runDueAlarms();
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            errorSink.accept(e);
        }
    }

    private void closeQuietly(SelectionKey key) {
        key.cancel();
        try {
            key.channel().close();
        } catch (IOException e) {
            errorSink.accept(e);
        }
    }

    private static final class Alarm implements Timer {
        private final long periodMs;
        private final Runnable task;
        private long dueNs;
        private boolean cancelled;

        private Alarm(long dueNs, long periodMs, Runnable task) {
            this.dueNs = dueNs;
            this.periodMs = periodMs;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }
}

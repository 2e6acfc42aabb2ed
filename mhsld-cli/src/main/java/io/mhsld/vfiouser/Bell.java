package io.mhsld.vfiouser;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts events on a client's counters in a thread of its own. A counter that is full makes its writer wait if it was made so, and who shares it can make
 * it so, and fill it, at any moment: between a question whether it is full and the write as well. So nobody writes to one within a turn.
 */
final class Bell {
    /** What is done with a counter. Both may wait for whoever shares it. */
    interface Clapper {
        /** Adds to it. */
        void add(int counter, long events);

        /** Takes all from it, so that who adds to it does not wait any more. */
        void drain(int counter);

        /** Another descriptor for it, to drain it while the first one is closed; -1 when there is none to be had. */
        int copy(int counter);

        /** The descriptor is not used any more. */
        void close(int descriptor);
    }

    private static final int NONE = -1;
    private static final long DRAIN_PERIOD_MS = 5;

    private final Clapper clapper;
    private final Thread thread = new Thread(this::run, "vfio-user bell");

    /** What has happened and was not counted yet, by the number of the descriptor: at most all interrupts there are. */
    private final Map<Integer, Long> waiting = new LinkedHashMap<>();

    /** What is being added to. */
    private int ringing = NONE;

    /** It is to be closed as soon as nothing is added to it any more: its number must not become that of another file before. */
    private boolean isRingingReleased;

    private boolean isStopped;

    Bell(Clapper clapper) {
        this.clapper = clapper;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Counts one event, soon. Never waits. */
    synchronized void ring(int counter) {
        waiting.merge(counter, 1L, Long::sum);
        notifyAll();
    }

    /** Forgets the counter, and closes it as soon as that can be. Never waits. */
    synchronized void release(int counter) {
        waiting.remove(counter);
        if (counter == ringing) {
            isRingingReleased = true;
            notifyAll();
        } else {
            clapper.close(counter);
        }
    }

    /** Waits until what was released is closed, and empties it if it is full. Not within a turn: it waits as long as others keep it full. */
    void settle() throws InterruptedException {
        while (true) {
            int copy;
            synchronized (this) {
                if (!isRingingReleased) {
                    return;
                }
                copy = clapper.copy(ringing);
            }
            if (copy != NONE) {
                clapper.drain(copy);
                clapper.close(copy);
            }
            synchronized (this) {
                if (isRingingReleased) {
                    wait(DRAIN_PERIOD_MS);
                }
            }
        }
    }

    /** Nothing is counted any more. Does not wait for the thread. */
    synchronized void stop() {
        isStopped = true;
        notifyAll();
    }

    private void run() {
        try {
            while (true) {
                int counter;
                long events;
                synchronized (this) {
                    while (waiting.isEmpty() && !isStopped) {
                        wait();
                    }
                    if (isStopped) {
                        return;
                    }
                    Iterator<Map.Entry<Integer, Long>> first =
                            waiting.entrySet().iterator();
                    Map.Entry<Integer, Long> next = first.next();
                    counter = next.getKey();
                    events = next.getValue();
                    first.remove();
                    ringing = counter;
                }
                try {
                    clapper.add(counter, events);
                } finally {
                    finish();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void finish() {
        if (isRingingReleased) {
            clapper.close(ringing);
        }
        ringing = NONE;
        isRingingReleased = false;
        notifyAll();
    }
}

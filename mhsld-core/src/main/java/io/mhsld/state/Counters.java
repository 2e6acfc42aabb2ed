package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.COUNTER_ROW_LENGTH;

/** The counters of one head. One writer, the holder of the head's lease. */
public final class Counters {
    private final SharedMemory rows;
    private final int base;

    Counters(SharedMemory rows, int head) {
        this.rows = rows;
        this.base = head * COUNTER_ROW_LENGTH;
    }

    /** The present value. */
    public long getAcquire(Counter counter) {
        return rows.getLongAcquire(offset(counter));
    }

    /** Adds to a counter: a read and a write, not one atomic step, for there is one writer. */
    public void addRelease(Counter counter, long amount) {
        setRelease(counter, rows.getLongPlain(offset(counter)) + amount);
    }

    /** Sets a counter. */
    public void setRelease(Counter counter, long value) {
        rows.putLongRelease(offset(counter), value);
    }

    /** A new incarnation counts from 0. What went goes before what came, so that at no moment more seems to have gone than came. */
    public void resetRelease() {
        Counter[] all = Counter.values();
        for (int i = all.length - 1; i >= 0; i--) {
            setRelease(all[i], 0);
        }
    }

    private int offset(Counter counter) {
        return base + counter.place() * Long.BYTES;
    }
}

package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_ERROR;
import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_INDEXES;
import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_MSIX;
import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_REQUEST;

import java.util.Arrays;

/** The event counters that the client wants to hear of interrupts by, and which of them it has masked. Whoever is in here closes what he replaces. */
final class InterruptTable {
    private static final int NONE = -1;

    private final Descriptors descriptors;
    private final int[][] counters = new int[IRQ_INDEXES][];
    private final boolean[][] masked = new boolean[IRQ_INDEXES][];
    private final boolean[][] pending = new boolean[IRQ_INDEXES][];

    InterruptTable(Descriptors descriptors, int vectors) {
        this.descriptors = descriptors;
        for (int index = 0; index < IRQ_INDEXES; index++) {
            int count = 0;
            if (index == IRQ_MSIX) {
                count = vectors;
            } else if (index == IRQ_ERROR || index == IRQ_REQUEST) {
                count = 1;
            }
            counters[index] = new int[count];
            Arrays.fill(counters[index], NONE);
            masked[index] = new boolean[count];
            pending[index] = new boolean[count];
        }
    }

    /** How many interrupts there are of this kind. */
    int count(int index) {
        return counters[index].length;
    }

    /** From now on it is this counter, which is closed by and by. */
    void assign(int index, int number, int counter) {
        release(index, number);
        counters[index][number] = counter;
    }

    /** From now on nobody hears of it. */
    void release(int index, int number) {
        int counter = counters[index][number];
        counters[index][number] = NONE;
        pending[index][number] = false;
        if (counter != NONE) {
            descriptors.release(counter);
        }
    }

    /** All of a kind, and none of them is masked. */
    void disable(int index) {
        for (int number = 0; number < count(index); number++) {
            release(index, number);
            masked[index][number] = false;
        }
    }

    /** All. */
    void disableAll() {
        for (int index = 0; index < IRQ_INDEXES; index++) {
            disable(index);
        }
    }

    /** Masks, or lets through what has come meanwhile. */
    void mask(int index, int number, boolean isMasked) {
        masked[index][number] = isMasked;
        if (!isMasked && pending[index][number]) {
            pending[index][number] = false;
            trigger(index, number);
        }
    }

    /** The interrupt happens: nothing to do when nobody hears of it. */
    void trigger(int index, int number) {
        if (counters[index][number] == NONE) {
            return;
        }
        if (masked[index][number]) {
            pending[index][number] = true;
        } else {
            descriptors.signal(counters[index][number]);
        }
    }

    /** The function sends a message. */
    void raise(int vector) {
        if (vector >= 0 && vector < count(IRQ_MSIX)) {
            trigger(IRQ_MSIX, vector);
        }
    }
}

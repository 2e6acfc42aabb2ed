package io.mhsld.head;

import io.mhsld.state.SharedMemory;

/** Lets the storing thread die at a chosen store to shared memory: that store, and all that follow, do not happen. */
public final class CrashStep implements SharedMemory.Step {
    /** What a process meets that has been killed: nothing it does has an effect any more. */
    static final class Died extends Error {
        private static final long serialVersionUID = 1L;

        Died(String where) {
            super(where, null, false, false);
        }
    }

    private static boolean armed;
    private static long storesLeft;
    private static long stores;
    private static String died;

    /** The next store but {@code stores} is the one that does not happen. */
    static void arm(long storesBefore) {
        armed = true;
        storesLeft = storesBefore;
        stores = 0;
        died = null;
    }

    /** Stores are let through again; tells how many happened while armed. */
    static long disarm() {
        armed = false;
        return stores;
    }

    /** Where it happened, null when it did not. */
    static String diedAt() {
        return died;
    }

    @Override
    public void beforeStore(String section, long offset) {
        if (!armed) {
            return;
        }
        if (died == null && storesLeft-- == 0) {
            died = section + "+" + offset;
        }
        if (died != null) {
            throw new Died(died);
        }
        stores++;
    }
}

package io.mhsld.qmp;

/** How much memory the long unfinished messages of a server may take together. One thread. */
final class QmpInputBudget {
    private long leftBytes;

    QmpInputBudget(long totalBytes) {
        leftBytes = totalBytes;
    }

    /** False, and nothing taken, when there is not so much left. */
    boolean take(int bytes) {
        if (bytes > leftBytes) {
            return false;
        }
        leftBytes -= bytes;
        return true;
    }

    void giveBack(int bytes) {
        leftBytes += bytes;
    }

    long leftBytes() {
        return leftBytes;
    }
}

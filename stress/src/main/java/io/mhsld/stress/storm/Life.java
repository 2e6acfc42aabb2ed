package io.mhsld.stress.storm;

import io.mhsld.head.HostDriver;
import io.mhsld.stress.process.ChildJvm;
import java.util.Optional;

/** One process as one head, from its start to its end. */
final class Life {
    private final int number;
    private final int head;
    private final HostDriver.Mode mode;
    private final ChildJvm process;
    private final long startNs = System.nanoTime();
    private volatile Ending doom;
    private volatile boolean ready;
    private volatile boolean shunned;
    private volatile long goneNs;

    Life(int number, int head, HostDriver.Mode mode, ChildJvm process) {
        this.number = number;
        this.head = head;
        this.mode = mode;
        this.process = process;
    }

    /** Counts all processes of a storm. */
    int number() {
        return number;
    }

    int head() {
        return head;
    }

    HostDriver.Mode mode() {
        return mode;
    }

    ChildJvm process() {
        return process;
    }

    /** From now on it may be dead, for the storm is about to end it. */
    void doom(Ending how) {
        doom = how;
    }

    /** Why it may be dead; empty while it must be alive. */
    Optional<Ending> doom() {
        return Optional.ofNullable(doom);
    }

    boolean isDoomed() {
        return doom != null;
    }

    /** Its control socket has answered. */
    void becomeReady() {
        ready = true;
    }

    boolean isReady() {
        return ready;
    }

    /** Nobody is to ask for its blocks by chance. */
    void shun() {
        shunned = true;
    }

    boolean isShunned() {
        return shunned;
    }

    long ageMs() {
        return (System.nanoTime() - startNs) / 1_000_000;
    }

    /** How long after its death was ordered the kernel had ended it; 0 while it has not. */
    long goneNs() {
        return goneNs;
    }

    void setGoneNs(long tookNs) {
        goneNs = tookNs;
    }

    @Override
    public String toString() {
        return "head=" + head + " life=" + number + " pid=" + process.pid() + " driver=" + mode
                + (doom == null ? "" : " ended=\"" + doom + "\"");
    }
}

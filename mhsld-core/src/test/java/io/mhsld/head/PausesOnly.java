package io.mhsld.head;

import io.mhsld.state.StateFile;
import java.time.Clock;

/** A machine on which only pauses take time. */
final class PausesOnly implements Machine {
    long nowNs;
    int pauses;

    @Override
    public long nanoTime() {
        return nowNs;
    }

    @Override
    public void pause(long ns) {
        nowNs += ns;
        pauses++;
    }

    @Override
    public Clock clock() {
        return Machine.REAL.clock();
    }

    @Override
    public ProcessIdentity self() {
        return Machine.REAL.self();
    }

    @Override
    public boolean isAlive(ProcessIdentity process) {
        return Machine.REAL.isAlive(process);
    }

    @Override
    public boolean canBeHead(ProcessIdentity process, StateFile file, int head) {
        return Machine.REAL.canBeHead(process, file, head);
    }
}

package io.mhsld.type3;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/** Runs what is handed over when it is told to, a task at a time. */
public final class HandSteps implements Executor {
    private final Queue<Runnable> tasks = new ArrayDeque<>();

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    /** False when there was nothing to run. */
    public boolean one() {
        Runnable task = tasks.poll();
        if (task != null) {
            task.run();
        }
        return task != null;
    }

    /** How many tasks ran until none was left. */
    public int all() {
        int count = 0;
        while (one()) {
            count++;
        }
        return count;
    }
}

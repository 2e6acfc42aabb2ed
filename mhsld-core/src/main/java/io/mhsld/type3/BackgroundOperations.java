package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * What a device does while it goes on answering: one operation at a time, cut in steps between which everybody else has a turn
 * (CXL r3.1 8.2.8.4.5.2). One thread at a time, the device's; the executor must run the steps on it.
 */
public final class BackgroundOperations {
    /** One operation. */
    public interface Work {
        /** Does the next step, of a millisecond or so. An exception ends the operation, and is a defect. */
        Step step();

        /** True when {@link #abort} ends it between two steps. */
        boolean isAbortable();

        /** It ends here: aborted, or because the device was reset. */
        default void stopped() {}
    }

    /**
     * Where an operation has come to.
     *
     * @param percent 0 to 100
     * @param isLast the operation has ended
     * @param refusal why it failed, when it has; why it waits, when it has not ended
     */
    public record Step(int percent, boolean isLast, Optional<Refusal> refusal) {
        /** There is more to do. */
        public static Step at(long done, long total) {
            return new Step((int) Math.min(99, total == 0 ? 0 : done / (double) total * 100), false, Optional.empty());
        }

        /** Something outside is in the way: the same step is to be tried again after a while, by which nobody is held up. */
        public static Step waiting(long done, long total, Refusal reason) {
            return new Step(at(done, total).percent, false, Optional.of(reason));
        }

        /** All is done. */
        public static Step last() {
            return new Step(100, true, Optional.empty());
        }

        /** It cannot go on. */
        public static Step failed(Refusal refusal) {
            return new Step(0, true, Optional.of(refusal));
        }
    }

    /** Runs something after a while. */
    public interface Delay {
        /** Runs it when so many milliseconds have passed, in the same way as other steps. */
        void execute(long delayMs, Runnable step);
    }

    /** How an operation stands. */
    public enum State {
        /** There has been none since the device was reset. */
        NONE,
        RUNNING,
        SUCCEEDED,
        FAILED,
        ABORTED
    }

    /**
     * The operation that runs, or the last one.
     *
     * @param command what started it: a number of the caller's
     * @param percent of it that is done
     * @param failure why it failed, when it has and there is a word for it
     */
    public record Status(State state, int command, int percent, Optional<Cause> failure) {}

    /** After so long a step that has to wait is tried again. */
    static final long RETRY_MS = 20;

    private static final Status NOTHING_YET = new Status(State.NONE, 0, 0, Optional.empty());

    private Executor later;
    private Optional<Delay> delay = Optional.empty();
    private Runnable onEnd = () -> {};
    private Status status = NOTHING_YET;
    private Work running;
    private boolean isStepping;
    private boolean isAskedToStep;

    /** @param later runs the next step, when everybody else had a turn */
    public BackgroundOperations(Executor later) {
        this.later = later;
    }

    /** As the constructor's: where later steps run from now on. Without a delay, what would have to wait fails instead. */
    public void runLater(Executor executor) {
        later = executor;
        delay = Optional.empty();
    }

    /** The same, where steps can be tried again after a while. */
    public void runLater(Executor executor, Delay delayed) {
        later = executor;
        delay = Optional.of(delayed);
    }

    /** Called when an operation has ended by itself or was aborted: where hardware would raise the interrupt. One listener. */
    public void onEnd(Runnable listener) {
        onEnd = listener;
    }

    /** How the last operation stands. */
    public Status status() {
        return status;
    }

    /** True while an operation is at work. */
    public boolean isRunning() {
        return running != null;
    }

    /** Starts an operation, refused with {@code BUSY} while another one runs. Its first step comes later. */
    public Optional<Refusal> start(int command, Work work) {
        if (isRunning()) {
            return Refusal.of(Cause.BUSY, "running=%04xh progress=%d%%", status.command, status.percent);
        }
        running = work;
        status = new Status(State.RUNNING, command, 0, Optional.empty());
        later.execute(() -> run(work));
        return Optional.empty();
    }

    /**
     * Ends the operation that runs; without one there is nothing to do.
     *
     * @return {@code ABORT_NOT_SUPPORTED} when it goes on to its end all the same
     */
    public Optional<Refusal> abort() {
        if (isRunning() && !running.isAbortable()) {
            return Refusal.of(Cause.ABORT_NOT_SUPPORTED, "running=%04xh", status.command);
        }
        if (isRunning()) {
            stop();
            status = new Status(State.ABORTED, status.command, status.percent, Optional.empty());
            onEnd.run();
        }
        return Optional.empty();
    }

    /** The device was reset: what runs ends, and is forgotten. */
    public void reset() {
        if (isRunning()) {
            stop();
        }
        status = NOTHING_YET;
    }

    private void stop() {
        Work stopped = running;
        running = null;
        stopped.stopped();
    }

    /** An executor that runs things at once comes back here from within a step: then the loop goes on, instead of a deeper call. */
    private void run(Work work) {
        isAskedToStep = true;
        if (isStepping) {
            return;
        }
        isStepping = true;
        try {
            while (isAskedToStep && work == running) {
                isAskedToStep = false;
                step(work);
            }
        } finally {
            isStepping = false;
        }
    }

    private void step(Work work) {
        Step step;
        try {
            step = work.step();
        } catch (RuntimeException e) {
            stop();
            end(State.FAILED, status.percent, Optional.empty());
            throw e;
        }
        boolean isWaiting = !step.isLast && step.refusal.isPresent();
        if (!step.isLast && !(isWaiting && delay.isEmpty())) {
            status = new Status(State.RUNNING, status.command, step.percent, Optional.empty());
            if (isWaiting) {
                delay.get().execute(RETRY_MS, () -> run(work));
            } else {
                later.execute(() -> run(work));
            }
        } else if (step.refusal.isPresent()) {
            stop();
            end(State.FAILED, status.percent, step.refusal.map(Refusal::cause));
        } else {
            running = null;
            end(State.SUCCEEDED, 100, Optional.empty());
        }
    }

    private void end(State state, int percent, Optional<Cause> failure) {
        status = new Status(state, status.command, percent, failure);
        onEnd.run();
    }
}

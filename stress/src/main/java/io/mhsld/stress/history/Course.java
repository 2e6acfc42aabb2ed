package io.mhsld.stress.history;

import java.util.List;

/**
 * What one operation may do to one block, step by step: a small automaton. Each step happens at one instant between the call of the operation and
 * its return, and takes the block from one state of its register {free, owned by h} to another, or only looks.
 *
 * <p>A claim may begin again, any number of times: it meets a dead owner further on, takes back what it has set, reaps the dead, and begins again.
 * Only blocks that lie in a word before the last of their range are set and taken back in this way ({@link BlockOperation#mayBeginAgain}).
 */
public enum Course {
    /** A claim that won. */
    WIN(finalAt(1), step(0, Action.CLAIM, 1), again(1, Action.CLEAR, 0)),
    /** A claim that had won this block for certain before it met another one, and took it back. */
    WON_AND_TAKEN_BACK(finalAt(2), step(0, Action.CLAIM, 1), step(1, Action.CLEAR, 2), again(2, Action.CLAIM, 1)),
    /** A lost claim, in the word of the block that it met: this block was free then, and was left alone. */
    SEEN_FREE(finalAt(2), step(0, Action.SEE_FREE, 2), again(0, Action.CLAIM, 1), again(1, Action.CLEAR, 0)),
    /** A lost claim's block that was not free, and of which it then told the owner. */
    MET(
            finalAt(3),
            step(0, Action.SEE_OWNED, 2),
            step(2, Action.SEE_EXPECTED, 3),
            again(0, Action.CLAIM, 1),
            again(1, Action.CLEAR, 0)),
    /** A lost claim's block behind the one that it met. */
    NOT_REACHED(finalAt(0), again(0, Action.CLAIM, 1), again(1, Action.CLEAR, 0)),
    /** A claim in the midst of which its process died. */
    CUT_CLAIM(
            finalAt(0) | finalAt(1) | finalAt(2),
            step(0, Action.CLAIM, 1),
            step(1, Action.CLEAR, 2),
            again(2, Action.CLAIM, 1)),
    /** The block is let go of. */
    RELEASE(finalAt(1), step(0, Action.CLEAR, 1)),
    /** A release in the midst of which its process died. */
    CUT_RELEASE(finalAt(0) | finalAt(1), step(0, Action.CLEAR, 1)),
    /** Somebody looks who owns the block. */
    LOOK(finalAt(1), step(0, Action.SEE_EXPECTED, 1)),
    /** A process is dead, and until its successor has started somebody frees the block if it was its: afterwards it is not. */
    REAP(finalAt(0) | finalAt(1), step(0, Action.CLEAR, 1));

    /** What a step does to the register. */
    private enum Action {
        CLAIM,
        CLEAR,
        SEE_FREE,
        SEE_OWNED,
        SEE_EXPECTED
    }

    private record Step(int from, Action action, int to, boolean isAgain) {}

    /** The register's value when nobody owns the block; head h is the value h + 1. */
    static final int FREE = 0;

    /** What a step returns that cannot happen. */
    static final int IMPOSSIBLE = -1;

    /** Bit p: the operation may be over with progress p. */
    private final int finals;

    @SuppressWarnings("ImmutableEnumChecker") // It is a copy, and stays what it is.
    private final List<Step> steps;

    Course(int finals, Step... steps) {
        this.finals = finals;
        this.steps = List.of(steps);
    }

    /** Progress begins with 0 and is never more than 3. */
    int mostProgress() {
        return steps.stream().mapToInt(Step::to).max().orElse(0);
    }

    int stepCount() {
        return steps.size();
    }

    /** May this step be the next one? */
    boolean isNext(int step, int progress) {
        return steps.get(step).from == progress;
    }

    /** Progress after a step. */
    int progressAfter(int step) {
        return steps.get(step).to;
    }

    /** The register after a step, or {@link #IMPOSSIBLE}. */
    int valueAfter(int step, int value, BlockOperation operation) {
        if (steps.get(step).isAgain && !operation.mayBeginAgain()) {
            return IMPOSSIBLE;
        }
        int own = operation.head() + 1;
        boolean possible = switch (steps.get(step).action) {
            case CLAIM, SEE_FREE -> value == FREE;
            case CLEAR -> value == own;
            case SEE_OWNED -> value != FREE;
            case SEE_EXPECTED -> value == operation.expected();
        };
        if (!possible) {
            return IMPOSSIBLE;
        }
        return switch (steps.get(step).action) {
            case CLAIM -> own;
            case CLEAR -> FREE;
            default -> value;
        };
    }

    /** May the operation be over, with this progress and this value of the register? */
    boolean mayEnd(int progress, int value, BlockOperation operation) {
        boolean isFinal = ((finals >> progress) & 1) != 0;
        return isFinal && (this != REAP || value != operation.head() + 1);
    }

    private static int finalAt(int progress) {
        return 1 << progress;
    }

    private static Step step(int from, Action action, int to) {
        return new Step(from, action, to, false);
    }

    private static Step again(int from, Action action, int to) {
        return new Step(from, action, to, true);
    }
}

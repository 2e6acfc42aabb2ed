package io.mhsld.stress.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Is the history of one block linearizable: can the steps of all operations be put on one line, each between the call and the return of its
 * operation, so that the block is a register {free, owned by h} all along? Blocks are independent registers, and linearizability is local
 * (Herlihy and Wing, 1990): a history is linearizable when each block's part of it is, so each is checked alone.
 *
 * <p>The manner is that of Wing and Gong (1993) with Lowe's (2017) refinements: the events are walked in the order of their times, and what is
 * kept is the set of all configurations that can have been reached, a configuration being the register's value and the progress of each operation
 * under way; equal ones are kept once. At each return the set is closed under the steps of all operations under way, and those configurations stay
 * in which the returning operation may be over. None left: there is no such line. Times that are equal do not order anything.
 *
 * <p>Why not stop, as Lowe does, as soon as the returning operation is over: a lost claim may hold a block for a while, and somebody else may
 * have to see that, whose own return comes later.
 */
public final class Linearizability {
    private static final int VALUE_BITS = 7;
    private static final long VALUE_MASK = (1 << VALUE_BITS) - 1;
    private static final int PROGRESS_BITS = 2;
    private static final long PROGRESS_MASK = (1 << PROGRESS_BITS) - 1;

    /** Operations that may be under way at the same time. */
    private static final int MAX_SLOTS = (Long.SIZE - 1 - VALUE_BITS) / PROGRESS_BITS;

    private static final int FIRST_WINDOW = 2;

    private record Event(long timeNs, boolean isReturn, int operation) {}

    /**
     * Why a history is refused.
     *
     * @param returned the operation whose return nothing explains
     * @param window the shortest end of the history, up to that return, which cannot be explained whatever came before
     * @param windowStartNs where that begins
     */
    public record Failure(BlockOperation returned, List<BlockOperation> window, long windowStartNs) {}

    private final List<BlockOperation> operations;
    private final List<Event> events;
    private final int[] slots;
    private final int[] operationInSlot = new int[MAX_SLOTS];
    private Configurations reached = new Configurations();
    private Configurations next = new Configurations();

    private Linearizability(List<BlockOperation> operations) {
        this.operations = operations;
        this.slots = new int[operations.size()];
        this.events = new ArrayList<>(operations.size() * 2);
        for (int i = 0; i < operations.size(); i++) {
            events.add(new Event(operations.get(i).invokeNs(), false, i));
            if (operations.get(i).returnNs() != BlockOperation.NEVER) {
                events.add(new Event(operations.get(i).returnNs(), true, i));
            }
        }
        events.sort(Comparator.comparingLong(Event::timeNs).thenComparing(Event::isReturn));
    }

    /** Checks the history of a block that was free at first. Empty: it is linearizable. */
    public static Optional<Failure> check(List<BlockOperation> operations) {
        Linearizability history = new Linearizability(operations);
        int failed = history.walk(0, history.events.size());
        return failed < 0 ? Optional.empty() : Optional.of(history.failureAt(failed));
    }

    /** Walks the events of [from, to); returns the one that cannot be explained, or -1. */
    private int walk(int from, int to) {
        start(from);
        for (int i = from; i < to; i++) {
            Event event = events.get(i);
            if (!event.isReturn) {
                enter(event.operation);
            } else {
                takeSteps();
                leave(event.operation);
                if (reached.isEmpty()) {
                    return i;
                }
            }
        }
        return -1;
    }

    /** From the beginning the block is free. From anywhere else nothing is known: neither its owner nor how far operations have come. */
    private void start(int from) {
        Arrays.fill(operationInSlot, -1);
        Arrays.fill(slots, -1);
        reached.clear();
        if (from == 0) {
            reached.add(Course.FREE);
            return;
        }
        reached.add(Course.FREE);
        operations.forEach(operation -> reached.add(operation.head() + 1L));
        for (int i = 0; i < from; i++) {
            if (!events.get(i).isReturn) {
                enter(events.get(i).operation);
            } else {
                operationInSlot[slots[events.get(i).operation]] = -1;
            }
        }
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            if (operationInSlot[slot] >= 0) {
                for (int i = reached.size() - 1; i >= 0; i--) {
                    int mostProgress =
                            operations.get(operationInSlot[slot]).course().mostProgress();
                    for (long progress = 1; progress <= mostProgress; progress++) {
                        reached.add(reached.get(i) | (progress << shift(slot)));
                    }
                }
            }
        }
    }

    private void enter(int operation) {
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            if (operationInSlot[slot] < 0) {
                operationInSlot[slot] = operation;
                slots[operation] = slot;
                return;
            }
        }
        throw new IllegalStateException("too many operations at the same time: limit=" + MAX_SLOTS);
    }

    private void takeSteps() {
        for (int i = 0; i < reached.size(); i++) {
            long configuration = reached.get(i);
            for (int slot = 0; slot < MAX_SLOTS; slot++) {
                if (operationInSlot[slot] >= 0) {
                    takeSteps(configuration, slot, operations.get(operationInSlot[slot]));
                }
            }
        }
    }

    private void takeSteps(long configuration, int slot, BlockOperation operation) {
        int value = (int) (configuration & VALUE_MASK);
        int progress = progress(configuration, slot);
        Course course = operation.course();
        for (int step = 0; step < course.stepCount(); step++) {
            if (course.isNext(step, progress)) {
                int valueAfter = course.valueAfter(step, value, operation);
                if (valueAfter != Course.IMPOSSIBLE) {
                    long after = configuration & ~VALUE_MASK & ~(PROGRESS_MASK << shift(slot));
                    reached.add(after | valueAfter | ((long) course.progressAfter(step) << shift(slot)));
                }
            }
        }
    }

    private void leave(int index) {
        int slot = slots[index];
        BlockOperation operation = operations.get(index);
        next.clear();
        for (int i = 0; i < reached.size(); i++) {
            long configuration = reached.get(i);
            int value = (int) (configuration & VALUE_MASK);
            if (operation.course().mayEnd(progress(configuration, slot), value, operation)) {
                next.add(configuration & ~(PROGRESS_MASK << shift(slot)));
            }
        }
        operationInSlot[slot] = -1;
        Configurations emptied = reached;
        reached = next;
        next = emptied;
    }

    private static int progress(long configuration, int slot) {
        return (int) ((configuration >>> shift(slot)) & PROGRESS_MASK);
    }

    private static int shift(int slot) {
        return VALUE_BITS + slot * PROGRESS_BITS;
    }

    // ---- failures

    private Failure failureAt(int failed) {
        // A longer window knows more: the shortest that fails is found by doubling, and then by halving.
        int tooShort = failed + 1;
        int longEnough = failed;
        for (int length = FIRST_WINDOW; walk(longEnough, failed + 1) < 0; length *= 2) {
            tooShort = longEnough;
            longEnough = Math.max(0, failed + 1 - length);
        }
        while (tooShort - longEnough > 1) {
            int middle = (tooShort + longEnough) >>> 1;
            if (walk(middle, failed + 1) >= 0) {
                longEnough = middle;
            } else {
                tooShort = middle;
            }
        }
        return new Failure(
                operations.get(events.get(failed).operation),
                operationsIn(longEnough, failed),
                events.get(longEnough).timeNs);
    }

    /** Those that end or begin in the window, or last all through it. */
    private List<BlockOperation> operationsIn(int from, int to) {
        boolean[] isIn = new boolean[operations.size()];
        for (int i = 0; i <= to; i++) {
            Event event = events.get(i);
            isIn[event.operation] = !event.isReturn || i >= from;
        }
        List<BlockOperation> found = new ArrayList<>();
        for (int i = 0; i < isIn.length; i++) {
            if (isIn[i]) {
                found.add(operations.get(i));
            }
        }
        found.sort(Comparator.comparingLong(BlockOperation::invokeNs));
        return found;
    }
}

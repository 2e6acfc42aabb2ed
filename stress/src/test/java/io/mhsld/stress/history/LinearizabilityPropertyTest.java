package io.mhsld.stress.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The checker against histories of a register that was one, and against a checker that tries everything. */
class LinearizabilityPropertyTest {
    private static final int HEADS = 3;
    private static final List<Course> COURSES = List.of(Course.values());

    @Test
    void shouldAcceptWhatARegisterDid() {
        long seed = seed();
        for (int i = 0; i < 200; i++) {
            List<BlockOperation> history = new Simulation(new Random(seed + i), HEADS + i % 3).run(400);
            assertEquals(Optional.empty(), Linearizability.check(history), "seed=" + seed + " history=" + i);
        }
    }

    @Test
    void shouldSayWhatTryingEverythingSays() {
        long seed = seed();
        Random random = new Random(seed);
        int refused = 0;
        int accepted = 0;
        for (int i = 0; i < 20_000; i++) {
            List<BlockOperation> sound = new Simulation(random, HEADS).run(3 + random.nextInt(6));
            assertTrue(canBeExplained(sound), () -> "the reference refuses a sound history: seed=" + seed + sound);
            List<BlockOperation> history = mutated(mutated(sound, random), random);
            boolean expected = canBeExplained(history);
            assertEquals(
                    expected, Linearizability.check(history).isEmpty(), () -> "seed=" + seed + " history=" + history);
            refused += expected ? 0 : 1;
            accepted += expected ? 1 : 0;
        }
        System.out.printf("mutated histories: refused=%d accepted=%d%n", refused, accepted);
        assertTrue(refused > 3_000 && accepted > 2_000, "refused=" + refused + " accepted=" + accepted);
    }

    private static long seed() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        System.out.println("-Dmhsld.seed=" + seed);
        return seed;
    }

    /** One result, or one time, that was not so, or an operation that is missing. */
    private static List<BlockOperation> mutated(List<BlockOperation> history, Random random) {
        List<BlockOperation> changed = new ArrayList<>(history);
        int index = random.nextInt(changed.size());
        BlockOperation old = changed.get(index);
        switch (random.nextInt(5)) {
            case 0 -> changed.set(index, with(old, old.course(), random.nextInt(HEADS + 1), random.nextBoolean()));
            case 1 ->
                changed.set(
                        index,
                        with(
                                old,
                                COURSES.get(random.nextInt(COURSES.size())),
                                random.nextInt(HEADS + 1),
                                random.nextBoolean()));
            case 2 -> changed.remove(index);
            case 3 ->
                changed.set(
                        index,
                        new BlockOperation(
                                random.nextInt(HEADS),
                                old.course(),
                                old.expected(),
                                old.mayBeginAgain(),
                                old.invokeNs(),
                                old.returnNs(),
                                "another head's"));
            default -> {
                long shift = random.nextInt(21) - 10L;
                changed.set(
                        index,
                        new BlockOperation(
                                old.head(),
                                old.course(),
                                old.expected(),
                                old.mayBeginAgain(),
                                old.invokeNs() + shift,
                                old.returnNs() == BlockOperation.NEVER ? BlockOperation.NEVER : old.returnNs() + shift,
                                "at another time"));
            }
        }
        return changed;
    }

    private static BlockOperation with(BlockOperation old, Course course, int expected, boolean mayBeginAgain) {
        return new BlockOperation(
                old.head(), course, expected, mayBeginAgain, old.invokeNs(), old.returnNs(), "mutated " + course);
    }

    // ---- trying everything

    private static boolean canBeExplained(List<BlockOperation> history) {
        return canBeExplained(history, new int[history.size()], Course.FREE, new HashSet<>());
    }

    /** Progress of each operation, -1 when it is over; whatever may be next is tried, in any order that the times allow. */
    private static boolean canBeExplained(List<BlockOperation> history, int[] progress, int value, Set<String> tried) {
        boolean done = true;
        for (int i = 0; i < progress.length; i++) {
            done &= progress[i] == -1 || history.get(i).returnNs() == BlockOperation.NEVER;
        }
        if (done) {
            return true;
        }
        if (!tried.add(value + Arrays.toString(progress))) {
            return false;
        }
        for (int i = 0; i < progress.length; i++) {
            BlockOperation operation = history.get(i);
            if (progress[i] == -1 || !mayBegin(history, progress, operation)) {
                continue;
            }
            int before = progress[i];
            for (int step = 0; step < operation.course().stepCount(); step++) {
                int after = operation.course().valueAfter(step, value, operation);
                if (operation.course().isNext(step, before) && after != Course.IMPOSSIBLE) {
                    progress[i] = operation.course().progressAfter(step);
                    if (canBeExplained(history, progress, after, tried)) {
                        return true;
                    }
                }
            }
            if (operation.course().mayEnd(before, value, operation) && mayReturn(history, progress, i)) {
                progress[i] = -1;
                if (canBeExplained(history, progress, value, tried)) {
                    return true;
                }
            }
            progress[i] = before;
        }
        return false;
    }

    /**
     * What a reap says, it says of the moment of its return: by then all that returned earlier is over. Of other operations it makes no difference
     * when they are over.
     */
    private static boolean mayReturn(List<BlockOperation> history, int[] progress, int index) {
        long returnNs = history.get(index).returnNs();
        for (int i = 0; i < progress.length && history.get(index).course() == Course.REAP; i++) {
            long other = history.get(i).returnNs();
            if (progress[i] != -1 && (other < returnNs || (other == returnNs && i < index))) {
                return false;
            }
        }
        return true;
    }

    /** Not before everything is over that had returned when it was called. */
    private static boolean mayBegin(List<BlockOperation> history, int[] progress, BlockOperation operation) {
        for (int i = 0; i < progress.length; i++) {
            if (progress[i] != -1 && history.get(i).returnNs() < operation.invokeNs()) {
                return false;
            }
        }
        return true;
    }

    // ---- a register

    /** Heads that do what heads do to one block, one atomic step at a time, in any order. */
    private static final class Simulation {
        private final Random random;
        private final List<Simulated> heads = new ArrayList<>();
        private final List<BlockOperation> history = new ArrayList<>();
        private int value = Course.FREE;
        private long time;

        private final class Simulated {
            private final int head;
            private Course intended;
            private long invokeNs;
            private int stage;
            private int seen;
            private boolean hasDied;
            private long killedNs;

            Simulated(int head) {
                this.head = head;
            }

            private boolean owns() {
                return value == head + 1;
            }

            void step() {
                if (hasDied) {
                    reapOrReturn();
                } else if (intended == null) {
                    begin();
                } else if (random.nextInt(25) == 0) {
                    die();
                } else {
                    goOn();
                }
            }

            private void begin() {
                int choice = random.nextInt(4);
                intended = choice == 0
                        ? Course.LOOK
                        : owns() ? Course.RELEASE : choice == 1 ? Course.WON_AND_TAKEN_BACK : Course.WIN;
                invokeNs = time;
                stage = 0;
            }

            private void goOn() {
                stage++;
                if (stage == 1) {
                    act();
                } else if (intended == Course.MET && stage == 2) {
                    seen = value;
                } else if (intended == Course.WON_AND_TAKEN_BACK && stage == 2) {
                    value = Course.FREE;
                } else {
                    end(intended, seen);
                }
            }

            private void act() {
                switch (intended) {
                    case LOOK -> seen = value;
                    case RELEASE -> value = Course.FREE;
                    default -> {
                        if (value == Course.FREE) {
                            value = head + 1;
                        } else {
                            intended = Course.MET;
                        }
                    }
                }
            }

            private void end(Course course, int expected) {
                history.add(new BlockOperation(head, course, expected, false, invokeNs, time, "simulated " + course));
                intended = null;
            }

            private void die() {
                if (intended == Course.RELEASE) {
                    end(Course.CUT_RELEASE, 0);
                } else if (intended != Course.LOOK) {
                    end(Course.CUT_CLAIM, 0);
                }
                intended = null;
                hasDied = true;
                killedNs = time;
            }

            private void reapOrReturn() {
                if (owns()) {
                    value = Course.FREE;
                } else if (random.nextBoolean()) {
                    history.add(new BlockOperation(head, Course.REAP, 0, false, killedNs, time, "simulated reap"));
                    hasDied = false;
                }
            }
        }

        Simulation(Random random, int headCount) {
            this.random = random;
            for (int head = 0; head < headCount; head++) {
                heads.add(new Simulated(head));
            }
        }

        /** So many operations that came to an end. Those that did not, end as if all processes were killed now. */
        List<BlockOperation> run(int operations) {
            while (history.size() < operations) {
                time += random.nextInt(3);
                heads.get(random.nextInt(heads.size())).step();
            }
            for (Simulated head : heads) {
                if (head.intended != null) {
                    head.die();
                }
                if (head.hasDied) {
                    history.add(new BlockOperation(
                            head.head, Course.REAP, 0, false, head.killedNs, BlockOperation.NEVER, "simulated death"));
                }
            }
            return history;
        }
    }
}

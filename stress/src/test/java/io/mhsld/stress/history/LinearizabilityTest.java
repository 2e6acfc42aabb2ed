package io.mhsld.stress.history;

import static io.mhsld.stress.history.BlockOperation.NEVER;
import static io.mhsld.stress.history.BlockOperation.NO_REGISTER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.history.Linearizability.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Histories of one block, written by hand. A and B are heads; a time is any number. */
class LinearizabilityTest {
    private static final int A = 3;
    private static final int B = 5;
    private static final int FREE = Course.FREE;
    private static final int OF_A = A + 1;
    private static final int OF_B = B + 1;

    private static BlockOperation won(int head, long invoke, long end) {
        return operation(head, Course.WIN, FREE, invoke, end);
    }

    private static BlockOperation met(int head, int owner, long invoke, long end) {
        return operation(head, Course.MET, owner, invoke, end);
    }

    private static BlockOperation released(int head, long invoke, long end) {
        return operation(head, Course.RELEASE, FREE, invoke, end);
    }

    private static BlockOperation looked(int head, int owner, long invoke, long end) {
        return operation(head, Course.LOOK, owner, invoke, end);
    }

    private static BlockOperation operation(int head, Course course, int expected, long invoke, long end) {
        return new BlockOperation(head, course, expected, false, invoke, end, "head " + head + " " + course);
    }

    private static BlockOperation beginningAgain(BlockOperation claim) {
        return new BlockOperation(
                claim.head(),
                claim.course(),
                claim.expected(),
                true,
                claim.invokeNs(),
                claim.returnNs(),
                claim.source());
    }

    private static Arguments history(String name, BlockOperation... operations) {
        return Arguments.of(name, List.of(operations));
    }

    static Stream<Arguments> sound() {
        return Stream.of(
                history("nothing happened"),
                history("one after the other", won(A, 1, 2), released(A, 3, 4), won(B, 5, 6), released(B, 7, 8)),
                history("a loser meets the winner", won(A, 1, 4), met(B, OF_A, 2, 3)),
                history("a loser meets the winner of a claim that returns later", met(B, OF_A, 2, 3), won(A, 1, 4)),
                history(
                        "a loser meets an owner that has let go when it looks for its name",
                        won(A, 1, 2),
                        met(B, FREE, 3, 6),
                        released(A, 4, 5)),
                history(
                        "a loser meets one owner and names the next",
                        won(A, 1, 2),
                        met(B, A + 2, 3, 8),
                        released(A, 4, 5),
                        won(A + 1, 6, 7)),
                history(
                        "a winner that had begun again",
                        beginningAgain(won(A, 1, 10)),
                        looked(B, OF_A, 2, 3),
                        looked(B, FREE, 4, 5)),
                history("a release and a claim at the same time", won(A, 1, 2), released(A, 3, 6), won(B, 4, 5)),
                history(
                        "a claim is met in the while in which it holds a block before it loses",
                        operation(A, Course.WON_AND_TAKEN_BACK, FREE, 1, 9),
                        met(B, OF_A, 3, 4),
                        looked(B, FREE, 10, 11)),
                history(
                        "the same in a claim that began again twice",
                        beginningAgain(operation(A, Course.NOT_REACHED, FREE, 1, 20)),
                        met(B, OF_A, 3, 4),
                        looked(B, FREE, 5, 6),
                        looked(B, OF_A, 7, 8),
                        won(B, 9, 10)),
                history(
                        "a loser saw it free, and another won it then",
                        operation(A, Course.SEEN_FREE, FREE, 1, 4),
                        won(B, 2, 3)),
                history("a look may come before or after", won(A, 1, 5), looked(B, FREE, 2, 3), looked(B, OF_A, 4, 5)),
                history("equal times are no order", won(A, 1, 2), looked(B, FREE, 2, 3), looked(B, OF_A, 3, 4)),
                history(
                        "killed in a claim that had won",
                        operation(A, Course.CUT_CLAIM, FREE, 1, 5),
                        looked(B, OF_A, 6, 7),
                        operation(A, Course.REAP, FREE, 4, 20),
                        won(B, 8, 9)),
                history(
                        "killed in a claim that had won nothing",
                        operation(A, Course.CUT_CLAIM, FREE, 1, 5),
                        looked(B, FREE, 6, 7),
                        operation(A, Course.REAP, FREE, 4, 20)),
                history(
                        "killed in a release that had not come to it",
                        won(A, 1, 2),
                        operation(A, Course.CUT_RELEASE, FREE, 3, 6),
                        looked(B, OF_A, 7, 8),
                        operation(A, Course.REAP, FREE, 5, 20),
                        looked(B, FREE, 21, 22)),
                history(
                        "killed in a release that was done",
                        won(A, 1, 2),
                        operation(A, Course.CUT_RELEASE, FREE, 3, 6),
                        won(B, 7, 8),
                        operation(A, Course.REAP, FREE, 5, 20),
                        looked(A, OF_B, 21, 22)),
                history(
                        "dead, and not followed by anybody",
                        won(A, 1, 2),
                        operation(A, Course.REAP, FREE, 3, NEVER),
                        looked(B, OF_A, 100, 101),
                        won(B, 102, 103)));
    }

    static Stream<Arguments> broken() {
        return Stream.of(
                history("two owners", won(A, 1, 4), won(B, 2, 3)),
                history("won while somebody else certainly held it", won(A, 1, 2), won(B, 3, 4), released(A, 5, 6)),
                history("a lost release", won(A, 1, 2), released(A, 3, 4), met(B, OF_A, 5, 6)),
                history("a look into the future", looked(B, OF_A, 1, 2), won(A, 3, 4)),
                history("a stale look", won(A, 1, 2), released(A, 3, 4), looked(B, OF_A, 5, 6)),
                history("a stale look before a release", won(A, 1, 2), looked(B, FREE, 3, 4), released(A, 5, 6)),
                history("a release by somebody else", won(A, 1, 2), released(B, 3, 4)),
                history("a release of what is free", released(A, 1, 2)),
                history("released twice", won(A, 1, 2), released(A, 3, 4), released(A, 5, 6)),
                history("a lost update: the winner's bit is gone", won(A, 1, 2), looked(B, FREE, 3, 4)),
                history(
                        "an owner cannot access its own block",
                        won(A, 1, 2),
                        looked(B, OF_A, 3, 4),
                        won(B, 5, 6),
                        released(B, 7, 8),
                        released(A, 9, 10)),
                history(
                        "a loser that kept a block",
                        operation(A, Course.WON_AND_TAKEN_BACK, FREE, 1, 4),
                        looked(B, OF_A, 5, 6)),
                history(
                        "a loser that had never had the block that it took back",
                        won(B, 1, 2),
                        operation(A, Course.WON_AND_TAKEN_BACK, FREE, 3, 4)),
                history(
                        "a loser that took back what was another's",
                        won(B, 1, 2),
                        beginningAgain(operation(A, Course.NOT_REACHED, FREE, 3, 5)),
                        looked(A, FREE, 6, 7)),
                history(
                        "a claim that gave back what it had no cause to give back",
                        won(A, 1, 10),
                        looked(B, OF_A, 2, 3),
                        won(B, 4, 5)),
                history("a loser that met what was free", met(B, OF_A, 1, 2), won(A, 3, 4)),
                history("a loser that names somebody else", won(A, 1, 2), met(B, OF_B + 1, 3, 4)),
                history(
                        "a loser that saw a free block where one was owned",
                        won(A, 1, 2),
                        operation(B, Course.SEEN_FREE, FREE, 3, 4)),
                history("two owners seen", won(A, 1, 4), looked(B, NO_REGISTER, 2, 3)),
                history(
                        "resurrected after a reap",
                        won(A, 1, 2),
                        operation(A, Course.REAP, FREE, 3, 6),
                        looked(B, OF_A, 7, 8)),
                history(
                        "resurrected after somebody saw it reaped",
                        won(A, 1, 2),
                        operation(A, Course.REAP, FREE, 3, 20),
                        looked(B, FREE, 5, 6),
                        looked(B, OF_A, 7, 8)),
                history(
                        "a store of the dead",
                        operation(A, Course.CUT_CLAIM, FREE, 1, 5),
                        operation(A, Course.REAP, FREE, 4, 30),
                        looked(B, FREE, 6, 7),
                        looked(B, OF_A, 8, 9)),
                history("reaped while it was alive", won(A, 1, 2), won(B, 3, 4), operation(A, Course.REAP, FREE, 5, 9)),
                history(
                        "a killed release that both was and was not",
                        won(A, 1, 2),
                        operation(A, Course.CUT_RELEASE, FREE, 3, 6),
                        looked(B, FREE, 7, 8),
                        met(B, OF_A, 9, 10)),
                history("two looks in the wrong order", won(A, 1, 10), looked(B, OF_A, 2, 3), looked(B, FREE, 4, 5)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sound")
    void shouldAccept(String name, List<BlockOperation> history) {
        assertEquals(Optional.empty(), Linearizability.check(history));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    void shouldRefuse(String name, List<BlockOperation> history) {
        assertTrue(Linearizability.check(history).isPresent());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    void shouldRefuseBehindALongSoundHistory(String name, List<BlockOperation> history) {
        List<BlockOperation> whole = new ArrayList<>(soundHistory(2000));
        long offset = 1_000_000;
        history.forEach(operation -> whole.add(new BlockOperation(
                operation.head(),
                operation.course(),
                operation.expected(),
                operation.mayBeginAgain(),
                operation.invokeNs() + offset,
                operation.returnNs() == NEVER ? NEVER : operation.returnNs() + offset,
                operation.source())));

        Failure failure = Linearizability.check(whole).orElseThrow();

        assertTrue(failure.window().size() <= history.size() + 1, failure.toString());
        assertTrue(failure.window().contains(failure.returned()), failure.toString());
    }

    @Test
    void shouldShowTheShortestWindowAsATable() {
        List<BlockOperation> whole = new ArrayList<>(soundHistory(100));
        whole.add(won(A, 1_001_000, 1_002_000));
        whole.add(looked(B, OF_A, 1_003_000, 1_004_000));
        whole.add(won(B, 1_005_500, 1_006_000));

        Failure failure = Linearizability.check(whole).orElseThrow();

        assertEquals(
                List.of(
                        "block 7 is no register {free, owned by h}: nothing explains what the marked operation (->) returned",
                        "           call        return  operation",
                        "       0.000 us      1.000 us  head 5 LOOK",
                        "->     2.500 us      3.000 us  head 5 WIN"),
                FailureTable.lines(7, failure));
    }

    /** A and B take turns. */
    private static List<BlockOperation> soundHistory(int turns) {
        List<BlockOperation> history = new ArrayList<>();
        for (int turn = 0; turn < turns; turn++) {
            int head = turn % 2 == 0 ? A : B;
            int other = turn % 2 == 0 ? B : A;
            long time = turn * 10L;
            history.add(won(head, time, time + 3));
            history.add(met(other, head + 1, time + 1, time + 5));
            history.add(released(head, time + 6, time + 7));
            history.add(looked(other, FREE, time + 8, time + 9));
        }
        return history;
    }
}

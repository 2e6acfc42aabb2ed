package io.mhsld.stress.history;

import static io.mhsld.stress.history.BlockOperation.NEVER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.history.Operation.Kind;
import io.mhsld.stress.history.Operation.Outcome;
import io.mhsld.stress.history.Operation.Range;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest {
    private static final int BLOCKS = 12;
    private static final int LANES_PER_WORD = 4;

    private final Recording recording = new Recording(BLOCKS, LANES_PER_WORD);

    private static Operation operation(
            int head, Kind kind, Outcome outcome, long invokeNs, long returnNs, long blocks) {
        return new Operation(head, 1, kind, invokeNs, returnNs, outcome, blocks, List.of(), 0, 0);
    }

    private static Operation add(int head, Outcome outcome, long invokeNs, long returnNs, Range... ranges) {
        return add(head, outcome, invokeNs, returnNs, 0, 0, ranges);
    }

    private static Operation add(
            int head, Outcome outcome, long invokeNs, long returnNs, int met, long owners, Range... ranges) {
        List<Range> list = List.of(ranges);
        return new Operation(
                head, 1, Kind.ADD, invokeNs, returnNs, outcome, Operation.blocksOf(list), list, met, owners);
    }

    private List<Course> coursesOf(int block) {
        return recording.history(block).stream().map(BlockOperation::course).toList();
    }

    private boolean isLinearizable() {
        return IntStream.range(0, BLOCKS)
                .allMatch(
                        block -> Linearizability.check(recording.history(block)).isEmpty());
    }

    @Test
    void shouldTakeALostClaimApartAtTheBlockThatItMet() {
        // Words: 0 to 3, 4 to 7, 8 to 11.
        recording.addProcess(
                1,
                List.of(add(1, Outcome.LOST, 1, 2, 6, 0b1000, new Range(0, 1), new Range(3, 6), new Range(10, 2))),
                NEVER,
                NEVER);

        assertEquals(List.of(Course.WON_AND_TAKEN_BACK), coursesOf(0));
        assertEquals(List.of(), coursesOf(1));
        assertEquals(List.of(Course.WON_AND_TAKEN_BACK), coursesOf(3));
        assertEquals(List.of(Course.SEEN_FREE), coursesOf(4));
        assertEquals(List.of(Course.SEEN_FREE), coursesOf(5));
        assertEquals(List.of(Course.MET), coursesOf(6));
        assertEquals(4, recording.history(6).get(0).expected());
        assertEquals(List.of(Course.NOT_REACHED), coursesOf(7));
        // Nothing comes after the last word of a range, so nothing makes a claim give it back and begin again.
        assertEquals(List.of(), coursesOf(8));
        assertEquals(List.of(), coursesOf(9));
        assertEquals(List.of(), coursesOf(10));
        assertTrue(recording.history(3).get(0).mayBeginAgain());
        assertFalse(recording.history(0).get(0).mayBeginAgain());
    }

    @Test
    void shouldTakeEveryRangeBeforeTheOneThatLostForWon() {
        recording.addProcess(
                1, List.of(add(1, Outcome.LOST, 1, 2, 2, 0b1000, new Range(0, 1), new Range(2, 1))), NEVER, NEVER);

        // In the same word, and yet won: by a compare-and-swap of its own.
        assertEquals(List.of(Course.WON_AND_TAKEN_BACK), coursesOf(0));
        assertEquals(List.of(Course.MET), coursesOf(2));
    }

    @Test
    void shouldEndWhatAKilledProcessDidWhenItWasGone() {
        recording.addProcess(
                1,
                List.of(
                        add(1, Outcome.DONE, 1, 2, new Range(0, 2)),
                        operation(1, Kind.FORCED_RELEASE, Outcome.UNDER_WAY, 3, 0, 0b11)),
                10,
                12);

        assertEquals(List.of(Course.WIN, Course.CUT_RELEASE), coursesOf(1));
        assertEquals(12, recording.history(1).get(1).returnNs());
    }

    @Test
    void shouldReapTheDeadUntilASuccessorHasAttached() {
        recording.addProcess(1, List.of(operation(1, Kind.ATTACH, Outcome.DONE, 1, 2, 0)), 10, 12);
        recording.addProcess(1, List.of(operation(1, Kind.ATTACH, Outcome.UNDER_WAY, 20, 0, 0)), 25, 27);
        recording.addProcess(1, List.of(operation(1, Kind.ATTACH, Outcome.DONE, 30, 35, 0)), NEVER, NEVER);
        recording.finish();

        assertEquals(List.of(Course.REAP), coursesOf(0));
        assertEquals(10, recording.history(0).get(0).invokeNs());
        assertEquals(35, recording.history(0).get(0).returnNs());
    }

    @Test
    void shouldAcceptHeadsThatShareTheDevice() {
        recording.addProcess(
                1,
                List.of(
                        add(1, Outcome.DONE, 1, 3, new Range(0, 6)),
                        operation(1, Kind.ANSWER, Outcome.DONE, 5, 6, 0b110000),
                        operation(1, Kind.ACCESS, Outcome.DONE, 7, 8, 0b1111),
                        operation(1, Kind.LEAVE, Outcome.DONE, 20, 21, 0b1111)),
                NEVER,
                NEVER);
        recording.addProcess(
                2,
                List.of(
                        add(2, Outcome.LOST, 2, 4, 4, 0b10, new Range(4, 2)),
                        add(2, Outcome.DONE, 9, 10, new Range(4, 2)),
                        add(2, Outcome.LOST, 11, 12, 2, 0b10, new Range(2, 2), new Range(8, 1))),
                NEVER,
                NEVER);

        assertTrue(isLinearizable());
    }

    @Test
    void shouldNoticeAPartOfALostClaimThatStayed() {
        recording.addProcess(1, List.of(add(1, Outcome.DONE, 1, 2, new Range(4, 1))), NEVER, NEVER);
        recording.addProcess(2, List.of(add(2, Outcome.LOST, 3, 4, 4, 0b10, new Range(3, 2))), NEVER, NEVER);
        assertTrue(isLinearizable());

        recording.addLook(3, 0b100, 5, 6);

        assertTrue(Linearizability.check(recording.history(3)).isPresent());
    }

    @Test
    void shouldTellWhatWasRefusedToAnOwner() {
        recording.addProcess(1, List.of(operation(1, Kind.ACCESS, Outcome.REFUSED, 1, 2, 0b1)), NEVER, NEVER);

        assertEquals(1, recording.refusals().size());
    }

    @Test
    void shouldFindInTheLogWhatWasWrittenAndNoMore(@TempDir Path folder) {
        Path file = folder.resolve("log");
        OperationLog log = OperationLog.create(file, 10);
        List<Range> ranges = List.of(new Range(0, 3), new Range(5, 1), new Range(40, 24));
        log.invoke(Kind.ADD, Operation.blocksOf(ranges), ranges);
        log.complete(Outcome.LOST, 5, 1L << 63);
        log.invoke(Kind.RESET, 0b101, List.of());

        List<Operation> operations = OperationLog.read(file, 10, 7, 2);

        assertEquals(2, operations.size());
        Operation lost = operations.get(0);
        assertEquals(Outcome.LOST, lost.outcome());
        assertEquals(ranges, lost.ranges());
        assertEquals(0xffff_ff00_0000_0027L, lost.blocks());
        assertEquals(5, lost.met());
        assertEquals(List.of(63), Operation.numbersOf(lost.owners()));
        assertTrue(lost.invokeNs() <= lost.returnNs());
        Operation cut = operations.get(1);
        assertEquals(Outcome.UNDER_WAY, cut.outcome());
        assertEquals(Kind.RESET, cut.kind());
        assertEquals("head 7, process 2: reset blocks=[0, 2], killed in it", cut.toString());
    }
}

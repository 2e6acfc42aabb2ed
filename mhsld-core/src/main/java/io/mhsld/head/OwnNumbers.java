package io.mhsld.head;

import io.mhsld.state.ExtentTable;
import io.mhsld.state.StateFile;
import java.util.List;

/**
 * The two numbers by which others see that a head changes something: of its operation, and of its extent table. Nobody but the head writes them,
 * so it goes by what it wrote last; what stands in the file instead is damage, and not counted on from there.
 */
final class OwnNumbers {
    private final StateFile state;
    private final int head;
    private long operation;
    private long sequence;

    /** For the holder of the head's lease, outside of operations: begins with what stands there. */
    OwnNumbers(StateFile state, int head) {
        this.state = state;
        this.head = head;
        this.operation = state.heads().operationAcquire(head);
        this.sequence = state.extents(head).sequenceAcquire();
    }

    /** An operation starts: until {@link #end}, table and map may disagree. */
    void begin() {
        operation |= 1;
        state.heads().writeOperationRelease(head, operation);
    }

    /** The operation is over. */
    void end() {
        operation = (operation | 1) + 1;
        state.heads().writeOperationRelease(head, operation);
    }

    /** Replaces the extent table, all of it. */
    void writeTable(List<ExtentTable.Entry> entries, int generation) {
        sequence = state.extents(head).writeSeqlock(entries, generation, sequence);
    }

    /** Replaces what is other than before: see {@link ExtentTable#writeSeqlock(int, List, int, long)}. */
    void writeTable(int count, List<ExtentTable.Placed> changes, int generation) {
        sequence = state.extents(head).writeSeqlock(count, changes, generation, sequence);
    }

    /** Outside of operations: puts right what is not as it was written; says which of them. */
    List<String> mend() {
        boolean operationIsRight = state.heads().operationAcquire(head) == operation;
        boolean sequenceIsRight = state.extents(head).sequenceAcquire() == sequence;
        if (operationIsRight && sequenceIsRight) {
            return List.of();
        }
        if (!operationIsRight) {
            state.heads().writeOperationRelease(head, operation);
        }
        if (!sequenceIsRight) {
            state.extents(head).writeSequenceRelease(sequence);
        }
        return operationIsRight
                ? List.of("sequence")
                : sequenceIsRight ? List.of("operation") : List.of("operation", "sequence");
    }
}

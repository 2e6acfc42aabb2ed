package io.mhsld.stress.history;

import io.mhsld.stress.history.Operation.Kind;
import io.mhsld.stress.history.Operation.Outcome;
import io.mhsld.stress.history.Operation.Range;
import io.mhsld.stress.process.SharedFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The operations of one process, in a file that it has mapped, so that they are there when it has been killed. A record is begun before the
 * operation and completed after it; one that was never completed is an operation in which the process died.
 *
 * <pre>
 *   0        8         16      20       24       32       40     44          48       56
 *   | invoke | return  | kind  | outcome| blocks | ranges | met  | (unused)  | owners | (unused) |
 * </pre>
 *
 * <p>Times are {@code System.nanoTime}, which is {@code CLOCK_MONOTONIC} on Linux and so the same for all processes of a machine; the trial checks
 * that ({@link Control#checkClock}).
 */
final class OperationLog {
    private static final int HEADER_LENGTH = 64;
    private static final int RECORD_LENGTH = 64;
    private static final int INVOKE = 0;
    private static final int RETURN = 8;
    private static final int KIND = 16;
    private static final int OUTCOME = 20;
    private static final int BLOCKS = 24;
    private static final int RANGES = 32;
    private static final int MET = 40;
    private static final int OWNERS = 48;

    private final UnsafeBuffer memory;
    private final int capacity;
    private int record = HEADER_LENGTH;
    private int count;

    private OperationLog(UnsafeBuffer memory, int capacity) {
        this.memory = memory;
        this.capacity = capacity;
    }

    /** A new log with room for so many operations; pages are taken as it is written. */
    static OperationLog create(Path file, int capacity) {
        return new OperationLog(SharedFile.map(file, HEADER_LENGTH + capacity * RECORD_LENGTH), capacity);
    }

    /** Begins an operation: the last thing before it. */
    void invoke(Kind kind, long blocks, List<Range> ranges) {
        if (count == capacity) {
            throw new IllegalStateException("log is full: operations=" + count);
        }
        record = HEADER_LENGTH + count * RECORD_LENGTH;
        memory.putInt(record + KIND, kind.number());
        memory.putInt(record + OUTCOME, Outcome.UNDER_WAY.number());
        memory.putLong(record + BLOCKS, blocks);
        memory.putLong(record + RANGES, Operation.pack(ranges));
        // Volatile: no load of the operation comes before the time is taken and told.
        memory.putLongVolatile(record + INVOKE, System.nanoTime());
        memory.putLongVolatile(0, ++count);
    }

    /** Completes it: the first thing after it. */
    void complete(Outcome outcome, int met, long owners) {
        long now = System.nanoTime();
        memory.putInt(record + OUTCOME, outcome.number());
        memory.putInt(record + MET, met);
        memory.putLong(record + OWNERS, owners);
        memory.putLongVolatile(record + RETURN, now);
    }

    /** The operations that a process wrote down, which may be dead. */
    static List<Operation> read(Path file, int capacity, int head, int generation) {
        UnsafeBuffer memory = SharedFile.map(file, HEADER_LENGTH + capacity * RECORD_LENGTH);
        int count = (int) memory.getLongVolatile(0);
        List<Operation> operations = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int record = HEADER_LENGTH + i * RECORD_LENGTH;
            long returnNs = memory.getLongVolatile(record + RETURN);
            operations.add(new Operation(
                    head,
                    generation,
                    Kind.of(memory.getInt(record + KIND)),
                    memory.getLong(record + INVOKE),
                    returnNs,
                    returnNs == 0 ? Outcome.UNDER_WAY : Outcome.of(memory.getInt(record + OUTCOME)),
                    memory.getLong(record + BLOCKS),
                    Operation.unpack(memory.getLong(record + RANGES)),
                    memory.getInt(record + MET),
                    memory.getLong(record + OWNERS)));
        }
        return operations;
    }
}

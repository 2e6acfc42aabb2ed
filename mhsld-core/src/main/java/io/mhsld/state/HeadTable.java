package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.ATTACHED_MS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.HEAD_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.HEAD_STATE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.INCARNATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAX_SOCKET_BYTES;
import static io.mhsld.state.StateFileDescriptor.OPERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.PID_OFFSET;
import static io.mhsld.state.StateFileDescriptor.PROCESS_START_TICKS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SOCKET_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SOCKET_OFFSET;

import java.nio.charset.StandardCharsets;

/**
 * Who each head is: one row for each, written only by the holder of that head's lease. The lease itself is a kernel lock; a row may tell of a
 * process that has died since.
 */
public final class HeadTable {
    /** What the holder of the lease was doing when it last said so. */
    public enum State {
        /** Nobody is this head. */
        FREE(0),
        /** A process has the lease and prepares. */
        STARTING(1),
        /** The head answers on its control socket. */
        SERVING(2),
        /** What the head left behind is being freed. */
        REAPING(3),
        /** The file holds a number that means nothing. */
        DAMAGED(-1);

        /** As it stands in the row. */
        private final int number;

        State(int number) {
            this.number = number;
        }

        private static State of(int number) {
            for (State state : values()) {
                if (state.number == number) {
                    return state;
                }
            }
            return DAMAGED;
        }
    }

    private final SharedMemory rows;
    private final int headCount;

    HeadTable(SharedMemory rows, int headCount) {
        this.rows = rows;
        this.headCount = headCount;
    }

    /** What a row said at one moment; its fields are those of one write only while the head's state does not change. */
    public record Row(
            int head,
            long incarnation,
            State state,
            long pid,
            long processStartTicks,
            long attachedMs,
            String controlSocket) {}

    /** Reads a row. */
    public Row readAcquire(int head) {
        int row = row(head);
        State state = State.of(rows.getIntAcquire(row + HEAD_STATE_OFFSET));
        int socketLength = Math.min(Math.max(0, rows.getIntPlain(row + SOCKET_LENGTH_OFFSET)), MAX_SOCKET_BYTES);
        return new Row(
                head,
                rows.getLongAcquire(row + INCARNATION_OFFSET),
                state,
                rows.getLongPlain(row + PID_OFFSET),
                rows.getLongPlain(row + PROCESS_START_TICKS_OFFSET),
                rows.getLongPlain(row + ATTACHED_MS_OFFSET),
                new String(rows.getBytesPlain(row + SOCKET_OFFSET, socketLength), StandardCharsets.UTF_8));
    }

    /** The number that stands for the state, whether it means something or not. */
    int stateNumberPlain(int head) {
        return rows.getIntPlain(row(head) + HEAD_STATE_OFFSET);
    }

    /** As it stands there, whether a path can be so long or not. */
    int socketLengthPlain(int head) {
        return rows.getIntPlain(row(head) + SOCKET_LENGTH_OFFSET);
    }

    /** What the head is doing. */
    public State stateAcquire(int head) {
        return readAcquire(head).state;
    }

    /** How many leases and reaps the head has seen. */
    public long incarnationAcquire(int head) {
        return rows.getLongAcquire(row(head) + INCARNATION_OFFSET);
    }

    /** Starts a new incarnation; whoever remembers the old one knows that it is over. */
    public long nextIncarnationRelease(int head) {
        int offset = row(head) + INCARNATION_OFFSET;
        long next = rows.getLongPlain(offset) + 1;
        rows.putLongRelease(offset, next);
        return next;
    }

    /** Says which process this head is now; the state is told last. */
    public void startRelease(int head, long pid, long processStartTicks, long attachedMs) {
        int row = row(head);
        rows.putLongPlain(row + PID_OFFSET, pid);
        rows.putLongPlain(row + PROCESS_START_TICKS_OFFSET, processStartTicks);
        rows.putLongPlain(row + ATTACHED_MS_OFFSET, attachedMs);
        rows.putIntPlain(row + SOCKET_LENGTH_OFFSET, 0);
        rows.putIntRelease(row + HEAD_STATE_OFFSET, State.STARTING.number);
    }

    /**
     * Says where this head can be spoken to.
     *
     * @throws IllegalArgumentException when the path has more than 124 bytes
     */
    public void serveRelease(int head, String controlSocket) {
        byte[] bytes = controlSocket.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_SOCKET_BYTES) {
            throw new IllegalArgumentException(
                    "control socket path too long: bytes=" + bytes.length + " limit=" + MAX_SOCKET_BYTES);
        }
        int row = row(head);
        rows.putBytesPlain(row + SOCKET_OFFSET, bytes);
        rows.putIntPlain(row + SOCKET_LENGTH_OFFSET, bytes.length);
        rows.putIntRelease(row + HEAD_STATE_OFFSET, State.SERVING.number);
    }

    /** Says that the head's leftovers are being freed. */
    public void reapRelease(int head) {
        rows.putIntRelease(row(head) + HEAD_STATE_OFFSET, State.REAPING.number);
    }

    /** Says that nobody is this head any more. */
    public void freeRelease(int head) {
        int row = row(head);
        // First, so that a row without a process never says that it serves, at whatever store its writer dies.
        rows.putIntRelease(row + HEAD_STATE_OFFSET, State.REAPING.number);
        rows.putLongRelease(row + PID_OFFSET, 0);
        rows.putLongPlain(row + PROCESS_START_TICKS_OFFSET, 0);
        rows.putIntPlain(row + SOCKET_LENGTH_OFFSET, 0);
        rows.putIntRelease(row + HEAD_STATE_OFFSET, State.FREE.number);
    }

    /** Odd while an operation of the head is under way, so that its extent table and the owner map may disagree. */
    public long operationAcquire(int head) {
        return rows.getLongAcquire(row(head) + OPERATION_OFFSET);
    }

    /** An operation starts: until {@link #endOperationRelease}, table and map may disagree. */
    public void beginOperationRelease(int head) {
        int offset = row(head) + OPERATION_OFFSET;
        rows.putLongRelease(offset, rows.getLongPlain(offset) | 1);
    }

    /** The operation is over. */
    public void endOperationRelease(int head) {
        int offset = row(head) + OPERATION_OFFSET;
        rows.putLongRelease(offset, (rows.getLongPlain(offset) | 1) + 1);
    }

    /** The number of the operation, by a head that knows what it wrote before: what stands there may be damage. */
    public void writeOperationRelease(int head, long operation) {
        rows.putLongRelease(row(head) + OPERATION_OFFSET, operation);
    }

    /**
     * Repair, with the head's lease: numbers that no head writes are brought back into their range.
     *
     * @param nowMs the time of day, which becomes the incarnation if that is damaged: what it was nobody knows, and no head has ever counted so
     *     far, so that none that somebody remembers comes again
     */
    void mendRelease(int head, long lastNumber, long lastTimeMs, long nowMs) {
        int row = row(head);
        if (isOutside(row + INCARNATION_OFFSET, lastNumber)) {
            rows.putLongRelease(row + INCARNATION_OFFSET, nowMs);
        }
        if (isOutside(row + OPERATION_OFFSET, lastNumber)) {
            // Whether it is odd stays: who died within an operation has not ended it.
            rows.putLongRelease(row + OPERATION_OFFSET, rows.getLongPlain(row + OPERATION_OFFSET) & lastNumber);
        }
        if (isOutside(row + ATTACHED_MS_OFFSET, lastTimeMs)) {
            rows.putLongPlain(row + ATTACHED_MS_OFFSET, 0);
        }
    }

    /** Writes a whole row, by the head that it is about: what it knows to be so. */
    public void writeRelease(Row row) {
        rows.putLongRelease(row(row.head) + INCARNATION_OFFSET, row.incarnation);
        startRelease(row.head, row.pid, row.processStartTicks, row.attachedMs);
        if (row.state == State.SERVING) {
            serveRelease(row.head, row.controlSocket);
        }
    }

    private boolean isOutside(int offset, long last) {
        long met = rows.getLongPlain(offset);
        return met < 0 || met > last;
    }

    private int row(int head) {
        if (head < 0 || head >= headCount) {
            throw new IllegalArgumentException("no such head: head=" + head + " heads=" + headCount);
        }
        return head * HEAD_ROW_LENGTH;
    }
}

package io.mhsld.stress.contest;

import io.mhsld.stress.process.Barrier;
import io.mhsld.stress.process.SharedFile;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What the contenders for one device tell each other and the parent, in a file that all have mapped:
 *
 * <pre>
 *   barrier | stop | a row of scores for each contender | wins of each contender by block | tickets by block | tickets by lease
 * </pre>
 *
 * <p>A row, and a contender's wins, have one writer. Tickets have none but whoever owns the block or holds the lease, and are written by plain loads and stores.
 */
final class Scoreboard {
    static final int BLOCKS = 61; // No multiple of any number of lanes to a word but one.
    static final int LEASES = 3;

    private static final int BARRIER_PATIENCE_S = 20;
    private static final int STOP_OFFSET = Barrier.LENGTH;
    private static final int ROWS_OFFSET = STOP_OFFSET + 128;
    private static final int ROW_LENGTH = 256;

    /** What is counted for each contender. */
    enum Score {
        /** What its claim of this round returned. */
        MET(0),
        SAME_ROUNDS(1),
        SAME_WINS(2),
        OVERLAPPING_ROUNDS(3),
        OVERLAPPING_WINS(4),
        BLOCKED_ROUNDS(5),
        BLOCKED_WINS(6),
        FREE_ATTEMPTS(7),
        FREE_WINS(8),
        FREE_LOSSES(9),
        LEASE_ATTEMPTS(10),
        LEASE_WINS(11),
        LEASE_LOSSES(12),
        /** What the contender itself found wrong; each is in its output. */
        VIOLATIONS(13),
        /** It has come to the end. */
        DONE(14),
        CHOICE_ROUNDS(15),
        CHOICE_WINS(16),
        CHOICE_LOSSES(17),
        /** Of each lease, after the contest for them. */
        INCARNATION_0(18),
        INCARNATION_1(19),
        INCARNATION_2(20),
        CHOICE_LONGEST_US(21);

        static Score incarnation(int lease) {
            return valueOf("INCARNATION_" + lease);
        }

        private final int place;

        Score(int place) {
            this.place = place;
        }
    }

    private final UnsafeBuffer memory;
    private final int contenders;
    private final Barrier barrier;

    private Scoreboard(UnsafeBuffer memory, int contenders) {
        this.memory = memory;
        this.contenders = contenders;
        this.barrier = new Barrier(memory, 0, contenders, BARRIER_PATIENCE_S);
    }

    static Scoreboard map(Path file, int contenders) {
        int lengthBytes = ticketOffset(contenders, BLOCKS + LEASES);
        return new Scoreboard(SharedFile.map(file, lengthBytes), contenders);
    }

    void awaitOthers() {
        barrier.await();
    }

    void stop() {
        memory.putLongVolatile(STOP_OFFSET, memory.getLong(STOP_OFFSET) + 1);
    }

    /** How often somebody has said stop. */
    long stops() {
        return memory.getLongVolatile(STOP_OFFSET);
    }

    void set(int contender, Score score, long value) {
        memory.putLongVolatile(offset(contender, score), value);
    }

    void add(int contender, Score score, long amount) {
        set(contender, score, get(contender, score) + amount);
    }

    long get(int contender, Score score) {
        return memory.getLongVolatile(offset(contender, score));
    }

    long sum(Score score) {
        long sum = 0;
        for (int contender = 0; contender < contenders; contender++) {
            sum += get(contender, score);
        }
        return sum;
    }

    long max(Score score) {
        long max = 0;
        for (int contender = 0; contender < contenders; contender++) {
            max = Math.max(max, get(contender, score));
        }
        return max;
    }

    void countBlockWin(int contender, int block) {
        int offset = blockWinsOffset(contender, block);
        memory.putLong(offset, memory.getLong(offset) + 1);
    }

    long blockWins(int block) {
        long sum = 0;
        for (int contender = 0; contender < contenders; contender++) {
            sum += memory.getLongVolatile(blockWinsOffset(contender, block));
        }
        return sum;
    }

    /** A load and a store, and nothing that keeps another process from coming in between but the ownership of the block. */
    void drawTicketPlain(int block) {
        int offset = ticketOffset(contenders, block);
        memory.putLong(offset, memory.getLong(offset) + 1);
    }

    long tickets(int block) {
        return memory.getLongVolatile(ticketOffset(contenders, block));
    }

    /** The same for a lease. */
    void drawLeaseTicketPlain(int lease) {
        drawTicketPlain(BLOCKS + lease);
    }

    long leaseTickets(int lease) {
        return tickets(BLOCKS + lease);
    }

    private static int offset(int contender, Score score) {
        return ROWS_OFFSET + contender * ROW_LENGTH + score.place * Long.BYTES;
    }

    private int blockWinsOffset(int contender, int block) {
        return winsOffset(contenders) + (contender * BLOCKS + block) * Long.BYTES;
    }

    private static int winsOffset(int contenders) {
        return ROWS_OFFSET + contenders * ROW_LENGTH;
    }

    private static int ticketOffset(int contenders, int number) {
        return winsOffset(contenders) + (contenders * BLOCKS + number) * Long.BYTES;
    }
}

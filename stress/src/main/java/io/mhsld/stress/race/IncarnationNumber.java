package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.head.Leases.Lease;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.SharedSlots;
import java.util.Locale;
import java.util.Optional;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * The number of a head's incarnations says that an earlier process's life as this head is over (I6): it is raised, by the holder of the lease,
 * before anything of that process is taken away, and before its successor says who it is.
 */
public final class IncarnationNumber {
    private IncarnationNumber() {}

    /** Head A has died as incarnation 1, with a block; head B looks on. */
    abstract static class DeadHead {
        private static final int MAP_OFFSET = 256;
        private static final Geometry GEOMETRY = Geometry.of(2, 8L << 21, 1, 2L << 20);
        private static final int A = 0;
        private static final int B = 1;
        private static final int BLOCK = 2;
        private static final long PID_OF_DEAD = 4711;
        private static final long PID_OF_NEXT = 4712;

        private final SharedSlots.Slot slot = SharedSlots.next(MAP_OFFSET + Long.BYTES);
        private final HeadTable rows = slot.headTable(0, 0);
        private final HeadTable rowsOfB = slot.headTable(1, 0);
        private final OwnerMap map = slot.ownerMap(0, MAP_OFFSET, GEOMETRY);
        private final OwnerMap mapOfB = slot.ownerMap(1, MAP_OFFSET, GEOMETRY);

        DeadHead() {
            rows.nextIncarnationRelease(A);
            rows.startRelease(A, PID_OF_DEAD, 1, 2);
            rows.serveRelease(A, "/dev/shm/mhsld.head0.sock");
            map.claim(A, BLOCK, 1);
        }

        final void raise() {
            rows.nextIncarnationRelease(A);
        }

        final void clear() {
            map.clear(A, BLOCK, 1);
        }

        final void saysReaping() {
            rows.reapRelease(A);
        }

        final void saysStarting() {
            rows.startRelease(A, PID_OF_NEXT, 1, 2);
        }

        final String claimAsB() {
            return Answer.of(mapOfB.claim(B, BLOCK, 1));
        }

        final long incarnationForB() {
            return rowsOfB.incarnationAcquire(A);
        }

        final String rowForB() {
            Row row = rowsOfB.readAcquire(A);
            String pid = row.state() == HeadTable.State.STARTING && row.pid() != PID_OF_NEXT ? " with the old pid" : "";
            return row.state().name().toLowerCase(Locale.ROOT) + " " + row.incarnation() + pid;
        }
    }

    @Outcome(id = "met 2, 1", expect = ACCEPTABLE, desc = "B claims and asks -> A is reaped")
    @Outcome(id = "met 2, 2", expect = ACCEPTABLE, desc = "B claims -> A's incarnation ends -> B asks")
    @Outcome(id = "won, 2", expect = ACCEPTABLE, desc = "A is reaped -> B claims and asks")
    @Outcome(expect = FORBIDDEN, desc = "the block is another's, and its old owner's incarnation goes on")
    static final class BlockOutcomes {}

    /**
     * A is reaped; B claims its block, and asks which incarnation A has. Outcomes: what the claim returned, the incarnation.
     *
     * <p>Why "won, 1" cannot be: the claim won because it read the lane that the reaper had cleared after raising the number.
     */
    @JCStressTest
    @JCStressMeta(BlockOutcomes.class)
    @State
    public static class RaiseThenClear extends DeadHead {
        @Actor
        public void reaper() {
            raise();
            clear();
        }

        @Actor
        public void b(LL_Result r) {
            r.r1 = claimAsB();
            r.r2 = incarnationForB();
        }
    }

    /** The defect: the number is raised when all is done. */
    @JCStressTest
    @JCStressMeta(BlockOutcomes.class)
    @State
    public static class BrokenClearThenRaise extends DeadHead {
        @Actor
        public void reaper() {
            clear();
            raise();
        }

        @Actor
        public void b(LL_Result r) {
            r.r1 = claimAsB();
            r.r2 = incarnationForB();
        }
    }

    @Outcome(id = "serving 1", expect = ACCEPTABLE, desc = "B looks -> the next process")
    @Outcome(
            id = "serving 2",
            expect = ACCEPTABLE,
            desc = "B reads the state -> the next process -> B reads the number")
    @Outcome(id = "reaping 1", expect = ACCEPTABLE, desc = "the next process says what it does -> B looks -> it raises")
    @Outcome(id = "reaping 2", expect = ACCEPTABLE, desc = "the next process raises -> B looks")
    @Outcome(id = "starting 2", expect = ACCEPTABLE, desc = "the next process -> B looks")
    @Outcome(expect = FORBIDDEN, desc = "the next process with the number or the pid of the one before")
    static final class RowOutcomes {}

    /**
     * A new process becomes head A while B reads A's row. Outcome: state and incarnation.
     *
     * <p>Why "starting 1" cannot be: the state is stored last and loaded first.
     */
    @JCStressTest
    @JCStressMeta(RowOutcomes.class)
    @State
    public static class RaiseThenStart extends DeadHead {
        @Actor
        public void next() {
            saysReaping();
            raise();
            saysStarting();
        }

        @Actor
        public void b(L_Result r) {
            r.r1 = rowForB();
        }
    }

    /** The defect: the number is raised after the new process has said who it is. */
    @JCStressTest
    @JCStressMeta(RowOutcomes.class)
    @State
    public static class BrokenStartThenRaise extends DeadHead {
        @Actor
        public void next() {
            saysReaping();
            saysStarting();
            raise();
        }

        @Actor
        public void b(L_Result r) {
            r.r1 = rowForB();
        }
    }

    @Outcome(id = "raised, raised, 2", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(id = "raised, taken, 1", expect = ACCEPTABLE, desc = "A takes the lease -> B asks for it -> A lets go")
    @Outcome(id = "taken, raised, 1", expect = ACCEPTABLE, desc = "B takes the lease -> A asks for it -> B lets go")
    @Outcome(expect = FORBIDDEN, desc = "two incarnations with one number")
    static final class TwoReapersOutcomes {}

    abstract static class OneRow {
        private final int head = RaceLeases.nextHead();
        private final SharedSlots.Slot slot = SharedSlots.next(256);
        final HeadTable rowOfA = slot.headTable(0, 0);
        final HeadTable rowOfB = slot.headTable(1, 0);

        final String raiseUnderLease(HeadTable rows) {
            Optional<Lease> lease = RaceLeases.file().tryHead(head);
            if (lease.isEmpty()) {
                return "taken";
            }
            rows.nextIncarnationRelease(0);
            lease.get().release();
            return "raised";
        }

        final String raiseWithoutLease(HeadTable rows) {
            rows.nextIncarnationRelease(0);
            return "raised";
        }
    }

    /**
     * Two reapers of one head. Outcomes: what became of either, the incarnation afterwards.
     *
     * <p>Why the number cannot be raised once by both: raising is a load and a store, and only the holder of the lease does it.
     */
    @JCStressTest
    @JCStressMeta(TwoReapersOutcomes.class)
    @State
    public static class TwoReapers extends OneRow {
        @Actor
        public void a(LLL_Result r) {
            r.r1 = raiseUnderLease(rowOfA);
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = raiseUnderLease(rowOfB);
        }

        @Arbiter
        public void number(LLL_Result r) {
            r.r3 = rowOfA.incarnationAcquire(0);
        }
    }

    /** The defect: they raise it without the lease. */
    @JCStressTest
    @JCStressMeta(TwoReapersOutcomes.class)
    @State
    public static class BrokenWithoutLease extends OneRow {
        @Actor
        public void a(LLL_Result r) {
            r.r1 = raiseWithoutLease(rowOfA);
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = raiseWithoutLease(rowOfB);
        }

        @Arbiter
        public void number(LLL_Result r) {
            r.r3 = rowOfA.incarnationAcquire(0);
        }
    }
}

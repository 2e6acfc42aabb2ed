package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * B writes to a block's memory for the last time and lets go of the block; A claims it and looks into the memory, where it would scrub it (I4).
 * Outcomes: what A's claim returned, what A then found in the memory.
 *
 * <p>Why nothing else can be: B's store comes before its compare-and-swap, and A's look comes after its own, which read what B's had written.
 * Were it otherwise, B's bytes could arrive after A's scrub, and be read by A's host.
 */
public final class LateStore {
    private static final int BLOCK = 2;

    private LateStore() {}

    @Outcome(id = "met 2, not looked", expect = ACCEPTABLE, desc = "A -> B")
    @Outcome(id = "won, B's bytes", expect = ACCEPTABLE, desc = "B -> A: the scrub comes after B's bytes")
    @Outcome(expect = FORBIDDEN, desc = "A has the block, and B's bytes are still to come")
    static final class Outcomes {}

    abstract static class Memory extends TwoHeads {
        private static final long BYTES_OF_B = 0x4242_4242_4242_4242L;

        Memory() {
            super(1);
            given(b, BLOCK, 1);
        }

        final void writeAsB() {
            memoryOfB.putLong(0, BYTES_OF_B);
        }

        final String lookAsA() {
            return memoryOfA.getLong(0) == BYTES_OF_B ? "B's bytes" : "nothing";
        }
    }

    /** B writes, and then clears. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class WriteThenClear extends Memory {
        @Actor
        public void a(LL_Result r) {
            long claimed = mapOfA.claim(A, BLOCK, 1);
            r.r1 = Answer.of(claimed);
            r.r2 = claimed == BLOCK ? "not looked" : lookAsA();
        }

        @Actor
        public void b() {
            writeAsB();
            mapOfB.clear(b, BLOCK, 1);
        }
    }

    /** The defect: B's last write comes after its clear. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class BrokenClearThenWrite extends Memory {
        @Actor
        public void a(LL_Result r) {
            long claimed = mapOfA.claim(A, BLOCK, 1);
            r.r1 = Answer.of(claimed);
            r.r2 = claimed == BLOCK ? "not looked" : lookAsA();
        }

        @Actor
        public void b() {
            mapOfB.clear(b, BLOCK, 1);
            writeAsB();
        }
    }
}

package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/**
 * A and B claim different blocks that are neighbours: no bit is lost. Outcomes: what A's call returned, what B's returned, the lanes afterwards.
 *
 * <p>Why nothing else can be: whoever comes second in a word fails its compare-and-swap, reads the word anew and keeps what stands there; and a
 * claim looks at its own lanes only.
 */
public final class Neighbours {
    private Neighbours() {}

    @Outcome(id = "won, won, AB", expect = ACCEPTABLE, desc = "A and B in any order")
    @Outcome(expect = FORBIDDEN, desc = "somebody lost a free block, or a bit is gone")
    static final class ClaimsOutcomes {}

    /** Up to 8 heads: eight blocks to a word. */
    @JCStressTest
    @JCStressMeta(ClaimsOutcomes.class)
    @State
    public static class OneByteLanes extends TwoHeads {
        public OneByteLanes() {
            super(1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 1, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }

    /** Up to 16 heads: four blocks to a word. */
    @JCStressTest
    @JCStressMeta(ClaimsOutcomes.class)
    @State
    public static class TwoByteLanes extends TwoHeads {
        public TwoByteLanes() {
            super(2);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 1, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }

    /** Up to 32 heads: two blocks to a word. */
    @JCStressTest
    @JCStressMeta(ClaimsOutcomes.class)
    @State
    public static class FourByteLanes extends TwoHeads {
        public FourByteLanes() {
            super(4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 1, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }

    /** Up to 64 heads: each block is a word of its own. */
    @JCStressTest
    @JCStressMeta(ClaimsOutcomes.class)
    @State
    public static class EightByteLanes extends TwoHeads {
        public EightByteLanes() {
            super(8);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 1, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }

    /** The defect: the word is stored as it was read, with the own bit added. */
    @JCStressTest
    @JCStressMeta(ClaimsOutcomes.class)
    @State
    public static class BrokenReadThenWrite extends TwoBrokenHeads {
        public BrokenReadThenWrite() {
            super(1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(brokenMapOfA.claimByReadThenWrite(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(brokenMapOfB.claimByReadThenWrite(b, 1, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }

    /** One claims, the other lets go of the block beside. */
    @JCStressTest
    @Outcome(id = "won, 1, A-", expect = ACCEPTABLE, desc = "A and B in any order")
    @Outcome(expect = FORBIDDEN, desc = "A lost a free block, or its bit is gone, or B's came back")
    @State
    public static class ClaimBesideClear extends TwoHeads {
        public ClaimBesideClear() {
            super(1);
            given(b, 1, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = mapOfB.clear(b, 1, 1);
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(2);
        }
    }
}

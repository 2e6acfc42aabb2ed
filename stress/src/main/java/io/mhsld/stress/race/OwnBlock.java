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
 * A claims blocks of which one is its own already, while B claims the block next to it: A fails, and still owns what it owned (I3; in the
 * reference the roll-back took the head's own block away). Outcomes: what A's claim returned, what B's returned, the lanes afterwards.
 *
 * <p>Why nothing else can be: to a claim a lane is free or it is not, whoever owns it, and the roll-back ends before the lane that was met.
 */
public final class OwnBlock {
    private OwnBlock() {}

    /** All in one word: A sets nothing at all. */
    @JCStressTest
    @Outcome(id = "met 1, won, -AB", expect = ACCEPTABLE, desc = "A and B in any order")
    @Outcome(expect = FORBIDDEN, desc = "A lost its own block, or won a part, or B lost")
    @State
    public static class OneWord extends TwoHeads {
        public OneWord() {
            super(1);
            given(A, 1, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 2));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 2, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(3);
        }
    }

    @Outcome(
            id = "met 2, won, --AB",
            expect = ACCEPTABLE,
            desc = "A and B in any order: A took back blocks 0 and 1, not 2")
    @Outcome(expect = FORBIDDEN, desc = "A lost its own block, or won a part, or B lost")
    static final class TwoWordsOutcomes {}

    /** A wins the first word before it meets its own block in the second. */
    @JCStressTest
    @JCStressMeta(TwoWordsOutcomes.class)
    @State
    public static class TwoWords extends TwoHeads {
        public TwoWords() {
            super(4);
            given(A, 2, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 3));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 3, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }

    /** The defect, the reference's: the block that was met is rolled back too. */
    @JCStressTest
    @JCStressMeta(TwoWordsOutcomes.class)
    @State
    public static class BrokenFailedBlock extends TwoBrokenHeads {
        public BrokenFailedBlock() {
            super(4);
            given(A, 2, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(brokenMapOfA.claimWithRollBackOfFailedBlock(A, 0, 3));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 3, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }
}

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
 * A's claim wins some blocks, meets one of N's in the next word, and takes back what it had won, while B works in the first word (I3).
 * Outcomes: what A's claim returned, what B's call returned, the lanes afterwards.
 *
 * <p>Why nothing else can be: roll-back is a clear, a compare-and-swap for each word that takes A's bits out of the lanes that this claim had
 * set. Lanes beside them are stored back as they are at that moment, or the compare-and-swap fails and is done again.
 */
public final class RollBack {
    private RollBack() {}

    @Outcome(
            id = "met 4, won, B---N",
            expect = ACCEPTABLE,
            desc = "A and B in any order: A has nothing, B has its block")
    @Outcome(expect = FORBIDDEN, desc = "A kept a block, or took back more than it had won")
    static final class NeighbourClaimsOutcomes {}

    /** B claims the block beside the ones that A wins and takes back. */
    @JCStressTest
    @JCStressMeta(NeighbourClaimsOutcomes.class)
    @State
    public static class NeighbourClaims extends TwoHeads {
        public NeighbourClaims() {
            super(2);
            given(N, 4, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 1, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 0, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(5);
        }
    }

    /** The defect: A stores the words as they were before it came. */
    @JCStressTest
    @JCStressMeta(NeighbourClaimsOutcomes.class)
    @State
    public static class BrokenWholeWords extends TwoBrokenHeads {
        public BrokenWholeWords() {
            super(2);
            given(N, 4, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(brokenMapOfA.claimWithRollBackOfWholeWords(A, 1, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 0, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(5);
        }
    }

    /** B lets go of the block beside the ones that A wins and takes back. */
    @JCStressTest
    @Outcome(id = "met 4, 1, ----N", expect = ACCEPTABLE, desc = "A and B in any order: neither has anything")
    @Outcome(expect = FORBIDDEN, desc = "A kept a block, or B's block came back")
    @State
    public static class NeighbourClears extends TwoHeads {
        public NeighbourClears() {
            super(2);
            given(N, 4, 1);
            given(b, 0, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 1, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = mapOfB.clear(b, 0, 1);
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(5);
        }
    }

    /** B claims the very blocks that A wins and takes back. */
    @JCStressTest
    @Outcome(id = "met 0, won, BB-N", expect = ACCEPTABLE, desc = "B -> A")
    @Outcome(id = "met 3, won, BB-N", expect = ACCEPTABLE, desc = "A wins and takes back -> B")
    @Outcome(
            id = "met 3, met 0, ---N",
            expect = ACCEPTABLE,
            desc = "A wins -> B -> A takes back: both lose, none has a block")
    @Outcome(expect = FORBIDDEN, desc = "A kept a block, or took one of B's, or B has a part")
    @State
    public static class SameBlocks extends TwoHeads {
        public SameBlocks() {
            super(4);
            given(N, 3, 1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 0, 2));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }
}

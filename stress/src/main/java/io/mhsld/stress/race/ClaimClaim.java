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
 * Two heads claim blocks of which some are the same (I1, I3). Outcomes: what A's claim returned, what B's returned, the lanes afterwards.
 *
 * <p>Why nothing else can be: lanes are only ever set by a compare-and-swap that found all of them free in that word, so of two heads that want
 * the same lane one must see the other's bit. Both go upwards, so they first meet in the lowest word that both want; who wins that word finds
 * nothing of the other further up, for the other has not got past it. So exactly one wins, and the other takes back no more than what it set.
 */
public final class ClaimClaim {
    private ClaimClaim() {}

    @Outcome(id = "won, met 2, --A", expect = ACCEPTABLE, desc = "A -> B")
    @Outcome(id = "met 2, won, --B", expect = ACCEPTABLE, desc = "B -> A")
    @Outcome(expect = FORBIDDEN, desc = "both won, or none, or the lane is not the winner's")
    static final class OneBlockOutcomes {}

    /** Both claim the same block. */
    @JCStressTest
    @JCStressMeta(OneBlockOutcomes.class)
    @State
    public static class OneBlock extends TwoHeads {
        public OneBlock() {
            super(1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 2, 1));
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

    /** The same on a map for 64 heads, where a block is a whole word and B's bit is the sign. */
    @JCStressTest
    @JCStressMeta(OneBlockOutcomes.class)
    @State
    public static class OneBlockOf64Heads extends TwoHeads {
        public OneBlockOf64Heads() {
            super(8);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 2, 1));
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

    /** The defect: each looks whether the block is free, and then stores. */
    @JCStressTest
    @JCStressMeta(OneBlockOutcomes.class)
    @State
    public static class BrokenReadThenWrite extends TwoBrokenHeads {
        public BrokenReadThenWrite() {
            super(1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(brokenMapOfA.claimByReadThenWrite(A, 2, 1));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(brokenMapOfB.claimByReadThenWrite(b, 2, 1));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(3);
        }
    }

    @Outcome(id = "won, met 2, AAAA--", expect = ACCEPTABLE, desc = "A -> B")
    @Outcome(
            id = "met 2, won, --BBBB",
            expect = ACCEPTABLE,
            desc = "B -> A; A took back what it had set below block 2, if anything")
    @Outcome(expect = FORBIDDEN, desc = "both won, or none, or a part is left behind")
    static final class OverlapOutcomes {}

    /** A claims 0 to 3 and B 2 to 5, all in one word: one compare-and-swap each. */
    @JCStressTest
    @JCStressMeta(OverlapOutcomes.class)
    @State
    public static class OverlapInOneWord extends TwoHeads {
        public OverlapInOneWord() {
            super(1);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 2, 4));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(6);
        }
    }

    /** The same with two lanes to a word: A wins blocks 0 and 1 in one word before the two meet in the next. */
    @JCStressTest
    @JCStressMeta(OverlapOutcomes.class)
    @State
    public static class OverlapAcrossWords extends TwoHeads {
        public OverlapAcrossWords() {
            super(4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(mapOfB.claim(b, 2, 4));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(6);
        }
    }

    /** The defect: the loser keeps what it had before it met the other. */
    @JCStressTest
    @JCStressMeta(OverlapOutcomes.class)
    @State
    public static class BrokenNoRollBack extends TwoBrokenHeads {
        public BrokenNoRollBack() {
            super(4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(brokenMapOfA.claimWithoutRollBack(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = Answer.of(brokenMapOfB.claimWithoutRollBack(b, 2, 4));
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(6);
        }
    }
}

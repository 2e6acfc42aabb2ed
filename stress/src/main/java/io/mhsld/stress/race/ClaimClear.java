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
 * B lets go of blocks while A claims them. Outcomes: what A's claim returned, what B's clear returned, the lanes afterwards.
 *
 * <p>Why nothing else can be: clear takes B's bits out with a compare-and-swap for each word, so a claim finds a word before or after it, and
 * sets nothing in the first case. Neither writes a bit of the other.
 */
public final class ClaimClear {
    private ClaimClear() {}

    @Outcome(id = "met 0, 4, ----", expect = ACCEPTABLE, desc = "A -> B")
    @Outcome(id = "won, 4, AAAA", expect = ACCEPTABLE, desc = "B -> A")
    @Outcome(expect = FORBIDDEN, desc = "A won a part, or lost what it won, or B's bits stayed")
    static final class OneWordOutcomes {}

    /** Four blocks of one word. */
    @JCStressTest
    @JCStressMeta(OneWordOutcomes.class)
    @State
    public static class OneWord extends TwoHeads {
        public OneWord() {
            super(1);
            given(b, 0, 4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = mapOfB.clear(b, 0, 4);
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }

    /** The defect: B looks which bits are in the word, and then stores the word without its own. */
    @JCStressTest
    @JCStressMeta(OneWordOutcomes.class)
    @State
    public static class BrokenReadThenWrite extends TwoBrokenHeads {
        public BrokenReadThenWrite() {
            super(1);
            given(b, 0, 4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = brokenMapOfB.clearByReadThenWrite(b, 0, 4);
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }

    /** Four blocks of two words: A may find the first word cleared and the second not yet, and must then take the first back. */
    @JCStressTest
    @Outcome(id = "met 0, 4, ----", expect = ACCEPTABLE, desc = "A -> B")
    @Outcome(id = "met 2, 4, ----", expect = ACCEPTABLE, desc = "B clears word 0 -> A -> B clears word 1")
    @Outcome(id = "won, 4, AAAA", expect = ACCEPTABLE, desc = "B -> A, or A right behind B")
    @Outcome(expect = FORBIDDEN, desc = "A won a part, or lost what it won, or B's bits stayed")
    @State
    public static class TwoWords extends TwoHeads {
        public TwoWords() {
            super(4);
            given(b, 0, 4);
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = Answer.of(mapOfA.claim(A, 0, 4));
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = mapOfB.clear(b, 0, 4);
        }

        @Arbiter
        public void lanes(LLL_Result r) {
            r.r3 = picture(4);
        }
    }
}

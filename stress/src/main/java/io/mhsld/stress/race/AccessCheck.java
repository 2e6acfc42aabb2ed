package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/** An access is checked while the blocks change hands. */
public final class AccessCheck {
    private AccessCheck() {}

    @Outcome(id = "met 2, no", expect = ACCEPTABLE, desc = "B claims -> A clears -> B asks")
    @Outcome(id = "met 2, yes", expect = ACCEPTABLE, desc = "B claims -> B asks -> A clears")
    @Outcome(id = "won, no", expect = ACCEPTABLE, desc = "A clears -> B claims -> B asks")
    @Outcome(expect = FORBIDDEN, desc = "the new owner has the block, and the old one may still access it")
    static final class LostBlockOutcomes {}

    /**
     * A lets go of a block; B claims it, and asks whether A may still access it. Outcomes: what B's claim returned, the answer.
     *
     * <p>Why "won, yes" cannot be: the claim won because it read the lane that A's clear had written, and the check reads the lane after that.
     */
    @JCStressTest
    @JCStressMeta(LostBlockOutcomes.class)
    @State
    public static class LostBlock extends TwoHeads {
        public LostBlock() {
            super(1);
            given(A, 2, 1);
        }

        @Actor
        public void a() {
            mapOfA.clear(A, 2, 1);
        }

        @Actor
        public void b(LL_Result r) {
            r.r1 = Answer.of(mapOfB.claim(b, 2, 1));
            r.r2 = Answer.of(mapOfB.ownsAllVolatile(A, 2, 1));
        }
    }

    /** The defect: the check asks whether the block has an owner, not which. */
    @JCStressTest
    @JCStressMeta(LostBlockOutcomes.class)
    @State
    public static class BrokenAnyOwner extends TwoBrokenHeads {
        public BrokenAnyOwner() {
            super(1);
            given(A, 2, 1);
        }

        @Actor
        public void a() {
            mapOfA.clear(A, 2, 1);
        }

        @Actor
        public void b(LL_Result r) {
            r.r1 = Answer.of(mapOfB.claim(b, 2, 1));
            r.r2 = Answer.of(brokenMapOfB.isOwned(2));
        }
    }

    @Outcome(id = "no", expect = ACCEPTABLE, desc = "A lacks block 0, or block 3, or both")
    @Outcome(expect = FORBIDDEN, desc = "access to four blocks of which A never had all")
    static final class NeverAllOutcomes {}

    /**
     * A has blocks 0 to 2, lets go of block 0 and then claims block 3; another thread asks whether A may access 0 to 3. Outcome: the answer.
     *
     * <p>Why "yes" cannot be: all four lanes are in one word, which the check reads once. (Of blocks in different words it reads one after the other,
     * and no promise is made.)
     */
    @JCStressTest
    @JCStressMeta(NeverAllOutcomes.class)
    @State
    public static class NeverAll extends TwoHeads {
        public NeverAll() {
            super(1);
            given(A, 0, 3);
        }

        @Actor
        public void a() {
            mapOfA.clear(A, 0, 1);
            mapOfA.claim(A, 3, 1);
        }

        @Actor
        public void b(L_Result r) {
            r.r1 = Answer.of(mapOfB.ownsAllVolatile(A, 0, 4));
        }
    }

    /** The defect: the check reads the lanes one by one. */
    @JCStressTest
    @JCStressMeta(NeverAllOutcomes.class)
    @State
    public static class BrokenEachInItsTurn extends TwoBrokenHeads {
        public BrokenEachInItsTurn() {
            super(1);
            given(A, 0, 3);
        }

        @Actor
        public void a() {
            mapOfA.clear(A, 0, 1);
            mapOfA.claim(A, 3, 1);
        }

        @Actor
        public void b(L_Result r) {
            r.r1 = Answer.of(brokenMapOfB.ownsEachInItsTurn(A, 0, 4));
        }
    }
}

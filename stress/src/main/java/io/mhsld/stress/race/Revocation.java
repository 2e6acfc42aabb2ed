package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.type3.AcceptedList;
import io.mhsld.type3.Extent;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * A part of an accepted extent is taken away while another thread checks an access to the part that stays, and then one to the part that goes.
 * Outcomes: the two answers. The other half of the check, the lanes of the owner map, is in {@link AccessCheck}.
 *
 * <p>Why the part that stays is never refused: the check looks at one immutable picture of the addresses, which is replaced by one store.
 */
public final class Revocation {
    private Revocation() {}

    @Outcome(id = "yes, yes", expect = ACCEPTABLE, desc = "both checks -> revocation")
    @Outcome(id = "yes, no", expect = ACCEPTABLE, desc = "revocation -> second check")
    @Outcome(expect = FORBIDDEN, desc = "an access to capacity that the host has all the time is refused")
    static final class Outcomes {}

    abstract static class SplitExtent {
        private static final long BLOCK_BYTES = 2L << 20;
        static final Extent RELEASED = Extent.untagged(BLOCK_BYTES, BLOCK_BYTES);
        static final List<Extent> LEFT =
                List.of(Extent.untagged(0, BLOCK_BYTES), Extent.untagged(2 * BLOCK_BYTES, 2 * BLOCK_BYTES));

        final AcceptedList accepted = new AcceptedList(List.of(Extent.untagged(0, 4 * BLOCK_BYTES)));

        final String checkWhatStays() {
            return Answer.of(accepted.covers(2 * BLOCK_BYTES, 2 * BLOCK_BYTES));
        }

        final String checkWhatGoes() {
            return Answer.of(accepted.covers(BLOCK_BYTES, BLOCK_BYTES));
        }
    }

    /** Four blocks become one and two. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class Split extends SplitExtent {
        @Actor
        public void head() {
            accepted.release(List.of(RELEASED));
        }

        @Actor
        public void host(LL_Result r) {
            r.r1 = checkWhatStays();
            r.r2 = checkWhatGoes();
        }
    }

    /** The defect: the list is emptied and filled again. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class BrokenClearThenAdd extends SplitExtent {
        @Actor
        public void head() {
            accepted.clearAndAdd(LEFT);
        }

        @Actor
        public void host(LL_Result r) {
            r.r1 = checkWhatStays();
            r.r2 = checkWhatGoes();
        }
    }
}

package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.head.Leases.Lease;
import io.mhsld.state.SharedSlots;
import java.util.Optional;
import org.agrona.concurrent.AtomicBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * Two want to be the same head: to start as it, or to reap it (I5, I6). All that either stores, it stores without any order of its own.
 *
 * <p>Why two cannot have the lease at once: the kernel gives the byte to one process, and within a process, of which a race has only one, the
 * table of its locks does. Why the next holder sees all that the last one stored: who gets the byte was told of it by whoever let go, and
 * that was after the last store. Between processes {@code scripts/stress contest} tries the same.
 */
public final class LeaseHandOver {
    private LeaseHandOver() {}

    abstract static class OneLease {
        static final String HELD = "held";
        static final String TAKEN = "taken";

        /** Two cache lines apart, so that they need not arrive together. */
        private static final int SECOND = 128;

        private final int head = RaceLeases.nextHead();
        private final SharedSlots.Slot slot = SharedSlots.next(SECOND + Long.BYTES);
        private final AtomicBuffer memoryOfA = slot.memory(0, 0, SECOND + Long.BYTES);
        private final AtomicBuffer memoryOfB = slot.memory(1, 0, SECOND + Long.BYTES);

        final Optional<Lease> take() {
            return RaceLeases.file().tryHead(head);
        }

        final boolean looksTaken() {
            return RaceLeases.file().isHeld(head);
        }

        final void storeFirst() {
            memoryOfA.putLong(0, 1);
        }

        final void storeSecond() {
            memoryOfA.putLong(SECOND, 1);
        }

        final String look() {
            // The later store first: were it there without the earlier one, or the earlier one without it, either
            // shows.
            long second = memoryOfB.getLong(SECOND);
            long first = memoryOfB.getLong(0);
            return first != second ? "a part" : first == 0 ? "nothing" : "all";
        }

        final long loadAsA() {
            return memoryOfA.getLong(0);
        }

        final void storeAsA(long number) {
            memoryOfA.putLong(0, number);
        }

        final long loadAsB() {
            return memoryOfB.getLong(0);
        }

        final void storeAsB(long number) {
            memoryOfB.putLong(0, number);
        }

        final long sum() {
            return memoryOfA.getLongVolatile(0);
        }
    }

    @Outcome(id = "held, nothing", expect = ACCEPTABLE, desc = "B takes, looks, lets go -> A")
    @Outcome(id = "held, all", expect = ACCEPTABLE, desc = "A takes, stores, lets go -> B")
    @Outcome(id = "held, taken", expect = ACCEPTABLE, desc = "A takes -> B asks -> A lets go")
    @Outcome(id = "taken, nothing", expect = ACCEPTABLE, desc = "B takes -> A asks -> B lets go")
    @Outcome(expect = FORBIDDEN, desc = "the next holder came before the last one's stores, or none got the lease")
    static final class StoresOutcomes {}

    /** A holds the lease, stores twice and lets go; B takes it and looks. Outcomes: what became of A, what B saw. */
    @JCStressTest
    @JCStressMeta(StoresOutcomes.class)
    @State
    public static class StoresThenLetsGo extends OneLease {
        @Actor
        public void a(LL_Result r) {
            Optional<Lease> lease = take();
            if (lease.isPresent()) {
                storeFirst();
                storeSecond();
                lease.get().release();
            }
            r.r1 = lease.isPresent() ? HELD : TAKEN;
        }

        @Actor
        public void b(LL_Result r) {
            Optional<Lease> lease = take();
            r.r2 = lease.isPresent() ? look() : TAKEN;
            lease.ifPresent(Lease::release);
        }
    }

    /** The defect: A's last store comes after it let go. */
    @JCStressTest
    @JCStressMeta(StoresOutcomes.class)
    @State
    public static class BrokenLetsGoThenStores extends OneLease {
        @Actor
        public void a(LL_Result r) {
            Optional<Lease> lease = take();
            if (lease.isPresent()) {
                storeFirst();
                lease.get().release();
                // Between the two it looks who is next, as a defect seldom comes alone: that takes long enough to be
                // seen.
                looksTaken();
                storeSecond();
            }
            r.r1 = lease.isPresent() ? HELD : TAKEN;
        }

        @Actor
        public void b(LL_Result r) {
            Optional<Lease> lease = take();
            r.r2 = lease.isPresent() ? look() : TAKEN;
            lease.ifPresent(Lease::release);
        }
    }

    @Outcome(id = "held, held, 2", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(id = "held, taken, 1", expect = ACCEPTABLE, desc = "A takes -> B asks -> A lets go")
    @Outcome(id = "taken, held, 1", expect = ACCEPTABLE, desc = "B takes -> A asks -> B lets go")
    @Outcome(expect = FORBIDDEN, desc = "both had the lease at once, or none got it")
    static final class OneHolderOutcomes {}

    /** Each takes the lease and adds one to a number, by a load and a store. Outcomes: what became of A and of B, the number. */
    @JCStressTest
    @JCStressMeta(OneHolderOutcomes.class)
    @State
    public static class OneHolder extends OneLease {
        @Actor
        public void a(LLL_Result r) {
            Optional<Lease> lease = take();
            if (lease.isPresent()) {
                storeAsA(loadAsA() + 1);
                lease.get().release();
            }
            r.r1 = lease.isPresent() ? HELD : TAKEN;
        }

        @Actor
        public void b(LLL_Result r) {
            Optional<Lease> lease = take();
            if (lease.isPresent()) {
                storeAsB(loadAsB() + 1);
                lease.get().release();
            }
            r.r2 = lease.isPresent() ? HELD : TAKEN;
        }

        @Arbiter
        public void number(LLL_Result r) {
            r.r3 = sum();
        }
    }

    /** The defect: each looks whether anybody has the lease, and takes that for having it. */
    @JCStressTest
    @JCStressMeta(OneHolderOutcomes.class)
    @State
    public static class BrokenLooksOnly extends OneLease {
        @Actor
        public void a(LLL_Result r) {
            long number = loadAsA();
            boolean taken = looksTaken();
            if (!taken) {
                storeAsA(number + 1);
            }
            r.r1 = taken ? TAKEN : HELD;
        }

        @Actor
        public void b(LLL_Result r) {
            long number = loadAsB();
            boolean taken = looksTaken();
            if (!taken) {
                storeAsB(number + 1);
            }
            r.r2 = taken ? TAKEN : HELD;
        }

        @Arbiter
        public void number(LLL_Result r) {
            r.r3 = sum();
        }
    }
}

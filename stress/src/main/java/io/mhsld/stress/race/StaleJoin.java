package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.head.Leases.Lease;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.SharedSlots;
import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.agrona.concurrent.AtomicBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/**
 * A tag goes away while another head joins it, or while the fabric manager begins to keep it (I1, I4): its blocks may be somebody else's by then.
 *
 * <p>The interleaving that must not succeed: B finds the tag, which A alone holds, live; A dies and is reaped, its incarnation raised and its block
 * cleared; C finds the block free and claims it, and finds that no tag that anybody holds has it; B makes itself a holder, and takes the block
 * that is C's. Here it ends with B's last look: having said that it holds the tag it looks whether A, who held it before, still does. If A does, B
 * was in the row before A's incarnation ended, so before the block was cleared, so before C claimed it, and C sees B in the row.
 */
public final class StaleJoin {
    private StaleJoin() {}

    /** Head A holds a tag of one block; B, C and the fabric manager look through another mapping. */
    abstract static class OneTag {
        static final String JOINED = "joined";
        static final String UNKNOWN = "unknown";
        static final String KEPT = "kept";

        private static final int HEADS = 3;
        private static final int A = 0;
        private static final int B = 1;
        private static final int C = 2;
        private static final int BLOCK = 2;
        private static final int ROW = 0;
        private static final long BLOCK_SIZE_BYTES = 2L << 20;
        private static final Geometry GEOMETRY = Geometry.of(HEADS, 8 * BLOCK_SIZE_BYTES, 1, BLOCK_SIZE_BYTES);
        private static final int TAGS_OFFSET = HEADS * SharedSlots.HEAD_ROW_LENGTH;
        private static final int MAP_OFFSET = TAGS_OFFSET + SharedSlots.TAG_ROW_OF_ONE_EXTENT_LENGTH;
        private static final int MEMORY_OFFSET = MAP_OFFSET + Long.BYTES;
        private static final int LENGTH = MEMORY_OFFSET + Long.BYTES;
        private static final List<TagTable.Range> EXTENTS =
                List.of(new TagTable.Range(BLOCK * BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES));
        private static final UUID TAG = new UUID(1, 2);
        private static final long DATA = 7;

        private final int lockByte = RaceLeases.nextHead();
        private final SharedSlots.Slot slot = SharedSlots.next(LENGTH);
        private final HeadTable heads = slot.headTable(0, 0, HEADS);
        private final OwnerMap mapOfA = slot.ownerMap(0, MAP_OFFSET, GEOMETRY);
        private final OwnerMap map = slot.ownerMap(1, MAP_OFFSET, GEOMETRY);
        private final TagTable tagsOfA = slot.tagTable(0, TAGS_OFFSET, heads, GEOMETRY);
        private final TagTable tags = slot.tagTable(1, TAGS_OFFSET, slot.headTable(1, 0, HEADS), GEOMETRY);
        private final AtomicBuffer memoryOfA = slot.memory(0, MEMORY_OFFSET, Long.BYTES);
        private final AtomicBuffer memory = slot.memory(1, MEMORY_OFFSET, Long.BYTES);

        OneTag() {
            for (int head = 0; head < HEADS; head++) {
                heads.nextIncarnationRelease(head);
            }
            mapOfA.claim(A, BLOCK, 1);
            memoryOfA.putLong(0, DATA);
            tagsOfA.fillPlain(ROW, TAG, 0, EXTENTS);
            tagsOfA.addHolder(ROW, A);
            tagsOfA.publish(ROW, false);
        }

        /** A is dead: it holds nothing any more, and its block is cleared. */
        final void reapA() {
            heads.nextIncarnationRelease(A);
            mapOfA.clear(A, BLOCK, 1);
        }

        private Optional<Entry> find() {
            return tags.read(ROW).filter(entry -> entry.state() == TagTable.State.LIVE && !entry.isGone());
        }

        final String joinAsB() {
            Optional<Entry> found = find();
            if (found.isEmpty() || !TagRegistry.tryHold(tags, B, found.get())) {
                return UNKNOWN;
            }
            map.share(B, BLOCK, 1);
            return JOINED;
        }

        /** The defect: it looks whether anybody holds the tag, and it does so itself by then. */
        final String joinAsBLookingTooLittle() {
            if (find().isEmpty()) {
                return UNKNOWN;
            }
            takeSomeTime();
            tags.beginChange();
            tags.addHolder(ROW, B);
            boolean isHeld = tags.holdersVolatile(ROW) != 0;
            tags.endChange();
            if (!isHeld) {
                return UNKNOWN;
            }
            map.share(B, BLOCK, 1);
            return JOINED;
        }

        /** So that what comes between is seen soon. */
        final void takeSomeTime() {
            RaceLeases.file().isHeld(lockByte);
        }

        final String keep() {
            Optional<Entry> found = find();
            return found.isPresent() && TagRegistry.tryKeep(tags, found.get()) ? KEPT : UNKNOWN;
        }

        /** The defect: it does not look again. */
        final String keepWithoutLooking() {
            if (find().isEmpty()) {
                return UNKNOWN;
            }
            takeSomeTime();
            tags.setReferenced(ROW, true);
            return KEPT;
        }

        /** As a claim does: what a tag has that is not gone is let go of. */
        final String claimAsC() {
            if (map.claim(C, BLOCK, 1) != OwnerMap.CLAIMED) {
                return "met";
            }
            if (TagTable.stateOf(tags.lifeVolatile(ROW)) == TagTable.State.LIVE && tags.isSpokenForVolatile(ROW)) {
                map.clear(C, BLOCK, 1);
                return "back";
            }
            return "won";
        }

        /** A is the last one out, or not: with the lock, or as if it had it. */
        final String leaveAsA(boolean withLock) {
            Optional<Lease> lock = withLock ? Optional.of(lock()) : Optional.empty();
            boolean isLast = (tagsOfA.holdersVolatile(ROW) & ~(1L << A)) == 0;
            if (isLast) {
                tagsOfA.free(ROW);
            } else {
                tagsOfA.removeHolder(ROW, A);
            }
            lock.ifPresent(Lease::release);
            if (isLast) {
                memoryOfA.putLong(0, 0);
            }
            mapOfA.clear(A, BLOCK, 1);
            return isLast ? "last" : "left";
        }

        /** There is no tag yet; A has claimed the block. */
        final void forgetTag() {
            tagsOfA.free(ROW);
        }

        /** A makes a tag of its block, which the manager keeps, and leaves it. The defect: the block is let go of before the row is live. */
        final String createAndLeaveAsA(boolean clearsFirst) {
            tagsOfA.beginChange();
            tagsOfA.fillPlain(ROW, TAG, 0, EXTENTS);
            tagsOfA.addHolder(ROW, A);
            if (clearsFirst) {
                mapOfA.clear(A, BLOCK, 1);
                takeSomeTime();
            }
            tagsOfA.publish(ROW, true);
            tagsOfA.removeHolder(ROW, A);
            tagsOfA.endChange();
            if (!clearsFirst) {
                mapOfA.clear(A, BLOCK, 1);
            }
            return KEPT;
        }

        final String joinWithLockAsB() {
            Lease lock = lock();
            String joined = joinAsB();
            lock.release();
            return joined;
        }

        private Lease lock() {
            while (true) {
                Optional<Lease> lock = RaceLeases.file().tryHead(lockByte);
                if (lock.isPresent()) {
                    return lock.get();
                }
                Thread.onSpinWait();
            }
        }

        final String memory() {
            return memory.getLong(0) == DATA ? "data" : "zero";
        }

        /** Whose the block is. */
        final String owners() {
            long lane = map.ownersVolatile(BLOCK);
            return (lane & 1L << A) + (lane & 1L << B) + (lane & 1L << C) == 0
                    ? "-"
                    : ((lane >>> A & 1) != 0 ? "A" : "")
                            + ((lane >>> B & 1) != 0 ? "B" : "")
                            + ((lane >>> C & 1) != 0 ? "C" : "");
        }
    }

    @Outcome(
            id = "joined, met, B",
            expect = ACCEPTABLE,
            desc = "B joins -> A is reaped -> C claims after B has its bit")
    @Outcome(
            id = "joined, back, B",
            expect = ACCEPTABLE,
            desc = "B holds -> A is reaped -> C claims, and sees that B holds")
    @Outcome(id = "unknown, won, C", expect = ACCEPTABLE, desc = "A is reaped -> C claims -> B comes too late")
    @Outcome(
            id = "unknown, back, -",
            expect = ACCEPTABLE,
            desc = "A is reaped -> B says it holds -> C claims -> B takes it back")
    @Outcome(expect = FORBIDDEN, desc = "B joined a tag whose block C has, or somebody has what he should not")
    static final class JoinOutcomes {}

    /** A, who alone holds the tag, is reaped, and then C claims the block; B joins meanwhile. Two actors, so that two processors will do. Outcomes: B's, C's, whose the block is. */
    @JCStressTest
    @JCStressMeta(JoinOutcomes.class)
    @State
    public static class TagGoesAwayBlocksAreReused extends OneTag {
        @Actor
        public void b(LLL_Result r) {
            r.r1 = joinAsB();
        }

        @Actor
        public void reaperThenC(LLL_Result r) {
            reapA();
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }

    /** The defect: B looks too little. */
    @JCStressTest
    @JCStressMeta(JoinOutcomes.class)
    @State
    public static class BrokenLooksTooLittle extends OneTag {
        @Actor
        public void b(LLL_Result r) {
            r.r1 = joinAsBLookingTooLittle();
        }

        @Actor
        public void reaperThenC(LLL_Result r) {
            takeSomeTime();
            reapA();
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }

    @Outcome(
            id = "kept, back, -",
            expect = ACCEPTABLE,
            desc = "kept -> A is reaped -> C claims, and sees that it is kept")
    @Outcome(
            id = "unknown, won, C",
            expect = ACCEPTABLE,
            desc = "A is reaped -> C claims -> the reference comes too late")
    @Outcome(
            id = "unknown, back, -",
            expect = ACCEPTABLE,
            desc = "A is reaped -> kept -> C claims -> the reference is taken back")
    @Outcome(expect = FORBIDDEN, desc = "what C has is kept, or C has what it should not")
    static final class KeepOutcomes {}

    /** A, who alone holds the tag, is reaped, and then C claims the block; the fabric manager keeps it meanwhile. Outcomes: the manager's, C's, whose the block is. */
    @JCStressTest
    @JCStressMeta(KeepOutcomes.class)
    @State
    public static class ReferenceAgainstClaim extends OneTag {
        @Actor
        public void manager(LLL_Result r) {
            r.r1 = keep();
        }

        @Actor
        public void reaperThenC(LLL_Result r) {
            reapA();
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }

    /** The defect: the reference is added without another look. */
    @JCStressTest
    @JCStressMeta(KeepOutcomes.class)
    @State
    public static class BrokenReferenceWithoutLooking extends OneTag {
        @Actor
        public void manager(LLL_Result r) {
            r.r1 = keepWithoutLooking();
        }

        @Actor
        public void reaperThenC(LLL_Result r) {
            takeSomeTime();
            reapA();
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }

    @Outcome(id = "left, joined, B data", expect = ACCEPTABLE, desc = "B joins -> A leaves")
    @Outcome(id = "last, unknown, - zero", expect = ACCEPTABLE, desc = "A leaves -> B finds nothing")
    @Outcome(
            expect = FORBIDDEN,
            desc = "B joined what the last one out gave back, or nobody has it and it is not given back")
    static final class LastOutOutcomes {}

    /** A leaves, B joins. Outcomes: A's, B's, whose the block is and what is in it. */
    @JCStressTest
    @JCStressMeta(LastOutOutcomes.class)
    @State
    public static class LastOutAgainstJoin extends OneTag {
        @Actor
        public void a(LLL_Result r) {
            r.r1 = leaveAsA(true);
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = joinWithLockAsB();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners() + " " + memory();
        }
    }

    /** The defect: A finds without the lock that it is the last one. */
    @JCStressTest
    @JCStressMeta(LastOutOutcomes.class)
    @State
    public static class BrokenLastOutWithoutLock extends OneTag {
        @Actor
        public void a(LLL_Result r) {
            r.r1 = leaveAsA(false);
        }

        @Actor
        public void b(LLL_Result r) {
            r.r2 = joinWithLockAsB();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners() + " " + memory();
        }
    }

    @Outcome(id = "kept, met, -", expect = ACCEPTABLE, desc = "C claims -> A clears")
    @Outcome(
            id = "kept, back, -",
            expect = ACCEPTABLE,
            desc = "A makes the tag and clears -> C claims, and sees the tag")
    @Outcome(expect = FORBIDDEN, desc = "C has what a tag has")
    static final class CreateOutcomes {}

    /** A makes a tag, which is kept, and leaves it; C claims the block. Outcomes: A's, C's, whose the block is. */
    @JCStressTest
    @JCStressMeta(CreateOutcomes.class)
    @State
    public static class CreateAgainstClaim extends OneTag {
        public CreateAgainstClaim() {
            forgetTag();
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = createAndLeaveAsA(false);
        }

        @Actor
        public void c(LLL_Result r) {
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }

    /** The defect: A lets go of the block before the row is live. */
    @JCStressTest
    @JCStressMeta(CreateOutcomes.class)
    @State
    public static class BrokenCreateAfterClear extends OneTag {
        public BrokenCreateAfterClear() {
            forgetTag();
        }

        @Actor
        public void a(LLL_Result r) {
            r.r1 = createAndLeaveAsA(true);
        }

        @Actor
        public void c(LLL_Result r) {
            r.r2 = claimAsC();
        }

        @Arbiter
        public void lane(LLL_Result r) {
            r.r3 = owners();
        }
    }
}

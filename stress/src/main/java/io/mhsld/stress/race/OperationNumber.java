package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.state.ExtentTable;
import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.SharedSlots;
import java.util.List;
import java.util.UUID;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * A head adds or lets go of an extent, which changes its table and the owner map one after the other, while an inspector compares the two (I2).
 * Outcome: what the inspector saw.
 *
 * <p>Why table and map cannot differ: the head's operation number is odd from before the first change to after the last, and the inspector
 * believes only what it saw between two looks at the same even number.
 */
public final class OperationNumber {
    private OperationNumber() {}

    @Outcome(
            id = "none",
            expect = ACCEPTABLE,
            desc = "the head has no block and no extent: before an add, or after a release")
    @Outcome(
            id = "both",
            expect = ACCEPTABLE,
            desc = "the head has a block and its extent: before a release, or after an add")
    @Outcome(id = "busy", expect = ACCEPTABLE, desc = "the inspector met the operation, and will look again")
    @Outcome(expect = FORBIDDEN, desc = "a block without its extent, or an extent without its block")
    static final class Outcomes {}

    abstract static class OneHead {
        private static final int TABLE_OFFSET = 256;
        private static final int MAP_OFFSET = 384;
        private static final Geometry GEOMETRY = Geometry.of(1, 8L << 21, 1, 2L << 20);
        private static final List<Entry> EXTENT = List.of(new Entry(0, 2L << 20, new UUID(0, 0), 0, 0));

        private final SharedSlots.Slot slot = SharedSlots.next(MAP_OFFSET + Long.BYTES);
        private final HeadTable row = slot.headTable(0, 0);
        private final ExtentTable table = slot.extentTable(0, TABLE_OFFSET, 1);
        private final OwnerMap map = slot.ownerMap(0, MAP_OFFSET, GEOMETRY);
        private final HeadTable rowOfInspector = slot.headTable(1, 0);
        private final ExtentTable tableOfInspector = slot.extentTable(1, TABLE_OFFSET, 1);
        private final OwnerMap mapOfInspector = slot.ownerMap(1, MAP_OFFSET, GEOMETRY);

        final void begin() {
            row.beginOperationRelease(0);
        }

        final void end() {
            row.endOperationRelease(0);
        }

        final void claimAndPublish() {
            map.claim(0, 0, 1);
            table.writeSeqlock(EXTENT, 1);
        }

        final void unpublishAndClear() {
            table.writeSeqlock(List.of(), 2);
            map.clear(0, 0, 1);
        }

        final String inspect() {
            long before = rowOfInspector.operationAcquire(0);
            List<Entry> extents = tableOfInspector
                    .readSeqlock()
                    .map(ExtentTable.Snapshot::entries)
                    .orElse(null);
            boolean owned = mapOfInspector.ownersVolatile(0) != 0;
            long after = rowOfInspector.operationAcquire(0);
            if (extents == null || (before & 1) != 0 || before != after) {
                return "busy";
            } else if (extents.isEmpty()) {
                return owned ? "block without extent" : "none";
            }
            return owned ? "both" : "extent without block";
        }
    }

    /** An add: claim, then publish. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class Add extends OneHead {
        @Actor
        public void head() {
            begin();
            claimAndPublish();
            end();
        }

        @Actor
        public void inspector(L_Result r) {
            r.r1 = inspect();
        }
    }

    /** A release: unpublish, then clear. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class Release extends OneHead {
        public Release() {
            claimAndPublish();
        }

        @Actor
        public void head() {
            begin();
            unpublishAndClear();
            end();
        }

        @Actor
        public void inspector(L_Result r) {
            r.r1 = inspect();
        }
    }

    /** The defect: the head does not say that it begins. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class BrokenNoBegin extends OneHead {
        @Actor
        public void head() {
            claimAndPublish();
            end();
        }

        @Actor
        public void inspector(L_Result r) {
            r.r1 = inspect();
        }
    }
}

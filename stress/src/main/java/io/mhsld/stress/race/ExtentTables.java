package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.state.BrokenTables;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.ExtentTable.Snapshot;
import io.mhsld.state.SharedSlots;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * A head replaces its extent table while another process reads it (I2). Outcome: what was read.
 *
 * <p>Why "torn" cannot be: the writer makes the sequence odd before it touches anything and even after, and the reader takes what it read only
 * when it found the same even sequence before and after. A fence on either side keeps the order: of the odd sequence before the writer's stores,
 * of the reader's loads before its second look.
 */
public final class ExtentTables {
    private ExtentTables() {}

    @Outcome(id = "old", expect = ACCEPTABLE, desc = "reader -> writer")
    @Outcome(id = "new", expect = ACCEPTABLE, desc = "writer -> reader, or the reader waited for it")
    @Outcome(
            id = "busy",
            expect = ACCEPTABLE,
            desc = "the writer was stopped in the middle of its work, and the reader gave up")
    @Outcome(expect = FORBIDDEN, desc = "a table that never was")
    static final class Outcomes {}

    abstract static class Table {
        static final Snapshot OLD = new Snapshot(List.of(entry(0x1000_0000L, 0x20_0000L)), 1);
        static final Snapshot NEW =
                new Snapshot(List.of(entry(0x2000_0000L, 0x40_0000L), entry(0x3000_0000L, 0x60_0000L)), 2);

        final SharedSlots.Slot slot = SharedSlots.next(SharedSlots.extentTableLength(2));
        final ExtentTable tableOfWriter = slot.extentTable(0, 0, 2);
        final ExtentTable tableOfReader = slot.extentTable(1, 0, 2);

        Table() {
            tableOfWriter.writeSeqlock(OLD.entries(), OLD.generation());
        }

        final String lookAsReader() {
            Optional<Snapshot> snapshot = tableOfReader.readSeqlock();
            if (snapshot.isEmpty()) {
                return "busy";
            } else if (snapshot.get().equals(OLD)) {
                return "old";
            }
            return snapshot.get().equals(NEW) ? "new" : "torn";
        }

        private static Entry entry(long startDpa, long lengthBytes) {
            return new Entry(startDpa, lengthBytes, new UUID(0, 0), 0, 0);
        }
    }

    /** Two extents in place of one. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class Replace extends Table {
        @Actor
        public void writer() {
            tableOfWriter.writeSeqlock(NEW.entries(), NEW.generation());
        }

        @Actor
        public void reader(L_Result r) {
            r.r1 = lookAsReader();
        }
    }

    /** The defect: the sequence goes from even to even, after the work. */
    @JCStressTest
    @JCStressMeta(Outcomes.class)
    @State
    public static class BrokenNeverOdd extends Table {
        @Actor
        public void writer() {
            BrokenTables.writeExtentsNeverOdd(slot, 0, NEW.entries(), NEW.generation());
        }

        @Actor
        public void reader(L_Result r) {
            r.r1 = lookAsReader();
        }
    }
}

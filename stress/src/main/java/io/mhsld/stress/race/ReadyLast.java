package io.mhsld.stress.race;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.mhsld.state.BrokenTables;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.SharedSlots;
import io.mhsld.state.SharedSlots.Header;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * One process writes something that another waits for: the part that says "it is there" comes last (I7).
 *
 * <p>Why a part of it cannot be seen: the last store has release order, the reader's first load has acquire order, so whoever sees that store
 * sees all that was stored before it. On x86 the processor does not reorder stores, so the twins have the order of the code wrong; a version
 * stored in the right place without release order could not be told from the sound one there.
 */
public final class ReadyLast {
    private ReadyLast() {}

    @Outcome(id = "not ready", expect = ACCEPTABLE, desc = "reader -> writer, or in the midst of it: the reader waits")
    @Outcome(id = "whole", expect = ACCEPTABLE, desc = "writer -> reader")
    @Outcome(expect = FORBIDDEN, desc = "the reader saw the version, and not all of the header")
    static final class HeaderOutcomes {}

    abstract static class HeaderSlot {
        private static final String MEDIA_FILE = "/dev/shm/mhsld.media";

        static final byte[] MEDIA_PATH = MEDIA_FILE.getBytes(StandardCharsets.UTF_8);
        static final Header HEADER = new Header(
                Geometry.of(8, 4L << 30, 2, 2L << 20),
                new StateFile.Identity(new UUID(1, 2), 3, 66667, false, MEDIA_FILE));

        final SharedSlots.Slot slot = SharedSlots.next(SharedSlots.MAX_SLOT_LENGTH);

        final String read() {
            try {
                return slot.readHeader(1).equals(HEADER) ? "whole" : "wrong";
            } catch (StateFileException e) {
                return e.problem() == StateFileException.Problem.NOT_READY
                        ? "not ready"
                        : e.problem().name();
            }
        }
    }

    /** The header of a state file in the making; the version is stored last. */
    @JCStressTest
    @JCStressMeta(HeaderOutcomes.class)
    @State
    public static class FileHeader extends HeaderSlot {
        @Actor
        public void init() {
            slot.fillHeader(0, HEADER, MEDIA_PATH);
        }

        @Actor
        public void opener(L_Result r) {
            r.r1 = read();
        }
    }

    /** The defect: the version is stored first. */
    @JCStressTest
    @JCStressMeta(HeaderOutcomes.class)
    @State
    public static class BrokenVersionFirst extends HeaderSlot {
        @Actor
        public void init() {
            BrokenTables.fillHeaderVersionFirst(slot, 0, HEADER, MEDIA_PATH);
        }

        @Actor
        public void opener(L_Result r) {
            r.r1 = read();
        }
    }

    @Outcome(id = "free", expect = ACCEPTABLE, desc = "reader -> head")
    @Outcome(id = "starting, pid", expect = ACCEPTABLE, desc = "head starts -> reader")
    @Outcome(id = "serving, pid, socket", expect = ACCEPTABLE, desc = "head starts -> head serves -> reader")
    @Outcome(expect = FORBIDDEN, desc = "the reader saw the state, and not what it stands for")
    static final class HeadRowOutcomes {}

    abstract static class HeadRow {
        static final long PID = 4711;
        static final String SOCKET = "/dev/shm/mhsld.head0.sock";

        private final SharedSlots.Slot slot = SharedSlots.next(256);
        final HeadTable rowOfHead = slot.headTable(0, 0);
        private final HeadTable rowOfReader = slot.headTable(1, 0);

        final String read() {
            Row row = rowOfReader.readAcquire(0);
            String pid = row.pid() == PID ? ", pid" : ", no pid";
            String socket = row.controlSocket().equals(SOCKET) ? ", socket" : ", no socket";
            return switch (row.state()) {
                case FREE -> "free";
                case STARTING -> "starting" + pid;
                case SERVING -> "serving" + pid + socket;
                default -> "damaged";
            };
        }
    }

    /** A head says who it is, and then where it can be spoken to; the state is stored last each time. */
    @JCStressTest
    @JCStressMeta(HeadRowOutcomes.class)
    @State
    public static class HeadStarts extends HeadRow {
        @Actor
        public void head() {
            rowOfHead.startRelease(0, PID, 1, 2);
            rowOfHead.serveRelease(0, SOCKET);
        }

        @Actor
        public void reader(L_Result r) {
            r.r1 = read();
        }
    }

    /** The defect: the head says that it serves before it says where. */
    @JCStressTest
    @JCStressMeta(HeadRowOutcomes.class)
    @State
    public static class BrokenStateFirst extends HeadRow {
        @Actor
        public void head() {
            rowOfHead.startRelease(0, PID, 1, 2);
            rowOfHead.serveRelease(0, "");
            rowOfHead.serveRelease(0, SOCKET);
        }

        @Actor
        public void reader(L_Result r) {
            r.r1 = read();
        }
    }
}

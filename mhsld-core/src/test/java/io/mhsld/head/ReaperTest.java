package io.mhsld.head;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.head.Reaper.Outcome;
import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("one-java")
@Timeout(360)
class ReaperTest {
    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private StateFile state;
    private LeaseFile leases;
    private Media media;
    private Reaper reaper;

    @BeforeEach
    void open() {
        fixture.make(3, 2, 10);
        state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
        leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        media = Media.open(
                Path.of(state.identity().mediaFile()), state.geometry().capacityBytes(), Media.Space.RESERVED);
        reaper = new Reaper(state, leases, media, Machine.REAL);
    }

    @AfterEach
    void close() {
        media.close();
        leases.close();
        state.close();
    }

    /** A head that died while it held these blocks. */
    private void leaveDead(int head, long first, long count) {
        state.heads().nextIncarnationRelease(head);
        state.heads().startRelease(head, 1, 1, 1);
        state.heads().serveRelease(head, "/nowhere.sock");
        assertEquals(-1, state.ownerMap().claim(head, first, count));
        state.extents(head)
                .writeSeqlock(
                        List.of(new ExtentTable.Entry(
                                state.geometry().dpaOfBlock(first), count * BLOCK, new UUID(0, 0), 0, 0)),
                        5);
        state.counters(head).setRelease(Counter.BLOCKS_OWNED, count);
        state.counters(head).setRelease(Counter.EXTENTS_HELD, 1);
    }

    @Test
    void shouldFreeAllThatDeadHeadHeldAndNothingElse() {
        leaveDead(0, 2, 3);
        leaveDead(1, 5, 4);
        media.fill(2 * BLOCK, 7 * BLOCK, (byte) 9);
        List<Long> told = new ArrayList<>();

        assertEquals(Outcome.REAPED, reaper.reap(0, told::add));

        assertEquals(List.of(3L), told);
        assertEquals(
                new HeadTable.Row(0, 2, HeadTable.State.FREE, 0, 0, 1, ""),
                state.heads().readAcquire(0));
        assertEquals(List.of(), state.extents(0).readSeqlock().orElseThrow().entries());
        assertEquals(0, state.counters(0).getAcquire(Counter.BLOCKS_OWNED));
        assertEquals(0, state.counters(0).getAcquire(Counter.EXTENTS_HELD));
        assertEquals(0, state.heads().operationAcquire(0) & 1);
        assertEquals(List.of(), fixture.blocksOf(0));
        assertFalse(leases.isHeld(0));
        byte[] bytes = new byte[(int) (3 * BLOCK)];
        media.read(2 * BLOCK, bytes, 0, bytes.length);
        assertTrue(Arrays.equals(new byte[bytes.length], bytes), "memory is given back");

        assertEquals(List.of(5, 6, 7, 8), fixture.blocksOf(1));
        assertEquals(1, state.extents(1).readSeqlock().orElseThrow().entries().size());
        media.read(5 * BLOCK, bytes, 0, 1);
        assertEquals(9, bytes[0]);

        assertEquals(Outcome.FREE, reaper.reap(0), "a second time finds nothing");
        assertEquals(2, state.heads().incarnationAcquire(0));
        assertEquals(Outcome.REAPED, reaper.reap(1));
    }

    @Test
    void shouldFreeWithoutGivingMemoryBackWhenThatWouldTakeTooLong() {
        leaveDead(0, 2, 3);
        media.fill(2 * BLOCK, 3 * BLOCK, (byte) 9);

        assertEquals(Outcome.REAPED, new Reaper(state, leases, media, Machine.REAL, 0).reap(0));

        assertEquals(List.of(), fixture.blocksOf(0));
        byte[] bytes = new byte[(int) (3 * BLOCK)];
        media.read(2 * BLOCK, bytes, 0, bytes.length);
        assertEquals(9, bytes[0], "the old bytes are there, and nobody's");
        SharedCapacity next = new SharedCapacity(state, 1, media, leases, reaper, Machine.REAL, line -> {});
        assertTrue(next.reserve(List.of(Extent.untagged(2 * BLOCK, 3 * BLOCK))).isEmpty());
        media.read(2 * BLOCK, bytes, 0, bytes.length);
        assertTrue(Arrays.equals(new byte[bytes.length], bytes), "the next owner never sees them");
        next.reclaim(List.of(Extent.untagged(2 * BLOCK, 3 * BLOCK)));
    }

    @Test
    void shouldLeaveAloneWhoHoldsItsLease() {
        leaveDead(0, 2, 3);
        Leases.Lease lease = leases.tryHead(0).orElseThrow();
        assertEquals(Outcome.ALIVE, reaper.reap(0));
        assertEquals(List.of(2, 3, 4), fixture.blocksOf(0));
        assertEquals(1, state.heads().incarnationAcquire(0));
        lease.release();
        assertEquals(Outcome.REAPED, reaper.reap(0));
    }

    @Test
    void shouldHaveNothingToDoForHeadThatNobodyIs() {
        assertEquals(Outcome.FREE, reaper.reap(2));
        assertEquals(0, state.heads().incarnationAcquire(2));
    }

    @Test
    void shouldReapRowThatMakesNoSense() throws Exception {
        leaveDead(0, 19, 1);
        try (RandomAccessFile file =
                new RandomAccessFile(fixture.files().stateFile().toFile(), "rw")) {
            file.seek(4096 + 16);
            file.write(0x7F);
        }
        assertEquals(HeadTable.State.DAMAGED, state.heads().stateAcquire(0));
        assertEquals(Outcome.REAPED, reaper.reap(0));
    }

    /** Every store to shared memory is a place to die at. */
    @Test
    void shouldRepairDeathAtEveryStore() {
        close();
        DeviceFixture sweepIn = fixture;
        Child sweep = sweepIn.start(
                CrashSweep.class,
                0,
                "-Dmhsld.step=" + CrashStep.class.getName(),
                fixture.folder().resolve("sweep").toString());
        assertEquals(0, sweep.exitCode(300), () -> String.join("\n", sweep.lines));
        String swept = sweep.awaitLine("sweep", line -> line.startsWith("swept"));
        int points = Integer.parseInt(swept.replaceAll(".* points=(\\d+) .*", "$1"));
        int reaperPoints = Integer.parseInt(swept.replaceAll(".*reaperPoints=(\\d+)", "$1"));
        assertTrue(points > 200 && reaperPoints > 200, swept);
        open();
    }
}

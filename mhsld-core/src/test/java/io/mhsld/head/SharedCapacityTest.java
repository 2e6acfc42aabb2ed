package io.mhsld.head;

import static io.mhsld.DeviceFixture.BLOCK;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The hooks of one head, called as its device would call them. */
@Timeout(60)
class SharedCapacityTest {
    private static final long REGION_1 = 256L << 20;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private final List<String> lines = new ArrayList<>();
    private StateFile state;
    private LeaseFile leases;
    private Media media;
    private SharedCapacity capacity;

    @BeforeEach
    void open() {
        // The device around the hooks is missing, and with it the lists that the map must agree with.
        fixture.expectDamage();
        fixture.make(4, 2, 20);
        state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
        leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        media = Media.open(
                Path.of(state.identity().mediaFile()), state.geometry().capacityBytes(), Media.Space.RESERVED);
        capacity = new SharedCapacity(
                state, 0, media, leases, new Reaper(state, leases, media, Machine.REAL), Machine.REAL, lines::add);
    }

    @AfterEach
    void close() {
        media.close();
        leases.close();
        state.close();
    }

    private static Extent extent(long block, long count) {
        long dpa = block < 20 ? block * BLOCK : REGION_1 + (block - 20) * BLOCK;
        return Extent.untagged(dpa, count * BLOCK);
    }

    private Refusal refused(Extent... extents) {
        return capacity.reserve(List.of(extents)).orElseThrow();
    }

    private void reserved(Extent... extents) {
        assertEquals(Optional.empty(), capacity.reserve(List.of(extents)));
    }

    // ---- access

    @Test
    void shouldFindAccessValidOnlyWhereMapSaysSo() {
        reserved(extent(3, 2), extent(18, 2), extent(20, 1));
        state.ownerMap().claim(1, 5, 1);
        long[][] valid = {
            {3 * BLOCK, 1},
            {5 * BLOCK - 1, 1},
            {4 * BLOCK - 1, 2},
            {3 * BLOCK, 2 * BLOCK},
            {18 * BLOCK, 2 * BLOCK},
            {REGION_1, BLOCK},
            {REGION_1 + BLOCK - 1, 1}
        };
        long[][] invalid = {
            {3 * BLOCK - 1, 1},
            {3 * BLOCK - 1, 2},
            {5 * BLOCK - 1, 2},
            {5 * BLOCK, 1},
            {0, 20 * BLOCK},
            {REGION_1 + BLOCK - 1, 2},
            {REGION_1 + BLOCK, 1}
        };
        for (long[] range : valid) {
            assertTrue(capacity.accessValid(range[0], range[1]), Arrays.toString(range));
        }
        for (long[] range : invalid) {
            assertFalse(capacity.accessValid(range[0], range[1]), Arrays.toString(range));
        }
    }

    // ---- reserve

    @Test
    void shouldScrubWhateverFreeBlockHolds() {
        // A reaper that cannot give memory back, or a file that was given to init, leaves bytes in free blocks.
        media.fill(0, 40 * BLOCK, (byte) 0x5A);
        reserved(extent(4, 2), extent(30, 1));
        byte[] bytes = new byte[(int) (3 * BLOCK)];
        media.read(4 * BLOCK, bytes, 0, bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            assertEquals(i < 2 * BLOCK ? 0 : 0x5A, bytes[i], "byte " + i);
        }
        media.read(30 * BLOCK, bytes, 0, (int) BLOCK);
        assertArrayEquals(new byte[(int) BLOCK], Arrays.copyOf(bytes, (int) BLOCK));
    }

    @Test
    void shouldNotTouchBytesOfBlocksThatItCannotHave() {
        state.ownerMap().claim(1, 6, 2);
        holdLeaseOf(1);
        media.fill(0, 40 * BLOCK, (byte) 0x5A);
        assertEquals(
                Cause.OWNED_BY_OTHER_HEAD, refused(extent(0, 2), extent(4, 4)).cause());
        byte[] bytes = new byte[(int) (2 * BLOCK)];
        media.read(6 * BLOCK, bytes, 0, bytes.length);
        for (byte b : bytes) {
            assertEquals(0x5A, b);
        }
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(1, state.counters(0).getAcquire(Counter.ADDS_REFUSED));
        assertEquals(0, state.counters(0).getAcquire(Counter.BLOCKS_OWNED));
    }

    /** Reference defects e9 and e10, where the device's own lists would not have refused before. */
    @Test
    void shouldKeepItsOwnBlocksWhenReserveMeetsThem() {
        reserved(extent(8, 2), extent(35, 1));
        List<Long> before = fixture.lanes();
        assertEquals(
                "owned by other head: block=8 dpa=0x1000000 owner=[0] requester=0",
                refused(extent(30, 2), extent(5, 4), extent(0, 1)).toString());
        assertEquals(before, fixture.lanes());
        assertEquals(3, state.counters(0).getAcquire(Counter.BLOCKS_OWNED));
    }

    /** Else two requests, each with a block that the other wants, could both lose. */
    @Test
    void shouldClaimInOrderOfAddressesWhateverOrderOfRequestIs() {
        state.ownerMap().claim(1, 7, 1);
        state.ownerMap().claim(1, 33, 1);
        holdLeaseOf(1);
        assertTrue(refused(extent(30, 5), extent(10, 4), extent(5, 4)).detail().startsWith("block=7 "));
        assertEquals(List.of(), fixture.blocksOf(0));
    }

    private void holdLeaseOf(int head) {
        state.heads()
                .startRelease(
                        head,
                        ProcessHandle.current().pid(),
                        ProcessIdentity.current().startTicks(),
                        1);
        assertTrue(leases.tryHead(head).isPresent());
    }

    @Test
    void shouldReapDeadOwnersThatItMeetsAndTakeTheirBlocks() {
        for (int dead : new int[] {1, 3}) {
            state.heads().startRelease(dead, 1, 1, 1);
            state.ownerMap().claim(dead, dead, 2);
        }
        reserved(extent(0, 20));
        assertEquals(List.of(), fixture.blocksOf(1));
        assertEquals(List.of(), fixture.blocksOf(3));
        assertEquals(20, fixture.blocksOf(0).size());
        assertEquals(List.of("reaped dead head: head=1 blocks=2", "reaped dead head: head=3 blocks=2"), lines);
        assertEquals(2, state.counters(0).getAcquire(Counter.HEADS_REAPED));
        assertEquals(0, state.counters(0).getAcquire(Counter.CLAIM_CONFLICTS));
    }

    @Test
    void shouldWaitForOtherReaperOfDeadOwner() throws InterruptedException {
        state.heads().startRelease(2, 1, 1, 1);
        state.ownerMap().claim(2, 4, 4);
        Leases.Lease reaper = leases.tryHead(2).orElseThrow();
        Thread other = new Thread(() -> {
            DeviceFixture.pause(100);
            new Reaper(state, leases, media, Machine.REAL).freeLeftovers(2);
            state.heads().freeRelease(2);
            reaper.release();
        });
        other.start();
        reserved(extent(0, 8));
        other.join();
        assertEquals(List.of(), lines, "the other one has reaped it");
    }

    @Test
    void shouldGiveUpOnReaperThatDoesNotComeToItsEndWithoutSpinning() {
        // Stopped while it reaps.
        state.heads().startRelease(2, 1, 1, 1);
        state.ownerMap().claim(2, 4, 4);
        Leases.Lease reaper = leases.tryHead(2).orElseThrow();
        PausesOnly machine = new PausesOnly();
        capacity = new SharedCapacity(
                state, 0, media, leases, new Reaper(state, leases, media, machine), machine, lines::add);
        assertEquals(Cause.OWNED_BY_OTHER_HEAD, refused(extent(4, 1)).cause());
        // Time passes by pauses alone: without them it would never end.
        assertTrue(machine.nowNs >= 500_000_000L && machine.nowNs < 1_500_000_000L, "waitedNs=" + machine.nowNs);
        assertTrue(machine.pauses <= 2_000, "pauses=" + machine.pauses);
        reaper.release();
        assertEquals(HeadTable.State.STARTING, state.heads().stateAcquire(2));
        reserved(extent(4, 4));
    }

    // ---- damage

    /** Its row says that nobody is it, so no tick looks at it; without this, such a block could never be claimed again. */
    @Test
    void shouldTakeBlocksThatDamageGaveToHeadThatNobodyIs() {
        state.ownerMap().claim(3, 12, 1);
        reserved(extent(12, 1));
        assertEquals(List.of("reaped dead head: head=3 blocks=1"), lines);
        assertEquals(List.of(12), fixture.blocksOf(0));
    }

    @Test
    void shouldTakeBlocksThatDamageGaveToHeadThatDoesNotExist() throws IOException {
        try (FileChannel channel = FileChannel.open(fixture.files().stateFile(), StandardOpenOption.WRITE)) {
            long map = state.lengthBytes() - 4096;
            channel.write(ByteBuffer.wrap(new byte[] {(byte) 0x80}), map + 13);
        }
        reserved(extent(12, 4));
        assertEquals(List.of("cleared owners that cannot be: block=13 bits=1"), lines);
        assertEquals(List.of(12, 13, 14, 15), fixture.blocksOf(0));
    }

    /** The map says that they are free: only the live head's extents tell that they are not, and its memory is left alone. */
    @Test
    void shouldNotTakeBlocksThatLiveHeadHasInItsExtents() {
        Leases.Lease live = leases.tryHead(1).orElseThrow();
        state.heads().startRelease(1, ProcessHandle.current().pid(), 1, 1);
        SharedCapacity other = new SharedCapacity(
                state, 1, media, leases, new Reaper(state, leases, media, Machine.REAL), Machine.REAL, lines::add);
        assertEquals(Optional.empty(), other.reserve(List.of(extent(8, 4))));
        other.begin(ExtentJournal.Operation.ADD);
        other.record(List.of(extent(8, 4)), List.of(), 1);
        other.end();
        media.fill(8 * BLOCK, 4 * BLOCK, (byte) 7);
        state.ownerMap().clear(1, 9, 1);

        Refusal refusal = refused(extent(20, 2), extent(9, 1));

        assertEquals(Cause.OWNED_BY_OTHER_HEAD, refusal.cause());
        assertEquals(
                "block=9 dpa=0x1200000 owner=[1] requester=0 (in its extents, and not in the owner map: see verify)",
                refusal.detail());
        assertEquals(List.of(), fixture.blocksOf(0));
        byte[] bytes = new byte[1];
        media.read(9 * BLOCK, bytes, 0, 1);
        assertEquals(7, bytes[0]);
        live.release();
        reserved(extent(9, 1));
        assertEquals(List.of(9), fixture.blocksOf(0));
        assertEquals(List.of(), fixture.blocksOf(1), "it was dead, and is reaped");
    }

    /** By damage two heads have a bit there; the memory is the live one's. */
    @Test
    void shouldLeaveMemoryThatAnotherOwnerUsesWhenDeadOneIsReaped() {
        reserved(extent(4, 2));
        media.fill(4 * BLOCK, 2 * BLOCK, (byte) 7);
        state.heads().startRelease(2, 1, 1, 1);
        state.ownerMap().claim(2, 3, 1);
        state.ownerMap().claim(2, 6, 1);
        media.fill(3 * BLOCK, 1, (byte) 8);
        media.fill(6 * BLOCK, 1, (byte) 8);
        try (FileChannel channel = FileChannel.open(fixture.files().stateFile(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {0b101, 0b101}), state.lengthBytes() - 4096 + 4);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        assertEquals(Reaper.Outcome.REAPED, new Reaper(state, leases, media, Machine.REAL).reap(2));
        assertEquals(List.of(4, 5), fixture.blocksOf(0));
        assertEquals(List.of(), fixture.blocksOf(2));
        byte[] bytes = new byte[1];
        for (long[] expected : new long[][] {{3, 0}, {4, 7}, {5, 7}, {6, 0}}) {
            media.read(expected[0] * BLOCK, bytes, 0, 1);
            assertEquals(expected[1], bytes[0], "block " + expected[0]);
        }
    }

    // ---- letting go

    @Test
    void shouldFreeBlocksThoughTheirMemoryCannotBeGivenBack(@TempDir Path disk) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may protect a file");
        // On a disk: memory file systems know no such protection.
        media.close();
        Path onDisk = disk.resolve("media");
        Media.create(onDisk, state.geometry().capacityBytes(), PosixFilePermissions.fromString("rw-------"), false);
        media = Media.open(onDisk, state.geometry().capacityBytes(), Media.Space.SPARSE);
        capacity = new SharedCapacity(
                state, 0, media, leases, new Reaper(state, leases, media, Machine.REAL), Machine.REAL, lines::add);
        reserved(extent(0, 4), extent(20, 4));
        media.fill(0, 4 * BLOCK, (byte) 9);
        String file = media.file().toString();
        // By way of the shell, for the program is not on every machine.
        assumeTrue(
                new ProcessBuilder("sh", "-c", "chattr +i " + file).start().waitFor() == 0, "no such protection here");
        try {
            media.giveBack(0, BLOCK);
            byte[] bytes = new byte[1];
            media.read(0, bytes, 0, 1);
            assumeTrue(bytes[0] == 9, "the protection does not keep memory from being given back");
            capacity.release(List.of(extent(0, 4)), false);
            assertEquals(List.of(20, 21, 22, 23), fixture.blocksOf(0));
            assertEquals(4, state.counters(0).getAcquire(Counter.BLOCKS_OWNED));
            new Reaper(state, leases, media, Machine.REAL).freeLeftovers(0);
            assertEquals(List.of(), fixture.blocksOf(0));
        } finally {
            assertEquals(0, new ProcessBuilder("chattr", "-i", file).start().waitFor());
        }
    }

    @Test
    void shouldGiveMemoryBackWithBlocks() throws IOException, InterruptedException {
        reserved(extent(0, 8));
        media.fill(0, 8 * BLOCK, (byte) 1);
        long before = allocatedBytes();
        capacity.release(List.of(extent(0, 4)), false);
        capacity.reclaim(List.of(extent(4, 2)));
        assertTrue(before - allocatedBytes() >= 6 * BLOCK, "before=" + before + " after=" + allocatedBytes());
        assertEquals(List.of(6, 7), fixture.blocksOf(0));
        assertEquals(4, state.counters(0).getAcquire(Counter.BLOCKS_RELEASED));
        assertEquals(2, state.counters(0).getAcquire(Counter.BLOCKS_RECLAIMED));
    }

    private long allocatedBytes() throws IOException, InterruptedException {
        Process stat = new ProcessBuilder("stat", "-c", "%b", media.file().toString()).start();
        long blocks = Long.parseLong(new String(stat.getInputStream().readAllBytes(), UTF_8).trim());
        assertEquals(0, stat.waitFor());
        assertTrue(Files.exists(media.file()));
        return blocks * 512;
    }
}

package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.media.Media;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A head looks at itself: one look at a time, by the test's thread. */
@Timeout(120)
class SelfCheckTest {
    private static final long SEED = Long.getLong("mhsld.seed", 7L);
    private static final int HEAD = 1;
    private static final long SMALL_BLOCK = 4096;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private final List<String> lines = new ArrayList<>();
    private Geometry geometry;
    private StateFile state;
    private LeaseFile leases;
    private Leases.Lease lease;
    private Media media;
    private MappedByteBuffer bytes;
    private Incarnation incarnation;

    @AfterEach
    void close() {
        if (media != null) {
            media.close();
        }
        if (lease != null) {
            lease.release();
            leases.close();
        }
        if (state != null) {
            state.close();
        }
    }

    private void make(Geometry made) throws IOException {
        // The lease goes before the state file is looked at, and its head is dead then.
        geometry = made;
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
        state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
        leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        lease = leases.tryHead(HEAD).orElseThrow();
        media = Media.open(fixture.files().mediaFile(), geometry.capacityBytes(), Media.Space.RESERVED);
        try (FileChannel channel =
                FileChannel.open(fixture.files().stateFile(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            bytes.order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    private void begin() {
        incarnation = Incarnation.begin(state, HEAD, media, leases, Machine.REAL, lines::add);
        incarnation.serve(fixture.files().controlSocket(HEAD).toString());
    }

    private void take(long firstBlock, long count) {
        long size = geometry.blockSizeBytes();
        assertEquals(
                Optional.empty(),
                incarnation
                        .device()
                        .capacity()
                        .add(0, List.of(new Range(firstBlock * size, count * size)), Extent.NO_TAG));
        assertEquals(
                Optional.empty(),
                incarnation
                        .device()
                        .capacity()
                        .addResponse(List.of(new HostRange(firstBlock * size, count * size)), false));
    }

    private int row() {
        return (int) bytes.getLong(88) + HEAD * 256;
    }

    private int table() {
        return (int) bytes.getLong(104) + HEAD * 36_864;
    }

    private int map() {
        return (int) bytes.getLong(200);
    }

    private byte[] whole() {
        byte[] whole = new byte[bytes.capacity()];
        bytes.get(0, whole);
        return whole;
    }

    private Inspector.Report inspect() {
        return Inspector.inspect(state, head -> head == HEAD);
    }

    // ---- numbers

    @Test
    void shouldPutBackEveryBitOfItsNumbers() throws IOException {
        make(Geometry.of(3, 21 * DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK));
        begin();
        take(2, 3);
        take(9, 2);
        byte[] before = whole();
        for (int at : new int[] {row(), row() + 8, table()}) {
            for (int bit = 0; bit < Long.SIZE; bit++) {
                bytes.putLong(at, bytes.getLong(at) ^ 1L << bit);
                incarnation.lookAtItself();
                assertArrayEquals(before, whole(), "bit " + bit + " of the number at " + at);
            }
        }
        assertEquals(3 * Long.SIZE, lines.size());
        incarnation.lookAtItself();
        assertEquals(3 * Long.SIZE, lines.size());
    }

    /** An operation between the damage and the next look. */
    @Test
    void shouldNotCountOnFromDamagedNumbers() throws IOException {
        make(Geometry.of(3, 21 * DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK));
        begin();
        take(2, 3);
        long operation = bytes.getLong(row() + 8);
        long sequence = bytes.getLong(table());
        long block = 9;
        for (int bit : new int[] {0, 5, 50, 63}) {
            bytes.putLong(row() + 8, bytes.getLong(row() + 8) ^ 1L << bit);
            bytes.putLong(table(), bytes.getLong(table()) ^ 1L << bit);
            take(block, 1);
            block += 2;
            assertEquals(List.of(), inspect().findings(), "bit " + bit);
        }
        assertTrue(
                bytes.getLong(row() + 8) - operation > 0 && bytes.getLong(row() + 8) - operation < 100,
                () -> "operation=" + operation + " after=" + bytes.getLong(row() + 8));
        assertTrue(
                bytes.getLong(table()) - sequence > 0 && bytes.getLong(table()) - sequence < 100,
                () -> "sequence=" + sequence + " after=" + bytes.getLong(table()));
    }

    @Test
    void shouldNotInheritNumbersThatNobodyCanHave() throws IOException {
        for (int bit : new int[] {48, 55, 63}) {
            for (int field : new int[] {0, 8, -1}) {
                if (state == null) {
                    make(Geometry.of(3, 21 * DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK));
                }
                int at = field < 0 ? table() : row() + field;
                bytes.putLong(at, bytes.getLong(at) | 1L << bit);
                begin();
                assertEquals(List.of(), inspect().findings(), "bit " + bit + " of the number at " + at);
                incarnation.leave();
            }
        }
    }

    /** Whoever remembers an incarnation from before the damage must not take a later one for it. */
    @Test
    void shouldNotComeToAnIncarnationThatSomebodyRemembers() throws IOException {
        make(Geometry.of(3, 21 * DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK));
        long remembered = 0;
        for (int life = 0; life < 5; life++) {
            begin();
            remembered = state.heads().incarnationAcquire(HEAD);
            incarnation.leave();
        }
        // Garbage whose low bits are a small number.
        bytes.putLong(row(), 1L << 60 | remembered - 3);
        for (int life = 0; life < 5; life++) {
            begin();
            assertTrue(state.heads().incarnationAcquire(HEAD) > remembered, "life " + life);
            incarnation.leave();
        }
        assertEquals(HeadTable.State.FREE, state.heads().stateAcquire(HEAD));
    }

    // ---- the map

    /** 4 GiB in blocks of 4 KiB: a million of them, and one look sees them all. */
    @Test
    void shouldSeeAllOfMapOfMillionBlocksAtOneLook() throws IOException {
        make(Geometry.of(8, 4L << 30, 1, SMALL_BLOCK));
        begin();
        take(1_000, 100);
        take(700_000, 1_001);
        assertEquals(1, SelfCheck.looksPerRound(geometry));
        byte[] before = whole();
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 40; round++) {
            int damaged = round == 0 ? 1 : random.nextInt(1, 2_000);
            for (int i = 0; i < damaged; i++) {
                // Often where something is held.
                int block = round == 0
                        ? 900_000
                        : random.nextInt(3) == 0 ? 699_990 + random.nextInt(1_020) : random.nextInt(1 << 20);
                bytes.put(map() + block, (byte) (bytes.get(map() + block) ^ 1 << HEAD));
            }
            incarnation.lookAtItself();
            Inspector.Report report = inspect();
            assertEquals(List.of(), report.findings(), "seed=" + SEED + " round=" + round);
            byte[] after = whole();
            // What is not the map: an operation was under way, and has ended.
            System.arraycopy(before, row() + 8, after, row() + 8, Long.BYTES);
            assertArrayEquals(before, after, "seed=" + SEED + " round=" + round);
        }
        assertEquals(
                "repaired owner map: cleared own bits in no extent of this head: block=900000 blocks=1", lines.get(0));
    }

    @Test
    void shouldLeaveOtherHeadsBitsAlone() throws IOException {
        make(Geometry.of(8, 64 * SMALL_BLOCK, 1, SMALL_BLOCK));
        begin();
        take(8, 24);
        byte mine = 1 << HEAD;
        byte others = (byte) 0b1000_0101;
        for (int block = 0; block < 64; block++) {
            bytes.put(map() + block, block % 3 == 0 ? others : (byte) (mine | others));
        }
        bytes.put(map() + 9, (byte) 0);
        incarnation.lookAtItself();
        for (int block = 0; block < 64; block++) {
            boolean isHeld = block >= 8 && block < 32;
            // A block that another one has too is not taken: which of them is right, the other one finds out.
            byte expected = block == 9 ? mine : isHeld && block % 3 != 0 ? (byte) (mine | others) : others;
            assertEquals(expected, bytes.get(map() + block), "block " + block);
        }
        bytes.put(map(), new byte[64]);
        incarnation.lookAtItself();
        assertEquals(List.of(), inspect().findings());
    }

    @Test
    void shouldSeeAllOfLargeMapInRoundOfLooks() throws IOException {
        make(Geometry.of(64, 8L << 30, 1, SMALL_BLOCK));
        begin();
        // Over the place where the first look ends.
        take((1 << 20) - 5, 10);
        byte[] before = whole();
        long blocks = geometry.blockCount();
        assertEquals(2, SelfCheck.looksPerRound(geometry));
        for (long block : new long[] {0, (1 << 20) - 6, (1 << 20) - 1, 1 << 20, (1 << 20) + 5, blocks - 1}) {
            int at = map() + (int) block * Long.BYTES;
            bytes.putLong(at, bytes.getLong(at) ^ 1L << HEAD);
        }
        for (int look = 0; look < 2; look++) {
            incarnation.lookAtItself();
        }
        assertEquals(List.of(), inspect().findings());
        byte[] after = whole();
        System.arraycopy(before, row() + 8, after, row() + 8, Long.BYTES);
        assertArrayEquals(before, after);
    }

    @Test
    void shouldGiveHeadTheTimeOfItsRoundAndMore() {
        for (Geometry each : List.of(
                Geometry.of(1, DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK),
                Geometry.of(64, 8L << 30, 1, SMALL_BLOCK),
                Geometry.of(8, SMALL_BLOCK << 30, 1, SMALL_BLOCK))) {
            long roundMs = SelfCheck.looksPerRound(each) * Head.TICK_MS;
            assertTrue(Repairer.selfCheckPatienceMs(each) >= 2 * roundMs + 2_000, each::toString);
        }
        assertEquals(128, SelfCheck.looksPerRound(Geometry.of(8, SMALL_BLOCK << 30, 1, SMALL_BLOCK)));
        assertEquals(3_600, Repairer.selfCheckPatienceMs(Geometry.of(1, DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK)));
    }
}

package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.Inspector.Report;
import io.mhsld.state.StateFileDescriptor.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every kind of damage is planted, and must be told under the invariant that it breaks, with block and head. */
@Timeout(60)
class InspectorTest {
    private static final long SEED = Long.getLong("mhsld.seed", 1_8L);
    private static final long MIB = 1L << 20;
    private static final UUID NO_TAG = new UUID(0, 0);

    /** Two regions of 129 blocks; an odd number in the last word of the map. */
    private static final Geometry GEOMETRY = Geometry.of(5, 2 * 258 * MIB, 2, 2 * MIB);

    @TempDir
    Path folder;

    private StateFile state;
    private final Set<Integer> alive = new HashSet<>();

    @BeforeEach
    void makeDevice() {
        Path file = folder.resolve("device");
        StateFile.create(
                file,
                folder.resolve("device.new"),
                GEOMETRY,
                new StateFile.Identity(NO_TAG, 0, 0, false, "/media"),
                PosixFilePermissions.fromString("rw-------"));
        state = StateFile.open(file, StateFile.Access.READ_WRITE, 0);
    }

    @AfterEach
    void close() {
        state.close();
    }

    // ---- sound files

    @Test
    void shouldFindNothingWrongWithSoundFiles() {
        assertSound(258, 0, 0, 0, 0, 0);
        hold(0, 0, 3);
        hold(1, 3, 100, 128, 2);
        hold(4, 103, 1, 257, 1);
        assertSound(151, 3, 102, 0, 0, 2);
        alive.addAll(Set.of(0, 1, 4));
        assertSound(151, 3, 102, 0, 0, 2);
    }

    @Test
    void shouldNoteDeadHeadsWithoutCallingThemDamage() {
        hold(2, 10, 7);
        Report report = assertSound(251, 0, 0, 7, 0, 0);
        assertEquals(
                List.of("head is dead, the next claim or recover frees its blocks: head=2 blocks=7 pid=4713"),
                report.notes());
        alive.add(2);
        assertEquals(List.of(), assertSound(251, 0, 0, 7, 0, 0).notes());
    }

    @Test
    void shouldNoteHeadThatDiedInMiddleOfOperation() {
        hold(2, 10, 7);
        state.heads().beginOperationRelease(2);
        state.ownerMap().claim(2, 50, 5);
        Report report = assertSound(246, 0, 0, 12, 0, 0);
        assertEquals(
                List.of("head died in the middle of an operation, the next claim or recover frees its blocks: head=2"
                        + " blocks=12 pid=4713"),
                report.notes());
    }

    @Test
    void shouldNoteHeadThatDiedWhileWritingItsTable() throws IOException {
        hold(2, 10, 7);
        state.heads().beginOperationRelease(2);
        poke(Section.EXTENT_TABLES.offset(GEOMETRY) + 2 * 36_864, 4097);
        Report report = assertSound(251, 0, 0, 7, 0, 0);
        assertEquals(1, report.notes().size());
        assertTrue(
                report.notes().get(0).startsWith("head died in the middle of an operation"),
                report.notes().toString());
    }

    @Test
    void shouldGiveUpOnHeadThatIsBusyAllTheTimeAndSaySo() {
        hold(2, 10, 7);
        alive.add(2);
        state.heads().beginOperationRelease(2);
        Report report = inspect();
        assertEquals(List.of(), report.findings());
        assertEquals(List.of("head was busy all the time, its extents were not compared: head=2"), report.notes());
        assertArrayEquals(new long[] {0, 0, -1, 0, 0}, report.ownedBlocks());
    }

    // ---- damage

    @Test
    void shouldFindBlockWithTwoOwners() throws IOException {
        hold(1, 20, 2);
        hold(3, 30, 1);
        lane(30, 0b01010);
        extents(1, 20, 2, 30, 1);
        state.counters(1).setRelease(Counter.BLOCKS_OWNED, 3);
        assertFindings(
                "I1 block has several owners: block=30 owners=[1, 3]",
                "I8 free and owned blocks do not add up: free=255 owned=4 blocks=258");
    }

    @Test
    void shouldFindBitOfHeadThatDoesNotExist() throws IOException {
        lane(257, 0x20);
        lane(0, 0x80);
        assertFindings(
                "I1 owner is no head: block=0 lane=0x80 heads=5",
                "I1 owner is no head: block=257 lane=0x20 heads=5",
                "I8 free and owned blocks do not add up: free=256 owned=0 blocks=258");
    }

    @Test
    void shouldFindBitsBeyondLastBlock() throws IOException {
        lane(258, 0x01);
        lane(263, 0x10);
        assertFindings("I1 lanes beyond the last block are not empty: lanes=0x100000000001 blocks=258");
    }

    @Test
    void shouldFindOwnedBlocksInNoExtent() {
        hold(1, 20, 10);
        extents(1, 20, 4, 26, 4);
        assertFindings("I2 owned blocks in no extent: head=1 block=24 count=2");
    }

    @Test
    void shouldFindExtentsWhoseBlocksAreNotOwned() {
        hold(1, 20, 10);
        extents(1, 18, 12, 200, 3);
        assertFindings(
                "I2 blocks of an extent are not owned: head=1 block=18 count=2",
                "I2 blocks of an extent are not owned: head=1 block=200 count=3");
    }

    @Test
    void shouldFindExtentsThatOverlap() {
        hold(1, 20, 10);
        extents(1, 20, 6, 24, 6, 25, 1);
        assertFindings("I2 extents overlap: head=1 block=24", "I2 extents overlap: head=1 block=25");
    }

    @Test
    void shouldFindExtentsThatAreNone() {
        hold(1, 0, 2);
        write(
                1,
                List.of(
                        entry(0, 4 * MIB),
                        entry(1 * MIB, 2 * MIB), // not at a block
                        entry(8 * MIB, 3 * MIB), // not whole blocks
                        entry(16 * MIB, 0),
                        entry(16 * MIB, -2 * MIB),
                        entry(256 * MIB, 4 * MIB), // over the region's end
                        entry(258 * MIB, 2 * MIB), // between the regions
                        entry(2 * MIB, Long.MAX_VALUE - 2 * MIB + 1),
                        entry(-2 * MIB, 4 * MIB)));
        Report report = inspect();
        assertEquals(
                List.of(
                        "I2 extent is impossible: head=1 dpa=0x100000 length=0x200000 reason=\"not whole blocks of one region\"",
                        "I2 extent is impossible: head=1 dpa=0x800000 length=0x300000 reason=\"not whole blocks of one region\"",
                        "I2 extent is impossible: head=1 dpa=0x1000000 length=0x0 reason=\"not whole blocks of one region\"",
                        "I2 extent is impossible: head=1 dpa=0x1000000 length=0xffffffffffe00000"
                                + " reason=\"not whole blocks of one region\"",
                        "I2 extent is impossible: head=1 dpa=0x10000000 length=0x400000"
                                + " reason=\"no region has this address: dpa=0x103fffff\"",
                        "I2 extent is impossible: head=1 dpa=0x10200000 length=0x200000"
                                + " reason=\"no region has this address: dpa=0x10200000\"",
                        "I2 extent is impossible: head=1 dpa=0x200000 length=0x7fffffffffe00000"
                                + " reason=\"no region has this address: dpa=0x7fffffffffffffff\"",
                        "I2 extent is impossible: head=1 dpa=0xffffffffffe00000 length=0x400000"
                                + " reason=\"no region has this address: dpa=0xffffffffffe00000\""),
                texts(report));
    }

    @Test
    void shouldFindExtentOverTwoRegions() {
        // Blocks 128 and 129 are neighbours in the map, and belong to different regions.
        hold(1, 128, 2);
        write(1, List.of(entry(256 * MIB, 258 * MIB)));
        Report report = inspect();
        assertEquals(
                List.of(
                        "I2 extent is impossible: head=1 dpa=0x10000000 length=0x10200000"
                                + " reason=\"not whole blocks of one region\"",
                        "I2 owned blocks in no extent: head=1 block=128 count=2"),
                texts(report));
    }

    @Test
    void shouldFindCapacityOfHeadThatNobodyIs() {
        hold(1, 20, 10);
        state.heads().freeRelease(1);
        assertFindings("I6 nobody is this head, and it holds capacity: head=1 blocks=10");
    }

    @Test
    void shouldFindHeadRowThatMakesNoSense() throws IOException {
        hold(1, 20, 10);
        poke(Section.HEAD_TABLE.offset(GEOMETRY) + 256 + 16, 4);
        assertFindings("I6 head table row makes no sense: head=1 field=state value=4");
    }

    @Test
    void shouldFindCounterThatDisagrees() {
        hold(1, 20, 10);
        state.counters(1).addRelease(Counter.BLOCKS_OWNED, 1);
        state.counters(2).setRelease(Counter.BLOCKS_OWNED, -1);
        assertFindings(
                "I8 counter and owner map disagree: head=1 counter=blocks owned counted=11 owned=10",
                "I8 counter and owner map disagree: head=2 counter=blocks owned counted=-1 owned=0");
    }

    @Test
    void shouldBoundWhatItTells() throws IOException {
        for (int block = 0; block < 258; block++) {
            lane(block, 0xE0);
        }
        Report report = inspect();
        assertEquals(101, report.findings().size());
        assertEquals(
                "I1 owner is no head: block=99 lane=0xe0 heads=5 dpa=0xc600000 offset=0x%x"
                        .formatted(Section.OWNER_MAP.offset(GEOMETRY) + 99),
                report.findings().get(99).toString());
        assertEquals(
                "and more of these: findings=159", report.findings().get(100).message());
    }

    @Test
    void shouldSurviveFileFullOfGarbage() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        int length = (int) state.lengthBytes() - 4096;
        for (int round = 0; round < 30; round++) {
            byte[] garbage = new byte[length];
            for (int i = 0; i < length; i++) {
                garbage[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt() : 0);
            }
            try (FileChannel channel = FileChannel.open(state.file(), StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(garbage), 4096);
            }
            Report report = inspect();
            assertTrue(report.findings().size() > 1 && report.findings().size() <= 101, "seed=" + SEED);
        }
    }

    // ---- heads at work

    @Test
    void shouldGiveNoFalseAlarmWhileHeadsAreAtWork() throws Exception {
        alive.addAll(Set.of(0, 1, 2, 3, 4));
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<Long>> heads = new ArrayList<>();
        for (int head = 0; head < 4; head++) {
            int id = head;
            state.heads().startRelease(id, 1, 1, 1);
            heads.add(threads.submit(() -> work(id, stop)));
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
        int looks = 0;
        int compared = 0;
        try {
            while (System.nanoTime() < end) {
                Report report = inspect();
                assertEquals(List.of(), report.findings(), "seed=" + SEED + " look=" + looks);
                looks++;
                compared += (int) Arrays.stream(report.ownedBlocks())
                        .filter(owned -> owned >= 0)
                        .count();
            }
        } finally {
            stop.set(true);
            threads.shutdown();
        }
        for (Future<Long> head : heads) {
            assertTrue(head.get() > 100, "a head had no chance to work");
        }
        assertTrue(looks > 10 && compared > 4 * looks, "looks=" + looks + " compared=" + compared);
        alive.clear();
        assertEquals(List.of(), inspect().findings());
    }

    /** What a head does in its shared tables, without a device around it. */
    private long work(int head, AtomicBoolean stop) {
        SplittableRandom random = new SplittableRandom(SEED + head);
        List<long[]> held = new ArrayList<>();
        long wins = 0;
        while (!stop.get()) {
            state.heads().beginOperationRelease(head);
            long owned = state.counters(head).getAcquire(Counter.BLOCKS_OWNED);
            if (held.size() > 4 || (!held.isEmpty() && random.nextBoolean())) {
                long[] run = held.remove(random.nextInt(held.size()));
                record(head, held);
                owned -= state.ownerMap().clear(head, run[0], run[1]);
            } else {
                long first = random.nextInt(2) * 129L + random.nextInt(110);
                long count = random.nextInt(1, 20);
                if (state.ownerMap().claim(head, first, count) == OwnerMap.CLAIMED) {
                    held.add(new long[] {first, count});
                    record(head, held);
                    owned += count;
                    wins++;
                }
            }
            state.counters(head).setRelease(Counter.BLOCKS_OWNED, owned);
            state.heads().endOperationRelease(head);
            if (random.nextInt(4) == 0) {
                LockSupport.parkNanos(random.nextInt(200_000));
            }
        }
        return wins;
    }

    private void record(int head, List<long[]> held) {
        write(
                head,
                held.stream()
                        .map(run -> entry(GEOMETRY.dpaOfBlock(run[0]), run[1] * 2 * MIB))
                        .toList());
    }

    // ---- parts

    private Report inspect() {
        return Inspector.inspect(state, alive::contains);
    }

    /** A head that holds these runs of blocks, each within one region. */
    private void hold(int head, int... runs) {
        state.heads().startRelease(head, 4711 + head, 1, 1);
        long blocks = 0;
        for (int i = 0; i < runs.length; i += 2) {
            assertEquals(OwnerMap.CLAIMED, state.ownerMap().claim(head, runs[i], runs[i + 1]));
            blocks += runs[i + 1];
        }
        extents(head, runs);
        state.counters(head).setRelease(Counter.BLOCKS_OWNED, blocks);
    }

    private void extents(int head, int... runs) {
        List<ExtentTable.Entry> entries = new ArrayList<>();
        for (int i = 0; i < runs.length; i += 2) {
            // A run over the border between the regions is two extents.
            int inFirst = runs[i] < 129 ? Math.min(runs[i + 1], 129 - runs[i]) : 0;
            if (inFirst > 0) {
                entries.add(entry(GEOMETRY.dpaOfBlock(runs[i]), inFirst * (2 * MIB)));
            }
            if (runs[i + 1] > inFirst) {
                entries.add(entry(GEOMETRY.dpaOfBlock(runs[i] + inFirst), (runs[i + 1] - inFirst) * (2 * MIB)));
            }
        }
        write(head, entries);
    }

    /** A table, and counters that fit it. */
    private void write(int head, List<ExtentTable.Entry> entries) {
        state.extents(head).writeSeqlock(entries, 1);
        state.counters(head).setRelease(Counter.EXTENTS_HELD, entries.size());
        state.counters(head)
                .setRelease(
                        Counter.BLOCKS_ACCEPTED,
                        entries.stream()
                                .mapToLong(entry -> entry.lengthBytes() / (2 * MIB))
                                .sum());
    }

    private static ExtentTable.Entry entry(long dpa, long length) {
        return new ExtentTable.Entry(dpa, length, NO_TAG, 0, 0);
    }

    private Report assertSound(long free, long... owned) {
        Report report = inspect();
        assertEquals(List.of(), report.findings());
        assertTrue(report.isSound());
        assertEquals(free, report.freeBlocks());
        assertArrayEquals(owned, report.ownedBlocks());
        return report;
    }

    private void assertFindings(String... expected) {
        assertEquals(List.of(expected), texts(inspect()));
    }

    /** Without the places, which {@code DamageTest} checks field by field. */
    private static List<String> texts(Report report) {
        return report.findings().stream()
                .map(finding -> finding.toString().replaceAll(" offset=0x\\w+", ""))
                .map(text -> text.contains(" block=") ? text.replaceAll(" dpa=0x\\w+", "") : text)
                .toList();
    }

    private void lane(int block, int value) throws IOException {
        write(Section.OWNER_MAP.offset(GEOMETRY) + block, new byte[] {(byte) value});
    }

    private void poke(long offset, int value) throws IOException {
        write(
                offset,
                ByteBuffer.allocate(4)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(value)
                        .array());
    }

    private void write(long offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(state.file(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }
}

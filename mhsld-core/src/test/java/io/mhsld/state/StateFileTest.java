package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.state.StateFile.Access;
import io.mhsld.state.StateFileDescriptor.Section;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StateFileTest {
    private static final long SEED = Long.getLong("mhsld.seed", 4_802L);
    private static final long MIB = 1L << 20;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final Geometry GEOMETRY = Geometry.of(8, 2 * 258 * MIB, 2, 2 * MIB);
    private static final StateFile.Identity IDENTITY = new StateFile.Identity(
            UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"),
            1_700_000_000_123L,
            66_667,
            false,
            "/dev/shm/ä.media");

    @TempDir
    Path folder;

    private Path file;
    private Path unfinished;

    @BeforeEach
    void nameFiles() {
        file = folder.resolve("device");
        unfinished = folder.resolve("device.new");
    }

    // ---- creating

    @Test
    void shouldReadBackWhatWasCreated() {
        for (Geometry geometry : List.of(
                GEOMETRY,
                Geometry.of(1, 4096, 1, 4096),
                Geometry.of(64, 8 * 3 * 4096, 8, 4096),
                Geometry.of(17, 1L << 34, 4, 1L << 21))) {
            for (boolean sparse : new boolean[] {false, true}) {
                StateFile.Identity identity =
                        new StateFile.Identity(UUID.randomUUID(), 17, -1, sparse, "/media/of/" + geometry.headCount());
                StateFile.create(file, unfinished, geometry, identity, OWNER_ONLY);
                for (Access access : Access.values()) {
                    try (StateFile state = StateFile.open(file, access, 0)) {
                        assertEquals(geometry, state.geometry());
                        assertEquals(identity, state.identity());
                        assertEquals(file, state.file());
                        assertEquals(StateFileDescriptor.fileLength(geometry), state.lengthBytes());
                        assertIsEmpty(state);
                    }
                }
            }
        }
    }

    private static void assertIsEmpty(StateFile state) {
        for (int head = 0; head < state.geometry().headCount(); head++) {
            assertEquals(
                    new HeadTable.Row(head, 0, HeadTable.State.FREE, 0, 0, 0, ""),
                    state.heads().readAcquire(head));
            assertEquals(
                    new ExtentTable.Snapshot(List.of(), 0),
                    state.extents(head).readSeqlock().orElseThrow());
            assertEquals(0, state.ownerMap().countVolatile(head));
            for (Counter counter : Counter.values()) {
                assertEquals(0, state.counters(head).getAcquire(counter));
            }
            assertEquals(8192, state.errorLog(head).capacity());
            assertEquals(0, state.errorLog(head).getLong(0));
        }
        assertTrue(Inspector.inspect(state, head -> false).isSound());
    }

    @Test
    void shouldWriteHeaderAsDrawn() throws IOException {
        create();
        ByteBuffer header = ByteBuffer.wrap(bytes(0, 4096)).order(ByteOrder.LITTLE_ENDIAN);

        assertEquals("MHSLDev1", new String(header.array(), 0, 8, StandardCharsets.US_ASCII));
        assertEquals(2, header.getInt(8));
        CRC32C crc = new CRC32C();
        crc.update(header.array(), 16, 1520);
        assertEquals((int) crc.getValue(), header.getInt(12));
        assertEquals(Files.size(file), header.getLong(16));
        assertEquals(0x0011_2233_4455_6677L, header.getLong(24));
        assertEquals(0x8899_aabb_ccdd_eeffL, header.getLong(32));
        assertEquals(1_700_000_000_123L, header.getLong(40));
        assertEquals(66_667, header.getLong(48));
        assertEquals(2 * MIB, header.getLong(56));
        assertEquals(258, header.getLong(64));
        assertEquals(8, header.getInt(72));
        assertEquals(1, header.getInt(76));
        assertEquals(2, header.getInt(80));
        assertEquals(0, header.getInt(84));
        List<Long> sections = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            sections.add(header.getLong(88 + 8 * i));
        }
        assertEquals(
                List.of(
                        4096L,
                        2048L,
                        8192L,
                        294_912L,
                        303_104L,
                        1_122_368L,
                        1_429_504L,
                        128L,
                        1_433_600L,
                        61_632L,
                        1_499_136L,
                        2048L,
                        1_503_232L,
                        65_536L,
                        1_568_768L,
                        264L),
                sections);
        assertEquals(1_572_864, Files.size(file));
        List<Long> regions = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            regions.add(header.getLong(224 + 8 * i));
        }
        assertEquals(List.of(0L, 512 * MIB, 258 * MIB, 0L, 0L, 512 * MIB, 512 * MIB, 258 * MIB, 129L, 0L), regions);
        byte[] path = "/dev/shm/ä.media".getBytes(StandardCharsets.UTF_8);
        assertEquals(path.length, header.getInt(544));
        assertArrayEquals(path, Arrays.copyOfRange(header.array(), 548, 548 + path.length));
        assertArrayEquals(new byte[2560], Arrays.copyOfRange(header.array(), 1536, 4096));
    }

    @Test
    void shouldKeepFileForItsOwnerUnlessAskedOtherwise() throws IOException {
        create();
        assertEquals(OWNER_ONLY, Files.getPosixFilePermissions(file));
        Set<PosixFilePermission> group = PosixFilePermissions.fromString("rw-rw----");
        StateFile.create(file, unfinished, GEOMETRY, IDENTITY, group);
        assertEquals(group, Files.getPosixFilePermissions(file));
    }

    @Test
    void shouldReserveSpaceOfWholeFile() throws Exception {
        for (Path place : List.of(folder, Path.of("/dev/shm"))) {
            Path anywhere = place.resolve("mhsld-test-" + UUID.randomUUID());
            try {
                StateFile.create(
                        anywhere, place.resolve(anywhere.getFileName() + ".new"), GEOMETRY, IDENTITY, OWNER_ONLY);
                String[] stat =
                        run("stat", "-c", "%b %B", anywhere.toString()).trim().split(" ");
                assertTrue(
                        Long.parseLong(stat[0]) * Long.parseLong(stat[1]) >= Files.size(anywhere),
                        anywhere + " " + Arrays.toString(stat));
            } finally {
                Files.deleteIfExists(anywhere);
            }
        }
    }

    @Test
    void shouldMake16TiBDeviceWithMapOf8MiB() throws IOException {
        Geometry geometry = Geometry.of(8, 16L << 40, 8, 2 * MIB);
        StateFile.create(file, unfinished, geometry, IDENTITY, OWNER_ONLY);
        assertTrue(Files.size(file) < 10 * MIB, "length=" + Files.size(file));
        try (StateFile state = StateFile.open(file, Access.READ_WRITE, 0)) {
            assertEquals(8L << 20, state.geometry().blockCount());
            assertEquals(OwnerMap.CLAIMED, state.ownerMap().claim(7, (8L << 20) - 5, 5));
            assertEquals(5, state.ownerMap().countVolatile(7));
        }
    }

    @Test
    void shouldReplaceUnfinishedLeftover() throws IOException {
        Files.write(unfinished, new byte[12_345]);
        create();
        assertFalse(Files.exists(unfinished));
        StateFile.open(file, Access.READ_WRITE, 0).close();
    }

    @Test
    void shouldNotWriteThroughLinkInPlaceOfLeftover() throws IOException {
        Path victim = folder.resolve("victim");
        Files.writeString(victim, "precious");
        Files.createSymbolicLink(unfinished, victim);
        create();
        assertEquals("precious", Files.readString(victim));
    }

    @Test
    void shouldReplaceOldFileAsWhole() throws IOException {
        create();
        try (StateFile old = StateFile.open(file, Access.READ_WRITE, 0)) {
            old.ownerMap().claim(3, 0, 258);
            Geometry smaller = Geometry.of(2, 4096, 1, 4096);
            StateFile.create(file, unfinished, smaller, IDENTITY, OWNER_ONLY);
            // Whoever still has the old one mapped keeps it, whole.
            assertEquals(258, old.ownerMap().countVolatile(3));
            try (StateFile replacement = StateFile.open(file, Access.READ_ONLY, 0)) {
                assertEquals(smaller, replacement.geometry());
                assertIsEmpty(replacement);
            }
        }
    }

    @Test
    void shouldRefuseMediaPathThatDoesNotFit() {
        StateFile.Identity longest = new StateFile.Identity(
                new UUID(0, 0), 0, 0, false, ("/" + "ö".repeat(100)).repeat(4) + "/" + "x".repeat(183));
        StateFile.create(file, unfinished, GEOMETRY, longest, OWNER_ONLY);
        try (StateFile state = StateFile.open(file, Access.READ_ONLY, 0)) {
            assertEquals(longest, state.identity());
        }
        StateFile.Identity tooLong = new StateFile.Identity(
                new UUID(0, 0), 0, 0, false, ("/" + "ö".repeat(100)).repeat(4) + "/" + "x".repeat(184));
        assertRefused(
                Problem.SYSTEM,
                "media path too long: bytes=989 limit=988 file=" + file,
                () -> StateFile.create(file, unfinished, GEOMETRY, tooLong, OWNER_ONLY));
    }

    @Test
    void shouldLeaveOldFileWhenFolderIsMissing() {
        assertRefused(
                Problem.SYSTEM,
                "state file cannot be created: reason=\"no such folder\" length=1572864 file="
                        + folder.resolve("none/device"),
                () -> StateFile.create(
                        folder.resolve("none/device"),
                        folder.resolve("none/device.new"),
                        GEOMETRY,
                        IDENTITY,
                        OWNER_ONLY));
    }

    @Test
    void shouldLeaveOldFileWhenFileSystemIsFull() throws Exception {
        assumeTrue(isRoot(), "only root may mount a small file system");
        Path mount = Files.createDirectory(folder.resolve("full"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount.toString())
                        .isEmpty(),
                "no mounting here");
        try {
            Path small = mount.resolve("device");
            Path smallNew = mount.resolve("device.new");
            StateFile.create(small, smallNew, GEOMETRY, IDENTITY, OWNER_ONLY);
            byte[] before = Files.readAllBytes(small);
            Geometry large = Geometry.of(64, 1L << 40, 1, 2 * MIB);
            StateFileException refusal = assertThrows(
                    StateFileException.class, () -> StateFile.create(small, smallNew, large, IDENTITY, OWNER_ONLY));
            assertEquals(Problem.SYSTEM, refusal.problem());
            assertEquals(
                    "state file cannot be created: reason=\"No space left on device\" length="
                            + StateFileDescriptor.fileLength(large) + " file=" + small,
                    refusal.getMessage());
            assertArrayEquals(before, Files.readAllBytes(small));
            assertFalse(Files.exists(smallNew));
            StateFile.open(small, Access.READ_WRITE, 0).close();
        } finally {
            run("umount", mount.toString());
        }
    }

    // ---- waiting

    @Test
    void shouldWaitForFileThatAnotherMakes() throws Exception {
        shouldComeUpWhenMade(() -> {});
    }

    @Test
    void shouldWaitWhileFileIsEmpty() throws Exception {
        shouldComeUpWhenMade(() -> Files.createFile(file));
    }

    @Test
    void shouldWaitWhileFileIsAllZero() throws Exception {
        shouldComeUpWhenMade(() -> Files.write(file, new byte[1_572_864]));
    }

    @Test
    void shouldWaitWhileVersionIsZero() throws Exception {
        create();
        poke(8, 0);
        CompletableFuture<StateFile> opened =
                CompletableFuture.supplyAsync(() -> StateFile.open(file, Access.READ_WRITE, 10_000));
        TimeUnit.MILLISECONDS.sleep(60);
        assertFalse(opened.isDone());
        poke(8, 2);
        try (StateFile state = opened.get(20, TimeUnit.SECONDS)) {
            assertEquals(GEOMETRY, state.geometry());
        }
    }

    private interface Act {
        void run() throws IOException;
    }

    private void shouldComeUpWhenMade(Act before) throws Exception {
        before.run();
        CompletableFuture<StateFile> opened =
                CompletableFuture.supplyAsync(() -> StateFile.open(file, Access.READ_WRITE, 10_000));
        TimeUnit.MILLISECONDS.sleep(60);
        assertFalse(opened.isDone());
        create();
        try (StateFile state = opened.get(20, TimeUnit.SECONDS)) {
            assertEquals(GEOMETRY, state.geometry());
        }
    }

    @Test
    void shouldGiveUpWaitingAtDeadline() throws IOException {
        long start = System.nanoTime();
        assertRefused(
                Problem.MISSING,
                "no such state file: waitedMs=150 (start one head with --mhd-init, or run init) file=" + file,
                () -> StateFile.open(file, Access.READ_WRITE, 150));
        long waitedMs = (System.nanoTime() - start) / 1_000_000;
        assertTrue(waitedMs >= 150 && waitedMs < 20_000, "waitedMs=" + waitedMs);

        Files.createFile(file);
        assertRefused(
                Problem.NOT_READY,
                "state file not initialised: waitedMs=20 version=0 (its init has not finished, or died) file=" + file,
                () -> StateFile.open(file, Access.READ_WRITE, 20));
    }

    @Test
    void shouldNotWaitForWhatWillNotMend() throws IOException {
        Files.write(file, "something else altogether".repeat(500).getBytes(StandardCharsets.UTF_8));
        long start = System.nanoTime();
        assertEquals(Problem.FOREIGN, refusalOfOpen(60_000).problem());
        assertTrue(System.nanoTime() - start < 2_000_000_000L);
    }

    // ---- refusing

    @Test
    void shouldRefuseForeignFiles() throws Exception {
        Files.write(file, new byte[100]);
        assertEquals(
                "too short for a state file: length=100 header=4096 file=" + file,
                refusalOfOpen(0).getMessage());
        Files.write(file, "x".repeat(5_000).getBytes(StandardCharsets.UTF_8));
        assertEquals(
                "not a state file: magic=0x7878787878787878 expected=0x31766544" + "4c53484d file=" + file,
                refusalOfOpen(0).getMessage());
        assertEquals(
                "not a state file but a folder: file=" + folder,
                assertThrows(StateFileException.class, () -> StateFile.open(folder, Access.READ_ONLY, 0))
                        .getMessage());
        Path pipe = folder.resolve("pipe");
        run("mkfifo", pipe.toString());
        for (Access access : Access.values()) {
            assertEquals(
                    "not a state file but a device, pipe or socket: file=" + pipe,
                    assertThrows(StateFileException.class, () -> StateFile.open(pipe, access, 0))
                            .getMessage());
        }
        assertFalse(StateFile.isReplaceable(pipe));
    }

    @Test
    void shouldRefuseOtherVersionAndWrongChecksum() throws IOException {
        create();
        for (int other : new int[] {1, 3}) {
            poke(8, other);
            assertRefusedToOpen(Problem.FOREIGN, "state file of another version: version=" + other + " expected=2");
        }
        poke(8, 2);
        int stored =
                ByteBuffer.wrap(bytes(12, 4)).order(ByteOrder.LITTLE_ENDIAN).getInt();
        poke(48, 66_668);
        StateFileException refusal = refusalOfOpen(0);
        assertEquals(Problem.DAMAGED, refusal.problem());
        assertTrue(
                refusal.getMessage()
                        .startsWith(String.format("header checksum differs: stored=0x%08x computed=0x", stored)),
                refusal.getMessage());
        poke(48, 66_667);
        StateFile.open(file, Access.READ_WRITE, 0).close();
    }

    @Test
    void shouldNoticeEveryFlippedBitOfHeader() throws IOException {
        create();
        byte[] header = bytes(0, 4096);
        for (int bit = 0; bit < 1536 * 8; bit++) {
            flip(header, bit);
            StateFileException refusal = refusalOfOpen(0);
            assertTrue(refusal.getMessage().endsWith(" file=" + file), refusal.getMessage());
            flip(header, bit);
        }
        // The rest of the page is reserved and outside of the checksum.
        for (int bit = 1536 * 8; bit < 4096 * 8; bit += 97) {
            flip(header, bit);
            StateFile.open(file, Access.READ_ONLY, 0).close();
            flip(header, bit);
        }
        StateFile.open(file, Access.READ_WRITE, 0).close();
    }

    @Test
    void shouldTrustNoNumberOfHeaderEvenWithRightChecksum() throws IOException {
        create();
        byte[] header = bytes(0, 4096);
        int refused = 0;
        for (int bit = 16 * 8; bit < 1536 * 8; bit++) {
            header[bit / 8] ^= (byte) (1 << bit % 8);
            refused += openWithRightChecksum(header) ? 0 : 1;
            header[bit / 8] ^= (byte) (1 << bit % 8);
        }
        // Every bit that says how long or how large anything is; the others only name the device.
        assertTrue(refused >= 8 * (8 + 8 + 8 + 4 + 4 + 4 + 80 + 64 + 2), "refused=" + refused);
    }

    @Test
    void shouldSurviveAnyNumbersInHeader() throws IOException {
        create();
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] original = bytes(0, 4096);
        long[] edges = {0, 1, -1, 8, 64, 65, 4096, Integer.MAX_VALUE, 1L << 52, Long.MAX_VALUE, Long.MIN_VALUE};
        for (int round = 0; round < 3_000; round++) {
            byte[] header = original.clone();
            ByteBuffer numbers = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            for (int change = random.nextInt(1, 6); change > 0; change--) {
                numbers.putInt(16 + 4 * random.nextInt(134), (int)
                        (random.nextBoolean() ? edges[random.nextInt(edges.length)] : random.nextLong()));
            }
            try {
                openWithRightChecksum(header);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed=" + SEED + " round=" + round, e);
            }
        }
    }

    @Test
    void shouldRefuseMediaPathThatIsNoAbsolutePath() throws IOException {
        create();
        byte[] sound = bytes(0, 4096);
        for (int[] damage : new int[][] {{548, 'x'}, {551, 0}}) {
            byte[] header = sound.clone();
            header[damage[0]] = (byte) damage[1];
            assertFalse(openWithRightChecksum(header), "offset=" + damage[0]);
        }
        assertTrue(openWithRightChecksum(sound.clone()));
    }

    /** True when it opens, then with the shape that it was made with; false when it is refused, as a damaged state file is. */
    private boolean openWithRightChecksum(byte[] header) throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(header, 16, 1520);
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putInt(12, (int) crc.getValue());
        write(0, header);
        try (StateFile state = StateFile.open(file, Access.READ_ONLY, 0)) {
            // Shareable or not is as good as the other.
            assertEquals(GEOMETRY, state.geometry().withShareable(Set.of()));
            return true;
        } catch (StateFileException e) {
            assertEquals(Problem.DAMAGED, e.problem(), e.getMessage());
            return false;
        }
    }

    @Test
    void shouldRefuseFileOfAnyOtherLength() throws IOException {
        create();
        long whole = Files.size(file);
        byte[] content = Files.readAllBytes(file);
        Set<Long> lengths = new TreeSet<>();
        for (Section section : Section.values()) {
            for (long end :
                    new long[] {section.offset(GEOMETRY), section.offset(GEOMETRY) + section.lengthBytes(GEOMETRY)}) {
                lengths.addAll(List.of(end - 4096, end - 1, end, end + 1, end + 4096));
            }
        }
        lengths.addAll(List.of(1L, 8L, 4095L, whole - 1, whole + 1, whole + 4096, 4 * whole));
        lengths.remove(whole);
        lengths.remove(0L);
        for (long length : lengths) {
            Files.write(file, Arrays.copyOf(content, (int) length));
            StateFileException refusal = refusalOfOpen(0);
            Problem problem = length < 4096 ? Problem.FOREIGN : Problem.DAMAGED;
            assertEquals(problem, refusal.problem(), refusal.getMessage());
            assertEquals(
                    length < 4096
                            ? "too short for a state file: length=" + length + " header=4096 file=" + file
                            : "wrong file length: met=" + length + " expected=" + whole + " file=" + file,
                    refusal.getMessage());
            assertEquals(length, Files.size(file), "opening must not change the file");
        }
    }

    @Test
    void shouldRefuseWithoutPermission() throws IOException {
        assumeFalse(isRoot(), "root may do everything");
        create();
        Files.setPosixFilePermissions(file, Set.of());
        assertRefusedToOpen(Problem.SYSTEM, "state file cannot be opened: reason=\"no permission\"");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-x------"));
        try {
            assertRefused(
                    Problem.SYSTEM,
                    "state file cannot be created: reason=\"no permission\" length=1572864 file=" + file,
                    this::create);
        } finally {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void shouldTellWhatMayBeReplaced() throws IOException {
        assertTrue(StateFile.isReplaceable(file), "nothing there");
        Files.createFile(file);
        assertTrue(StateFile.isReplaceable(file), "empty");
        Files.writeString(file, "MHSLDev1");
        assertTrue(StateFile.isReplaceable(file), "cut short, and ours");
        create();
        poke(8, 99);
        poke(100, -1);
        assertTrue(StateFile.isReplaceable(file), "damaged, and ours");
        for (String foreign : List.of("M", "MHSLDev", "MHSLDev2 and more", "\0\0\0\0\0\0\0\0\0")) {
            Files.writeString(file, foreign);
            assertFalse(StateFile.isReplaceable(file), foreign);
        }
        assertFalse(StateFile.isReplaceable(folder), "a folder");
        Files.delete(file);
        Files.createSymbolicLink(file, folder.resolve("elsewhere"));
        assertFalse(StateFile.isReplaceable(file), "a link");
    }

    // ---- using

    @Test
    void shouldShowStoresToEveryoneWhoMapsIt() {
        create();
        try (StateFile writer = StateFile.open(file, Access.READ_WRITE, 0);
                StateFile reader = StateFile.open(file, Access.READ_ONLY, 0)) {
            writer.ownerMap().claim(2, 100, 28);
            writer.heads().startRelease(2, 77, 88, 99);
            writer.counters(2).addRelease(Counter.BLOCKS_OWNED, 28);
            assertEquals(28, reader.ownerMap().countVolatile(2));
            assertEquals(77, reader.heads().readAcquire(2).pid());
            assertEquals(28, reader.counters(2).getAcquire(Counter.BLOCKS_OWNED));
        }
    }

    @Test
    void shouldRefuseStoresWhenMappedForReading() throws IOException {
        create();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        byte[] before = Files.readAllBytes(file);
        try (StateFile state = StateFile.open(file, Access.READ_ONLY, 0)) {
            assertEquals(GEOMETRY, state.geometry());
            assertEquals(0, state.ownerMap().countVolatile(0));
            List<Consumer<StateFile>> stores = List.of(
                    s -> s.ownerMap().claim(0, 0, 1),
                    s -> s.heads().startRelease(0, 1, 2, 3),
                    s -> s.heads().freeRelease(0),
                    s -> s.heads().nextIncarnationRelease(0),
                    s -> s.extents(0).writeSeqlock(List.of(), 1),
                    s -> s.counters(0).resetRelease());
            for (Consumer<StateFile> store : stores) {
                String message = assertThrows(IllegalStateException.class, () -> store.accept(state))
                        .getMessage();
                assertTrue(message.startsWith("state file is mapped for reading only: section="), message);
            }
        }
        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void shouldThrowAndNotCrashWhenUsedAfterClose() {
        create();
        StateFile state = StateFile.open(file, Access.READ_WRITE, 0);
        OwnerMap map = state.ownerMap();
        ExtentTable extents = state.extents(7);
        AtomicBuffer errors = state.errorLog(7);
        state.close();
        state.close();

        List<Runnable> uses = List.of(
                () -> map.claim(0, 0, 1),
                () -> map.clear(0, 0, 258),
                () -> map.ownersVolatile(257),
                () -> map.countVolatile(0),
                () -> map.forEachRunVolatile(0, (first, count) -> {}),
                () -> state.heads().readAcquire(0),
                () -> state.heads().freeRelease(7),
                () -> state.counters(0).addRelease(Counter.ADDS, 1),
                () -> extents.writeSeqlock(List.of(), 1),
                extents::readSeqlock,
                () -> errors.putLong(0, 1),
                () -> state.errorLog(0).setMemory(0, 8, (byte) 1));
        for (Runnable use : uses) {
            assertThrows(IndexOutOfBoundsException.class, use::run);
        }
    }

    @Test
    void shouldKeepErrorLogsApartAndWithinTheirSection() throws IOException {
        create();
        try (StateFile state = StateFile.open(file, Access.READ_WRITE, 0)) {
            for (int head = 0; head < 8; head++) {
                state.errorLog(head).setMemory(0, 8192, (byte) (head + 1));
            }
            for (int outside : new int[] {-1, 8}) {
                assertThrows(IndexOutOfBoundsException.class, () -> state.errorLog(outside));
            }
            assertEquals(0, state.ownerMap().countVolatile(0));
        }
        byte[] logs = bytes(1_503_232, 65_536);
        for (int i = 0; i < logs.length; i++) {
            assertEquals(i / 8192 + 1, logs[i]);
        }
        assertArrayEquals(new byte[8], bytes(1_568_768, 8));
    }

    @Test
    void shouldUnmapOnClose() throws IOException {
        create();
        for (int i = 0; i < 50; i++) {
            StateFile.open(file, i % 2 == 0 ? Access.READ_WRITE : Access.READ_ONLY, 0)
                    .close();
            int round = i;
            poke(8, 7);
            assertThrows(StateFileException.class, () -> StateFile.open(file, Access.READ_ONLY, 0), "round " + round);
            poke(8, 2);
        }
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            assertEquals(0, maps.filter(line -> line.contains(file.toString())).count());
        }
    }

    @Test
    void shouldOnlyUseMappingsAlignedForAtomics() {
        assertThrows(
                IllegalStateException.class,
                () -> new SharedMemory("askew", new UnsafeBuffer(ByteBuffer.allocateDirect(64), 4, 32)));
    }

    // ---- parts

    private void create() {
        StateFile.create(file, unfinished, GEOMETRY, IDENTITY, OWNER_ONLY);
    }

    private StateFileException refusalOfOpen(long timeoutMs) {
        return assertThrows(StateFileException.class, () -> StateFile.open(file, Access.READ_WRITE, timeoutMs));
    }

    private void assertRefusedToOpen(Problem problem, String cause) {
        assertRefused(problem, cause + " file=" + file, () -> StateFile.open(file, Access.READ_WRITE, 0));
    }

    private static void assertRefused(Problem problem, String message, Runnable act) {
        StateFileException refusal = assertThrows(StateFileException.class, act::run);
        assertEquals(message, refusal.getMessage());
        assertEquals(problem, refusal.problem());
        assertNotEquals("", message);
    }

    private void flip(byte[] header, int bit) throws IOException {
        header[bit / 8] ^= (byte) (1 << bit % 8);
        write(bit / 8, new byte[] {header[bit / 8]});
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
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }

    private byte[] bytes(long offset, int length) throws IOException {
        return Arrays.copyOfRange(Files.readAllBytes(file), (int) offset, (int) offset + length);
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}

package io.mhsld.media;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.media.Media.Space;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class MediaTest {
    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final Path SHM = Path.of("/dev/shm");
    private static final Set<PosixFilePermission> OWNER = PosixFilePermissions.fromString("rw-------");

    @TempDir
    Path disk;

    private final List<Executable> cleanUps = new ArrayList<>();

    @AfterEach
    void cleanUp() throws Throwable {
        for (int i = cleanUps.size() - 1; i >= 0; i--) {
            cleanUps.get(i).execute();
        }
    }

    enum Place {
        DISK,
        SHARED_MEMORY
    }

    // ---- creation

    @ParameterizedTest
    @EnumSource
    void shouldCreateSparseFileWithExactPermissions(Place place) throws Exception {
        Path file = directory(place).resolve("dev.media");
        Set<PosixFilePermission> permissions = PosixFilePermissions.fromString("rw-rw-rw-"); // more than a umask leaves

        Media.create(file, 3 * GIB, permissions, false);

        assertEquals(3 * GIB, Files.size(file));
        assertAllocated(0, file);
        assertEquals(permissions, Files.getPosixFilePermissions(file));
        assertEquals(List.of(file), list(file.getParent()));
    }

    @Test
    void shouldReplaceFileWhenInodeIsNotKept() throws Exception {
        Path file = disk.resolve("dev.media");
        Files.write(file, new byte[10_000]);
        Object before = key(file);
        try (FileChannel old = FileChannel.open(file)) {
            Media.create(file, 8 * KIB, OWNER, false);
            assertEquals(10_000, old.size());
        }

        assertNotEquals(before, key(file));
        assertEquals(8 * KIB, Files.size(file));
        assertArrayEquals(new byte[(int) (8 * KIB)], Files.readAllBytes(file));
    }

    @ParameterizedTest
    @EnumSource
    void shouldEmptyAndGrowFileWhenInodeIsKept(Place place) throws Exception {
        Path file = directory(place).resolve("backend");
        Files.write(file, filled(MIB, 5));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        Object before = key(file);

        Media.create(file, 2 * MIB, OWNER, true);

        assertEquals(before, key(file));
        assertAllocated(0, file);
        assertArrayEquals(new byte[(int) (2 * MIB)], Files.readAllBytes(file));
        assertEquals(PosixFilePermissions.fromString("rw-r-----"), Files.getPosixFilePermissions(file));
    }

    @Test
    void shouldNeverShrinkKeptFile() throws Exception {
        Path file = disk.resolve("backend");
        Files.write(file, filled(MIB, 5));

        Media.create(file, 64 * KIB, OWNER, true);

        assertEquals(MIB, Files.size(file));
        assertArrayEquals(new byte[(int) MIB], Files.readAllBytes(file));
    }

    @Test
    void shouldCreateMissingFileAlsoWhenInodeWouldBeKept() throws Exception {
        Path file = disk.resolve("backend");
        Media.create(file, MIB, OWNER, true);
        assertEquals(MIB, Files.size(file));
        assertEquals(OWNER, Files.getPosixFilePermissions(file));
    }

    @Test
    void shouldRemoveWhatDeadCreatorLeft() throws Exception {
        Path file = disk.resolve("dev.media");
        Files.write(disk.resolve(".dev.media.new"), new byte[100]);

        Media.create(file, MIB, OWNER, false);

        assertEquals(List.of(file), list(disk));
    }

    @Test
    void shouldRefuseToCreateOverWhatIsNoRegularFile() throws Exception {
        Path target = Files.write(disk.resolve("precious"), new byte[] {1, 2, 3});
        Path link = Files.createSymbolicLink(disk.resolve("link"), target);
        Path dangling = Files.createSymbolicLink(disk.resolve("dangling"), disk.resolve("nothing"));
        Path directory = Files.createDirectory(disk.resolve("directory"));
        for (boolean keep : new boolean[] {false, true}) {
            assertDamage("media file is a symbolic link: file=" + link, () -> Media.create(link, MIB, OWNER, keep));
            assertDamage(
                    "media file is a symbolic link: file=" + dangling, () -> Media.create(dangling, MIB, OWNER, keep));
            assertDamage(
                    "media file is not a regular file: file=" + directory,
                    () -> Media.create(directory, MIB, OWNER, keep));
        }
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target));
        assertTrue(Files.isSymbolicLink(link));
        assertFalse(Files.exists(disk.resolve("nothing")));
    }

    @Test
    void shouldTellWhyFileCannotBeCreated() {
        Path file = disk.resolve("missing/dev.media");
        assertDamage(
                "media file cannot be created: reason=no such file or directory file=" + file,
                () -> Media.create(file, MIB, OWNER, false));
        assertThrows(IllegalArgumentException.class, () -> Media.create(disk.resolve("m"), MIB + 1, OWNER, false));
        assertThrows(IllegalArgumentException.class, () -> Media.create(disk.resolve("m"), 0, OWNER, false));
        assertFalse(Files.exists(disk.resolve("m")));
    }

    // ---- opening and closing

    @Test
    void shouldRefuseToOpenWhatIsNoMedia() throws Exception {
        Path missing = disk.resolve("missing");
        Path shorter = Files.write(disk.resolve("shorter"), new byte[4096]);
        Path link = Files.createSymbolicLink(disk.resolve("link"), shorter);
        Path pipe = disk.resolve("pipe");
        execute("mkfifo", pipe.toString());

        assertDamage("media file missing: file=" + missing, () -> Media.open(missing, MIB, Space.RESERVED));
        assertDamage(
                "media file too short: length=4096 expected=1048576 file=" + shorter,
                () -> Media.open(shorter, MIB, Space.RESERVED));
        assertDamage("media file is a symbolic link: file=" + link, () -> Media.open(link, 4096, Space.RESERVED));
        assertDamage("media file is not a regular file: file=" + pipe, () -> Media.open(pipe, 4096, Space.RESERVED));
        assertDamage(
                "media file is not a regular file: file=/dev/zero",
                () -> Media.open(Path.of("/dev/zero"), 4096, Space.RESERVED));
        assertEquals(4096, Files.size(shorter));
    }

    @Test
    void shouldRefuseFileWithoutPermission() throws Exception {
        Path file = create(Place.DISK, MIB);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
        assumeTrue(!Files.isWritable(file), "running as root");
        assertDamage(
                "media file may not be read and written: file=" + file, () -> Media.open(file, MIB, Space.RESERVED));
    }

    @ParameterizedTest
    @EnumSource
    void shouldOpenMoreThanTheMachineHas(Place place) throws Exception {
        Path file = create(place, 64 * GIB);
        try (Media media = Media.open(file, 64 * GIB, Space.RESERVED)) {
            long last = 64 * GIB - 2 * MIB;
            assertTrue(media.scrub(last, 2 * MIB));
            assertTrue(media.fill(64 * GIB - 100, 100, (byte) 3));

            assertArrayEquals(filled(100, 3), read(media, 64 * GIB - 100, 100));
            assertEquals(64 * GIB, media.lengthBytes());
            assertAllocated(2 * MIB, file);
        }
    }

    @Test
    void shouldUnmapOnClose() throws Exception {
        Path file = create(Place.SHARED_MEMORY, 64 * MIB);
        for (int i = 0; i < 50; i++) {
            Media media = Media.open(file, 64 * MIB, i % 2 == 0 ? Space.RESERVED : Space.SPARSE);
            media.scrub(0, MIB);
            assertEquals(1, mappings(file));
            media.close();
            media.close();
            assertEquals(0, mappings(file));
        }
        assertEquals(0, openDescriptors(file));
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseEveryCallAfterClose(Space space) throws Exception {
        Path file = create(Place.DISK, MIB);
        Media media = Media.open(file, MIB, space);
        media.close();

        List<Executable> calls = List.of(
                () -> media.read(0, new byte[1], 0, 1),
                () -> media.write(0, new byte[1], 0, 1),
                () -> media.fill(0, 0, (byte) 1),
                () -> media.crc32c(0, 0),
                () -> media.scrub(0, 0),
                () -> media.giveBack(0, 0));
        for (Executable call : calls) {
            IllegalStateException e = assertThrows(IllegalStateException.class, call);
            assertEquals("media closed: file=" + file, e.getMessage());
        }
    }

    // ---- bytes

    @ParameterizedTest
    @EnumSource
    void shouldRefuseRangesOutside(Space space) throws Exception {
        try (Media media = Media.open(create(Place.DISK, MIB), MIB, space)) {
            long[][] ranges = {
                {-1, 1}, {0, MIB + 1}, {MIB, 1}, {1, MIB}, {Long.MAX_VALUE, 1}, {1, Long.MAX_VALUE}, {0, -1}
            };
            for (long[] range : ranges) {
                String expected = "range outside media: offset=" + range[0] + " length=" + range[1]
                        + " mediaLength=1048576 file=" + media.file();
                List<Executable> calls = List.of(
                        () -> media.fill(range[0], range[1], (byte) 1),
                        () -> media.crc32c(range[0], range[1]),
                        () -> media.scrub(range[0], range[1]),
                        () -> media.giveBack(range[0], range[1]));
                for (Executable call : calls) {
                    assertEquals(
                            expected,
                            assertThrows(IllegalArgumentException.class, call).getMessage());
                }
            }
            assertThrows(IllegalArgumentException.class, () -> media.read(MIB, new byte[1], 0, 1));
            assertThrows(IllegalArgumentException.class, () -> media.write(-1, new byte[1], 0, 1));
            assertThrows(IndexOutOfBoundsException.class, () -> media.read(0, new byte[1], 1, 1));
            assertThrows(IndexOutOfBoundsException.class, () -> media.write(0, new byte[1], 0, 2));

            media.read(MIB, new byte[0], 0, 0);
            assertTrue(media.write(MIB, new byte[0], 0, 0));
            assertTrue(media.fill(MIB, 0, (byte) 1));
            assertTrue(media.scrub(MIB, 0));
            media.giveBack(MIB, 0);
            assertEquals(0, media.crc32c(MIB, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldComputeCastagnoliCrc(Space space) throws Exception {
        try (Media media = Media.open(create(Place.SHARED_MEMORY, MIB), MIB, space)) {
            assertTrue(media.scrub(0, MIB));
            assertTrue(media.write(70_001, "123456789".getBytes(US_ASCII), 0, 9));
            assertEquals(0xE3069283, media.crc32c(70_001, 9));
            assertNotEquals(media.crc32c(0, 200_000), media.crc32c(200_000, 200_000));
            assertEquals(media.crc32c(200_000, 200_000), media.crc32c(400_000, 200_000));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldShareStoresBetweenMappingsAndProcesses(Place place) throws Exception {
        Path file = create(place, MIB);
        try (Media one = Media.open(file, MIB, Space.RESERVED);
                Media other = Media.open(file, MIB, Space.SPARSE)) {
            assertTrue(one.scrub(0, MIB));
            assertTrue(one.fill(1000, 10, (byte) 1));
            assertArrayEquals(filled(10, 1), read(other, 1000, 10));
            assertTrue(other.fill(1000, 10, (byte) 2));
            assertArrayEquals(filled(10, 2), read(one, 1000, 10));

            assertEquals("hostile=null", child(disk, "store", file, MIB));
            assertArrayEquals(filled(MIB, 77), read(one, 0, (int) MIB));
            assertArrayEquals(filled(MIB, 77), read(other, 0, (int) MIB));

            assertTrue(other.scrub(0, MIB));
            assertArrayEquals(new byte[(int) MIB], read(one, 0, (int) MIB));
        }
    }

    static Stream<Arguments> placesAndSpaces() {
        return Arrays.stream(Place.values())
                .flatMap(place -> Arrays.stream(Space.values()).map(space -> Arguments.of(place, space)));
    }

    @ParameterizedTest
    @MethodSource("placesAndSpaces")
    void shouldBehaveAsPlainArray(Place place, Space space) throws Exception {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        int length = (int) (2 * MIB);
        byte[] model = new byte[length];
        byte[] buffer = new byte[length];
        Path file = create(place, length);
        try (Media media = Media.open(file, length, space);
                Media witness = Media.open(file, length, Space.SPARSE)) {
            assertTrue(media.scrub(0, length));
            for (int step = 0; step < 1500; step++) {
                int offset = random.nextInt(length);
                int most = random.nextInt(10) == 0 ? length - offset : Math.min(length - offset, 20_000);
                int count = random.nextInt(most + 1);
                if (random.nextInt(4) == 0) { // whole pages
                    offset &= -4096;
                    count &= -4096;
                }
                String where = "step " + step + ": offset=" + offset + " length=" + count + " -Dmhsld.seed=" + seed;
                switch (random.nextInt(6)) {
                    case 0 -> {
                        random.nextBytes(buffer);
                        int from = random.nextInt(length - count + 1);
                        assertTrue(media.write(offset, buffer, from, count), where);
                        System.arraycopy(buffer, from, model, offset, count);
                    }
                    case 1 -> {
                        byte value = (byte) random.nextInt();
                        assertTrue(media.fill(offset, count, value), where);
                        Arrays.fill(model, offset, offset + count, value);
                    }
                    case 2 -> {
                        assertTrue(media.scrub(offset, count), where);
                        Arrays.fill(model, offset, offset + count, (byte) 0);
                    }
                    case 3 -> {
                        media.giveBack(offset, count);
                        Arrays.fill(model, offset, offset + count, (byte) 0);
                    }
                    case 4 -> {
                        Media reader = random.nextBoolean() ? media : witness;
                        int to = random.nextInt(length - count + 1);
                        random.nextBytes(buffer);
                        byte[] expected = buffer.clone();
                        System.arraycopy(model, offset, expected, to, count);
                        reader.read(offset, buffer, to, count);
                        assertArrayEquals(expected, buffer, where);
                    }
                    default -> {
                        CRC32C crc = new CRC32C();
                        crc.update(model, offset, count);
                        assertEquals((int) crc.getValue(), media.crc32c(offset, count), where);
                    }
                }
            }
            assertArrayEquals(model, read(media, 0, length), "-Dmhsld.seed=" + seed);
            assertArrayEquals(model, Files.readAllBytes(file), "-Dmhsld.seed=" + seed);
        }
    }

    // ---- space

    @ParameterizedTest
    @EnumSource
    void shouldReserveOnScrubAndGiveBack(Place place) throws Exception {
        Path file = create(place, 64 * MIB);
        try (Media media = Media.open(file, 64 * MIB, Space.RESERVED)) {
            assertTrue(media.scrub(8 * MIB, 32 * MIB));
            assertAllocated(32 * MIB, file);
            assertTrue(media.fill(8 * MIB, 32 * MIB, (byte) 7));

            media.giveBack(8 * MIB, 16 * MIB);
            assertAllocated(16 * MIB, file);
            assertArrayEquals(new byte[4096], read(media, 24 * MIB - 4096, 4096));
            assertArrayEquals(filled(4096, 7), read(media, 24 * MIB, 4096));

            assertTrue(media.scrub(0, 64 * MIB));
            assertAllocated(64 * MIB, file);
            assertEquals(media.crc32c(0, 32 * MIB), media.crc32c(32 * MIB, 32 * MIB));
        }
    }

    /** A scrub that finds a hole does nothing; whatever another process has stored, through whatever way, is no hole. */
    @ParameterizedTest
    @EnumSource
    void shouldScrubWhatOthersHaveStoredInSparseMedia(Place place) throws Exception {
        Path file = create(place, 8 * MIB);
        long start = 2 * MIB;
        long end = 4 * MIB;
        try (Media media = Media.open(file, 8 * MIB, Space.SPARSE);
                Media mapped = Media.open(file, 8 * MIB, Space.RESERVED);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long at : new long[] {start, start + MIB + 5, end - 1}) {
                for (boolean through : new boolean[] {true, false}) {
                    byte[] stored = {9};
                    if (through) {
                        assertTrue(mapped.write(at, stored, 0, 1));
                    } else {
                        channel.write(ByteBuffer.wrap(stored), at);
                    }
                    channel.write(ByteBuffer.wrap(stored), start - 1);
                    channel.write(ByteBuffer.wrap(stored), end);
                    assertTrue(media.scrub(start, end - start));
                    assertEquals(0, read(mapped, at, 1)[0], "at=" + at + " through=" + through);
                    assertEquals(9, read(mapped, start - 1, 1)[0]);
                    assertEquals(9, read(mapped, end, 1)[0]);
                    channel.write(ByteBuffer.wrap(stored), at);
                    media.giveBack(start, end - start);
                    assertEquals(0, read(mapped, at, 1)[0], "at=" + at + " through=" + through);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeNoSpaceOnSparseScrub(Place place) throws Exception {
        Path file = create(place, 64 * MIB);
        try (Media media = Media.open(file, 64 * MIB, Space.SPARSE)) {
            assertTrue(media.fill(0, MIB, (byte) 7));
            assertTrue(media.scrub(0, 64 * MIB));
            assertAllocated(0, file);
            assertArrayEquals(new byte[(int) MIB], read(media, 0, (int) MIB));
            assertAllocated(0, file); // reading takes no space either
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseAtOnceWhatCannotFit(Place place) throws Exception {
        Path file = create(place, 1024 * GIB);
        assumeTrue(file.toFile().getUsableSpace() < 1000 * GIB, "a large machine");
        try (Media media = Media.open(file, 1024 * GIB, Space.RESERVED)) {
            assertTrue(media.fill(0, 0, (byte) 0));
            assertFalse(media.scrub(0, 1024 * GIB));
            assertAllocated(0, file);
            assertTrue(media.scrub(0, 2 * MIB));
        }
    }

    @Test
    void shouldRefuseWhatFitsTheFileSystemButNotTheMachine() throws Exception {
        Path file = mountTmpfs("1t").resolve("dev.media");
        long length = (SystemMemory.availableBytes() & -MIB) + 16 * GIB;
        Media.create(file, length, OWNER, false);
        try (Media media = Media.open(file, length, Space.RESERVED)) {
            assertFalse(media.scrub(0, length));
            assertAllocated(0, file);
        }
    }

    @Test
    void shouldRefuseScrubOnFullFileSystemAndGiveBackWhatItTook() throws Exception {
        Path file = mountTmpfs("8m").resolve("dev.media");
        Media.create(file, 64 * MIB, OWNER, false);
        try (Media media = Media.open(file, 64 * MIB, Space.RESERVED)) {
            assertTrue(media.scrub(0, 4 * MIB));
            assertTrue(media.fill(0, 4 * MIB, (byte) 1));

            assertFalse(media.scrub(8 * MIB, 5 * MIB));
            assertAllocated(4 * MIB, file);
            assertTrue(media.scrub(8 * MIB, 4 * MIB), "what the refused one had taken is free again");

            assertFalse(media.scrub(32 * MIB, 4 * KIB));
            assertTrue(media.fill(8 * MIB, 4 * MIB, (byte) 2), "reserved pages can be stored to on a full file system");
            assertArrayEquals(filled(4 * MIB, 2), read(media, 8 * MIB, (int) (4 * MIB)));
            assertArrayEquals(filled(4 * MIB, 1), read(media, 0, (int) (4 * MIB)));

            media.giveBack(0, 2 * MIB);
            assertTrue(media.scrub(32 * MIB, 2 * MIB));
        }
    }

    @Test
    void shouldGiveBackWhenSpaceRunsOutHalfway() throws Exception {
        Path file = mountTmpfs("64m").resolve("dev.media");
        Media.create(file, 4 * GIB, OWNER, false);
        try (Media media = Media.open(file, 4 * GIB, Space.RESERVED);
                Media other = Media.open(file, 4 * GIB, Space.RESERVED)) {
            // Either fits when it looks, both together do not.
            CyclicBarrier start = new CyclicBarrier(2);
            List<Boolean> answers = new ArrayList<>();
            Thread rival = new Thread(() -> contend(other, 0, start, answers));
            rival.start();
            List<Boolean> ownAnswers = new ArrayList<>();
            contend(media, 2 * GIB, start, ownAnswers);
            rival.join();

            assertEquals(30, answers.size());
            assertTrue(answers.contains(false) || ownAnswers.contains(false), "they met");
            assertAllocated(0, file);
            assertTrue(media.scrub(0, 64 * MIB));
        }
    }

    private static void contend(Media media, long offset, CyclicBarrier start, List<Boolean> answers) {
        try {
            for (int i = 0; i < 30; i++) {
                start.await();
                long place = offset + i * (48 * MIB); // each its own, so that nothing left behind is cleared by chance
                boolean granted = media.scrub(place, 48 * MIB);
                start.await();
                if (granted) {
                    media.giveBack(place, 48 * MIB);
                }
                answers.add(granted);
            }
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldRefuseSparseStoreOnFullFileSystem() throws Exception {
        Path file = mountTmpfs("8m").resolve("dev.media");
        Media.create(file, 64 * MIB, OWNER, false);
        try (Media media = Media.open(file, 64 * MIB, Space.SPARSE)) {
            assertTrue(media.scrub(0, 64 * MIB));
            assertTrue(media.fill(0, 8 * MIB, (byte) 1));
            assertFalse(media.fill(16 * MIB, MIB, (byte) 1));
            assertFalse(media.write(32 * MIB, new byte[10], 0, 10));
            assertArrayEquals(new byte[10], read(media, 32 * MIB, 10), "a hole can be read on a full file system");
            assertTrue(media.write(0, new byte[] {9}, 0, 1), "what has its page can be stored to");

            media.giveBack(0, MIB);
            assertTrue(media.write(32 * MIB, new byte[10], 0, 10));
        }
    }

    /** A file in memory may be allowed more than the machine has: then somebody would be killed for a store. */
    @Test
    void shouldRefuseSparseStoreThatTheMachineHasNoMemoryFor() throws Exception {
        Path file = mountTmpfs("1t").resolve("dev.media");
        Media.create(file, 64 * MIB, OWNER, false);
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            boolean[] isOut = {false};
            FileSpace space = new FileSpace(file, open, () -> isOut[0] ? MIB : 1024 * GIB);
            byte[] bytes = new byte[100];
            assertTrue(space.store(0, bytes, 0, 100));
            isOut[0] = true;
            DeviceFixture.pause(150); // what was asked before holds for a while
            assertFalse(space.store(8 * MIB, bytes, 0, 100));
            assertTrue(space.store(50, bytes, 0, 50), "what has its page can be stored to");
            assertFalse(space.store(4000, bytes, 0, 100), "half of it has");
            assertAllocated(4 * KIB, file);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeNoSpaceForZerosWhereNothingIs(Place place) throws Exception {
        Path file = create(place, 64 * MIB);
        try (Media media = Media.open(file, 64 * MIB, Space.SPARSE)) {
            assertTrue(media.fill(0, 64 * MIB, (byte) 0));
            assertAllocated(0, file);
            assertTrue(media.write(5, new byte[] {9}, 0, 1));
            assertTrue(media.fill(0, 2 * MIB, (byte) 0));
            assertEquals(0, read(media, 5, 1)[0]);
        }
    }

    @Test
    void shouldTellFaultOfUnreservedPageOnFullFileSystem() throws Exception {
        Path file = mountTmpfs("8m").resolve("dev.media");
        Media.create(file, 64 * MIB, OWNER, false);
        try (Media media = Media.open(file, 64 * MIB, Space.RESERVED)) {
            assertTrue(media.scrub(0, 8 * MIB));
            assertDamage(
                    "media file truncated or file system full: offset=16777216 length=10 file=" + file,
                    () -> media.write(16 * MIB, new byte[10], 0, 10));
            assertTrue(media.fill(0, 8 * MIB, (byte) 1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellTruncatedFile(Place place) throws Exception {
        Path file = create(place, 16 * MIB);
        try (Media media = Media.open(file, 16 * MIB, Space.RESERVED);
                Media sparse = Media.open(file, 16 * MIB, Space.SPARSE)) {
            assertTrue(media.scrub(0, 16 * MIB));
            byte[] bytes = new byte[200_000];
            for (int i = 0; i < 20_000; i++) { // until compiled: faults are told differently then
                int length = i % 100 == 0 ? bytes.length : i % 300;
                assertTrue(media.write(i, bytes, 0, length));
                media.read(i, bytes, 0, length);
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(MIB);
            }
            for (int i = 0; i < 400; i++) {
                int length = i % 100 == 0 ? bytes.length : 1 + i % 300;
                long offset = 8 * MIB + i;
                String range = " offset=" + offset + " length=" + length + " file=" + file;
                assertDamage(
                        "media file truncated or file system full:" + range,
                        () -> media.read(offset, bytes, 0, length));
                assertDamage(
                        "media file truncated or file system full:" + range,
                        () -> media.write(offset, bytes, 0, length));
            }
            assertDamage(
                    "media file truncated or file system full: offset=8388608 length=65536 file=" + file,
                    () -> media.crc32c(8 * MIB, 5 * MIB));
            assertDamage(
                    "media file truncated: length=1048576 expected=16777216 file=" + file,
                    () -> media.scrub(8 * MIB, MIB));
            assertDamage("media file truncated: length=1048576 file=" + file, () -> read(sparse, 8 * MIB, 10));
            assertEquals(MIB, Files.size(file));
            assertTrue(media.fill(0, MIB, (byte) 1), "what is left can be used");
        }
    }

    // ---- the JVM around it

    @Test
    void shouldIgnorePropertiesFileInWorkingDirectoryAndBeSilent() throws Exception {
        Path file = create(Place.DISK, MIB);
        Path below = Files.createDirectory(disk.resolve("below"));
        Files.writeString(disk.resolve("system.properties"), "mhsld.hostile=yes\n");

        assertEquals("hostile=yes", child(disk, "chronicle", file, MIB), "the library alone would have read it");
        for (Path directory : List.of(disk, below)) {
            assertEquals("hostile=null", child(directory, "store", file, MIB));
        }
    }

    @Test
    void shouldOutliveInterruptedThread() throws Exception {
        assertEquals("8 9 true\nhostile=null", child(disk, "interrupted", create(Place.DISK, MIB), MIB));
    }

    @Test
    void shouldScrubWithoutNativeCalls() throws Exception {
        Path file = create(Place.SHARED_MEMORY, MIB);
        Files.write(file, filled(MIB, 5));
        String output = MediaChild.run(disk, jar -> !jar.contains("jffi"), "scrub", file.toString(), "" + MIB);
        assertEquals("all=true half=true zero=true\nhostile=null\n", output);
        assertArrayEquals(new byte[(int) MIB], Files.readAllBytes(file));
        assertAllocated(MIB, file);
    }

    @Test
    void shouldRefuseWithoutNativeCallsOnFullFileSystem() throws Exception {
        Path file = mountTmpfs("8m").resolve("dev.media");
        Media.create(file, 16 * MIB, OWNER, false);
        String output = MediaChild.run(disk, jar -> !jar.contains("jffi"), "scrub", file.toString(), "" + 16 * MIB);
        assertEquals("all=false half=true zero=true\nhostile=null\n", output);
    }

    @Test
    void shouldWarmUpAgainAndAgain() {
        Media.warmUp();
        Media.warmUp();
        assertEquals(Fallocate.EBADF, Fallocate.call(-1, Fallocate.RESERVE, 0, 1), "the native call is there");
    }

    // ---- means

    private Path create(Place place, long lengthBytes) throws IOException {
        Path file = directory(place).resolve("dev.media");
        Media.create(file, lengthBytes, OWNER, false);
        return file;
    }

    private Path directory(Place place) throws IOException {
        if (place == Place.DISK) {
            return disk;
        }
        assumeTrue(Files.isWritable(SHM), "no /dev/shm");
        assumeTrue(SHM.toFile().getUsableSpace() >= GIB, "no room in /dev/shm");
        Path directory = Files.createTempDirectory(SHM, "mhsld-test-");
        cleanUps.add(() -> {
            for (Path file : list(directory)) {
                Files.delete(file);
            }
            Files.delete(directory);
        });
        return directory;
    }

    /** A file system of its own; needs the rights to mount. */
    private Path mountTmpfs(String size) throws Exception {
        Path mount = Files.createTempDirectory(disk, "mount-");
        Process process = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", mount.toString())
                .redirectErrorStream(true)
                .start();
        process.getInputStream().readAllBytes();
        assumeTrue(process.waitFor() == 0, "may not mount");
        cleanUps.add(() -> execute("umount", mount.toString()));
        return mount;
    }

    private static String child(Path directory, String act, Path file, long lengthBytes) throws Exception {
        return MediaChild.run(directory, jar -> true, act, file.toString(), "" + lengthBytes)
                .strip();
    }

    private static String execute(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), US_ASCII).strip();
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    private static long allocatedBytes(Path file) throws Exception {
        return 512 * Long.parseLong(execute("stat", "-c", "%b", file.toString()));
    }

    private static void assertAllocated(long expectedBytes, Path file) throws Exception {
        long actualBytes = allocatedBytes(file);
        long slackBytes = 128 << 10; // a file system's own blocks count too
        assertTrue(
                actualBytes >= expectedBytes && actualBytes <= expectedBytes + slackBytes,
                "allocated " + actualBytes + " expected " + expectedBytes);
    }

    private static long mappings(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(file.toString())).count();
        }
    }

    private static long openDescriptors(Path file) throws IOException {
        long count = 0;
        for (Path descriptor : list(Path.of("/proc/self/fd"))) {
            if (Files.isSymbolicLink(descriptor)
                    && Files.readSymbolicLink(descriptor).equals(file)) {
                count++;
            }
        }
        return count;
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private static Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }

    private static byte[] filled(long length, int value) {
        byte[] bytes = new byte[(int) length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static byte[] read(Media media, long offset, int length) {
        byte[] bytes = new byte[length];
        media.read(offset, bytes, 0, length);
        return bytes;
    }

    private static void assertDamage(String message, Executable call) {
        assertEquals(message, assertThrows(MediaException.class, call).getMessage());
    }
}

package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.LabelStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LabelFileTest {
    private static final long SEED = Long.getLong("mhsld.seed", 4_103L);
    private static final UUID DEVICE = new UUID(0x0011223344556677L, 0x8899AABBCCDDEEFFL);
    private static final Set<PosixFilePermission> PERMISSIONS = PosixFilePermissions.fromString("rw-rw----");
    private static final int LENGTH = LabelStorage.LENGTH_BYTES;

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("dev.head0.lsa");
    }

    private LabelFile open(UUID device) {
        return new LabelFile(file, device, PERMISSIONS, () -> true);
    }

    private byte[] all() {
        return open(DEVICE).read(0, LENGTH);
    }

    @Test
    void shouldBeZerosAndNoFileUntilSomethingIsWritten() {
        assertArrayEquals(new byte[LENGTH], all());
        assertTrue(Files.notExists(file));
    }

    @Test
    void shouldKeepEveryWrite() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] model = new byte[LENGTH];
        LabelFile labels = open(DEVICE);
        for (int step = 0; step < 50; step++) {
            byte[] data = new byte[random.nextInt(2041)];
            random.nextBytes(data);
            int offset = random.nextInt(LENGTH - data.length + 1);
            labels.write(offset, data);
            System.arraycopy(data, 0, model, offset, data.length);
            assertArrayEquals(model, labels.read(0, LENGTH), "seed=" + SEED + " step=" + step);
            assertArrayEquals(model, all(), "seed=" + SEED + " step=" + step);
            if (random.nextInt(5) == 0) {
                labels = open(DEVICE);
            }
        }
        assertEquals(PERMISSIONS, Files.getPosixFilePermissions(file));
        assertEquals(2L * LabelFile.SLOT_BYTES, Files.size(file));
    }

    /** The file as a death leaves it after so many bytes of the three pieces of a write: empty head, labels, head. */
    private static byte[] torn(byte[] before, byte[] after, int slot, long written) {
        byte[] torn = Arrays.copyOf(before, after.length);
        int start = slot * LabelFile.SLOT_BYTES;
        int data = start + LabelFile.HEAD_BYTES;
        Arrays.fill(torn, start, data, (byte) 0);
        System.arraycopy(after, data, torn, data, (int) Math.min(written, LENGTH));
        if (written > LENGTH) {
            System.arraycopy(after, start, torn, start, LabelFile.HEAD_BYTES);
        }
        return torn;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4096, 70_000, LENGTH - 1, LENGTH, LENGTH + 1})
    void shouldBeWholeAfterADeathInTheMiddleOfAWrite(long written) throws IOException {
        LabelFile labels = open(DEVICE);
        byte[] one = new byte[2040];
        Arrays.fill(one, (byte) 1);
        byte[] two = new byte[2040];
        Arrays.fill(two, (byte) 2);
        labels.write(0, one);
        labels.write(LENGTH - 2040, one);
        for (int slot = 1; slot >= 0; slot--) {
            byte[] before = Files.readAllBytes(file);
            byte[] old = all();
            open(DEVICE).write(1000, two);
            byte[] after = Files.readAllBytes(file);
            byte[] expected = written > LENGTH ? all() : old;
            Files.write(file, torn(before, after, slot, written));
            assertArrayEquals(expected, all());
            // And it goes on from there.
            open(DEVICE).write(5, new byte[] {7});
            expected[5] = 7;
            assertArrayEquals(expected, all());
            Files.write(file, after);
        }
    }

    @Test
    void shouldBeZerosAfterADeathInTheMiddleOfTheFirstWrite() throws IOException {
        open(DEVICE).write(0, new byte[] {1});
        byte[] after = Files.readAllBytes(file);
        for (int length : new int[] {0, 100, LabelFile.SLOT_BYTES, LabelFile.SLOT_BYTES + 100}) {
            Files.write(file, Arrays.copyOf(torn(new byte[0], after, 1, 0), length));
            assertArrayEquals(new byte[LENGTH], all());
        }
    }

    @Test
    void shouldNotKnowLabelsOfAnEarlierDevice() {
        open(new UUID(1, 2)).write(0, new byte[] {1});
        assertArrayEquals(new byte[LENGTH], all());
        open(DEVICE).write(1, new byte[] {2});
        assertArrayEquals(new byte[] {0, 2}, open(DEVICE).read(0, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 15, 32, 40, 4095, 4096, 100_000})
    void shouldSayThatItIsDamaged(int position) throws IOException {
        open(DEVICE).write(0, new byte[] {1});
        byte[] bytes = Files.readAllBytes(file);
        bytes[LabelFile.SLOT_BYTES + position] ^= (byte) 0x80;
        Files.write(file, bytes);
        StateFileException problem = assertThrows(StateFileException.class, this::all);
        assertEquals(position == 0 ? Problem.FOREIGN : Problem.DAMAGED, problem.problem());
        assertTrue(problem.getMessage().contains("slot=1"), problem.getMessage());
        assertThrows(StateFileException.class, () -> open(DEVICE).write(0, new byte[1]));
        assertArrayEquals(bytes, Files.readAllBytes(file));
    }

    @Test
    void shouldNotWriteThroughALink() throws IOException {
        Path other = folder.resolve("other");
        Files.write(other, new byte[] {1, 2, 3});
        Files.createSymbolicLink(file, other);
        assertEquals(
                Problem.FOREIGN,
                assertThrows(StateFileException.class, this::all).problem());
        assertThrows(StateFileException.class, () -> open(DEVICE).write(0, new byte[1]));
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(other));
    }

    @Test
    void shouldWriteNothingOnceTheHeadHasEnded() {
        LabelFile ended = new LabelFile(file, DEVICE, PERMISSIONS, () -> false);
        assertThrows(IllegalStateException.class, () -> ended.write(0, new byte[1]));
        assertFalse(Files.exists(file));
    }

    @Test
    @Timeout(120)
    void shouldBeWholeWhenItsWriterIsKilled() throws Exception {
        byte last = 0;
        for (int life = 0; life < 8; life++) {
            Process writer = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElseThrow(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            LabelWriter.class.getName(),
                            file.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try {
                assertEquals('r', writer.getInputStream().read());
                TimeUnit.MILLISECONDS.sleep(20 + 13 * life);
                assertTrue(writer.isAlive());
            } finally {
                writer.destroyForcibly().waitFor();
            }
            LabelFile labels = open(LabelWriter.DEVICE);
            byte[] first = labels.read(0, LabelWriter.LENGTH);
            byte[] second = labels.read(LENGTH - LabelWriter.LENGTH, LabelWriter.LENGTH);
            byte[] expected = new byte[LabelWriter.LENGTH];
            Arrays.fill(expected, first[0]);
            assertArrayEquals(expected, first, "life=" + life);
            Arrays.fill(expected, second[0]);
            assertArrayEquals(expected, second, "life=" + life);
            assertTrue(first[0] == second[0] || first[0] == (byte) (second[0] + 1), first[0] + " " + second[0]);
            assertNotEquals(last, first[0], "nothing was written");
            last = first[0];
        }
    }
}

package io.mhsld.register;

import static io.mhsld.register.Access.u32;
import static io.mhsld.register.Access.write16;
import static io.mhsld.register.Access.write32;
import static io.mhsld.register.Access.write8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataObjectExchangeTest {
    private static final int CONTROL = 0x08;
    private static final int STATUS = 0x0C;
    private static final int WRITE = 0x10;
    private static final int READ = 0x14;

    private static final long ABORT = 1;
    private static final long INTERRUPT_ENABLE = 2;
    private static final long GO = 1L << 31;

    private static final long INTERRUPT = 2;
    private static final long ERROR = 4;
    private static final long READY = 1L << 31;

    private static final int DISCOVERY = 0x0000_0001;
    private static final int TABLE_ACCESS = 0x0002_1E98;

    private final Cdat cdat = new Cdat(TestDevice.regions(3));
    private final DataObjectExchange mailbox = new DataObjectExchange(cdat);
    private int interrupts;

    private void send(int... words) {
        for (int word : words) {
            write32(mailbox, WRITE, word);
        }
        write32(mailbox, CONTROL, GO);
    }

    /** Reads while something is ready. */
    private int[] receive() {
        int[] words = new int[64];
        int count = 0;
        while ((u32(mailbox, STATUS) & READY) != 0) {
            words[count++] = (int) u32(mailbox, READ);
            write32(mailbox, READ, 0);
        }
        return Arrays.copyOf(words, count);
    }

    private void assertAlive() {
        send(DISCOVERY, 3, 0);
        assertArrayEquals(new int[] {DISCOVERY, 3, 0x0100_0001}, receive());
    }

    @Test
    void shouldListItsKindsOfObjects() {
        assertAlive();
        send(DISCOVERY, 3, 1);
        assertArrayEquals(new int[] {DISCOVERY, 3, 0x0002_1E98}, receive());
        send(DISCOVERY, 3, 2);
        assertArrayEquals(new int[] {DISCOVERY, 3, 0xFFFF}, receive());
        assertEquals(0, u32(mailbox, STATUS));
    }

    @Test
    void shouldGiveTheTableEntryByEntry() {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        int handle = 0;
        int count = 0;
        while (handle != 0xFFFF) {
            send(TABLE_ACCESS, 3, handle << 16);
            int[] words = receive();
            assertEquals(TABLE_ACCESS, words[0]);
            assertEquals(words.length, words[1]);
            assertEquals(0, words[2] & 0xFFFF);
            handle = words[2] >>> 16;
            ByteBuffer entry = ByteBuffer.allocate(4 * (words.length - 3)).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 3; i < words.length; i++) {
                entry.putInt(words[i]);
            }
            read.write(entry.array(), 0, entry.capacity());
            count++;
        }
        assertEquals(1 + 3 * 6, count);
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        cdat.entries().forEach(entry -> whole.write(entry, 0, entry.length));
        assertArrayEquals(whole.toByteArray(), read.toByteArray());
    }

    @Test
    void shouldDropWhatIsNotAsLongAsItSays() {
        mailbox.onInterrupt(() -> interrupts++);
        write32(mailbox, CONTROL, INTERRUPT_ENABLE);
        int[][] wrong = {
            {},
            {DISCOVERY},
            {DISCOVERY, 3},
            {DISCOVERY, 4, 0},
            {DISCOVERY, 2, 0},
            {DISCOVERY, 0, 0},
            {DISCOVERY, 3, 0, 0},
        };
        for (int[] words : wrong) {
            for (int word : words) {
                write32(mailbox, WRITE, word);
            }
            write32(mailbox, CONTROL, GO | INTERRUPT_ENABLE);
            assertEquals(0, u32(mailbox, STATUS));
        }
        assertEquals(0, interrupts);
        assertAlive();
    }

    @Test
    void shouldSetTheErrorBitWhenItHasNoAnswer() {
        int[][] wrong = {
            {DISCOVERY, 2},
            {DISCOVERY, 4, 0, 0},
            {0x0003_1E98, 3, 0},
            {0x0002_8086, 3, 0},
            {TABLE_ACCESS, 2},
            {TABLE_ACCESS, 3, 1},
            {TABLE_ACCESS, 3, 0x100},
            {TABLE_ACCESS, 3, 19 << 16},
            {TABLE_ACCESS, 3, 0xFFFF_0000},
        };
        for (int[] words : wrong) {
            send(words);
            assertEquals(ERROR, u32(mailbox, STATUS));
            send(DISCOVERY, 3, 0);
            assertEquals(ERROR, u32(mailbox, STATUS), "until an abort");
            write32(mailbox, CONTROL, ABORT);
            assertEquals(0, u32(mailbox, STATUS));
            assertAlive();
        }
    }

    @Test
    void shouldNotMixAnswers() {
        send(DISCOVERY, 3, 0);
        write32(mailbox, READ, 0);
        send(DISCOVERY, 3, 1);
        assertEquals(READY | ERROR, u32(mailbox, STATUS));
        write32(mailbox, CONTROL, ABORT);
        assertEquals(0, u32(mailbox, READ));
        assertAlive();
    }

    @Test
    void shouldAbortWhateverIsUnderWay() {
        write32(mailbox, WRITE, DISCOVERY);
        write32(mailbox, CONTROL, ABORT);
        assertAlive();
        send(DISCOVERY, 3, 0);
        write32(mailbox, READ, 0);
        write32(mailbox, CONTROL, ABORT | GO);
        assertEquals(0, u32(mailbox, STATUS));
        assertEquals(0, u32(mailbox, CONTROL));
        assertAlive();
    }

    @Test
    void shouldInterruptWhenThereIsSomethingToSee() {
        mailbox.onInterrupt(() -> interrupts++);
        send(DISCOVERY, 3, 0);
        assertEquals(0, interrupts, "not enabled");
        receive();
        write32(mailbox, CONTROL, INTERRUPT_ENABLE);
        assertEquals(0, interrupts);
        for (int word : new int[] {DISCOVERY, 3, 0}) {
            write32(mailbox, WRITE, word);
        }
        write32(mailbox, CONTROL, GO | INTERRUPT_ENABLE);
        assertEquals(1, interrupts);
        assertEquals(READY | INTERRUPT, u32(mailbox, STATUS));
        write32(mailbox, STATUS, INTERRUPT);
        assertEquals(READY, u32(mailbox, STATUS));
        receive();
        write32(mailbox, WRITE, TABLE_ACCESS);
        write32(mailbox, WRITE, 2);
        write32(mailbox, CONTROL, GO | INTERRUPT_ENABLE);
        assertEquals(2, interrupts);
        assertEquals(ERROR | INTERRUPT, u32(mailbox, STATUS));
    }

    @Test
    void shouldTransferOnlyWholeWords() {
        write16(mailbox, WRITE, 1);
        write8(mailbox, WRITE + 3, 1);
        assertAlive();
        send(DISCOVERY, 3, 0);
        write16(mailbox, READ, 0);
        write8(mailbox, READ + 1, 0);
        assertArrayEquals(new int[] {DISCOVERY, 3, 0x0100_0001}, receive());
        write16(mailbox, CONTROL + 2, 0x8000);
        assertEquals(0, u32(mailbox, STATUS));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 1000, (1 << 18) + 1})
    void shouldCountObjectsLongerThanAnyButNotKeepThem(int words) {
        write32(mailbox, WRITE, DISCOVERY);
        write32(mailbox, WRITE, words & 0x3FFFF);
        for (int i = 2; i < words; i++) {
            write32(mailbox, WRITE, 0);
        }
        write32(mailbox, CONTROL, GO);
        assertEquals(words <= 1 << 18 ? ERROR : 0, u32(mailbox, STATUS));
        write32(mailbox, CONTROL, ABORT);
        assertAlive();
    }

    @Test
    void shouldForgetAllByAFunctionLevelReset() {
        send(DISCOVERY, 3, 0);
        write32(mailbox, WRITE, DISCOVERY);
        mailbox.reset(ResetKind.FLR);
        assertEquals(0, u32(mailbox, STATUS));
        assertEquals(0, u32(mailbox, READ));
        assertAlive();
    }

    private static LongStream seeds() {
        return Seeds.of(50);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldAnswerAgainAfterAnythingAndAnAbort(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] likely = {DISCOVERY, TABLE_ACCESS, 0, 1, 2, 3, 4, -1, 1 << 16, 7 << 16};
        byte[] data = new byte[24];
        for (int i = 0; i < 5_000; i++) {
            switch (random.nextInt(6)) {
                case 0 -> {
                    random.nextBytes(data);
                    int length = random.nextInt(data.length + 1);
                    mailbox.write(random.nextInt(data.length - length + 1), data, 0, length);
                }
                case 1 -> write32(mailbox, CONTROL, random.nextInt());
                case 2 -> write32(mailbox, READ, random.nextInt());
                case 3 -> mailbox.read(0, data, 0, data.length);
                default -> write32(mailbox, WRITE, likely[random.nextInt(likely.length)]);
            }
            long status = u32(mailbox, STATUS);
            assertTrue((status & ~(READY | ERROR | INTERRUPT)) == 0, () -> "seed=" + seed + " status=" + status);
        }
        write32(mailbox, CONTROL, ABORT);
        assertAlive();
    }
}

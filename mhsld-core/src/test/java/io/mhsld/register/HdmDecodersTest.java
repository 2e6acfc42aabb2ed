package io.mhsld.register;

import static io.mhsld.register.Access.u32;
import static io.mhsld.register.Access.write32;
import static io.mhsld.register.Access.write8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Seeds;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Decoders of a device with memory up to DPA 16 GiB, that is 64 granules. Bases, sizes and skips here are in granules. */
class HdmDecodersTest {
    private static final long GRANULE = 256L << 20;
    private static final int DPA_GRANULES = 64;

    private static final int LOCK = 1 << 8;
    private static final int COMMIT = 1 << 9;
    private static final int COMMITTED = 1 << 10;
    private static final int NOT_COMMITTED = 1 << 11;
    private static final int STATE = COMMIT | COMMITTED | NOT_COMMITTED;

    private static final int REFUSED = COMMIT | NOT_COMMITTED;
    private static final int DONE = COMMIT | COMMITTED;

    private final HdmDecoders decoders = new HdmDecoders(List.of(
            new DcRegion(0, GRANULE, 32 * GRANULE, 32 * GRANULE, 2 << 20),
            new DcRegion(1, 34 * GRANULE, 30 * GRANULE, 29 * GRANULE, 2 << 20)));
    private final RegisterPart registers = decoders.registers();

    private static int at(int decoder) {
        return 0x10 + 0x20 * decoder;
    }

    private void program(int decoder, long base, long size, long skip) {
        write32(registers, at(decoder), base * GRANULE);
        write32(registers, at(decoder) + 0x04, (base * GRANULE) >>> 32);
        write32(registers, at(decoder) + 0x08, size * GRANULE);
        write32(registers, at(decoder) + 0x0C, (size * GRANULE) >>> 32);
        write32(registers, at(decoder) + 0x14, skip * GRANULE);
        write32(registers, at(decoder) + 0x18, (skip * GRANULE) >>> 32);
    }

    private void control(int decoder, int value) {
        write32(registers, at(decoder) + 0x10, value);
    }

    private int state(int decoder) {
        return (int) u32(registers, at(decoder) + 0x10) & STATE;
    }

    private int commit(int decoder, long base, long size, long skip, int control) {
        program(decoder, base, size, skip);
        control(decoder, control | COMMIT);
        return state(decoder);
    }

    private int commit(int decoder, long base, long size, long skip) {
        return commit(decoder, base, size, skip, 0);
    }

    private void enable() {
        write32(registers, 0x04, 2);
    }

    private static int interleave(int waysCode, int granularityCode) {
        return waysCode << 4 | granularityCode;
    }

    @Test
    void shouldDecodeWhatIsCommittedAndEnabled() {
        assertEquals(DONE, commit(0, 16, 4, 1));
        assertEquals(Optional.empty(), decoders.dpaOf(16 * GRANULE), "not enabled");
        enable();
        assertEquals(Optional.of(GRANULE), decoders.dpaOf(16 * GRANULE));
        assertEquals(Optional.of(5 * GRANULE - 1), decoders.dpaOf(20 * GRANULE - 1));
        assertEquals(Optional.empty(), decoders.dpaOf(20 * GRANULE));
        assertEquals(Optional.empty(), decoders.dpaOf(16 * GRANULE - 1));
        assertEquals(DONE, commit(1, 30, 2, 3));
        assertEquals(Optional.of(8 * GRANULE + 5), decoders.dpaOf(30 * GRANULE + 5));
    }

    @Test
    void shouldTakeTheWholeDevice() {
        assertEquals(DONE, commit(0, 0, 60, 4));
        control(0, 0);
        assertEquals(DONE, commit(0, 1, 16 * 64, 0, interleave(4, 0)));
        assertEquals(REFUSED, commit(1, 2000, 1, 0), "there is no memory left");
    }

    @ParameterizedTest
    @CsvSource({
        "size 0 but ways reserved, 4, 0, 0, 6, 0",
        "size 0 but skip beyond the device, 4, 0, 65, 0, 0",
        "beyond the device, 4, 65, 0, 0, 0",
        "beyond the device by its skip, 4, 4, 61, 0, 0",
        "skip alone beyond, 4, 4, 65, 0, 0",
        "huge skip, 4, 4, 68719476735, 0, 0",
        "beyond the address space, 68719476735, 2, 0, 0, 0",
        "ways reserved 5, 4, 4, 0, 5, 0",
        "ways reserved 7, 4, 4, 0, 7, 0",
        "ways reserved 11, 4, 4, 0, 11, 0",
        "ways reserved 15, 4, 4, 0, 15, 0",
        "granularity reserved 7, 4, 4, 0, 1, 7",
        "granularity reserved 15, 4, 4, 0, 0, 15",
        "no multiple of 2 ways, 4, 5, 0, 1, 0",
        "no multiple of 3 ways, 4, 4, 0, 8, 0",
        "no multiple of 6 ways, 4, 9, 0, 9, 0",
        "no multiple of 12 ways, 4, 18, 0, 10, 0",
        "beyond the device with 16 ways, 4, 1040, 0, 4, 0",
    })
    void shouldRefuse(String cause, long base, long size, long skip, int waysCode, int granularityCode) {
        enable();
        assertEquals(REFUSED, commit(0, base, size, skip, interleave(waysCode, granularityCode)), cause);
        assertEquals(Optional.empty(), decoders.dpaOf(4 * GRANULE));
        assertEquals(REFUSED, commit(1, 2000, 1, 0), "not behind one that is not committed");
        assertEquals(DONE, commit(0, 4, 12, 0, interleave(10, 6)), "corrected, without clearing the bit first");
        control(0, 0);
        assertEquals(0, state(0));
    }

    @Test
    void shouldRefuseOverlapAndWrongOrder() {
        assertEquals(REFUSED, commit(1, 4, 4, 0));
        assertEquals(DONE, commit(0, 4, 4, 0));
        assertEquals(REFUSED, commit(1, 7, 1, 0), "overlaps");
        assertEquals(REFUSED, commit(1, 4, 4, 0), "the same");
        assertEquals(REFUSED, commit(1, 2, 1, 0), "below");
        assertEquals(REFUSED, commit(2, 8, 1, 0), "leaves one out");
        assertEquals(DONE, commit(1, 8, 1, 0));
        assertEquals(DONE, commit(2, 9, 1, 0));
        control(1, 0);
        assertEquals(REFUSED, commit(1, 8, 1, 0), "one behind it is committed");
        control(2, 0);
        assertEquals(DONE, commit(1, 8, 1, 0));
    }

    @Test
    void shouldCommitASizeOfNothingWhichDecodesNothing() {
        enable();
        assertEquals(DONE, commit(0, 4, 4, 1));
        assertEquals(DONE, commit(1, 5, 0, 2, LOCK), "inside another one: it is in nobody's way");
        assertEquals(REFUSED, commit(2, 7, 1, 0), "overlaps the first one");
        assertEquals(DONE, commit(2, 8, 1, 0));
        assertEquals(Optional.of(2 * GRANULE), decoders.dpaOf(5 * GRANULE));
        assertEquals(Optional.of(7 * GRANULE), decoders.dpaOf(8 * GRANULE), "its skip counts");
        assertEquals(DONE, commit(3, 0, 0, 0));
        assertEquals(Optional.empty(), decoders.dpaOf(0));
        control(1, 0);
        assertEquals(DONE, state(1), "locked");
    }

    @Test
    void shouldTakeTheLastAddresses() {
        enable();
        long last = -1L >>> 28;
        assertEquals(DONE, commit(0, last, 1, 0));
        assertEquals(Optional.of(GRANULE - 1), decoders.dpaOf(-1));
        assertEquals(REFUSED, commit(1, 0, 1, 0));
    }

    @Test
    void shouldDecodeWhatItWasCommittedWith() {
        enable();
        commit(0, 4, 4, 0);
        program(0, 100, 8, 1);
        control(0, COMMIT | interleave(1, 0));
        assertEquals(DONE, state(0));
        assertEquals(Optional.of(5L), decoders.dpaOf(4 * GRANULE + 5));
        assertEquals((100 * GRANULE) >>> 32, u32(registers, at(0) + 0x04));
        control(0, interleave(1, 0));
        assertEquals(Optional.empty(), decoders.dpaOf(4 * GRANULE + 5));
        control(0, COMMIT | interleave(1, 0));
        assertEquals(Optional.of(GRANULE + 256), decoders.dpaOf(100 * GRANULE + 512));
    }

    @Test
    void shouldLeaveOthersAloneWhenOneIsUncommitted() {
        enable();
        commit(0, 4, 4, 0);
        commit(1, 8, 4, 0);
        control(0, 0);
        assertEquals(0, state(0));
        assertEquals(Optional.empty(), decoders.dpaOf(4 * GRANULE));
        assertEquals(Optional.of(4 * GRANULE), decoders.dpaOf(8 * GRANULE));
    }

    @Test
    void shouldLockOnCommitUntilAReset() {
        enable();
        assertEquals(REFUSED, commit(0, 4, 65, 0, LOCK));
        assertEquals(DONE, commit(0, 4, 4, 0, LOCK), "an error locks nothing");
        program(0, 5, 5, 5);
        control(0, 0);
        assertEquals(DONE, state(0));
        assertEquals(4 * GRANULE, u32(registers, at(0)) | u32(registers, at(0) + 4) << 32);
        assertEquals(4 * GRANULE, u32(registers, at(0) + 8) | u32(registers, at(0) + 12) << 32);
        assertEquals(0, u32(registers, at(0) + 0x14));
        assertEquals(DONE, commit(1, 8, 4, 0), "not the next one");
        control(1, COMMIT | LOCK);
        control(1, 0);
        assertEquals(0, state(1), "a lock set after the commit locks nothing");
        registers.reset(ResetKind.FLR);
        assertEquals(DONE, state(0));
        assertEquals(Optional.of(0L), decoders.dpaOf(4 * GRANULE));
        for (ResetKind kind : new ResetKind[] {ResetKind.CXL, ResetKind.CONVENTIONAL}) {
            registers.reset(kind);
            assertEquals(0, state(0));
            enable();
            assertEquals(Optional.empty(), decoders.dpaOf(4 * GRANULE));
            assertEquals(DONE, commit(0, 4, 4, 0, LOCK));
        }
    }

    @Test
    void shouldCommitByTheByteThatHasTheBit() {
        program(0, 4, 4, 0);
        write8(registers, at(0) + 0x10, interleave(1, 2));
        assertEquals(0, state(0));
        write8(registers, at(0) + 0x11, COMMIT >> 8);
        assertEquals(DONE, state(0));
        write8(registers, at(0) + 0x10, 0);
        assertEquals(DONE, state(0));
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,2", "2,4", "3,8", "4,16", "8,3", "9,6", "10,12"})
    void shouldReachEachChunkOnceWhenInterleaved(int waysCode, int ways) {
        enable();
        for (int granularityCode = 0; granularityCode <= 6; granularityCode++) {
            int chunk = 256 << granularityCode;
            assertEquals(DONE, commit(0, 4, 2L * ways, 1, interleave(waysCode, granularityCode)));
            for (int position = 0; position < ways; position++) {
                Set<Long> reached = new HashSet<>();
                for (int i = 0; i < 50; i++) {
                    long hpa = 4 * GRANULE + ((long) i * ways + position) * chunk;
                    assertEquals(Optional.of(GRANULE + (long) i * chunk + 77), decoders.dpaOf(hpa + 77));
                    reached.add(decoders.dpaOf(hpa).orElseThrow());
                }
                assertEquals(50, reached.size());
            }
            assertEquals(Optional.of(3 * GRANULE - 1), decoders.dpaOf((4 + 2L * ways) * GRANULE - 1));
            control(0, 0);
        }
    }

    /** What the decoders should do, said with numbers that cannot overflow. */
    private static final class Model {
        private record Window(
                BigInteger base, BigInteger end, long dpa, long dpaEnd, int ways, int chunk, boolean isLocked) {}

        private final long[] base = new long[4];
        private final long[] size = new long[4];
        private final long[] skip = new long[4];
        private final int[] control = new int[4];
        private final Window[] windows = new Window[4];

        private void program(int decoder, long newBase, long newSize, long newSkip) {
            if (windows[decoder] == null || !windows[decoder].isLocked) {
                base[decoder] = newBase;
                size[decoder] = newSize;
                skip[decoder] = newSkip;
            }
        }

        private void control(int decoder, int value) {
            if (windows[decoder] != null && windows[decoder].isLocked) {
                return;
            }
            control[decoder] = value;
            if ((value & COMMIT) == 0) {
                windows[decoder] = null;
            } else if (windows[decoder] == null) {
                windows[decoder] = window(decoder);
            }
        }

        private Window window(int decoder) {
            int[] waysOf = {1, 2, 4, 8, 16, 0, 0, 0, 3, 6, 12, 0, 0, 0, 0, 0};
            int ways = waysOf[control[decoder] >> 4 & 0xF];
            int granularity = control[decoder] & 0xF;
            boolean isFirst = decoder == 0;
            for (int i = decoder + 1; i < 4; i++) {
                if (windows[i] != null) {
                    return null;
                }
            }
            if (ways == 0
                    || granularity > 6
                    || size[decoder] % ways != 0
                    || (!isFirst && windows[decoder - 1] == null)) {
                return null;
            }
            BigInteger from = BigInteger.valueOf(base[decoder]);
            BigInteger to = from.add(BigInteger.valueOf(size[decoder]));
            long dpa = (isFirst ? 0 : windows[decoder - 1].dpaEnd) + skip[decoder];
            long dpaEnd = dpa + size[decoder] / ways;
            if (to.compareTo(BigInteger.ONE.shiftLeft(36)) > 0
                    || overlapsOneBefore(decoder, from)
                    || dpaEnd > DPA_GRANULES) {
                return null;
            }
            return new Window(from, to, dpa, dpaEnd, ways, 256 << granularity, (control[decoder] & LOCK) != 0);
        }

        private boolean overlapsOneBefore(int decoder, BigInteger from) {
            for (int i = 0; i < decoder; i++) {
                Window before = windows[i];
                if (size[decoder] > 0
                        && before != null
                        && before.base.compareTo(before.end) < 0
                        && before.end.compareTo(from) > 0) {
                    return true;
                }
            }
            return false;
        }

        private int state(int decoder) {
            int wanted = control[decoder] & COMMIT;
            return wanted | (windows[decoder] != null ? COMMITTED : wanted != 0 ? NOT_COMMITTED : 0);
        }

        private Optional<Long> dpaOf(long granule, long offset) {
            for (Window window : windows) {
                BigInteger at = BigInteger.valueOf(granule);
                if (window != null && window.base.compareTo(at) <= 0 && at.compareTo(window.end) < 0) {
                    long inside = at.subtract(window.base).longValueExact() * GRANULE + offset;
                    long chunk = inside / window.chunk / window.ways;
                    return Optional.of(window.dpa * GRANULE + chunk * window.chunk + inside % window.chunk);
                }
            }
            return Optional.empty();
        }
    }

    private static LongStream seeds() {
        return Seeds.of(100);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldDoWhatTheModelDoes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Model model = new Model();
        int commits = 0;
        enable();
        for (int i = 0; i < 2_000; i++) {
            int decoder = random.nextInt(4);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    boolean isOdd = random.nextInt(20) == 0;
                    long base = isOdd ? random.nextLong(1L << 36) : decoder * 30L + random.nextInt(40);
                    long size = isOdd ? random.nextLong(1L << 36) : random.nextInt(30);
                    long skip = isOdd ? random.nextLong(1L << 36) : random.nextInt(6);
                    program(decoder, base, size, skip);
                    model.program(decoder, base, size, skip);
                }
                case 3, 4, 5, 6 -> {
                    int value = random.nextInt(4) == 0 ? interleave(random.nextInt(16), random.nextInt(16)) : 0;
                    value |= random.nextInt(3) > 0 ? COMMIT : 0;
                    value |= random.nextInt(100) == 0 ? LOCK : 0;
                    control(decoder, value);
                    model.control(decoder, value);
                }
                default -> {
                    if (random.nextInt(30) == 0) {
                        registers.reset(ResetKind.CONVENTIONAL);
                        enable();
                        model = new Model();
                    }
                }
            }
            for (int d = 0; d < 4; d++) {
                int step = i;
                assertEquals(model.state(d), state(d), () -> "seed=" + seed + " step=" + step);
                commits += model.windows[d] != null ? 1 : 0;
            }
            long granule = random.nextInt(150);
            long offset = random.nextLong(GRANULE);
            assertEquals(model.dpaOf(granule, offset), decoders.dpaOf(granule * GRANULE + offset), "seed=" + seed);
        }
        assertTrue(commits > 100, "seed=" + seed + " does hardly commit");
    }
}

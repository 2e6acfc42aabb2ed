package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class OwnerMapTest {
    private static final long SEED = Long.getLong("mhsld.seed", 5_501L);
    private static final long BLOCK = 4096;

    private UnsafeBuffer memory;

    private OwnerMap map(int heads, long blocks) {
        Geometry geometry = Geometry.of(heads, blocks * BLOCK, 1, BLOCK);
        memory = new UnsafeBuffer(BufferUtil.allocateDirectAligned((int) geometry.ownerMapBytes(), 64));
        return new OwnerMap(new SharedMemory("owner map", memory), geometry);
    }

    // ---- against a plain model

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 8, 9, 16, 17, 32, 33, 64})
    void shouldDoWhatPlainModelDoes(int heads) {
        SplittableRandom random = new SplittableRandom(SEED + heads);
        for (int blocks : new int[] {1, 2, 3, 7, 8, 9, 15, 17, 63, 65, 257}) {
            OwnerMap map = map(heads, blocks);
            boolean[][] model = new boolean[heads][blocks];
            for (int step = 0; step < 1_500; step++) {
                int head = random.nextInt(heads);
                int first = random.nextInt(blocks);
                int count = random.nextInt(Math.min(blocks - first, random.nextInt(1, 40)) + 1);
                String which = "seed=" + SEED + " heads=" + heads + " blocks=" + blocks + " step=" + step + " head="
                        + head + " first=" + first + " count=" + count;
                switch (random.nextInt(4)) {
                    case 0, 1 -> assertEquals(claim(model, head, first, count), map.claim(head, first, count), which);
                    case 2 -> assertEquals(clear(model, head, first, count), map.clear(head, first, count), which);
                    default ->
                        assertEquals(
                                ownsAll(model, head, first, count), map.ownsAllVolatile(head, first, count), which);
                }
                assertSame(model, map, head, which);
            }
        }
    }

    private static long claim(boolean[][] model, int head, int first, int count) {
        for (int block = first; block < first + count; block++) {
            for (boolean[] row : model) {
                if (row[block]) {
                    return block;
                }
            }
        }
        for (int block = first; block < first + count; block++) {
            model[head][block] = true;
        }
        return OwnerMap.CLAIMED;
    }

    private static long clear(boolean[][] model, int head, int first, int count) {
        long cleared = 0;
        for (int block = first; block < first + count; block++) {
            cleared += model[head][block] ? 1 : 0;
            model[head][block] = false;
        }
        return cleared;
    }

    private static boolean ownsAll(boolean[][] model, int head, int first, int count) {
        for (int block = first; block < first + count; block++) {
            if (!model[head][block]) {
                return false;
            }
        }
        return true;
    }

    private static void assertSame(boolean[][] model, OwnerMap map, int head, String which) {
        int blocks = model[0].length;
        for (int block = 0; block < blocks; block++) {
            long lane = 0;
            for (int h = 0; h < model.length; h++) {
                lane |= model[h][block] ? 1L << h : 0;
            }
            assertEquals(lane, map.ownersVolatile(block), which + " block=" + block);
        }
        assertEquals(0, map.padding(), which);
        List<String> expected = new ArrayList<>();
        long count = 0;
        for (int block = 0; block < blocks; block++) {
            if (model[head][block]) {
                int end = block;
                while (end < blocks && model[head][end]) {
                    end++;
                }
                expected.add(block + "+" + (end - block));
                count += end - block;
                block = end;
            }
        }
        List<String> runs = new ArrayList<>();
        map.forEachRunVolatile(head, (first, length) -> runs.add(first + "+" + length));
        assertEquals(expected, runs, which);
        assertEquals(count, map.countVolatile(head), which);
    }

    // ---- the layout of a lane

    @ParameterizedTest
    @CsvSource({"8,1", "16,2", "32,4", "64,8"})
    void shouldKeepBlockInItsOwnLittleEndianLane(int heads, int laneBytes) {
        OwnerMap map = map(heads, 21);
        map.claim(heads - 1, 5, 1);
        map.claim(0, 6, 1);
        for (int i = 0; i < memory.capacity(); i++) {
            int expected = i == 5 * laneBytes + laneBytes - 1 ? 0x80 : i == 6 * laneBytes ? 1 : 0;
            assertEquals(expected, memory.getByte(i) & 0xFF, "byte " + i);
        }
    }

    // ---- roll-back

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32, 64})
    void shouldTakeBackExactlyWhatFailedClaimHadSet(int heads) {
        OwnerMap map = map(heads, 100);
        map.claim(1, 0, 10); // neighbours before
        map.claim(2, 3 + 40, 1); // the block that is met
        map.claim(0, 60, 40); // the same head further on
        List<Long> before = lanes(map);

        assertEquals(43, map.claim(0, 10, 90));
        assertEquals(before, lanes(map));
        assertEquals(9, map.claim(0, 9, 50), "met at the very first block");
        assertEquals(before, lanes(map));
    }

    /** The reference cleared its own bit where the claim had failed, and so lost a block that it owned (reference defect e10). */
    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32, 64})
    void shouldNotLoseBlockOfItsOwnWhereClaimFails(int heads) {
        OwnerMap map = map(heads, 40);
        assertEquals(OwnerMap.CLAIMED, map.claim(3, 20, 2));
        for (int first = 0; first <= 20; first++) {
            assertEquals(20, map.claim(3, first, 40 - first));
            assertTrue(map.ownsAllVolatile(3, 20, 2));
            assertEquals(2, map.countVolatile(3));
        }
    }

    @Test
    void shouldClaimAndClearNothingAtAll() {
        OwnerMap map = map(8, 10);
        assertEquals(OwnerMap.CLAIMED, map.claim(1, 0, 10));
        for (long first : new long[] {0, 4, 10}) {
            assertEquals(OwnerMap.CLAIMED, map.claim(0, first, 0));
            assertEquals(0, map.clear(1, first, 0));
            assertTrue(map.ownsAllVolatile(0, first, 0));
        }
        assertEquals(10, map.countVolatile(1));
    }

    @Test
    void shouldRefuseHeadsAndBlocksThatDoNotExist() {
        OwnerMap map = map(5, 100);
        for (int head : new int[] {-1, 5, 8, 64, Integer.MIN_VALUE}) {
            assertRefused("no such head: head=" + head + " heads=5", () -> map.claim(head, 0, 1));
            assertRefused("no such head: head=" + head + " heads=5", () -> map.clear(head, 0, 1));
            assertRefused("no such head: head=" + head + " heads=5", () -> map.ownsAllVolatile(head, 0, 1));
            assertRefused("no such head: head=" + head + " heads=5", () -> map.countVolatile(head));
            assertRefused("no such head: head=" + head + " heads=5", () -> map.forEachRunVolatile(head, (a, b) -> {}));
        }
        long[][] ranges = {
            {-1, 1},
            {0, 101},
            {100, 1},
            {99, 2},
            {0, -1},
            {50, Long.MAX_VALUE},
            {Long.MAX_VALUE, 1},
            {Long.MAX_VALUE, Long.MAX_VALUE},
            {Long.MIN_VALUE, 1},
            {1, Long.MIN_VALUE}
        };
        for (long[] range : ranges) {
            String message = "no such blocks: first=" + range[0] + " count=" + range[1] + " blocks=100";
            assertRefused(message, () -> map.claim(0, range[0], range[1]));
            assertRefused(message, () -> map.clear(0, range[0], range[1]));
            assertRefused(message, () -> map.ownsAllVolatile(0, range[0], range[1]));
        }
        assertRefused("no such blocks: first=100 count=1 blocks=100", () -> map.ownersVolatile(100));
        assertEquals(0, memory.getLong(0));
    }

    private static void assertRefused(String message, Runnable act) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, act::run).getMessage());
    }

    // ---- repair

    @ParameterizedTest
    @ValueSource(ints = {3, 8, 11, 16, 31, 32, 40, 64})
    void shouldTakeAwayBitsOfHeadsThatDoNotExist(int heads) {
        SplittableRandom random = new SplittableRandom(SEED + heads);
        OwnerMap map = map(heads, 37);
        int laneBits = heads <= 8 ? 8 : heads <= 16 ? 16 : heads <= 32 ? 32 : 64;
        for (int word = 0; word < memory.capacity(); word += 8) {
            memory.putLong(word, random.nextLong());
        }
        long existing = heads == 64 ? -1 : (1L << heads) - 1;
        List<Long> expected = new ArrayList<>();
        long foreign = 0;
        for (int lane = 0; lane < memory.capacity() * 8 / laneBits; lane++) {
            long value = laneBits == 64
                    ? memory.getLong(lane * 8)
                    : memory.getLong(lane * laneBits / 64 * 8) >>> (lane * laneBits % 64) & ((1L << laneBits) - 1);
            long sound = lane < 37 ? value & existing : 0;
            foreign += Long.bitCount(value) - Long.bitCount(sound);
            if (lane < 37) {
                expected.add(sound);
            }
        }
        assertEquals(foreign, map.clearForeignBits(), "seed=" + SEED);
        assertEquals(expected, lanes(map), "seed=" + SEED);
        assertEquals(0, map.padding());
        assertEquals(0, map.clearForeignBits());
    }

    // ---- several threads

    @ParameterizedTest
    @ValueSource(ints = {4, 12, 20, 40})
    void shouldGiveEachBlockToOneWinnerAtATime(int heads) throws Exception {
        int blocks = 203;
        OwnerMap map = map(heads, blocks);
        AtomicIntegerArray holders = new AtomicIntegerArray(blocks);
        CyclicBarrier start = new CyclicBarrier(4);
        List<Callable<Long>> workers = new ArrayList<>();
        for (int worker = 0; worker < 4; worker++) {
            int head = worker * (heads / 4);
            workers.add(() -> {
                SplittableRandom random = new SplittableRandom(SEED + head);
                List<int[]> held = new ArrayList<>();
                long wins = 0;
                start.await();
                for (int step = 0; step < 60_000; step++) {
                    if (held.size() > 3 || (!held.isEmpty() && random.nextBoolean())) {
                        giveBack(map, holders, head, held.remove(random.nextInt(held.size())));
                        continue;
                    }
                    int first = random.nextInt(blocks);
                    int count = random.nextInt(1, Math.min(blocks - first, 60) + 1);
                    long met = map.claim(head, first, count);
                    if (met == OwnerMap.CLAIMED) {
                        wins++;
                        held.add(new int[] {first, count});
                        for (int block = first; block < first + count; block++) {
                            assertTrue(holders.compareAndSet(block, 0, head + 1), "two owners: block=" + block);
                        }
                        assertTrue(map.ownsAllVolatile(head, first, count));
                    } else {
                        assertTrue(met >= first && met < first + count);
                    }
                }
                return wins;
            });
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        long wins = 0;
        try {
            for (Future<Long> result : threads.invokeAll(workers)) {
                wins += result.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertTrue(wins > 1_000, "wins=" + wins);
        for (int block = 0; block < blocks; block++) {
            long lane = holders.get(block) == 0 ? 0 : 1L << (holders.get(block) - 1);
            assertEquals(lane, map.ownersVolatile(block), "seed=" + SEED + " block=" + block);
        }
        assertEquals(0, map.padding());
    }

    private static void giveBack(OwnerMap map, AtomicIntegerArray holders, int head, int[] run) {
        for (int block = run[0]; block < run[0] + run[1]; block++) {
            assertTrue(holders.compareAndSet(block, head + 1, 0), "not the owner: block=" + block);
        }
        assertEquals(run[1], map.clear(head, run[0], run[1]));
    }

    @Test
    void shouldNotDisturbNeighboursInOneWord() throws Exception {
        OwnerMap map = map(8, 8);
        CyclicBarrier start = new CyclicBarrier(4);
        List<Callable<Boolean>> workers = new ArrayList<>();
        for (int worker = 0; worker < 4; worker++) {
            int block = worker * 2;
            int head = worker;
            workers.add(() -> {
                start.await();
                for (int round = 0; round < 100_000; round++) {
                    if (map.claim(head, block, 2) != OwnerMap.CLAIMED || map.clear(head, block, 2) != 2) {
                        return false;
                    }
                }
                return map.claim(head, block, 2) == OwnerMap.CLAIMED;
            });
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (Future<Boolean> result : threads.invokeAll(workers)) {
                assertTrue(result.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(List.of(1L, 1L, 2L, 2L, 4L, 4L, 8L, 8L), lanes(map));
        assertFalse(map.ownsAllVolatile(0, 0, 3));
    }

    private static List<Long> lanes(OwnerMap map) {
        List<Long> lanes = new ArrayList<>();
        for (long block = 0; block < map.blockCount(); block++) {
            lanes.add(map.ownersVolatile(block));
        }
        return lanes;
    }
}

package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.TAG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FreeSpaceTest {
    private static final long SEED = 20_261_121;

    /** Large, so that one can look ahead. */
    private final DcRegion region = new DcRegion(0, BASE, 1L << 40, 1L << 40, BLOCK);

    /** Pairs of first block and number of blocks. */
    private final List<long[]> runs = new ArrayList<>();

    private void free(long first, long count) {
        runs.add(new long[] {first, count});
    }

    private static long dpa(long block) {
        return BASE + block * BLOCK;
    }

    private FreeSpace space(DcRegion of, long blocks, int maxExtents) {
        FreeSpace space = new FreeSpace(of, blocks * BLOCK, maxExtents);
        runs.forEach(run -> space.add(dpa(run[0]), dpa(run[0] + run[1])));
        return space;
    }

    private static Object choose(FreeSpace space, boolean contiguous) {
        List<Extent> chosen = new ArrayList<>();
        Optional<Refusal> refusal = space.choose(contiguous, Extent.NO_TAG, false, chosen);
        assertTrue(refusal.isEmpty() || chosen.isEmpty());
        return refusal.isPresent() ? refusal.get().cause() : chosen;
    }

    private Object choose(long blocks, boolean contiguous, int maxExtents) {
        return choose(space(region, blocks, maxExtents), contiguous);
    }

    private static List<Extent> extents(long... firstsAndCounts) {
        List<Extent> extents = new ArrayList<>();
        for (int i = 0; i < firstsAndCounts.length; i += 2) {
            extents.add(new Extent(dpa(firstsAndCounts[i]), firstsAndCounts[i + 1] * BLOCK, Extent.NO_TAG, 0));
        }
        return extents;
    }

    @Test
    void shouldTakeTheRunThatLeavesTheLeast() {
        free(0, 10);
        free(20, 4);
        free(30, 5);
        assertEquals(extents(20, 3), choose(3, false, 1));
        assertEquals(extents(30, 5), choose(5, true, 1));
        assertEquals(extents(0, 6), choose(6, true, 1));
    }

    @Test
    void shouldTakeTheLowestOfEqualRuns() {
        free(0, 10);
        free(20, 4);
        free(30, 4);
        assertEquals(extents(20, 3), choose(3, false, 1));
    }

    @Test
    void shouldLookForABetterPlaceOnlySoFar() {
        free(100, 50);
        free(100 + FreeSpace.LOOK_AHEAD_BLOCKS, 3);
        free(5000, 2);
        assertEquals(extents(100 + FreeSpace.LOOK_AHEAD_BLOCKS, 3), choose(3, true, 1), "as far as it looks");
        assertEquals(extents(100, 2), choose(2, true, 1), "nothing that fits better ends as near");
    }

    @Test
    void shouldNotTakeForShortWhatGoesOnBehindThePlaceWhereItStopsLooking() {
        free(0, 50);
        free(FreeSpace.LOOK_AHEAD_BLOCKS, 1000);
        assertEquals(extents(0, 3), choose(3, true, 1));
    }

    @Test
    void shouldSplitOverTheLongestRunsInOrderOfTheirAddresses() {
        free(0, 2);
        free(10, 4);
        free(20, 3);
        free(30, 4);
        assertEquals(extents(10, 4, 30, 4), choose(8, false, 512));
        assertEquals(extents(10, 4, 20, 1, 30, 4), choose(9, false, 512));
        assertEquals(extents(0, 2, 10, 4, 20, 3, 30, 4), choose(13, false, 4));
        assertEquals(extents(10, 4, 30, 1), choose(5, false, 512), "the lower one of two that are equal is whole");
    }

    @Test
    void shouldRefuseWhatIsNotThere() {
        free(0, 2);
        free(10, 2);
        assertEquals(Cause.NO_FREE_CAPACITY, choose(5, false, 512));
        assertEquals(Cause.NO_FREE_CAPACITY, choose(3, true, 512));
        assertEquals(Cause.TOO_MANY_EXTENTS, choose(3, false, 1));
        assertEquals(Cause.TOO_MANY_EXTENTS, choose(1, false, 0));
        assertEquals(Cause.NO_FREE_CAPACITY, choose(-1, false, 512));
        runs.clear();
        assertEquals(Cause.NO_FREE_CAPACITY, choose(1, false, 512));
    }

    @Test
    void shouldNumberWhatIsShared() {
        free(0, 2);
        free(10, 2);
        List<Extent> chosen = new ArrayList<>();
        assertEquals(Optional.empty(), space(region, 4, 512).choose(false, TAG, true, chosen));
        assertEquals(
                List.of(new Extent(BASE, 2 * BLOCK, TAG, 1), new Extent(BASE + 10 * BLOCK, 2 * BLOCK, TAG, 2)), chosen);
    }

    @Test
    void shouldCountWholeBlocksOfTheRegionOnly() {
        DcRegion coarse = new DcRegion(0, BASE, 1L << 40, 1L << 40, 4 * BLOCK);
        free(1, 6);
        free(8, 2);
        free(10, 2);
        assertEquals(extents(8, 4), choose(space(coarse, 4, 512), false), "a block that was told in two parts");
        assertEquals(Cause.NO_FREE_CAPACITY, choose(space(coarse, 8, 512), false));
        assertEquals(dpa(8), space(coarse, 4, 512).firstDpa());
    }

    @Test
    void shouldTakeNeighbouringRunsForOne() {
        free(0, 1);
        free(1, 1);
        free(3, 1);
        assertEquals(extents(0, 2), choose(2, true, 1));
    }

    /** Told block by block and in whole runs, to the end and as long as it wants more: the choice is the same, and right. */
    @Test
    void shouldChooseTheSameHoweverItIsTold() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int trial = 0; trial < 2_000; trial++) {
            BitSet bits = new BitSet();
            int size = 1 + random.nextInt(3000);
            for (int at = 0; at < size; ) {
                int length = 1 + random.nextInt(random.nextInt(1, 400));
                bits.set(at, at + length, random.nextBoolean());
                at += length;
            }
            runs.clear();
            for (int at = bits.nextSetBit(0); at >= 0; at = bits.nextSetBit(bits.nextClearBit(at))) {
                free(at, bits.nextClearBit(at) - at);
            }
            long blocks = 1L + random.nextInt(random.nextInt(1, 600));
            int maxExtents = 1 + random.nextInt(8);
            boolean contiguous = random.nextBoolean();
            Object choice = choose(blocks, contiguous, maxExtents);
            FreeSpace searched = new FreeSpace(region, blocks * BLOCK, maxExtents);
            int stride = 1 + random.nextInt(64);
            for (int from = 0; from < bits.length() && searched.wants(dpa(from)); from += stride) {
                for (int at = from; at < from + stride; at++) {
                    if (bits.get(at)) {
                        searched.add(dpa(at), dpa(at + 1));
                    }
                }
            }
            String what = "seed=" + SEED + " trial=" + trial;
            assertEquals(choice, choose(searched, contiguous), what);
            boolean isInOneRun = runs.stream().anyMatch(run -> run[1] >= blocks);
            long most = runs.stream()
                    .map(run -> run[1])
                    .sorted(Comparator.reverseOrder())
                    .limit(maxExtents)
                    .mapToLong(Long::longValue)
                    .sum();
            boolean isThere = isInOneRun || (!contiguous && most >= blocks);
            assertEquals(isThere, choice instanceof List, what);
            assertEquals(isInOneRun, searched.isInOneRun(), what);
            if (choice instanceof List<?> chosen) {
                assertEquals(isInOneRun, chosen.size() == 1, what);
            }
        }
    }

    @Test
    void shouldWantNoMoreWhenNothingBetterCanCome() {
        free(0, 1);
        free(2, 1);
        FreeSpace exact = space(region, 1, 512);
        assertFalse(exact.wants(dpa(4)));
        FreeSpace large = new FreeSpace(region, BLOCK, 512);
        large.add(dpa(0), dpa(2L * FreeSpace.LOOK_AHEAD_BLOCKS));
        assertFalse(large.wants(dpa(2L * FreeSpace.LOOK_AHEAD_BLOCKS)));
        FreeSpace tooSmall = space(region, 5, 512);
        assertTrue(tooSmall.wants(dpa(1_000_000)));
    }
}

package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.TAG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FreeSpaceTest {
    private final DcRegion region = TestDevice.regions(1).get(0);
    private final FreeSpace free = new FreeSpace(region);

    private void free(long first, long count) {
        free.add(BASE + first * BLOCK, BASE + (first + count) * BLOCK);
    }

    private Object choose(long blocks, boolean contiguous, int maxExtents) {
        List<Extent> chosen = new ArrayList<>();
        Optional<Refusal> refusal = free.choose(blocks * BLOCK, contiguous, maxExtents, Extent.NO_TAG, false, chosen);
        return refusal.isPresent() ? refusal.get().cause() : chosen;
    }

    private static List<Extent> extents(long... firstsAndCounts) {
        List<Extent> extents = new ArrayList<>();
        for (int i = 0; i < firstsAndCounts.length; i += 2) {
            extents.add(TestDevice.extent(firstsAndCounts[i], firstsAndCounts[i + 1]));
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
    void shouldSplitOverTheLongestRunsInOrderOfTheirAddresses() {
        free(0, 2);
        free(10, 4);
        free(20, 3);
        free(30, 4);
        assertEquals(extents(10, 4, 30, 4), choose(8, false, 512));
        assertEquals(extents(10, 4, 20, 1, 30, 4), choose(9, false, 512));
        assertEquals(extents(0, 2, 10, 4, 20, 3, 30, 4), choose(13, false, 4));
    }

    @Test
    void shouldRefuseWhatIsNotThere() {
        free(0, 2);
        free(10, 2);
        assertEquals(Cause.NO_FREE_CAPACITY, choose(5, false, 512));
        assertEquals(Cause.NO_FREE_CAPACITY, choose(3, true, 512));
        assertEquals(Cause.TOO_MANY_EXTENTS, choose(3, false, 1));
        List<Extent> chosen = new ArrayList<>();
        assertEquals(
                Cause.NO_FREE_CAPACITY,
                free.choose(-BLOCK, false, 512, TAG, true, chosen).orElseThrow().cause());
        assertEquals(List.of(), chosen);
    }

    @Test
    void shouldNumberWhatIsShared() {
        free(0, 2);
        free(10, 2);
        List<Extent> chosen = new ArrayList<>();
        assertEquals(Optional.empty(), free.choose(4 * BLOCK, false, 512, TAG, true, chosen));
        assertEquals(
                List.of(new Extent(BASE, 2 * BLOCK, TAG, 1), new Extent(BASE + 10 * BLOCK, 2 * BLOCK, TAG, 2)), chosen);
    }

    @Test
    void shouldCountWholeBlocksOfTheRegionOnly() {
        DcRegion coarse = new DcRegion(0, BASE, region.decodeLengthBytes(), region.lengthBytes(), 4 * BLOCK);
        FreeSpace blocks = new FreeSpace(coarse);
        blocks.add(BASE + BLOCK, BASE + 7 * BLOCK);
        blocks.add(BASE + 8 * BLOCK, BASE + 12 * BLOCK);
        List<Extent> chosen = new ArrayList<>();
        assertEquals(Optional.empty(), blocks.choose(4 * BLOCK, false, 512, TAG, false, chosen));
        assertEquals(List.of(new Extent(BASE + 8 * BLOCK, 4 * BLOCK, TAG, 0)), chosen);
        assertEquals(
                Cause.NO_FREE_CAPACITY,
                blocks.choose(8 * BLOCK, false, 512, TAG, false, chosen)
                        .orElseThrow()
                        .cause());
    }

    @Test
    void shouldTakeNeighbouringRunsForOne() {
        free(0, 1);
        free(1, 1);
        free(3, 1);
        assertEquals(extents(0, 2), choose(2, true, 1));
    }
}

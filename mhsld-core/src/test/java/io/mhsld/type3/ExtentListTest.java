package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ExtentListTest {
    private final ExtentList list = new ExtentList();

    @Test
    void shouldCoverRangesThatSpanNeighbouringExtents() {
        list.addAll(List.of(extent(4, 2), extent(0, 2), extent(2, 2)));
        assertTrue(list.covers(BASE, 6 * BLOCK));
        assertTrue(list.covers(BASE + BLOCK + 1, 3 * BLOCK));
        assertFalse(list.covers(BASE, 6 * BLOCK + 1));
        assertFalse(list.covers(BASE - 1, 2));
    }

    @Test
    void shouldNotCoverAcrossAGap() {
        list.addAll(List.of(extent(0, 1), extent(2, 1)));
        assertFalse(list.covers(BASE, 3 * BLOCK));
        assertFalse(list.covers(BASE + BLOCK, 1));
        assertTrue(list.covers(BASE + 2 * BLOCK, BLOCK));
    }

    @Test
    void shouldTakeLengthsAndAddressesAsUnsigned() {
        list.addAll(List.of(extent(0, 1)));
        assertFalse(list.covers(BASE, -1L));
        assertFalse(list.covers(BASE, Long.MIN_VALUE));
        assertFalse(list.covers(-1L, 1));
        assertFalse(list.covers(Long.MIN_VALUE, 1));
    }

    @Test
    void shouldNotCoverAnythingWhenEmpty() {
        assertFalse(list.covers(BASE, 1));
        assertFalse(list.overlaps(extent(0, 1)));
        assertTrue(list.isEmpty());
    }

    @Test
    void shouldLeaveFragmentsWhereTheirExtentStood() {
        list.addAll(List.of(extent(10, 10), extent(0, 5), extent(30, 5)));
        List<Extent> holes = List.of(extent(31, 1), extent(12, 1), extent(15, 2), extent(4, 2));
        List<Extent> left =
                List.of(extent(10, 2), extent(13, 2), extent(17, 3), extent(0, 4), extent(30, 1), extent(32, 3));
        assertEquals(left.size(), list.sizeWithout(Runs.of(holes)));
        list.cut(Runs.of(holes));
        assertEquals(left, list.view());
    }

    @Test
    void shouldCutOneHoleOutOfSeveralExtents() {
        list.addAll(List.of(extent(8, 4), extent(0, 4), extent(4, 4)));
        list.cut(Runs.of(List.of(extent(2, 8))));
        assertEquals(List.of(extent(10, 2), extent(0, 2)), list.view());
    }

    @Test
    void shouldGiveThePartsOfARangeByAddress() {
        list.addAll(List.of(extent(8, 4), extent(0, 4)));
        assertEquals(List.of(extent(2, 2), extent(8, 1)), list.partsWithin(extent(2, 7)));
    }

    @Test
    void shouldAgreeWithAPlainListWhateverComesAndGoes() {
        long seed = System.nanoTime();
        System.out.println("extent list: seed=" + seed);
        Random random = new Random(seed);
        List<Extent> plain = new ArrayList<>();
        for (int round = 0; round < 4_000; round++) {
            boolean comes = random.nextInt(round % 800 < 400 ? 4 : 3) != 0;
            List<Extent> ranges = rangesBesides(random, comes ? plain : List.of());
            int known = list.unchanged();
            if (comes) {
                list.addAll(ranges);
                plain.addAll(ranges);
            } else {
                long[] holes = Runs.of(ranges);
                List<Extent> left = plain;
                for (Extent hole : ranges) {
                    left = left.stream()
                            .flatMap(extent -> extent.without(hole).stream())
                            .toList();
                }
                assertEquals(left.size(), list.sizeWithout(holes));
                list.cut(holes);
                plain = new ArrayList<>(left);
            }
            assertEquals(plain, list.view());
            assertEquals(plain.size(), list.size());
            assertTrue(list.unchanged() <= known);
            Extent range = extent(random.nextInt(400), 1 + random.nextInt(40));
            List<Extent> parts = plain.stream()
                    .filter(range::overlaps)
                    .map(extent -> extent.within(range))
                    .sorted(Comparator.comparingLong(Extent::startDpa))
                    .toList();
            assertEquals(parts, list.partsWithin(range));
            assertEquals(!parts.isEmpty(), list.overlaps(range));
            long held = parts.stream().mapToLong(Extent::lengthBytes).sum();
            assertEquals(held == range.lengthBytes(), list.covers(range));
            assertEquals(held == range.lengthBytes(), list.covers(range.startDpa(), range.lengthBytes()));
        }
    }

    /** One or some ranges that overlap neither each other nor those. */
    private static List<Extent> rangesBesides(Random random, List<Extent> those) {
        List<Extent> ranges = new ArrayList<>();
        for (int wanted = random.nextInt(10) == 0 ? 20 : 1; wanted > 0; wanted--) {
            Extent range = extent(random.nextInt(400), 1 + random.nextInt(4));
            if (Stream.concat(those.stream(), ranges.stream()).noneMatch(range::overlaps)) {
                ranges.add(range);
            }
        }
        return ranges;
    }

    @Test
    void shouldShowASliceThatEndsWithTheList() {
        list.addAll(List.of(extent(0, 1), extent(1, 1), extent(2, 1)));
        assertEquals(List.of(extent(1, 1), extent(2, 1)), list.view(1, Integer.MAX_VALUE));
        assertEquals(List.of(), list.view(3, 5));
    }
}

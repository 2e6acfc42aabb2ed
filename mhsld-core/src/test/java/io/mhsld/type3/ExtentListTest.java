package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
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
        assertEquals(
                List.of(extent(10, 2), extent(13, 2), extent(17, 3), extent(0, 4), extent(30, 1), extent(32, 3)),
                list.without(Runs.of(holes)));
    }

    @Test
    void shouldCutOneHoleOutOfSeveralExtents() {
        list.addAll(List.of(extent(8, 4), extent(0, 4), extent(4, 4)));
        assertEquals(List.of(extent(10, 2), extent(0, 2)), list.without(Runs.of(List.of(extent(2, 8)))));
    }

    @Test
    void shouldGiveThePartsOfARange() {
        list.addAll(List.of(extent(8, 4), extent(0, 4)));
        assertEquals(List.of(extent(8, 1), extent(2, 2)), list.partsWithin(extent(2, 7)));
    }

    @Test
    void shouldShowASliceThatEndsWithTheList() {
        list.addAll(List.of(extent(0, 1), extent(1, 1), extent(2, 1)));
        assertEquals(List.of(extent(1, 1), extent(2, 1)), list.view(1, Integer.MAX_VALUE));
        assertEquals(List.of(), list.view(3, 5));
    }
}

package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.TAG;
import static io.mhsld.type3.TestDevice.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ExtentTest {
    private final Extent extent = extent(10, 10);

    @Test
    void shouldNotOverlapItsNeighbours() {
        assertFalse(extent.overlaps(extent(0, 10)));
        assertFalse(extent.overlaps(extent(20, 1)));
        assertTrue(extent.overlaps(extent(0, 11)));
        assertTrue(extent.overlaps(extent(19, 1)));
        assertTrue(extent.overlaps(extent(0, 100)));
    }

    @Test
    void shouldContainOnlyWhatLiesWhollyInside() {
        assertTrue(extent.contains(extent));
        assertTrue(extent.contains(extent(12, 2)));
        assertFalse(extent.contains(extent(9, 2)));
        assertFalse(extent.contains(extent(19, 2)));
    }

    @Test
    void shouldLeaveTheFragmentsAroundAHole() {
        assertEquals(List.of(extent), extent.without(extent(0, 10)));
        assertEquals(List.of(extent(15, 5)), extent.without(extent(5, 10)));
        assertEquals(List.of(extent(10, 5)), extent.without(extent(15, 10)));
        assertEquals(List.of(extent(10, 2), extent(14, 6)), extent.without(extent(12, 2)));
        assertEquals(List.of(), extent.without(extent(0, 100)));
    }

    @Test
    void shouldKeepTagAndSequenceInFragments() {
        Extent tagged = new Extent(extent.startDpa(), extent.lengthBytes(), TAG, 7);
        for (Extent fragment : tagged.without(extent(12, 2))) {
            assertEquals(TAG, fragment.tag());
            assertEquals(7, fragment.sharedSequence());
        }
    }

    @Test
    void shouldFindASharedOneAnywhereInAList() {
        assertFalse(Extent.isAnyShared(List.of()));
        assertFalse(Extent.isAnyShared(List.of(extent, extent.withSequence(0))));
        assertTrue(Extent.isAnyShared(List.of(extent, extent.withSequence(2))));
        assertTrue(Extent.isAnyShared(List.of(extent.withSequence(1), extent)));
    }
}

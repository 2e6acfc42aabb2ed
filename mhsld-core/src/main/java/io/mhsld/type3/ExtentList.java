package io.mhsld.type3;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Extents that do not overlap, in the order in which they came, with the questions that the state machine asks about them.
 *
 * <p>One thread changes the list; {@link #covers} and {@link #overlaps} may be asked by any thread, for they look at an immutable picture of
 * the addresses that is replaced as a whole (volatile store, volatile load).
 */
final class ExtentList {
    private static final long[] NOTHING = {};

    private final ArrayList<Extent> extents = new ArrayList<>();

    /** Start and end of each run, ascending, neighbours merged. */
    private volatile long[] runs = NOTHING;

    int size() {
        return extents.size();
    }

    boolean isEmpty() {
        return extents.isEmpty();
    }

    List<Extent> view() {
        return List.copyOf(extents);
    }

    List<Extent> view(int start, int count) {
        int end = (int) Math.min(extents.size(), (long) start + count);
        return List.copyOf(extents.subList(start, end));
    }

    void addAll(List<Extent> added) {
        extents.addAll(added);
        rebuildRuns();
    }

    void clear() {
        extents.clear();
        runs = NOTHING;
    }

    /** True when every byte of the range lies in some extent; both numbers are unsigned. */
    boolean covers(long startDpa, long lengthBytes) {
        long[] picture = runs;
        int run = lastRunStartingAtOrBelow(picture, startDpa);
        return run >= 0
                && startDpa < picture[run + 1]
                && Long.compareUnsigned(lengthBytes, picture[run + 1] - startDpa) <= 0;
    }

    /** True when at least one byte of the range lies in some extent. */
    boolean overlaps(Extent range) {
        long[] picture = runs;
        int run = lastRunStartingAtOrBelow(picture, range.endDpa() - 1);
        return run >= 0 && range.startDpa() < picture[run + 1];
    }

    /** Extents that do not overlap, by address. */
    static NavigableMap<Long, Extent> byAddress(List<Extent> extents) {
        NavigableMap<Long, Extent> sorted = new TreeMap<>();
        extents.forEach(extent -> sorted.put(extent.startDpa(), extent));
        return sorted;
    }

    /**
     * The list as it would be without {@code holes} ({@link #byAddress}): fragments stand where their extent stood and keep its tag. A hole
     * may lie across several extents, and an extent may have several holes.
     */
    List<Extent> without(NavigableMap<Long, Extent> holes) {
        List<Extent> left = new ArrayList<>(extents.size());
        for (Extent extent : extents) {
            long start = extent.startDpa();
            Long first = holes.floorKey(start);
            for (Extent hole : holes.tailMap(first == null ? start : first).values()) {
                if (hole.startDpa() >= extent.endDpa()) {
                    break;
                }
                if (start < hole.startDpa()) {
                    left.add(extent.withRange(start, hole.startDpa() - start));
                }
                start = Math.max(start, hole.endDpa());
            }
            if (start < extent.endDpa()) {
                left.add(extent.withRange(start, extent.endDpa() - start));
            }
        }
        return left;
    }

    /** The parts of {@code range} that lie in this list, each with the tag of the extent that it lies in. */
    List<Extent> partsWithin(Extent range) {
        List<Extent> parts = new ArrayList<>();
        for (Extent extent : extents) {
            if (extent.overlaps(range)) {
                long start = Math.max(extent.startDpa(), range.startDpa());
                long end = Math.min(extent.endDpa(), range.endDpa());
                parts.add(extent.withRange(start, end - start));
            }
        }
        return parts;
    }

    void replaceWith(List<Extent> replacement) {
        extents.clear();
        extents.addAll(replacement);
        rebuildRuns();
    }

    private void rebuildRuns() {
        List<Extent> sorted = new ArrayList<>(extents);
        sorted.sort(Comparator.comparingLong(Extent::startDpa));
        long[] merged = new long[sorted.size() * 2];
        int length = 0;
        for (Extent extent : sorted) {
            if (length > 0 && merged[length - 1] == extent.startDpa()) {
                merged[length - 1] = extent.endDpa();
            } else {
                merged[length++] = extent.startDpa();
                merged[length++] = extent.endDpa();
            }
        }
        runs = Arrays.copyOf(merged, length);
    }

    /** Index of the last run whose start is at or below {@code dpa}, -2 when there is none. */
    private static int lastRunStartingAtOrBelow(long[] picture, long dpa) {
        int low = 0;
        int high = picture.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (picture[middle * 2] <= dpa) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high * 2;
    }
}

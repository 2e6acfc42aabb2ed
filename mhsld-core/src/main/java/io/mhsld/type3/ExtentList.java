package io.mhsld.type3;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Extents that do not overlap, in the order in which they came, with the questions that the state machine asks about them.
 *
 * <p>One thread changes the list; {@link #covers} and {@link #overlaps} may be asked by any thread, for they look at an immutable picture of
 * the addresses that is replaced as a whole (volatile store, volatile load). What a change does not touch stays the same object.
 */
final class ExtentList {
    /** Never changed: a change makes a new one. */
    private List<Extent> extents = List.of();

    private int sharedCount;

    private volatile long[] runs = Runs.NOTHING;

    int size() {
        return extents.size();
    }

    boolean isEmpty() {
        return extents.isEmpty();
    }

    /** True when some extent is shared capacity. */
    boolean hasShared() {
        return sharedCount > 0;
    }

    /** As it is now; later changes do not show in it. */
    List<Extent> view() {
        return extents;
    }

    List<Extent> view(int start, int count) {
        int end = (int) Math.min(extents.size(), (long) start + count);
        return extents.subList(start, end);
    }

    void addAll(List<Extent> added) {
        Extent[] all = new Extent[extents.size() + added.size()];
        int next = 0;
        for (Extent extent : extents) {
            all[next++] = extent;
        }
        for (Extent extent : added) {
            all[next++] = extent;
            sharedCount += extent.isShared() ? 1 : 0;
        }
        extents = Collections.unmodifiableList(Arrays.asList(all));
        runs = Runs.plus(runs, added);
    }

    void clear() {
        extents = List.of();
        sharedCount = 0;
        runs = Runs.NOTHING;
    }

    /** True when every byte of the range lies in some extent; both numbers are unsigned. */
    boolean covers(long startDpa, long lengthBytes) {
        return Runs.covers(runs, startDpa, lengthBytes);
    }

    /** True when at least one byte of the range lies in some extent. */
    boolean overlaps(Extent range) {
        return Runs.overlaps(runs, range);
    }

    /** The addresses that the extents cover. */
    long[] runs() {
        return runs;
    }

    /**
     * The list as it would be without {@code holes} ({@link Runs}): fragments stand where their extent stood and keep its tag. A hole
     * may lie across several extents, and an extent may have several holes.
     */
    List<Extent> without(long[] holes) {
        List<Extent> left = new ArrayList<>(extents.size() + 1);
        for (Extent extent : extents) {
            int hole = Runs.firstEndingAbove(holes, extent.startDpa());
            if (hole == holes.length || holes[hole] >= extent.endDpa()) {
                left.add(extent);
                continue;
            }
            long start = extent.startDpa();
            for (; hole < holes.length && holes[hole] < extent.endDpa(); hole += 2) {
                if (start < holes[hole]) {
                    left.add(extent.withRange(start, holes[hole] - start));
                }
                start = Math.max(start, holes[hole + 1]);
            }
            if (start < extent.endDpa()) {
                left.add(extent.withRange(start, extent.endDpa() - start));
            }
        }
        return left;
    }

    /** The parts of {@code range} that lie in this list, each with the tag of the extent that it lies in. */
    List<Extent> partsWithin(Extent range) {
        List<Extent> parts = new ArrayList<>(1);
        for (Extent extent : extents) {
            if (extent.overlaps(range)) {
                parts.add(extent.within(range));
            }
        }
        return parts;
    }

    /** The same for several ranges, one after the other. */
    List<Extent> partsWithin(List<Extent> ranges) {
        if (ranges.size() == 1) {
            return partsWithin(ranges.get(0));
        }
        List<Extent> parts = new ArrayList<>(ranges.size());
        for (Extent range : ranges) {
            if (overlaps(range)) {
                parts.addAll(partsWithin(range));
            }
        }
        return parts;
    }

    /**
     * Takes the holes out of the list.
     *
     * @param left what {@link #without} has said
     */
    void replaceWith(List<Extent> left, long[] holes) {
        Extent[] all = left.toArray(new Extent[0]);
        int shared = 0;
        if (sharedCount > 0) {
            for (Extent extent : all) {
                shared += extent.isShared() ? 1 : 0;
            }
        }
        extents = Collections.unmodifiableList(Arrays.asList(all));
        sharedCount = shared;
        runs = Runs.minus(runs, holes);
    }
}

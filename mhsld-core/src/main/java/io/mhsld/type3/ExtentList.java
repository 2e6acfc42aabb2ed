package io.mhsld.type3;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Extents that do not overlap, in the order in which they came, with the questions that the state machine asks about them.
 *
 * <p>One thread changes the list; {@link #covers} and {@link #overlaps} may be asked by any thread, for they look at an immutable picture of
 * the addresses that is replaced as a whole (volatile store, volatile load). What a change does not touch stays the same object.
 */
final class ExtentList {
    private static final Extent[] NOTHING = {};

    /** Never changed: a change makes a new one. */
    private Extent[] extents = NOTHING;

    /** The same to look at. */
    private List<Extent> view = List.of();

    private int sharedCount;

    private volatile long[] runs = Runs.NOTHING;

    int size() {
        return extents.length;
    }

    boolean isEmpty() {
        return extents.length == 0;
    }

    /** True when some extent is shared capacity. */
    boolean hasShared() {
        return sharedCount > 0;
    }

    /** As it is now; later changes do not show in it. */
    List<Extent> view() {
        return view;
    }

    List<Extent> view(int start, int count) {
        int end = (int) Math.min(extents.length, (long) start + count);
        return view.subList(start, end);
    }

    void addAll(List<Extent> added) {
        Extent[] all = Arrays.copyOf(extents, extents.length + added.size());
        int next = extents.length;
        for (Extent extent : added) {
            all[next++] = extent;
        }
        set(all, sharedCount + countShared(added));
        runs = Runs.plus(runs, added);
    }

    void clear() {
        set(NOTHING, 0);
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
        List<Extent> left = new ArrayList<>(extents.length + 1);
        long lowest = holes.length == 0 ? 0 : holes[0];
        long highest = holes.length == 0 ? 0 : holes[holes.length - 1];
        for (Extent extent : extents) {
            if (extent.startDpa() >= highest || extent.endDpa() <= lowest) {
                left.add(extent);
                continue;
            }
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

    /** The same for several ranges, one after the other; a shared extent of which there is some is given whole, and once. */
    List<Extent> partsWithin(List<Extent> ranges) {
        if (ranges.size() == 1 && !hasShared()) {
            return partsWithin(ranges.get(0));
        }
        Set<Extent> shared = new HashSet<>();
        List<Extent> parts = new ArrayList<>(ranges.size());
        for (Extent range : ranges) {
            if (overlaps(range)) {
                for (Extent extent : extents) {
                    if (extent.overlaps(range) && (!extent.isShared() || shared.add(extent))) {
                        parts.add(extent.isShared() ? extent : extent.within(range));
                    }
                }
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
        set(left.toArray(NOTHING), sharedCount == 0 ? 0 : countShared(left));
        runs = Runs.minus(runs, holes);
    }

    private void set(Extent[] all, int shared) {
        extents = all;
        view = Collections.unmodifiableList(Arrays.asList(all));
        sharedCount = shared;
    }

    private static int countShared(List<Extent> extents) {
        int count = 0;
        for (Extent extent : extents) {
            count += extent.isShared() ? 1 : 0;
        }
        return count;
    }
}

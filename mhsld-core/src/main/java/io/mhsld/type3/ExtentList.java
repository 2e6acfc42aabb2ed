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

    /** Their first addresses and the ones behind their last, to look for some quickly; what stands beyond their number means nothing. */
    private long[] starts = Runs.NOTHING;

    private long[] ends = Runs.NOTHING;

    /** The same to look at. */
    private List<Extent> view = List.of();

    private int sharedCount;

    /** So many at the front have not changed since {@link #seen}. */
    private int unchanged;

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
        unchanged = Math.min(unchanged, extents.length);
        set(all, extents.length, sharedCount + countShared(added));
        runs = Runs.plus(runs, added);
    }

    /** So many at the front are the same as when {@link #seen} was last called. */
    int unchanged() {
        return unchanged;
    }

    /** From here on changes count. */
    void seen() {
        unchanged = extents.length;
    }

    void clear() {
        unchanged = 0;
        set(NOTHING, 0, 0);
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
        if (holes.length == 0) {
            return view;
        }
        long lowest = holes[0];
        long highest = holes[holes.length - 1];
        List<Extent> fragments = new ArrayList<>(2);
        // Each hole makes one extent more at most.
        Extent[] left = new Extent[extents.length + holes.length / 2];
        int length = 0;
        int done = 0;
        while (true) {
            int next = firstOverlapping(done, lowest, highest);
            System.arraycopy(extents, done, left, length, next - done);
            length += next - done;
            if (next == extents.length) {
                return Arrays.asList(length == left.length ? left : Arrays.copyOf(left, length));
            }
            cut(extents[next], holes, fragments);
            for (Extent fragment : fragments) {
                left[length++] = fragment;
            }
            fragments.clear();
            done = next + 1;
        }
    }

    /** Adds what the holes leave of the extent. */
    private static void cut(Extent extent, long[] holes, List<Extent> left) {
        int hole = Runs.firstEndingAbove(holes, extent.startDpa());
        if (hole == holes.length || holes[hole] >= extent.endDpa()) {
            left.add(extent);
            return;
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

    /** The parts of {@code range} that lie in this list, each with the tag of the extent that it lies in. */
    List<Extent> partsWithin(Extent range) {
        List<Extent> parts = new ArrayList<>(1);
        int next = firstOverlapping(0, range.startDpa(), range.endDpa());
        while (next < extents.length) {
            parts.add(extents[next].within(range));
            next = firstOverlapping(next + 1, range.startDpa(), range.endDpa());
        }
        return parts;
    }

    /** Index of the first extent from there on that has an address in [low, high), the length when there is none. */
    private int firstOverlapping(int from, long low, long high) {
        int index = from;
        int length = extents.length;
        while (index < length && (starts[index] >= high || ends[index] <= low)) {
            index++;
        }
        return index;
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
        Extent[] all = left.toArray(NOTHING);
        int same = firstChange(all);
        unchanged = Math.min(unchanged, same);
        set(all, same, sharedCount == 0 ? 0 : countShared(left));
        runs = Runs.minus(runs, holes);
    }

    @SuppressWarnings("ReferenceEquality") // Another one with the same values is only looked at again.
    private int firstChange(Extent[] all) {
        int length = Math.min(all.length, extents.length);
        int same = 0;
        while (same < length && all[same] == extents[same]) {
            same++;
        }
        return same;
    }

    /**
     * Makes these the extents.
     *
     * @param same so many at the front are as they were
     */
    private void set(Extent[] all, int same, int shared) {
        if (starts.length < all.length) {
            starts = Arrays.copyOf(starts, 2 * all.length);
            ends = Arrays.copyOf(ends, 2 * all.length);
        }
        for (int i = same; i < all.length; i++) {
            starts[i] = all[i].startDpa();
            ends[i] = all[i].endDpa();
        }
        extents = all;
        view = Collections.unmodifiableList(Arrays.asList(all));
        sharedCount = shared;
    }

    static int countShared(List<Extent> extents) {
        int count = 0;
        for (Extent extent : extents) {
            count += extent.isShared() ? 1 : 0;
        }
        return count;
    }
}

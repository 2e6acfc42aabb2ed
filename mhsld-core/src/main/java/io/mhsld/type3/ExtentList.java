package io.mhsld.type3;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Extents that do not overlap, in the order in which they came, with the questions that the state machine asks about them. What is asked by address is
 * asked of an {@link ExtentIndex}; the order is looked at from its end as far as a change reaches, for what stands behind that moves anyway.
 *
 * <p>One thread changes the list; {@link #covers} and {@link #overlaps} may be asked by any thread, for they look at an immutable picture that is
 * replaced as a whole (volatile store, volatile load). What a change does not touch stays the same object.
 */
final class ExtentList {
    /** More changes than this are put into the index by making it anew. */
    private static final int ONE_BY_ONE = 8;

    private final List<Extent> inOrder = new ArrayList<>();
    private final List<Extent> live = Collections.unmodifiableList(inOrder);
    private volatile ExtentIndex byAddress = ExtentIndex.EMPTY;

    /** The list as it is now; null when nobody has asked since the last change. */
    private List<Extent> view;

    private int sharedCount;

    /** So many at the front have not changed since {@link #seen}. */
    private int unchanged;

    ExtentList() {}

    ExtentList(List<Extent> extents) {
        addAll(extents);
    }

    int size() {
        return inOrder.size();
    }

    boolean isEmpty() {
        return inOrder.isEmpty();
    }

    /** True when some extent is shared capacity. */
    boolean hasShared() {
        return sharedCount > 0;
    }

    /** As it is now; later changes do not show in it. */
    List<Extent> view() {
        if (view == null) {
            view = List.copyOf(inOrder);
        }
        return view;
    }

    /** The same of a part of the list, which ends where the list does. */
    List<Extent> view(int start, int count) {
        int end = (int) Math.min(size(), (long) start + count);
        return List.copyOf(inOrder.subList(start, end));
    }

    /** To look at before the next change: it is not copied. */
    List<Extent> live() {
        return live;
    }

    void addAll(List<Extent> added) {
        // What came before has not moved.
        unchanged = Math.min(unchanged, size());
        inOrder.addAll(added);
        changed(List.of(), added);
    }

    /** So many at the front are the same as when {@link #seen} was last called. */
    int unchanged() {
        return unchanged;
    }

    /** From here on changes count. */
    void seen() {
        unchanged = size();
    }

    void clear() {
        unchanged = 0;
        inOrder.clear();
        view = null;
        sharedCount = 0;
        byAddress = ExtentIndex.EMPTY;
    }

    /** True when every byte of the range lies in some extent; both numbers are unsigned. For accesses. */
    boolean covers(long startDpa, long lengthBytes) {
        return Runs.covers(byAddress.runs(), startDpa, lengthBytes);
    }

    /** The same for a request that is about to change the list. */
    boolean covers(Extent range) {
        return byAddress.covers(range.startDpa(), range.lengthBytes());
    }

    /** True when at least one byte of the range lies in some extent. */
    boolean overlaps(Extent range) {
        return byAddress.overlaps(range);
    }

    /** The lowest extent whose end is above {@code dpa}, null when there is none. */
    Extent lowestEndingAbove(long dpa) {
        return byAddress.lowestEndingAbove(dpa);
    }

    /** How many extents there would be without {@code holes} ({@link Runs}). */
    int sizeWithout(long[] holes) {
        List<Extent> touched = touchedBy(holes);
        List<Extent> fragments = new ArrayList<>(touched.size());
        touched.forEach(extent -> cut(extent, holes, fragments));
        return size() - touched.size() + fragments.size();
    }

    /** How many shared extents the holes take something of. */
    int sharedTouchedBy(long[] holes) {
        return hasShared() ? countShared(touchedBy(holes)) : 0;
    }

    /**
     * Takes the holes out of the list: fragments stand where their extent stood and keep its tag. A hole may lie across several extents, and an
     * extent may have several holes.
     */
    void cut(long[] holes) {
        List<Extent> touched = touchedBy(holes);
        int first = size();
        for (int missing = touched.size(); missing > 0; ) {
            first--;
            missing -= Runs.overlaps(holes, inOrder.get(first)) ? 1 : 0;
        }
        List<Extent> tail = inOrder.subList(first, size());
        List<Extent> before = List.copyOf(tail);
        tail.clear();
        List<Extent> fragments = new ArrayList<>(touched.size());
        for (Extent extent : before) {
            int known = fragments.size();
            if (Runs.overlaps(holes, extent)) {
                cut(extent, holes, fragments);
                inOrder.addAll(fragments.subList(known, fragments.size()));
            } else {
                inOrder.add(extent);
            }
        }
        unchanged = Math.min(unchanged, first);
        changed(touched, fragments);
    }

    /** Those of which the holes take something, ascending. */
    private List<Extent> touchedBy(long[] holes) {
        List<Extent> touched = new ArrayList<>(holes.length / 2);
        long seenDpa = Long.MIN_VALUE;
        for (int hole = 0; hole < holes.length; hole += 2) {
            // One that has been met goes on into this hole, perhaps.
            Extent extent = lowestEndingAbove(Math.max(holes[hole], seenDpa));
            while (extent != null && extent.startDpa() < holes[hole + 1]) {
                touched.add(extent);
                seenDpa = extent.endDpa();
                extent = lowestEndingAbove(seenDpa);
            }
        }
        return touched;
    }

    /** Adds what the holes, which take something of the extent, leave of it. */
    private static void cut(Extent extent, long[] holes, List<Extent> left) {
        long start = extent.startDpa();
        for (int hole = Runs.firstEndingAbove(holes, start);
                hole < holes.length && holes[hole] < extent.endDpa();
                hole += 2) {
            if (start < holes[hole]) {
                left.add(extent.withRange(start, holes[hole] - start));
            }
            start = holes[hole + 1];
        }
        if (start < extent.endDpa()) {
            left.add(extent.withRange(start, extent.endDpa() - start));
        }
    }

    /** The parts of {@code range} that lie in this list, ascending, each with the tag of the extent that it lies in. */
    List<Extent> partsWithin(Extent range) {
        List<Extent> parts = new ArrayList<>(1);
        Extent extent = lowestEndingAbove(range.startDpa());
        while (extent != null && extent.startDpa() < range.endDpa()) {
            parts.add(extent.within(range));
            extent = lowestEndingAbove(extent.endDpa());
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
                for (Extent extent : inOrder) {
                    if (extent.overlaps(range) && (!extent.isShared() || shared.add(extent))) {
                        parts.add(extent.isShared() ? extent : extent.within(range));
                    }
                }
            }
        }
        return parts;
    }

    /** The order is new: now the rest. */
    private void changed(List<Extent> gone, List<Extent> come) {
        view = null;
        sharedCount += countShared(come) - countShared(gone);
        if (gone.size() + come.size() > ONE_BY_ONE) {
            byAddress = ExtentIndex.of(inOrder);
            return;
        }
        ExtentIndex index = byAddress;
        for (Extent extent : gone) {
            index = index.minus(extent);
        }
        for (Extent extent : come) {
            index = index.plus(extent);
        }
        byAddress = index;
    }

    private static int countShared(List<Extent> extents) {
        int count = 0;
        for (Extent extent : extents) {
            count += extent.isShared() ? 1 : 0;
        }
        return count;
    }
}

package io.mhsld.type3;

import java.util.Arrays;
import java.util.List;

/**
 * Address ranges as a picture that never changes: start and end of each run, ascending, neighbours merged. Whoever changes something makes a new
 * picture, so that one can be looked at by any thread.
 */
final class Runs {
    static final long[] NOTHING = {};

    /** More ranges than this are put in by sorting everything anew. */
    private static final int ONE_BY_ONE = 8;

    private Runs() {}

    /** Of extents that do not overlap. */
    static long[] of(List<Extent> extents) {
        if (extents.size() == 1) {
            return new long[] {extents.get(0).startDpa(), extents.get(0).endDpa()};
        }
        return merged(extents.size(), extents, NOTHING);
    }

    /** With extents that overlap neither each other nor the picture. */
    static long[] plus(long[] runs, List<Extent> added) {
        if (added.size() > ONE_BY_ONE) {
            return merged(added.size() + runs.length / 2, added, runs);
        }
        long[] result = runs;
        for (Extent extent : added) {
            result = plus(result, extent.startDpa(), extent.endDpa());
        }
        return result;
    }

    private static long[] merged(int count, List<Extent> extents, long[] runs) {
        // Starts and ends sort by themselves: ranges that do not overlap stay pairs.
        long[] starts = new long[count];
        long[] ends = new long[count];
        int next = 0;
        for (Extent extent : extents) {
            starts[next] = extent.startDpa();
            ends[next++] = extent.endDpa();
        }
        for (int i = 0; i < runs.length; i += 2) {
            starts[next] = runs[i];
            ends[next++] = runs[i + 1];
        }
        Arrays.sort(starts);
        Arrays.sort(ends);
        long[] result = new long[2 * count];
        int length = 0;
        for (int i = 0; i < count; i++) {
            if (length > 0 && result[length - 1] == starts[i]) {
                result[length - 1] = ends[i];
            } else {
                result[length++] = starts[i];
                result[length++] = ends[i];
            }
        }
        return Arrays.copyOf(result, length);
    }

    private static long[] plus(long[] runs, long start, long end) {
        int below = lastStartingAtOrBelow(runs, start);
        int above = below + 2;
        boolean joinsBelow = below >= 0 && runs[below + 1] == start;
        boolean joinsAbove = above < runs.length && runs[above] == end;
        int from = joinsBelow ? below : above;
        int to = joinsAbove ? above + 2 : above;
        return spliced(runs, from, to, joinsBelow ? runs[below] : start, joinsAbove ? runs[above + 1] : end);
    }

    /** Without the ranges of another picture, whether they lie in this one or not. */
    static long[] minus(long[] runs, long[] holes) {
        long[] result = runs;
        for (int i = 0; i < holes.length; i += 2) {
            result = minus(result, holes[i], holes[i + 1]);
        }
        return result;
    }

    private static long[] minus(long[] runs, long start, long end) {
        int from = firstEndingAbove(runs, start);
        int to = from;
        while (to < runs.length && runs[to] < end) {
            to += 2;
        }
        if (from == to) {
            return runs;
        }
        long low = runs[from];
        long high = runs[to - 1];
        long[] left = new long[4];
        int length = 0;
        if (low < start) {
            left[length++] = low;
            left[length++] = start;
        }
        if (end < high) {
            left[length++] = end;
            left[length++] = high;
        }
        return spliced(runs, from, to, Arrays.copyOf(left, length));
    }

    /** Entries [from, to) of the picture replaced. */
    private static long[] spliced(long[] runs, int from, int to, long... replacement) {
        long[] result = new long[runs.length - (to - from) + replacement.length];
        System.arraycopy(runs, 0, result, 0, from);
        System.arraycopy(replacement, 0, result, from, replacement.length);
        System.arraycopy(runs, to, result, from + replacement.length, runs.length - to);
        return result;
    }

    /** True when every byte of the range lies in one run; the length is unsigned. */
    static boolean covers(long[] runs, long startDpa, long lengthBytes) {
        int run = lastStartingAtOrBelow(runs, startDpa);
        return run >= 0 && startDpa < runs[run + 1] && Long.compareUnsigned(lengthBytes, runs[run + 1] - startDpa) <= 0;
    }

    /** True when at least one byte of the extent lies in a run. */
    static boolean overlaps(long[] runs, Extent extent) {
        int run = lastStartingAtOrBelow(runs, extent.endDpa() - 1);
        return run >= 0 && extent.startDpa() < runs[run + 1];
    }

    /** Index of the first run whose end is above {@code dpa}, the length when there is none. */
    static int firstEndingAbove(long[] runs, long dpa) {
        int run = lastStartingAtOrBelow(runs, dpa);
        return run >= 0 && runs[run + 1] > dpa ? run : run + 2;
    }

    /** Index of the last run whose start is at or below {@code dpa}, -2 when there is none. */
    private static int lastStartingAtOrBelow(long[] runs, long dpa) {
        int low = 0;
        int high = runs.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (runs[middle * 2] <= dpa) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high * 2;
    }
}

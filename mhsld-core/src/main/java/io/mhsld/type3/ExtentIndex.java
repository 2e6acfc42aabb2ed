package io.mhsld.type3;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Extents that do not overlap, by address: a picture that never changes, so that one can be looked at by any thread. A change makes a new picture,
 * which shares with the old one all rows but those that it touches: what it costs hardly grows with the number of extents.
 */
final class ExtentIndex {
    static final ExtentIndex EMPTY = new ExtentIndex(new Extent[0][]);

    private static final int MAX_ROW_LENGTH = 32;

    /** Ascending, from row to row and within each; none is empty. */
    private final Extent[][] rows;

    /** What {@link #runs} gives; null until somebody asks. */
    private volatile long[] runs;

    private ExtentIndex(Extent[][] rows) {
        this.rows = rows;
    }

    /** Of extents that come in any order. */
    static ExtentIndex of(List<Extent> extents) {
        Extent[] ascending = extents.toArray(new Extent[0]);
        Arrays.sort(ascending, Comparator.comparingLong(Extent::startDpa));
        int fill = MAX_ROW_LENGTH / 2;
        Extent[][] rows = new Extent[(ascending.length + fill - 1) / fill][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(ascending, row * fill, Math.min(ascending.length, (row + 1) * fill));
        }
        return new ExtentIndex(rows);
    }

    /** With an extent that overlaps none of these. */
    ExtentIndex plus(Extent extent) {
        if (rows.length == 0) {
            return new ExtentIndex(new Extent[][] {{extent}});
        }
        int at = Math.max(0, rowOf(extent.startDpa()));
        Extent[] row = rows[at];
        int place = placeOf(row, extent.startDpa()) + 1;
        Extent[] with = new Extent[row.length + 1];
        System.arraycopy(row, 0, with, 0, place);
        with[place] = extent;
        System.arraycopy(row, place, with, place + 1, row.length - place);
        int half = with.length / 2;
        return with.length <= MAX_ROW_LENGTH
                ? replaced(at, 1, with)
                : replaced(at, 1, Arrays.copyOf(with, half), Arrays.copyOfRange(with, half, with.length));
    }

    /** Without an extent that is one of these. */
    ExtentIndex minus(Extent extent) {
        int at = rowOf(extent.startDpa());
        Extent[] row = rows[at];
        if (row.length == 1) {
            return replaced(at, 1);
        }
        int place = placeOf(row, extent.startDpa());
        boolean isJoined = at + 1 < rows.length && row.length - 1 + rows[at + 1].length <= MAX_ROW_LENGTH / 2;
        Extent[] next = isJoined ? rows[at + 1] : new Extent[0];
        Extent[] without = new Extent[row.length - 1 + next.length];
        System.arraycopy(row, 0, without, 0, place);
        System.arraycopy(row, place + 1, without, place, row.length - 1 - place);
        System.arraycopy(next, 0, without, row.length - 1, next.length);
        return replaced(at, isJoined ? 2 : 1, without);
    }

    private ExtentIndex replaced(int from, int count, Extent[]... replacement) {
        Extent[][] result = new Extent[rows.length - count + replacement.length][];
        System.arraycopy(rows, 0, result, 0, from);
        System.arraycopy(replacement, 0, result, from, replacement.length);
        System.arraycopy(rows, from + count, result, from + replacement.length, rows.length - from - count);
        return new ExtentIndex(result);
    }

    /** The lowest extent whose end is above {@code dpa}: the one that it lies in, or the next one. Null when there is none. */
    Extent lowestEndingAbove(long dpa) {
        int at = rowOf(dpa);
        if (at < 0) {
            return rows.length == 0 ? null : rows[0][0];
        }
        Extent[] row = rows[at];
        int place = placeOf(row, dpa);
        if (row[place].endDpa() > dpa) {
            return row[place];
        }
        if (place + 1 < row.length) {
            return row[place + 1];
        }
        return at + 1 < rows.length ? rows[at + 1][0] : null;
    }

    /**
     * The addresses of all extents ({@link Runs}): what accesses look at, for nothing is searched faster. Made by the first that asks, so that changes
     * between which nobody accesses anything need not pay for it.
     */
    long[] runs() {
        long[] known = runs;
        if (known == null) {
            List<Extent> all = new ArrayList<>();
            for (Extent[] row : rows) {
                Collections.addAll(all, row);
            }
            known = Runs.of(all);
            runs = known;
        }
        return known;
    }

    /** True when every byte of the range lies in some extent; the length is unsigned. */
    boolean covers(long startDpa, long lengthBytes) {
        long dpa = startDpa;
        long left = lengthBytes;
        while (true) {
            Extent extent = lowestEndingAbove(dpa);
            if (extent == null || extent.startDpa() > dpa) {
                return false;
            }
            long covered = extent.endDpa() - dpa;
            if (Long.compareUnsigned(left, covered) <= 0) {
                return true;
            }
            left -= covered;
            dpa = extent.endDpa();
        }
    }

    /** True when at least one byte of the range lies in some extent. */
    boolean overlaps(Extent range) {
        Extent extent = lowestEndingAbove(range.startDpa());
        return extent != null && extent.startDpa() < range.endDpa();
    }

    /** The last row that begins at or below {@code dpa}, -1 when there is none. */
    private int rowOf(long dpa) {
        int low = 0;
        int high = rows.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (rows[middle][0].startDpa() <= dpa) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** The same within a row. */
    private static int placeOf(Extent[] row, long dpa) {
        int low = 0;
        int high = row.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (row[middle].startDpa() <= dpa) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }
}

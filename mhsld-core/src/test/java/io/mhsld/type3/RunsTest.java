package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RunsTest {
    private static final int CELLS = 200;

    static LongStream seeds() {
        return Seeds.of(200);
    }

    private static long[] picture(boolean[] cells) {
        List<Long> picture = new ArrayList<>();
        for (int i = 0; i <= cells.length; i++) {
            boolean now = i < cells.length && cells[i];
            boolean before = i > 0 && cells[i - 1];
            if (now != before) {
                picture.add((long) i);
            }
        }
        return picture.stream().mapToLong(each -> each).toArray();
    }

    /** Ranges of cells that are all in the wanted state, none of them twice. */
    private static List<Extent> someRanges(boolean[] cells, boolean wanted, SplittableRandom random) {
        List<Extent> ranges = new ArrayList<>();
        for (int i = random.nextInt(4); i < cells.length; i += 1 + random.nextInt(6)) {
            int end = i;
            while (end < cells.length && cells[end] == wanted && end - i < 1 + random.nextInt(5)) {
                end++;
            }
            if (end > i) {
                ranges.add(ranges.isEmpty() ? 0 : random.nextInt(ranges.size()), Extent.untagged(i, end - i));
                i = end - 1;
            }
        }
        return ranges;
    }

    private static void set(boolean[] cells, List<Extent> ranges, boolean value) {
        for (Extent range : ranges) {
            for (long i = range.startDpa(); i < range.endDpa(); i++) {
                cells[(int) i] = value;
            }
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldPaintWhatIsAddedAndTakenAway(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean[] cells = new boolean[CELLS];
        long[] runs = Runs.NOTHING;
        for (int step = 0; step < 40; step++) {
            List<Extent> ranges = someRanges(cells, random.nextInt(3) == 0, random);
            List<Extent> some = ranges.subList(0, random.nextInt(ranges.size() + 1));
            boolean adds = some.isEmpty() || !cells[(int) some.get(0).startDpa()];
            runs = adds ? Runs.plus(runs, some) : Runs.minus(runs, Runs.of(some));
            set(cells, some, adds);
            assertArrayEquals(picture(cells), runs, "seed=" + seed + " step=" + step);
            for (int i = 0; i < 20; i++) {
                int from = random.nextInt(CELLS);
                int to = from + 1 + random.nextInt(Math.min(8, CELLS - from));
                boolean all = true;
                boolean any = false;
                for (int cell = from; cell < to; cell++) {
                    all &= cells[cell];
                    any |= cells[cell];
                }
                assertEquals(all, Runs.covers(runs, from, to - from), "seed=" + seed);
                assertEquals(any, Runs.overlaps(runs, Extent.untagged(from, to - from)), "seed=" + seed);
            }
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldTakeAwayWhatIsThereAndWhatIsNot(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean[] cells = new boolean[CELLS];
        List<Extent> there = someRanges(cells, false, random);
        set(cells, there, true);
        List<Extent> holes = someRanges(new boolean[CELLS], false, random);
        set(cells, holes, false);
        assertArrayEquals(picture(cells), Runs.minus(Runs.of(there), Runs.of(holes)), "seed=" + seed);
    }
}

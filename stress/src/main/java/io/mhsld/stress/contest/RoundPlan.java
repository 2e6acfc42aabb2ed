package io.mhsld.stress.contest;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What happens in one round, drawn from seed and number of the round, so that every process knows it without being told.
 *
 * @param kind who wants what
 * @param ranges what each contender claims
 * @param obstacle the block that somebody else owns in a {@code BLOCKED} round, else -1
 */
record RoundPlan(Kind kind, List<Range> ranges, int obstacle) {
    static final int NO_OBSTACLE = -1;

    enum Kind {
        /** All claim the same blocks: one wins. */
        SAME,
        /** They claim blocks that overlap: at least one wins, and no two of them with a block in common. */
        OVERLAPPING,
        /** All claim the same blocks, of which one is owned already: none wins. */
        BLOCKED
    }

    /** Blocks [first, first + count). */
    record Range(int first, int count) {
        int end() {
            return first + count;
        }

        boolean overlaps(Range other) {
            return first < other.end() && other.first < end();
        }
    }

    static RoundPlan of(long seed, long round, int contenders, int blocks) {
        SplittableRandom random = new SplittableRandom(seed + round * 0x9E37_79B9_7F4A_7C15L);
        int choice = random.nextInt(8);
        Kind kind = choice < 4 ? Kind.SAME : choice < 7 ? Kind.OVERLAPPING : Kind.BLOCKED;
        List<Range> ranges = new ArrayList<>();
        Range common = range(random, 0, blocks);
        for (int contender = 0; contender < contenders; contender++) {
            ranges.add(kind == Kind.OVERLAPPING ? range(random, common.first, common.end()) : common);
        }
        int obstacle = kind == Kind.BLOCKED ? common.first + random.nextInt(common.count) : NO_OBSTACLE;
        return new RoundPlan(kind, ranges, obstacle);
    }

    private static Range range(SplittableRandom random, int from, int to) {
        int first = from + random.nextInt(to - from);
        return new Range(first, 1 + random.nextInt(to - first));
    }
}

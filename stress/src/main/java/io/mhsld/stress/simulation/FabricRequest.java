package io.mhsld.stress.simulation;

import io.mhsld.state.Geometry;
import io.mhsld.type3.DynamicCapacity.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What the fabric manager wants of a head; it does not know what the head holds. */
record FabricRequest(Kind kind, int region, List<Range> ranges) {
    enum Kind {
        ADD,
        REQUEST_RELEASE,
        FORCE_RELEASE,
        RESET,
        END
    }

    private static final int MAX_RANGES = 3;
    private static final int MAX_RANGE_BLOCKS = 5;
    private static final int ONE_THAT_MAY_OVERLAP = 12;

    /** Some request. */
    static FabricRequest draw(SplittableRandom random, Geometry geometry) {
        Kind kind = kindOf(random.nextInt(100));
        int region = random.nextInt(geometry.regions().size());
        long blocks = geometry.regions().get(region).lengthBytes() / geometry.blockSizeBytes();
        List<Range> ranges = new ArrayList<>();
        int count = 1 + random.nextInt(MAX_RANGES);
        boolean mayOverlap = random.nextInt(ONE_THAT_MAY_OVERLAP) == 0;
        long from = random.nextLong(blocks);
        for (int i = 0; i < count && from < blocks; i++) {
            long length = Math.min(1 + random.nextInt(MAX_RANGE_BLOCKS), blocks - from);
            // In any order: the head must claim them in one.
            ranges.add(
                    random.nextInt(ranges.size() + 1),
                    new Range(from * geometry.blockSizeBytes(), length * geometry.blockSizeBytes()));
            from = mayOverlap ? random.nextLong(blocks) : from + length + random.nextInt(MAX_RANGE_BLOCKS);
        }
        return new FabricRequest(kind, region, ranges);
    }

    private static Kind kindOf(int percent) {
        if (percent < 70) {
            return Kind.ADD;
        }
        if (percent < 78) {
            return Kind.REQUEST_RELEASE;
        }
        if (percent < 92) {
            return Kind.FORCE_RELEASE;
        }
        return percent < 96 ? Kind.RESET : Kind.END;
    }
}

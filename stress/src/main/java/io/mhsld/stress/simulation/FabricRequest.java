package io.mhsld.stress.simulation;

import io.mhsld.state.Geometry;
import io.mhsld.state.TagTable;
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;

/** What the fabric manager wants of a head; it does not know what the head holds. */
record FabricRequest(Kind kind, int region, List<Range> ranges, UUID tag) {
    enum Kind {
        ADD,
        ADD_FREE,
        ADD_CONTIGUOUS,
        JOIN,
        REQUEST_RELEASE,
        FORCE_RELEASE,
        RESET,
        END
    }

    /** Tags that are spoken of: so few that heads meet. */
    static final int TAGS = 5;

    private static final int MAX_RANGES = 3;
    private static final int MAX_RANGE_BLOCKS = 5;
    private static final int ONE_THAT_MAY_OVERLAP = 12;

    /** Some request. */
    static FabricRequest draw(SplittableRandom random, Geometry geometry) {
        int id = random.nextInt(geometry.regions().size());
        Geometry.Region region = geometry.regions().get(id);
        Kind kind = kindOf(random.nextInt(100), region.shareable());
        long blocks = region.lengthBytes() / geometry.blockSizeBytes();
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
        boolean isTagged = region.shareable() ? random.nextInt(20) > 0 : random.nextInt(4) == 0;
        return new FabricRequest(kind, id, ranges, isTagged ? tag(random) : Extent.NO_TAG);
    }

    /** The same about a tag that is there: a join of it, or an add of the place where it is. */
    FabricRequest about(TagTable.Entry entry, Geometry geometry) {
        if (kind == Kind.JOIN) {
            return new FabricRequest(kind, entry.region(), List.of(), entry.tag());
        }
        TagTable.Range range = entry.extents().get(0);
        long offset = range.startDpa() - geometry.regions().get(entry.region()).baseDpa();
        return new FabricRequest(kind, entry.region(), List.of(new Range(offset, range.lengthBytes())), tag);
    }

    /** One of the tags. */
    static UUID tag(SplittableRandom random) {
        return new UUID(0x7461_67, 1 + random.nextInt(TAGS));
    }

    private static Kind kindOf(int percent, boolean shareable) {
        if (shareable && percent < 38) {
            return Kind.JOIN;
        }
        if (percent < 48) {
            return Kind.ADD;
        }
        if (percent < 70) {
            return percent % 2 == 0 ? Kind.ADD_FREE : Kind.ADD_CONTIGUOUS;
        }
        if (percent < 78) {
            return Kind.REQUEST_RELEASE;
        }
        if (percent < 92) {
            return Kind.FORCE_RELEASE;
        }
        return percent < 96 ? Kind.RESET : Kind.END;
    }

    /** Of those that add. */
    AddRequest toAdd() {
        long lengthBytes = ranges.stream().mapToLong(Range::lengthBytes).sum();
        return switch (kind) {
            case ADD_FREE -> AddRequest.free(region, lengthBytes, tag);
            case ADD_CONTIGUOUS -> AddRequest.contiguous(region, lengthBytes, tag);
            case JOIN -> AddRequest.join(region, tag);
            default -> AddRequest.prescriptive(region, ranges, tag);
        };
    }
}

package io.mhsld.state;

import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Which tag a block belongs to, as the tag table said at one look. Rows that are gone, or being freed, or damaged, own nothing here. */
public final class TagCover {
    /** Blocks [first, end) of a tag. */
    private record Part(long first, long end, Entry entry) {}

    private final List<Part> parts;

    private TagCover(List<Part> parts) {
        this.parts = parts;
    }

    /** Looks at the table. Where two rows claim a block, which only damage can make, either is told. */
    public static TagCover of(StateFile state) {
        List<Part> parts = new ArrayList<>();
        for (Entry entry : state.tags().readAll()) {
            if (entry.state() == TagTable.State.LIVE && !entry.isGone()) {
                for (Range range : entry.extents()) {
                    blocksOf(state.geometry(), range)
                            .ifPresent(blocks -> parts.add(new Part(blocks[0], blocks[0] + blocks[1], entry)));
                }
            }
        }
        parts.sort(Comparator.comparingLong(Part::first));
        return new TagCover(parts);
    }

    /** True when no block belongs to a tag. */
    public boolean isEmpty() {
        return parts.isEmpty();
    }

    /** The tag that a block belongs to. */
    public Optional<Entry> at(long block) {
        int low = 0;
        int high = parts.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Part part = parts.get(middle);
            if (block < part.first) {
                high = middle - 1;
            } else if (block >= part.end) {
                low = middle + 1;
            } else {
                return Optional.of(part.entry);
            }
        }
        return Optional.empty();
    }

    /** First block and number of blocks of a range; empty when it is not whole blocks of one region. */
    static Optional<long[]> blocksOf(Geometry geometry, Range range) {
        try {
            long first = geometry.blockOfDpa(range.startDpa());
            long last = geometry.blockOfDpa(range.endDpa() - 1);
            boolean isWhole = range.lengthBytes() > 0
                    && range.startDpa() % geometry.blockSizeBytes() == 0
                    && range.lengthBytes() % geometry.blockSizeBytes() == 0
                    && geometry.regionOfBlock(first).equals(geometry.regionOfBlock(last));
            return isWhole ? Optional.of(new long[] {first, last - first + 1}) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}

package io.mhsld.head;

import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which blocks belong to tags. Such blocks are not free, though the owner map may say so: capacity that only the fabric manager keeps has no
 * owner. Whoever has claimed blocks asks here before it touches their memory.
 *
 * <p>It remembers where the extents of the rows are for as long as the table's sequence says that none became another. That is enough: a row's
 * extents are written before its blocks can become ownerless, and whether the row is gone is looked at each time. One thread.
 */
final class KeptBlocks {
    private static final long UNKNOWN = -1;

    /** Blocks of one extent of one life of a row. */
    private record Part(int row, long epoch, long first, long count) {
        long end() {
            return first + count;
        }
    }

    /** Blocks that belong to a tag, and which it is. */
    record Kept(long first, long count, int row) {
        long end() {
            return first + count;
        }
    }

    private final TagTable tags;
    private final Geometry geometry;
    private List<Part> parts = List.of();
    private long sequence = UNKNOWN;

    KeptBlocks(StateFile state) {
        this.tags = state.tags();
        this.geometry = state.geometry();
    }

    /** The blocks of [first, first + count) that belong to tags which are not gone, ascending. */
    List<Kept> within(long first, long count) {
        refresh();
        if (parts.isEmpty()) {
            return List.of();
        }
        List<Kept> kept = new ArrayList<>();
        for (Part part : parts) {
            long start = Math.max(first, part.first);
            long end = Math.min(first + count, part.end());
            if (start < end && isKept(part)) {
                kept.add(new Kept(start, end - start, part.row));
            }
        }
        return kept;
    }

    private boolean isKept(Part part) {
        long life = tags.lifeVolatile(part.row);
        return switch (TagTable.stateOf(life)) {
            case FREE -> false;
            case LIVE -> TagTable.epochOf(life) == part.epoch && tags.isSpokenForVolatile(part.row);
            case FREEING -> TagTable.epochOf(life) == part.epoch;
            // Nobody knows what it was: until it is mended nothing of it is given away.
            case DAMAGED -> true;
        };
    }

    private void refresh() {
        long now = tags.sequenceVolatile();
        if (now == sequence) {
            return;
        }
        List<Part> read = new ArrayList<>();
        for (Entry entry : tags.readAll()) {
            for (Range range : entry.extents()) {
                addPart(read, entry, range);
            }
        }
        read.sort(Comparator.comparingLong(Part::first));
        parts = read;
        // Odd: somebody is changing the table, or died doing so.
        sequence = (now & 1) == 0 && now == tags.sequenceVolatile() ? now : UNKNOWN;
    }

    private void addPart(List<Part> read, Entry entry, Range range) {
        try {
            long first = geometry.blockOfDpa(range.startDpa());
            long last = geometry.blockOfDpa(range.endDpa() - 1);
            if (first <= last) {
                read.add(new Part(entry.row(), entry.epoch(), first, last - first + 1));
            }
        } catch (IllegalArgumentException e) {
            // Damage: it is nowhere.
        }
    }
}

package io.mhsld.head;

import io.mhsld.head.TagRegistry.Joined;
import io.mhsld.head.TagRegistry.Left;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The tags that one head holds, as it knows itself; what the table says is the {@link TagRegistry}'s part. One thread. */
final class SharedTags {
    /** A tag that the head holds: where its row is, and how much of it the head still has. */
    private static final class Held {
        private final UUID tag;
        private final int region;
        private final List<Range> extents;
        private final long lengthBytes;
        private int row;
        private long epoch;
        private long leftBytes;
        private boolean isAccepted;

        Held(Entry entry) {
            this.tag = entry.tag();
            this.region = entry.region();
            this.extents = entry.extents();
            this.lengthBytes = entry.lengthBytes();
            this.leftBytes = lengthBytes;
            moveTo(entry);
        }

        void moveTo(Entry entry) {
            row = entry.row();
            epoch = entry.epoch();
        }
    }

    /** A row that the head has left, and that still names it. */
    private record Owed(int row, long epoch) {}

    private final StateFile state;
    private final int head;
    private final TagRegistry registry;
    private final HeadLog log;
    private final Map<UUID, Held> held = new HashMap<>();
    private final List<Owed> owed = new ArrayList<>();

    SharedTags(StateFile state, int head, TagRegistry registry, HeadLog log) {
        this.state = state;
        this.head = head;
        this.registry = registry;
        this.log = log;
    }

    /** True for a part of shared capacity that this head holds. */
    boolean has(Extent extent) {
        return extent.sharedSequence() > 0 && held.containsKey(extent.tag());
    }

    /** True when the host has accepted it, false when it was offered; empty when this head does not hold the tag. */
    Optional<Boolean> isAccepted(UUID tag) {
        return Optional.ofNullable(held.get(tag)).map(one -> one.isAccepted);
    }

    /** Makes a tag of extents that this head has claimed and scrubbed, in the order of their sequence. */
    Optional<Refusal> create(UUID tag, int region, List<Extent> extents) {
        List<Range> ranges = extents.stream()
                .map(extent -> new Range(extent.startDpa(), extent.lengthBytes()))
                .toList();
        leaveOwed();
        return keep(registry.create(head, tag, region, ranges));
    }

    /** This head holds the tag with others when it returns extents; the lanes are the caller's to set. */
    Optional<Refusal> join(UUID tag, int region, List<Extent> extents) {
        leaveOwed();
        Joined joined = registry.join(head, region, tag);
        joined.row().ifPresent(entry -> extents.addAll(extentsOf(entry)));
        return keep(joined);
    }

    private Optional<Refusal> keep(Joined joined) {
        joined.row().ifPresent(entry -> {
            held.put(entry.tag(), new Held(entry));
            // Else it would be taken out of the row that it holds again.
            owed.remove(new Owed(entry.row(), entry.epoch()));
        });
        return joined.refusal();
    }

    private static List<Extent> extentsOf(Entry entry) {
        List<Extent> extents = new ArrayList<>();
        for (Range range : entry.extents()) {
            extents.add(new Extent(range.startDpa(), range.lengthBytes(), entry.tag(), extents.size() + 1));
        }
        return extents;
    }

    void accept(List<Extent> extents) {
        for (Extent extent : extents) {
            if (has(extent)) {
                held.get(extent.tag()).isAccepted = true;
            }
        }
    }

    /**
     * Some of a tag is in no list any more.
     *
     * @param lengthBytes how much
     * @return whether memory and blocks are this head's alone now; else only its bits are to go
     */
    boolean leave(UUID tag, long lengthBytes) {
        Held one = held.get(tag);
        one.leftBytes -= lengthBytes;
        if (one.leftBytes > 0) {
            return false;
        }
        held.remove(tag);
        Left left = registry.leave(head, one.row, one.epoch, lengthBytes == one.lengthBytes);
        if (left == Left.LATER) {
            owed.add(new Owed(one.row, one.epoch));
            log.say("left a tag without the table lock, its row will be told later: tag=%s", tag);
        }
        return left == Left.ALONE;
    }

    /** Does what is left to do, and looks whether the rows of the tags that this head holds still say so. */
    void look() {
        leaveOwed();
        registry.trySweep();
        held.values().forEach(this::mend);
    }

    private void leaveOwed() {
        owed.removeIf(row -> registry.leaveWithoutBlocks(head, row.row, row.epoch));
    }

    private void mend(Held one) {
        boolean isRight = state.tags()
                .read(one.row)
                .filter(entry -> entry.epoch() == one.epoch
                        && entry.state() == TagTable.State.LIVE
                        && entry.isHeldBy(head)
                        && entry.tag().equals(one.tag)
                        && entry.region() == one.region
                        && entry.extents().equals(one.extents)
                        && state.tags().isWhole(entry))
                .isPresent();
        if (!isRight) {
            registry.putBack(head, one.row, one.tag, one.region, one.extents).ifPresent(entry -> {
                one.moveTo(entry);
                log.say("repaired tag: tag=%s row=%d", one.tag, one.row);
            });
        }
    }
}

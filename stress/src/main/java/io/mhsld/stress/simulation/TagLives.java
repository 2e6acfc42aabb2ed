package io.mhsld.stress.simulation;

import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What the oracle knows of the tags of one device: which bytes were written under which life of which row, whoever wrote them, and what the fabric
 * manager keeps.
 */
final class TagLives {
    /** A row of the tag table between becoming live and becoming free. */
    record Life(int row, long epoch) {
        static Life of(Entry entry) {
            return new Life(entry.row(), entry.epoch());
        }
    }

    private record Place(Life life, long block) {}

    /** What may stand in a block of a tag: what was written last, or by one of those who wrote at the same time, or died doing so. */
    static final class Bytes {
        /** All that was ever written, in the order in which it was begun. */
        private final List<Long> begun = new ArrayList<>(List.of(0L));

        private final List<Write> underWay = new ArrayList<>();
        private Set<Long> possible = Set.of(0L);

        /** Somebody is about to write. */
        Write begin(long marker) {
            Write write = new Write(marker, underWay.isEmpty());
            underWay.forEach(other -> other.alone = false);
            underWay.add(write);
            begun.add(marker);
            Set<Long> more = new HashSet<>(possible);
            more.add(marker);
            possible = more;
            return write;
        }

        /** Nobody has died over it: what was there before is overwritten, unless others wrote at the same time. */
        void finish(Write write) {
            if (write.alone) {
                possible = Set.of(write.marker);
            }
        }

        /** Finished or not, no more of it comes. */
        void end(Write write) {
            underWay.remove(write);
        }

        /** Somebody is about to read. */
        Look look() {
            return new Look(possible, begun.size());
        }

        /** True for what may be read after that look. */
        boolean allows(Look look, long word) {
            return look.possible.contains(word)
                    || begun.subList(look.begun, begun.size()).contains(word);
        }
    }

    /** A write that is under way. */
    static final class Write {
        private final long marker;
        private boolean alone;

        private Write(long marker, boolean alone) {
            this.marker = marker;
            this.alone = alone;
        }
    }

    /** A read that is under way. */
    record Look(Set<Long> possible, int begun) {}

    private final Map<Place, Bytes> bytes = new HashMap<>();
    private final Map<UUID, Life> kept = new HashMap<>();

    /** Of a block under a life of a tag: zeros, until somebody writes. */
    Bytes bytes(Life life, long block) {
        return bytes.computeIfAbsent(new Place(life, block), unused -> new Bytes());
    }

    // ---- what the fabric manager keeps

    /** The fabric manager was told that it keeps the tag. */
    void keep(TagTable tags, UUID tag) {
        Entry entry = Steps.aside(() -> tags.find(tag))
                .filter(Entry::isReferenced)
                .orElseThrow(() -> new Violation("I8", "tag that was just kept is not there: tag=%s", tag));
        kept.put(tag, Life.of(entry));
    }

    /** It is about to let go of it. */
    void letGo(UUID tag) {
        kept.remove(tag);
    }

    /** What is kept stays, in the same life. */
    void checkKept(TagTable tags) {
        kept.forEach((tag, life) -> {
            Optional<Entry> entry = Steps.aside(() -> tags.find(tag));
            if (entry.isEmpty()
                    || !entry.get().isReferenced()
                    || !Life.of(entry.get()).equals(life)) {
                throw new Violation("I8", "what is kept has gone: tag=%s %s is=%s", tag, life, entry);
            }
        });
    }
}

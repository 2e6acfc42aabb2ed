package io.mhsld.stress.storm;

import io.mhsld.stress.storm.Requests.Run;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * The oracle of shared capacity: which processes may hold which tag, which certainly do, and what they have written there. A tag is made once and
 * never again, so that what is gone must stay so.
 *
 * <p>A process <em>may</em> hold a tag from the request that could make it so until the reply to the one that ends it; of a dead one, until its head
 * lives again. It <em>certainly</em> does from a reply until the request that may end it, or its doom.
 */
final class TagOracle {
    private static final int GONE_TAGS_REMEMBERED = 400;

    /** Whether the fabric manager keeps a tag. */
    enum Kept {
        NO,
        MAYBE,
        YES
    }

    /** One tag. Its fields are the oracle's. */
    static final class Tag {
        private final int number;
        private final UUID name = UUID.randomUUID();
        private final int region;
        private final Map<Life, Object> certain = new HashMap<>();
        private final Set<Life> possible = new HashSet<>();
        private final Set<Integer> everHeld = new HashSet<>();

        /** The last write to each line that was answered, by its address: by which life. */
        private final Map<Long, Integer> written = new HashMap<>();

        private List<Run> runs = List.of();
        private Kept kept = Kept.NO;
        private boolean known;
        private boolean gone;

        private Tag(int number, int region) {
            this.number = number;
            this.region = region;
        }

        int number() {
            return number;
        }

        UUID name() {
            return name;
        }

        int region() {
            return region;
        }

        private boolean mayHave(long block) {
            return runs.isEmpty() || runs.stream().anyMatch(run -> run.has(block));
        }

        private long mayHold() {
            long heads = 0;
            for (Life life : possible) {
                heads |= 1L << life.head();
            }
            return heads;
        }

        @Override
        public String toString() {
            return "number=" + number + " name=" + name + " runs=" + runs + " kept=" + kept + " gone=" + gone
                    + " certain=" + certain.keySet() + " possible=" + possible;
        }
    }

    /**
     * What was known when something was asked of a tag.
     *
     * @param wasGone then nobody can have it any more
     * @param holders then they certainly held it; still the same values are still the same holding
     * @param wasKept then the fabric manager certainly kept it
     */
    record Before(boolean wasGone, Map<Life, Object> holders, boolean wasKept) {}

    private final Map<Integer, Tag> tags = new LinkedHashMap<>();
    private int lastNumber;
    private long endings;

    /** A new device: no tag is anything. Numbers go on, so that bytes of old ones are known. */
    synchronized void makeAnew() {
        tags.clear();
        endings++;
    }

    // ---- what heads do

    /** The process is about to make a tag; others may know it already. */
    synchronized Tag create(Life life, int region, boolean known) {
        Tag tag = new Tag(++lastNumber, region);
        tag.possible.add(life);
        tag.everHeld.add(life.number());
        tag.known = known;
        tags.put(tag.number, tag);
        forgetOld();
        return tag;
    }

    private void forgetOld() {
        int gone = (int) tags.values().stream().filter(tag -> tag.gone).count();
        var each = tags.values().iterator();
        for (; gone > GONE_TAGS_REMEMBERED && each.hasNext(); ) {
            if (each.next().gone) {
                each.remove();
                gone--;
            }
        }
    }

    /** The process is about to join it. */
    synchronized Before joining(Tag tag, Life life) {
        Before before = before(tag);
        tag.possible.add(life);
        tag.everHeld.add(life.number());
        return before;
    }

    /** What is known of it now. */
    synchronized Before before(Tag tag) {
        return new Before(tag.gone, Map.copyOf(tag.certain), tag.kept == Kept.YES);
    }

    /** True when it was there all the time since: then "nothing has the tag" is wrong. */
    synchronized boolean wasThereSince(Tag tag, Before before) {
        boolean isHeld = before.holders.entrySet().stream()
                .anyMatch(entry -> tag.certain.get(entry.getKey()) == entry.getValue());
        return isHeld || (before.wasKept && tag.kept == Kept.YES);
    }

    /**
     * A reply says that the process holds it.
     *
     * @return what is wrong about that
     */
    synchronized Optional<String> held(Tag tag, Life life, List<Run> runs) {
        tag.known = true;
        if (!tag.runs.isEmpty() && !tag.runs.equals(runs)) {
            return Optional.of("I1 a tag has become another: tag=[" + tag + "] by=[" + life + "] runs=" + runs);
        }
        tag.runs = List.copyOf(runs);
        if (life.isDoomed()) {
            return Optional.empty();
        }
        tag.certain.put(life, new Object());
        return tags.values().stream()
                .filter(other -> other != tag && (!other.certain.isEmpty() || other.kept == Kept.YES))
                .filter(other ->
                        other.runs.stream().anyMatch(run -> runs.stream().anyMatch(one -> meet(one, run))))
                .map(other -> "I1 two tags have a block: tag=[" + tag + "] other=[" + other + "]")
                .findFirst();
    }

    private static boolean meet(Run one, Run other) {
        return one.first() < other.first() + other.count() && other.first() < one.first() + one.count();
    }

    /** What may end its holding is about to be sent. */
    synchronized void leaving(Tag tag, Life life) {
        tag.certain.remove(life);
    }

    /** A reply says that it does not hold it. */
    synchronized void left(Tag tag, Life life) {
        tag.certain.remove(life);
        tag.possible.remove(life);
        endings++;
        lookWhetherGone(tag);
    }

    /** The process may be dead from here on. */
    synchronized void doom(Life life) {
        tags.values().forEach(tag -> tag.certain.remove(life));
    }

    /** A head serves: what earlier processes of it held has been taken from them. */
    synchronized void serves(Life life) {
        endings++;
        for (Tag tag : tags.values()) {
            tag.possible.removeIf(other -> other != life && other.head() == life.head());
            lookWhetherGone(tag);
        }
    }

    private static void lookWhetherGone(Tag tag) {
        tag.gone |= tag.possible.isEmpty() && tag.kept == Kept.NO;
    }

    // ---- what the fabric manager does

    /** It may be kept, or may not be. */
    synchronized Before changing(Tag tag) {
        Before before = before(tag);
        tag.kept = Kept.MAYBE;
        return before;
    }

    /** It is, or it is not. */
    synchronized void changed(Tag tag, boolean kept) {
        tag.kept = kept ? Kept.YES : Kept.NO;
        lookWhetherGone(tag);
    }

    /** Tags that the fabric manager certainly keeps. */
    synchronized List<Tag> kept() {
        return tags.values().stream().filter(tag -> tag.kept == Kept.YES).toList();
    }

    // ---- bytes

    /** A write of a line was answered. */
    synchronized void written(Tag tag, Life life, long dpa) {
        tag.written.merge(dpa, life.number(), Math::max);
    }

    /** The lines that must be there at least, by address; of later processes than that they may be. */
    synchronized Map<Long, Integer> written(Tag tag) {
        return Map.copyOf(tag.written);
    }

    /** True when bytes that the writer left under the tag may be seen by the reader. */
    synchronized boolean mayBeSeen(int number, int writer, Life reader) {
        Tag tag = tags.get(number);
        return tag != null && tag.everHeld.contains(writer) && tag.everHeld.contains(reader.number());
    }

    // ---- looking

    /** Grows when somebody may have lost something; what was looked at before and after may be compared while it is the same. */
    synchronized long endings() {
        return endings;
    }

    /**
     * True when there is a tag that may have the block and that all these heads may hold; who is making a tag may claim what is kept, and lets go of
     * it again.
     */
    synchronized boolean mayBeShared(long block, long heads) {
        long making = 0;
        for (Tag tag : tags.values()) {
            making |= tag.runs.isEmpty() ? tag.mayHold() : 0;
        }
        for (Tag tag : tags.values()) {
            if ((heads & ~tag.mayHold() & ~making) == 0 && tag.mayHave(block)) {
                return true;
            }
        }
        return false;
    }

    /** Blocks that the process certainly holds under tags. */
    synchronized List<Long> certain(Life life) {
        NavigableSet<Long> blocks = new TreeSet<>();
        for (Tag tag : tags.values()) {
            if (tag.certain.containsKey(life)) {
                for (Run run : tag.runs) {
                    for (long block = run.first(); block < run.first() + run.count(); block++) {
                        blocks.add(block);
                    }
                }
            }
        }
        return List.copyOf(blocks);
    }

    /** A tag that is known: mostly one that is there, else one that may be there, or one that cannot. */
    synchronized Optional<Tag> choose(SplittableRandom random) {
        int dice = random.nextInt(10);
        List<Tag> known = tags.values().stream()
                .filter(tag -> tag.known)
                .filter(tag ->
                        dice == 0 ? tag.gone : dice < 3 ? !tag.gone : !tag.certain.isEmpty() || tag.kept == Kept.YES)
                .toList();
        return known.isEmpty() ? Optional.empty() : Optional.of(known.get(random.nextInt(known.size())));
    }

    /** A row of the tag table, as somebody else reads it. */
    record Row(UUID name, int region, long holders, boolean kept, List<Run> runs) {}

    /** What is wrong with the rows at a moment at which nothing is under way. */
    synchronized List<String> compare(List<Row> rows) {
        List<String> wrong = new ArrayList<>();
        Map<UUID, Row> found = new TreeMap<>();
        rows.forEach(row -> found.put(row.name, row));
        for (Tag tag : tags.values()) {
            Row row = found.remove(tag.name);
            long must = 0;
            for (Life life : tag.certain.keySet()) {
                must |= 1L << life.head();
            }
            if (row == null) {
                if (must != 0 || tag.kept == Kept.YES) {
                    wrong.add("I2 a tag that is held has no row: tag=[" + tag + "]");
                }
                continue;
            }
            boolean isRight = row.region == tag.region
                    && (tag.runs.isEmpty() || row.runs.equals(tag.runs))
                    && (must & ~row.holders) == 0
                    && (row.holders & ~tag.mayHold()) == 0
                    && (tag.kept == Kept.MAYBE || row.kept == (tag.kept == Kept.YES));
            if (!isRight) {
                wrong.add("I2 a tag's row is not what the replies said: row=" + row + " tag=[" + tag + "]");
            }
        }
        found.values().forEach(row -> wrong.add("I2 a row of a tag that nobody has made: row=" + row));
        return wrong;
    }
}

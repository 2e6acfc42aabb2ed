package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.MAX_EXTENTS;
import static io.mhsld.state.StateFileDescriptor.POISON_ADDING_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_FLAGS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_UNLISTED_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENT_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_EXTENT_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_HOLDERS_OFFSET;

import io.mhsld.state.PoisonTable.Run;
import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import io.mhsld.state.TagTable.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What the tables that no head owns say in themselves: tag table, region settings, poison table. Whoever changes one has the table lock; one who
 * died with it leaves nothing here that is told as wrong, for the next one ends what was begun.
 */
public final class TableCheck {
    private final StateFile state;
    private final Geometry geometry;
    private final TagTable tags;
    private final Consumer<Finding> findings;
    private final Consumer<String> notes;

    TableCheck(StateFile state, Consumer<Finding> findings, Consumer<String> notes) {
        this.state = state;
        this.geometry = state.geometry();
        this.tags = state.tags();
        this.findings = findings;
        this.notes = notes;
    }

    /** True for a row that nobody can have meant, whoever holds it. */
    public static boolean isImpossible(StateFile state, Entry entry) {
        List<Finding> found = new ArrayList<>();
        new TableCheck(state, found::add, note -> {}).checkRow(entry);
        return !found.isEmpty();
    }

    void check() {
        checkTags();
        checkRegions();
        checkPoison();
    }

    // ---- tags

    private void checkTags() {
        long sequence = tags.sequenceVolatile();
        if (sequence < 0 || sequence > RowCheck.LAST_NUMBER) {
            findings.accept(Finding.of("I2", "tag table makes no sense")
                    .with("field", "sequence")
                    .with("offset", state.tagTableOffset())
                    .with("value", sequence));
        }
        Map<UUID, Integer> rowOfTag = new HashMap<>();
        Map<Long, long[]> blocks = new TreeMap<>();
        for (Entry entry : tags.readAll()) {
            if (!checkRow(entry)) {
                continue;
            }
            if (entry.state() == State.FREEING || entry.isGone()) {
                notes.accept("nobody holds this tag any more, whoever next changes the table frees it: tag="
                        + entry.tag() + " row=" + entry.row());
                continue;
            }
            Integer other = rowOfTag.putIfAbsent(entry.tag(), entry.row());
            if (other != null) {
                findings.accept(atRow("two rows have one tag", entry, 0).with("other_row", other));
            }
            for (int i = 0; i < entry.extents().size(); i++) {
                TagCover.blocksOf(geometry, entry.extents().get(i))
                        .ifPresent(run -> blocks.put(run[0], new long[] {run[1], entry.row()}));
            }
        }
        checkApart(blocks);
    }

    /** True when nothing is wrong with the row alone. */
    private boolean checkRow(Entry entry) {
        if (entry.state() == State.DAMAGED) {
            return found(atRow("tag row makes no sense", entry, 0)
                    .with("field", "life")
                    .with("value", entry.life()));
        }
        if (isAnnouncedByNobody(entry.row())) {
            return found(atRow("tag row makes no sense", entry, 0)
                    .with("field", "reference announced")
                    .with("value", entry.life()));
        }
        int count = tags.extentCountPlain(entry.row());
        if (count < 1 || count > MAX_EXTENTS) {
            return found(atRow("tag row makes no sense", entry, TAG_EXTENT_COUNT_OFFSET)
                    .with("field", "extent count")
                    .with("value", count));
        }
        if (!tags.isWhole(entry)) {
            return found(atRow("tag row is not what was written", entry, TAG_EXTENTS_OFFSET));
        }
        boolean isOfRegion = entry.region() >= 0
                && entry.region() < geometry.regions().size()
                && geometry.regions().get(entry.region()).shareable();
        for (int i = 0; i < entry.extents().size(); i++) {
            Range range = entry.extents().get(i);
            Optional<long[]> run = TagCover.blocksOf(geometry, range);
            if (!isOfRegion
                    || run.isEmpty()
                    || geometry.regionOfBlock(run.get()[0]).id() != entry.region()) {
                return found(atRow("extent of a tag is impossible", entry, TAG_EXTENTS_OFFSET + i * TAG_EXTENT_LENGTH)
                        .with("dpa", range.startDpa())
                        .with("length", range.lengthBytes()));
            }
        }
        long bits = tags.holderBitsVolatile(entry.row());
        boolean hasForeign = geometry.headCount() < Long.SIZE && bits >>> geometry.headCount() != 0;
        boolean isKeptByNobody = entry.state() == State.LIVE && bits == 0 && !entry.isReferenced();
        if (hasForeign || isKeptByNobody) {
            return found(atRow(
                            hasForeign ? "holder of a tag is no head" : "nobody holds this tag, and it is live",
                            entry,
                            TAG_HOLDERS_OFFSET)
                    .with("holders", "0x" + Long.toHexString(bits)));
        }
        return true;
    }

    /** A reference is announced only while the table is being changed, by one who lives or has died. */
    private boolean isAnnouncedByNobody(int row) {
        long sequence = tags.sequenceVolatile();
        return (sequence & 1) == 0
                && TagTable.isBeingReferenced(tags.lifeVolatile(row))
                && tags.sequenceVolatile() == sequence;
    }

    private boolean found(Finding finding) {
        findings.accept(finding);
        return false;
    }

    private void checkApart(Map<Long, long[]> blocks) {
        long end = 0;
        for (Map.Entry<Long, long[]> run : blocks.entrySet()) {
            if (run.getKey() < end) {
                findings.accept(Finding.of("I2", "extents of tags overlap")
                        .with("row", run.getValue()[1])
                        .with("block", run.getKey())
                        .with("dpa", geometry.dpaOfBlock(run.getKey()))
                        .with("offset", state.tagRowOffset((int) run.getValue()[1])));
            }
            end = Math.max(end, run.getKey() + run.getValue()[0]);
        }
    }

    private Finding atRow(String cause, Entry entry, int fieldOffset) {
        return Finding.of("I2", cause)
                .with("row", entry.row())
                .with("tag", entry.tag())
                .with("offset", state.tagRowOffset(entry.row()) + fieldOffset);
    }

    // ---- region settings

    private void checkRegions() {
        for (Geometry.Region region : geometry.regions()) {
            if (!state.regionSettings().isSoundVolatile(region.id())) {
                findings.accept(Finding.of("I7", "region settings make no sense")
                        .with("region", region.id())
                        .with("value", state.regionSettings().wordVolatile(region.id()))
                        .with("offset", state.regionRowOffset(region.id())));
            }
        }
    }

    // ---- poison

    private void checkPoison() {
        PoisonTable poison = state.poison();
        long at = state.poisonTableOffset();
        if (!poison.isCurrentSound()) {
            findings.accept(Finding.of("I7", "poison table makes no sense")
                    .with("field", "current")
                    .with("value", poison.currentVolatile())
                    .with("offset", at));
        }
        if (poison.isAddingUnsound()) {
            findings.accept(Finding.of("I7", "poison table makes no sense")
                    .with("field", "adding")
                    .with("value", poison.addingVolatile())
                    .with("offset", at + POISON_ADDING_OFFSET));
        }
        int count = poison.countPlain();
        int unlisted = poison.unlistedCountPlain();
        if (count < 0 || count > PoisonTable.MAX_RECORDS) {
            foundPoison("record count", count, at + poison.listPlace() + POISON_COUNT_OFFSET);
            return;
        }
        if (unlisted < 0 || unlisted > PoisonTable.MAX_UNLISTED) {
            foundPoison("unlisted count", unlisted, at + poison.listPlace() + POISON_UNLISTED_OFFSET);
            return;
        }
        if (!PoisonTable.isKnownFlags(poison.flagsPlain())) {
            foundPoison("flags", poison.flagsPlain(), at + poison.listPlace() + POISON_FLAGS_OFFSET);
        }
        PoisonTable.Snapshot snapshot = poison.read();
        for (int i = 0; i < snapshot.records().size(); i++) {
            checkRecord(snapshot.records().get(i), at + poison.recordPlace(i));
        }
        for (int i = 0; i < snapshot.unlisted().size(); i++) {
            checkRecord(snapshot.unlisted().get(i), at + poison.recordPlace(PoisonTable.MAX_RECORDS + i));
        }
    }

    private void checkRecord(Run record, long offset) {
        if (!record.isPossible(geometry)) {
            findings.accept(Finding.of("I7", "poison record is impossible")
                    .with("dpa", record.startDpa())
                    .with("length", record.lengthBytes())
                    .with("source", record.source())
                    .with("offset", offset));
        }
    }

    private void foundPoison(String field, int value, long offset) {
        findings.accept(Finding.of("I7", "poison table makes no sense")
                .with("field", field)
                .with("value", value)
                .with("offset", offset));
    }
}

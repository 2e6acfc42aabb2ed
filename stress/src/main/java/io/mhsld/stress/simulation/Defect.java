package io.mhsld.stress.simulation;

import io.mhsld.stress.storm.SourceChange;
import java.util.Locale;
import java.util.Optional;

/** A mistake that is put in on purpose, to see that the simulation finds it: the reference's ownership defects, and some that make each check fail. */
enum Defect {
    /** A roll-back goes by the failing record: earlier extents leak, and own bits behind the failing one go. */
    E9,
    /** A roll-back takes the own bit out of the block that was in the way, too. */
    E10,
    /** The access check counts whole blocks, of which a small access has none. */
    E11,
    /** What the host does not accept is given back at its offset in the region, as if there were no other region. */
    E12,
    /** Rejecting a whole offer gives nothing back. */
    E13,
    /** What is given back is looked for in the region of its first extent only. */
    E14,
    /** A head that ends removes the state file under the others. */
    E15,
    /** A reset clears the map and not the extents. */
    E16,
    /** Blocks are offered with what their last owner left in them. */
    UNSCRUBBED,
    /** Whoever reaps does not ask for the lease. */
    UNLEASED,
    /** Heads do not look after their peers. */
    LAZY,
    /** A counter that only grows is set back. */
    COUNTER,
    /** Who joins a tag looks for it before it has the table lock, and not again. */
    JOIN("TagRegistry", """
            return lock.with(TableLock.PATIENCE_MS, () -> {
                                settle();
                                CrashPoint.TAG_JOIN_LOCKED.reached();
                                return joinNow(head, region, tag);
            """, """
            Optional<Entry> early = tags.find(tag);
            machine.pause(100_000_000);
            return early.isEmpty() ? Joined.of(unknown(tag)) : lock.with(TableLock.PATIENCE_MS, () -> {
                                tags.beginChange();
                                tags.addHolder(early.get().row(), head);
                                tags.endChange();
                                return Joined.of(early.get());
            """),
    /** The last one out leaves the row as it is. */
    LAST_OUT("TagRegistry", "} else if (hasAllBlocks) {\n            tags.free(row);", "} else if (hasAllBlocks) {"),
    /** A claim does not look whether what nobody owns belongs to a tag. */
    KEPT("Claims", "return checkUntagged(claimed).or(() -> checkGranule(claimed))", "return checkGranule(claimed)"),
    /** Who leaves a tag gives its memory back, whoever else has it. */
    GIVE_BACK(
            "SharedCapacity",
            "boolean isOwnMemory = extent.sharedSequence() == 0 || isAlone.getOrDefault(extent.tag(), false);",
            "boolean isOwnMemory = true;"),
    /** A reaper takes the dead out of rows without the table lock. */
    REAP_ROWS(
            "Reaper",
            "tags.trySweep();",
            "for (int row = 0; row < 128; row++) { if ((state.tags().holderBitsVolatile(row) >>> head & 1) != 0) {"
                    + " state.tags().removeHolder(row, head); } }"),
    /** A row becomes live before it is filled. */
    HALF_ROW(
            "TagRegistry",
            "tags.fillPlain(row, tag, region, extents);",
            "tags.publish(row, false); tags.fillPlain(row, tag, region, extents);"),
    /** The table lock is let go of too soon. */
    UNLOCKED(
            "TableLock",
            "return new Result<>(Optional.of(action.get())",
            "lock.release(); return new Result<>(Optional.of(action.get())"),
    /** Who joins a tag gets only the first of its extents. */
    FIRST_EXTENT(
            "SharedTags",
            "for (Range range : entry.extents()) {",
            "for (Range range : entry.extents().subList(0, 1)) {"),
    /** A block size is set though somebody uses the region. */
    IN_USE(
            "RegionSettings",
            "private boolean isInUse(int id) {",
            "private boolean isInUse(int id) { if (id >= 0) { return false; }");

    /** A class of the heads, empty when the mistake is none of the product's own. */
    private final String source;

    private final String sound;
    private final String wrong;

    Defect() {
        this("", "", "");
    }

    /** In the product itself. */
    Defect(String source, String sound, String wrong) {
        this.source = source;
        this.sound = sound;
        this.wrong = wrong;
    }

    /** Where the product is wrong with it; empty when what the simulation puts around the product is. */
    Optional<SourceChange> change() {
        return source.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new SourceChange("mhsld-core/src/main/java/io/mhsld/head/" + source + ".java", sound, wrong));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

package io.mhsld.stress.simulation;

import java.util.Locale;

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
    COUNTER;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}

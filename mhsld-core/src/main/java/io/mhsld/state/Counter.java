package io.mhsld.state;

/**
 * What each head counts. Places in the row are never given anew: new counters go to the end. They never go backwards within an incarnation,
 * apart from the two that say how much is held now.
 */
public enum Counter {
    /** Blocks with this head's bit now. */
    BLOCKS_OWNED(0, "blocks owned", true),
    /** Extents in the table now, pending ones included. */
    EXTENTS_HELD(1, "extents held", true),
    /** Groups that were offered to the host. */
    ADDS(2, "adds"),
    /** Groups that could not be reserved: blocks of other heads were in the way, or there was no memory. */
    ADDS_REFUSED(3, "adds refused"),
    /** Claims that met a block of another head. */
    CLAIM_CONFLICTS(4, "claim conflicts"),
    /** Blocks that the host accepted. */
    BLOCKS_ACCEPTED(5, "blocks accepted"),
    /** Blocks that were offered and given back without being accepted. */
    BLOCKS_RECLAIMED(6, "blocks reclaimed"),
    /** Accepted blocks that the host let go of or lost. */
    BLOCKS_RELEASED(7, "blocks released"),
    /** Dead heads that this head reaped. */
    HEADS_REAPED(8, "heads reaped"),
    /** Accesses that were refused. */
    ACCESSES_REFUSED(9, "accesses refused"),
    /** Bytes read through this head. */
    BYTES_READ(10, "bytes read"),
    /** Bytes written through this head. */
    BYTES_WRITTEN(11, "bytes written");

    private final int place;
    private final String label;
    private final boolean level;

    Counter(int place, String label) {
        this(place, label, false);
    }

    Counter(int place, String label, boolean level) {
        this.place = place;
        this.label = label;
        this.level = level;
    }

    /** Which of the 64-bit numbers of a head's row it is. */
    int place() {
        return place;
    }

    /** In words, for people. */
    public String label() {
        return label;
    }

    /** True for what is held now, false for what only grows. */
    public boolean isLevel() {
        return level;
    }
}

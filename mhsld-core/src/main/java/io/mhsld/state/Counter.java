package io.mhsld.state;

/**
 * What each head counts. Its place in the row is its ordinal: new counters go to the end. They never go backwards within an incarnation,
 * apart from the two that say how much is held now.
 */
public enum Counter {
    /** Blocks with this head's bit now. */
    BLOCKS_OWNED("blocks owned", true),
    /** Extents in the table now, pending ones included. */
    EXTENTS_HELD("extents held", true),
    /** Groups that were offered to the host. */
    ADDS("adds"),
    /** Groups that were refused, for whatever reason. */
    ADDS_REFUSED("adds refused"),
    /** Claims that met a block of another head. */
    CLAIM_CONFLICTS("claim conflicts"),
    /** Blocks that the host accepted. */
    BLOCKS_ACCEPTED("blocks accepted"),
    /** Blocks that were offered and given back without being accepted. */
    BLOCKS_RECLAIMED("blocks reclaimed"),
    /** Accepted blocks that the host let go of or lost. */
    BLOCKS_RELEASED("blocks released"),
    /** Dead heads that this head reaped. */
    HEADS_REAPED("heads reaped"),
    /** Accesses that were refused. */
    ACCESSES_REFUSED("accesses refused"),
    /** Bytes read through this head. */
    BYTES_READ("bytes read"),
    /** Bytes written through this head. */
    BYTES_WRITTEN("bytes written");

    private final String label;
    private final boolean level;

    Counter(String label) {
        this(label, false);
    }

    Counter(String label, boolean level) {
        this.label = label;
        this.level = level;
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

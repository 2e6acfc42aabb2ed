package io.mhsld.state;

/**
 * The steps between which a process may die, by name. A process that is started with {@code -Dmhsld.crash=ADD_CLAIMED} ends as by {@code SIGKILL}
 * when it comes to that step, with {@code -Dmhsld.crash=ADD_CLAIMED:3} when it comes there for the third time; the tests kill one at each of them.
 * Unarmed, a step costs nothing once it is compiled.
 */
public enum CrashPoint {
    // An add (MultiHeadHooks.reserve and what surrounds it).
    /** The head has said that table and map may disagree. */
    ADD_BEGUN,
    /** One extent of the request is claimed. */
    ADD_EXTENT_CLAIMED,
    /** All are. */
    ADD_CLAIMED,
    /** One extent is scrubbed and its memory reserved. */
    ADD_EXTENT_SCRUBBED,
    /** All are. */
    ADD_SCRUBBED,
    /** No line of them is poisoned. */
    ADD_UNPOISONED,
    /** The counter of owned blocks knows of them. */
    ADD_COUNTED,
    /** The extents stand in the table. */
    ADD_PUBLISHED,
    /** An add that is lost has given back the memory of an extent that it had claimed. */
    ADD_GIVEN_BACK,
    /** Such an extent is cleared. */
    ADD_CLEARED,
    /** Table and map agree. */
    ADD_ENDED,

    // The host accepts an offer, in whole or in part; what it does not accept is reclaimed.
    ACCEPT_BEGUN,
    ACCEPT_PUBLISHED,
    ACCEPT_COUNTED,
    /** The memory of an extent is given back, its blocks are not cleared yet; likewise below. */
    ACCEPT_GIVEN_BACK,
    ACCEPT_CLEARED,
    ACCEPT_ENDED,

    // The host accepts nothing of an offer.
    REJECT_BEGUN,
    REJECT_PUBLISHED,
    REJECT_GIVEN_BACK,
    REJECT_CLEARED,
    REJECT_ENDED,

    // The host releases.
    RELEASE_BEGUN,
    RELEASE_PUBLISHED,
    RELEASE_GIVEN_BACK,
    RELEASE_CLEARED,
    RELEASE_ENDED,

    // The fabric manager takes accepted and offered capacity away.
    FORCED_RELEASE_BEGUN,
    FORCED_RELEASE_PUBLISHED,
    FORCED_RELEASE_GIVEN_BACK,
    FORCED_RELEASE_CLEARED,
    FORCED_RELEASE_ENDED,

    // The host restarts, or the head leaves.
    RESET_BEGUN,
    RESET_PUBLISHED,
    RESET_GIVEN_BACK,
    RESET_CLEARED,
    RESET_ENDED,

    // Shared capacity (TagRegistry and what surrounds it). What follows a leave is as with capacity that is not shared.
    /** A new tag's blocks are claimed and scrubbed, and the table lock is held. */
    TAG_CREATE_LOCKED,
    /** The row says what the tag is, and is not live yet. */
    TAG_CREATE_FILLED,
    /** The head is among its holders. */
    TAG_CREATE_HELD,
    /** The row is live. */
    TAG_CREATE_LIVE,
    /** The lock is released, the extents do not stand in the head's table yet. */
    TAG_CREATED,
    /** The tag was found, and the table lock is held. */
    TAG_JOIN_LOCKED,
    /** The joining head has announced itself in the row, and not looked yet whether it comes too late. */
    TAG_JOIN_ANNOUNCED,
    /** The head is among its holders, and has not looked whether it came in time. */
    TAG_JOIN_HELD,
    /** The lock is released, no block has the head's bit yet. */
    TAG_JOIN_UNLOCKED,
    /** The blocks of one extent have the head's bit. */
    TAG_JOIN_EXTENT_SHARED,
    /** Those of all have. */
    TAG_JOINED,
    /** The head's extents are gone from its table, and the table lock is held. */
    TAG_LEAVE_LOCKED,
    /** The head is not among the holders any more, and others are, or the fabric manager keeps the tag. */
    TAG_LEAVE_LEFT,
    /** The row is free: the blocks are now the head's alone. */
    TAG_LEAVE_FREED,
    /** The lock is released. */
    TAG_LEAVE_UNLOCKED,
    /** The fabric manager is about to keep a tag, or not to: the table lock is held. */
    TAG_REFERENCE_LOCKED,
    /** The reference is announced in the row, and nobody has looked yet whether it comes too late. */
    TAG_REFERENCE_ANNOUNCED,
    /** The row says that it is kept; nobody has looked yet whether that came in time. */
    TAG_REFERENCE_ADDED,
    /** The row does not say so any more. */
    TAG_REFERENCE_REMOVED,
    /** Nobody holds the tag, and its memory is about to be given back. */
    TAG_FREEING,
    /** It is. */
    TAG_FREEING_GIVEN_BACK,
    /** The row is free. */
    TAG_FREEING_FREED,
    /** A row that nobody held any more was made free. */
    TAG_SWEPT,

    // Region settings and poison.
    /** A block size is proposed. */
    REGION_PROPOSED,
    /** Nobody owns a block of the region. */
    REGION_UNUSED,
    /** The settings are the new ones. */
    REGION_SET,
    /** It is said that poison is about to be added, nobody has looked yet whose the blocks are. */
    POISON_ANNOUNCED,
    /** A line that is to be cleared has its new bytes, and is poisoned. */
    POISON_LINE_WRITTEN,
    /** The new list is written, the old one counts. */
    POISON_WRITTEN,
    /** The new one counts. */
    POISON_SET,

    // A process becomes a head, and leaves.
    /** It has the lease and has not looked at anything yet. */
    ATTACH_LEASED,
    /** Its predecessor's leftovers are freed. */
    ATTACH_FREED,
    /** Its row says who it is. */
    ATTACH_STARTED,
    /** Its row says where it answers. */
    ATTACH_SERVING,
    /** All capacity is let go of, the row not yet. */
    LEAVE_RELEASED,
    /** The row is free, the lease is still held. */
    LEAVE_ROW_FREED,

    // What a dead head held is freed: by its successor, a peer, or recover.
    /** The reaper has the dead head's lease. */
    REAP_LEASED,
    /** The row says that it is being reaped. */
    REAP_MARKED,
    /** Table and map may disagree. */
    REAP_BEGUN,
    /** The incarnation is raised: it holds no tag any more. */
    REAP_INCARNATION_RAISED,
    /** The table is empty. */
    REAP_TABLE_EMPTIED,
    /** The memory of a run of blocks is given back. */
    REAP_GIVEN_BACK,
    /** That run is cleared. */
    REAP_CLEARED,
    /** The counters say so. */
    REAP_COUNTED,
    /** Table and map agree. */
    REAP_ENDED,
    /** The row is free, the lease is still held. */
    REAP_ROW_FREED,

    // Init.
    /** All leases are held. */
    INIT_LEASED,
    /** The new state file exists under its unfinished name, and is empty. */
    INIT_CREATED,
    /** It has its length. */
    INIT_PREALLOCATED,
    /** Its header is filled, all but the version. */
    INIT_HEADER_FILLED,
    /** It is whole. */
    INIT_PREPARED,
    /** The media file is said to be this device's. */
    INIT_MEDIA_BOUND,
    /** The media file is made or emptied. */
    INIT_MEDIA_CREATED,
    /** The new state file has its name. */
    INIT_PUBLISHED,

    // Destroy.
    /** All leases are held. */
    DESTROY_LEASED,
    DESTROY_MEDIA_REMOVED,
    DESTROY_MEDIA_UNBOUND,
    DESTROY_SOCKETS_REMOVED,
    DESTROY_STATE_REMOVED,
    DESTROY_LEASES_REMOVED,

    // Recover (which also reaps).
    RECOVER_BEGUN,
    /** One dead head is freed. */
    RECOVER_HEAD_FREED,
    /** All dead heads are. */
    RECOVER_HEADS_FREED,
    /** Rows of tags, settings and poison that make no sense are mended. */
    RECOVER_TABLES_MENDED,
    /** Bits of no head are cleared. */
    RECOVER_MAP_CLEANED;

    /** Names the step at which the process ends, and after a colon how many times it comes there. */
    public static final String PROPERTY = "mhsld.crash";

    /** The exit code of a process that ended so; that of one killed by signal 9, as a shell tells it. */
    public static final int EXIT_CODE = 137;

    private static final CrashPoint ARMED;
    private static long passagesLeft;

    static {
        String value = System.getProperty(PROPERTY);
        if (value == null) {
            ARMED = null;
        } else {
            String[] parts = value.split(":", 2);
            ARMED = valueOf(parts[0]);
            passagesLeft = parts.length == 1 ? 1 : Long.parseLong(parts[1]);
        }
    }

    /** True when somebody wants to know of steps: saves looking up which one it is. */
    public static boolean areWatched() {
        return ARMED != null || SharedMemory.isWatched();
    }

    /** The process has come to this step. */
    public void reached() {
        if (ARMED == this && --passagesLeft == 0) {
            Runtime.getRuntime().halt(EXIT_CODE);
        }
        SharedMemory.passed(this);
    }
}

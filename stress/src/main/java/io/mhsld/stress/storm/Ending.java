package io.mhsld.stress.storm;

import java.util.Locale;

/** How a block came to be nobody's: the paths on which its bytes must not survive. */
enum Ending {
    /** Nobody has had it since the device was made. */
    NEVER_OWNED,
    /** Its owner was killed. */
    KILLED,
    /** Its owner was killed while it left. */
    KILLED_LEAVING,
    /** Its owner was fenced. */
    FENCED,
    /** Its owner ended by SIGTERM or quit. */
    LEFT,
    /** The host released a whole extent. */
    RELEASED,
    /** The host released a part of an extent. */
    RELEASED_SPLIT,
    /** Taken by force. */
    FORCED,
    /** The host rejected the offer, all of it. */
    REJECTED,
    /** The host accepted another part of the offer. */
    ACCEPTED_IN_PART,
    /** The host was reset. */
    RESET,
    /** The device was made anew. */
    MADE_ANEW;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}

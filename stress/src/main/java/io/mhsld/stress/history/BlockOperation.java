package io.mhsld.stress.history;

/**
 * An operation as far as one block is concerned.
 *
 * @param head whose operation it is, or, of a reap, who is dead
 * @param course what it may do to the block
 * @param expected what it says that the register holds: 0 free, h + 1 head h; only of courses that look
 * @param mayBeginAgain of a claim: the block is not in the last word of its range
 * @param invokeNs when it began
 * @param returnNs when it was over, {@link #NEVER} when it never was
 * @param source what it was, for people
 */
public record BlockOperation(
        int head, Course course, int expected, boolean mayBeginAgain, long invokeNs, long returnNs, Object source) {
    /** It may still take its effect at any time. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Seen owners that no register can hold: two at once, or one that does not exist. */
    public static final int NO_REGISTER = 127;
}

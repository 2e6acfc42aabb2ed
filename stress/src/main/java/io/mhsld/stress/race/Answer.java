package io.mhsld.stress.race;

import io.mhsld.state.OwnerMap;

/** What calls returned, in words. */
final class Answer {
    /** Every block was free and is now the caller's. */
    static final String WON = "won";

    private static final String[] MET = new String[TwoHeads.BLOCKS];

    static {
        for (int block = 0; block < MET.length; block++) {
            MET[block] = "met " + block;
        }
    }

    private Answer() {}

    /** A claim's: "won", or "met 3" when block 3 was not free. */
    static String of(long claimed) {
        return claimed == OwnerMap.CLAIMED ? WON : MET[(int) claimed];
    }

    /** An access check's: "yes" or "no". */
    static String of(boolean owns) {
        return owns ? "yes" : "no";
    }
}

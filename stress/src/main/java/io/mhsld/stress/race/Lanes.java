package io.mhsld.stress.race;

import io.mhsld.state.OwnerMap;

/**
 * Pictures of the first blocks of an owner map, one letter for each: {@code -} free, {@code A}, {@code B}, {@code N} the head that owns it,
 * {@code #} anything else, such as two heads at once. "AA-N" is a map where head A owns blocks 0 and 1, and the neighbour N owns block 3.
 */
final class Lanes {
    private static final char[] LETTERS = {'-', 'A', 'B', 'N', '#'};
    private static final int MAX_BLOCKS = 6;

    /** Made once each: a race is run some million times. */
    private static final String[] PICTURES = new String[power(LETTERS.length, MAX_BLOCKS)];

    private Lanes() {}

    /** The picture of blocks 0 to {@code blocks - 1}, of which there are six at most. */
    static String picture(OwnerMap map, int headB, int blocks) {
        int number = 0;
        for (int block = 0; block < blocks; block++) {
            number = number * LETTERS.length + letterOf(map.ownersVolatile(block), headB);
        }
        // Pictures of one run have the same length.
        String picture = PICTURES[number];
        if (picture == null) {
            picture = draw(number, blocks);
            PICTURES[number] = picture;
        }
        return picture;
    }

    private static int letterOf(long lane, int headB) {
        if (lane == 0) {
            return 0;
        } else if (lane == 1L << TwoHeads.A) {
            return 1;
        } else if (lane == 1L << headB) {
            return 2;
        } else if (lane == 1L << TwoHeads.N) {
            return 3;
        }
        return 4;
    }

    private static String draw(int number, int blocks) {
        char[] picture = new char[blocks];
        int rest = number;
        for (int block = blocks - 1; block >= 0; block--) {
            picture[block] = LETTERS[rest % LETTERS.length];
            rest /= LETTERS.length;
        }
        return new String(picture);
    }

    private static int power(int base, int exponent) {
        return exponent == 0 ? 1 : base * power(base, exponent - 1);
    }
}

package io.mhsld.cli;

/**
 * Colours of heads on a terminal with 256 of them. The first eight keep apart for most colour-blind people too; with more than sixteen heads
 * they repeat, for the letter in the cell tells the head in any case.
 */
final class HeadColours {
    static final String RESET = "\u001b[0m";
    static final String FREE = "\u001b[38;5;240m";
    static final String DAMAGE = "\u001b[1;38;5;231;48;5;160m";

    /** Nobody's in particular: the terminal's own colours, the other way round. */
    static final String SHARED = "\u001b[7m";

    /** Red, green and blue of the 6 x 6 x 6 colour cube, one decimal digit each (25 is 0, 2, 5). */
    private static final int[] PALETTE = {530, 245, 32, 551, 25, 410, 424, 351, 544, 114, 210, 455, 302, 231, 523, 333};

    private static final int CUBE_START = 16;
    private static final int BLACK = 16;
    private static final int WHITE = 231;

    /** The eye takes green for brighter than red, and red for brighter than blue. */
    private static final int RED_WEIGHT = 30;

    private static final int GREEN_WEIGHT = 59;
    private static final int BLUE_WEIGHT = 11;
    private static final int BRIGHT = 220;

    private HeadColours() {}

    /** A cell that is the head's all over. */
    static String whole(int head) {
        return onBackground(colourOf(head));
    }

    /** A bar: text on a ground of its own colour. */
    static String solid(int head) {
        int number = numberOf(colourOf(head));
        return "\u001b[38;5;" + number + ";48;5;" + number + "m";
    }

    /** A cell that is the head's in part: the same colour, darker. */
    static String part(int head) {
        int colour = colourOf(head);
        return onBackground(100 * darker(colour / 100) + 10 * darker(colour / 10 % 10) + darker(colour % 10));
    }

    /** A cell that is not quite the head's yet: hollow. */
    static String pending(int head) {
        return "\u001b[1;4;38;5;" + numberOf(colourOf(head)) + "m";
    }

    private static int colourOf(int head) {
        return PALETTE[head % PALETTE.length];
    }

    private static int darker(int level) {
        return Math.max(0, level - 2);
    }

    private static String onBackground(int colour) {
        int brightness = RED_WEIGHT * (colour / 100) + GREEN_WEIGHT * (colour / 10 % 10) + BLUE_WEIGHT * (colour % 10);
        return "\u001b[38;5;" + (brightness >= BRIGHT ? BLACK : WHITE) + ";48;5;" + numberOf(colour) + "m";
    }

    private static int numberOf(int colour) {
        return CUBE_START + 36 * (colour / 100) + 6 * (colour / 10 % 10) + colour % 10;
    }
}

package io.mhsld.text;

/**
 * Text from a file, a host or a peer, as it may be shown on a terminal or written to a log: what would steer a terminal (the control characters
 * C0, DEL and C1), or pretend to be a line of ours, is shown as a question mark. It stays as long as it was.
 */
public final class ForeignText {
    private static final char MARK = '?';

    private ForeignText() {}

    /** As a part of one line. */
    public static String line(String text) {
        return shown(text, false);
    }

    /** The same where there may be several lines: line feeds and tabs are kept. */
    public static String lines(String text) {
        return shown(text, true);
    }

    private static String shown(String text, boolean mayHaveLines) {
        StringBuilder shown = new StringBuilder(text);
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            boolean isKept = mayHaveLines && (c == '\n' || c == '\t');
            if (Character.isISOControl(c) && !isKept) {
                shown.setCharAt(at, MARK);
            }
        }
        return shown.toString();
    }
}

package io.mhsld.stress.fuzz;

import java.util.Objects;

/** What a target asserts. Always on, other than {@code assert}; an {@link AssertionError} is a finding. */
final class Check {
    private Check() {}

    static void that(boolean condition, String claim) {
        if (!condition) {
            throw new AssertionError(claim);
        }
    }

    static void equal(Object expected, Object met, String what) {
        if (!Objects.equals(expected, met)) {
            throw new AssertionError(what + ": expected=" + expected + " met=" + met);
        }
    }

    /** A terminal obeys what control characters say, so nothing that is shown to people may have any besides line ends and tabs. */
    static void isPrintable(String text, String what) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) && c != '\n' && c != '\t') {
                throw new AssertionError(
                        String.format("%s has a control character: character=0x%02x at=%d", what, (int) c, i));
            }
        }
    }
}

package io.mhsld.cli;

import java.util.Locale;

/** Numbers of bytes as people write and read them; K, M, G, T and P are powers of 1024. */
final class Sizes {
    private static final String UNITS = "KMGTP";

    private Sizes() {}

    /**
     * Reads {@code 4G}, {@code 4GiB}, {@code 512k}, {@code 4096} or {@code 0x1000}.
     *
     * @throws IllegalArgumentException when it is no such number, is negative, or does not fit into 63 bits
     */
    static long parse(String text) {
        String digits = text.trim();
        if (digits.startsWith("-")) {
            throw new IllegalArgumentException("negative size: size=" + text);
        }
        try {
            if (digits.regionMatches(true, 0, "0x", 0, 2)) {
                return positive(Long.parseUnsignedLong(digits.substring(2).replace("_", ""), 16), text);
            }
            int shift = 0;
            String lower = digits.toLowerCase(Locale.ROOT);
            String number = lower.endsWith("ib") ? lower.substring(0, lower.length() - 2) : lower;
            int unit = number.isEmpty() ? -1 : UNITS.indexOf(Character.toUpperCase(number.charAt(number.length() - 1)));
            if (unit >= 0) {
                shift = 10 * (unit + 1);
                number = number.substring(0, number.length() - 1).stripTrailing();
            } else if (number.length() != lower.length()) {
                throw notASize(text);
            }
            if (!number.isEmpty() && number.charAt(0) == '+') {
                throw notASize(text);
            }
            long value = positive(Long.parseUnsignedLong(number), text);
            if (shift > Long.numberOfLeadingZeros(value) - 1) {
                throw tooLarge(text);
            }
            return value << shift;
        } catch (NumberFormatException e) {
            boolean isNumber = digits.matches("[0-9]+([kmgtpKMGTP]([iI][bB])?)?|0[xX][0-9a-fA-F_]+");
            throw isNumber ? tooLarge(text) : notASize(text);
        }
    }

    /** For people, in the largest unit that leaves a whole number before the point: "4 GiB", "3.25 GiB", "512 B"; never rounded up. */
    static String text(long bytes) {
        int unit = unitOf(bytes);
        if (unit == 0) {
            return bytes + " B";
        }
        long size = 1L << (10 * unit);
        long hundredths = ((bytes & (size - 1)) * 100) >>> (10 * unit);
        StringBuilder text = new StringBuilder().append(bytes / size);
        if (hundredths != 0) {
            text.append('.').append(hundredths / 10);
            if (hundredths % 10 != 0) {
                text.append(hundredths % 10);
            }
        }
        return text.append(' ').append(UNITS.charAt(unit - 1)).append("iB").toString();
    }

    /** Exact and short, as {@link #parse} reads it: "256M", "1536K", "0". */
    static String exact(long bytes) {
        int unit = Math.min(bytes == 0 ? 0 : Long.numberOfTrailingZeros(bytes) / 10, UNITS.length());
        return (bytes >>> (10 * unit)) + (unit == 0 ? "" : UNITS.substring(unit - 1, unit));
    }

    /** "1 block", "2 blocks". */
    static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    private static int unitOf(long bytes) {
        return bytes < 1024 ? 0 : Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, UNITS.length());
    }

    private static long positive(long value, String text) {
        if (value < 0) {
            throw tooLarge(text);
        }
        return value;
    }

    private static IllegalArgumentException tooLarge(String text) {
        return new IllegalArgumentException("size too large: size=" + text + " limit=" + Long.MAX_VALUE);
    }

    private static IllegalArgumentException notASize(String text) {
        return new IllegalArgumentException("not a size: size=\"" + text + "\" (write 4G, 4GiB, 512K, 4096 or 0x1000)");
    }
}

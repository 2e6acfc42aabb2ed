package io.mhsld.cli;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as people write and read them; K, M, G, T and P are powers of 1024. */
final class Sizes {
    private static final String UNITS = "KMGTP";

    /** ASCII only: the JDK's own reading of numbers takes digits of other scripts. */
    private static final Pattern SIZE = Pattern.compile(
            "0x(?<hexadecimal>_*[0-9a-f][0-9a-f_]*)|(?<decimal>[0-9]+) *((?<unit>[kmgtp])(ib)?)?",
            Pattern.CASE_INSENSITIVE);

    private Sizes() {}

    /**
     * Reads {@code 4G}, {@code 4GiB}, {@code 512k}, {@code 4096} or {@code 0x1000}.
     *
     * @throws IllegalArgumentException when it is no such number, is negative, or does not fit into 63 bits
     */
    static long parse(String text) {
        String size = text.trim();
        if (size.startsWith("-")) {
            throw new IllegalArgumentException("negative size: size=" + text);
        }
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches()) {
            throw notASize(text);
        }
        String hexadecimal = matcher.group("hexadecimal");
        String unit = matcher.group("unit");
        BigInteger value = hexadecimal != null
                ? new BigInteger(hexadecimal.replace("_", ""), 16)
                : new BigInteger(matcher.group("decimal"));
        int shift = unit == null ? 0 : 10 * (UNITS.indexOf(unit.toUpperCase(Locale.ROOT)) + 1);
        if (value.bitLength() + shift >= Long.SIZE && value.signum() > 0) {
            throw tooLarge(text);
        }
        return value.longValue() << shift;
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

    private static IllegalArgumentException tooLarge(String text) {
        return new IllegalArgumentException("size too large: size=" + text + " limit=" + Long.MAX_VALUE);
    }

    private static IllegalArgumentException notASize(String text) {
        return new IllegalArgumentException("not a size: size=\"" + text + "\" (write 4G, 4GiB, 512K, 4096 or 0x1000)");
    }
}

package io.mhsld.stress.fuzz;

import io.mhsld.cli.CommandLineText;
import io.mhsld.cli.UsageException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** Sizes, serial numbers and numbers of heads as people write them, each compared with a second reading of the same rules. */
public final class Numbers {
    private static final Pattern SIZE = Pattern.compile("([0-9]+) *(?:([kmgtp])(?:ib)?)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern QEMU_SIZE =
            Pattern.compile("([0-9]{1,20}(?:\\.[0-9]{1,20})?)([bkmgtpe]?)", Pattern.CASE_INSENSITIVE);
    private static final Pattern HEXADECIMAL = Pattern.compile("0x([0-9a-f_]+)", Pattern.CASE_INSENSITIVE);
    private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(63);

    private Numbers() {}

    /** Fails when the two readings differ. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        String text = new Input(bytes).text();
        compare(size(text), CommandLineText::size, text);
        compare(qemuSize(text), CommandLineText::qemuSize, text);
        compare(serial(text), CommandLineText::serial, text);
        Optional<BigInteger> number = qemuNumber(text);
        compare(number.filter(value -> value.bitLength() < Integer.SIZE), CommandLineText::qemuHead, text);
        compare(number.filter(value -> value.bitLength() <= Long.SIZE), CommandLineText::qemuSerial, text);
    }

    private static void compare(Optional<BigInteger> expected, ToLongFunction<String> reading, String text) {
        Optional<Long> met;
        try {
            met = Optional.of(reading.applyAsLong(text));
        } catch (UsageException | TypeConversionException e) {
            met = Optional.empty();
        } catch (IllegalArgumentException e) {
            boolean tooLarge = e.getMessage().startsWith("size too large: ");
            boolean isNumber = sizeWithoutLimit(text).isPresent();
            Check.equal(isNumber, tooLarge, "said to be too large: " + e.getMessage());
            met = Optional.empty();
        }
        Check.equal(expected.map(BigInteger::longValue), met, "number \"" + text + '"');
        met.filter(value -> value >= 0).ifPresent(Numbers::tell);
    }

    private static void tell(long size) {
        Check.equal(size, CommandLineText.size(CommandLineText.exactSize(size)), "size told exactly");
        Check.that(CommandLineText.roundSize(size).matches("[0-9]+ B|[0-9]+(\\.[0-9]{1,2})? [KMGTP]iB"), "size told");
    }

    private static Optional<BigInteger> size(String text) {
        return sizeWithoutLimit(text).filter(value -> value.compareTo(LIMIT) < 0);
    }

    private static Optional<BigInteger> sizeWithoutLimit(String text) {
        Matcher hexadecimal = HEXADECIMAL.matcher(text.trim());
        if (hexadecimal.matches()) {
            String digits = hexadecimal.group(1).replace("_", "");
            return digits.isEmpty() ? Optional.empty() : Optional.of(new BigInteger(digits, 16));
        }
        Matcher matcher = SIZE.matcher(text.trim());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        int shift = matcher.group(2) == null ? 0 : 10 * ("kmgtp".indexOf(lower(matcher.group(2))) + 1);
        return Optional.of(new BigInteger(matcher.group(1)).shiftLeft(shift));
    }

    private static Optional<BigInteger> qemuSize(String text) {
        BigInteger value;
        if (text.matches("0[xX][0-9a-fA-F]{1,16}")) {
            value = new BigInteger(text.substring(2), 16);
        } else {
            Matcher matcher = QEMU_SIZE.matcher(text);
            if (!matcher.matches()) {
                return Optional.empty();
            }
            int shift = 10 * Math.max(0, "bkmgtpe".indexOf(lower(matcher.group(2))));
            value = new BigDecimal(matcher.group(1))
                    .multiply(new BigDecimal(BigInteger.ONE.shiftLeft(shift)))
                    .toBigInteger();
        }
        return Optional.of(value).filter(bytes -> bytes.signum() > 0 && bytes.compareTo(LIMIT) < 0);
    }

    private static Optional<BigInteger> serial(String text) {
        BigInteger value = text.matches("0[xX][0-9a-fA-F]+")
                ? new BigInteger(text.substring(2), 16)
                : text.matches("[0-9]+") ? new BigInteger(text) : null;
        return Optional.ofNullable(value).filter(number -> number.bitLength() <= Long.SIZE);
    }

    private static Optional<BigInteger> qemuNumber(String text) {
        return text.matches("0[xX][0-9a-fA-F]{1,16}")
                ? Optional.of(new BigInteger(text.substring(2), 16))
                : text.matches("[0-9]{1,20}") ? Optional.of(new BigInteger(text)) : Optional.empty();
    }

    private static String lower(String asciiText) {
        return asciiText.toLowerCase(Locale.ROOT);
    }
}

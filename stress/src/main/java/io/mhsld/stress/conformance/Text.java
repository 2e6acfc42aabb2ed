package io.mhsld.stress.conformance;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The language of the tables. A request is words: pairs of hexadecimal digits; {@code b: w: d: q:} and a sum for a little-endian number of 1, 2, 4
 * or 8 bytes; {@code pad:N} for so many zeros; {@code type} for the byte that a
 * tunnelled message begins with, where it does: then the fact {@code t} is 1, else 0. A sum is made of numbers, names of facts, and {@code number*name}: {@code base+4*block}. A check of an
 * answer is {@code len} or {@code u8@OFFSET}, {@code u16@…}, {@code u32@…}, {@code u64@…}, then {@code = != >= <=} or {@code &} (all those bits
 * are set), then a sum.
 */
final class Text {
    private static final Pattern CHECK = Pattern.compile("(len|u(8|16|32|64)@([^=!<>&]+))(=|!=|>=|<=|&)(.+)");
    private static final String SIZES = "bwdq";
    private static final String TYPE = "type";

    /** The MCTP message type of a command. */
    private static final byte CCI = 8;

    private Text() {}

    /** The bytes of a request. */
    static byte[] request(String text, Map<String, Long> facts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String word : text.strip().split("\\s+")) {
            int colon = word.indexOf(':');
            if (word.equals(TYPE)) {
                bytes.writeBytes(valueOf("t", facts) == 0 ? new byte[0] : new byte[] {CCI});
            } else if (colon < 0) {
                bytes.writeBytes(HexFormat.of().parseHex(word));
            } else if (word.startsWith("pad:")) {
                bytes.writeBytes(new byte[(int) sum(word.substring(4), facts)]);
            } else {
                long value = sum(word.substring(colon + 1), facts);
                int width = 1 << SIZES.indexOf(word.substring(0, colon));
                for (int i = 0; i < width; i++) {
                    bytes.write((int) (value >>> (i * Byte.SIZE)));
                }
            }
        }
        return bytes.toByteArray();
    }

    /** What is wrong with an answer, by one check. */
    static Optional<String> problem(String check, byte[] answer, Map<String, Long> facts) {
        Matcher matcher = matcherOf(check);
        long wanted = sum(matcher.group(5), facts);
        long met = answer.length;
        if (matcher.group(2) != null) {
            int width = Integer.parseInt(matcher.group(2)) / Byte.SIZE;
            int offset = (int) sum(matcher.group(3), facts);
            if (offset + width > answer.length) {
                return Optional.of(check + ": the answer has " + answer.length + " bytes");
            }
            met = 0;
            for (int i = width - 1; i >= 0; i--) {
                met = (met << Byte.SIZE) | (answer[offset + i] & 0xFF);
            }
        }
        boolean holds = switch (matcher.group(4)) {
            case "=" -> met == wanted;
            case "!=" -> met != wanted;
            case ">=" -> Long.compareUnsigned(met, wanted) >= 0;
            case "<=" -> Long.compareUnsigned(met, wanted) <= 0;
            default -> (met & wanted) == wanted;
        };
        return holds ? Optional.empty() : Optional.of(String.format("%s: is 0x%x, wanted 0x%x", check, met, wanted));
    }

    private static Matcher matcherOf(String check) {
        Matcher matcher = CHECK.matcher(check);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a check: " + check);
        }
        return matcher;
    }

    /** The value of a sum. */
    static long sum(String text, Map<String, Long> facts) {
        long sum = 0;
        for (String term : text.split("\\+")) {
            long product = 1;
            for (String factor : term.split("\\*")) {
                product *= valueOf(factor, facts);
            }
            sum += product;
        }
        return sum;
    }

    private static long valueOf(String factor, Map<String, Long> facts) {
        if (!factor.isEmpty() && Character.isDigit(factor.charAt(0))) {
            return factor.startsWith("0x") ? Long.parseUnsignedLong(factor.substring(2), 16) : Long.parseLong(factor);
        }
        Long value = facts.get(factor);
        if (value == null) {
            throw new IllegalArgumentException("no such fact: " + factor + " facts=" + facts.keySet());
        }
        return value;
    }
}

package io.mhsld.cli;

import io.mhsld.cci.Layout;
import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Payload;
import io.mhsld.text.ForeignText;
import io.mhsld.type3.TagText;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * An input payload as people write it: all of it in hexadecimal digits, or {@code field=value} words that are filled into the command's request
 * layout; what no word names is zero, and counts are set from what they count. Of the part that repeats, all entries are one word, with commas
 * between them and colons between their fields: {@code extents=0x10000000:2M,0x20000000:4M}.
 *
 * <p>Values: numbers as everywhere (4096, 2M, 0x1000), names where numbers have names, {@code +} between flags, UUIDs, text; raw bytes, and
 * repeated single bytes, as {@code hex:} and digits. Mistakes are {@code IllegalArgumentException}.
 */
final class PayloadText {
    private static final String RAW = "hex:";

    /** The field that takes words, as the options for a tag do. */
    private static final String TAG = "tag";

    private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(Long.SIZE);

    private PayloadText() {}

    /** The bytes of some words. */
    static byte[] bytesOf(List<String> words, Optional<Layout> layout) {
        if (words.stream().noneMatch(word -> word.contains("="))) {
            return hexadecimal(String.join("", words));
        }
        return filled(
                words,
                layout.orElseThrow(() -> new IllegalArgumentException(
                        "nobody knows the fields of this command: payload=" + ForeignText.line(words.get(0)))));
    }

    /** What there is to fill in. */
    static String fieldsOf(Layout layout) {
        StringBuilder text = new StringBuilder(names(layout.fields()));
        layout.block()
                .ifPresent(block -> text.append(text.length() == 0 ? "" : " ")
                        .append(block.name())
                        .append('=')
                        .append(names(block.entry().fields()).replace(' ', ':'))
                        .append(",..."));
        String tail = names(layout.tail());
        return text.append(tail.isEmpty() ? "" : " " + tail).toString();
    }

    private static String names(List<Field> fields) {
        return fields.stream().map(Field::name).filter(name -> !name.isEmpty()).collect(Collectors.joining(" "));
    }

    private static byte[] hexadecimal(String text) {
        String digits = text.replaceAll("[\\s_:]", "");
        if (!digits.matches("([0-9a-fA-F]{2})*")) {
            throw new IllegalArgumentException("not a payload: payload=" + ForeignText.line(text)
                    + " (pairs of hexadecimal digits, or field=value ...)");
        }
        return HexFormat.of().parseHex(digits);
    }

    private static byte[] filled(List<String> words, Layout layout) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("not of the form field=value: payload=" + ForeignText.line(word));
            }
            if (values.put(word.substring(0, equals), word.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("given twice: field=" + word.substring(0, equals));
            }
        }
        String blockName = layout.block().map(Layout.Block::name).orElse("");
        List<String> entries = entriesOf(values.remove(blockName), layout);
        Payload payload = layout.empty(entries.size());
        for (int i = 0; i < entries.size(); i++) {
            fill(payload.entry(i), layout.block().orElseThrow(), entries.get(i));
        }
        values.forEach((name, value) -> set(payload, fieldOf(layout, name), value));
        return payload.toBytes();
    }

    private static List<String> entriesOf(String text, Layout layout) {
        if (text == null || text.isEmpty()) {
            return List.of();
        }
        if (text.startsWith(RAW) && layout.block().orElseThrow().entry().lengthBytes(0) == 1) {
            byte[] bytes = hexadecimal(text.substring(RAW.length()));
            HexFormat digits = HexFormat.of().withPrefix("0x").withDelimiter(",");
            return bytes.length == 0
                    ? List.of()
                    : List.of(digits.formatHex(bytes).split(","));
        }
        return Arrays.asList(text.split(",", -1));
    }

    private static void fill(Payload entry, Layout.Block block, String text) {
        List<Field> fields = block.entry().fields().stream()
                .filter(field -> field.kind() != Layout.Kind.RESERVED)
                .toList();
        String[] values = text.startsWith(RAW) ? new String[] {text} : text.split(":", -1);
        if (values.length > fields.size()) {
            throw new IllegalArgumentException("too many values in an entry: " + block.name() + "="
                    + ForeignText.line(text) + " (" + names(fields).replace(' ', ':') + ")");
        }
        for (int i = 0; i < values.length; i++) {
            set(entry, fields.get(i), values[i]);
        }
    }

    private static Field fieldOf(Layout layout, String name) {
        for (List<Field> part : List.of(layout.fields(), layout.tail())) {
            for (Field field : part) {
                if (!name.isEmpty() && CommandNames.plain(field.name()).equals(CommandNames.plain(name))) {
                    return field;
                }
            }
        }
        throw new IllegalArgumentException(
                "no such field: field=" + ForeignText.line(name) + " (" + fieldsOf(layout) + ")");
    }

    private static void set(Payload payload, Field field, String text) {
        try {
            switch (field.kind()) {
                case UUID -> payload.set(field.name(), uuidOf(field.name(), text));
                case ASCII -> payload.set(field.name(), text);
                case FLAGS -> payload.setFlags(field.name(), flags(field, text));
                case BYTES -> setRaw(payload, field, text);
                default -> payload.set(field.name(), number(field, text));
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "value does not fit: " + field.name() + "=" + ForeignText.line(text) + " (" + e.getMessage() + ")",
                    e);
        }
    }

    private static UUID uuidOf(String field, String text) {
        return field.equals(TAG)
                ? TagText.tagOf(text)
                : TagText.uuidOf(text).orElseThrow(() -> new IllegalArgumentException("not a UUID"));
    }

    private static void setRaw(Payload payload, Field field, String text) {
        byte[] bytes = hexadecimal(text.startsWith(RAW) ? text.substring(RAW.length()) : text);
        if (bytes.length > field.width()) {
            throw new IllegalArgumentException("too long: length=" + bytes.length + " limit=" + field.width());
        }
        payload.set(field.name(), Arrays.copyOf(bytes, field.width()));
    }

    private static long flags(Field field, String text) {
        long bits = 0;
        for (String word : text.split("\\+", -1)) {
            int bit = indexOf(field, word);
            bits |= bit >= 0 ? (1L << bit) : number(word);
        }
        if (field.width() < Long.BYTES && bits >>> (field.width() * Byte.SIZE) != 0) {
            throw new IllegalArgumentException("too large: width=" + field.width());
        }
        return bits;
    }

    private static long number(Field field, String text) {
        int named = indexOf(field, text);
        return named >= 0 ? named : number(text);
    }

    private static int indexOf(Field field, String word) {
        List<String> names = field.meaning().names();
        for (int i = 0; i < names.size(); i++) {
            if (CommandNames.plain(names.get(i)).equals(CommandNames.plain(word))) {
                return i;
            }
        }
        return -1;
    }

    /** All 64 bits, where {@link Sizes} keeps to 63. */
    private static long number(String text) {
        if (text.matches("0[xX][0-9a-fA-F_]+|[0-9]+")) {
            boolean isHexadecimal = text.length() > 1 && Character.toLowerCase(text.charAt(1)) == 'x';
            String digits = text.replace("_", "");
            BigInteger value = isHexadecimal ? new BigInteger("0" + digits.substring(2), 16) : new BigInteger(digits);
            if (value.compareTo(LIMIT) < 0) {
                return value.longValue();
            }
        }
        return Sizes.parse(text);
    }
}

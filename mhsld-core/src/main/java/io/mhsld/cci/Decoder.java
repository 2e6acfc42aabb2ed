package io.mhsld.cci;

import io.mhsld.cci.Layout.Block;
import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Meaning;
import io.mhsld.cci.Layout.Part;
import io.mhsld.cci.Layout.Style;
import io.mhsld.text.ForeignText;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Walks over bytes by a layout. Bytes that end too early are decoded as far as they go; what no field explains is kept as digits. */
final class Decoder {
    private static final String UNDECODED = "undecoded";
    private static final String KIND = "kind";
    private static final String INDENT = "  ";
    private static final List<String> BINARY_UNITS = List.of("KiB", "MiB", "GiB", "TiB", "PiB", "EiB");

    private final byte[] bytes;
    private final boolean asText;
    private int position;

    /** @param asText values as a person reads them, instead of as a JSON reader does */
    Decoder(byte[] bytes, boolean asText) {
        this.bytes = bytes;
        this.asText = asText;
    }

    Map<String, Object> decode(Layout layout) {
        Map<String, Object> values = new LinkedHashMap<>();
        boolean whole = decodePart(layout.fields(), values);
        if (whole && layout.block().isPresent()) {
            whole = decodeBlock(layout, layout.block().get(), values);
        }
        if (whole) {
            decodePart(layout.tail(), values);
        }
        if (position < bytes.length) {
            values.put(UNDECODED, HexFormat.of().formatHex(bytes, position, bytes.length));
        }
        return values;
    }

    private boolean decodePart(List<Field> fields, Map<String, Object> values) {
        for (Field field : fields) {
            if (position + field.width() > bytes.length) {
                return false;
            }
            if (!field.meaning().parts().isEmpty()) {
                putParts(field, values);
            } else if (field.kind() != Kind.RESERVED) {
                values.put(field.name(), value(field));
            }
            position += field.width();
        }
        return true;
    }

    private boolean decodeBlock(Layout layout, Block block, Map<String, Object> values) {
        long claimed = layout.claimedEntries(bytes);
        long entryLength = block.entry().lengthBytes(0);
        long present = Math.min(claimed, (bytes.length - position) / entryLength);
        List<Object> entries = new ArrayList<>();
        for (long i = 0; i < present; i++) {
            Map<String, Object> entry = new LinkedHashMap<>();
            Layout entryLayout = block.entryAt(bytes, position);
            if (!block.variants().isEmpty()) {
                entry.put(KIND, entryLayout.name());
            }
            decodePart(entryLayout.fields(), entry);
            entries.add(entry.size() == 1 ? entry.values().iterator().next() : entry);
        }
        values.put(block.name(), entries);
        return present == claimed;
    }

    private Object value(Field field) {
        return switch (field.kind()) {
            case UUID -> Payload.uuidAt(bytes, position).toString();
            case ASCII -> ascii(field);
            case FLAGS -> flags(field);
            case BYTES, RESERVED -> HexFormat.of().formatHex(bytes, position, position + field.width());
            case I16 -> Payload.signed(field, Payload.numberAt(bytes, position, field.width()));
            case U8, U16, U24, U32, U64 -> number(field);
        };
    }

    private String ascii(Field field) {
        byte[] text = Arrays.copyOfRange(bytes, position, position + field.width());
        int length = text.length;
        while (length > 0 && text[length - 1] == 0) {
            length--;
        }
        // A byte beyond ASCII comes as U+FFFD, which is no character of the field's either.
        return ForeignText.line(new String(text, 0, length, StandardCharsets.US_ASCII))
                .replace('\uFFFD', '?');
    }

    private void putParts(Field field, Map<String, Object> values) {
        long number = Payload.numberAt(bytes, position, field.width());
        for (Part part : field.meaning().parts()) {
            long own = part.of(number);
            values.put(part.name(), part.isFlags() ? flags(own, part.meaning()) : number(own, part.meaning()));
        }
    }

    private List<String> flags(Field field) {
        return flags(Payload.numberAt(bytes, position, field.width()), field.meaning());
    }

    private static List<String> flags(long bits, Meaning meaning) {
        List<String> set = new ArrayList<>();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((bits >>> bit & 1) != 0) {
                set.add(meaning.name(bit).orElse("bit " + bit));
            }
        }
        return set;
    }

    private Object number(Field field) {
        return number(Payload.numberAt(bytes, position, field.width()), field.meaning());
    }

    private Object number(long number, Meaning meaning) {
        if (meaning.name(number).isPresent()) {
            return meaning.name(number).get();
        }
        BigInteger value = new BigInteger(Long.toUnsignedString(number)).multiply(BigInteger.valueOf(meaning.unit()));
        if (!asText) {
            return value.bitLength() < Long.SIZE ? (Object) value.longValueExact() : value;
        }
        if (meaning.style() == Style.HEX) {
            return "0x" + value.toString(16);
        }
        return meaning.style() == Style.BYTE_COUNT ? byteCount(value) : value.toString();
    }

    private static String byteCount(BigInteger value) {
        int thousands = value.signum() == 0 ? 0 : Math.min(value.getLowestSetBit() / 10, BINARY_UNITS.size());
        return thousands == 0
                ? value.toString()
                : value + " (" + value.shiftRight(10 * thousands) + " " + BINARY_UNITS.get(thousands - 1) + ")";
    }

    /** A decoded payload, a line for each field; entries of a block are indented under their number. */
    static List<String> lines(Map<String, Object> values) {
        List<String> lines = new ArrayList<>();
        values.forEach((name, value) -> addLines(name, value, lines));
        return lines;
    }

    private static void addLines(String name, Object value, List<String> lines) {
        if (!(value instanceof List<?> entries)) {
            lines.add(name + ": " + value);
        } else if (entries.isEmpty()) {
            lines.add(name + ": none");
        } else if (entries.get(0) instanceof Map<?, ?>) {
            addEntries(name, entries, lines);
        } else {
            lines.add(name + ": " + entries.stream().map(String::valueOf).collect(Collectors.joining(", ")));
        }
    }

    private static void addEntries(String name, List<?> entries, List<String> lines) {
        int number = 0;
        for (Object entry : entries) {
            lines.add(name + "[" + number++ + "]:");
            ((Map<?, ?>) entry).forEach((entryName, entryValue) -> addIndented(entryName, entryValue, lines));
        }
    }

    private static void addIndented(Object name, Object value, List<String> lines) {
        List<String> inner = new ArrayList<>();
        addLines(String.valueOf(name), value, inner);
        inner.forEach(line -> lines.add(INDENT + line));
    }
}

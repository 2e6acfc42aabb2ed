package io.mhsld.cci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The description of one payload: named little-endian fields in a row, then perhaps one block that repeats, then perhaps more fields. Offsets
 * are computed from widths. The same description writes answers, reads requests ({@link Payload}) and turns any answer into something that a
 * person or a JSON reader understands ({@link #decode}, {@link #lines}).
 */
public final class Layout {
    /** What a field holds. */
    public enum Kind {
        /** Unsigned, 1 byte. */
        U8(1),
        /** Unsigned, 2 bytes. */
        U16(2),
        /** Unsigned, 3 bytes. */
        U24(3),
        /** Unsigned, 4 bytes. */
        U32(4),
        /** Unsigned, 8 bytes. */
        U64(8),
        /** Signed, 2 bytes. */
        I16(2),
        /** 16 raw bytes in the order of RFC 4122: the first digits of the text come first. */
        UUID(16),
        /** Text, padded with zeros. */
        ASCII(0),
        /** Raw bytes. */
        BYTES(0),
        /** Zero, and not shown. */
        RESERVED(0),
        /** Bits with names. */
        FLAGS(0);

        private final int width;

        Kind(int width) {
            this.width = width;
        }

        boolean isNumber() {
            return width > 0 && this != UUID;
        }

        boolean isSigned() {
            return this == I16;
        }
    }

    /** How a number reads best. */
    public enum Style {
        /** A count. */
        DECIMAL,
        /** An address, or a code. */
        HEX,
        /** A length, also shown in the largest unit that it is a multiple of. */
        BYTE_COUNT
    }

    /**
     * One field.
     *
     * @param name unique within its layout, empty when reserved
     * @param offset in bytes, from the start of the part that the field lies in: the payload, one entry of the block, or the end of the block
     * @param width in bytes
     * @param meaning what its value stands for
     */
    public record Field(String name, Kind kind, int offset, int width, Meaning meaning) {
        int end() {
            return offset + width;
        }
    }

    /**
     * What the value of a field stands for.
     *
     * @param unit a number is transported in this unit: 256 MiB for decode lengths
     * @param style how to show it
     * @param names of flags by bit, or of values by number
     * @param parts what the bits are when it is several things in one; it is written as one number, and shown apart
     */
    public record Meaning(long unit, Style style, List<String> names, List<Part> parts) {
        static final Meaning PLAIN = new Meaning(1, Style.DECIMAL, List.of());

        Meaning(long unit, Style style, List<String> names) {
            this(unit, style, names, List.of());
        }

        Optional<String> name(long number) {
            return number >= 0 && number < names.size() ? Optional.of(names.get((int) number)) : Optional.empty();
        }
    }

    /**
     * Some bits of a number that mean something by themselves.
     *
     * @param bits set where the number has bits of the part
     * @param isFlags each bit has a name, from the lowest one
     * @param isInPlace the bits count where they stand, as those of an address do
     * @param meaning of the part's own number
     */
    public record Part(String name, long bits, boolean isFlags, boolean isInPlace, Meaning meaning) {
        static Part number(String name, int lowestBit, int count) {
            return new Part(name, bits(lowestBit, count), false, false, Meaning.PLAIN);
        }

        static Part oneOf(String name, int lowestBit, int count, String... names) {
            return new Part(name, bits(lowestBit, count), false, false, new Meaning(1, Style.HEX, List.of(names)));
        }

        static Part flags(String name, int lowestBit, String... names) {
            return new Part(
                    name, bits(lowestBit, names.length), true, false, new Meaning(1, Style.HEX, List.of(names)));
        }

        /** The address of something that is aligned, from there to the highest bit. */
        static Part address(String name, int lowestBit) {
            return new Part(
                    name, bits(lowestBit, Long.SIZE - lowestBit), false, true, new Meaning(1, Style.HEX, List.of()));
        }

        private static long bits(int lowestBit, int count) {
            return -1L >>> (Long.SIZE - count) << lowestBit;
        }

        /** This part of the number. */
        public long of(long number) {
            return isInPlace ? number & bits : (number & bits) >>> Long.numberOfTrailingZeros(bits);
        }
    }

    /**
     * The part that repeats.
     *
     * @param countField the field before it that says how often, empty when it repeats to the end of the payload
     * @param entry what an entry looks like, of all that an entry may be the one that explains least
     * @param variants what an entry looks like that begins with this UUID; all are as long as {@code entry}
     */
    public record Block(String name, String countField, Layout entry, Map<UUID, Layout> variants) {
        /** Refuses variants of another length with {@code IllegalArgumentException}. */
        public Block {
            for (Layout variant : variants.values()) {
                if (variant.lengthBytes(0) != entry.lengthBytes(0)) {
                    throw new IllegalArgumentException(
                            "entries differ in length: entry=" + entry + " variant=" + variant);
                }
            }
        }

        boolean isCounted() {
            return !countField.isEmpty();
        }

        /** What the entry that begins there looks like. */
        Layout entryAt(byte[] bytes, int position) {
            return variants.isEmpty() ? entry : variants.getOrDefault(Payload.uuidAt(bytes, position), entry);
        }
    }

    private final String name;
    private final String clause;
    private final List<Field> fields;
    private final FieldNames names;
    private final Optional<Block> block;

    /** The field that says how often the block stands there; null when there is no block, or nothing counts it. */
    private final Field countField;

    private final List<Field> tail;
    private final int headLength;
    private final int entryLength;
    private final int tailLength;

    private Layout(Builder builder) {
        this.name = builder.name;
        this.clause = builder.clause;
        this.fields = List.copyOf(builder.head);
        this.block = Optional.ofNullable(builder.block);
        this.tail = builder.block == null ? List.of() : List.copyOf(builder.current);
        this.headLength = lengthOf(fields);
        this.tailLength = lengthOf(tail);
        this.entryLength = (int) (long) block.map(b -> b.entry.lengthBytes(0)).orElse(0L);
        this.names = new FieldNames(
                Stream.concat(fields.stream(), tail.stream())
                        .filter(field -> field.kind != Kind.RESERVED)
                        .toList(),
                name);
        this.countField =
                block.filter(Block::isCounted).map(b -> field(b.countField)).orElse(null);
    }

    private static int lengthOf(List<Field> row) {
        return row.isEmpty() ? 0 : row.get(row.size() - 1).end();
    }

    /** Starts a description. The clause says where the specification defines it. */
    static Builder named(String name, String clause) {
        return new Builder(name, clause);
    }

    /** The payload's name. */
    public String name() {
        return name;
    }

    /** Clause and table of the specification. */
    public String clause() {
        return clause;
    }

    /** The fields before the block, reserved ones included. */
    public List<Field> fields() {
        return fields;
    }

    /** The part that repeats. */
    public Optional<Block> block() {
        return block;
    }

    /** The fields after the block; their offsets count from its end. */
    public List<Field> tail() {
        return tail;
    }

    /** Bytes of a payload in which the block stands {@code entries} times. */
    public long lengthBytes(long entries) {
        return headLength + entryLength * entries + tailLength;
    }

    /** How many entries fit into a payload of so many bytes. */
    public int entriesWithin(int payloadLength) {
        if (block.isEmpty()) {
            throw new NoSuchElementException("no block: layout=" + name);
        }
        return Math.max(0, (payloadLength - headLength - tailLength) / entryLength);
    }

    /** True when the bytes are long enough for all fields and for as many entries as their own count claims. */
    public boolean isHeldBy(byte[] bytes) {
        return bytes.length >= headLength && bytes.length >= lengthBytes(claimedEntries(bytes));
    }

    /** A payload of zeros with so many entries; the count field is set. */
    public Payload empty(int entries) {
        Payload payload = new Payload(this, new byte[Math.toIntExact(lengthBytes(entries))], 0, entries);
        return countField == null ? payload : payload.set(countField.name, entries);
    }

    /** The bytes seen through this layout; refused with {@code IllegalArgumentException} when they are too short. */
    public Payload over(byte[] bytes) {
        if (!isHeldBy(bytes)) {
            throw new IllegalArgumentException("payload too short: layout=" + name + " length=" + bytes.length);
        }
        return new Payload(this, bytes, 0, (int) claimedEntries(bytes));
    }

    /** The payload as ordered names and values: numbers, strings, lists of flag names, lists of entries. Any bytes can be decoded. */
    public Map<String, Object> decode(byte[] bytes) {
        return new Decoder(bytes, false).decode(this);
    }

    /** The payload as text, a line for each field. Any bytes can be shown. */
    public List<String> lines(byte[] bytes) {
        return Decoder.lines(new Decoder(bytes, true).decode(this));
    }

    Field field(String fieldName) {
        Field field = names.find(fieldName);
        if (field == null) {
            throw new IllegalArgumentException("no such field: field=" + fieldName + " layout=" + name);
        }
        return field;
    }

    @SuppressWarnings("ReferenceEquality") // It is one of the layout's own.
    boolean isInTail(Field field) {
        for (int i = 0; i < tail.size(); i++) {
            if (tail.get(i) == field) {
                return true;
            }
        }
        return false;
    }

    int headLength() {
        return headLength;
    }

    int tailLength() {
        return tailLength;
    }

    /** The entries that the bytes claim to have, though they need not be there; as many as there are when nothing counts them. */
    long claimedEntries(byte[] bytes) {
        if (block.isEmpty() || bytes.length < headLength) {
            return 0;
        }
        return countField == null
                ? entriesWithin(bytes.length)
                : Payload.numberAt(bytes, countField.offset, countField.width);
    }

    @Override
    public String toString() {
        return name;
    }

    /** Adds fields one after the other. */
    static final class Builder {
        private final String name;
        private final String clause;
        private final List<Field> head = new ArrayList<>();
        private List<Field> current = head;
        private Block block;

        private Builder(String name, String clause) {
            this.name = name;
            this.clause = clause;
        }

        Builder u8(String field) {
            return add(field, Kind.U8, Kind.U8.width, Meaning.PLAIN);
        }

        Builder u16(String field) {
            return add(field, Kind.U16, Kind.U16.width, Meaning.PLAIN);
        }

        Builder u24(String field) {
            return add(field, Kind.U24, Kind.U24.width, Meaning.PLAIN);
        }

        Builder u32(String field) {
            return add(field, Kind.U32, Kind.U32.width, Meaning.PLAIN);
        }

        Builder u64(String field) {
            return add(field, Kind.U64, Kind.U64.width, Meaning.PLAIN);
        }

        Builder i16(String field) {
            return add(field, Kind.I16, Kind.I16.width, Meaning.PLAIN);
        }

        /** A number that is read in hexadecimal digits. */
        Builder hex(String field, Kind kind) {
            return add(field, kind, kind.width, new Meaning(1, Style.HEX, List.of()));
        }

        /** A number that is several things in one. */
        Builder packed(String field, Kind kind, Part... parts) {
            return add(field, kind, kind.width, new Meaning(1, Style.HEX, List.of(), List.of(parts)));
        }

        /** Flags, some of whose bits are shown as something else. */
        Builder packedFlags(String field, int width, List<String> names, Part... parts) {
            return add(field, Kind.FLAGS, width, new Meaning(1, Style.HEX, names, List.of(parts)));
        }

        /** A number of bytes, transported in multiples of {@code unit}. */
        Builder byteCount(String field, long unit) {
            return add(field, Kind.U64, Kind.U64.width, new Meaning(unit, Style.BYTE_COUNT, List.of()));
        }

        /** A number of bytes in 4 bytes. */
        Builder byteCount32(String field) {
            return add(field, Kind.U32, Kind.U32.width, new Meaning(1, Style.BYTE_COUNT, List.of()));
        }

        /** A one-byte number whose values have names, from 0. */
        Builder oneOf(String field, String... names) {
            return add(field, Kind.U8, Kind.U8.width, new Meaning(1, Style.HEX, List.of(names)));
        }

        /** Bits with names, from bit 0. */
        Builder flags(String field, int width, String... names) {
            return add(field, Kind.FLAGS, width, new Meaning(1, Style.HEX, List.of(names)));
        }

        Builder uuid(String field) {
            return add(field, Kind.UUID, Kind.UUID.width, Meaning.PLAIN);
        }

        Builder ascii(String field, int width) {
            return add(field, Kind.ASCII, width, Meaning.PLAIN);
        }

        Builder bytes(String field, int width) {
            return add(field, Kind.BYTES, width, Meaning.PLAIN);
        }

        Builder reserved(int width) {
            return add("", Kind.RESERVED, width, Meaning.PLAIN);
        }

        /** The fields of another layout, as if they stood here. */
        Builder include(Layout other) {
            for (Field field : other.fields) {
                add(field.name, field.kind, field.width, field.meaning);
            }
            return this;
        }

        /** The block, as often as {@code countField} says; fields that follow come after its last entry. */
        Builder repeat(String blockName, String countField, Layout entry) {
            return repeatOneOf(blockName, countField, entry, Map.of());
        }

        /** As {@link #repeat}; each entry that begins with one of the UUIDs looks as the UUID says. */
        Builder repeatOneOf(String blockName, String countField, Layout entry, Map<UUID, Layout> variants) {
            block = new Block(blockName, countField, entry, Map.copyOf(variants));
            current = new ArrayList<>();
            return this;
        }

        /** The block, to the end of the payload. */
        Builder repeatToEnd(String blockName, Layout entry) {
            return repeat(blockName, "", entry);
        }

        Layout build() {
            return new Layout(this);
        }

        private Builder add(String field, Kind kind, int width, Meaning meaning) {
            current.add(new Field(field, kind, lengthOf(current), width, meaning));
            return this;
        }
    }
}

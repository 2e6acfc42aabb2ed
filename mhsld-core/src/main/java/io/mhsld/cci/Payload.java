package io.mhsld.cci;

import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Layout.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * The bytes of one payload, or of one entry of its block, read and written by the names of a {@link Layout}. A name that the layout does not
 * have, and a value that does not fit its field, are refused with {@code IllegalArgumentException}.
 */
public final class Payload {
    private final Layout layout;
    private final byte[] bytes;
    private final int start;
    private final int entryCount;

    Payload(Layout layout, byte[] bytes, int start, int entryCount) {
        this.layout = layout;
        this.bytes = bytes;
        this.start = start;
        this.entryCount = entryCount;
    }

    /** Number of entries of the block. */
    public int entryCount() {
        return entryCount;
    }

    /** One entry of the block; it shares the bytes. */
    public Payload entry(int index) {
        if (index < 0 || index >= entryCount) {
            throw new IllegalArgumentException("no such entry: entry=" + index + " entries=" + entryCount);
        }
        Layout entry = layout.block().orElseThrow().entry();
        int offset = layout.headLength() + Math.toIntExact(entry.lengthBytes(0) * index);
        return new Payload(entry, bytes, start + offset, 0);
    }

    /** The value of a number; a number of bytes comes in bytes, whatever unit it is transported in. 64-bit values are unsigned. */
    public long number(String name) {
        Field field = fieldOf(name, field(name).kind().isNumber());
        return valueOf(field) * field.meaning().unit();
    }

    /** The value of a UUID. */
    public UUID uuid(String name) {
        return uuidAt(bytes, position(fieldOf(name, field(name).kind() == Kind.UUID)));
    }

    /** The bytes of any field. */
    public byte[] bytes(String name) {
        int position = position(field(name));
        return Arrays.copyOfRange(bytes, position, position + field(name).width());
    }

    /** True when the flag is set. */
    public boolean flag(String name, String flag) {
        return (valueOf(field(name)) & mask(name, flag)) != 0;
    }

    /** Sets a number, given as {@link #number} gives it. */
    public Payload set(String name, long value) {
        Field field = fieldOf(name, field(name).kind().isNumber());
        long unit = field.meaning().unit();
        long transported = unit == 1 ? value : Long.divideUnsigned(value, unit);
        boolean fits = field.width() == Long.BYTES || transported >>> (field.width() * Byte.SIZE) == 0;
        if (!fits || transported * unit != value) {
            throw new IllegalArgumentException("value does not fit: field=" + name + " value="
                    + Long.toUnsignedString(value) + " layout=" + layout);
        }
        put(field, transported);
        return this;
    }

    /** Sets a UUID. */
    public Payload set(String name, UUID value) {
        int position = position(fieldOf(name, field(name).kind() == Kind.UUID));
        for (int i = 0; i < Long.BYTES; i++) {
            int shift = (Long.BYTES - 1 - i) * Byte.SIZE;
            bytes[position + i] = (byte) (value.getMostSignificantBits() >>> shift);
            bytes[position + Long.BYTES + i] = (byte) (value.getLeastSignificantBits() >>> shift);
        }
        return this;
    }

    /** Sets a text; zeros fill the rest of the field. */
    public Payload set(String name, String value) {
        byte[] text = value.getBytes(StandardCharsets.US_ASCII);
        Field field = fieldOf(
                name,
                field(name).kind() == Kind.ASCII && text.length <= field(name).width());
        System.arraycopy(Arrays.copyOf(text, field.width()), 0, bytes, position(field), field.width());
        return this;
    }

    /** Sets raw bytes, as many as the field has. */
    public Payload set(String name, byte[] value) {
        Field field = fieldOf(
                name,
                field(name).kind() == Kind.BYTES && value.length == field(name).width());
        System.arraycopy(value, 0, bytes, position(field), value.length);
        return this;
    }

    /** Sets or clears one flag. */
    public Payload setFlag(String name, String flag, boolean value) {
        long bits = valueOf(field(name));
        return setFlags(name, value ? bits | mask(name, flag) : bits & ~mask(name, flag));
    }

    /** Sets all flags of a field. */
    public Payload setFlags(String name, long bits) {
        put(fieldOf(name, field(name).kind() == Kind.FLAGS), bits);
        return this;
    }

    /** A copy of the whole payload that this is, or is an entry of. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** Little-endian and unsigned, at most 8 bytes wide. */
    static long numberAt(byte[] bytes, int position, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << Byte.SIZE | (bytes[position + i] & 0xFF);
        }
        return value;
    }

    static UUID uuidAt(byte[] bytes, int position) {
        long most = 0;
        long least = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            most = most << Byte.SIZE | (bytes[position + i] & 0xFF);
            least = least << Byte.SIZE | (bytes[position + Long.BYTES + i] & 0xFF);
        }
        return new UUID(most, least);
    }

    private Field field(String name) {
        return layout.field(name);
    }

    private Field fieldOf(String name, boolean isOfThatKind) {
        if (!isOfThatKind) {
            throw new IllegalArgumentException("value is not of the field's kind: field=" + name + " kind="
                    + field(name).kind() + " layout=" + layout);
        }
        return field(name);
    }

    private long valueOf(Field field) {
        return numberAt(bytes, position(field), field.width());
    }

    private long mask(String name, String flag) {
        int bit = field(name).meaning().names().indexOf(flag);
        if (bit < 0) {
            throw new IllegalArgumentException("no such flag: flag=" + flag + " field=" + name + " layout=" + layout);
        }
        return 1L << bit;
    }

    private void put(Field field, long value) {
        int position = position(field);
        for (int i = 0; i < field.width(); i++) {
            bytes[position + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }

    private int position(Field field) {
        int partStart = start;
        if (layout.isInTail(field)) {
            long beforeTail = layout.lengthBytes(entryCount) - layout.tailLength();
            partStart += Math.toIntExact(beforeTail);
        }
        return partStart + field.offset();
    }
}

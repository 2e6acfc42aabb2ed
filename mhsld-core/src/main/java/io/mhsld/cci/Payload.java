package io.mhsld.cci;

import io.mhsld.cci.Layout.Block;
import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Layout.Kind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * The bytes of one payload, or of one entry of its block, read and written by the names of a {@link Layout}. A name that the layout does not
 * have, and a value that does not fit its field, are refused with {@code IllegalArgumentException}.
 */
public final class Payload {
    private static final VarHandle LITTLE_ENDIAN =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle BIG_ENDIAN =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

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

    /** Whose names are the ones to use. */
    public Layout layout() {
        return layout;
    }

    /**
     * One entry of the block; it shares the bytes. Where entries differ, what the entry's bytes say at this moment decides what it is: to write
     * one, set its identifier, then ask for it again.
     */
    public Payload entry(int index) {
        if (index < 0 || index >= entryCount) {
            throw new IllegalArgumentException("no such entry: entry=" + index + " entries=" + entryCount);
        }
        Block block = layout.block().orElseThrow();
        int offset = layout.headLength() + Math.toIntExact(block.entry().lengthBytes(0) * index);
        return new Payload(block.entryAt(bytes, start + offset), bytes, start + offset, 0);
    }

    /** The value of a number; a number of bytes comes in bytes, whatever unit it is transported in. 64-bit values are unsigned. */
    public long number(String name) {
        Field field = field(name);
        require(field.kind().isNumber(), field);
        return signed(field, valueOf(field)) * field.meaning().unit();
    }

    /** The value of a UUID. */
    public UUID uuid(String name) {
        Field field = field(name);
        require(field.kind() == Kind.UUID, field);
        return uuidAt(bytes, position(field));
    }

    /** The bytes of any field. */
    public byte[] bytes(String name) {
        int position = position(field(name));
        return Arrays.copyOfRange(bytes, position, position + field(name).width());
    }

    /** True when the flag is set. */
    public boolean flag(String name, String flag) {
        Field field = field(name);
        return (valueOf(field) & mask(field, flag)) != 0;
    }

    /** Sets a number, given as {@link #number} gives it. */
    public Payload set(String name, long value) {
        Field field = field(name);
        require(field.kind().isNumber(), field);
        long unit = field.meaning().unit();
        long transported = unit == 1 ? value : Long.divideUnsigned(value, unit);
        int bits = field.width() * Byte.SIZE;
        boolean fits = field.kind().isSigned()
                ? transported == signed(field, transported)
                : bits == Long.SIZE || transported >>> bits == 0;
        if (!fits || transported * unit != value) {
            throw new IllegalArgumentException("value does not fit: field=" + name + " value="
                    + Long.toUnsignedString(value) + " layout=" + layout);
        }
        put(field, transported);
        return this;
    }

    /** Sets a UUID. */
    public Payload set(String name, UUID value) {
        Field field = field(name);
        require(field.kind() == Kind.UUID, field);
        int position = position(field);
        BIG_ENDIAN.set(bytes, position, value.getMostSignificantBits());
        BIG_ENDIAN.set(bytes, position + Long.BYTES, value.getLeastSignificantBits());
        return this;
    }

    /** Sets a text; zeros fill the rest of the field. */
    public Payload set(String name, String value) {
        byte[] text = value.getBytes(StandardCharsets.US_ASCII);
        Field field = field(name);
        require(field.kind() == Kind.ASCII && text.length <= field.width(), field);
        System.arraycopy(Arrays.copyOf(text, field.width()), 0, bytes, position(field), field.width());
        return this;
    }

    /** Sets raw bytes, as many as the field has. */
    public Payload set(String name, byte[] value) {
        Field field = field(name);
        require(field.kind() == Kind.BYTES && value.length == field.width(), field);
        System.arraycopy(value, 0, bytes, position(field), value.length);
        return this;
    }

    /** Sets or clears one flag. */
    public Payload setFlag(String name, String flag, boolean value) {
        Field field = field(name);
        long bits = valueOf(field);
        long mask = mask(field, flag);
        return setFlags(field, value ? bits | mask : bits & ~mask);
    }

    /** Sets all flags of a field. */
    public Payload setFlags(String name, long bits) {
        return setFlags(field(name), bits);
    }

    private Payload setFlags(Field field, long bits) {
        require(field.kind() == Kind.FLAGS, field);
        put(field, bits);
        return this;
    }

    /** A copy of the whole payload that this is, or is an entry of. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** Little-endian and unsigned, at most 8 bytes wide. */
    static long numberAt(byte[] bytes, int position, int width) {
        if (width == Long.BYTES) {
            return (long) LITTLE_ENDIAN.get(bytes, position);
        }
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << Byte.SIZE | (bytes[position + i] & 0xFF);
        }
        return value;
    }

    /** The value of the field's bits, with a sign if the field has one. */
    static long signed(Field field, long bits) {
        int unused = Long.SIZE - field.width() * Byte.SIZE;
        return field.kind().isSigned() ? bits << unused >> unused : bits;
    }

    static UUID uuidAt(byte[] bytes, int position) {
        return new UUID((long) BIG_ENDIAN.get(bytes, position), (long) BIG_ENDIAN.get(bytes, position + Long.BYTES));
    }

    private Field field(String name) {
        return layout.field(name);
    }

    private void require(boolean isOfThatKind, Field field) {
        if (!isOfThatKind) {
            throw new IllegalArgumentException("value is not of the field's kind: field=" + field.name() + " kind="
                    + field.kind() + " layout=" + layout);
        }
    }

    private long valueOf(Field field) {
        return numberAt(bytes, position(field), field.width());
    }

    private long mask(Field field, String flag) {
        int bit = field.meaning().names().indexOf(flag);
        if (bit < 0) {
            throw new IllegalArgumentException(
                    "no such flag: flag=" + flag + " field=" + field.name() + " layout=" + layout);
        }
        return 1L << bit;
    }

    private void put(Field field, long value) {
        int position = position(field);
        if (field.width() == Long.BYTES) {
            LITTLE_ENDIAN.set(bytes, position, value);
            return;
        }
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

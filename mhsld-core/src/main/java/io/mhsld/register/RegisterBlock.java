package io.mhsld.register;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Registers as their {@link RegisterLayout} draws them. Accesses may have any length and alignment: each field gets those of its bits that the
 * access covers, and the others stay. All fields of an access change before anybody is told of it.
 *
 * <p>Most fields live here. Those that the device has elsewhere are {@linkplain #live live}: read from there, and written there.
 */
public final class RegisterBlock implements RegisterPart {
    /** Told that an access has written a field, also when that did not change it. */
    @FunctionalInterface
    public interface WriteListener {
        /** The field's values before and after. */
        void written(long before, long after);
    }

    private record Live(LongSupplier source, LongConsumer target) {}

    private record Told(WriteListener listener, long before, RegisterField field) {}

    private final RegisterLayout layout;
    private final Set<RegisterField> fields;
    private final byte[] values;
    /** Per byte of the block, the fields that have bits there. */
    private final List<List<RegisterField>> fieldsByByte;

    private final Map<RegisterField, Live> live = new HashMap<>();
    private final Map<RegisterField, WriteListener> listeners = new HashMap<>();
    private final Map<String, BooleanSupplier> locks = new HashMap<>();
    private final Set<RegisterField> writtenOnce = new LinkedHashSet<>();

    /** Registers with their initial values. */
    public RegisterBlock(RegisterLayout layout) {
        this.layout = layout;
        this.fields = Set.copyOf(layout.fields());
        this.values = new byte[layout.lengthBytes()];
        this.fieldsByByte = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            fieldsByByte.add(List.of());
        }
        for (RegisterField field : layout.fields()) {
            for (int i = field.firstBit() / Byte.SIZE; i <= (field.endBit() - 1) / Byte.SIZE; i++) {
                List<RegisterField> there = new ArrayList<>(fieldsByByte.get(i));
                there.add(field);
                fieldsByByte.set(i, there);
            }
        }
        reset(ResetKind.POWER_ON);
    }

    /** Its table. */
    public RegisterLayout layout() {
        return layout;
    }

    @Override
    public long lengthBytes() {
        return values.length;
    }

    // ---- how it is connected with the device

    /**
     * The value of this field is elsewhere. A write of an {@code RW1C} field hands over the bits that were written as 1; of other fields that can
     * be written, the whole value with the written bits in it. Of fields that cannot, nothing is handed over. Resets do not touch it.
     */
    public void live(RegisterField field, LongSupplier source, LongConsumer target) {
        live.put(own(field), new Live(source, target));
    }

    /** The same for a field that only the device changes. */
    public void live(RegisterField field, LongSupplier source) {
        live(field, source, value -> {});
    }

    /** Tells this listener, and no other, of each access that covers one of its bits, after all fields have their new values. */
    public void onWrite(RegisterField field, WriteListener listener) {
        listeners.put(own(field), listener);
    }

    /** The lock of this name is closed while the condition holds. A lock that nobody has spoken of is open. */
    public void lockedWhen(String lock, BooleanSupplier isClosed) {
        locks.put(lock, isClosed);
    }

    // ---- the device's side

    /** The value of a field; of one longer than 64 bits use {@link #bytes}. */
    public long get(RegisterField field) {
        Live elsewhere = live.get(own(field));
        return elsewhere == null ? stored(field) : elsewhere.source.getAsLong();
    }

    /** Sets a field, whatever its attribute. */
    public void set(RegisterField field, long value) {
        store(own(field), value);
    }

    /** The bytes of a field that has whole ones. */
    public byte[] bytes(RegisterField field) {
        return Arrays.copyOfRange(values, own(field).firstBit() / Byte.SIZE, field.endBit() / Byte.SIZE);
    }

    /** Sets the first bytes of a field that has whole ones. */
    public void setBytes(RegisterField field, byte[] bytes) {
        if (bytes.length > own(field).widthBits() / Byte.SIZE) {
            throw new IllegalArgumentException("register field is shorter: name=" + field.name());
        }
        System.arraycopy(bytes, 0, values, field.firstBit() / Byte.SIZE, bytes.length);
    }

    @Override
    public void reset(ResetKind kind) {
        for (RegisterField field : layout.fields()) {
            if (kind.reaches(field.resetDomain())) {
                writtenOnce.remove(field);
                if (field.isLong()) {
                    Arrays.fill(values, field.firstBit() / Byte.SIZE, field.endBit() / Byte.SIZE, (byte) 0);
                } else {
                    store(field, field.initial());
                }
            }
        }
    }

    // ---- the host's side

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int readBytes) {
        requireInside(offset, readBytes);
        if (!live.isEmpty()) {
            for (RegisterField field : covered(offset, readBytes)) {
                Live elsewhere = live.get(field);
                if (elsewhere != null) {
                    store(field, elsewhere.source.getAsLong());
                }
            }
        }
        System.arraycopy(values, (int) offset, destination, destinationOffset, readBytes);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int writeBytes) {
        requireInside(offset, writeBytes);
        List<Told> told = new ArrayList<>();
        for (RegisterField field : covered(offset, writeBytes)) {
            WriteListener listener = listeners.get(field);
            long before = listener == null || field.isLong() ? 0 : get(field);
            if (field.isLong()) {
                writeLong(field, offset, source, sourceOffset, writeBytes);
            } else {
                writeShort(field, offset, source, sourceOffset, writeBytes);
            }
            if (listener != null) {
                told.add(new Told(listener, before, field));
            }
        }
        for (Told one : told) {
            one.listener.written(one.before, one.field.isLong() ? 0 : get(one.field));
        }
    }

    private void writeShort(RegisterField field, long offset, byte[] source, int sourceOffset, int writeBytes) {
        long mask = 0;
        long bits = 0;
        for (int i = 0; i < field.widthBits(); i++) {
            int bit = field.firstBit() + i;
            long at = bit / Byte.SIZE - offset;
            if (at >= 0 && at < writeBytes) {
                mask |= 1L << i;
                bits |= (long) (source[sourceOffset + (int) at] >> bit % Byte.SIZE & 1) << i;
            }
        }
        boolean isWritable = switch (field.attribute()) {
            case RO, HWINIT, RESERVED -> false;
            case RW, RW1C -> true;
            case RWL -> !locks.getOrDefault(field.lock(), () -> false).getAsBoolean();
            case RWO -> writtenOnce.add(field);
        };
        if (!isWritable) {
            return;
        }
        Live elsewhere = live.get(field);
        boolean clears = field.attribute() == Attribute.RW1C;
        long before = clears && elsewhere != null ? 0 : get(field);
        if (elsewhere != null) {
            elsewhere.target.accept(clears ? bits : (before & ~mask) | bits);
        } else {
            store(field, clears ? before & ~bits : (before & ~mask) | bits);
        }
    }

    private void writeLong(RegisterField field, long offset, byte[] source, int sourceOffset, int writeBytes) {
        if (field.attribute() == Attribute.RW) {
            int from = (int) Math.max(offset, field.firstBit() / Byte.SIZE);
            int to = (int) Math.min(offset + writeBytes, field.endBit() / Byte.SIZE);
            System.arraycopy(source, sourceOffset + (int) (from - offset), values, from, to - from);
        }
    }

    private Set<RegisterField> covered(long offset, int accessBytes) {
        Set<RegisterField> there = new LinkedHashSet<>();
        for (int i = (int) offset; i < offset + accessBytes; i++) {
            there.addAll(fieldsByByte.get(i));
        }
        return there;
    }

    private void requireInside(long offset, int accessBytes) {
        if (offset < 0 || accessBytes < 0 || offset > values.length - accessBytes) {
            throw new IllegalArgumentException(String.format(
                    "access is outside: offset=0x%x length=0x%x layout=%s", offset, accessBytes, layout.name()));
        }
    }

    private long stored(RegisterField field) {
        long value = 0;
        for (int i = 0; i < field.widthBits(); i++) {
            int bit = field.firstBit() + i;
            value |= (long) (values[bit / Byte.SIZE] >> bit % Byte.SIZE & 1) << i;
        }
        return value;
    }

    private void store(RegisterField field, long value) {
        for (int i = 0; i < field.widthBits(); i++) {
            int bit = field.firstBit() + i;
            int at = bit / Byte.SIZE;
            int mask = 1 << bit % Byte.SIZE;
            values[at] = (byte) ((value >> i & 1) != 0 ? values[at] | mask : values[at] & ~mask);
        }
    }

    private RegisterField own(RegisterField field) {
        if (!fields.contains(field)) {
            throw new IllegalArgumentException(
                    "register field is of another layout: name=" + field.name() + " layout=" + layout.name());
        }
        return field;
    }
}

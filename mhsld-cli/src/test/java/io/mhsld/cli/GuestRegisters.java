package io.mhsld.cli;

import io.mhsld.register.Attribute;
import io.mhsld.register.RegisterField;
import io.mhsld.register.RegisterTable;
import io.mhsld.register.RegisterTable.Place;
import io.mhsld.register.RegisterTable.Space;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The registers that a guest reaches, as the lines that {@code scripts/guest-registers} holds against the device. */
final class GuestRegisters {
    /** The configuration header, MSI-X and PCI Express capability are QEMU's own copies: what a guest does to them is not what we get. */
    private static final long FIRST_OURS = 0x100;

    private static final long MSIX = 0x2000;

    /** What a store would start, close, or take out of a queue; the link of the list of capabilities, which QEMU changes; what the guest's kernel sets. */
    private static final Pattern LEFT_OUT = Pattern.compile(
            "next capability offset|doorbell|.* commit|.*lock.*|doe .*|command payload|.* log has records");

    private record Key(Space space, long offset, Attribute attribute) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int order = space.compareTo(other.space);
            order = order == 0 ? Long.compare(offset, other.offset) : order;
            return order == 0 ? attribute.compareTo(other.attribute) : order;
        }
    }

    private static final class Bits {
        long mask;
        long initial;
    }

    private final Map<Key, Bits> rows = new TreeMap<>();

    private GuestRegisters(long serial, long dataBarBytes) {
        for (Place place : RegisterTable.places(serial, dataBarBytes)) {
            for (RegisterField field : place.layout().fields()) {
                add(place, field);
            }
        }
        reserveTheRest();
    }

    /** Lines of space, offset, width, attribute, mask and initial value. */
    static String table(long serial, long dataBarBytes) {
        StringBuilder lines = new StringBuilder();
        new GuestRegisters(serial, dataBarBytes).rows.forEach((key, bits) -> {
            // What the device finds out by itself has no value that must be.
            String initial = key.attribute() == Attribute.HWINIT ? String.format("0x%x", bits.initial) : "-";
            if (bits.mask != 0 && key.attribute() != Attribute.RWO) {
                lines.append(String.format(
                        "%s 0x%x 32 %s 0x%x %s%n",
                        key.space() == Space.CONFIGURATION ? "config" : key.space(),
                        key.offset(),
                        key.attribute(),
                        bits.mask,
                        initial));
            }
        });
        return lines.toString();
    }

    private void add(Place place, RegisterField field) {
        long offset = place.offsetOf(field);
        boolean isQemus = place.space() == Space.CONFIGURATION ? offset < FIRST_OURS : offset >= MSIX;
        if (isQemus && place.space() != Space.COMPONENT) {
            return;
        }
        // Such bits are not reserved either: RWO stands for hands off.
        Attribute attribute = LEFT_OUT.matcher(field.name()).matches() ? Attribute.RWO : field.attribute();
        for (int bit = 0; bit < field.widthBits(); bit++) {
            long at = offset * Byte.SIZE + field.lowBit() + bit;
            Bits bits = rows.computeIfAbsent(
                    new Key(place.space(), at / Integer.SIZE * Integer.BYTES, attribute), key -> new Bits());
            bits.mask |= 1L << at % Integer.SIZE;
            if (bit < Long.SIZE && (field.initial() >>> bit & 1) != 0) {
                bits.initial |= 1L << at % Integer.SIZE;
            }
        }
    }

    private void reserveTheRest() {
        Map<Key, Long> taken = new TreeMap<>();
        rows.forEach((key, bits) -> taken.merge(
                new Key(key.space(), key.offset(), Attribute.RESERVED), bits.mask, (one, other) -> one | other));
        taken.forEach((key, mask) -> {
            Bits bits = rows.computeIfAbsent(key, absent -> new Bits());
            bits.mask |= ~mask & 0xffff_ffffL;
        });
        // A store beside these would start what was left out, or take part of a queue.
        rows.keySet()
                .removeIf(key -> key.attribute() != Attribute.HWINIT
                        && rows.containsKey(new Key(key.space(), key.offset(), Attribute.RWO))
                        && key.attribute() != Attribute.RWO
                        && key.space() == Space.CONFIGURATION);
    }
}

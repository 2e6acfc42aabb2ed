package io.mhsld.register;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The table of one block of registers: its fields by ascending address. What no row covers reads 0 and swallows writes.
 *
 * @param name what the block is called
 * @param lengthBytes its length
 * @param fields its rows
 */
public record RegisterLayout(String name, int lengthBytes, List<RegisterField> fields) {
    /** Refuses rows that overlap, go by the same name or reach beyond the block with an {@code IllegalArgumentException}. */
    public RegisterLayout {
        List<RegisterField> sorted = new ArrayList<>(fields);
        sorted.sort(Comparator.comparingInt(RegisterField::firstBit));
        int end = 0;
        for (RegisterField field : sorted) {
            if (field.firstBit() < end || field.endBit() > lengthBytes * Byte.SIZE) {
                throw new IllegalArgumentException(
                        "register field overlaps another one or the end: name=" + field.name() + " layout=" + name);
            }
            end = field.endBit();
        }
        if (sorted.stream().map(RegisterField::name).distinct().count() < sorted.size()) {
            throw new IllegalArgumentException("two register fields have one name: layout=" + name);
        }
        fields = List.copyOf(sorted);
    }

    /** Takes its rows one by one. */
    public static RegisterLayout of(String name, int lengthBytes, RegisterField... fields) {
        return new RegisterLayout(name, lengthBytes, List.of(fields));
    }
}

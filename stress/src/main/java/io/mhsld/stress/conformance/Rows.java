package io.mhsld.stress.conformance;

import static io.mhsld.stress.conformance.Row.ALL;
import static io.mhsld.stress.conformance.Row.row;

import io.mhsld.stress.conformance.Target.Via;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** All rows: those that are written out, and those that follow from the length of each command's input. */
final class Rows {
    private static final int UNSUPPORTED = 3;
    private static final int INVALID_LENGTH = 0x16;

    /** Bytes of input of the commands that take just so many. */
    private static final Map<Integer, Integer> FIXED = new TreeMap<>();

    /** The least bytes of input of the others. */
    private static final Map<Integer, Integer> AT_LEAST = new TreeMap<>(Map.ofEntries(
            Map.entry(0x0101, 6),
            Map.entry(0x0103, 4),
            Map.entry(0x0201, 0x80),
            Map.entry(0x0502, 0x20),
            Map.entry(0x4103, 8),
            Map.entry(0x4402, 8),
            Map.entry(0x4802, 8),
            Map.entry(0x4803, 8),
            Map.entry(0x5300, 4),
            Map.entry(0x5604, 32),
            Map.entry(0x5605, 32)));

    static {
        put(0, 0x0001, 0x0002, 0x0003, 0x0005, 0x0102, 0x0200, 0x0300, 0x0400, 0x4000, 0x4100);
        put(0, 0x4200, 0x4201, 0x4203, 0x4305, 0x4400, 0x4500, 0x5600);
        put(1, 0x0004, 0x0100, 0x4204);
        put(2, 0x0202, 0x0405, 0x4800, 0x5500, 0x5501);
        put(4, 0x5601);
        put(8, 0x0301, 0x0500, 0x4102, 0x4301, 0x4801, 0x5608);
        put(9, 0x4101);
        put(12, 0x4202, 0x5603);
        put(16, 0x0402, 0x0403, 0x0404, 0x4300, 0x4303, 0x5602, 0x5606, 0x5607);
        put(17, 0x4304);
        put(0x15, 0x0501);
        put(0x18, 0x0401);
        put(72, 0x4302);
    }

    private static final List<Row> WRITTEN = Stream.of(
                    ManagementRows.STATUS,
                    HeadRows.EVENTS,
                    HeadRows.TIME_AND_LOGS,
                    HeadRows.CAPACITY,
                    HeadRows.HEADS,
                    ManagementRows.FIRMWARE,
                    ManagementRows.FEATURES,
                    ManagementRows.MEMORY_DEVICE,
                    ManagementRows.POISON,
                    FabricRows.CAPACITY,
                    FabricRows.TUNNEL)
            .flatMap(List::stream)
            .toList();

    /** In the order in which they are to be run. */
    static final List<Row> EVERYTHING = Stream.of(WRITTEN, lengths(), unknown(), ManagementRows.SANITIZE)
            .flatMap(List::stream)
            .toList();

    private Rows() {}

    private static void put(int length, int... opcodes) {
        for (int opcode : opcodes) {
            FIXED.put(opcode, length);
        }
    }

    private static List<Row> lengths() {
        List<Row> rows = new ArrayList<>();
        FIXED.forEach((opcode, length) -> {
            rows.add(lengthRow(opcode, "an input one byte too long", length + 1));
            if (length > 0) {
                rows.add(lengthRow(opcode, "an input one byte too short", length - 1));
            }
        });
        AT_LEAST.forEach((opcode, length) -> rows.add(lengthRow(opcode, "an input one byte too short", length - 1)));
        return rows;
    }

    private static Row lengthRow(int opcode, String name, int length) {
        return row(opcode, interfacesOf(opcode), name).send("pad:" + length).refused(INVALID_LENGTH);
    }

    /** Those that the other rows try the command through. */
    private static Set<Via> interfacesOf(int opcode) {
        Set<Via> vias = EnumSet.noneOf(Via.class);
        Stream.concat(WRITTEN.stream(), ManagementRows.SANITIZE.stream())
                .filter(written -> written.opcode() == opcode)
                .forEach(written -> vias.addAll(written.vias()));
        return vias;
    }

    /** Opcodes that stand in no table of the specification, or in one that no memory device has. */
    private static List<Row> unknown() {
        return Stream.of(0x0006, 0x00FF, 0x5100, 0x7FFF, 0xBFFF)
                .map(opcode -> row(opcode, ALL, "no such command").refused(UNSUPPORTED))
                .toList();
    }

    /** True when nobody is expected to list the opcode. */
    static boolean isUnknown(Row row) {
        return row.name().equals("no such command");
    }
}

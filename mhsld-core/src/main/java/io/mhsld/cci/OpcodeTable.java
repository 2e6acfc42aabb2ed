package io.mhsld.cci;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All commands of all interfaces, one row each (CXL r3.1 table 8-37 and 7.6.7). The rows stand with the handlers of their command set. */
public final class OpcodeTable {
    /** By ascending opcode. */
    public static final List<Opcode> ALL = Stream.of(
                    GenericCommands.ROWS,
                    EventCommands.ROWS,
                    FirmwareCommands.ROWS,
                    LogCommands.ROWS,
                    FeatureCommands.ROWS,
                    MemoryDeviceCommands.ROWS,
                    HealthCommands.ROWS,
                    PoisonCommands.ROWS,
                    SanitizeCommands.ROWS,
                    DynamicCapacityCommands.ROWS,
                    MultiHeadCommands.ROWS,
                    FabricCommands.ROWS)
            .flatMap(Collection::stream)
            .sorted(Comparator.comparingInt(Opcode::code))
            .toList();

    /** The row of a command, empty when this implementation has none. */
    public static Optional<Opcode> of(int code) {
        return ALL.stream().filter(opcode -> opcode.code() == code).findFirst();
    }

    /** The commands that an interface supports, by ascending opcode. */
    public static List<Opcode> of(CciKind kind, boolean isMultiHeaded) {
        return ALL.stream()
                .filter(opcode -> opcode.kinds().contains(kind) && (isMultiHeaded || !opcode.isOnlyMultiHeaded()))
                .toList();
    }

    private OpcodeTable() {}
}

package io.mhsld.cci;

import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.EventLog;
import java.util.List;

/** Command set 40h: what the memory device is (CXL r3.1 8.2.9.9.1). */
final class MemoryDeviceCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(row(0x4000, "Identify Memory Device")
            .output(Layouts.IDENTIFY_MEMORY_DEVICE)
            .runsOnLd(MemoryDeviceCommands::identify));

    /** At most 16 characters; hosts show it as the device's firmware version. */
    private static final String FIRMWARE_REVISION = "mhsld 0.1";

    private MemoryDeviceCommands() {}

    /** The capacities are those of static memory, of which there is none: dynamic capacity is told by 4800h. */
    static Response identify(LdComponent component, byte[] input) {
        return Response.of(Layouts.IDENTIFY_MEMORY_DEVICE
                .empty(0)
                .set("firmwareRevision", FIRMWARE_REVISION)
                .set("informationalLogDepth", depth(component, EventLog.Kind.INFORMATIONAL))
                .set("warningLogDepth", depth(component, EventLog.Kind.WARNING))
                .set("failureLogDepth", depth(component, EventLog.Kind.FAILURE))
                .set("fatalLogDepth", depth(component, EventLog.Kind.FATAL))
                .set("dynamicCapacityLogDepth", depth(component, EventLog.Kind.DYNAMIC_CAPACITY)));
    }

    private static int depth(LdComponent component, EventLog.Kind log) {
        return component.device().log(log).depth();
    }
}

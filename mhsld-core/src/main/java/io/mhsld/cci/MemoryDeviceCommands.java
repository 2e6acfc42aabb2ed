package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.CONFIGURATION_CHANGE_AFTER_COLD_RESET;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_CONFIGURATION_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.LabelStorage;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.Type3Device;
import java.util.Arrays;
import java.util.List;

/** Command sets 40h, 41h and 45h: what the memory device is, its partitions, its labels, its locks (CXL r3.1 8.2.9.9.1, .2, .6). */
final class MemoryDeviceCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x4000, "Identify Memory Device")
                    .output(Layouts.IDENTIFY_MEMORY_DEVICE)
                    .runsOnLd(MemoryDeviceCommands::identify),
            row(0x4100, "Get Partition Info")
                    .output(MemoryDeviceLayouts.PARTITION_INFO)
                    .runsOnLd(MemoryDeviceCommands::getPartitionInfo),
            row(
                            0x4101,
                            "Set Partition Info",
                            CONFIGURATION_CHANGE_AFTER_COLD_RESET,
                            IMMEDIATE_CONFIGURATION_CHANGE,
                            IMMEDIATE_DATA_CHANGE)
                    .input(exactly(9), MemoryDeviceLayouts.SET_PARTITION_INFO)
                    .onMedia()
                    .runsOnLd(MemoryDeviceCommands::setPartitionInfo),
            row(0x4102, "Get LSA")
                    .input(exactly(8), MemoryDeviceLayouts.GET_LABELS)
                    .output(MemoryDeviceLayouts.LABELS)
                    .onMedia()
                    .runsOnLd(MemoryDeviceCommands::getLabels),
            row(0x4103, "Set LSA", IMMEDIATE_CONFIGURATION_CHANGE, IMMEDIATE_DATA_CHANGE)
                    .input(atLeast(8), MemoryDeviceLayouts.SET_LABELS)
                    .onMedia()
                    .runsOnLd(MemoryDeviceCommands::setLabels),
            row(0x4500, "Get Security State")
                    .output(MemoryDeviceLayouts.SECURITY_STATE)
                    .runsOnLd(MemoryDeviceCommands::getSecurityState));

    private MemoryDeviceCommands() {}

    /**
     * Volatile and persistent capacity are static memory's, of which there is none. A driver takes the total for the end of that, where dynamic
     * capacity may begin, so that the mailbox says 0; who asks by messages is told of all regions, in whole units and at least one, for
     * tools doubt a device without any.
     */
    static Response identify(LdComponent component, byte[] input) {
        Type3Device device = component.device();
        return Response.of(Layouts.IDENTIFY_MEMORY_DEVICE
                .empty(0)
                .set("firmwareRevision", device.firmware().activeRevision())
                .set("totalCapacityBytes", component.kind() == CciKind.PRIMARY_MAILBOX ? 0 : totalCapacityBytes(device))
                .set("informationalLogDepth", depth(component, EventLog.Kind.INFORMATIONAL))
                .set("warningLogDepth", depth(component, EventLog.Kind.WARNING))
                .set("failureLogDepth", depth(component, EventLog.Kind.FAILURE))
                .set("fatalLogDepth", depth(component, EventLog.Kind.FATAL))
                .set("labelStorageBytes", LabelStorage.LENGTH_BYTES)
                .set("poisonListDepth", MediaPoison.MAX_RECORDS)
                .set("injectPoisonLimit", MediaPoison.MAX_RECORDS)
                .set("dynamicCapacityLogDepth", depth(component, EventLog.Kind.DYNAMIC_CAPACITY)));
    }

    private static long totalCapacityBytes(Type3Device device) {
        long bytes = device.capacity().regions().stream()
                .mapToLong(DcRegion::lengthBytes)
                .sum();
        return Math.max(1, bytes / Layouts.CAPACITY_UNIT_BYTES) * Layouts.CAPACITY_UNIT_BYTES;
    }

    private static int depth(LdComponent component, EventLog.Kind log) {
        return component.device().log(log).depth();
    }

    /** There is no static capacity to be partitioned. */
    static Response getPartitionInfo(LdComponent component, byte[] input) {
        return Response.of(MemoryDeviceLayouts.PARTITION_INFO.empty(0));
    }

    /** The partition that there is, none, can be set. */
    static Response setPartitionInfo(LdComponent component, byte[] input) {
        boolean isAsItIs = MemoryDeviceLayouts.SET_PARTITION_INFO.over(input).number("volatileUnits") == 0;
        return Response.of(isAsItIs ? ReturnCode.SUCCESS : ReturnCode.INVALID_INPUT);
    }

    static Response getLabels(LdComponent component, byte[] input) {
        Payload request = MemoryDeviceLayouts.GET_LABELS.over(input);
        long offset = request.number("offset");
        long length = request.number("lengthBytes");
        if (length > component.messageLimit().bytes() || offset + length > LabelStorage.LENGTH_BYTES) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        return Response.of(component.device().labels().read((int) offset, (int) length));
    }

    static Response setLabels(LdComponent component, byte[] input) {
        long offset = MemoryDeviceLayouts.SET_LABELS.over(input).number("offset");
        byte[] data = Arrays.copyOfRange(input, (int) MemoryDeviceLayouts.SET_LABELS.lengthBytes(0), input.length);
        if (offset + data.length > LabelStorage.LENGTH_BYTES) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        component.device().labels().write((int) offset, data);
        return Response.of(ReturnCode.SUCCESS);
    }

    /** Nothing is locked: there is no persistent memory that could be. */
    static Response getSecurityState(LdComponent component, byte[] input) {
        return Response.of(MemoryDeviceLayouts.SECURITY_STATE.empty(0));
    }
}

package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.Extent;
import java.util.ArrayList;
import java.util.List;

/** Command set 48h: the host's side of dynamic capacity (CXL r3.1 8.2.9.9.9). */
final class DynamicCapacityCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x4800, "Get Dynamic Capacity Configuration")
                    .input(exactly(2), Layouts.GET_DC_CONFIGURATION)
                    .output(Layouts.DC_CONFIGURATION)
                    .runsOnLd(DynamicCapacityCommands::getConfiguration),
            row(0x4801, "Get Dynamic Capacity Extent List")
                    .input(exactly(8), Layouts.GET_DC_EXTENT_LIST)
                    .output(Layouts.DC_EXTENT_LIST)
                    .runsOnLd(DynamicCapacityCommands::getExtentList),
            row(0x4802, "Add Dynamic Capacity Response", IMMEDIATE_DATA_CHANGE)
                    .input(atLeast(8), Layouts.HOST_EXTENT_LIST)
                    .runsOnLd(DynamicCapacityCommands::addResponse),
            row(0x4803, "Release Dynamic Capacity", IMMEDIATE_DATA_CHANGE)
                    .input(atLeast(8), Layouts.HOST_EXTENT_LIST)
                    .runsOnLd(DynamicCapacityCommands::release));

    private DynamicCapacityCommands() {}

    static Response getConfiguration(LdComponent component, byte[] input) {
        Payload request = Layouts.GET_DC_CONFIGURATION.over(input);
        component.device().capacity().refreshRegions();
        List<DcRegion> regions = component.device().capacity().regions();
        int start = (int) request.number("startRegion");
        if (start >= regions.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int fitting =
                Layouts.DC_CONFIGURATION.entriesWithin(component.messageLimit().bytes());
        int wanted = (int) Math.min(request.number("regionCount"), fitting);
        int count = Math.min(wanted, regions.size() - start);
        Payload answer = Layouts.DC_CONFIGURATION
                .empty(count)
                .set("availableRegions", regions.size())
                .set("extentsSupported", DynamicCapacity.MAX_EXTENTS)
                .set("extentsAvailable", component.device().capacity().extentsAvailable())
                .set("tagsSupported", component.device().capacity().tagsSupported())
                .set("tagsAvailable", component.device().capacity().tagsAvailable());
        for (int i = 0; i < count; i++) {
            write(regions.get(start + i), answer.entry(i));
        }
        return Response.of(answer);
    }

    private static void write(DcRegion region, Payload entry) {
        entry.set("baseDpa", region.baseDpa())
                .set("decodeLengthBytes", region.decodeLengthBytes())
                .set("lengthBytes", region.lengthBytes())
                .set("blockSizeBytes", region.blockSizeBytes())
                .set("dsmadHandle", region.dsmadHandle())
                .setFlag("flags", "sanitized on release", region.sanitizeOnRelease());
    }

    /** As many of the wanted extents as there are and fit the payload; "returned" tells. */
    static Response getExtentList(LdComponent component, byte[] input) {
        Payload request = Layouts.GET_DC_EXTENT_LIST.over(input);
        DynamicCapacity capacity = component.device().capacity();
        long start = request.number("startIndex");
        if (start > capacity.acceptedCount()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int fitting =
                Layouts.DC_EXTENT_LIST.entriesWithin(component.messageLimit().bytes());
        List<Extent> extents = capacity.accepted((int) start, (int) Math.min(request.number("extentCount"), fitting));
        Payload answer = Layouts.DC_EXTENT_LIST
                .empty(extents.size())
                .set("totalExtents", capacity.acceptedCount())
                .set("generation", Integer.toUnsignedLong(capacity.generation()));
        for (int i = 0; i < extents.size(); i++) {
            EventCommands.write(extents.get(i), answer.entry(i));
        }
        return Response.of(answer);
    }

    static Response addResponse(LdComponent component, byte[] input) {
        Payload request = Layouts.HOST_EXTENT_LIST.over(input);
        return Response.of(component.device().capacity().addResponse(ranges(request), request.flag("flags", "more")));
    }

    static Response release(LdComponent component, byte[] input) {
        Payload request = Layouts.HOST_EXTENT_LIST.over(input);
        return Response.of(component.device().capacity().hostRelease(ranges(request), request.flag("flags", "more")));
    }

    private static List<HostRange> ranges(Payload request) {
        List<HostRange> ranges = new ArrayList<>(request.entryCount());
        for (int i = 0; i < request.entryCount(); i++) {
            Payload entry = request.entry(i);
            ranges.add(new HostRange(entry.number("startDpa"), entry.number("lengthBytes")));
        }
        return ranges;
    }
}

package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.CONFIGURATION_CHANGE_AFTER_COLD_RESET;
import static io.mhsld.cci.CommandEffect.CONFIGURATION_CHANGE_AFTER_CONVENTIONAL_RESET;
import static io.mhsld.cci.CommandEffect.CONFIGURATION_CHANGE_AFTER_CXL_RESET;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_CONFIGURATION_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.CommandEffect.RESET_BITS_VALID;
import static io.mhsld.cci.Opcode.between;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.cci.FabricOperations.HostExtents;
import io.mhsld.cci.FabricOperations.TagInfo;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Extent;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/** Command set 56h: the fabric manager's side of dynamic capacity (CXL r3.1 7.6.7.6). */
final class FabricCommands {
    private static final Set<CciKind> FABRIC = Set.of(CciKind.FM_OWNED_LD);

    private static final CommandEffect[] CHANGES_CAPACITY = {
        CONFIGURATION_CHANGE_AFTER_COLD_RESET,
        IMMEDIATE_CONFIGURATION_CHANGE,
        IMMEDIATE_DATA_CHANGE,
        RESET_BITS_VALID,
        CONFIGURATION_CHANGE_AFTER_CONVENTIONAL_RESET,
        CONFIGURATION_CHANGE_AFTER_CXL_RESET
    };

    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            TunnelCommand.ROW,
            row(0x5600, "Get DCD Info")
                    .output(FabricLayouts.DCD_INFO)
                    .on(FABRIC)
                    .runs(fabric(FabricCommands::getInfo)),
            row(0x5601, "Get Host DC Region Configuration")
                    .input(exactly(4), FabricLayouts.GET_HOST_REGIONS)
                    .output(FabricLayouts.HOST_REGIONS)
                    .on(FABRIC)
                    .runs(fabric(FabricCommands::getRegions)),
            row(0x5602, "Set DC Region Configuration", CHANGES_CAPACITY)
                    .input(exactly(16), FabricLayouts.SET_REGION)
                    .on(FABRIC)
                    .runs(fabric(FabricCommands::setRegion)),
            row(0x5603, "Get DC Region Extent Lists")
                    .input(exactly(12), FabricLayouts.GET_HOST_EXTENTS)
                    .output(FabricLayouts.HOST_EXTENTS)
                    .on(FABRIC)
                    .runs(fabric(FabricCommands::getExtents)),
            row(0x5604, "Initiate Dynamic Capacity Add", CHANGES_CAPACITY)
                    .input(between(32, FmOwnedLd.MAX_PAYLOAD_BYTES), FabricLayouts.ADD_CAPACITY)
                    .on(FABRIC)
                    .runs(fabric((component, input) ->
                            order(component, 0x5604, FabricLayouts.ADD_CAPACITY.over(input), input))),
            row(0x5605, "Initiate Dynamic Capacity Release", CHANGES_CAPACITY)
                    .input(between(32, FmOwnedLd.MAX_PAYLOAD_BYTES), FabricLayouts.RELEASE_CAPACITY)
                    .on(FABRIC)
                    .runs(fabric((component, input) ->
                            order(component, 0x5605, FabricLayouts.RELEASE_CAPACITY.over(input), input))),
            row(0x5606, "Dynamic Capacity Add Reference", IMMEDIATE_CONFIGURATION_CHANGE)
                    .input(exactly(16), FabricLayouts.TAG)
                    .on(FABRIC)
                    .runs(fabric((component, input) -> reference(input, component.operations()::addReference))),
            row(0x5607, "Dynamic Capacity Remove Reference", IMMEDIATE_CONFIGURATION_CHANGE, IMMEDIATE_DATA_CHANGE)
                    .input(exactly(16), FabricLayouts.TAG)
                    .on(FABRIC)
                    .runs(fabric((component, input) -> reference(input, component.operations()::removeReference))),
            row(0x5608, "Dynamic Capacity List Tags")
                    .input(exactly(8), FabricLayouts.LIST_TAGS)
                    .output(FabricLayouts.TAG_LIST)
                    .on(FABRIC)
                    .runs(fabric(FabricCommands::listTags)));

    private FabricCommands() {}

    static Component.Handler fabric(FmComponent.Handler handler) {
        return (component, input) -> handler.handle((FmComponent) component, input);
    }

    private static Response getInfo(FmComponent component, byte[] input) {
        FabricOperations operations = component.operations();
        List<DcRegion> regions = operations.regions();
        long capacity = regions.stream().mapToLong(DcRegion::lengthBytes).sum();
        Payload answer = FabricLayouts.DCD_INFO
                .empty(0)
                .set("hostCount", operations.headCount())
                .set("regionCount", regions.size())
                .setFlags("selectionPolicies", CapacityOrders.SELECTION_POLICIES)
                .setFlags("removalPolicies", CapacityOrders.REMOVAL_POLICIES)
                .setFlags("sanitizedOnRelease", (1L << regions.size()) - 1)
                // In whole units, and a small device has one.
                .set("totalCapacityBytes", roundUp(capacity, Layouts.CAPACITY_UNIT_BYTES));
        for (DcRegion region : regions) {
            answer.set(FabricLayouts.blockSizesOf(region.id()), operations.supportedBlockSizes(region.id()));
        }
        return Response.of(answer);
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }

    private static Response getRegions(FmComponent component, byte[] input) {
        Payload request = FabricLayouts.GET_HOST_REGIONS.over(input);
        FabricOperations operations = component.operations();
        List<DcRegion> regions = operations.regions();
        int host = (int) request.number("hostId");
        int start = (int) request.number("startRegion");
        if (host >= operations.headCount() || start >= regions.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Optional<HostExtents> extents = operations.extents(host);
        if (extents.isEmpty()) {
            return Response.of(ReturnCode.RETRY_REQUIRED);
        }
        int count = (int) Math.min(request.number("regionCount"), regions.size() - start);
        Payload answer = FabricLayouts.HOST_REGIONS
                .empty(count)
                .set("hostId", host)
                .set("availableRegions", regions.size())
                .set("extentsSupported", DynamicCapacity.MAX_EXTENTS)
                .set(
                        "extentsAvailable",
                        Math.max(0, DynamicCapacity.MAX_EXTENTS - extents.get().tracked()))
                .set("tagsSupported", operations.tagsSupported())
                .set("tagsAvailable", operations.tagsAvailable());
        for (int i = 0; i < count; i++) {
            DcRegion region = regions.get(start + i);
            answer.entry(i)
                    .set("baseDpa", region.baseDpa())
                    .set("decodeLengthBytes", region.decodeLengthBytes())
                    .set("lengthBytes", region.lengthBytes())
                    .set("blockSizeBytes", region.blockSizeBytes())
                    .setFlag("flags", "shareable", region.shareable())
                    .setFlag("sanitize", "on release", region.sanitizeOnRelease());
        }
        return Response.of(answer);
    }

    private static Response setRegion(FmComponent component, byte[] input) {
        Payload request = FabricLayouts.SET_REGION.over(input);
        int region = (int) request.number("region");
        if (region >= component.operations().regions().size()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        return Response.of(component
                .operations()
                .configureRegion(
                        region, request.number("blockSizeBytes"), request.flag("flags", "sanitize on release")));
    }

    /** As many of the wanted extents as there are and fit the payload; "returned" tells. */
    private static Response getExtents(FmComponent component, byte[] input) {
        Payload request = FabricLayouts.GET_HOST_EXTENTS.over(input);
        int host = (int) request.number("hostId");
        if (host >= component.operations().headCount()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Optional<HostExtents> extents = component.operations().extents(host);
        if (extents.isEmpty()) {
            return Response.of(ReturnCode.RETRY_REQUIRED);
        }
        List<Extent> accepted = extents.get().accepted();
        long start = request.number("startIndex");
        if (start > accepted.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int count = entries(FabricLayouts.HOST_EXTENTS, request.number("extentCount"), accepted.size() - (int) start);
        Payload answer = FabricLayouts.HOST_EXTENTS
                .empty(count)
                .set("hostId", host)
                .set("startIndex", start)
                .set("totalExtents", accepted.size())
                .set("generation", Integer.toUnsignedLong(extents.get().generation()));
        for (int i = 0; i < count; i++) {
            EventCommands.write(accepted.get((int) start + i), answer.entry(i));
        }
        return Response.of(answer);
    }

    private static int entries(Layout layout, long wanted, int available) {
        return (int) Math.min(Math.min(wanted, available), layout.entriesWithin(FmOwnedLd.MAX_PAYLOAD_BYTES));
    }

    /** 5604h and 5605h: the payload is whole, and the rest is for the head to judge; what asks for nothing is done without it. */
    private static Response order(FmComponent component, int opcode, Payload request, byte[] input) {
        int host = (int) request.number("hostId");
        if (host >= component.operations().headCount()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Optional<ReturnCode> known = CapacityOrders.knownAnswer(opcode, request);
        return known.map(Response::of)
                .orElseGet(() -> component.forwarded(
                        answer -> component.operations().forward(host, CciKind.FM_OWNED_LD, opcode, input, answer)));
    }

    /** The nil tag names no capacity, and there is nothing to do. */
    private static Response reference(byte[] input, Function<UUID, ReturnCode> change) {
        UUID tag = FabricLayouts.TAG.over(input).uuid("tag");
        return Response.of(tag.equals(Extent.NO_TAG) ? ReturnCode.SUCCESS : change.apply(tag));
    }

    private static Response listTags(FmComponent component, byte[] input) {
        Payload request = FabricLayouts.LIST_TAGS.over(input);
        int generation = component.operations().tagGeneration();
        List<TagInfo> tags = component.operations().tags();
        long start = request.number("startIndex");
        if (start > tags.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int count = entries(FabricLayouts.TAG_LIST, request.number("tagLimit"), tags.size() - (int) start);
        Payload answer = FabricLayouts.TAG_LIST
                .empty(count)
                .set("generation", Integer.toUnsignedLong(generation))
                .set("totalTags", tags.size())
                .setFlag("validity", "reference bitmap", true)
                .setFlag("validity", "pending bitmap", true);
        for (int i = 0; i < count; i++) {
            TagInfo tag = tags.get((int) start + i);
            answer.entry(i)
                    .set("tag", tag.tag())
                    .setFlag("flags", "referenced by the fabric manager", tag.isReferenced())
                    .set("holders", bitmap(tag.holders()))
                    .set("pendingHolders", bitmap(tag.pendingHolders()));
        }
        return Response.of(answer);
    }

    private static byte[] bitmap(long hosts) {
        byte[] bitmap = new byte[FabricLayouts.HOST_BITMAP_BYTES];
        for (int i = 0; i < Long.BYTES; i++) {
            bitmap[i] = (byte) (hosts >>> (i * Byte.SIZE));
        }
        return bitmap;
    }
}

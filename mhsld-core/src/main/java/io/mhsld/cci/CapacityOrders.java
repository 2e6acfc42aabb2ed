package io.mhsld.cci;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What a head does of the fabric manager's commands, in its own process: 5604h and 5605h for its own host (CXL r3.1 7.6.7.6.5, 7.6.7.6.6). Anything
 * else is not supported here.
 */
public final class CapacityOrders {
    /** The selection policies that a head can follow, as 5600h tells them. */
    static final int SELECTION_POLICIES = 1 << CapacityOrders.PRESCRIPTIVE_ADD;

    /** The removal policies. */
    static final int REMOVAL_POLICIES = 1 << CapacityOrders.PRESCRIPTIVE_RELEASE;

    private static final int ADD = 0x5604;
    private static final int RELEASE = 0x5605;

    private static final int CONTIGUOUS_ADD = 1;
    private static final int PRESCRIPTIVE_ADD = 2;
    private static final int SHARED_ADD = 3;

    private static final int PRESCRIPTIVE_RELEASE = 1;
    private static final int REMOVAL_POLICY_MASK = 0xF;
    private static final int FORCED = 1 << 4;

    private final DynamicCapacity capacity;
    private final Consumer<? super RuntimeException> errors;

    /** @param errors told of faults of ours, which the fabric manager sees as Internal Error only */
    public CapacityOrders(Type3Device device, Consumer<? super RuntimeException> errors) {
        this.capacity = device.capacity();
        this.errors = errors;
    }

    /** Runs one command to its end; as {@link Mailbox#execute}. */
    public Response execute(int opcode, byte[] payload) {
        Optional<Opcode> row = OpcodeTable.of(opcode).filter(known -> opcode == ADD || opcode == RELEASE);
        if (row.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        if (!row.get().takes(payload)) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        Payload request = row.get().request().over(payload);
        try {
            return knownAnswer(opcode, request)
                    .map(Response::of)
                    .orElseGet(() -> opcode == ADD ? add(request) : release(request));
        } catch (RuntimeException e) {
            errors.accept(new IllegalStateException("command failed: opcode=" + row.get(), e));
            return Response.of(ReturnCode.INTERNAL_ERROR);
        }
    }

    /** The answer that no head needs to be asked for: to a policy that nobody knows, and to what asks for nothing, which is done. */
    static Optional<ReturnCode> knownAnswer(int opcode, Payload request) {
        int policy = opcode == ADD ? (int) request.number("selectionPolicy") : removalPolicy(request);
        if (policy > (opcode == ADD ? SHARED_ADD : PRESCRIPTIVE_RELEASE)) {
            return Optional.of(ReturnCode.INVALID_INPUT);
        }
        boolean isByList = policy == (opcode == ADD ? PRESCRIPTIVE_ADD : PRESCRIPTIVE_RELEASE);
        boolean isBySize = opcode == ADD && policy <= CONTIGUOUS_ADD;
        boolean asksForNothing;
        if (isByList) {
            asksForNothing = request.entryCount() == 0;
        } else if (isBySize) {
            asksForNothing = request.number("lengthBytes") == 0;
        } else {
            asksForNothing = request.uuid("tag").equals(Extent.NO_TAG) && request.number("lengthBytes") == 0;
        }
        return asksForNothing ? Optional.of(ReturnCode.SUCCESS) : Optional.empty();
    }

    private static int removalPolicy(Payload request) {
        return (int) request.number("flags") & REMOVAL_POLICY_MASK;
    }

    private Response add(Payload request) {
        if (request.number("selectionPolicy") != PRESCRIPTIVE_ADD) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int region = (int) request.number("region");
        if (region >= capacity.regions().size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Optional<UUID> tag = tagOf(request);
        if (tag.isEmpty()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        long baseDpa = capacity.regions().get(region).baseDpa();
        List<Range> ranges = new ArrayList<>(request.entryCount());
        for (int i = 0; i < request.entryCount(); i++) {
            Payload extent = request.entry(i);
            // One below the region comes out beyond its end, for offsets are unsigned.
            ranges.add(new Range(extent.number("startDpa") - baseDpa, extent.number("lengthBytes")));
        }
        return Response.of(capacity.add(region, ranges, tag.get()));
    }

    /** The request's tag, or without one that of all its extents; empty when these differ. */
    private static Optional<UUID> tagOf(Payload request) {
        UUID tag = request.uuid("tag");
        if (!tag.equals(Extent.NO_TAG)) {
            return Optional.of(tag);
        }
        UUID first = request.entry(0).uuid("tag");
        for (int i = 1; i < request.entryCount(); i++) {
            if (!request.entry(i).uuid("tag").equals(first)) {
                return Optional.empty();
            }
        }
        return Optional.of(first);
    }

    /** Extents may lie in several regions; region by region, each one whole or not at all. */
    private Response release(Payload request) {
        if (removalPolicy(request) != PRESCRIPTIVE_RELEASE) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Map<Integer, List<Range>> byRegion = new TreeMap<>();
        for (int i = 0; i < request.entryCount(); i++) {
            long startDpa = request.entry(i).number("startDpa");
            long lengthBytes = request.entry(i).number("lengthBytes");
            Optional<DcRegion> region = capacity.regionOf(startDpa, lengthBytes);
            if (region.isEmpty()) {
                return Response.of(ReturnCode.INVALID_PHYSICAL_ADDRESS);
            }
            byRegion.computeIfAbsent(region.get().id(), id -> new ArrayList<>())
                    .add(new Range(startDpa - region.get().baseDpa(), lengthBytes));
        }
        boolean isForced = (request.number("flags") & FORCED) != 0;
        for (Map.Entry<Integer, List<Range>> ranges : byRegion.entrySet()) {
            Response response = Response.of(
                    isForced
                            ? capacity.forceRelease(ranges.getKey(), ranges.getValue())
                            : capacity.requestRelease(ranges.getKey(), ranges.getValue()));
            if (!response.isSuccess()) {
                return response;
            }
        }
        return Response.of(ReturnCode.SUCCESS);
    }
}

package io.mhsld.cci;

import io.mhsld.type3.AddRequest;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.RemovalPolicy;
import io.mhsld.type3.SelectionPolicy;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What a head does of the fabric manager's commands, in its own process: 5604h and 5605h for its own host (CXL r3.1 7.6.7.6.5, 7.6.7.6.6), and after
 * a 5602h its host is told. Anything else is not supported here.
 */
public final class CapacityOrders {
    /** Sent to a head, whatever the payload: the settings of regions have changed, and its host is to know. */
    public static final int REGIONS_CHANGED = 0x5602;

    /** The selection policies, as 5600h tells them. */
    static final int SELECTION_POLICIES = (1 << SelectionPolicy.values().length) - 1;

    /** The removal policies. */
    static final int REMOVAL_POLICIES = (1 << RemovalPolicy.values().length) - 1;

    private static final int ADD = 0x5604;
    private static final int RELEASE = 0x5605;

    private static final int REMOVAL_POLICY_MASK = 0xF;
    private static final int FORCED = 1 << 4;
    private static final int SANITIZE = 1 << 5;

    /** About an extent that was not in the request: then the request's length or tag is wrong. */
    private static final Set<Cause> OF_EXTENTS =
            Set.of(Cause.UNALIGNED, Cause.OUTSIDE_REGION, Cause.NOT_ACCEPTED, Cause.STILL_PENDING);

    private final DynamicCapacity capacity;
    private final Consumer<? super RuntimeException> errors;

    /** @param errors told of faults of ours, which the fabric manager sees as Internal Error only */
    public CapacityOrders(Type3Device device, Consumer<? super RuntimeException> errors) {
        this.capacity = device.capacity();
        this.errors = errors;
    }

    /** Runs one command to its end; as {@link Mailbox#execute}. */
    public Response execute(int opcode, byte[] payload) {
        Optional<Opcode> row =
                OpcodeTable.of(opcode).filter(known -> opcode == ADD || opcode == RELEASE || opcode == REGIONS_CHANGED);
        if (row.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        try {
            if (opcode == REGIONS_CHANGED) {
                capacity.refreshRegions();
                return Response.of(ReturnCode.SUCCESS);
            }
            if (!row.get().takes(payload)) {
                return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
            }
            Payload request = row.get().request().over(payload);
            return Response.of(
                    knownAnswer(opcode, request).orElseGet(() -> opcode == ADD ? add(request) : release(request)));
        } catch (RuntimeException e) {
            errors.accept(new IllegalStateException("command failed: opcode=" + row.get(), e));
            return Response.of(ReturnCode.INTERNAL_ERROR);
        }
    }

    /** The answer that no head needs to be asked for: to a policy that nobody knows, and to what asks for nothing, which is done. */
    static Optional<ReturnCode> knownAnswer(int opcode, Payload request) {
        boolean asksForNothing;
        if (opcode == ADD) {
            Optional<SelectionPolicy> policy = selectionPolicy(request);
            if (policy.isEmpty()) {
                return Optional.of(ReturnCode.INVALID_INPUT);
            }
            asksForNothing = switch (policy.get()) {
                case FREE, CONTIGUOUS -> request.number("lengthBytes") == 0;
                case PRESCRIPTIVE -> request.entryCount() == 0;
                case ENABLE_SHARED_ACCESS -> isForNothing(request);
            };
        } else {
            Optional<RemovalPolicy> policy = removalPolicy(request);
            if (policy.isEmpty()) {
                return Optional.of(ReturnCode.INVALID_INPUT);
            }
            asksForNothing = switch (policy.get()) {
                case TAG_BASED -> isForNothing(request);
                case PRESCRIPTIVE -> request.entryCount() == 0;
            };
        }
        return asksForNothing ? Optional.of(ReturnCode.SUCCESS) : Optional.empty();
    }

    private static boolean isForNothing(Payload request) {
        return request.uuid("tag").equals(Extent.NO_TAG) && request.number("lengthBytes") == 0;
    }

    private static Optional<SelectionPolicy> selectionPolicy(Payload request) {
        return SelectionPolicy.of((int) request.number("selectionPolicy"));
    }

    private static Optional<RemovalPolicy> removalPolicy(Payload request) {
        return RemovalPolicy.of((int) request.number("flags") & REMOVAL_POLICY_MASK);
    }

    /** Of extents that the request names the region is where they lie, whatever it says. */
    private ReturnCode add(Payload request) {
        SelectionPolicy policy = selectionPolicy(request).orElseThrow();
        int region = (int) request.number("region");
        UUID tag = request.uuid("tag");
        long lengthBytes = request.number("lengthBytes");
        if (policy == SelectionPolicy.PRESCRIPTIVE) {
            Optional<UUID> common = commonTag(request);
            return common.isEmpty()
                    ? ReturnCode.INVALID_INPUT
                    : codeOf(capacity.add(AddRequest.atDpa(ranges(request), common.get())), true);
        }
        AddRequest order = switch (policy) {
            case FREE -> AddRequest.free(region, lengthBytes, tag);
            case CONTIGUOUS -> AddRequest.contiguous(region, lengthBytes, tag);
            default -> AddRequest.join(region, tag);
        };
        return codeOf(capacity.add(order), false);
    }

    /** The request's tag, or without one that of all its extents; empty when these differ. */
    private static Optional<UUID> commonTag(Payload request) {
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

    /** Extents may lie in several regions; all of them go, or none. */
    private ReturnCode release(Payload request) {
        boolean isByList = removalPolicy(request).orElseThrow() == RemovalPolicy.PRESCRIPTIVE;
        long flags = request.number("flags");
        ReleaseRequest order = isByList
                ? ReleaseRequest.atDpa(ranges(request))
                : ReleaseRequest.tagged(request.uuid("tag"), request.number("lengthBytes"));
        Optional<Refusal> refusal =
                capacity.release(order.byForce((flags & FORCED) != 0).sanitizing((flags & SANITIZE) != 0));
        if (isByList && refusal.isPresent() && refusal.get().cause() == Cause.STILL_PENDING) {
            // To one who asks for it back, what is only offered is as little the host's as what is free.
            return ReturnCode.of(Cause.NOT_ACCEPTED);
        }
        return codeOf(refusal, isByList);
    }

    private static List<Range> ranges(Payload request) {
        List<Range> ranges = new ArrayList<>(request.entryCount());
        for (int i = 0; i < request.entryCount(); i++) {
            Payload extent = request.entry(i);
            ranges.add(new Range(extent.number("startDpa"), extent.number("lengthBytes")));
        }
        return ranges;
    }

    private static ReturnCode codeOf(Optional<Refusal> refusal, boolean isByList) {
        if (refusal.isEmpty()) {
            return ReturnCode.SUCCESS;
        }
        Cause cause = refusal.get().cause();
        return !isByList && OF_EXTENTS.contains(cause) ? ReturnCode.INVALID_INPUT : ReturnCode.of(cause);
    }
}

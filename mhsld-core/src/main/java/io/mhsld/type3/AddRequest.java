package io.mhsld.type3;

import io.mhsld.type3.DynamicCapacity.Range;
import java.util.List;
import java.util.UUID;

/**
 * The fabric manager's order to offer capacity to the host of a head.
 *
 * @param policy how the capacity is chosen
 * @param region where it lies, and what {@code ranges} are relative to; {@link #ANY_REGION} when they are device addresses (prescriptive only)
 * @param lengthBytes how much of it, for {@code FREE} and {@code CONTIGUOUS}: an unsigned 64-bit value, straight from the client; otherwise unused
 * @param tag its tag, {@link Extent#NO_TAG} for none; in a shareable region capacity must have one
 * @param ranges which, for {@code PRESCRIPTIVE}; otherwise unused
 */
public record AddRequest(SelectionPolicy policy, int region, long lengthBytes, UUID tag, List<Range> ranges) {
    /** Instead of a region's number: the ranges are device addresses, each in the region that it falls into. */
    public static final int ANY_REGION = -1;

    /** Copies the ranges. */
    public AddRequest {
        ranges = List.copyOf(ranges);
    }

    /** These ranges of a region. */
    public static AddRequest prescriptive(int region, List<Range> ranges, UUID tag) {
        return new AddRequest(SelectionPolicy.PRESCRIPTIVE, region, 0, tag, ranges);
    }

    /** These ranges, whose offsets are device addresses, in whatever regions. */
    public static AddRequest atDpa(List<Range> ranges, UUID tag) {
        return prescriptive(ANY_REGION, ranges, tag);
    }

    /** So much of a region, from wherever it is free. */
    public static AddRequest free(int region, long lengthBytes, UUID tag) {
        return new AddRequest(SelectionPolicy.FREE, region, lengthBytes, tag, List.of());
    }

    /** So much of a region, in one run. */
    public static AddRequest contiguous(int region, long lengthBytes, UUID tag) {
        return new AddRequest(SelectionPolicy.CONTIGUOUS, region, lengthBytes, tag, List.of());
    }

    /** All that has the tag: the host shares it from then on. */
    public static AddRequest join(int region, UUID tag) {
        return new AddRequest(SelectionPolicy.ENABLE_SHARED_ACCESS, region, 0, tag, List.of());
    }
}

package io.mhsld.type3;

import io.mhsld.type3.DynamicCapacity.Range;
import java.util.List;
import java.util.UUID;

/**
 * The fabric manager's order to take capacity from the host of a head. Made by one of the factories, and qualified by {@link #byForce} and
 * {@link #sanitizing}.
 *
 * @param policy how the capacity is chosen
 * @param forced taken without asking the host, offers that it has not answered included; otherwise the host is asked, and nothing changes before it
 *     lets go
 * @param sanitize scrubbed when it is let go of, however long the host takes, whatever its region's setting
 * @param region what {@code ranges} are relative to; {@link AddRequest#ANY_REGION} when they are device addresses, or when a tag alone is meant
 * @param lengthBytes how much of what has the tag, the last accepted first, for {@code TAG_BASED}; 0 for all of it. An unsigned 64-bit value
 * @param tag for {@code TAG_BASED}; {@link Extent#NO_TAG} stands for the capacity without a tag, and then {@code lengthBytes} says how much of it
 * @param ranges which, for {@code PRESCRIPTIVE}
 */
public record ReleaseRequest(
        RemovalPolicy policy,
        boolean forced,
        boolean sanitize,
        int region,
        long lengthBytes,
        UUID tag,
        List<Range> ranges) {
    /** Copies the ranges. */
    public ReleaseRequest {
        ranges = List.copyOf(ranges);
    }

    /** These ranges of a region. */
    public static ReleaseRequest prescriptive(int region, List<Range> ranges) {
        return new ReleaseRequest(RemovalPolicy.PRESCRIPTIVE, false, false, region, 0, Extent.NO_TAG, ranges);
    }

    /** These ranges, whose offsets are device addresses, in whatever regions. */
    public static ReleaseRequest atDpa(List<Range> ranges) {
        return prescriptive(AddRequest.ANY_REGION, ranges);
    }

    /** All that has the tag, in whatever region. */
    public static ReleaseRequest tagged(UUID tag) {
        return tagged(tag, 0);
    }

    /** So much of what has the tag, all of it for 0. */
    public static ReleaseRequest tagged(UUID tag, long lengthBytes) {
        return new ReleaseRequest(
                RemovalPolicy.TAG_BASED, false, false, AddRequest.ANY_REGION, lengthBytes, tag, List.of());
    }

    /** The same without asking the host, if so. */
    public ReleaseRequest byForce(boolean isForced) {
        return new ReleaseRequest(policy, isForced, sanitize, region, lengthBytes, tag, ranges);
    }

    /** The same with a scrub at the end, if so. */
    public ReleaseRequest sanitizing(boolean isSanitizing) {
        return new ReleaseRequest(policy, forced, isSanitizing, region, lengthBytes, tag, ranges);
    }
}

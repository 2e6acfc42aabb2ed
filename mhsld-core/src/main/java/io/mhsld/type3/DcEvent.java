package io.mhsld.type3;

/**
 * What a dynamic-capacity event record says (CXL r3.1 8.2.9.2.1.6, table 8-50).
 *
 * @param type what happened, or is asked for
 * @param hostId the host that it concerns
 * @param region the region of the extent
 * @param more further records of the same request follow
 * @param extent the capacity; {@link #NOTHING} when the record is about a region
 * @param extentsAvailable extents that the device could still keep track of when the record was made
 * @param tagsAvailable tags of shared capacity that it could still keep track of then, {@link #NO_TAGS} when none of its capacity is shared
 */
public record DcEvent(
        Type type, int hostId, int region, boolean more, Extent extent, int extentsAvailable, int tagsAvailable)
        implements EventBody {
    /** No capacity. */
    public static final Extent NOTHING = Extent.untagged(0, 0);

    /** Instead of a number of tags. */
    public static final int NO_TAGS = -1;

    /** Of a device whose capacity is not shared. */
    public DcEvent(Type type, int hostId, int region, boolean more, Extent extent, int extentsAvailable) {
        this(type, hostId, region, more, extent, extentsAvailable, NO_TAGS);
    }

    /** What happened, or is asked for. */
    public enum Type {
        /** Capacity is offered: the host answers with Add Dynamic Capacity Response. */
        ADD(0),
        /** The fabric manager asks for capacity back: the host answers with Release Dynamic Capacity. */
        RELEASE(1),
        /** Capacity has been taken away. */
        FORCED_RELEASE(2),
        /** A region has another block size, or another setting: the host reads Get Dynamic Capacity Configuration anew. */
        REGION_CONFIGURATION_UPDATED(3);

        private final int value;

        Type(int value) {
            this.value = value;
        }

        /** The event type byte of the record. */
        public int value() {
            return value;
        }
    }
}

package io.mhsld.type3;

/**
 * What a dynamic-capacity event record says (CXL r3.1 8.2.9.2.1.6, table 8-50).
 *
 * @param type what happened, or is asked for
 * @param hostId the host that it concerns
 * @param region the region of the extent
 * @param more further records of the same request follow
 * @param extent the capacity
 * @param extentsAvailable extents that the device could still keep track of when the record was made
 */
public record DcEvent(Type type, int hostId, int region, boolean more, Extent extent, int extentsAvailable)
        implements EventBody {
    /** What happened, or is asked for. */
    public enum Type {
        /** Capacity is offered: the host answers with Add Dynamic Capacity Response. */
        ADD(0),
        /** The fabric manager asks for capacity back: the host answers with Release Dynamic Capacity. */
        RELEASE(1),
        /** Capacity has been taken away. */
        FORCED_RELEASE(2);

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

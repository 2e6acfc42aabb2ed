package io.mhsld.type3;

import java.util.OptionalInt;

/**
 * What the reporter of an event says in the part that all records have in common (CXL r3.2 8.2.10.2.1, table 8-55). Handle and timestamp come
 * from the log.
 *
 * @param flags 24 bits: severity in bits 1:0, then permanent condition, maintenance needed, performance degraded, hardware replacement needed.
 *     The flags that say that one of the optional fields is valid are added by {@link #wireFlags}
 * @param maintenanceClass class of the maintenance operation that the device asks for, 8 bits
 * @param maintenanceSubclass subclass of it, 8 bits
 * @param ldId the LD that the event came from, 16 bits
 * @param headId the head that the event came from, 8 bits
 */
public record EventHeader(
        int flags,
        OptionalInt maintenanceClass,
        OptionalInt maintenanceSubclass,
        OptionalInt ldId,
        OptionalInt headId) {
    /** An informational event that says nothing else. */
    public static final EventHeader INFORMATIONAL = ofFlags(0);

    private static final int MAX_FLAGS = 0xFF_FFFF;
    private static final int SUBCLASS_VALID = 1 << 6;
    private static final int LD_ID_VALID = 1 << 7;
    private static final int HEAD_ID_VALID = 1 << 8;

    /** Refuses what does not fit its field with {@code IllegalArgumentException}. */
    public EventHeader {
        require("flags", flags, MAX_FLAGS);
        maintenanceClass.ifPresent(value -> require("maintenanceClass", value, 0xFF));
        maintenanceSubclass.ifPresent(value -> require("maintenanceSubclass", value, 0xFF));
        ldId.ifPresent(value -> require("ldId", value, 0xFFFF));
        headId.ifPresent(value -> require("headId", value, 0xFF));
    }

    /** A header with flags only. */
    public static EventHeader ofFlags(int flags) {
        OptionalInt none = OptionalInt.empty();
        return new EventHeader(flags, none, none, none, none);
    }

    /** The flags, those that say which optional fields are valid included. The maintenance class has no such flag: 0 means none. */
    public int wireFlags() {
        return flags
                | (maintenanceSubclass.isPresent() ? SUBCLASS_VALID : 0)
                | (ldId.isPresent() ? LD_ID_VALID : 0)
                | (headId.isPresent() ? HEAD_ID_VALID : 0);
    }

    private static void require(String name, int value, int max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException("value does not fit: " + name + "=" + value + " max=" + max);
        }
    }
}

package io.mhsld.cci;

/**
 * What Identify tells of a component (CXL r3.1 8.2.9.1.1).
 *
 * @param deviceId tells an LD from the FM-owned LD
 * @param serial the device's serial number, the same on all its interfaces
 * @param componentType the number of the specification
 */
record ComponentIdentity(int deviceId, long serial, int componentType) {
    /** Nobody's: the letters MH. */
    static final int VENDOR_ID = 0x484D;

    /** The letters LD. */
    static final int LD_DEVICE_ID = 0x444C;

    /** The letters FM. */
    static final int FM_OWNED_LD_DEVICE_ID = 0x4D46;

    static final int TYPE_3 = 3;

    /** The identity of an LD. */
    static ComponentIdentity ofLd(long serial) {
        return new ComponentIdentity(LD_DEVICE_ID, serial, TYPE_3);
    }

    /** The identity of the FM-owned LD. */
    static ComponentIdentity ofFmOwnedLd(long serial) {
        return new ComponentIdentity(FM_OWNED_LD_DEVICE_ID, serial, TYPE_3);
    }
}

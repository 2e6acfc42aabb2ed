package io.mhsld.type3;

/**
 * Told of what happens to a device's media and health, on the device's thread: where event records come from. An implementation must not call
 * the device back.
 */
public interface MediaEvents {
    /** An alert that a programmable warning, or a critical threshold, can raise (CXL r3.1 8.2.9.9.3.2). */
    enum Alert {
        LIFE_USED(0),
        OVER_TEMPERATURE(1),
        UNDER_TEMPERATURE(2),
        CORRECTED_VOLATILE_ERRORS(3),
        CORRECTED_PERSISTENT_ERRORS(4);

        private final int bit;

        Alert(int bit) {
            this.bit = bit;
        }

        /** Its place in the bytes that name alerts (CXL r3.1 8.2.9.9.3.2). */
        public int mask() {
            return 1 << bit;
        }
    }

    /** Lines were poisoned on request; {@code INJECTED} by the host's command, or by whoever tests it. */
    default void poisonInjected(MediaPoison.Line line) {}

    /** The host cleared a line. */
    default void poisonCleared(long dpa) {}

    /** A scan met poisoned lines, and the host did not ask for silence. */
    default void poisonFound(MediaPoison.Line line) {}

    /** A read of the host met poison; nothing was copied. */
    default void poisonRead(long dpa, long lengthBytes) {}

    /** The poison list has overflowed. */
    default void poisonListOverflowed() {}

    /**
     * A threshold was crossed.
     *
     * @param isCritical false: the programmable warning threshold
     * @param isOn true: the value is beyond it now; false: it has come back
     */
    default void alert(Alert alert, boolean isCritical, boolean isOn) {}

    /** Tells nobody. */
    MediaEvents NONE = new MediaEvents() {};
}

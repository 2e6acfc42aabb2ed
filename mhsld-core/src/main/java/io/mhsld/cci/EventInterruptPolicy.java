package io.mhsld.cci;

import io.mhsld.type3.EventLog;
import java.util.Arrays;
import java.util.Map;

/**
 * Which event logs interrupt the host, and by which message (CXL r3.1 8.2.9.2.4). Each setting is one byte: the mode in bits 1:0, the message
 * number in bits 7:4, which the device chooses and the host cannot change.
 */
final class EventInterruptPolicy {
    private static final int MODE_MASK = 0x3;
    private static final int MODE_NONE = 0;
    private static final int MODE_MESSAGE = 1;
    private static final int MODE_RESERVED = 3;
    private static final int MESSAGE_SHIFT = 4;

    /** The vectors of QEMU's Type-3 device: the dynamic-capacity log shares that of the informational log. */
    private static final Map<EventLog.Kind, Integer> MESSAGE_NUMBERS = Map.of(
            EventLog.Kind.INFORMATIONAL, 2,
            EventLog.Kind.WARNING, 3,
            EventLog.Kind.FAILURE, 4,
            EventLog.Kind.FATAL, 5,
            EventLog.Kind.DYNAMIC_CAPACITY, 2);

    private final int[] modes = new int[EventLog.Kind.values().length];

    /** The setting as Get Event Interrupt Policy shows it. */
    int setting(EventLog.Kind log) {
        int mode = modes[log.number()];
        return mode == MODE_MESSAGE ? MESSAGE_NUMBERS.get(log) << MESSAGE_SHIFT | mode : mode;
    }

    /** Takes over the modes of the first logs, one byte each; false, and nothing changed, when one of them is reserved. */
    boolean trySet(byte[] settings) {
        for (byte setting : settings) {
            if ((setting & MODE_MASK) == MODE_RESERVED) {
                return false;
            }
        }
        for (int i = 0; i < settings.length; i++) {
            modes[i] = settings[i] & MODE_MASK;
        }
        return true;
    }

    /** No log interrupts: the state after reset. */
    void reset() {
        Arrays.fill(modes, MODE_NONE);
    }
}

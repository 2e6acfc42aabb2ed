package io.mhsld.cci;

import io.mhsld.type3.EventLog;
import java.util.Arrays;
import java.util.Map;

/**
 * Which event logs interrupt the host, and how (CXL r3.1 8.2.9.2.4, 8.2.9.2.5). Each setting is one byte: the mode in bits 1:0, a number in
 * bits 7:4. For messages the number is the device's to choose, and what the host writes there is not looked at; for notifications of firmware it
 * is the vector that the host wants.
 */
final class EventInterruptPolicy {
    private static final int MODE_MASK = 0x3;
    private static final int MODE_NONE = 0;
    private static final int MODE_MESSAGE = 1;
    private static final int MODE_FIRMWARE = 2;
    private static final int MODE_RESERVED = 3;
    private static final int NUMBER_SHIFT = 4;

    /** The vectors of QEMU's Type-3 device: the dynamic-capacity log shares that of the informational log. */
    private static final Map<EventLog.Kind, Integer> MESSAGE_NUMBERS = Map.of(
            EventLog.Kind.INFORMATIONAL, 2,
            EventLog.Kind.WARNING, 3,
            EventLog.Kind.FAILURE, 4,
            EventLog.Kind.FATAL, 5,
            EventLog.Kind.DYNAMIC_CAPACITY, 2);

    private final int[] modes = new int[EventLog.Kind.values().length];
    private final int[] firmwareVectors = new int[modes.length];
    private InterruptListener listener = InterruptListener.NONE;

    /** Tells this listener, and no other. */
    void onInterrupt(InterruptListener newListener) {
        listener = newListener;
    }

    /** A log was empty and no longer is: interrupts, if the host wants that for this log. */
    void firstRecord(EventLog.Kind log) {
        int mode = modes[log.number()];
        if (mode == MODE_MESSAGE) {
            listener.message(MESSAGE_NUMBERS.get(log), log);
        } else if (mode == MODE_FIRMWARE) {
            listener.firmware(firmwareVectors[log.number()], log);
        }
    }

    /** The setting as Get Event Interrupt Policy shows it. */
    int setting(EventLog.Kind log) {
        int mode = modes[log.number()];
        if (mode == MODE_MESSAGE) {
            return MESSAGE_NUMBERS.get(log) << NUMBER_SHIFT | mode;
        }
        return mode == MODE_FIRMWARE ? firmwareVectors[log.number()] << NUMBER_SHIFT | mode : mode;
    }

    /**
     * Takes over the settings of the first logs, one byte each; false, and nothing changed, when one of them has a reserved mode. Firmware has
     * no part in dynamic capacity: for that log its mode is reserved.
     */
    boolean trySet(byte[] settings) {
        for (int log = 0; log < settings.length; log++) {
            int mode = settings[log] & MODE_MASK;
            boolean isForFirmware = log != EventLog.Kind.DYNAMIC_CAPACITY.number();
            if (mode == MODE_RESERVED || (mode == MODE_FIRMWARE && !isForFirmware)) {
                return false;
            }
        }
        for (int log = 0; log < settings.length; log++) {
            modes[log] = settings[log] & MODE_MASK;
            firmwareVectors[log] = (settings[log] & 0xFF) >>> NUMBER_SHIFT;
        }
        return true;
    }

    /** No log interrupts: the state after reset. */
    void reset() {
        Arrays.fill(modes, MODE_NONE);
    }
}

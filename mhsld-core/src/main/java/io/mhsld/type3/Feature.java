package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;

/**
 * One feature of a device (CXL r3.1 8.2.9.6): a value that the host can set, in three copies: as it is now, as the device came with it, and as it
 * is after a reset.
 */
public abstract class Feature {
    /** Which of the copies (CXL r3.1 8.2.9.6.2). */
    public enum Selection {
        CURRENT(0),
        DEFAULT(1),
        SAVED(2);

        private final int value;

        Selection(int value) {
            this.value = value;
        }

        /** The selection of a number in Get Feature, empty for a reserved one. */
        public static Optional<Selection> of(int value) {
            return Arrays.stream(values())
                    .filter(selection -> selection.value == value)
                    .findFirst();
        }
    }

    private final UUID id;
    private final String name;
    private final byte[] defaults;
    private byte[] current;
    private byte[] saved;

    /** @param defaults the settable value that the device came with */
    Feature(UUID id, String name, byte[] defaults) {
        this.id = id;
        this.name = name;
        this.defaults = defaults.clone();
        this.current = defaults.clone();
        this.saved = defaults.clone();
    }

    /** The feature's identifier. */
    public UUID id() {
        return id;
    }

    /** The feature's name in the specification. */
    public String name() {
        return name;
    }

    /** Version of the feature: of what is got and of what is set. */
    public int version() {
        return 1;
    }

    /** Bytes that are set. */
    public int setLengthBytes() {
        return defaults.length;
    }

    /** Bytes that are got. */
    public int getLengthBytes() {
        return readable(defaults).length;
    }

    /** One of its values, as it is got. */
    public byte[] value(Selection selection) {
        return readable(
                switch (selection) {
                    case CURRENT -> current;
                    case DEFAULT -> defaults;
                    case SAVED -> saved;
                });
    }

    /** Sets the value. Refused with {@code INVALID_LENGTH} and {@code INVALID_VALUE}. */
    Optional<Refusal> set(byte[] value, boolean isSaved) {
        if (value.length != defaults.length) {
            return Refusal.of(Cause.INVALID_LENGTH, "length=%d expected=%d", value.length, defaults.length);
        }
        if (!isValid(value)) {
            return Refusal.of(Cause.INVALID_VALUE, "feature=\"%s\"", name);
        }
        current = stored(value);
        saved = isSaved ? current.clone() : saved;
        return Optional.empty();
    }

    void reset() {
        current = saved.clone();
    }

    /** What Get Feature shows of a value. */
    abstract byte[] readable(byte[] value);

    abstract boolean isValid(byte[] value);

    /** What is kept of a valid value. */
    byte[] stored(byte[] value) {
        return value.clone();
    }

    /** Device patrol scrub control (CXL r3.1 8.2.9.9.11.1): how often all memory is read over, and whether. */
    static final class PatrolScrub extends Feature {
        static final UUID ID = UUID.fromString("96dad7d6-fde8-482b-a733-75774e06db8a");
        static final int MIN_CYCLE_HOURS = 1;

        private static final int DEFAULT_CYCLE_HOURS = 12;
        private static final int CYCLE_CHANGEABLE = 1;
        private static final int ENABLED = 1;

        PatrolScrub() {
            super(ID, "patrol scrub control", new byte[] {DEFAULT_CYCLE_HOURS, ENABLED});
        }

        @Override
        byte[] readable(byte[] value) {
            return new byte[] {CYCLE_CHANGEABLE, value[0], MIN_CYCLE_HOURS, value[1]};
        }

        @Override
        boolean isValid(byte[] value) {
            return (value[0] & 0xFF) >= MIN_CYCLE_HOURS && (value[1] & ~ENABLED) == 0;
        }
    }

    /** DDR5 error check scrub control (CXL r3.1 8.2.9.9.11.2): when corrected errors of a memory chip are worth a log entry. */
    static final class ErrorCheckScrub extends Feature {
        static final UUID ID = UUID.fromString("e5b13f22-2328-4a14-b8ba-b9691e893386");

        private static final int THRESHOLD_MASK = 7;
        private static final int THRESHOLD_256 = 3;
        private static final int THRESHOLD_4096 = 5;
        private static final int RESET_COUNTER = 1 << 4;
        private static final int CONFIGURATION_MASK = 0x1F;
        private static final int LOG_ENTRY_TYPE_MASK = 1;
        private static final int REALTIME_REPORTS = 1;

        ErrorCheckScrub() {
            super(ID, "error check scrub control", new byte[] {0, THRESHOLD_256, 0});
        }

        @Override
        byte[] readable(byte[] value) {
            return new byte[] {value[0], REALTIME_REPORTS, value[1], value[2], 0};
        }

        @Override
        boolean isValid(byte[] value) {
            int threshold = value[1] & THRESHOLD_MASK;
            return (value[0] & ~LOG_ENTRY_TYPE_MASK) == 0
                    && (value[1] & ~CONFIGURATION_MASK) == 0
                    && value[2] == 0
                    && threshold >= THRESHOLD_256
                    && threshold <= THRESHOLD_4096;
        }

        /** Resetting the counter is an act, not a setting. */
        @Override
        byte[] stored(byte[] value) {
            byte[] kept = Arrays.copyOf(value, value.length);
            kept[1] &= (byte) ~RESET_COUNTER;
            return kept;
        }
    }
}

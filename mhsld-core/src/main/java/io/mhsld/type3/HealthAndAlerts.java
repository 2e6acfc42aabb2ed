package io.mhsld.type3;

import io.mhsld.type3.MediaEvents.Alert;
import io.mhsld.type3.Refusal.Cause;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A device's health, and the thresholds at which it warns (CXL r3.1 8.2.9.9.3). The numbers of an emulated device do not move by themselves:
 * whoever tests its users moves them.
 */
public final class HealthAndAlerts {
    /** Percent of its life at which the device is worn out. */
    public static final int LIFE_USED_CRITICAL = 95;

    /** Degrees Celsius at which it is too hot. */
    public static final int OVER_TEMPERATURE_CRITICAL = 95;

    /** Degrees Celsius at which it is too cold. */
    public static final int UNDER_TEMPERATURE_CRITICAL = -10;

    /** Percent of its life behind a device that has none left. */
    public static final int MAX_LIFE_USED = 100;

    /** The warnings that the host may set: there is no persistent memory whose errors would count. */
    public static final Set<Alert> PROGRAMMABLE =
            Set.copyOf(EnumSet.complementOf(EnumSet.of(Alert.CORRECTED_PERSISTENT_ERRORS)));

    private static final int DEFAULT_LIFE_WARNING = 75;
    private static final int DEFAULT_HOT_WARNING = 80;
    private static final int DEFAULT_COLD_WARNING = 0;
    private static final int DEFAULT_TEMPERATURE = 30;

    private static final int MAINTENANCE_NEEDED = 1;
    private static final int REPLACEMENT_NEEDED = 1 << 2;
    private static final int MEDIA_NORMAL = 0;
    private static final int MEDIA_NOT_READY = 1;
    private static final int TEMPERATURE_SHIFT = 2;
    private static final int CORRECTED_VOLATILE_WARNING = 1 << 4;

    /** How near a value is to what hurts. */
    public enum Level {
        NORMAL(0),
        WARNING(1),
        CRITICAL(2);

        private final int value;

        Level(int value) {
            this.value = value;
        }
    }

    private final MediaEvents events;
    private final Map<Alert, Integer> thresholds = new EnumMap<>(Alert.class);
    private final Set<Alert> enabled = EnumSet.of(Alert.LIFE_USED, Alert.OVER_TEMPERATURE, Alert.UNDER_TEMPERATURE);
    private final Map<Alert, Level> levels = new EnumMap<>(Alert.class);
    private int lifeUsed;
    private int temperature = DEFAULT_TEMPERATURE;
    private long correctedVolatileErrors;
    private long dirtyShutdowns;
    private boolean isDirty;

    HealthAndAlerts(MediaEvents events) {
        this.events = events;
        thresholds.put(Alert.LIFE_USED, DEFAULT_LIFE_WARNING);
        thresholds.put(Alert.OVER_TEMPERATURE, DEFAULT_HOT_WARNING);
        thresholds.put(Alert.UNDER_TEMPERATURE, DEFAULT_COLD_WARNING);
        thresholds.put(Alert.CORRECTED_VOLATILE_ERRORS, 0);
        thresholds.put(Alert.CORRECTED_PERSISTENT_ERRORS, 0);
        for (Alert alert : Alert.values()) {
            levels.put(alert, Level.NORMAL);
        }
    }

    // ---- health

    /** Percent of its life that the device has behind it, 0 to 100. */
    public int lifeUsed() {
        return lifeUsed;
    }

    /** Degrees Celsius. */
    public int temperature() {
        return temperature;
    }

    /** Errors of volatile memory that were corrected since the device's begin. */
    public long correctedVolatileErrors() {
        return correctedVolatileErrors;
    }

    /** How often the host went away without having said that its data is safe. */
    public long dirtyShutdowns() {
        return dirtyShutdowns;
    }

    /** How near an alert is. */
    public Level level(Alert alert) {
        return levels.get(alert);
    }

    /** Wears the device out, or makes it new. */
    public void setLifeUsed(int percent) {
        if (percent < 0 || percent > MAX_LIFE_USED) {
            throw new IllegalArgumentException("not a percentage: lifeUsed=" + percent);
        }
        lifeUsed = percent;
        look();
    }

    /** Heats or cools the device, to -128 to 127 degrees Celsius. */
    public void setTemperature(int celsius) {
        if (celsius != (byte) celsius) {
            throw new IllegalArgumentException("not a temperature of a device: celsius=" + celsius);
        }
        temperature = celsius;
        look();
    }

    /** Errors were corrected. */
    public void countCorrectedErrors(long count) {
        correctedVolatileErrors = Math.min(correctedVolatileErrors + count, 0xFFFF_FFFFL);
        look();
    }

    /** All of it, in the bits of the specification (CXL r3.1 8.2.9.9.3.1, table 8-133). */
    MemoryModuleEvent.Health info(boolean needsMaintenance, boolean isMediaDisabled) {
        int replacement = level(Alert.LIFE_USED) == Level.CRITICAL ? REPLACEMENT_NEEDED : 0;
        int hot = level(Alert.OVER_TEMPERATURE).value;
        int cold = level(Alert.UNDER_TEMPERATURE).value;
        boolean hasManyErrors = level(Alert.CORRECTED_VOLATILE_ERRORS) != Level.NORMAL;
        return new MemoryModuleEvent.Health(
                replacement | (needsMaintenance ? MAINTENANCE_NEEDED : 0),
                isMediaDisabled ? MEDIA_NOT_READY : MEDIA_NORMAL,
                level(Alert.LIFE_USED).value
                        | Math.max(hot, cold) << TEMPERATURE_SHIFT
                        | (hasManyErrors ? CORRECTED_VOLATILE_WARNING : 0),
                lifeUsed,
                temperature,
                dirtyShutdowns,
                correctedVolatileErrors,
                0);
    }

    // ---- alerts

    /** The warnings that are on. */
    public Set<Alert> enabled() {
        return EnumSet.copyOf(enabled);
    }

    /** From where on a warning is due: percent, degrees, a count. */
    public int threshold(Alert alert) {
        return thresholds.get(alert);
    }

    /**
     * Switches warnings on, with their thresholds, and off; nothing changes when one of them is refused, with {@code INVALID_VALUE}: a warning
     * that is not programmable, or one that would not come before the critical alert.
     */
    public Optional<Refusal> configure(Map<Alert, Integer> on, Set<Alert> off) {
        for (Alert alert : off) {
            if (!PROGRAMMABLE.contains(alert)) {
                return Refusal.of(Cause.INVALID_VALUE, "alert=%s", alert);
            }
        }
        for (Map.Entry<Alert, Integer> warning : on.entrySet()) {
            if (!isAllowed(warning.getKey(), warning.getValue())) {
                return Refusal.of(Cause.INVALID_VALUE, "alert=%s threshold=%d", warning.getKey(), warning.getValue());
            }
        }
        enabled.removeAll(off);
        enabled.addAll(on.keySet());
        thresholds.putAll(on);
        look();
        return Optional.empty();
    }

    private static boolean isAllowed(Alert alert, int threshold) {
        return switch (alert) {
            case LIFE_USED -> threshold >= 0 && threshold < LIFE_USED_CRITICAL;
            case OVER_TEMPERATURE -> threshold < OVER_TEMPERATURE_CRITICAL;
            case UNDER_TEMPERATURE -> threshold > UNDER_TEMPERATURE_CRITICAL;
            case CORRECTED_VOLATILE_ERRORS -> true;
            case CORRECTED_PERSISTENT_ERRORS -> false;
        };
    }

    // ---- shutdown state

    /** True when the host has said that a loss of power would cost data. */
    public boolean isDirty() {
        return isDirty;
    }

    /** The host says whether a loss of power would cost data (CXL r3.1 8.2.9.9.3.5). */
    public void setDirty(boolean dirty) {
        isDirty = dirty;
    }

    /** The host has gone: cleanly, or not. */
    void reset() {
        if (isDirty) {
            dirtyShutdowns = Math.min(dirtyShutdowns + 1, 0xFFFF_FFFFL);
        }
        isDirty = false;
    }

    private void look() {
        look(Alert.LIFE_USED, lifeUsed >= threshold(Alert.LIFE_USED), lifeUsed >= LIFE_USED_CRITICAL);
        look(
                Alert.OVER_TEMPERATURE,
                temperature >= threshold(Alert.OVER_TEMPERATURE),
                temperature >= OVER_TEMPERATURE_CRITICAL);
        look(
                Alert.UNDER_TEMPERATURE,
                temperature <= threshold(Alert.UNDER_TEMPERATURE),
                temperature <= UNDER_TEMPERATURE_CRITICAL);
        int errors = threshold(Alert.CORRECTED_VOLATILE_ERRORS);
        look(Alert.CORRECTED_VOLATILE_ERRORS, correctedVolatileErrors > errors, false);
    }

    private void look(Alert alert, boolean isWarning, boolean isCritical) {
        boolean warns = isWarning && enabled.contains(alert);
        Level before = levels.get(alert);
        Level now = isCritical ? Level.CRITICAL : warns ? Level.WARNING : Level.NORMAL;
        levels.put(alert, now);
        if ((before == Level.CRITICAL) != isCritical) {
            events.alert(alert, true, isCritical);
        }
        if (!isCritical && now != before && (now == Level.WARNING || before == Level.WARNING)) {
            events.alert(alert, false, now == Level.WARNING);
        }
    }
}

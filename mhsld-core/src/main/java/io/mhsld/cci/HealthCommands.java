package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_POLICY_CHANGE;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.HealthAndAlerts;
import io.mhsld.type3.MediaEvents.Alert;
import io.mhsld.type3.MemoryModuleEvent;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Command set 42h: health and alerts (CXL r3.1 8.2.9.9.3). */
final class HealthCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x4200, "Get Health Info")
                    .output(MemoryDeviceLayouts.HEALTH_INFO)
                    .runsOnLd(HealthCommands::getHealthInfo),
            row(0x4201, "Get Alert Configuration")
                    .output(MemoryDeviceLayouts.ALERT_CONFIGURATION)
                    .runsOnLd(HealthCommands::getAlerts),
            row(0x4202, "Set Alert Configuration", IMMEDIATE_POLICY_CHANGE)
                    .input(exactly(12), MemoryDeviceLayouts.SET_ALERT_CONFIGURATION)
                    .runsOnLd(HealthCommands::setAlerts),
            row(0x4203, "Get Shutdown State")
                    .output(MemoryDeviceLayouts.SHUTDOWN_STATE)
                    .runsOnLd(HealthCommands::getShutdownState),
            row(0x4204, "Set Shutdown State", IMMEDIATE_POLICY_CHANGE)
                    .input(exactly(1), MemoryDeviceLayouts.SHUTDOWN_STATE)
                    .runsOnLd(HealthCommands::setShutdownState));

    private static final int CLEAN = 0;
    private static final int DIRTY = 1;

    private HealthCommands() {}

    static Response getHealthInfo(LdComponent component, byte[] input) {
        MemoryModuleEvent.Health health = component.device().healthInfo();
        return Response.of(MemoryDeviceLayouts.HEALTH_INFO
                .empty(0)
                .setFlags("healthStatus", health.healthStatus())
                .set("mediaStatus", health.mediaStatus())
                .set("additionalStatus", health.additionalStatus())
                .set("lifeUsedPercent", health.lifeUsed())
                .set("temperature", signed16(health.temperature()))
                .set("dirtyShutdowns", health.dirtyShutdowns())
                .set("correctedVolatileErrors", health.correctedVolatileErrors())
                .set("correctedPersistentErrors", health.correctedPersistentErrors()));
    }

    static Response getAlerts(LdComponent component, byte[] input) {
        HealthAndAlerts health = component.device().health();
        return Response.of(MemoryDeviceLayouts.ALERT_CONFIGURATION
                .empty(0)
                .setFlags("validAlerts", bits(health.enabled()))
                .setFlags("programmableAlerts", bits(HealthAndAlerts.PROGRAMMABLE))
                .set("lifeUsedCritical", HealthAndAlerts.LIFE_USED_CRITICAL)
                .set("lifeUsedWarning", health.threshold(Alert.LIFE_USED))
                .set("overTemperatureCritical", signed16(HealthAndAlerts.OVER_TEMPERATURE_CRITICAL))
                .set("underTemperatureCritical", signed16(HealthAndAlerts.UNDER_TEMPERATURE_CRITICAL))
                .set("overTemperatureWarning", signed16(health.threshold(Alert.OVER_TEMPERATURE)))
                .set("underTemperatureWarning", signed16(health.threshold(Alert.UNDER_TEMPERATURE)))
                .set("correctedVolatileWarning", health.threshold(Alert.CORRECTED_VOLATILE_ERRORS)));
    }

    /** Only what the first byte names is looked at: switched on with its threshold, or off. */
    static Response setAlerts(LdComponent component, byte[] input) {
        Payload request = MemoryDeviceLayouts.SET_ALERT_CONFIGURATION.over(input);
        int named = (int) request.number("validActions");
        int enable = (int) request.number("enableActions");
        if (named >>> Alert.values().length != 0) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Map<Alert, Integer> on = new EnumMap<>(Alert.class);
        Set<Alert> off = EnumSet.noneOf(Alert.class);
        for (Alert alert : Alert.values()) {
            boolean isNamed = (named & alert.mask()) != 0;
            boolean isEnabled = (enable & alert.mask()) != 0;
            if (isNamed && isEnabled) {
                on.put(alert, threshold(alert, request));
            } else if (isNamed) {
                off.add(alert);
            }
        }
        return Response.of(component.device().health().configure(on, off));
    }

    private static int threshold(Alert alert, Payload request) {
        return switch (alert) {
            case LIFE_USED -> (int) request.number("lifeUsedWarning");
            case OVER_TEMPERATURE -> (short) request.number("overTemperatureWarning");
            case UNDER_TEMPERATURE -> (short) request.number("underTemperatureWarning");
            case CORRECTED_VOLATILE_ERRORS -> (int) request.number("correctedVolatileWarning");
            case CORRECTED_PERSISTENT_ERRORS -> (int) request.number("correctedPersistentWarning");
        };
    }

    static Response getShutdownState(LdComponent component, byte[] input) {
        return Response.of(MemoryDeviceLayouts.SHUTDOWN_STATE
                .empty(0)
                .set("state", component.device().health().isDirty() ? DIRTY : CLEAN));
    }

    static Response setShutdownState(LdComponent component, byte[] input) {
        int state = (int) MemoryDeviceLayouts.SHUTDOWN_STATE.over(input).number("state");
        if (state != CLEAN && state != DIRTY) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        component.device().health().setDirty(state == DIRTY);
        return Response.of(ReturnCode.SUCCESS);
    }

    private static int signed16(int value) {
        return value & 0xFFFF;
    }

    private static int bits(Set<Alert> alerts) {
        return alerts.stream().mapToInt(Alert::mask).sum();
    }
}

package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;

/** The payloads of command sets 41h, 42h and 45h. Clauses are of CXL r3.1. */
final class MemoryDeviceLayouts {
    private static final Layout BYTE =
            Layout.named("byte of the labels", "8.2.9.9.2.3").u8("byte").build();

    /** Answer to 4100h. */
    static final Layout PARTITION_INFO = Layout.named("Get Partition Info output", "8.2.9.9.2.1")
            .byteCount("activeVolatileBytes", Layouts.CAPACITY_UNIT_BYTES)
            .byteCount("activePersistentBytes", Layouts.CAPACITY_UNIT_BYTES)
            .byteCount("nextVolatileBytes", Layouts.CAPACITY_UNIT_BYTES)
            .byteCount("nextPersistentBytes", Layouts.CAPACITY_UNIT_BYTES)
            .build();

    /** 4101h; the capacity is in units of 256 MiB. */
    static final Layout SET_PARTITION_INFO = Layout.named("Set Partition Info input", "8.2.9.9.2.2")
            .u64("volatileUnits")
            .flags("flags", 1, "immediate")
            .build();

    /** 4102h. */
    static final Layout GET_LABELS = Layout.named("Get LSA input", "8.2.9.9.2.3")
            .u32("offset")
            .u32("lengthBytes")
            .build();

    /** Answer to 4102h. */
    static final Layout LABELS = Layout.named("Get LSA output", "8.2.9.9.2.3")
            .repeatToEnd("data", BYTE)
            .build();

    /** 4103h. */
    static final Layout SET_LABELS = Layout.named("Set LSA input", "8.2.9.9.2.4")
            .u32("offset")
            .reserved(4)
            .repeatToEnd("data", BYTE)
            .build();

    private static final String[] LEVELS = {"normal", "warning", "critical"};

    /** Answer to 4200h; the temperature is signed, in degrees Celsius. */
    static final Layout HEALTH_INFO = Layout.named("Get Health Info output", "8.2.9.9.3.1")
            .flags("healthStatus", 1, "maintenance needed", "performance degraded", "replacement needed")
            .oneOf("mediaStatus", "normal", "not ready", "write persistency lost", "all data lost")
            .packed(
                    "additionalStatus",
                    Kind.U8,
                    Part.oneOf("lifeUsedLevel", 0, 2, LEVELS),
                    Part.oneOf("temperatureLevel", 2, 2, LEVELS),
                    Part.oneOf("correctedVolatileErrorsLevel", 4, 1, LEVELS),
                    Part.oneOf("correctedPersistentErrorsLevel", 5, 1, LEVELS))
            .u8("lifeUsedPercent")
            .u16("temperature")
            .u32("dirtyShutdowns")
            .u32("correctedVolatileErrors")
            .u32("correctedPersistentErrors")
            .build();

    private static final String[] ALERTS = {
        "life used", "over temperature", "under temperature", "corrected volatile errors", "corrected persistent errors"
    };

    /** Answer to 4201h; temperatures are signed. */
    static final Layout ALERT_CONFIGURATION = Layout.named("Get Alert Configuration output", "8.2.9.9.3.2")
            .flags("validAlerts", 1, ALERTS)
            .flags("programmableAlerts", 1, ALERTS)
            .u8("lifeUsedCritical")
            .u8("lifeUsedWarning")
            .u16("overTemperatureCritical")
            .u16("underTemperatureCritical")
            .u16("overTemperatureWarning")
            .u16("underTemperatureWarning")
            .u16("correctedVolatileWarning")
            .u16("correctedPersistentWarning")
            .build();

    /** 4202h. */
    static final Layout SET_ALERT_CONFIGURATION = Layout.named("Set Alert Configuration input", "8.2.9.9.3.3")
            .hex("validActions", Kind.U8)
            .hex("enableActions", Kind.U8)
            .u8("lifeUsedWarning")
            .reserved(1)
            .u16("overTemperatureWarning")
            .u16("underTemperatureWarning")
            .u16("correctedVolatileWarning")
            .u16("correctedPersistentWarning")
            .build();

    /** Answer to 4203h, and 4204h. */
    static final Layout SHUTDOWN_STATE = Layout.named("shutdown state", "8.2.9.9.3.4")
            .oneOf("state", "clean", "dirty")
            .build();

    /** Answer to 4500h. */
    static final Layout SECURITY_STATE = Layout.named("Get Security State output", "8.2.9.9.6.1")
            .flags(
                    "securityState",
                    4,
                    "user passphrase set",
                    "master passphrase set",
                    "locked",
                    "frozen",
                    "user passphrase count exceeded",
                    "master passphrase count exceeded")
            .build();

    private MemoryDeviceLayouts() {}
}

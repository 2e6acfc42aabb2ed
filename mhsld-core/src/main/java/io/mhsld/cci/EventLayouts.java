package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The payloads of command set 01h, and the event records in them. Clauses are of CXL r3.1, but for the records of memory events: those are of
 * CXL r3.2, which has filled bytes that were reserved before.
 */
public final class EventLayouts {
    /** Record identifier of a general media event. */
    public static final UUID GENERAL_MEDIA_RECORD_ID = UUID.fromString("fbcd0a77-c260-417f-85a9-088b1621eba6");

    /** Record identifier of a DRAM event. */
    public static final UUID DRAM_RECORD_ID = UUID.fromString("601dcbb3-9c06-4eab-b8af-4e9bfb5c9624");

    /** Record identifier of a memory module event. */
    public static final UUID MEMORY_MODULE_RECORD_ID = UUID.fromString("fe927475-dd59-4339-a586-79bab113b774");

    /** Record identifier of a dynamic-capacity event (CXL r3.1 8.2.9.2.1.6). */
    public static final UUID DC_RECORD_ID = UUID.fromString("ca95afa7-f183-4018-8c2f-95268e101a2a");

    /** Bytes of an event record of any kind. */
    public static final int RECORD_LENGTH_BYTES = 0x80;

    private static final int HEADER_LENGTH_BYTES = 0x30;

    private static final String[] SUB_TYPES = {
        "not reported",
        "internal datapath error",
        "media link command training error",
        "media link control training error",
        "media link data training error",
        "media link CRC error"
    };
    private static final String[] TRANSACTION_TYPES = {
        "unknown",
        "host read",
        "host write",
        "host scan media",
        "host inject poison",
        "internal media scrub",
        "internal media management",
        "internal media error check scrub",
        "media initialization"
    };
    private static final String[] DESCRIPTOR_FLAGS = {
        "uncorrectable event", "threshold event", "poison list overflow event"
    };
    private static final String[] THRESHOLD_FLAGS = {
        "errors in multiple media components", "programmable threshold exceeded"
    };

    private static final Part SEVERITY = Part.oneOf("severity", 0, 2, "informational", "warning", "failure", "fatal");

    private static final List<String> RECORD_FLAGS = List.of(
            "severity bit 0",
            "severity bit 1",
            "permanent condition",
            "maintenance needed",
            "performance degraded",
            "hardware replacement needed",
            "maintenance subclass valid",
            "LD id valid",
            "head id valid");

    private static final Part OTHER_RECORD_FLAGS = Part.flags(
            "recordFlags", 2, RECORD_FLAGS.subList(2, RECORD_FLAGS.size()).toArray(String[]::new));

    private static final Part[] ADDRESS_PARTS = {
        Part.address("physicalAddress", 6), Part.flags("physicalAddressFlags", 0, "volatile", "not repairable")
    };

    // ---- records

    /** What all event records begin with, 30h bytes. */
    public static final Layout EVENT_RECORD_HEADER = Layout.named("common event record", "8.2.9.2.1")
            .uuid("recordId")
            .u8("recordLength")
            .packedFlags("recordFlags", 3, RECORD_FLAGS, SEVERITY, OTHER_RECORD_FLAGS)
            .u16("handle")
            .u16("relatedHandle")
            .u64("timestampNs")
            .u8("maintenanceOperationClass")
            .u8("maintenanceOperationSubclass")
            .u16("ldId")
            .u8("headId")
            .reserved(11)
            .build();

    /** An event record of a kind that nothing is known of. */
    public static final Layout EVENT_RECORD = Layout.named("event record", "8.2.9.2.1")
            .include(EVENT_RECORD_HEADER)
            .bytes("data", RECORD_LENGTH_BYTES - HEADER_LENGTH_BYTES)
            .build();

    /** General Media Event Record (CXL r3.2 table 8-57). */
    public static final Layout GENERAL_MEDIA_RECORD = Layout.named("general media event", "8.2.10.2.1.1")
            .include(EVENT_RECORD_HEADER)
            .packed("physicalAddress", Kind.U64, ADDRESS_PARTS)
            .flags("descriptor", 1, DESCRIPTOR_FLAGS)
            .oneOf(
                    "type",
                    "media ECC error",
                    "invalid address",
                    "data path error",
                    "TE state violation",
                    "scrub media ECC error",
                    "corrected error counter expiration",
                    "CKID violation")
            .oneOf("transactionType", TRANSACTION_TYPES)
            .flags("validity", 2, "channel", "rank", "device", "component id", "component id is PLDM")
            .u8("channel")
            .u8("rank")
            .hex("device", Kind.U24)
            .bytes("componentId", 16)
            .flags("thresholdFlags", 1, THRESHOLD_FLAGS)
            .u24("correctedErrorCount")
            .oneOf("subType", SUB_TYPES)
            .reserved(41)
            .build();

    /** DRAM Event Record (CXL r3.2 table 8-58). */
    public static final Layout DRAM_RECORD = Layout.named("DRAM event", "8.2.10.2.1.2")
            .include(EVENT_RECORD_HEADER)
            .packed("physicalAddress", Kind.U64, ADDRESS_PARTS)
            .flags("descriptor", 1, DESCRIPTOR_FLAGS)
            .oneOf(
                    "type",
                    "media ECC error",
                    "scrub media ECC error",
                    "invalid address",
                    "data path error",
                    "TE state violation",
                    "corrected error counter expiration",
                    "CKID violation")
            .oneOf("transactionType", TRANSACTION_TYPES)
            .flags(
                    "validity",
                    2,
                    "channel",
                    "rank",
                    "nibble mask",
                    "bank group",
                    "bank",
                    "row",
                    "column",
                    "correction mask",
                    "component id",
                    "component id is PLDM",
                    "sub-channel")
            .u8("channel")
            .u8("rank")
            .hex("nibbleMask", Kind.U24)
            .u8("bankGroup")
            .u8("bank")
            .hex("row", Kind.U24)
            .hex("column", Kind.U16)
            .hex("correctionMask0", Kind.U64)
            .hex("correctionMask1", Kind.U64)
            .hex("correctionMask2", Kind.U64)
            .hex("correctionMask3", Kind.U64)
            .bytes("componentId", 16)
            .u8("subChannel")
            .flags("thresholdFlags", 1, THRESHOLD_FLAGS)
            .u24("correctedErrorCount")
            .oneOf("subType", SUB_TYPES)
            .reserved(1)
            .build();

    /** Memory Module Event Record (CXL r3.2 table 8-59). */
    public static final Layout MEMORY_MODULE_RECORD = Layout.named("memory module event", "8.2.10.2.1.3")
            .include(EVENT_RECORD_HEADER)
            .oneOf(
                    "type",
                    "health status change",
                    "media status change",
                    "life used change",
                    "temperature change",
                    "data path error",
                    "label storage error",
                    "unrecoverable internal sideband bus error",
                    "memory media FRU error",
                    "power management fault")
            .flags(
                    "healthStatus",
                    1,
                    "maintenance needed",
                    "performance degraded",
                    "hardware replacement needed",
                    "memory capacity degraded")
            .oneOf(
                    "mediaStatus",
                    "normal",
                    "not ready",
                    "write persistency lost",
                    "all data lost",
                    "write persistency loss at power loss",
                    "write persistency loss at shutdown",
                    "write persistency loss imminent",
                    "all data loss at power loss",
                    "all data loss at shutdown",
                    "all data loss imminent")
            .flags(
                    "additionalStatus",
                    1,
                    "life used warning",
                    "life used critical",
                    "temperature warning",
                    "temperature critical",
                    "corrected volatile errors warning",
                    "corrected persistent errors warning")
            .u8("lifeUsedPercent")
            .i16("temperatureCelsius")
            .u32("dirtyShutdowns")
            .u32("correctedVolatileErrors")
            .u32("correctedPersistentErrors")
            .flags("validity", 2, "component id", "component id is PLDM")
            .bytes("componentId", 16)
            .oneOf(
                    "subType",
                    "not reported",
                    "invalid configuration data",
                    "unsupported configuration data",
                    "unsupported memory media FRU")
            .reserved(42)
            .build();

    /** Dynamic Capacity Event Record, 80h bytes. */
    public static final Layout DC_RECORD = Layout.named("dynamic capacity event", "8.2.9.2.1.6")
            .include(EVENT_RECORD_HEADER)
            .oneOf(
                    "type",
                    "add capacity",
                    "release capacity",
                    "forced release",
                    "region configuration updated",
                    "add response",
                    "capacity released")
            .flags("validity", 1, "extents available", "tags available")
            .u16("hostId")
            .u8("updatedRegion")
            .flags("flags", 1, "more")
            .reserved(2)
            .include(Layouts.EXTENT)
            .reserved(24)
            .u32("extentsAvailable")
            .u32("tagsAvailable")
            .build();

    /** What a record looks like, by its identifier. */
    public static final Map<UUID, Layout> RECORDS = Map.of(
            GENERAL_MEDIA_RECORD_ID, GENERAL_MEDIA_RECORD,
            DRAM_RECORD_ID, DRAM_RECORD,
            MEMORY_MODULE_RECORD_ID, MEMORY_MODULE_RECORD,
            DC_RECORD_ID, DC_RECORD);

    // ---- commands

    /** 0100h. */
    static final Layout GET_EVENT_RECORDS = Layout.named("Get Event Records input", "8.2.9.2.2")
            .oneOf("log", "informational", "warning", "failure", "fatal", "dynamic capacity")
            .build();

    /** Answer to 0100h. Records of any kind may stand side by side; one of an unknown kind is shown as header and raw data. */
    public static final Layout EVENT_RECORDS = Layout.named("Get Event Records output", "8.2.9.2.2")
            .flags("flags", 1, "overflow", "more")
            .reserved(1)
            .u16("overflowCount")
            .u64("firstOverflowNs")
            .u64("lastOverflowNs")
            .u16("recordCount")
            .reserved(10)
            .repeatOneOf("records", "recordCount", EVENT_RECORD, RECORDS)
            .build();

    /** 0101h. */
    public static final Layout CLEAR_EVENT_RECORDS = Layout.named("Clear Event Records input", "8.2.9.2.3")
            .u8("log")
            .flags("flags", 1, "clear all")
            .u8("handleCount")
            .reserved(3)
            .repeat(
                    "handles",
                    "handleCount",
                    Layout.named("event record handle", "8.2.9.2.3")
                            .u16("handle")
                            .build())
            .build();

    /** 0103h: one byte of settings for each log; a fifth, for the dynamic-capacity log, may follow. */
    static final Layout SET_EVENT_INTERRUPT_POLICY = Layout.named("Set Event Interrupt Policy input", "8.2.9.2.5")
            .packed("informational", Kind.U8, interrupt("informational"))
            .packed("warning", Kind.U8, interrupt("warning"))
            .packed("failure", Kind.U8, interrupt("failure"))
            .packed("fatal", Kind.U8, interrupt("fatal"))
            .build();

    /** Answer to 0102h. */
    static final Layout EVENT_INTERRUPT_POLICY = Layout.named("Get Event Interrupt Policy output", "8.2.9.2.4")
            .include(SET_EVENT_INTERRUPT_POLICY)
            .packed("dynamicCapacity", Kind.U8, interrupt("dynamicCapacity"))
            .build();

    /** How a log interrupts, and by which vector. */
    private static Part[] interrupt(String log) {
        return new Part[] {
            Part.oneOf(log, 0, 2, "no interrupts", "MSI/MSI-X", "firmware interrupt"), Part.number(log + "Vector", 4, 4)
        };
    }

    private EventLayouts() {}
}

package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import java.util.UUID;

/** The payloads of all commands, in the order of their opcodes. Clauses are of CXL r3.1. */
public final class Layouts {
    /** Unit of static capacities and of decode lengths (CXL r3.1 8.2.9.9.1.1, 8.2.9.9.9.1). */
    public static final long CAPACITY_UNIT_BYTES = 256L << 20;

    /** Record identifier of a dynamic-capacity event (CXL r3.1 8.2.9.2.1.6). */
    public static final UUID DC_EVENT_RECORD_ID = UUID.fromString("ca95afa7-f183-4018-8c2f-95268e101a2a");

    /** Log identifier of the Command Effects Log (CXL r3.1 8.2.9.5.2). */
    public static final UUID COMMAND_EFFECTS_LOG_ID = UUID.fromString("0da9c0b5-bf41-4b78-8f79-96b1623b3f17");

    // ---- events

    /** What all event records begin with, 30h bytes. */
    public static final Layout EVENT_RECORD_HEADER = Layout.named("common event record", "8.2.9.2.1")
            .uuid("recordId")
            .u8("recordLength")
            .flags(
                    "recordFlags",
                    3,
                    "severity bit 0",
                    "severity bit 1",
                    "permanent condition",
                    "maintenance needed",
                    "performance degraded",
                    "hardware replacement needed",
                    "maintenance subclass valid",
                    "LD id valid",
                    "head id valid")
            .u16("handle")
            .u16("relatedHandle")
            .u64("timestampNs")
            .u8("maintenanceOperationClass")
            .u8("maintenanceOperationSubclass")
            .u16("ldId")
            .u8("headId")
            .reserved(11)
            .build();

    /** One extent, 28h bytes. */
    public static final Layout EXTENT = Layout.named("extent", "8.2.9.9.9.2")
            .hex("startDpa", Kind.U64)
            .byteCount("lengthBytes", 1)
            .uuid("tag")
            .u16("sharedSequence")
            .reserved(6)
            .build();

    /** Dynamic Capacity Event Record, 80h bytes. */
    public static final Layout DC_EVENT_RECORD = Layout.named("dynamic capacity event record", "8.2.9.2.1.6")
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
            .include(EXTENT)
            .reserved(24)
            .u32("extentsAvailable")
            .u32("tagsAvailable")
            .build();

    /** 0100h. */
    static final Layout GET_EVENT_RECORDS = Layout.named("Get Event Records input", "8.2.9.2.2")
            .oneOf("log", "informational", "warning", "failure", "fatal", "dynamic capacity")
            .build();

    /** Answer to 0100h; the records are those of the dynamic-capacity log, the only log that gets any yet. */
    public static final Layout EVENT_RECORDS = Layout.named("Get Event Records output", "8.2.9.2.2")
            .flags("flags", 1, "overflow", "more")
            .reserved(1)
            .u16("overflowCount")
            .u64("firstOverflowNs")
            .u64("lastOverflowNs")
            .u16("recordCount")
            .reserved(10)
            .repeat("records", "recordCount", DC_EVENT_RECORD)
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
            .hex("informational", Kind.U8)
            .hex("warning", Kind.U8)
            .hex("failure", Kind.U8)
            .hex("fatal", Kind.U8)
            .build();

    /** Answer to 0102h. */
    static final Layout EVENT_INTERRUPT_POLICY = Layout.named("Get Event Interrupt Policy output", "8.2.9.2.4")
            .include(SET_EVENT_INTERRUPT_POLICY)
            .hex("dynamicCapacity", Kind.U8)
            .build();

    // ---- timestamp and logs

    /** Answer to 0300h, and 0301h. */
    static final Layout TIMESTAMP =
            Layout.named("timestamp", "8.2.9.4.1").u64("timestampNs").build();

    /** Answer to 0400h. */
    static final Layout SUPPORTED_LOGS = Layout.named("Get Supported Logs output", "8.2.9.5.1")
            .u16("logCount")
            .reserved(6)
            .repeat(
                    "logs",
                    "logCount",
                    Layout.named("supported log entry", "8.2.9.5.1")
                            .uuid("logId")
                            .byteCount32("sizeBytes")
                            .build())
            .build();

    /** 0401h. */
    static final Layout GET_LOG = Layout.named("Get Log input", "8.2.9.5.2")
            .uuid("logId")
            .u32("offsetBytes")
            .u32("lengthBytes")
            .build();

    /** The Command Effects Log, answer to 0401h when asked from an entry's begin. */
    static final Layout COMMAND_EFFECTS_LOG = Layout.named("Command Effects Log", "8.2.9.5.2.1")
            .repeatToEnd(
                    "commands",
                    Layout.named("Command Effects Log entry", "8.2.9.5.2.1")
                            .hex("opcode", Kind.U16)
                            .flags("effects", 2, CommandEffect.names())
                            .build())
            .build();

    // ---- memory device

    /** Answer to 4000h, 45h bytes. */
    static final Layout IDENTIFY_MEMORY_DEVICE = Layout.named("Identify Memory Device output", "8.2.9.9.1.1")
            .ascii("firmwareRevision", 16)
            .byteCount("totalCapacityBytes", CAPACITY_UNIT_BYTES)
            .byteCount("volatileCapacityBytes", CAPACITY_UNIT_BYTES)
            .byteCount("persistentCapacityBytes", CAPACITY_UNIT_BYTES)
            .byteCount("partitionAlignmentBytes", CAPACITY_UNIT_BYTES)
            .u16("informationalLogDepth")
            .u16("warningLogDepth")
            .u16("failureLogDepth")
            .u16("fatalLogDepth")
            .u32("labelStorageBytes")
            .u24("poisonListDepth")
            .u16("injectPoisonLimit")
            .flags("poisonHandling", 1, "injects persistent poison", "scans for poison")
            .flags("qosTelemetry", 1, "egress port congestion", "temporary throughput reduction")
            .u16("dynamicCapacityLogDepth")
            .build();

    // ---- dynamic capacity

    /** 4800h. */
    static final Layout GET_DC_CONFIGURATION = Layout.named("Get Dynamic Capacity Configuration input", "8.2.9.9.9.1")
            .u8("regionCount")
            .u8("startRegion")
            .build();

    /** Answer to 4800h. */
    static final Layout DC_CONFIGURATION = Layout.named("Get Dynamic Capacity Configuration output", "8.2.9.9.9.1")
            .u8("availableRegions")
            .u8("returnedRegions")
            .reserved(6)
            .repeat(
                    "regions",
                    "returnedRegions",
                    Layout.named("dynamic capacity region configuration", "8.2.9.9.9.1")
                            .hex("baseDpa", Kind.U64)
                            .byteCount("decodeLengthBytes", CAPACITY_UNIT_BYTES)
                            .byteCount("lengthBytes", 1)
                            .byteCount("blockSizeBytes", 1)
                            .u32("dsmadHandle")
                            .flags("flags", 1, "sanitized on release")
                            .reserved(3)
                            .build())
            .u32("extentsSupported")
            .u32("extentsAvailable")
            .u32("tagsSupported")
            .u32("tagsAvailable")
            .build();

    /** 4801h. */
    public static final Layout GET_DC_EXTENT_LIST = Layout.named(
                    "Get Dynamic Capacity Extent List input", "8.2.9.9.9.2")
            .u32("extentCount")
            .u32("startIndex")
            .build();

    /** Answer to 4801h. */
    public static final Layout DC_EXTENT_LIST = Layout.named("Get Dynamic Capacity Extent List output", "8.2.9.9.9.2")
            .u32("returnedExtents")
            .u32("totalExtents")
            .u32("generation")
            .reserved(4)
            .repeat("extents", "returnedExtents", EXTENT)
            .build();

    /** 4802h and 4803h. */
    public static final Layout HOST_EXTENT_LIST = Layout.named("updated extent list", "8.2.9.9.9.3")
            .u32("extentCount")
            .flags("flags", 1, "more")
            .reserved(3)
            .repeat(
                    "extents",
                    "extentCount",
                    Layout.named("updated extent", "8.2.9.9.9.3")
                            .hex("startDpa", Kind.U64)
                            .byteCount("lengthBytes", 1)
                            .reserved(8)
                            .build())
            .build();

    // ---- multi-head

    /** 5500h. */
    static final Layout GET_MULTI_HEADED_INFO = Layout.named("Get Multi-Headed Info input", "7.6.7.5.1")
            .u8("startLd")
            .u8("mapLengthLimit")
            .build();

    /** Answer to 5500h: for each LD its head. */
    static final Layout MULTI_HEADED_INFO = Layout.named("Get Multi-Headed Info output", "7.6.7.5.1")
            .u8("ldCount")
            .u8("headCount")
            .reserved(2)
            .u8("startLd")
            .u8("mapLength")
            .reserved(2)
            .repeat(
                    "ldMap",
                    "mapLength",
                    Layout.named("LD map entry", "7.6.7.5.1").u8("head").build())
            .build();

    /** 5501h. */
    static final Layout GET_HEAD_INFO = Layout.named("Get Head Info input", "7.6.7.5.2")
            .u8("startHead")
            .u8("headCount")
            .build();

    /** Answer to 5501h: the first entry is the head that was asked for first. */
    static final Layout HEAD_INFO = Layout.named("Get Head Info output", "7.6.7.5.2")
            .u8("headCount")
            .reserved(3)
            .repeat(
                    "heads",
                    "headCount",
                    Layout.named("head information block", "7.6.7.5.2")
                            .u8("port")
                            .u8("maxLinkWidth")
                            .u8("negotiatedLinkWidth")
                            .flags(
                                    "supportedLinkSpeeds",
                                    1,
                                    "2.5 GT/s",
                                    "5 GT/s",
                                    "8 GT/s",
                                    "16 GT/s",
                                    "32 GT/s",
                                    "64 GT/s")
                            .oneOf("maxLinkSpeed", LinkState.SPEED_NAMES)
                            .oneOf("currentLinkSpeed", LinkState.SPEED_NAMES)
                            .oneOf("linkTrainingState", LinkState.TRAINING_STATE_NAMES)
                            .u8("firstLane")
                            .flags("linkFlags", 1, "lanes reversed", "reset asserted", "port present", "power off")
                            .build())
            .build();

    private Layouts() {}
}

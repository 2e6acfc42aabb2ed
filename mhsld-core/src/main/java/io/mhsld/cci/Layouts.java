package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import java.util.UUID;

/** The payloads of commands, in the order of their opcodes; those of events are {@link EventLayouts}. Clauses are of CXL r3.1. */
public final class Layouts {
    /** Unit of static capacities and of decode lengths (CXL r3.1 8.2.9.9.1.1, 8.2.9.9.9.1). */
    public static final long CAPACITY_UNIT_BYTES = 256L << 20;

    /** Log identifier of the Command Effects Log (CXL r3.1 8.2.9.5.2). */
    public static final UUID COMMAND_EFFECTS_LOG_ID = UUID.fromString("0da9c0b5-bf41-4b78-8f79-96b1623b3f17");

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

    /** One extent, 28h bytes. */
    public static final Layout EXTENT = Layout.named("extent", "8.2.9.9.9.2")
            .hex("startDpa", Kind.U64)
            .byteCount("lengthBytes", 1)
            .uuid("tag")
            .u16("sharedSequence")
            .reserved(6)
            .build();

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

package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;

/** The payloads of command sets 43h and 44h. Clauses are of CXL r3.1. */
final class MediaLayouts {
    /** 4300h and 4303h; the length is in lines of 64 bytes. */
    static final Layout MEDIA_RANGE = Layout.named("range of the media", "8.2.9.9.4.1")
            .hex("startDpa", Kind.U64)
            .u64("lengthLines")
            .build();

    /** Source in bits 2:0 of the address, length in lines of 64 bytes. */
    private static final Layout MEDIA_ERROR_RECORD = Layout.named("media error record", "8.2.9.9.4.1")
            .packed(
                    "dpaAndSource",
                    Kind.U64,
                    Part.address("dpa", 6),
                    Part.oneOf(
                            "source",
                            0,
                            3,
                            "unknown",
                            "external",
                            "internal",
                            "injected",
                            "reserved 4",
                            "reserved 5",
                            "reserved 6",
                            "vendor specific"))
            .u32("lengthLines")
            .reserved(4)
            .build();

    /** Answer to 4300h. */
    static final Layout POISON_LIST = Layout.named("Get Poison List output", "8.2.9.9.4.1")
            .flags("flags", 1, "more", "overflow", "scan in progress")
            .reserved(1)
            .u64("overflowNs")
            .u16("recordCount")
            .reserved(20)
            .repeat("records", "recordCount", MEDIA_ERROR_RECORD)
            .build();

    /** 4301h. */
    static final Layout INJECT_POISON = Layout.named("Inject Poison input", "8.2.9.9.4.2")
            .hex("dpa", Kind.U64)
            .build();

    /** 4302h. */
    static final Layout CLEAR_POISON = Layout.named("Clear Poison input", "8.2.9.9.4.3")
            .hex("dpa", Kind.U64)
            .bytes("data", 64)
            .build();

    /** Answer to 4303h. */
    static final Layout SCAN_CAPABILITIES = Layout.named("Get Scan Media Capabilities output", "8.2.9.9.4.4")
            .u32("estimateMs")
            .build();

    /** 4304h. */
    static final Layout SCAN_MEDIA = Layout.named("Scan Media input", "8.2.9.9.4.5")
            .include(MEDIA_RANGE)
            .hex("flags", Kind.U8)
            .build();

    /** Answer to 4305h. */
    static final Layout SCAN_RESULTS = Layout.named("Get Scan Media Results output", "8.2.9.9.4.6")
            .hex("restartDpa", Kind.U64)
            .u64("restartLines")
            .flags("flags", 1, "more", "stopped early")
            .reserved(1)
            .u16("recordCount")
            .reserved(12)
            .repeat("records", "recordCount", MEDIA_ERROR_RECORD)
            .build();

    /** 4402h, without what a discovery has behind it. */
    static final Layout MEDIA_OPERATION = Layout.named("Media Operation input", "8.2.9.9.5.3")
            .oneOf("class", "general", "sanitize")
            .u8("subclass")
            .reserved(2)
            .u32("rangeCount")
            .repeat(
                    "ranges",
                    "rangeCount",
                    Layout.named("DPA range", "8.2.9.9.5.3")
                            .hex("startDpa", Kind.U64)
                            .byteCount("lengthBytes", 1)
                            .build())
            .build();

    /** What a discovery has behind its ranges, of which there are none. */
    static final Layout DISCOVERY = Layout.named("Media Operation discovery arguments", "8.2.9.9.5.3")
            .u16("startIndex")
            .u16("operationLimit")
            .build();

    /** Answer to a discovery. */
    static final Layout SUPPORTED_OPERATIONS = Layout.named("Media Operation discovery output", "8.2.9.9.5.3")
            .byteCount("granularityBytes", 1)
            .u16("totalCount")
            .u16("operationCount")
            .repeat(
                    "operations",
                    "operationCount",
                    Layout.named("media operation", "8.2.9.9.5.3")
                            .u8("class")
                            .u8("subclass")
                            .build())
            .build();

    private MediaLayouts() {}
}

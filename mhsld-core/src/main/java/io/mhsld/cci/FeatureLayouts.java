package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;

/** The payloads of command set 05h. Clauses are of CXL r3.1. */
final class FeatureLayouts {
    /** 0500h; the count is of bytes of the answer. */
    static final Layout GET_SUPPORTED_FEATURES = Layout.named("Get Supported Features input", "8.2.9.6.1")
            .u32("countBytes")
            .u16("startIndex")
            .reserved(2)
            .build();

    /** Answer to 0500h; bits 3:1 of the attributes are the deepest reset that a value outlives without being saved: none. */
    static final Layout SUPPORTED_FEATURES = Layout.named("Get Supported Features output", "8.2.9.6.1")
            .u16("entryCount")
            .u16("featureCount")
            .reserved(4)
            .repeat(
                    "features",
                    "entryCount",
                    Layout.named("supported feature entry", "8.2.9.6.1")
                            .uuid("featureId")
                            .u16("index")
                            .u16("getSizeBytes")
                            .u16("setSizeBytes")
                            .flags(
                                    "attributes",
                                    4,
                                    "changeable",
                                    "deepest reset bit 0",
                                    "deepest reset bit 1",
                                    "deepest reset bit 2",
                                    "persists across firmware update",
                                    "default selection",
                                    "saved selection")
                            .u8("getVersion")
                            .u8("setVersion")
                            .flags("setEffects", 2, CommandEffect.names())
                            .reserved(18)
                            .build())
            .build();

    /** 0501h. */
    static final Layout GET_FEATURE = Layout.named("Get Feature input", "8.2.9.6.2")
            .uuid("featureId")
            .u16("offset")
            .u16("countBytes")
            .oneOf("selection", "current", "default", "saved")
            .build();

    private static final Layout BYTE =
            Layout.named("byte of a feature", "8.2.9.6.2").u8("byte").build();

    /** Answer to 0501h. */
    static final Layout FEATURE_DATA = Layout.named("Get Feature output", "8.2.9.6.2")
            .repeatToEnd("data", BYTE)
            .build();

    /** 0502h; bits 2:0 of the flags are the action, bit 3 saves the value. */
    static final Layout SET_FEATURE = Layout.named("Set Feature input", "8.2.9.6.3")
            .uuid("featureId")
            .hex("flags", Kind.U32)
            .u16("offset")
            .u8("version")
            .reserved(9)
            .repeatToEnd("data", BYTE)
            .build();

    private FeatureLayouts() {}
}

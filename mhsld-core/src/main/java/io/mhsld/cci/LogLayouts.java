package io.mhsld.cci;

import java.util.UUID;

/** The payloads of 0402h to 0405h. Clauses are of CXL r3.1. */
final class LogLayouts {
    /** Log identifier of the Vendor Debug Log (CXL r3.1 8.2.9.5.2.2). */
    static final UUID VENDOR_DEBUG_LOG_ID = UUID.fromString("e1819d9a-482e-4e2a-ab45-13757da848e5");

    /** 0402h, 0403h and 0404h. */
    static final Layout LOG_ID =
            Layout.named("log identifier", "8.2.9.5.3").uuid("logId").build();

    /** Answer to 0402h. */
    static final Layout LOG_CAPABILITIES = Layout.named("Get Log Capabilities output", "8.2.9.5.3")
            .flags("capabilities", 4, "clear log", "populate log", "populated by itself", "survives cold reset")
            .build();

    /** 0405h. */
    static final Layout GET_SUPPORTED_LOGS_SUB_LIST = Layout.named("Get Supported Logs Sub-List input", "8.2.9.5.6")
            .u8("entryLimit")
            .u8("startIndex")
            .build();

    /** Answer to 0405h. */
    static final Layout SUPPORTED_LOGS_SUB_LIST = Layout.named("Get Supported Logs Sub-List output", "8.2.9.5.6")
            .u8("logCount")
            .reserved(1)
            .u16("totalCount")
            .u8("startIndex")
            .reserved(3)
            .repeat(
                    "logs",
                    "logCount",
                    Layouts.SUPPORTED_LOGS.block().orElseThrow().entry())
            .build();

    private LogLayouts() {}
}

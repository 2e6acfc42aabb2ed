package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;

/** The payloads of command set 00h. Clauses are of CXL r3.1. */
final class GenericLayouts {
    /** Answer to 0001h. */
    static final Layout IDENTITY = Layout.named("Identify output", "8.2.9.1.1")
            .hex("vendorId", Kind.U16)
            .hex("deviceId", Kind.U16)
            .hex("subsystemVendorId", Kind.U16)
            .hex("subsystemId", Kind.U16)
            .u64("serialNumber")
            .u8("maxMessageSizeExponent")
            .oneOf("componentType", "switch", "type 1", "type 2", "type 3")
            .build();

    /** Answer to 0002h; the progress is in bits 7:1 of the first byte. */
    static final Layout BACKGROUND_STATUS = Layout.named("Background Operation Status output", "8.2.9.1.2")
            .packed("status", Kind.U8, Part.flags("status", 0, "in progress"), Part.number("percentComplete", 1, 7))
            .reserved(1)
            .hex("opcode", Kind.U16)
            .hex("returnCode", Kind.U16)
            .hex("vendorStatus", Kind.U16)
            .build();

    /** Answer to 0003h, 0004h and the answer to it: 2^n bytes. */
    static final Layout MESSAGE_LIMIT =
            Layout.named("response message limit", "8.2.9.1.3").u8("exponent").build();

    private GenericLayouts() {}
}

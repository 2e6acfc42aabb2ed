package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;

/** The payloads of command set 02h. Clauses are of CXL r3.1. */
final class FirmwareLayouts {
    /** Offsets of parts are in this unit (CXL r3.1 8.2.9.3.2). */
    static final long OFFSET_UNIT_BYTES = 128;

    static final int REVISION_BYTES = 16;

    /** Answer to 0200h; the active slot is in bits 2:0 of {@code slots}, the staged one in bits 5:3. */
    static final Layout FIRMWARE_INFO = Layout.named("Get FW Info output", "8.2.9.3.1")
            .u8("slotCount")
            .packed("slots", Kind.U8, Part.number("activeSlot", 0, 3), Part.number("stagedSlot", 3, 3))
            .flags("capabilities", 1, "online activation")
            .reserved(13)
            .ascii("revision1", REVISION_BYTES)
            .ascii("revision2", REVISION_BYTES)
            .ascii("revision3", REVISION_BYTES)
            .ascii("revision4", REVISION_BYTES)
            .build();

    /** 0201h; the offset is in units of 128 bytes. */
    static final Layout TRANSFER_FIRMWARE = Layout.named("Transfer FW input", "8.2.9.3.2")
            .oneOf("action", "full", "initiate", "continue", "end", "abort")
            .u8("slot")
            .reserved(2)
            .u32("offset")
            .reserved(120)
            .repeatToEnd(
                    "data",
                    Layout.named("byte of a package", "8.2.9.3.2").u8("byte").build())
            .build();

    /** 0202h. */
    static final Layout ACTIVATE_FIRMWARE = Layout.named("Activate FW input", "8.2.9.3.3")
            .oneOf("action", "online", "on next reset")
            .u8("slot")
            .build();

    private FirmwareLayouts() {}
}

package io.mhsld.type3;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The part of the device that an event is about, in 16 bytes (CXL r3.2 8.2.10.2.1, table 8-56).
 *
 * @param text what the device calls it; its UTF-8 bytes are what is transported
 * @param isPldm the bytes are of the format that begins with the PLDM entity; otherwise they mean what the device says they mean
 */
public record ComponentId(String text, boolean isPldm) {
    /** Bytes of the field. */
    public static final int LENGTH_BYTES = 16;

    /** Refuses a text that does not fit with {@code IllegalArgumentException}. */
    public ComponentId {
        if (text.getBytes(StandardCharsets.UTF_8).length > LENGTH_BYTES) {
            throw new IllegalArgumentException(
                    "component identifier too long: max=" + LENGTH_BYTES + " componentId=" + text);
        }
    }

    /** The field: the text, then zeros. */
    public byte[] bytes() {
        return Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), LENGTH_BYTES);
    }
}

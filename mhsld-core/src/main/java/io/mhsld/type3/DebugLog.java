package io.mhsld.type3;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The Vendor Debug Log (CXL r3.1 8.2.9.5.2.2): text about the device as it was when the host had the log populated. Empty until then.
 */
public final class DebugLog {
    /** Room for what is written. */
    public static final int MAX_BYTES = 4096;

    private byte[] text = {};

    /** What was written last. */
    public byte[] bytes() {
        return text.clone();
    }

    /** Writes it anew; what does not fit is left out. */
    void write(List<String> lines) {
        byte[] all = String.join("\n", lines).concat("\n").getBytes(StandardCharsets.US_ASCII);
        text = all.length <= MAX_BYTES ? all : Arrays.copyOf(all, MAX_BYTES);
    }

    /** Empties it. */
    public void clear() {
        text = new byte[0];
    }
}

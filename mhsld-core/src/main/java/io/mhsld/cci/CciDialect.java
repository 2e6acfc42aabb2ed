package io.mhsld.cci;

/**
 * How a client understands the header of a command message. Both readings of the specification's figure are in use, and agree on every request
 * below 64 KiB; the answers differ.
 */
public enum CciDialect {
    /** The category stands in bits 3:0 of its byte, and a tunnelled message is its header and payload: libcxlmi, Linux. */
    STANDARD(0x01, 0, 0x80, false),
    /** The category stands in bits 7:4, and a tunnelled message begins with its MCTP message type: jack and its libraries. */
    JACK(0x10, 3, 0x01, true);

    /** First byte of a response. */
    final int responseCategory;

    /** Where in byte 7 the upper bits of the payload length begin. */
    final int upperLengthShift;

    /** The bit of byte 7 that says that a background operation has begun. */
    final int backgroundBit;

    private final boolean tunnelsWithType;

    CciDialect(int responseCategory, int upperLengthShift, int backgroundBit, boolean tunnelsWithType) {
        this.responseCategory = responseCategory;
        this.upperLengthShift = upperLengthShift;
        this.backgroundBit = backgroundBit;
        this.tunnelsWithType = tunnelsWithType;
    }

    /** True when a message in a tunnel begins with its MCTP message type. */
    public boolean tunnelsWithType() {
        return tunnelsWithType;
    }
}

package io.mhsld.mctp;

/** A message that was put together from packets. */
final class MctpMessage {
    private static final int TYPE_MASK = 0x7F;

    /** Bit 7 is for messages with a checksum of their own, which none of ours has. */
    private static final int CHECKED = 0x80;

    private final int source;
    private final int destination;
    private final int tag;
    private final byte[] bytes;
    private final boolean isCut;

    /**
     * @param source endpoint id of the sender
     * @param destination endpoint id that it was sent to
     * @param tag with the bit of who has chosen it
     * @param bytes with the message type in front; zeros of the last packet may follow
     * @param isCut true when there was more than is ever taken, and the rest was passed over
     */
    MctpMessage(int source, int destination, int tag, byte[] bytes, boolean isCut) {
        this.source = source;
        this.destination = destination;
        this.tag = tag;
        this.bytes = bytes;
        this.isCut = isCut;
    }

    int source() {
        return source;
    }

    int destination() {
        return destination;
    }

    int tag() {
        return tag;
    }

    /** Not a copy. */
    byte[] bytes() {
        return bytes;
    }

    boolean isCut() {
        return isCut;
    }

    int type() {
        return bytes[0] & TYPE_MASK;
    }

    boolean isChecked() {
        return (bytes[0] & CHECKED) != 0;
    }
}

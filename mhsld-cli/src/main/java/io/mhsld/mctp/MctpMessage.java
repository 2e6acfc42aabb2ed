package io.mhsld.mctp;

/**
 * A message that was put together from packets.
 *
 * @param source endpoint id of the sender
 * @param destination endpoint id that it was sent to
 * @param tag with the bit of who has chosen it
 * @param bytes with the message type in front; zeros of the last packet may follow
 * @param isCut true when there was more than is ever taken, and the rest was passed over
 */
record MctpMessage(int source, int destination, int tag, byte[] bytes, boolean isCut) {
    private static final int TYPE_MASK = 0x7F;

    /** Bit 7 is for messages with a checksum of their own, which none of ours has. */
    private static final int CHECKED = 0x80;

    int type() {
        return bytes[0] & TYPE_MASK;
    }

    boolean isChecked() {
        return (bytes[0] & CHECKED) != 0;
    }
}

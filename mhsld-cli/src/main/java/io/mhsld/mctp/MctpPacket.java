package io.mhsld.mctp;

/**
 * One packet on the wire (DSP0236 8.1 for the header): always 68 bytes, with zeros behind what it carries, and nothing between packets.
 *
 * <pre>
 *   0  version      1
 *   1  destination  endpoint id, 0 for whoever is there
 *   2  source       endpoint id
 *   3  bit 7 start of message, 6 end of message, 5:4 sequence, 3 the sender has chosen the tag, 2:0 tag
 *   4  64 bytes of the message; the first of a message is its type
 * </pre>
 */
final class MctpPacket {
    /** Of the whole packet. */
    static final int LENGTH = 68;

    /** Before the body. */
    static final int HEADER_LENGTH = 4;

    /** Of the body. */
    static final int BODY_LENGTH = LENGTH - HEADER_LENGTH;

    /** First byte of each packet, reserved bits included: whoever begins with something else does not speak this. */
    static final byte VERSION = 1;

    static final int DESTINATION = 1;
    static final int SOURCE = 2;
    static final int FLAGS = 3;

    static final int START = 0x80;
    static final int END = 0x40;
    static final int SEQUENCE_SHIFT = 4;
    static final int SEQUENCE_MASK = 3;

    /** Tag, and who has chosen it: together they tell messages under way apart. */
    static final int TAG_AND_OWNER_MASK = 0x0F;

    /** The tag alone. */
    static final int TAG_MASK = 0x07;

    /** Values that {@link #TAG_AND_OWNER_MASK} leaves. */
    static final int TAGS = TAG_AND_OWNER_MASK + 1;

    private MctpPacket() {}

    /** How many packets a message of so many bytes needs, its type included. */
    static int countFor(int messageLength) {
        return Math.max(1, (messageLength + BODY_LENGTH - 1) / BODY_LENGTH);
    }
}

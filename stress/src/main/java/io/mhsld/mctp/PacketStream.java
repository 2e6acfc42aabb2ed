package io.mhsld.mctp;

import io.mhsld.cci.CciMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What comes out of a stream of packets, for the fuzzer, which lives in another package. */
public final class PacketStream {
    /** Longest message that is ever kept. */
    public static final int MESSAGE_LENGTH_LIMIT = MctpAssembler.MESSAGE_LENGTH_LIMIT;

    /** Of a packet. */
    public static final int PACKET_LENGTH = MctpPacket.LENGTH;

    /** Tags, with the bit of who has chosen them. */
    public static final int TAGS = MctpPacket.TAGS;

    private PacketStream() {}

    /** The messages of these packets, a line for each. A tag below 0: of all of them; else as if only its packets had come. */
    public static List<String> messages(byte[] stream, int onlyTag) {
        MctpAssembler assembler = new MctpAssembler();
        List<String> messages = new ArrayList<>();
        ByteBuffer packets = ByteBuffer.wrap(stream);
        for (int start = 0; start + PACKET_LENGTH <= stream.length; start += PACKET_LENGTH) {
            int tag = stream[start + MctpPacket.FLAGS] & MctpPacket.TAG_AND_OWNER_MASK;
            if (onlyTag < 0 || tag == onlyTag) {
                assembler.take(packets, start).ifPresent(message -> messages.add(lineOf(message)));
            }
            if (assembler.keptBytes() > TAGS * MESSAGE_LENGTH_LIMIT) {
                throw new IllegalStateException("more is kept than may be: bytes=" + assembler.keptBytes());
            }
        }
        return messages;
    }

    /** Also goes through what is done with a message before it is run. */
    private static String lineOf(MctpMessage message) {
        CciMessage command = CciMessage.read(message.bytes(), 1, message.bytes().length);
        DialectChoice.Sign sign = DialectChoice.signOf(message, command);
        new MctpControl().answer(message);
        return message.tag() + " " + message.source() + " " + message.isCut() + " "
                + DialectChoice.AUTO.dialect(sign) + " "
                + HexFormat.of().formatHex(message.bytes());
    }
}

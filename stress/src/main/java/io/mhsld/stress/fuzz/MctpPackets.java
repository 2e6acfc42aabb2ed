package io.mhsld.stress.fuzz;

import io.mhsld.mctp.PacketStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A stream of packets put together into messages. The messages of a tag are the same whatever packets of other tags come between; no message is longer
 * than may be, and what is kept for unfinished ones is bounded.
 */
public final class MctpPackets {
    private MctpPackets() {}

    /** Fails when tags disturb each other. */
    public static void fuzzerTestOneInput(byte[] stream) {
        List<String> all = PacketStream.messages(stream, -1);
        List<String> byTag = new ArrayList<>();
        for (int tag = 0; tag < PacketStream.TAGS; tag++) {
            byTag.addAll(PacketStream.messages(stream, tag));
        }
        Check.equal(all.stream().sorted().toList(), byTag.stream().sorted().toList(), "messages of each tag alone");
        for (String message : all) {
            int digits = message.length() - message.lastIndexOf(' ') - 1;
            Check.that(digits <= 2 * PacketStream.MESSAGE_LENGTH_LIMIT, "length of a message");
        }
    }
}

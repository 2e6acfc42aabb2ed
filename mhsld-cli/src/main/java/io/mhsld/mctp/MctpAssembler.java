package io.mhsld.mctp;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Puts the messages of one client together from their packets (DSP0236 8.1.7). One message of each tag may be under way. Any bytes may come: a packet
 * that does not fit costs at most the message that it belongs to.
 */
final class MctpAssembler {
    /** Room for type, header and the longest payload that is taken. A message that is longer is cut; its end is still waited for, so that there is an answer to it. */
    static final int MESSAGE_LENGTH_LIMIT = 65 * MctpPacket.BODY_LENGTH;

    private enum Step {
        /** The message is this packet. */
        WHOLE,
        /** The message begins. */
        BEGIN,
        /** The message goes on. */
        APPEND,
        /** The message ends. */
        FINISH,
        /** Its beginning was not seen. */
        PASS_OVER,
        /** A packet is missing in the middle of the message. */
        GIVE_UP
    }

    /** By what is under way with the tag, and by the packet: middle, end, start, both. A new start ends what was under way. */
    private static final Step[][] STEPS = {
        /* nothing */ {Step.PASS_OVER, Step.PASS_OVER, Step.BEGIN, Step.WHOLE},
        /* a message that this one continues */ {Step.APPEND, Step.FINISH, Step.BEGIN, Step.WHOLE},
        /* a message, and a packet is missing */ {Step.GIVE_UP, Step.GIVE_UP, Step.BEGIN, Step.WHOLE}
    };

    private static final int KIND_SHIFT = 6;

    /** A message under way. */
    private static final class Partial {
        private byte[] bytes = new byte[2 * MctpPacket.BODY_LENGTH];
        private int length;
        private int nextSequence;
        private int source;
        private boolean isCut;

        private void append(ByteBuffer packet, int start) {
            int kept = Math.min(MctpPacket.BODY_LENGTH, MESSAGE_LENGTH_LIMIT - length);
            isCut |= kept < MctpPacket.BODY_LENGTH;
            if (length + kept > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(MESSAGE_LENGTH_LIMIT, 2 * bytes.length));
            }
            packet.get(start + MctpPacket.HEADER_LENGTH, bytes, length, kept);
            length += kept;
        }
    }

    private final Partial[] partials = new Partial[MctpPacket.TAGS];

    /** Takes the packet that starts there; returns the message that it ends. */
    Optional<MctpMessage> take(ByteBuffer packet, int start) {
        int flags = packet.get(start + MctpPacket.FLAGS) & 0xFF;
        int tag = flags & MctpPacket.TAG_AND_OWNER_MASK;
        int source = packet.get(start + MctpPacket.SOURCE) & 0xFF;
        int destination = packet.get(start + MctpPacket.DESTINATION) & 0xFF;
        int sequence = (flags >>> MctpPacket.SEQUENCE_SHIFT) & MctpPacket.SEQUENCE_MASK;
        Partial partial = partials[tag];
        int state = 0;
        if (partial != null) {
            state = partial.nextSequence == sequence && partial.source == source ? 1 : 2;
        }
        switch (STEPS[state][flags >>> KIND_SHIFT]) {
            case WHOLE -> {
                partials[tag] = null;
                byte[] body = new byte[MctpPacket.BODY_LENGTH];
                packet.get(start + MctpPacket.HEADER_LENGTH, body);
                return Optional.of(new MctpMessage(source, destination, tag, body, false));
            }
            case BEGIN -> {
                Partial begun = new Partial();
                begun.source = source;
                partials[tag] = begun;
                append(begun, packet, start, sequence);
            }
            case APPEND -> append(partial, packet, start, sequence);
            case FINISH -> {
                partial.append(packet, start);
                partials[tag] = null;
                byte[] bytes = Arrays.copyOf(partial.bytes, partial.length);
                return Optional.of(new MctpMessage(source, destination, tag, bytes, partial.isCut));
            }
            case GIVE_UP -> partials[tag] = null;
            case PASS_OVER -> {
                // Whoever sent it waits in vain for an answer, and will ask again.
            }
        }
        return Optional.empty();
    }

    private static void append(Partial partial, ByteBuffer packet, int start, int sequence) {
        partial.append(packet, start);
        partial.nextSequence = (sequence + 1) & MctpPacket.SEQUENCE_MASK;
    }

    /** Bytes that are kept for messages under way. */
    int keptBytes() {
        int kept = 0;
        for (Partial partial : partials) {
            kept += partial == null ? 0 : partial.bytes.length;
        }
        return kept;
    }
}

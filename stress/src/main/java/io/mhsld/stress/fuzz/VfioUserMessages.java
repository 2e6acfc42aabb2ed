package io.mhsld.stress.fuzz;

import io.mhsld.vfiouser.VfioUserTalk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A vfio-user conversation. The first two bytes say how the kernel cuts and joins what is sent, the third whether the client greets as it should. Then
 * message by message: its command, what is odd about it and how many descriptors it has, its length, its payload; or bytes that are no message. No access is
 * outside of a region, no descriptor is lost or closed twice, what is kept is bounded, and how it is cut changes nothing while
 * descriptors come with whole messages.
 */
public final class VfioUserMessages {
    private static final int HEADER_LENGTH = 16;
    private static final int NO_REPLY = 0x10;
    private static final int MESSAGES_LIMIT = 200;

    // What may be odd about a message.
    private static final int POSTED = 0x01;
    private static final int ODD_SIZE = 0x02;
    private static final int NO_MESSAGE = 0x04;
    private static final int ODD_FLAGS = 0x08;
    private static final int DESCRIPTORS_SHIFT = 4;
    private static final int MANY_DESCRIPTORS = 15;

    private VfioUserMessages() {}

    /** Fails when a cut matters, or the session does what it must not. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        Input input = new Input(bytes);
        int seed = input.u16();
        List<VfioUserTalk.Part> parts = new ArrayList<>();
        if (input.flag()) {
            byte[] greeting = "\0\0\0\0{}\0".getBytes(StandardCharsets.US_ASCII);
            parts.add(new VfioUserTalk.Part(message(1, 0, HEADER_LENGTH + greeting.length, greeting), 0));
        }
        while (!input.isEmpty() && parts.size() < MESSAGES_LIMIT) {
            parts.add(part(input, parts.size()));
        }
        List<String> told = VfioUserTalk.inParts(parts);
        List<String> toldWhenCut = VfioUserTalk.cut(parts, seed);
        boolean hasDescriptors = parts.stream().anyMatch(part -> part.descriptors() > 0);
        // Descriptors that are not sent with a message of their own belong to one or the other.
        if (!hasDescriptors || parts.stream().allMatch(part -> isMessage(part.bytes()))) {
            Check.equal(told, toldWhenCut, "what is told when it is cut");
        }
    }

    private static VfioUserTalk.Part part(Input input, int number) {
        int command = input.u8();
        int odd = input.u8();
        int descriptors = odd >> DESCRIPTORS_SHIFT;
        descriptors = descriptors == MANY_DESCRIPTORS ? 253 : descriptors;
        byte[] payload = input.bytes(input.u8());
        if ((odd & NO_MESSAGE) != 0) {
            return new VfioUserTalk.Part(payload.length == 0 ? new byte[1] : payload, descriptors);
        }
        int size = HEADER_LENGTH + payload.length + ((odd & ODD_SIZE) != 0 ? input.u8() - 128 : 0);
        int flags = ((odd & POSTED) != 0 ? NO_REPLY : 0) | ((odd & ODD_FLAGS) != 0 ? input.u8() : 0);
        byte[] message = message(command, flags, size, payload);
        message[0] = (byte) number;
        return new VfioUserTalk.Part(message, descriptors);
    }

    private static boolean isMessage(byte[] bytes) {
        return bytes.length >= HEADER_LENGTH
                && bytes.length
                        == ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt(4);
    }

    private static byte[] message(int command, int flags, int size, byte[] payload) {
        return ByteBuffer.allocate(HEADER_LENGTH + payload.length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) 0)
                .putShort((short) command)
                .putInt(size)
                .putInt(flags)
                .putInt(0)
                .put(payload)
                .array();
    }
}

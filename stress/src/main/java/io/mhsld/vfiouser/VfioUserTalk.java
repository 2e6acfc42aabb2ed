package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.COMMAND_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.ERROR;
import static io.mhsld.vfiouser.VfioUserDescriptor.ERROR_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.FLAGS_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.HEADER_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.ID_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.MESSAGE_LENGTH_LIMIT;
import static io.mhsld.vfiouser.VfioUserDescriptor.SIZE_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.TYPE_REPLY;

import io.mhsld.register.PciFunction;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/** One conversation with a {@link VfioUserSession}, for the fuzzer, which lives in another package. What must never be is an {@link AssertionError}. */
public final class VfioUserTalk {
    /** What a client sends with one call. */
    public static final class Part {
        private final byte[] bytes;
        private final int descriptors;

        /** @param descriptors so many with it */
        public Part(byte[] bytes, int descriptors) {
            this.bytes = bytes;
            this.descriptors = descriptors;
        }

        /** Not a copy. */
        public byte[] bytes() {
            return bytes;
        }

        /** How many descriptors come with it. */
        public int descriptors() {
            return descriptors;
        }
    }

    /** All that is kept of messages and answers: one of each, and room to grow. */
    private static final int KEPT_LIMIT = 4 * MESSAGE_LENGTH_LIMIT;

    private static final int VECTORS = 3;
    private static final int EVERY_FOURTH = 4;

    private final List<String> told = new ArrayList<>();
    private final Set<Integer> open = new HashSet<>();
    private int lastDescriptor;
    private boolean isTurn;
    private final ModelFunction function = new ModelFunction();
    private final InterruptTable interrupts = new InterruptTable(new ModelDescriptors(), VECTORS);
    private final VfioUserSession session =
            new VfioUserSession(function, interrupts, new ModelDescriptors(), this::turn, this::fail, this::reply);

    private VfioUserTalk() {}

    /** What the function and the client were told, in order, when each part comes as it was sent. */
    public static List<String> inParts(List<Part> parts) {
        VfioUserTalk talk = new VfioUserTalk();
        boolean isOver = false;
        for (Part part : parts) {
            isOver = isOver || !talk.receive(part.bytes, part.descriptors);
        }
        return talk.end();
    }

    /**
     * The same when the kernel cuts and joins it: a part comes in pieces, its descriptors with the first one; and parts may come as one, of which the last
     * one only has descriptors.
     */
    public static List<String> cut(List<Part> parts, long seed) {
        VfioUserTalk talk = new VfioUserTalk();
        SplittableRandom random = new SplittableRandom(seed);
        byte[] joined = new byte[0];
        boolean isOver = false;
        for (int i = 0; i < parts.size() && !isOver; i++) {
            Part part = parts.get(i);
            int first = part.bytes.length == 0 ? 0 : 1 + random.nextInt(part.bytes.length);
            joined = concatenated(joined, part.bytes, 0, first);
            boolean isHeldBack = part.descriptors == 0 && first == part.bytes.length && random.nextBoolean();
            if (isHeldBack && i + 1 < parts.size()) {
                continue;
            }
            isOver = !talk.receive(joined, part.descriptors);
            joined = new byte[0];
            for (int at = first; at < part.bytes.length && !isOver; ) {
                int length = 1 + random.nextInt(part.bytes.length - at);
                isOver = !talk.receive(concatenated(joined, part.bytes, at, length), 0);
                at += length;
            }
        }
        return talk.end();
    }

    private static byte[] concatenated(byte[] head, byte[] tail, int from, int length) {
        return ByteBuffer.allocate(head.length + length)
                .put(head)
                .put(tail, from, length)
                .array();
    }

    /** False when the conversation is over. */
    private boolean receive(byte[] bytes, int descriptorCount) {
        if (bytes.length == 0) {
            return true;
        }
        int[] descriptors = new int[descriptorCount];
        for (int i = 0; i < descriptorCount; i++) {
            descriptors[i] = ++lastDescriptor;
            open.add(descriptors[i]);
        }
        try {
            session.receive(ByteBuffer.wrap(bytes), descriptors, descriptorCount);
        } catch (ProtocolException e) {
            return false;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        that(session.keptBytes() <= KEPT_LIMIT, "too much is kept: bytes=" + session.keptBytes());
        that(session.dmaRanges() <= DmaTable.LIMIT, "too many DMA ranges: " + session.dmaRanges());
        that(
                open.size() <= VfioUserDescriptor.DESCRIPTORS_LIMIT + VECTORS + 2,
                "too many descriptors are kept: " + open.size());
        return true;
    }

    private List<String> end() {
        session.end();
        turn(() -> function.raise.accept(0));
        turn(interrupts::disableAll);
        that(open.isEmpty(), "descriptors stay open: " + open);
        that(session.dmaRanges() == 0, "DMA ranges stay");
        return told;
    }

    private void turn(Runnable work) {
        that(!isTurn, "a turn within a turn");
        isTurn = true;
        work.run();
        isTurn = false;
    }

    private void fail(Throwable error) {
        throw new AssertionError("the session fails", error);
    }

    private void reply(byte[] bytes, int length) {
        that(!isTurn, "an answer is sent within a turn");
        ByteBuffer reply = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
        int flags = reply.getInt(FLAGS_OFFSET);
        int error = reply.getInt(ERROR_OFFSET);
        that(reply.getInt(SIZE_OFFSET) == length && length <= MESSAGE_LENGTH_LIMIT, "length of an answer: " + length);
        that(error == 0 ? flags == TYPE_REPLY : flags == (TYPE_REPLY | ERROR), "flags of an answer: " + flags);
        that(error == 0 || length == HEADER_LENGTH, "an error with more than a header");
        told.add("reply " + reply.getShort(ID_OFFSET) + " " + reply.getShort(COMMAND_OFFSET) + " " + error + " "
                + HexFormat.of().formatHex(bytes, HEADER_LENGTH, Math.min(length, HEADER_LENGTH + 64)));
    }

    private static void that(boolean condition, String claim) {
        if (!condition) {
            throw new AssertionError(claim);
        }
    }

    private final class ModelDescriptors implements Descriptors {
        @Override
        public void close(int descriptor) {
            that(open.remove(descriptor), "closed, and was not open: descriptor=" + descriptor);
        }

        @Override
        public void release(int descriptor) {
            that(isEventCounter(descriptor), "released, and is no counter: descriptor=" + descriptor);
            close(descriptor);
        }

        @Override
        public boolean isEventCounter(int descriptor) {
            that(open.contains(descriptor), "asked, and is not open: descriptor=" + descriptor);
            return descriptor % EVERY_FOURTH != 0;
        }

        @Override
        public void signal(int descriptor) {
            that(isTurn, "signalled without a turn");
            that(open.contains(descriptor) && isEventCounter(descriptor), "written to: descriptor=" + descriptor);
            told.add("signal " + descriptor);
        }
    }

    private final class ModelFunction implements PciFunction {
        private IntConsumer raise = vector -> interrupts.raise(vector);

        @Override
        public long regionLengthBytes(int region) {
            that(region >= 0 && region < VfioUserDescriptor.REGIONS, "no such region: " + region);
            return switch (region) {
                case 0 -> 64;
                case 2 -> 1L << 40;
                case CONFIGURATION_REGION -> 4096;
                default -> 0;
            };
        }

        private void check(int region, long offset, int length) {
            that(isTurn, "access without a turn");
            that(
                    length >= 0 && offset >= 0 && offset <= regionLengthBytes(region) - length,
                    "access outside: region=" + region + " offset=" + offset + " length=" + length);
        }

        @Override
        public void read(int region, long offset, byte[] destination, int destinationOffset, int lengthBytes) {
            check(region, offset, lengthBytes);
            for (int i = 0; i < lengthBytes; i++) {
                destination[destinationOffset + i] = (byte) (offset + i);
            }
        }

        @Override
        public void write(int region, long offset, byte[] source, int sourceOffset, int lengthBytes) {
            check(region, offset, lengthBytes);
            told.add("write " + region + " " + offset + " "
                    + HexFormat.of().formatHex(source, sourceOffset, sourceOffset + Math.min(lengthBytes, 64)));
            // Some writes make it interrupt.
            if (lengthBytes > 0) {
                raise.accept(source[sourceOffset]);
            }
        }

        @Override
        public void reset() {
            that(isTurn, "reset without a turn");
            told.add("reset");
        }

        @Override
        public int interruptVectors() {
            return VECTORS;
        }

        @Override
        public void onInterrupt(IntConsumer listener) {
            raise = listener;
        }
    }
}

package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.*;

import io.mhsld.register.PciFunction;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The conversation with one client: bytes in whatever pieces they come, and descriptors beside them, become messages, and each message an answer. Knows
 * neither sockets nor threads. What is kept for a client is bounded by the longest message.
 */
final class VfioUserSession {
    /** Where answers go. */
    interface Output {
        /** Sends the first bytes of an array. */
        void send(byte[] bytes, int lengthBytes) throws IOException;
    }

    /** How many writes may be in one message; QEMU's limit. */
    static final int MULTI_LIMIT = 200;

    private static final int INITIAL_LENGTH = 4096;
    private static final int KEPT_LENGTH = 1 << 17;
    private static final int EIO = 5;
    private static final int U16_MASK = 0xFFFF;

    private final PciFunction function;
    private final InterruptTable interrupts;
    private final Descriptors descriptors;
    private final DmaTable dma = new DmaTable();
    private final Consumer<Runnable> turn;
    private final Consumer<Throwable> errorSink;
    private final Output output;
    private final Runnable handling = this::handle;

    /** What has come and was not handled yet. */
    private byte[] inputBytes = new byte[INITIAL_LENGTH];

    private ByteBuffer input = words(inputBytes);

    private int start;
    private int end;

    /** Those that belong to the message that begins at {@link #start}. */
    private final int[] held = new int[DESCRIPTORS_LIMIT];

    private int heldCount;
    private boolean isHoldingTooMany;

    private byte[] replyBytes = new byte[INITIAL_LENGTH];
    private ByteBuffer reply = words(replyBytes);
    private int replyLength;
    private int error;
    private boolean isNegotiated;
    private int transferLimit = TRANSFER_LIMIT;

    /**
     * A conversation in which nothing was said yet.
     *
     * @param interrupts where the client's event counters go; it outlives the conversation
     * @param turn runs what touches the function
     * @param errorSink gets what goes wrong inside
     */
    VfioUserSession(
            PciFunction function,
            InterruptTable interrupts,
            Descriptors descriptors,
            Consumer<Runnable> turn,
            Consumer<Throwable> errorSink,
            Output output) {
        this.function = function;
        this.interrupts = interrupts;
        this.descriptors = descriptors;
        this.turn = turn;
        this.errorSink = errorSink;
        this.output = output;
    }

    boolean isNegotiated() {
        return isNegotiated;
    }

    int dmaRanges() {
        return dma.size();
    }

    /** So many bytes are kept for messages and answers. */
    int keptBytes() {
        return inputBytes.length + replyBytes.length;
    }

    /**
     * Takes what one receive gave: some bytes, at least one, and the descriptors beside them, which are the session's from now on. The kernel gives
     * descriptors with the first bytes of what they were sent with, and nothing behind that: they belong to the last message that begins here.
     *
     * @throws ProtocolException when it cannot be known any more where the next message begins
     */
    void receive(ByteBuffer bytes, int[] given, int givenCount) throws IOException {
        append(bytes);
        boolean isGiven = givenCount == 0;
        try {
            while (true) {
                int left = end - start;
                boolean isWhole = left >= HEADER_LENGTH && left >= messageLength();
                boolean isLast = !isWhole || left == messageLength();
                if (isLast && !isGiven) {
                    isGiven = true;
                    hold(given, givenCount);
                }
                if (!isWhole) {
                    return;
                }
                int length = messageLength();
                answer();
                start += length;
                if (start == end) {
                    recycle();
                    return;
                }
            }
        } finally {
            if (!isGiven) {
                for (int i = 0; i < givenCount; i++) {
                    descriptors.close(given[i]);
                }
            }
        }
    }

    /** The client is gone. */
    void end() {
        release();
        dma.clear();
    }

    private void append(ByteBuffer bytes) {
        if (start > 0) {
            System.arraycopy(inputBytes, start, inputBytes, 0, end - start);
            end -= start;
            start = 0;
        }
        int needed = end + bytes.remaining();
        if (needed > inputBytes.length) {
            inputBytes = Arrays.copyOf(inputBytes, Math.max(needed, 2 * inputBytes.length));
            input = words(inputBytes);
        }
        int length = bytes.remaining();
        bytes.get(inputBytes, end, length);
        end += length;
    }

    /** Long messages are rare, and their memory is given back. */
    private void recycle() {
        start = 0;
        end = 0;
        if (inputBytes.length > KEPT_LENGTH) {
            inputBytes = new byte[INITIAL_LENGTH];
            input = words(inputBytes);
        }
        if (replyBytes.length > KEPT_LENGTH) {
            replyBytes = new byte[INITIAL_LENGTH];
            reply = words(replyBytes);
        }
    }

    private int messageLength() throws IOException {
        int length = input.getInt(start + SIZE_OFFSET);
        if (length < HEADER_LENGTH
                || length > MESSAGE_LENGTH_LIMIT
                || (input.getInt(start + FLAGS_OFFSET) & TYPE_MASK) != TYPE_COMMAND) {
            send(EINVAL);
            throw new ProtocolException("malformed header: size=" + Integer.toUnsignedString(length) + " flags="
                    + Integer.toHexString(input.getInt(start + FLAGS_OFFSET)));
        }
        return length;
    }

    private void hold(int[] given, int count) {
        for (int i = 0; i < count; i++) {
            if (heldCount < held.length) {
                held[heldCount++] = given[i];
            } else {
                isHoldingTooMany = true;
                descriptors.close(given[i]);
            }
        }
    }

    private void release() {
        while (heldCount > 0) {
            descriptors.close(held[--heldCount]);
        }
        isHoldingTooMany = false;
    }

    private void answer() throws IOException {
        replyLength = HEADER_LENGTH;
        try {
            turn.accept(handling);
        } finally {
            release();
        }
        if ((input.getInt(start + FLAGS_OFFSET) & NO_REPLY) == 0) {
            send(error);
        }
    }

    private void send(int errorNumber) throws IOException {
        int length = errorNumber == 0 ? replyLength : HEADER_LENGTH;
        reply.putShort(ID_OFFSET, input.getShort(start + ID_OFFSET));
        reply.putShort(COMMAND_OFFSET, input.getShort(start + COMMAND_OFFSET));
        reply.putInt(SIZE_OFFSET, length);
        reply.putInt(FLAGS_OFFSET, errorNumber == 0 ? TYPE_REPLY : TYPE_REPLY | ERROR);
        reply.putInt(ERROR_OFFSET, errorNumber);
        output.send(replyBytes, length);
    }

    private void handle() {
        if (isHoldingTooMany) {
            error = EINVAL;
            return;
        }
        int command = input.getShort(start + COMMAND_OFFSET) & U16_MASK;
        try {
            error = VfioUserCommand.handle(command, payloadLength(), heldCount, this);
        } catch (RuntimeException e) {
            errorSink.accept(e);
            error = EIO;
        }
    }

    // ---- the message, and the answer to it

    private static ByteBuffer words(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    private int payloadLength() {
        return input.getInt(start + SIZE_OFFSET) - HEADER_LENGTH;
    }

    private int argument(int offset) {
        return input.getInt(start + HEADER_LENGTH + offset);
    }

    private long longArgument(int offset) {
        return input.getLong(start + HEADER_LENGTH + offset);
    }

    /** An answer that begins as the message does. */
    private void echo(int payloadLength) {
        System.arraycopy(inputBytes, start + HEADER_LENGTH, replyBytes, HEADER_LENGTH, payloadLength);
        replyLength = HEADER_LENGTH + payloadLength;
    }

    private void result(int offset, int value) {
        reply.putInt(HEADER_LENGTH + offset, value);
    }

    /** True when the client has room for this much of an answer. */
    private boolean hasRoomFor(int payloadLength) {
        return Integer.compareUnsigned(argument(ARGSZ_OFFSET), payloadLength) >= 0;
    }

    // ---- commands

    int version() {
        if (isNegotiated || (input.getShort(start + HEADER_LENGTH + MAJOR_OFFSET) != 0)) {
            return EINVAL;
        }
        int from = start + HEADER_LENGTH + CAPABILITIES_OFFSET;
        Optional<Capabilities> theirs = Capabilities.read(
                input.duplicate().limit(start + HEADER_LENGTH + payloadLength()).position(from));
        if (theirs.isEmpty()) {
            return EINVAL;
        }
        isNegotiated = true;
        transferLimit = theirs.get().transferLimit();
        byte[] ours = Capabilities.ours();
        // 0.0, whatever minor version the client offers: it is the only one there is.
        reply.putInt(HEADER_LENGTH, 0);
        reply.put(HEADER_LENGTH + CAPABILITIES_OFFSET, ours);
        replyLength = HEADER_LENGTH + CAPABILITIES_OFFSET + ours.length;
        return 0;
    }

    int deviceInfo() {
        if (!hasRoomFor(DEVICE_INFO_LENGTH)) {
            return EINVAL;
        }
        echo(DEVICE_INFO_LENGTH);
        result(ARGSZ_OFFSET, DEVICE_INFO_LENGTH);
        result(ARG_FLAGS_OFFSET, DEVICE_FLAG_RESET | DEVICE_FLAG_PCI);
        result(REGION_COUNT_OFFSET, REGIONS);
        result(IRQ_INDEX_COUNT_OFFSET, IRQ_INDEXES);
        return 0;
    }

    int regionInfo() {
        int region = argument(INDEX_OFFSET);
        if (!hasRoomFor(REGION_INFO_LENGTH) || region < 0 || region >= REGIONS) {
            return EINVAL;
        }
        long length = function.regionLengthBytes(region);
        echo(REGION_INFO_LENGTH);
        result(ARGSZ_OFFSET, REGION_INFO_LENGTH);
        // Never mappable: a client that has mapped something cannot be made to let go of it, and a block that is taken
        // back by force must be gone before anybody else gets it.
        result(ARG_FLAGS_OFFSET, length > 0 ? REGION_FLAG_READ | REGION_FLAG_WRITE : 0);
        result(REGION_CAPABILITIES_OFFSET, 0);
        reply.putLong(HEADER_LENGTH + REGION_SIZE_OFFSET, length);
        reply.putLong(HEADER_LENGTH + REGION_FILE_OFFSET_OFFSET, 0);
        return 0;
    }

    int regionIoDescriptors() {
        int region = argument(INDEX_OFFSET);
        if (!hasRoomFor(IO_FDS_LENGTH) || region < 0 || region >= REGIONS) {
            return EINVAL;
        }
        echo(IO_FDS_LENGTH);
        result(ARGSZ_OFFSET, IO_FDS_LENGTH);
        result(ARG_FLAGS_OFFSET, 0);
        result(IO_FDS_COUNT_OFFSET, 0);
        return 0;
    }

    int interruptInfo() {
        int index = argument(INDEX_OFFSET);
        if (!hasRoomFor(IRQ_INFO_LENGTH) || index < 0 || index >= IRQ_INDEXES) {
            return EINVAL;
        }
        echo(IRQ_INFO_LENGTH);
        result(ARGSZ_OFFSET, IRQ_INFO_LENGTH);
        result(ARG_FLAGS_OFFSET, IRQ_FLAG_EVENTFD | IRQ_FLAG_NORESIZE);
        result(IRQ_COUNT_OFFSET, interrupts.count(index));
        return 0;
    }

    int setInterrupts() {
        int flags = argument(ARG_FLAGS_OFFSET);
        int index = argument(INDEX_OFFSET);
        long first = Integer.toUnsignedLong(argument(SET_IRQS_START_OFFSET));
        long count = Integer.toUnsignedLong(argument(SET_IRQS_COUNT_OFFSET));
        int data = flags & DATA_MASK;
        int action = flags & ~DATA_MASK;
        if (!hasRoomFor(SET_IRQS_LENGTH)
                || index < 0
                || index >= IRQ_INDEXES
                || first + count > interrupts.count(index)
                || (action != ACTION_MASK && action != ACTION_UNMASK && action != ACTION_TRIGGER)
                || (data != DATA_EVENTFD && heldCount > 0)) {
            return EINVAL;
        }
        if (count == 0) {
            if (first != 0 || data != DATA_NONE || action != ACTION_TRIGGER) {
                return EINVAL;
            }
            interrupts.disable(index);
            return 0;
        }
        return switch (data) {
            case DATA_NONE -> {
                for (int i = 0; i < count; i++) {
                    act(action, index, (int) first + i);
                }
                yield 0;
            }
            case DATA_BOOL -> actWhereTrue(action, index, (int) first, (int) count);
            case DATA_EVENTFD -> action == ACTION_TRIGGER ? assign(index, (int) first, (int) count) : ENOTSUP;
            default -> EINVAL;
        };
    }

    private int actWhereTrue(int action, int index, int first, int count) {
        if (payloadLength() < SET_IRQS_LENGTH + count) {
            return EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if (input.get(start + HEADER_LENGTH + SET_IRQS_LENGTH + i) != 0) {
                act(action, index, first + i);
            }
        }
        return 0;
    }

    private void act(int action, int index, int number) {
        if (action == ACTION_TRIGGER) {
            interrupts.trigger(index, number);
        } else {
            interrupts.mask(index, number, action == ACTION_MASK);
        }
    }

    private int assign(int index, int first, int count) {
        if (heldCount == 0) {
            for (int i = 0; i < count; i++) {
                interrupts.release(index, first + i);
            }
            return 0;
        }
        if (heldCount != count) {
            return EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if (!descriptors.isEventCounter(held[i])) {
                return EINVAL;
            }
        }
        for (int i = 0; i < count; i++) {
            interrupts.assign(index, first + i, held[i]);
        }
        heldCount = 0;
        return 0;
    }

    int readRegion() {
        int count = argument(ACCESS_COUNT_OFFSET);
        long offset = longArgument(ACCESS_OFFSET_OFFSET);
        int region = argument(ACCESS_REGION_OFFSET);
        if (!isInside(region, offset, count) || count > transferLimit) {
            return EINVAL;
        }
        int needed = HEADER_LENGTH + ACCESS_LENGTH + count;
        if (needed > replyBytes.length) {
            replyBytes = new byte[needed];
            reply = words(replyBytes);
        }
        echo(ACCESS_LENGTH);
        function.read(region, offset, replyBytes, replyLength, count);
        replyLength += count;
        return 0;
    }

    int writeRegion() {
        int count = argument(ACCESS_COUNT_OFFSET);
        long offset = longArgument(ACCESS_OFFSET_OFFSET);
        int region = argument(ACCESS_REGION_OFFSET);
        if (!isInside(region, offset, count) || payloadLength() != ACCESS_LENGTH + count) {
            return EINVAL;
        }
        function.write(region, offset, inputBytes, start + HEADER_LENGTH + ACCESS_LENGTH, count);
        echo(ACCESS_LENGTH);
        return 0;
    }

    /** All of them or, when one is not possible, none. */
    int writeRegions() {
        long rows = longArgument(0);
        if (rows < 0 || rows > MULTI_LIMIT || payloadLength() != MULTI_COUNT_LENGTH + rows * MULTI_ROW_LENGTH) {
            return EINVAL;
        }
        for (int row = 0; row < rows; row++) {
            int at = MULTI_COUNT_LENGTH + row * MULTI_ROW_LENGTH;
            int count = argument(at + ACCESS_COUNT_OFFSET);
            if (count > MULTI_DATA_LENGTH
                    || !isInside(argument(at + ACCESS_REGION_OFFSET), longArgument(at + ACCESS_OFFSET_OFFSET), count)) {
                return EINVAL;
            }
        }
        for (int row = 0; row < rows; row++) {
            int at = MULTI_COUNT_LENGTH + row * MULTI_ROW_LENGTH;
            function.write(
                    argument(at + ACCESS_REGION_OFFSET),
                    longArgument(at + ACCESS_OFFSET_OFFSET),
                    inputBytes,
                    start + HEADER_LENGTH + at + ACCESS_LENGTH,
                    argument(at + ACCESS_COUNT_OFFSET));
        }
        echo(MULTI_COUNT_LENGTH);
        return 0;
    }

    private boolean isInside(int region, long offset, int count) {
        if (region < 0 || region >= REGIONS || count < 0 || count > TRANSFER_LIMIT) {
            return false;
        }
        long length = function.regionLengthBytes(region);
        return length > 0 && offset >= 0 && offset <= length - count;
    }

    int mapDma() {
        int flags = argument(ARG_FLAGS_OFFSET);
        if (!hasRoomFor(MAP_LENGTH) || (flags & ~(MAP_FLAG_READ | MAP_FLAG_WRITE)) != 0) {
            return EINVAL;
        }
        return dma.map(longArgument(MAP_ADDRESS_OFFSET), longArgument(MAP_SIZE_OFFSET), flags);
    }

    int unmapDma() {
        int flags = argument(ARG_FLAGS_OFFSET);
        long address = longArgument(UNMAP_ADDRESS_OFFSET);
        long length = longArgument(UNMAP_SIZE_OFFSET);
        if (!hasRoomFor(UNMAP_LENGTH)) {
            return EINVAL;
        }
        if (flags == UNMAP_FLAG_ALL) {
            if (address != 0 || length != 0) {
                return EINVAL;
            }
            dma.clear();
        } else if (flags != 0) {
            // Dirty pages: nobody writes any.
            return ENOTSUP;
        } else {
            int problem = dma.unmap(address, length);
            if (problem != 0) {
                return problem;
            }
        }
        echo(UNMAP_LENGTH);
        return 0;
    }

    int reset() {
        function.reset();
        return 0;
    }
}

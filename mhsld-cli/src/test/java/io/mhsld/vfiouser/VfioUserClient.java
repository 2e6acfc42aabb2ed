package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.*;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** A client that says what it is told to say, and reads the answers. An answer that is an error is an {@link Refused}; no answer may carry descriptors. */
public final class VfioUserClient implements AutoCloseable {
    /** What QEMU offers. */
    public static final String CAPABILITIES = "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
            + "\"pgsizes\":4096,\"max_dma_maps\":65535,\"write_multiple\":true}}";

    private final SocketChannel channel;
    private ByteBuffer unread = buffer(0);
    private int lastId;

    private VfioUserClient(SocketChannel channel) {
        this.channel = channel;
    }

    /** The server has refused. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final int error;

        Refused(int error) {
            super("error=" + error);
            this.error = error;
        }

        /** The error number. */
        public int error() {
            return error;
        }
    }

    /** A client that has said nothing yet. */
    public static VfioUserClient connect(Path socket) {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(socket));
            return new VfioUserClient(channel);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One that has negotiated. */
    public static VfioUserClient negotiated(Path socket) {
        VfioUserClient client = connect(socket);
        client.version();
        return client;
    }

    // ---- commands

    /** Offers 0.0 and {@link #CAPABILITIES}; what the server can do, as JSON. */
    public String version() {
        return version(0, 0, CAPABILITIES + "\0");
    }

    String version(int major, int minor, String json) {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer answer = ask(
                1,
                buffer(4 + text.length)
                        .putShort((short) major)
                        .putShort((short) minor)
                        .put(text));
        return StandardCharsets.UTF_8.decode(answer.position(4)).toString();
    }

    /** Flags, regions, interrupt indexes. */
    public int[] deviceInfo() {
        ByteBuffer answer = ask(4, buffer(16).putInt(16));
        return new int[] {answer.getInt(4), answer.getInt(8), answer.getInt(12)};
    }

    /** Length and flags. */
    public long[] regionInfo(int region) {
        ByteBuffer answer = ask(5, buffer(32).putInt(32).putInt(8, region));
        return new long[] {answer.getLong(16), answer.getInt(4)};
    }

    /** Count and flags. */
    public int[] interruptInfo(int index) {
        ByteBuffer answer = ask(7, buffer(16).putInt(16).putInt(8, index));
        return new int[] {answer.getInt(12), answer.getInt(4)};
    }

    /** So many bytes of a region. */
    public byte[] regionRead(int region, long offset, int count) {
        ByteBuffer answer = ask(9, access(region, offset, count));
        byte[] data = new byte[answer.limit() - 16];
        answer.get(16, data);
        return data;
    }

    /** Four of them as a number. */
    public int regionRead32(int region, long offset) {
        return ByteBuffer.wrap(regionRead(region, offset, 4))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getInt();
    }

    /** Eight of them as a number. */
    public long regionRead64(int region, long offset) {
        return ByteBuffer.wrap(regionRead(region, offset, 8))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    /** Writes, and waits for the answer. */
    public void regionWrite(int region, long offset, byte... data) {
        ask(10, access(region, offset, data));
    }

    /** Four bytes. */
    public void regionWrite32(int region, long offset, int value) {
        regionWrite(
                region,
                offset,
                ByteBuffer.allocate(4)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(value)
                        .array());
    }

    /** Eight bytes. */
    public void regionWrite64(int region, long offset, long value) {
        regionWrite(
                region,
                offset,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(value)
                        .array());
    }

    /** Writes without an answer. */
    public void regionWritePosted(int region, long offset, byte... data) {
        send(message(10, NO_REPLY, access(region, offset, data)));
    }

    /** Assigns event counters to interrupts, or takes them away when there are none. */
    public void setIrqs(int index, int first, int count, int... counters) {
        setIrqs(DATA_EVENTFD | ACTION_TRIGGER, index, first, count, new byte[0], counters);
    }

    void setIrqs(int flags, int index, int first, int count, byte[] data, int... descriptors) {
        ask(8, irqs(flags, index, first, count, data), descriptors);
    }

    static ByteBuffer irqs(int flags, int index, int first, int count, byte... data) {
        int length = 20 + data.length;
        return buffer(length)
                .putInt(length)
                .putInt(flags)
                .putInt(index)
                .putInt(first)
                .putInt(count)
                .put(data);
    }

    /** No interrupts of this kind. */
    public void disableIrqs(int index) {
        setIrqs(DATA_NONE | ACTION_TRIGGER, index, 0, 0, new byte[0]);
    }

    /** Offers a range for DMA. */
    public void dmaMap(long address, long length, int... descriptors) {
        ask(2, buffer(32).putInt(32).putInt(3).putLong(0).putLong(address).putLong(length), descriptors);
    }

    /** Takes it back. */
    public void dmaUnmap(long address, long length) {
        ask(3, buffer(24).putInt(24).putInt(0).putLong(address).putLong(length));
    }

    /** Resets the device. */
    public void reset() {
        ask(13, buffer(0));
    }

    // ---- messages

    static ByteBuffer buffer(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
    }

    static ByteBuffer access(int region, long offset, int count) {
        return buffer(16).putLong(offset).putInt(region).putInt(count);
    }

    static ByteBuffer access(int region, long offset, byte[] data) {
        return buffer(16 + data.length)
                .putLong(offset)
                .putInt(region)
                .putInt(data.length)
                .put(data);
    }

    /** A whole message; all of the payload is sent, wherever its position is. */
    byte[] message(int command, int flags, ByteBuffer payload) {
        lastId = (lastId + 1) & 0xFFFF;
        return buffer(16 + payload.capacity())
                .putShort((short) lastId)
                .putShort((short) command)
                .putInt(16 + payload.capacity())
                .putInt(flags)
                .putInt(0)
                .put(payload.duplicate().clear())
                .array();
    }

    /** The payload of the answer. */
    ByteBuffer ask(int command, ByteBuffer payload, int... descriptors) {
        byte[] message = message(command, 0, payload);
        if (descriptors.length > 0) {
            try {
                NativeSocket.send(channel, message, descriptors);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        } else {
            send(message);
        }
        return answer(lastId, command);
    }

    /** The answer to the message of this number, which must be the next one. */
    ByteBuffer answer(int id, int command) {
        ByteBuffer header = receive(16);
        if ((header.getShort(0) & 0xFFFF) != id || header.getShort(2) != (short) command) {
            throw new AssertionError("answer to another message: id=" + header.getShort(0) + " command="
                    + header.getShort(2) + " expected=" + id + " " + command);
        }
        int length = header.getInt(4);
        if (header.getInt(8) == (TYPE_REPLY | ERROR)) {
            if (length != 16) {
                throw new AssertionError("error with a payload: length=" + length);
            }
            throw new Refused(header.getInt(12));
        }
        if (header.getInt(8) != TYPE_REPLY || header.getInt(12) != 0) {
            throw new AssertionError("flags=" + header.getInt(8) + " error=" + header.getInt(12));
        }
        return receive(length - 16);
    }

    /** Bytes as they are. */
    void send(byte[] bytes) {
        try {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So many bytes; fails at the end. */
    ByteBuffer receive(int length) {
        ByteBuffer bytes = buffer(length);
        while (bytes.hasRemaining()) {
            if (!unread.hasRemaining() && !more()) {
                throw new UncheckedIOException(new IOException("connection is closed"));
            }
            int part = Math.min(bytes.remaining(), unread.remaining());
            bytes.put(unread.slice(unread.position(), part));
            unread.position(unread.position() + part);
        }
        return bytes.flip();
    }

    private boolean more() {
        try {
            unread = NativeSocket.receive(channel, 1 << 16);
            return unread.hasRemaining();
        } catch (IOException e) {
            return false;
        }
    }

    /** True when the server has closed the connection, after whatever it has sent. */
    public boolean isClosedByServer() {
        while (more()) {
            unread = buffer(0);
        }
        return true;
    }

    SocketChannel channel() {
        return channel;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The error number that it is refused with, 0 when it is not. */
    public static int errorOf(Runnable command) {
        try {
            command.run();
            return 0;
        } catch (Refused e) {
            return e.error();
        }
    }

    /** Waits until a counter of {@link #eventCounters} has counted so many events, and no more, since the last time. */
    public static void awaitEvents(int counter, long events) {
        NativeSocket.awaitEvents(counter, events, "counter " + counter);
    }

    /** Counters of events. */
    public static int[] eventCounters(int count) {
        int[] counters = new int[count];
        Arrays.setAll(counters, i -> NativeSocket.eventCounter());
        return counters;
    }
}

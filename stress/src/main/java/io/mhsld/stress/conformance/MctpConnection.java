package io.mhsld.stress.conformance;

import io.mhsld.stress.conformance.MctpTarget.Dialect;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Arrays;

/**
 * MCTP packets in TCP: each 68 bytes, a header of 4 and 64 of the message, which begins with its type. Serves either end; one thread at a time.
 */
final class MctpConnection implements Closeable {
    static final int PACKET_LENGTH = 68;
    private static final int HEADER_LENGTH = 4;
    private static final int BODY_LENGTH = PACKET_LENGTH - HEADER_LENGTH;
    private static final int START = 0x80;
    private static final int END = 0x40;
    private static final int OWNER = 0x08;
    private static final int TAG_MASK = 7;
    private static final int DEVICE = 9;
    private static final int SELF = 8;
    private static final int MAX_PACKETS = 1 << 16;
    private static final int TIMEOUT_MS = 20_000;

    /** A message as it came: type, then the rest, padding included. */
    static final class Received {
        private final int tag;
        private final int type;
        private final byte[] padded;

        private Received(int tag, int type, byte[] padded) {
            this.tag = tag;
            this.type = type;
            this.padded = padded;
        }

        int tag() {
            return tag;
        }

        int type() {
            return type;
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private int sequence;

    /** Clients of the other dialect have been seen to leave the endpoint numbers at 0. */
    private boolean isNumbered;

    private int tag;

    MctpConnection(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    static MctpConnection open(InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(address, TIMEOUT_MS);
            socket.setSoTimeout(TIMEOUT_MS);
            return new MctpConnection(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Sends a request and takes its answer, without type and padding. */
    byte[] exchange(int type, byte[] message, Dialect dialect) throws IOException {
        int used = tag++ & TAG_MASK;
        isNumbered = dialect == Dialect.STANDARD;
        send(type, message, used | OWNER);
        Received answer = receive();
        if (answer.tag != used || answer.type != type) {
            throw new IOException("answer of another tag or type: tag=" + answer.tag + " type=" + answer.type);
        }
        return withoutPadding(answer, dialect);
    }

    /** The CCI message in what came. */
    static byte[] withoutPadding(Received received, Dialect dialect) throws IOException {
        int length = CciMessage.lengthOf(received.padded, 0, dialect);
        if (length > received.padded.length || received.padded.length - length >= BODY_LENGTH) {
            throw new IOException(
                    "packets do not fit the message: length=" + length + " had=" + received.padded.length);
        }
        for (int i = length; i < received.padded.length; i++) {
            if (received.padded[i] != 0) {
                throw new IOException("padding is not zero: at=" + i);
            }
        }
        return Arrays.copyOf(received.padded, length);
    }

    /** @param tagBits tag, and whether it is ours */
    void send(int type, byte[] message, int tagBits) throws IOException {
        int packets = (message.length + BODY_LENGTH) / BODY_LENGTH;
        byte[] body = new byte[packets * BODY_LENGTH];
        body[0] = (byte) type;
        System.arraycopy(message, 0, body, 1, message.length);
        for (int i = 0; i < packets; i++) {
            byte[] packet = new byte[PACKET_LENGTH];
            packet[0] = 1;
            packet[1] = (byte) (isNumbered ? DEVICE : 0);
            packet[2] = (byte) (isNumbered ? SELF : 0);
            packet[3] = (byte) ((i == 0 ? START : 0) | (i == packets - 1 ? END : 0) | (sequence++ & 3) << 4 | tagBits);
            System.arraycopy(body, i * BODY_LENGTH, packet, HEADER_LENGTH, BODY_LENGTH);
            out.write(packet);
        }
        out.flush();
    }

    Received receive() throws IOException {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        byte[] packet = new byte[PACKET_LENGTH];
        for (int i = 0; i < MAX_PACKETS; i++) {
            in.readFully(packet);
            boolean isStart = (packet[3] & START) != 0;
            if ((packet[0] & 0xF) != 1 || isStart != (i == 0)) {
                throw new IOException(
                        String.format("not the packet that comes next: header=%02x flags=%02x", packet[0], packet[3]));
            }
            message.write(packet, HEADER_LENGTH, BODY_LENGTH);
            if ((packet[3] & END) != 0) {
                byte[] all = message.toByteArray();
                return new Received(packet[3] & TAG_MASK, all[0] & 0xFF, Arrays.copyOfRange(all, 1, all.length));
            }
        }
        throw new IOException("message without end");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

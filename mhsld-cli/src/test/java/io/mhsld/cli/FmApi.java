package io.mhsld.cli;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/** A client of FM-API over MCTP/TCP that shares no code with the server. */
final class FmApi implements AutoCloseable {
    private static final int PACKET = 68;
    private static final int BODY = 64;
    private static final int HEADER = 12;
    private static final int TIMEOUT_MS = 20_000;

    /** What was answered. */
    record Answer(int code, ByteBuffer payload, long tookMs) {}

    private final Socket socket;
    private int nextTag;

    /** @param address as the ready line says it */
    FmApi(String address) {
        try {
            socket = new Socket(
                    InetAddress.getLoopbackAddress(),
                    Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(TIMEOUT_MS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Answer ask(int opcode, byte... payload) {
        long startNs = System.nanoTime();
        int tag = send(opcode, payload);
        Answer answer = receive(opcode, tag);
        return new Answer(answer.code, answer.payload, (System.nanoTime() - startNs) / 1_000_000);
    }

    /** The output of a command that must succeed. */
    ByteBuffer output(int opcode, byte... payload) {
        Answer answer = ask(opcode, payload);
        if (answer.code != 0) {
            throw new AssertionError(String.format("opcode=%04x code=%04x", opcode, answer.code));
        }
        return answer.payload;
    }

    /** Returns the tag of the message. */
    int send(int opcode, byte... payload) {
        int tag = nextTag++ & 0xFF;
        ByteBuffer message = ByteBuffer.allocate(1 + HEADER + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        message.put((byte) (opcode >= 0x5100 ? 7 : 8))
                .put((byte) 0)
                .put((byte) tag)
                .put((byte) 0);
        message.putShort((short) opcode)
                .putShort((short) payload.length)
                .put((byte) 0)
                .putShort((short) 0);
        message.putShort((short) 0xabcd).put(payload).flip();
        int count = (message.remaining() + BODY - 1) / BODY;
        ByteBuffer packets = ByteBuffer.allocate(count * PACKET);
        for (int i = 0; i < count; i++) {
            int flags = (i == 0 ? 0x80 : 0) | (i == count - 1 ? 0x40 : 0) | ((i & 3) << 4) | 8;
            packets.position(i * PACKET);
            packets.put((byte) 1).put((byte) 9).put((byte) 8).put((byte) flags);
            while (message.hasRemaining() && packets.position() < (i + 1) * PACKET) {
                packets.put(message.get());
            }
        }
        try {
            socket.getOutputStream().write(packets.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return tag;
    }

    Answer receive(int opcode, int tag) {
        ByteBuffer message = ByteBuffer.allocate(1 << 13).order(ByteOrder.LITTLE_ENDIAN);
        byte[] packet = new byte[PACKET];
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            do {
                in.readFully(packet);
                message.put(packet, 4, BODY);
            } while ((packet[3] & 0x40) == 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int length = message.getShort(6) & 0xFFFF;
        if (message.get(1) != 1 || (message.get(2) & 0xFF) != tag || (message.getShort(4) & 0xFFFF) != opcode) {
            throw new AssertionError("not the answer to this request");
        }
        ByteBuffer payload = message.slice(1 + HEADER, length).order(ByteOrder.LITTLE_ENDIAN);
        return new Answer(message.getShort(9), payload, 0);
    }

    /** 5604h, prescriptive, or 5605h, forced: one block of 2 MiB of the first region, which begins at 0. */
    static byte[] order(int host, int policy, long block) {
        ByteBuffer order = ByteBuffer.allocate(72).order(ByteOrder.LITTLE_ENDIAN);
        order.putShort((short) host).put((byte) policy).put((byte) 0).putLong(2L << 20);
        order.putInt(28, 1).putLong(32, block << 21).putLong(40, 2L << 20);
        return order.array();
    }

    static byte[] add(int host, long block) {
        return order(host, 2, block);
    }

    static byte[] take(int host, long block) {
        return order(host, 0x11, block);
    }

    /** 5604h or 5605h by length or tag; {@code policy} holds the flags of 5605h too. */
    static byte[] order(int host, int policy, int region, long lengthBytes, UUID tag) {
        ByteBuffer order = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        order.putShort((short) host).put((byte) policy).put((byte) region).putLong(lengthBytes);
        return order.put(bytesOf(tag)).array();
    }

    /** 5602h. */
    static byte[] setRegion(int region, long blockSizeBytes, boolean sanitize) {
        ByteBuffer order = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        return order.put(0, (byte) region)
                .putLong(4, blockSizeBytes)
                .put(12, (byte) (sanitize ? 1 : 0))
                .array();
    }

    /** A tag as it stands in payloads. */
    static byte[] bytesOf(UUID tag) {
        return ByteBuffer.allocate(16)
                .putLong(tag.getMostSignificantBits())
                .putLong(tag.getLeastSignificantBits())
                .array();
    }

    /** A message in a tunnel to an LD. */
    static byte[] tunnel(int ld, int opcode, byte... payload) {
        ByteBuffer tunnel = ByteBuffer.allocate(16 + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        tunnel.put(0, (byte) ld)
                .putShort(2, (short) (HEADER + payload.length))
                .putShort(7, (short) opcode)
                .putShort(9, (short) payload.length);
        return tunnel.put(16, payload).array();
    }

    /** Accepted extents of a host, by 5603h. */
    int extentsOf(int host) {
        byte[] request = ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(host)
                .putInt(100)
                .array();
        return output(0x5603, request).getInt(12);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

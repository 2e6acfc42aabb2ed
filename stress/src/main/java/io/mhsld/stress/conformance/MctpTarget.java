package io.mhsld.stress.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * A device behind MCTP over TCP. What answers there is the FM-owned LD when it lists Tunnel Management (5300h), and the head is reached through a
 * tunnel; else it is the head's LD itself.
 */
final class MctpTarget implements Target {
    private static final int TUNNEL = 0x5300;
    private static final int INITIATE_ADD = 0x5604;
    private static final int TYPE_FM_API = 7;
    private static final int TYPE_CCI = 8;
    private static final int FIRST_FM_API_SET = 0x51;
    private static final int LAST_FM_API_SET = 0x59;

    /** The two ways in which clients have been seen to write messages. */
    enum Dialect {
        /** The category in the low nibble; a tunnelled message begins with its header. */
        STANDARD,
        /** The category in the high nibble; a tunnelled message begins with its MCTP message type. */
        JACK
    }

    private final MctpConnection connection;
    private final Dialect dialect;
    private final int ld;
    private final boolean isFabric;
    private final Optional<Target> manager;
    private int nextTag;

    MctpTarget(InetSocketAddress address, Dialect dialect, int ld) {
        this(address, dialect, ld, Optional.empty());
    }

    /** @param manager who offers capacity where that cannot be done at this address */
    MctpTarget(InetSocketAddress address, Dialect dialect, int ld, Optional<Target> manager) {
        this.dialect = dialect;
        this.manager = manager;
        this.ld = ld;
        try {
            connection = MctpConnection.open(address);
        } catch (IOException e) {
            throw new ConnectionLost("no connection: address=" + address + " (" + e.getMessage() + ")", e);
        }
        try {
            isFabric = Suite.commandEffects(payload -> direct(0x0401, payload)).containsKey(TUNNEL);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public Optional<String> unreachable(Via via) {
        return switch (via) {
            case MAILBOX -> Optional.of("a mailbox takes no messages");
            case LD -> Optional.empty();
            case FM -> isFabric ? Optional.empty() : Optional.of("this is the interface of an LD");
        };
    }

    @Override
    public Answer send(Via via, int opcode, byte[] payload) {
        return via == Via.LD && isFabric ? tunnelled(opcode, payload) : direct(opcode, payload);
    }

    private Answer direct(int opcode, byte[] payload) {
        int set = opcode >> Byte.SIZE;
        boolean isFmApi = set >= FIRST_FM_API_SET && set <= LAST_FM_API_SET;
        CciMessage request = CciMessage.request(nextTag++ & 0xFF, opcode, payload);
        byte[] answer = exchange(isFmApi || dialect == Dialect.JACK ? TYPE_FM_API : TYPE_CCI, request.toBytes(dialect));
        return answerOf(request, answer);
    }

    private byte[] exchange(int type, byte[] message) {
        try {
            return connection.exchange(type, message, dialect);
        } catch (IOException e) {
            throw new ConnectionLost("no answer: " + e.getMessage(), e);
        }
    }

    private Answer answerOf(CciMessage request, byte[] bytes) {
        try {
            CciMessage answer = CciMessage.parse(bytes, dialect);
            answer.requireAnswerTo(request);
            return new Answer(answer.code(), answer.payload());
        } catch (IllegalArgumentException e) {
            throw new ConnectionLost("not an answer: " + e.getMessage(), e);
        }
    }

    @Override
    public int tunnelTypeLength() {
        return dialect == Dialect.JACK ? 1 : 0;
    }

    private Answer tunnelled(int opcode, byte[] payload) {
        CciMessage inner = CciMessage.request(nextTag++ & 0xFF, opcode, payload);
        byte[] message = inner.toBytes(dialect);
        int typeLength = tunnelTypeLength();
        ByteBuffer tunnel = ByteBuffer.allocate(4 + typeLength + message.length).order(ByteOrder.LITTLE_ENDIAN);
        tunnel.put((byte) ld).put((byte) 0).putShort((short) (typeLength + message.length));
        if (typeLength > 0) {
            tunnel.put((byte) TYPE_CCI);
        }
        Answer outer = direct(TUNNEL, tunnel.put(message).array());
        if (outer.code() != 0) {
            throw new ConnectionLost(String.format("tunnel refused: ld=%d code=%04x", ld, outer.code()));
        }
        byte[] out = outer.payload();
        int length = out.length < 4 ? -1 : (out[0] & 0xFF) | (out[1] & 0xFF) << Byte.SIZE;
        if (length != out.length - 4 || length < typeLength) {
            throw new ConnectionLost(
                    "tunnel says another length than it has: says=" + length + " has=" + (out.length - 4));
        }
        return answerOf(inner, Arrays.copyOfRange(out, 4 + typeLength, out.length));
    }

    @Override
    public Optional<String> offer(long regionBaseDpa, long[]... dpasAndLengths) {
        if (!isFabric) {
            return manager.isPresent()
                    ? manager.get().offer(regionBaseDpa, dpasAndLengths)
                    : Optional.of("only a fabric manager offers capacity");
        }
        ByteBuffer request =
                ByteBuffer.allocate(32 + 40 * dpasAndLengths.length).order(ByteOrder.LITTLE_ENDIAN);
        request.putShort((short) ld).put((byte) 2).put((byte) 0);
        request.putLong(
                Arrays.stream(dpasAndLengths).mapToLong(extent -> extent[1]).sum());
        request.position(28).putInt(dpasAndLengths.length);
        for (int i = 0; i < dpasAndLengths.length; i++) {
            request.putLong(32 + 40 * i, dpasAndLengths[i][0]).putLong(40 + 40 * i, dpasAndLengths[i][1]);
        }
        Answer answer = direct(INITIATE_ADD, request.array());
        return answer.code() == 0
                ? Optional.empty()
                : Optional.of(String.format("5604h is refused: code=%04x", answer.code()));
    }

    @Override
    public String toString() {
        return "through MCTP, " + (isFabric ? "fabric manager" : "head") + ", dialect " + dialect;
    }

    @Override
    public void close() {
        manager.ifPresent(Target::close);
        try {
            connection.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

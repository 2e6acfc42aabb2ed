package io.mhsld.stress.conformance;

import io.mhsld.stress.conformance.MctpTarget.Dialect;
import io.mhsld.stress.conformance.Target.Answer;
import io.mhsld.stress.conformance.Target.ConnectionLost;
import io.mhsld.stress.conformance.Target.Via;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A small MCTP server in front of another target: as the LD of that device, or as an FM-owned LD that has no more than tunnels and adds. */
final class BridgedServer implements AutoCloseable {
    private static final List<Integer> FABRIC_COMMANDS = List.of(0x0401, 0x5300, 0x5604);

    private final Target inner;
    private final Dialect dialect;
    private final boolean isFabric;
    private final ServerSocket listener;

    BridgedServer(Target inner, Dialect dialect, boolean isFabric) {
        this.inner = inner;
        this.dialect = dialect;
        this.isFabric = isFabric;
        try {
            listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread thread = new Thread(this::serve, "bridged server");
        thread.setDaemon(true);
        thread.start();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    private void serve() {
        while (!listener.isClosed()) {
            try (Socket socket = listener.accept();
                    MctpConnection connection = new MctpConnection(socket)) {
                while (true) {
                    MctpConnection.Received request = connection.receive();
                    CciMessage message = CciMessage.parse(MctpConnection.withoutPadding(request, dialect), dialect);
                    Answer answer = isFabric ? fabric(message) : head(message);
                    connection.send(
                            request.type(),
                            CciMessage.responseTo(message, answer.code(), answer.payload())
                                    .toBytes(dialect),
                            request.tag());
                }
            } catch (IOException e) {
                // The client has gone.
            }
        }
    }

    private Answer head(CciMessage message) {
        try {
            return inner.send(Via.MAILBOX, message.opcode(), message.payload());
        } catch (ConnectionLost e) {
            return new Answer(4, new byte[0]);
        }
    }

    private Answer fabric(CciMessage message) {
        ByteBuffer input = ByteBuffer.wrap(message.payload()).order(ByteOrder.LITTLE_ENDIAN);
        return switch (message.opcode()) {
            case 0x0401 -> {
                int index = input.getInt(16) / 4;
                ByteBuffer entry = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
                yield index >= 0 && index < FABRIC_COMMANDS.size()
                        ? new Answer(0, entry.putInt(FABRIC_COMMANDS.get(index)).array())
                        : new Answer(2, new byte[0]);
            }
            case 0x5300 -> {
                int typeLength = dialect == Dialect.JACK ? 1 : 0;
                byte[] inside = Arrays.copyOfRange(message.payload(), 4 + typeLength, message.payload().length);
                CciMessage request = CciMessage.parse(inside, dialect);
                Answer answer = head(request);
                byte[] out = CciMessage.responseTo(request, answer.code(), answer.payload())
                        .toBytes(dialect);
                ByteBuffer tunnel =
                        ByteBuffer.allocate(4 + typeLength + out.length).order(ByteOrder.LITTLE_ENDIAN);
                tunnel.putShort((short) (typeLength + out.length)).putShort((short) 0);
                if (typeLength > 0) {
                    tunnel.put((byte) 8);
                }
                yield new Answer(0, tunnel.put(out).array());
            }
            case 0x5604 -> {
                long[][] extents = new long[input.getInt(28)][];
                for (int i = 0; i < extents.length; i++) {
                    extents[i] = new long[] {input.getLong(32 + 40 * i), input.getLong(40 + 40 * i)};
                }
                Optional<String> refusal = inner.offer(0, extents);
                yield new Answer(refusal.isPresent() ? 2 : 0, new byte[0]);
            }
            default -> new Answer(3, new byte[0]);
        };
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.mhsld.mctp;

import io.mhsld.head.EventLoop;
import io.mhsld.head.HeadLog;
import io.mhsld.socket.ClientReports;
import io.mhsld.socket.ListenException;
import io.mhsld.socket.ListeningSocket;
import io.mhsld.socket.LocalAddress;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Serves an endpoint to clients on loopback TCP, in MCTP packets of 68 bytes, on the thread of an {@link EventLoop}. What one client sends or fails to
 * read never disturbs another one; memory per client is bounded. As for QMP over TCP, only this user and root are served.
 *
 * <p>All methods belong on the loop's thread, or before it runs.
 */
public final class MctpServer implements AutoCloseable {
    /** As addresses and sockets say what they are for. */
    public static final String PROTOCOL = "MCTP";

    /** Where fabric managers of this kind look when nobody tells them otherwise. */
    public static final int DEFAULT_PORT = 2508;

    /** How many clients may be connected; a further one is turned away at once. */
    public static final int CLIENTS_LIMIT = 64;

    /** So many requests of a client may be under way; more are read when there are fewer. */
    public static final int UNDER_WAY_LIMIT = 32;

    /** With so much unsent for a client, nothing more is read from it. */
    public static final int PAUSE_BYTES = 1 << 16;

    /** So many packets of a client at a time, then the others get their turn. */
    static final int PACKETS_PER_TURN = 64;

    private static final int READ_LENGTH = PACKETS_PER_TURN * MctpPacket.LENGTH;

    private final EventLoop loop;
    private final MctpEndpoint endpoint;
    private final DialectChoice dialect;
    private final ClientReports reports;
    private final MctpControl control = new MctpControl();
    private final List<ListeningSocket> listeners = new ArrayList<>();
    private final Set<MctpSession> sessions = new LinkedHashSet<>();
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(READ_LENGTH);

    /** A server that listens nowhere yet. The log is told of clients that are not served, the sink gets what goes wrong inside. */
    public MctpServer(
            EventLoop loop, MctpEndpoint endpoint, DialectChoice dialect, HeadLog log, Consumer<Throwable> errorSink) {
        this.loop = loop;
        this.endpoint = endpoint;
        this.dialect = dialect;
        this.reports = new ClientReports(PROTOCOL, log, errorSink);
    }

    /**
     * Where to listen, written as {@code tcp:127.0.0.1:PORT}; any other address than a TCP port on loopback is refused with an
     * {@code IllegalArgumentException}.
     */
    public static LocalAddress address(String spelling) {
        if (!spelling.startsWith("tcp:")) {
            throw new IllegalArgumentException("MCTP address is not tcp:127.0.0.1:PORT: address=" + spelling);
        }
        return LocalAddress.parseClient(PROTOCOL, spelling);
    }

    /**
     * Listens at one more address, and returns it: with the port that the system chose if it was 0. Throws a {@link ListenException} if that cannot
     * be.
     */
    public LocalAddress listen(LocalAddress address) {
        ListeningSocket socket = ListeningSocket.open(PROTOCOL, address);
        listeners.add(socket);
        socket.accept(loop, reports, client -> welcome(client, socket));
        return socket.address();
    }

    /** How many clients are connected. */
    public int clientCount() {
        return sessions.size();
    }

    /** Disconnects all clients. */
    @Override
    public void close() {
        ListeningSocket.closeAll(listeners, reports::error);
        List.copyOf(sessions).forEach(MctpSession::close);
    }

    MctpEndpoint endpoint() {
        return endpoint;
    }

    DialectChoice dialect() {
        return dialect;
    }

    MctpControl control() {
        return control;
    }

    ByteBuffer readBuffer() {
        return readBuffer;
    }

    void later(Runnable task) {
        loop.execute(task);
    }

    void watch(SelectionKey key, int operations) {
        loop.watch(key, operations);
    }

    ClientReports reports() {
        return reports;
    }

    void forget(MctpSession session) {
        sessions.remove(session);
    }

    private void welcome(SocketChannel client, ListeningSocket listener) throws IOException {
        Optional<String> refusal = listener.refusal(client);
        if (refusal.isEmpty() && sessions.size() >= CLIENTS_LIMIT) {
            refusal = Optional.of("too many clients: limit=" + CLIENTS_LIMIT);
        }
        if (refusal.isPresent()) {
            reports.turnedAway(refusal.get());
            client.close();
            return;
        }
        client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        MctpSession session = new MctpSession(this, client);
        session.open(loop.register(client, SelectionKey.OP_READ, key -> session.ready()));
        sessions.add(session);
    }
}

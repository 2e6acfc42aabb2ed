package io.mhsld.qmp;

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
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.GroupPrincipal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Serves a table of commands over QMP, at any number of addresses and to many clients at a time, on the thread of an {@link EventLoop}. What
 * one client sends or fails to read never disturbs another one: memory per client and in all is bounded, and so is the time of a turn.
 *
 * <p>All methods belong on the loop's thread, or before it runs.
 */
public final class QmpServer implements AutoCloseable {
    /** As addresses and sockets say what they are for. */
    public static final String PROTOCOL = "QMP";

    /** How many clients may be connected to a head, at all of its sockets together: one more than all the peers of 64 heads, and as many again. */
    public static final int CLIENTS_LIMIT = 192;

    /** How many of them at one socket, so that whoever fills it leaves room at the others; a further one is told so and turned away. */
    public static final int SOCKET_CLIENTS_LIMIT = 128;

    /** How long a message may be. A longer one is read, answered with an error and otherwise ignored. */
    public static final int MESSAGE_LENGTH_LIMIT = 1 << 20;

    /** How much memory the unfinished messages of all clients may take together, beyond 16 KiB for each. */
    public static final int INPUT_LIMIT_BYTES = 8 * MESSAGE_LENGTH_LIMIT;

    /** With so much unsent for a client, nothing more is read from it. */
    public static final int PAUSE_BYTES = 1 << 18;

    /** With so much unsent for a client, the next event disconnects it. */
    public static final int BACKLOG_LIMIT_BYTES = 1 << 20;

    /** With so much unsent for all clients together, nothing more is read from those that have something to read: the head has 256 MiB in all. */
    public static final int OUTPUT_LIMIT_BYTES = 1 << 25;

    /** So many messages of a client at a time, then the others get their turn. */
    static final int MESSAGES_PER_TURN = 64;

    /** And so long, if the messages take long: with every client at work the head still comes round three times a second. */
    static final long TURN_NS = 1_500_000;

    private static final int READ_LENGTH = 1 << 16;

    private final EventLoop loop;
    private final ClientReports reports;
    private final QmpMachine machine;
    private final Map<String, QmpCommand> commands = new LinkedHashMap<>();
    private final List<ListeningSocket> listeners = new ArrayList<>();
    private final Set<QmpSession> sessions = new LinkedHashSet<>();
    private final QmpInputBudget inputBudget = new QmpInputBudget(INPUT_LIMIT_BYTES);
    private long unsentBytes;
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(READ_LENGTH);

    /**
     * A server that listens nowhere yet. The commands come on top of those that every server has: qmp_capabilities, query-version,
     * query-commands, query-qmp-schema, query-status, query-name, system_reset, quit. The log is told of
     * clients that are not served, the sink gets what goes wrong inside.
     */
    public QmpServer(
            EventLoop loop, QmpMachine machine, List<QmpCommand> commands, HeadLog log, Consumer<Throwable> errorSink) {
        this.loop = loop;
        this.machine = machine;
        this.reports = new ClientReports(PROTOCOL, log, errorSink);
        for (List<QmpCommand> rows : List.of(QmpBuiltIns.commands(this, machine), commands)) {
            for (QmpCommand command : rows) {
                if (this.commands.put(command.name(), command) != null) {
                    throw new IllegalArgumentException("two commands have the same name: name=" + command.name());
                }
            }
        }
    }

    /** Where to listen, as QEMU writes it; what cannot be served is refused with an {@code IllegalArgumentException}. */
    public static LocalAddress address(String spelling) {
        return LocalAddress.parse(PROTOCOL, spelling);
    }

    /**
     * Listens at one more address, and returns it: with the port that the system chose if it was 0. Throws a {@link ListenException} if that
     * cannot be; a socket file that a dead process left behind is no reason.
     */
    public LocalAddress listen(LocalAddress address) {
        return listen(address, Optional.empty());
    }

    /** The same, where the members of a group may connect to a unix socket as well. */
    public LocalAddress listen(LocalAddress address, Optional<GroupPrincipal> group) {
        ListeningSocket socket = ListeningSocket.open(PROTOCOL, address);
        listeners.add(socket);
        Listener listener = new Listener(socket);
        socket.accept(loop, reports, client -> welcome(client, listener));
        group.ifPresent(socket::shareWith);
        return socket.address();
    }

    /** Tells every client that has negotiated of an event. The data may be null. */
    public void emit(String event, Map<String, ?> data) {
        Instant now = Instant.now();
        Map<String, Object> timestamp = new LinkedHashMap<>();
        timestamp.put("seconds", now.getEpochSecond());
        timestamp.put("microseconds", TimeUnit.NANOSECONDS.toMicros(now.getNano()));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("timestamp", timestamp);
        json.put("event", event);
        if (data != null) {
            json.put("data", data);
        }
        for (QmpSession session : List.copyOf(sessions)) {
            session.offer(json);
        }
    }

    /** The event SHUTDOWN. Its reason is one of QEMU's: host-signal, host-qmp-quit, host-error, host-ui. */
    public void emitShutdown(String reason) {
        emit("SHUTDOWN", QmpBuiltIns.because(reason));
    }

    /** How many clients are connected. */
    public int clientCount() {
        return sessions.size();
    }

    /** Disconnects all clients, after what can be sent to them without waiting, and removes the socket files. */
    @Override
    public void close() {
        ListeningSocket.closeAll(listeners, reports::error);
        List.copyOf(sessions).forEach(QmpSession::close);
    }

    /** The rows of the commands that every server has, to be read; they run on no server. */
    public static List<QmpCommand> commonCommands() {
        return QmpBuiltIns.commands(null, null);
    }

    Collection<QmpCommand> commands() {
        return commands.values();
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

    /** Keeps the sum of what is unsent. */
    void countOutput(long bytes) {
        unsentBytes += bytes;
    }

    long unsentBytes() {
        return unsentBytes;
    }

    boolean isOutputFull() {
        return unsentBytes > OUTPUT_LIMIT_BYTES;
    }

    void forget(QmpSession session) {
        sessions.remove(session);
    }

    /** Looks a command up, checks its arguments and runs it. */
    QmpReply run(QmpRequest request) {
        QmpCommand command = commands.get(request.command());
        if (command == null) {
            return QmpError.commandNotFound("The command " + request.command() + " has not been found");
        }
        QmpArguments arguments;
        try {
            arguments = command.parameters().arguments(request.arguments());
        } catch (QmpRefusal e) {
            return e.error();
        }
        try {
            return Objects.requireNonNull(command.handler().handle(arguments), "command returned no reply");
        } catch (RuntimeException e) {
            reports.error(e);
            return internalError(e);
        }
    }

    static QmpError internalError(RuntimeException error) {
        String what = error.getMessage() != null
                ? error.getMessage()
                : error.getClass().getSimpleName();
        return QmpError.generic("internal error: " + what);
    }

    /** One socket that is listened on. */
    private static final class Listener {
        private final ListeningSocket socket;
        private final boolean local;
        private int clients;

        private Listener(ListeningSocket socket) {
            this.socket = socket;
            this.local = socket.address().file().isPresent();
        }
    }

    private void welcome(SocketChannel client, Listener listener) throws IOException {
        Optional<String> refusal = listener.socket.refusal(client);
        if (refusal.isEmpty() && listener.clients >= SOCKET_CLIENTS_LIMIT) {
            refusal = Optional.of("too many QMP clients: limit=" + SOCKET_CLIENTS_LIMIT);
        } else if (refusal.isEmpty() && sessions.size() >= CLIENTS_LIMIT) {
            refusal = Optional.of("too many QMP clients at all sockets of this head: limit=" + CLIENTS_LIMIT);
        }
        if (refusal.isPresent()) {
            turnAway(client, refusal.get());
            return;
        }
        if (!listener.local) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        QmpSession session = new QmpSession(this, client, listener.local, inputBudget, () -> listener.clients--);
        SelectionKey key = loop.register(client, SelectionKey.OP_READ, ready -> session.ready());
        sessions.add(session);
        listener.clients++;
        Map<String, Object> greeting = new LinkedHashMap<>();
        greeting.put("version", machine.version().toJson());
        greeting.put("capabilities", List.of());
        session.open(key, Map.of("QMP", greeting));
    }

    private void turnAway(SocketChannel client, String why) throws IOException {
        reports.turnedAway(why);
        try (client) {
            client.configureBlocking(false);
            String refusal = QmpJson.write(Map.of("error", QmpError.generic(why).toJson()));
            client.write(ByteBuffer.wrap((refusal + "\r\n").getBytes(StandardCharsets.US_ASCII)));
        }
    }
}

package io.mhsld.qmp;

import io.mhsld.socket.LocalAddress;
import io.mhsld.socket.Peer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A connection to a QMP server, for programs that ask something and wait for the answer. Every method that waits has a deadline, and throws a
 * {@link QmpException} when it passes, or when the other end goes away or does not speak QMP. After that the client is of no more use.
 *
 * <p>Not for several threads at a time.
 */
public final class QmpClient implements AutoCloseable {
    /** How long an answer may be. */
    private static final int ANSWER_LENGTH_LIMIT = 1 << 26;

    private static final int READ_LENGTH = 1 << 16;
    private static final int EVENTS_LIMIT = 1000;
    private static final int CONNECT_RETRY_MS = 10;

    /** How much of something that is not QMP is shown. */
    private static final int SHOWN_LENGTH = 60;

    private final LocalAddress address;
    private final long timeoutMs;
    private final SocketChannel channel;
    private final Selector selector;
    private final QmpFramer framer = new QmpFramer(ANSWER_LENGTH_LIMIT, new QmpInputBudget(Long.MAX_VALUE));
    private final ByteBuffer input = ByteBuffer.allocate(READ_LENGTH).limit(0);
    private final ArrayDeque<Map<?, ?>> events = new ArrayDeque<>();
    private Map<?, ?> greeting;
    private long lastId;

    private QmpClient(LocalAddress address, long timeoutMs, SocketChannel channel, Selector selector) {
        this.address = address;
        this.timeoutMs = timeoutMs;
        this.channel = channel;
        this.selector = selector;
    }

    /** Connects and negotiates; the timeout holds for both together, and later for each command. */
    public static QmpClient connect(LocalAddress address, long timeoutMs) {
        Deadline deadline = new Deadline(timeoutMs);
        SocketChannel channel = null;
        Selector selector = null;
        try {
            channel = beginToConnect(address, deadline);
            selector = Selector.open();
            channel.register(selector, 0);
            QmpClient client = new QmpClient(address, timeoutMs, channel, selector);
            client.finishToConnect(deadline);
            client.negotiate(deadline);
            return client;
        } catch (ConnectException e) {
            closeAll(channel, selector);
            throw new QmpException("nobody listens on the QMP socket: address=" + address, e);
        } catch (IOException e) {
            closeAll(channel, selector);
            throw new QmpException("QMP socket cannot be reached: reason=" + e.getMessage() + " address=" + address, e);
        } catch (RuntimeException e) {
            closeAll(channel, selector);
            throw e;
        }
    }

    /** What the server said of itself when the connection was made: the members "version" and "capabilities". */
    public Map<?, ?> greeting() {
        return greeting;
    }

    /** Runs a command and waits for its outcome, which is a {@link QmpReply.Result} or a {@link QmpError}. */
    public QmpReply execute(String command, Map<String, ?> arguments) {
        return execute(command, arguments, new Deadline(timeoutMs));
    }

    /** The same without arguments. */
    public QmpReply execute(String command) {
        return execute(command, Map.of());
    }

    /** The next event, as it came; empty if none comes in this time. Events that came in between are kept, up to a thousand. */
    public Optional<Map<?, ?>> awaitEvent(long waitMs) {
        Deadline deadline = new Deadline(waitMs);
        while (events.isEmpty()) {
            Map<?, ?> message = receive(deadline);
            if (message == null) {
                return Optional.empty();
            }
            if (message.containsKey("event")) {
                events.add(message);
            }
        }
        return Optional.of(events.remove());
    }

    @Override
    public void close() {
        closeAll(channel, selector);
    }

    /** A unix socket whose queue is full refuses at once, and there is no way to wait for a place: so it is tried again. */
    private static SocketChannel beginToConnect(LocalAddress address, Deadline deadline) throws IOException {
        while (true) {
            SocketChannel channel =
                    address.file().isPresent() ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open();
            try {
                channel.configureBlocking(false);
                channel.connect(address.socketAddress());
                return channel;
            } catch (IOException e) {
                channel.close();
                if (!Peer.isQueueFull(e) || deadline.leftMs() == 0) {
                    throw e;
                }
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(CONNECT_RETRY_MS));
        }
    }

    private void finishToConnect(Deadline deadline) throws IOException {
        while (!channel.finishConnect()) {
            await(SelectionKey.OP_CONNECT, deadline, "taken no connection");
        }
    }

    private void negotiate(Deadline deadline) {
        Map<?, ?> first = receive(deadline);
        if (first == null) {
            throw timedOut("sent no greeting");
        }
        if (first.get("QMP") instanceof Map<?, ?> members) {
            greeting = members;
        } else if (first.get("error") instanceof Map<?, ?> error) {
            throw new QmpException(
                    "QMP server refuses the connection: reason=" + error.get("desc") + " address=" + address);
        } else {
            throw notQmp(QmpJson.write(first));
        }
        QmpReply reply = execute("qmp_capabilities", Map.of(), deadline);
        if (reply.error().isPresent()) {
            throw new QmpException("QMP server refuses the negotiation: reason="
                    + reply.error().get().description() + " address=" + address);
        }
    }

    private QmpReply execute(String command, Map<String, ?> arguments, Deadline deadline) {
        long id = ++lastId;
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("execute", command);
        if (!arguments.isEmpty()) {
            message.put("arguments", arguments);
        }
        message.put("id", id);
        send(message, deadline);
        while (true) {
            Map<?, ?> answer = receive(deadline);
            if (answer == null) {
                throw timedOut("not answered: command=" + command);
            }
            if (answer.containsKey("event")) {
                if (events.size() == EVENTS_LIMIT) {
                    events.remove();
                }
                events.add(answer);
            } else if (answer.get("error") instanceof Map<?, ?> error && isMine(answer, id)) {
                return new QmpError(String.valueOf(error.get("class")), String.valueOf(error.get("desc")));
            } else if (answer.containsKey("return") && isMine(answer, id)) {
                return QmpReply.of(answer.get("return"));
            }
        }
    }

    /** An error about a message that the server could not read has no id; only one message is under way, so it is about that. */
    private static boolean isMine(Map<?, ?> answer, long id) {
        return !answer.containsKey("id") || Long.valueOf(id).equals(answer.get("id"));
    }

    private void send(Map<String, Object> message, Deadline deadline) {
        ByteBuffer bytes = ByteBuffer.wrap((QmpJson.write(message) + "\n").getBytes(StandardCharsets.US_ASCII));
        try {
            while (bytes.hasRemaining()) {
                if (channel.write(bytes) == 0) {
                    await(SelectionKey.OP_WRITE, deadline, "not read the command");
                }
            }
        } catch (IOException e) {
            throw closed(e);
        }
    }

    /** The next message of the server; null when none comes in time. */
    private Map<?, ?> receive(Deadline deadline) {
        try {
            while (true) {
                QmpFramer.Frame frame = framer.next(input);
                if (frame != null) {
                    return asMessage(frame);
                }
                input.clear();
                int read = channel.read(input);
                input.flip();
                if (read < 0) {
                    throw closed(null);
                }
                if (read == 0 && !await(SelectionKey.OP_READ, deadline)) {
                    return null;
                }
            }
        } catch (IOException e) {
            throw closed(e);
        }
    }

    private Map<?, ?> asMessage(QmpFramer.Frame frame) {
        if (frame.isError()) {
            throw notQmp(frame.error());
        }
        Object message;
        try {
            message = QmpJson.parse(frame.bytes());
        } catch (IllegalArgumentException e) {
            throw notQmp(e.getMessage());
        }
        if (message instanceof Map<?, ?> members) {
            return members;
        }
        throw notQmp(QmpJson.write(message));
    }

    private void await(int operation, Deadline deadline, String what) throws IOException {
        if (!await(operation, deadline)) {
            throw timedOut(what);
        }
    }

    private boolean await(int operation, Deadline deadline) throws IOException {
        channel.keyFor(selector).interestOps(operation);
        long leftMs = deadline.leftMs();
        if (leftMs == 0) {
            return false;
        }
        selector.select(leftMs);
        selector.selectedKeys().clear();
        return true;
    }

    private QmpException timedOut(String what) {
        return new QmpException("QMP server has " + what + " in time: timeoutMs=" + timeoutMs + " address=" + address);
    }

    private QmpException closed(IOException cause) {
        return new QmpException("QMP server has closed the connection: address=" + address, cause);
    }

    private QmpException notQmp(String answer) {
        String shown = answer.length() > SHOWN_LENGTH ? answer.substring(0, SHOWN_LENGTH) + "…" : answer;
        return new QmpException("what answers is no QMP server: answer=" + shown + " address=" + address);
    }

    private static void closeAll(AutoCloseable... resources) {
        for (AutoCloseable resource : resources) {
            try {
                if (resource != null) {
                    resource.close();
                }
            } catch (Exception e) {
                // It is not used any more, whether it closed or not.
            }
        }
    }

    private static final class Deadline {
        private final long endNs;

        private Deadline(long timeoutMs) {
            endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        }

        /** Rounded up: 0 only when it has passed. */
        private long leftMs() {
            long leftNs = endNs - System.nanoTime();
            return leftNs <= 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(leftNs) + 1;
        }
    }
}

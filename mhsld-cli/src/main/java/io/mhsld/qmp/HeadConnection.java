package io.mhsld.qmp;

import io.mhsld.fabric.HeadLink.Address;
import io.mhsld.head.EventLoop;
import io.mhsld.head.ProcessActivity;
import io.mhsld.socket.Peer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A connection to the control socket of a head, for one that may not wait: commands go out one after the other, their replies come back in the same
 * order. Whatever becomes of the head, each command is answered: with what it replied, with {@link #GONE} when it was not there or died, or with
 * {@link #SILENT} when it said nothing for {@link #PATIENCE_MS} and was not at work either. After one of these the connection is of no more use, and what the head had not
 * read by then it never does.
 *
 * <p>Everything happens on the loop's thread.
 */
final class HeadConnection {
    /** How long a head may be silent while something is asked of it, unless it is seen to be at work: an add of many gigabytes takes longer. */
    static final long PATIENCE_MS = 700;

    /** How long it may be at work. */
    static final long LONG_PATIENCE_MS = 30_000;

    /** It is looked at so often, once it has been silent for so long. */
    private static final long LOOK_MS = PATIENCE_MS / 2;

    /** A process that computes for so many hundredths of a second between two looks is at work; what an idle one does is less. */
    private static final long AT_WORK_TICKS = 3;

    /** The answer of a head that is not there. */
    static final QmpError GONE = new QmpError("GenericError", "head has gone");

    /** The answer of a head that does not answer. */
    static final QmpError SILENT = new QmpError("GenericError", "head does not answer");

    /** Commands that may be under way at a head; more are answered as if it were silent. */
    static final int UNDER_WAY_LIMIT = 1024;

    /** The answers to commands of the fabric manager are short; this is for what a client of ours may ask through it. */
    private static final int ANSWER_LENGTH_LIMIT = 1 << 22;

    private static final int READ_LENGTH = 1 << 16;

    private static final String HELLO = "{\"execute\": \"" + QmpBuiltIns.NEGOTIATION
            + "\", \"id\": 0}\n{\"execute\": \"" + QmpBuiltIns.DROP_UNHEARD + "\", \"id\": 0}\n";

    private record Asked(long id, long sinceNs, Consumer<? super QmpReply> receiver) {}

    private final EventLoop loop;
    private final Address address;
    private final QmpFramer framer = new QmpFramer(ANSWER_LENGTH_LIMIT, new QmpInputBudget(Long.MAX_VALUE));
    private final ByteBuffer input = ByteBuffer.allocateDirect(READ_LENGTH);
    private final ArrayDeque<Asked> underWay = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> outgoing = new ArrayDeque<>();
    private SocketChannel channel;
    private SelectionKey key;
    private long lastId;
    private long lastHeardNs;
    private boolean isWatched;
    private Optional<ProcessActivity> lastSeen = Optional.empty();
    private boolean isClosed;

    HeadConnection(EventLoop loop, Address address) {
        this.loop = loop;
        this.address = address;
    }

    Address address() {
        return address;
    }

    boolean isClosed() {
        return isClosed;
    }

    /** Connects; a head that cannot be reached shows as the answer of the first command. */
    void open() {
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            channel.connect(UnixDomainSocketAddress.of(address.controlSocket()));
            key = loop.register(channel, SelectionKey.OP_READ, ready -> ready());
            outgoing.add(ByteBuffer.wrap(HELLO.getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            // A full queue is that of a process which does not accept: it is stopped, or hangs.
            close(Peer.isQueueFull(e) ? SILENT : GONE);
        } catch (IllegalArgumentException e) {
            // A damaged row of the head table, with a path that can be none.
            close(GONE);
        }
    }

    /**
     * Sends a command.
     *
     * @param receiver gets the reply, which is not pending
     */
    void execute(String command, Map<String, ?> arguments, Consumer<? super QmpReply> receiver) {
        if (isClosed) {
            receiver.accept(GONE);
            return;
        }
        if (underWay.size() >= UNDER_WAY_LIMIT) {
            receiver.accept(SILENT);
            return;
        }
        long id = ++lastId;
        String line = QmpJson.write(Map.of("execute", command, "arguments", arguments, "id", id)) + "\n";
        underWay.add(new Asked(id, System.nanoTime(), receiver));
        outgoing.add(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
        watch(LOOK_MS);
        try {
            flush();
        } catch (IOException e) {
            close(GONE);
        }
    }

    /** Lets go of the connection. What is under way gets this answer. */
    void close(QmpError reason) {
        if (isClosed) {
            return;
        }
        isClosed = true;
        framer.close();
        outgoing.clear();
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // It is not used any more, whether it closed or not.
        }
        while (!underWay.isEmpty()) {
            underWay.remove().receiver.accept(reason);
        }
    }

    private void ready() {
        if (isClosed) {
            return;
        }
        try {
            flush();
            read();
        } catch (IOException e) {
            close(GONE);
        } catch (IllegalArgumentException e) {
            // Whoever answers there is no head.
            close(GONE);
        }
    }

    private void read() throws IOException {
        input.clear();
        int length = channel.read(input);
        input.flip();
        lastHeardNs = length > 0 ? System.nanoTime() : lastHeardNs;
        while (input.hasRemaining() && !isClosed) {
            QmpFramer.Frame frame = framer.next(input);
            if (frame != null) {
                if (frame.isError()) {
                    throw new IllegalArgumentException(frame.error());
                }
                receive(QmpJson.parse(frame.bytes()));
            }
        }
        if (length < 0) {
            close(GONE);
        }
    }

    /** Greeting, events and what was said to our own first words have no number of a command. */
    private void receive(Object message) {
        if (!(message instanceof Map<?, ?> members) || underWay.isEmpty()) {
            return;
        }
        Object id = members.get("id");
        if (!Long.valueOf(underWay.peek().id).equals(id)) {
            return;
        }
        Asked asked = underWay.remove();
        if (members.get("error") instanceof Map<?, ?> error) {
            asked.receiver.accept(new QmpError(String.valueOf(error.get("class")), String.valueOf(error.get("desc"))));
        } else {
            asked.receiver.accept(QmpReply.of(members.get("return")));
        }
    }

    private void flush() throws IOException {
        while (!outgoing.isEmpty()) {
            ByteBuffer line = outgoing.peek();
            channel.write(line);
            if (line.hasRemaining()) {
                break;
            }
            outgoing.remove();
        }
        int wanted = outgoing.isEmpty() ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE;
        loop.watch(key, wanted);
    }

    // ---- patience

    /** One timer for all that is under way, and none when nothing is. */
    private void watch(long delayMs) {
        if (!isWatched) {
            isWatched = true;
            loop.after(delayMs, this::lookAtPatience);
        }
    }

    private void lookAtPatience() {
        isWatched = false;
        if (isClosed || underWay.isEmpty()) {
            lastSeen = Optional.empty();
            return;
        }
        long sinceNs = Math.max(underWay.peek().sinceNs, lastHeardNs);
        long silentMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNs);
        if (silentMs < LOOK_MS) {
            lastSeen = Optional.empty();
            watch(LOOK_MS - silentMs);
            return;
        }
        Optional<ProcessActivity> seen = ProcessActivity.of(address.pid());
        boolean isAtWork = silentMs < LONG_PATIENCE_MS
                && seen.isPresent()
                && !seen.get().isStopped()
                && lastSeen.isPresent()
                && seen.get().cpuTicks() - lastSeen.get().cpuTicks() >= AT_WORK_TICKS;
        lastSeen = seen;
        if (silentMs >= PATIENCE_MS && !isAtWork) {
            close(SILENT);
        } else {
            watch(LOOK_MS);
        }
    }
}

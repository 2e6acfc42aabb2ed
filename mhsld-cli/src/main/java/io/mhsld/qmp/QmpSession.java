package io.mhsld.qmp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One client of a server. Commands are answered one after the other; while one of them is pending, or the client does not read its answers,
 * nothing more is read from it. Everything happens on the loop's thread.
 */
final class QmpSession {
    private static final int WRITE_LENGTH_LIMIT = 1 << 16;

    private final QmpServer server;
    private final SocketChannel channel;
    private final QmpFramer framer;
    private final ArrayDeque<ByteBuffer> outgoing = new ArrayDeque<>();
    private final boolean local;
    private final Runnable whenClosed;
    private SelectionKey key;
    private ByteBuffer unread = ByteBuffer.allocate(0);
    private long outgoingBytes;
    private boolean negotiated;
    private boolean pending;
    private boolean resuming;
    private boolean inputEnded;
    private boolean dropsUnheard;
    private boolean closed;

    QmpSession(QmpServer server, SocketChannel channel, boolean local, QmpInputBudget budget, Runnable whenClosed) {
        this.whenClosed = whenClosed;
        this.server = server;
        this.channel = channel;
        this.local = local;
        this.framer = new QmpFramer(QmpServer.MESSAGE_LENGTH_LIMIT, budget);
    }

    void open(SelectionKey selectionKey, Map<String, Object> greeting) {
        key = selectionKey;
        enqueue(greeting);
        guarded(this::settle);
    }

    /** The channel is readable or writable. */
    void ready() {
        guarded(() -> {
            flush();
            pump();
        });
    }

    /** Tells the client of an event, if it has negotiated; a client that lets too many of them pile up is let go. */
    void offer(Map<String, Object> event) {
        if (!negotiated || closed) {
            return;
        }
        if (outgoingBytes > QmpServer.BACKLOG_LIMIT_BYTES) {
            server.reports().letGo("does not read its events: limitBytes=" + QmpServer.BACKLOG_LIMIT_BYTES);
            close();
            return;
        }
        enqueue(event);
        guarded(this::settle);
    }

    /** What is still to be sent goes out as far as it does without waiting. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            flush();
        } catch (IOException e) {
            // The client has gone: then it does not miss it.
        }
        framer.close();
        outgoing.clear();
        server.countOutput(-outgoingBytes);
        try {
            channel.close();
        } catch (IOException e) {
            server.reports().error(e);
        }
        server.forget(this);
        whenClosed.run();
    }

    private interface Step {
        void run() throws IOException;
    }

    private void guarded(Step step) {
        if (closed) {
            return;
        }
        try {
            step.run();
        } catch (IOException e) {
            // A client that goes away in the middle of something is nothing to tell anybody about.
            close();
        } catch (RuntimeException e) {
            server.reports().error(e);
            close();
        }
    }

    /** Reads once, and answers what came, as far as that is possible now. */
    private void pump() throws IOException {
        boolean isLeftover = unread.hasRemaining();
        ByteBuffer input = isLeftover ? unread : read();
        long startNs = System.nanoTime();
        int messages = 0;
        while (input.hasRemaining()
                && !isHeldUp()
                && messages < QmpServer.MESSAGES_PER_TURN
                && System.nanoTime() - startNs < QmpServer.TURN_NS) {
            QmpFramer.Frame frame = framer.next(input);
            if (frame != null) {
                answer(frame);
                messages++;
            }
        }
        if (!closed) {
            unread = isLeftover ? input : copyOf(input);
            settle();
        }
    }

    private boolean isHeldUp() {
        return closed
                || pending
                || outgoingBytes > QmpServer.PAUSE_BYTES
                || (outgoingBytes > 0 && server.isOutputFull());
    }

    private ByteBuffer read() throws IOException {
        ByteBuffer buffer = server.readBuffer().clear();
        if (isHeldUp() || inputEnded) {
            return buffer.flip();
        }
        int read = channel.read(buffer);
        while (read > 0 && dropsUnheard && buffer.hasRemaining()) {
            // The client may have closed behind what it wrote: that is to be known before any of it is done.
            read = channel.read(buffer);
        }
        inputEnded = read < 0;
        return inputEnded && dropsUnheard ? buffer.limit(0) : buffer.flip();
    }

    /** The server's read buffer is everybody's: what is left in it has to be put somewhere else. */
    private static ByteBuffer copyOf(ByteBuffer input) {
        byte[] rest = new byte[input.remaining()];
        input.get(rest);
        return ByteBuffer.wrap(rest);
    }

    /** Sends what can be sent, and sees to it that this session is called again when there is something to do. */
    private void settle() throws IOException {
        flush();
        if (inputEnded && !unread.hasRemaining() && !pending && outgoing.isEmpty()) {
            close();
            return;
        }
        boolean heldUp = isHeldUp();
        int interest = outgoing.isEmpty() ? 0 : SelectionKey.OP_WRITE;
        if (unread.hasRemaining()) {
            if (!heldUp && !resuming) {
                resuming = true;
                server.later(this::resume);
            }
        } else if (!heldUp && !inputEnded) {
            interest |= SelectionKey.OP_READ;
        }
        server.watch(key, interest);
    }

    private void resume() {
        resuming = false;
        guarded(this::pump);
    }

    private void answer(QmpFramer.Frame frame) {
        if (frame.isError()) {
            enqueue(QmpError.generic(frame.error()), null);
            closeForeignProtocol(frame.error());
            return;
        }
        Object message;
        try {
            message = QmpJson.parse(frame.bytes());
        } catch (IllegalArgumentException e) {
            enqueue(QmpError.generic(e.getMessage()), null);
            return;
        }
        QmpRequest request = QmpRequest.of(message);
        QmpReply reply = run(request);
        if (reply instanceof QmpReply.Pending promise) {
            pending = true;
            promise.whenComplete(outcome -> server.later(() -> guarded(() -> complete(outcome, request))));
        } else {
            enqueue(reply, request);
        }
    }

    private void complete(QmpReply outcome, QmpRequest request) throws IOException {
        pending = false;
        enqueue(outcome, request);
        pump();
    }

    private QmpReply run(QmpRequest request) {
        if (request.error() != null) {
            return request.error();
        }
        boolean negotiation = request.command().equals(QmpBuiltIns.NEGOTIATION);
        if (!negotiated && !negotiation) {
            return QmpError.commandNotFound(
                    "Expecting capabilities negotiation with '" + QmpBuiltIns.NEGOTIATION + "'");
        }
        QmpReply reply = server.run(request);
        dropsUnheard |= request.command().equals(QmpBuiltIns.DROP_UNHEARD) && reply instanceof QmpReply.Result;
        if (negotiation && reply instanceof QmpReply.Result) {
            if (negotiated) {
                return QmpError.commandNotFound("Capabilities negotiation is already complete, command ignored");
            }
            negotiated = true;
        }
        return reply;
    }

    /**
     * Any web page can make a browser send lines to a port of this machine, and among garbage a command would be found. So whoever begins
     * over TCP with a capital letter, as every HTTP request does, or with a control character, as TLS does, is not listened to any longer.
     */
    private void closeForeignProtocol(String error) {
        if (!local && !negotiated && error.matches("JSON parse error, stray '[A-Z\\x00-\\x1f]'")) {
            close();
        }
    }

    private void enqueue(QmpReply reply, QmpRequest request) {
        Map<String, Object> json = new LinkedHashMap<>();
        boolean hasId = request != null && request.hasId();
        if (reply instanceof QmpError error) {
            if (hasId) {
                json.put("id", request.id());
            }
            json.put("error", error.toJson());
        } else {
            json.put("return", reply.value());
            if (hasId) {
                json.put("id", request.id());
            }
        }
        enqueue(json);
    }

    private void enqueue(Map<String, Object> json) {
        String text;
        try {
            text = QmpJson.write(json);
        } catch (RuntimeException e) {
            // A handler returned what JSON has no form for: the client still has to get an answer.
            server.reports().error(e);
            text = QmpJson.write(Map.of("error", QmpServer.internalError(e).toJson()));
        }
        ByteBuffer line = ByteBuffer.wrap((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
        outgoing.add(line);
        outgoingBytes += line.remaining();
        server.countOutput(line.remaining());
    }

    private void flush() throws IOException {
        while (!outgoing.isEmpty()) {
            ByteBuffer line = outgoing.peek();
            int end = line.limit();
            // In pieces, since the JDK copies what it writes into memory of its own, of the same length, and keeps
            // that.
            line.limit(Math.min(end, line.position() + WRITE_LENGTH_LIMIT));
            int written = channel.write(line);
            boolean pieceWritten = !line.hasRemaining();
            line.limit(end);
            outgoingBytes -= written;
            server.countOutput(-written);
            if (!pieceWritten) {
                return;
            }
            if (!line.hasRemaining()) {
                outgoing.remove();
            }
        }
    }
}

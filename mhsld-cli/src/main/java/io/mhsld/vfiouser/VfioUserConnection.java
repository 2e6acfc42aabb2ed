package io.mhsld.vfiouser;

import io.mhsld.head.EventLoop;
import io.mhsld.socket.ClientReports;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * One client and the thread that waits for what it sends: without a turn it receives and sends, within one the function does what a message says. So a
 * client that is slow, or reads nothing, keeps nobody waiting but itself.
 */
final class VfioUserConnection {
    private static final long JOIN_TIMEOUT_MS = 2_000;

    private final VfioUserServer server;
    private final EventLoop loop;
    private final ClientSocket socket;
    private final VfioUserSession session;
    private final Thread thread = new Thread(this::run, "vfio-user");
    private final Runnable guardedWork = this::runWork;
    private Runnable work;

    /** Written within a turn. */
    private boolean isClosed;

    VfioUserConnection(VfioUserServer server, EventLoop loop, ClientSocket socket) {
        this.server = server;
        this.loop = loop;
        this.socket = socket;
        this.session = server.session(
                this::inTurn, (bytes, length) -> socket.send(bytes, length, VfioUserServer.SEND_TIMEOUT_MS));
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** True when the client is gone, even if not all that it sent was done yet. */
    boolean isHungUp() {
        return socket.isHungUp();
    }

    /** Within a turn, or when the loop has ended: nothing that the client has sent is done any more. */
    void close() {
        isClosed = true;
        socket.shutDown();
    }

    /** Waits until the thread has ended, which it does at once. Not within a turn. */
    void join() {
        try {
            thread.join(JOIN_TIMEOUT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            ByteBuffer bytes = socket.receive();
            while (bytes != null) {
                session.receive(bytes, socket.descriptors(), socket.descriptorCount());
                bytes = socket.receive();
            }
        } catch (ProtocolException | SocketTimeoutException e) {
            tell(reports -> reports.letGo(e.getMessage()));
        } catch (IOException e) {
            // A client that goes away in the middle of something is nothing to tell anybody about.
        } catch (RuntimeException e) {
            tell(reports -> reports.rareError(e));
        } catch (Error e) {
            // A fault in mapped memory may be told late, when the turn is over.
            endHead(e);
        } finally {
            leave();
        }
    }

    private void inTurn(Runnable handling) {
        work = handling;
        loop.turn(guardedWork);
    }

    private void runWork() {
        if (isClosed) {
            throw new ClosedServerException();
        }
        work.run();
    }

    private void endHead(Error error) {
        try {
            loop.turn(() -> {
                throw error;
            });
        } catch (Error | IllegalStateException e) {
            // The loop has it, or has ended with another one.
        }
    }

    private void tell(Consumer<ClientReports> telling) {
        try {
            loop.turn(() -> {
                if (!isClosed) {
                    telling.accept(server.reports());
                }
            });
        } catch (IllegalStateException e) {
            // The loop has ended: nobody is interested any more.
        }
    }

    private void leave() {
        session.end();
        try {
            socket.close();
        } catch (IOException e) {
            tell(reports -> reports.rareError(e));
        }
        try {
            loop.turn(() -> server.disarm(this));
            server.settle();
            loop.turn(() -> server.forget(this));
        } catch (IllegalStateException e) {
            // The loop has ended, and whoever closes the server does the rest.
        }
    }

    /** The head leaves, or turns the client out. */
    private static final class ClosedServerException extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private ClosedServerException() {
            super("server is closed");
        }
    }
}

package io.mhsld.vfiouser;

import io.mhsld.head.EventLoop;
import io.mhsld.head.HeadLog;
import io.mhsld.register.PciFunction;
import io.mhsld.socket.ClientReports;
import io.mhsld.socket.ListenException;
import io.mhsld.socket.ListeningSocket;
import io.mhsld.socket.LocalAddress;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.attribute.GroupPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Serves a PCI function over vfio-user at unix sockets, to one client at a time: a virtual machine has one host. A further client is turned away at once;
 * one that comes when the first is gone finds the function as it was left, without interrupts and DMA ranges.
 *
 * <p>All methods belong within a turn, or before the loop runs, or after it has ended.
 */
public final class VfioUserServer implements AutoCloseable {
    /** A client that does not read its answers for so long is let go. */
    public static final long SEND_TIMEOUT_MS = 5_000;

    /** As addresses and sockets say what they are for. */
    public static final String PROTOCOL = "vfio-user";

    private final EventLoop loop;
    private final PciFunction function;
    private final ClientReports reports;
    private final ClientSocket.SystemDescriptors descriptors;
    private final InterruptTable interrupts;
    private final List<ListeningSocket> listeners = new ArrayList<>();
    private VfioUserConnection connection;

    /** Who came when the client before was gone already, and its thread did not know it yet. While there is one, nobody else is let in. */
    private ClientSocket successor;

    /**
     * A server that listens nowhere yet. The log is told of clients that are not served, the sink gets what goes wrong inside, within a turn.
     *
     * @throws ListenException when this system cannot receive descriptors
     */
    public VfioUserServer(EventLoop loop, PciFunction function, HeadLog log, Consumer<Throwable> errorSink) {
        this.loop = loop;
        this.function = function;
        this.reports = new ClientReports(PROTOCOL, log, errorSink);
        try {
            ClientSocket.load();
            this.descriptors = new ClientSocket.SystemDescriptors();
        } catch (LinkageError e) {
            throw new ListenException("vfio-user cannot be served on this system: reason=" + e.getMessage(), e);
        }
        this.interrupts = new InterruptTable(descriptors, function.interruptVectors());
        function.onInterrupt(interrupts::raise);
    }

    /** Where to listen, written as {@code unix:PATH}; any other address is refused with an {@code IllegalArgumentException}. */
    public static LocalAddress address(String spelling) {
        if (!spelling.startsWith("unix:")) {
            throw new IllegalArgumentException("vfio-user address is not unix:PATH: address=" + spelling);
        }
        return LocalAddress.parseClient(PROTOCOL, spelling);
    }

    /**
     * Listens at one more unix socket, and returns its address. Throws a {@link ListenException} if that cannot be; a socket file that a dead process
     * left behind is no reason.
     */
    public LocalAddress listen(LocalAddress address) {
        return listen(address, Optional.empty());
    }

    /** The same, where the members of a group may connect as well. */
    public LocalAddress listen(LocalAddress address, Optional<GroupPrincipal> group) {
        ListeningSocket socket = ListeningSocket.open(PROTOCOL, address);
        listeners.add(socket);
        socket.accept(loop, reports, client -> welcome(client, socket));
        group.ifPresent(socket::shareWith);
        return socket.address();
    }

    /** True while a client is connected. */
    public boolean hasClient() {
        return connection != null;
    }

    /** Disconnects the client, and removes the socket files. What the client has sent and was not done by now is not done. */
    @Override
    public void close() {
        ListeningSocket.closeAll(listeners, reports::error);
        closeQuietly(successor);
        successor = null;
        VfioUserConnection last = connection;
        connection = null;
        if (last != null) {
            last.close();
            if (!loop.isTurn()) {
                last.join();
            }
        }
        interrupts.disableAll();
        descriptors.end();
    }

    VfioUserSession session(Consumer<Runnable> turn, VfioUserSession.Output output) {
        return new VfioUserSession(function, interrupts, descriptors, turn, reports::error, output);
    }

    ClientReports reports() {
        return reports;
    }

    /** A client is gone, and what it wanted to hear of with it. */
    void disarm(VfioUserConnection gone) {
        if (gone == connection) {
            interrupts.disableAll();
        }
    }

    /** Waits for who shares a counter with a client that is gone, if he keeps it full. Not within a turn. */
    void settle() {
        try {
            descriptors.settle();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A client is gone: the next one may come. */
    void forget(VfioUserConnection gone) {
        if (gone != connection) {
            return;
        }
        connection = null;
        if (successor != null) {
            ClientSocket next = successor;
            successor = null;
            start(next);
            listeners.forEach(ListeningSocket::resume);
        }
    }

    private void start(ClientSocket socket) {
        connection = new VfioUserConnection(this, loop, socket);
        connection.start();
    }

    private void welcome(SocketChannel client, ListeningSocket listener) {
        try {
            Optional<String> refusal = listener.refusal(client);
            boolean isTaken = successor != null || (connection != null && !connection.isHungUp());
            if (refusal.isEmpty() && isTaken) {
                refusal = Optional.of("the function has a client");
            }
            if (refusal.isPresent()) {
                reports.turnedAway(refusal.get());
                client.close();
            } else if (connection == null) {
                start(new ClientSocket(client));
            } else {
                successor = new ClientSocket(client);
                listeners.forEach(ListeningSocket::pause);
            }
        } catch (IOException e) {
            reports.rareError(e);
            closeQuietly(client);
        }
    }

    private void closeQuietly(AutoCloseable socket) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (Exception e) {
            reports.rareError(e);
        }
    }
}

package io.mhsld.socket;

import io.mhsld.head.EventLoop;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.attribute.GroupPrincipal;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A socket that is listened on, and who of those that connect to it is not to be served: everybody but this process's user, root, and the group
 * that it is shared with.
 *
 * <p>Clients are let in within the turns of a loop; the methods belong there too, or before the loop runs, or after it has ended.
 */
public final class ListeningSocket implements AutoCloseable {
    private static final int RETRY_MS = 1000;

    /** What becomes of a client. */
    public interface Welcome {
        /** Takes a client that has connected. With an {@code IOException} it is let go: one that is gone already is nothing to tell of. */
        void take(SocketChannel client) throws IOException;
    }

    private final LocalAddress address;
    private final ServerSocketChannel channel;
    private final Optional<UnixSocketFile> file;
    private EventLoop loop;
    private SelectionKey key;
    private boolean isPaused;
    private boolean isWaiting;

    private ListeningSocket(LocalAddress address, ServerSocketChannel channel, Optional<UnixSocketFile> file) {
        this.address = address;
        this.channel = channel;
        this.file = file;
    }

    /**
     * Listens. Throws a {@link ListenException} if that cannot be: a live socket, another kind of file, no folder, no permission, a port that is
     * taken. A socket file that a dead process left behind is no reason.
     *
     * @param protocol what the socket is for, as messages say it
     */
    public static ListeningSocket open(String protocol, LocalAddress address) {
        if (address.file().isPresent()) {
            UnixSocketFile file = UnixSocketFile.listen(protocol, address.file().get());
            return new ListeningSocket(address, file.channel(), Optional.of(file));
        }
        try {
            ServerSocketChannel channel = ServerSocketChannel.open();
            try {
                channel.bind(address.socketAddress());
                LocalAddress bound = LocalAddress.tcp((InetSocketAddress) channel.getLocalAddress());
                return new ListeningSocket(bound, channel, Optional.empty());
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            String what = e instanceof BindException ? "is in use or forbidden" : "cannot be opened";
            throw new ListenException(
                    protocol + " port " + what + ": reason=" + e.getMessage() + " address=" + address, e);
        }
    }

    /** Where it listens: with the port that the system chose if it was 0. */
    public LocalAddress address() {
        return address;
    }

    /** Lets clients in from now on. When the system has no more descriptors they wait outside, and it is tried again each second. */
    public void accept(EventLoop on, ClientReports reports, Welcome welcome) {
        loop = on;
        key = loop.register(channel, SelectionKey.OP_ACCEPT, ready -> acceptOne(reports, welcome));
    }

    /** Lets nobody in until {@link #resume}: those who connect wait. */
    public void pause() {
        isPaused = true;
        watch();
    }

    /** Lets clients in again. */
    public void resume() {
        isPaused = false;
        watch();
    }

    private void acceptOne(ClientReports reports, Welcome welcome) {
        if (isPaused) {
            // By a client of another socket, in the same round.
            return;
        }
        SocketChannel client;
        try {
            client = channel.accept();
        } catch (IOException e) {
            // The client stays in the queue, where asking again at once would find it.
            reports.rareError(e);
            isWaiting = true;
            watch();
            loop.after(RETRY_MS, () -> {
                isWaiting = false;
                watch();
            });
            return;
        }
        if (client != null) {
            try {
                welcome.take(client);
            } catch (IOException e) {
                closeQuietly(client);
            } catch (RuntimeException e) {
                // One client's: the others are to be let in all the same.
                reports.error(e);
                closeQuietly(client);
            }
        }
    }

    private void watch() {
        if (key.isValid()) {
            loop.watch(key, isPaused || isWaiting ? 0 : SelectionKey.OP_ACCEPT);
        }
    }

    private static void closeQuietly(SocketChannel client) {
        try {
            client.close();
        } catch (IOException e) {
            // It is not used any more, whether it closed or not.
        }
    }

    /** Lets the members of a group connect to a unix socket too; with a {@link ListenException} when the system does not allow it. */
    public void shareWith(GroupPrincipal group) {
        file.orElseThrow().shareWith(group);
    }

    /** Why a client that has connected is not served; empty when it is. */
    public Optional<String> refusal(SocketChannel client) throws IOException {
        return file.isPresent() ? file.get().refusal(client) : Peer.refusal(client);
    }

    /** Closes all of them, and leaves none in the list. */
    public static void closeAll(List<ListeningSocket> sockets, Consumer<? super IOException> errorSink) {
        for (ListeningSocket socket : sockets) {
            try {
                socket.close();
            } catch (IOException e) {
                errorSink.accept(e);
            }
        }
        sockets.clear();
    }

    /** Stops listening, and removes a unix socket's file unless somebody put another one there. */
    @Override
    public void close() throws IOException {
        if (file.isPresent()) {
            file.get().close();
        } else {
            channel.close();
        }
    }
}

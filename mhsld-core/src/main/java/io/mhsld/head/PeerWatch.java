package io.mhsld.head;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Keeps a silent connection to every peer's control socket: the kernel closes it when the peer dies, which is the quickest news there is.
 * Only a hint; whoever gets it looks at the lease.
 */
final class PeerWatch implements AutoCloseable {
    private record Watched(long incarnation, SocketChannel channel) {}

    private final EventLoop loop;
    private final IntConsumer onGone;
    private final Map<Integer, Watched> peers = new HashMap<>();

    PeerWatch(EventLoop loop, IntConsumer onGone) {
        this.loop = loop;
        this.onGone = onGone;
    }

    /** Makes sure that this incarnation of the peer is watched; one that does not answer is tried again the next time. */
    void watch(int peer, long incarnation, String controlSocket) {
        Watched watched = peers.get(peer);
        if (watched != null && watched.incarnation == incarnation && watched.channel.isOpen()) {
            return;
        }
        forget(peer);
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            channel.connect(UnixDomainSocketAddress.of(controlSocket));
            ByteBuffer ignored = ByteBuffer.allocate(4096);
            loop.register(channel, SelectionKey.OP_READ, key -> readUntilGone(peer, key, ignored));
            peers.put(peer, new Watched(incarnation, channel));
        } catch (IOException | IllegalArgumentException e) {
            // Nobody there, too many callers at once, or a path in a damaged row that is none.
            closeQuietly(channel);
        }
    }

    @Override
    public void close() {
        Map.copyOf(peers).keySet().forEach(this::forget);
    }

    private void readUntilGone(int peer, SelectionKey key, ByteBuffer ignored) {
        SocketChannel channel = (SocketChannel) key.channel();
        try {
            int length;
            do {
                ignored.clear();
                length = channel.read(ignored);
            } while (length > 0);
            if (length == 0) {
                return;
            }
        } catch (IOException e) {
            // Gone too, and less politely.
        }
        closeQuietly(channel);
        onGone.accept(peer);
    }

    private void forget(int peer) {
        Watched watched = peers.remove(peer);
        if (watched != null) {
            closeQuietly(watched.channel);
        }
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // Nothing was ever sent on it, so nothing is lost.
        }
    }
}

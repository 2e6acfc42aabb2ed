package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(30)
class PeerWatchTest {
    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private final EventLoop loop = EventLoop.open();
    private final List<Integer> gone = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();
    private final PeerWatch watch = new PeerWatch(loop, peer -> {
        gone.add(peer);
        loop.stop();
    });
    private ServerSocketChannel server;
    private Path path;

    @BeforeEach
    void listen() throws IOException {
        loop.onError(errors::add);
        path = fixture.folder().resolve("peer.sock");
        listen(50);
    }

    private void listen(int backlog) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path), backlog);
    }

    @AfterEach
    void close() throws IOException {
        watch.close();
        loop.close();
        server.close();
        assertEquals(List.of(), errors);
    }

    private void run(long ms) {
        loop.after(ms, loop::stop);
        loop.run();
    }

    @Test
    void shouldTellAtOnceThatPeerIsGone() throws IOException {
        watch.watch(3, 1, path.toString());
        SocketChannel seen = server.accept();
        // What the peer says is of no interest, however much it is.
        seen.write(ByteBuffer.wrap(new byte[20_000]));
        loop.after(20, () -> closeQuietly(seen));
        // Until it is told.
        run(20_000);
        assertEquals(List.of(3), gone);
    }

    @Test
    void shouldWatchEachIncarnationOnce() throws IOException {
        server.configureBlocking(false);
        watch.watch(3, 1, path.toString());
        SocketChannel first = server.accept();
        for (int i = 0; i < 5; i++) {
            watch.watch(3, 1, path.toString());
        }
        assertEquals(null, server.accept());
        watch.watch(3, 2, path.toString());
        assertTrue(server.accept() != null);
        run(50);
        assertEquals(List.of(), gone, "leaving an old incarnation is no news");
        assertEquals(-1, first.read(ByteBuffer.allocate(1)));
    }

    @Test
    void shouldTryAgainWhatDoesNotAnswer() throws IOException {
        server.close();
        watch.watch(3, 1, path.toString());
        watch.watch(4, 1, fixture.folder().resolve("none.sock").toString());
        Files.delete(path);
        listen(50);
        watch.watch(3, 1, path.toString());
        server.configureBlocking(false);
        assertTrue(server.accept() != null);
        run(20);
        assertEquals(List.of(), gone);
    }

    @Test
    void shouldNotStumbleOverPathsThatAreNone() {
        for (String damaged : List.of("", "\0", "a\0b", "/" + "x".repeat(200), "\uFFFD\uFFFD", "/dev/null", "/")) {
            watch.watch(2, 1, damaged);
        }
        run(20);
        assertEquals(List.of(), gone);
    }

    @Test
    void shouldNotWaitForPeerThatAcceptsNobody() throws IOException {
        server.close();
        Files.delete(path);
        listen(1);
        List<SocketChannel> others = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            others.add(SocketChannel.open(UnixDomainSocketAddress.of(path)));
        }
        long start = System.nanoTime();
        watch.watch(3, 1, path.toString());
        run(50);
        assertTrue(System.nanoTime() - start < 2_000_000_000L);
        assertEquals(List.of(), gone);
        for (SocketChannel other : others) {
            other.close();
        }
    }

    @Test
    void shouldLeaveNobodyWatchedWhenClosed() throws IOException {
        watch.watch(3, 1, path.toString());
        SocketChannel seen = server.accept();
        watch.close();
        run(20);
        assertEquals(-1, seen.read(ByteBuffer.allocate(1)));
        assertEquals(List.of(), gone);
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}

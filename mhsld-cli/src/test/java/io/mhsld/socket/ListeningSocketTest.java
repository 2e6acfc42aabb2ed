package io.mhsld.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ListeningSocketTest {
    @TempDir
    Path folder;

    private final EventLoop loop = EventLoop.open();
    private final Thread thread = new Thread(loop::run, "test loop");
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private final ClientReports reports = new ClientReports("test", lines::add, errors::add);
    private final BlockingQueue<SocketChannel> welcomed = new LinkedBlockingQueue<>();
    private final List<SocketChannel> connected = new ArrayList<>();
    private ListeningSocket socket;

    @BeforeEach
    void listen() {
        socket = ListeningSocket.open("test", LocalAddress.unix(folder.resolve("socket")));
        thread.start();
    }

    @AfterEach
    void end() throws Exception {
        loop.stop();
        thread.join();
        loop.close();
        socket.close();
        for (SocketChannel client : connected) {
            client.close();
        }
        assertTrue(Files.notExists(folder.resolve("socket")));
    }

    @Test
    void shouldLetThoseWaitWhoConnectDuringAPause() throws Exception {
        inTurn(() -> {
            socket.accept(loop, reports, welcomed::add);
            socket.pause();
        });
        connect();
        connect();
        // Two whole rounds of the loop: nobody was let in by any of them.
        inTurn(() -> {});
        inTurn(() -> {});
        assertEquals(0, welcomed.size());

        inTurn(socket::resume);
        connected.add(welcomed.poll(30, TimeUnit.SECONDS));
        connected.add(welcomed.poll(30, TimeUnit.SECONDS));
        assertEquals(List.of(), errors);
    }

    @Test
    void shouldLetOthersInWhenOneCannotBeWelcomed() throws Exception {
        List<Exception> failures =
                new ArrayList<>(List.of(new IOException("gone already"), new IllegalStateException("broken")));
        inTurn(() -> socket.accept(loop, reports, client -> {
            if (failures.isEmpty()) {
                welcomed.add(client);
            } else if (failures.remove(0) instanceof IOException gone) {
                throw gone;
            } else {
                throw new IllegalStateException("broken");
            }
        }));
        assertEquals(-1, connect().read(ByteBuffer.allocate(1)));
        assertEquals(List.of(), errors, "one that has gone is nothing to tell of");
        assertEquals(-1, connect().read(ByteBuffer.allocate(1)));
        assertEquals("broken", errors.get(0).getMessage());
        connect();
        connected.add(welcomed.poll(30, TimeUnit.SECONDS));
        assertEquals(1, errors.size());
    }

    @Test
    void shouldGiveAddressesBack() {
        LocalAddress any = LocalAddress.parse("test", "tcp:127.0.0.1:0,server");
        List<ListeningSocket> sockets = new ArrayList<>(List.of(ListeningSocket.open("test", any)));
        LocalAddress chosen = sockets.get(0).address();
        assertNotEquals(any, chosen);
        ListenException taken = assertThrows(ListenException.class, () -> ListeningSocket.open("test", chosen));
        assertTrue(taken.getMessage().startsWith("test port is in use or forbidden: reason="), taken.getMessage());

        ListeningSocket.closeAll(sockets, errors::add);
        assertEquals(List.of(), sockets);
        sockets.add(ListeningSocket.open("test", chosen));
        assertEquals(chosen, sockets.get(0).address());
        ListeningSocket.closeAll(sockets, errors::add);
        assertEquals(List.of(), errors);
    }

    private SocketChannel connect() throws IOException {
        SocketChannel client = SocketChannel.open(socket.address().socketAddress());
        connected.add(client);
        return client;
    }

    private void inTurn(Runnable work) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            work.run();
            done.complete(null);
        });
        done.get(30, TimeUnit.SECONDS);
    }
}

package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.RunningVfioUserServer.await;
import static io.mhsld.vfiouser.RunningVfioUserServer.openDescriptors;
import static io.mhsld.vfiouser.VfioUserClient.access;
import static io.mhsld.vfiouser.VfioUserClient.buffer;
import static io.mhsld.vfiouser.VfioUserClient.errorOf;
import static io.mhsld.vfiouser.VfioUserDescriptor.EINVAL;
import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_MSIX;
import static io.mhsld.vfiouser.VfioUserDescriptor.TYPE_REPLY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.socket.ListenException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that come and go, and clients that mean harm. */
@Timeout(120)
class VfioUserClientsTest {
    private static final long SEED = Long.getLong("mhsld.seed", System.nanoTime());
    private static final int HEADER = 16;

    @TempDir
    Path folder;

    private RunningVfioUserServer running;

    @BeforeEach
    void start() {
        running = new RunningVfioUserServer(folder);
    }

    @AfterEach
    void stop() {
        running.close();
    }

    private VfioUserClient connect() {
        return VfioUserClient.negotiated(running.socket);
    }

    // ---- one at a time

    @Test
    void shouldTurnSecondClientAwayAndLeaveTheFirstAlone() {
        try (VfioUserClient first = connect()) {
            first.regionWrite32(0, 0, 7);
            for (int i = 0; i < 5; i++) {
                try (VfioUserClient second = VfioUserClient.connect(running.socket)) {
                    assertTrue(second.isClosedByServer());
                }
            }
            assertEquals(7, first.regionRead32(0, 0));
        }
        // Once is enough to know of it.
        assertEquals(List.of("vfio-user client is turned away: reason=the function has a client"), running.lines);
        assertEquals(List.of(), running.errors);
    }

    @Test
    void shouldKeepTheDeviceForTheNextClientWithoutInterruptsAndDma() {
        int counter = NativeSocket.eventCounter();
        for (int i = 0; i < 50; i++) {
            // The next one comes at once, whether the server has noticed the end of the last one or not.
            try (VfioUserClient client = connect()) {
                assertEquals(i, client.regionRead32(0, 64));
                client.regionWrite32(0, 64, i + 1);
                client.setIrqs(IRQ_MSIX, 3, 1, counter);
                client.dmaMap(0, 0x1000L * (i + 1));
            }
        }
        running.awaitNoClient();
        running.raise(3);
        assertEquals(0, NativeSocket.takeEvents(counter));
        NativeSocket.close(counter);
    }

    @Test
    void shouldDoWhatWasSentBeforeTheClientLeft() {
        try (VfioUserClient client = connect()) {
            for (int i = 0; i < 1000; i++) {
                client.regionWritePosted(0, 0, (byte) i);
            }
        }
        running.awaitNoClient();
        assertEquals(1000, running.function.acts().size());
    }

    // ---- leaving

    @Test
    void shouldLeavePromptlyWhateverTheClientDoes() throws Exception {
        VfioUserClient client = connect();
        long startNs = System.nanoTime();
        running.close();
        assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(1));
        assertTrue(client.isClosedByServer());
        assertFalse(Files.exists(running.socket));
        client.close();
        awaitThreadsToEnd();
    }

    @Test
    void shouldCloseWithinATurnWhileTheClientWaitsForOne() {
        try (VfioUserClient client = connect()) {
            running.run(() -> {
                client.send(client.message(10, 0, access(0, 0, new byte[] {1})));
                pause(50);
                running.server.close();
            });
            assertTrue(client.isClosedByServer());
            assertEquals(0, running.function.acts().size());
        }
        awaitThreadsToEnd();
    }

    @Test
    void shouldEndTheLoopWithAFaultInMappedMemory() {
        InternalError fault = new InternalError("a fault occurred");
        running.function.beforeAccess = () -> {
            throw fault;
        };
        try (VfioUserClient client = connect()) {
            assertThrows(UncheckedIOException.class, () -> client.regionRead32(0, 0));
        }
        running.awaitLoopEnd();
        assertSame(fault, running.end);
        awaitThreadsToEnd();
    }

    private static void awaitThreadsToEnd() {
        await(
                "the client's thread to end",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().equals("vfio-user")));
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    // ---- the socket file

    @Test
    void shouldRefuseSocketOfTheLivingAndReplaceThatOfTheDead() throws Exception {
        ListenException inUse = assertThrows(
                ListenException.class,
                () -> running.loop.turn(() -> running.server.listen(VfioUserServer.address("unix:" + running.socket))));
        assertTrue(inUse.getMessage().contains("vfio-user socket is in use"), inUse.getMessage());

        Path left = folder.resolve("left");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(left));
        }
        running.run(() -> running.server.listen(VfioUserServer.address("unix:" + left)));
        try (VfioUserClient client = VfioUserClient.negotiated(left)) {
            assertEquals(9, client.deviceInfo()[1]);
        }
    }

    @Test
    void shouldListenAtUnixSocketsOnly() {
        assertThrows(IllegalArgumentException.class, () -> VfioUserServer.address("tcp:127.0.0.1:1"));
        assertThrows(IllegalArgumentException.class, () -> VfioUserServer.address("/tmp/x"));
        assertThrows(IllegalArgumentException.class, () -> VfioUserServer.address("unix:"));
    }

    // ---- harm

    @Test
    void shouldLoseNoDescriptor() {
        try (VfioUserClient client = connect()) {
            client.deviceInfo();
        }
        running.awaitNoClient();
        int[] many = VfioUserClient.eventCounters(253);
        long before = openDescriptors();
        try (VfioUserClient client = connect()) {
            int[] eight = Arrays.copyOf(many, 8);
            for (int i = 0; i < 20; i++) {
                client.setIrqs(IRQ_MSIX, 0, 8, eight);
                client.dmaMap(0, 0x1000, many[0]);
                assertEquals(EINVAL, errorOf(() -> client.dmaMap(0x1000, 0x1000, many[0], many[1])));
                assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 8, many)));
                assertEquals(EINVAL, errorOf(() -> client.ask(9, access(0, 0, 4), many)));
                assertEquals(EINVAL, errorOf(() -> client.ask(99, buffer(0), eight)));
                assertEquals(EINVAL, errorOf(() -> client.ask(13, buffer(0), many[0])));
            }
            // Its own two ends of the connection, and the counters that are in use.
            assertEquals(before + 2 + 8, openDescriptors());
            client.setIrqs(IRQ_MSIX, 0, 8);
            assertEquals(before + 2, openDescriptors());
            client.setIrqs(IRQ_MSIX, 0, 8, eight);
        }
        running.awaitNoClient();
        assertEquals(before, openDescriptors());

        // With half a message, with none that can be understood, and before anything was negotiated.
        for (int i = 0; i < 20; i++) {
            byte[] bytes = new byte[i];
            new Random(i).nextBytes(bytes);
            try (VfioUserClient client = i % 2 == 0 ? connect() : VfioUserClient.connect(running.socket)) {
                NativeSocket.send(client.channel(), Arrays.copyOf(bytes, i + 1), many);
                NativeSocket.send(client.channel(), Arrays.copyOf(bytes, i + 1), many);
            } catch (IOException e) {
                // It was closed already.
            }
            running.awaitNoClient();
        }
        await("no descriptor more than before", () -> openDescriptors() == before);
        for (int counter : many) {
            NativeSocket.close(counter);
        }
    }

    @Test
    void shouldNeverWriteToWhatIsNoEventCounter() {
        int[] pipe = NativeSocket.pipe();
        try (VfioUserClient client = connect()) {
            assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 1, pipe[1])));
            assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 1, NativeSocket.number(client.channel()))));
            int counter = NativeSocket.eventCounter();
            // All or none.
            assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 2, counter, pipe[1])));
            running.raise(0);
            assertEquals(0, NativeSocket.takeEvents(counter));
            NativeSocket.close(counter);
        }
        NativeSocket.close(pipe[0]);
        NativeSocket.close(pipe[1]);
    }

    @Test
    void shouldNotWaitForACounterThatIsFull() {
        int counter = NativeSocket.eventCounter();
        try (VfioUserClient client = connect()) {
            client.setIrqs(IRQ_MSIX, 0, 1, counter);
            // One that waits when it is full, and is.
            NativeSocket.call("fcntl", counter, 4, 0);
            NativeSocket.writeEvents(counter, -2);
            running.raise(0);
            running.raise(0);
            pause(50);
            assertEquals(-2, NativeSocket.takeEvents(counter));
            running.raise(0);
            NativeSocket.awaitEvents(counter, 1, "the next one");
        }
        NativeSocket.close(counter);
    }

    @Test
    void shouldLetGoOfAClientThatDoesNotReadItsAnswers() {
        try (VfioUserClient client = connect()) {
            byte[] question = client.message(9, 0, access(0, 0, 64 << 10));
            Thread sender = new Thread(() -> {
                try {
                    while (true) {
                        client.send(question);
                    }
                } catch (UncheckedIOException e) {
                    // As it should be.
                }
            });
            sender.start();
            long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2 * VfioUserServer.SEND_TIMEOUT_MS);
            long worstNs = 0;
            while (running.hasClient() && System.nanoTime() < endNs) {
                long startNs = System.nanoTime();
                running.run(() -> {});
                worstNs = Math.max(worstNs, System.nanoTime() - startNs);
                pause(10);
            }
            assertFalse(running.hasClient());
            assertTrue(worstNs < TimeUnit.MILLISECONDS.toNanos(500), "worstNs=" + worstNs);
        }
    }

    @Test
    void shouldServeOthersWhileAClientFloods() {
        try (VfioUserClient client = connect()) {
            byte[] write = client.message(10, 0x10, access(7, 4, new byte[] {6, 4}));
            byte[] flood = new byte[write.length * 1000];
            for (int i = 0; i < flood.length; i += write.length) {
                System.arraycopy(write, 0, flood, i, write.length);
            }
            boolean[] isOver = {false};
            Thread sender = new Thread(() -> {
                while (!isOver[0]) {
                    client.send(flood);
                }
            });
            sender.start();
            long startNs = System.nanoTime();
            for (int i = 0; i < 500; i++) {
                running.run(() -> {});
            }
            long tookNs = System.nanoTime() - startNs;
            isOver[0] = true;
            sender.join(10_000);
            assertTrue(tookNs < TimeUnit.SECONDS.toNanos(5), "tookNs=" + tookNs);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldLetGoOfAClientWhoseHeaderCannotBe() {
        int[][] sizesAndFlags = {
            {0, 0},
            {15, 0},
            {-1, 0},
            {VfioUserDescriptor.MESSAGE_LENGTH_LIMIT + 1, 0},
            {16, TYPE_REPLY},
            {16, 2},
            {16, 0xF}
        };
        for (int[] each : sizesAndFlags) {
            try (VfioUserClient client = connect()) {
                client.send(buffer(HEADER)
                        .putShort((short) 77)
                        .putShort((short) 4)
                        .putInt(each[0])
                        .putInt(each[1])
                        .putInt(0)
                        .array());
                assertEquals(EINVAL, errorOf(() -> client.answer(77, 4)));
                assertTrue(client.isClosedByServer());
            }
        }
        try (VfioUserClient client = connect()) {
            assertEquals(9, client.deviceInfo()[1]);
        }
    }

    @Test
    void shouldTakeTheLongestMessageAndGiveItsMemoryBack() {
        try (VfioUserClient client = connect()) {
            byte[] data = new byte[VfioUserDescriptor.TRANSFER_LIMIT];
            assertEquals(EINVAL, errorOf(() -> client.regionWrite(0, 0, data)));
            assertEquals(9, client.deviceInfo()[1]);
        }
    }

    @Test
    void shouldStandAnyBytes() {
        Random random = new Random(SEED);
        int counter = NativeSocket.eventCounter();
        for (int round = 0; round < 300; round++) {
            try (VfioUserClient client = random.nextBoolean() ? connect() : VfioUserClient.connect(running.socket)) {
                int messages = random.nextInt(20);
                for (int i = 0; i < messages; i++) {
                    byte[] bytes = new byte[random.nextInt(200) + 1];
                    random.nextBytes(bytes);
                    if (bytes.length >= HEADER && random.nextInt(8) != 0) {
                        ByteBuffer.wrap(bytes)
                                .order(java.nio.ByteOrder.nativeOrder())
                                .putShort(2, (short) random.nextInt(20))
                                .putInt(4, bytes.length)
                                .putInt(8, random.nextBoolean() ? 0x10 : 0);
                        for (int at = HEADER; at + 4 <= bytes.length && random.nextInt(6) != 0; at += 4) {
                            ByteBuffer.wrap(bytes)
                                    .order(java.nio.ByteOrder.nativeOrder())
                                    .putInt(at, random.nextInt(40));
                        }
                    }
                    int[] descriptors = new int[random.nextInt(3)];
                    Arrays.fill(descriptors, counter);
                    NativeSocket.send(client.channel(), bytes, descriptors);
                }
            } catch (IOException | UncheckedIOException | VfioUserClient.Refused e) {
                // The server has let go.
            }
        }
        try (VfioUserClient client = connect()) {
            assertEquals(0x0d93_8086, client.regionRead32(7, 0), "seed=" + SEED);
        }
        assertEquals(List.of(), running.errors, () -> "seed=" + SEED);
        NativeSocket.close(counter);
    }
}

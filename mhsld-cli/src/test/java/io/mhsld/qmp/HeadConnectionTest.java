package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.fabric.HeadLink.Address;
import io.mhsld.head.EventLoop;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command is answered in time, whatever is at the other end. */
class HeadConnectionTest {
    private static final long NO_PID = -1;
    private static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n";

    @TempDir
    Path folder;

    private final EventLoop loop = EventLoop.open();
    private final Thread thread = new Thread(loop::run, "test loop");
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private final List<QmpReply> replies = new CopyOnWriteArrayList<>();

    /** What the other end says to each line that it reads; null to close. */
    private interface Script {
        String answer(int line, String text);
    }

    @BeforeEach
    void start() {
        loop.onError(errors::add);
        thread.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        loop.stop();
        thread.join();
        loop.close();
        assertEquals(List.of(), errors);
    }

    private Address served(long pid, String greeting, Script script) throws IOException {
        Path file = folder.resolve("head.sock");
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(file));
        Thread server = new Thread(() -> {
            try (listener;
                    SocketChannel client = listener.accept()) {
                write(client, greeting);
                var lines = new java.io.BufferedReader(Channels.newReader(client, StandardCharsets.US_ASCII));
                int number = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    String answer = script.answer(number++, line);
                    if (answer == null) {
                        return;
                    }
                    write(client, answer);
                }
            } catch (IOException e) {
                // The other end has closed: the test is over.
            }
        });
        server.setDaemon(true);
        server.start();
        return new Address(0, 1, pid, file.toString());
    }

    private static void write(SocketChannel client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    private static String idOf(String line) {
        return line.replaceFirst("(?s).*\"id\": ([0-9]+).*", "$1");
    }

    private long ask(Address address, int count) {
        long startNs = System.nanoTime();
        loop.execute(() -> {
            HeadConnection connection = new HeadConnection(loop, address);
            connection.open();
            for (int i = 0; i < count; i++) {
                connection.execute("x-test", Map.of("number", (long) i), replies::add);
            }
        });
        long deadlineNs = startNs + TimeUnit.SECONDS.toNanos(20);
        while (replies.size() < count && System.nanoTime() < deadlineNs) {
            Thread.onSpinWait();
        }
        assertEquals(count, replies.size());
        return (System.nanoTime() - startNs) / 1_000_000;
    }

    @Test
    void shouldHandOutRepliesInOrderAndPassOverWhatIsNone() throws IOException {
        Address address = served(
                NO_PID,
                GREETING,
                (line, text) -> line < 2
                        ? "{\"return\": {}, \"id\": 0}\n"
                        : "{\"event\": \"RESET\"}\n{\"return\": " + line + ", \"id\": " + idOf(text) + "}\n");
        ask(address, 5);
        assertEquals(
                List.of(2L, 3L, 4L, 5L, 6L),
                replies.stream().map(QmpReply::value).toList());
    }

    @Test
    void shouldHandOutErrorsAsTheyCame() throws IOException {
        Address address = served(
                NO_PID,
                GREETING,
                (line, text) ->
                        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": " + idOf(text) + "}\n");
        ask(address, 1);
        assertEquals("no", replies.get(0).error().orElseThrow().description());
    }

    @Test
    void shouldSayThatNobodyIsThere() {
        assertTrue(ask(new Address(0, 1, NO_PID, folder.resolve("none").toString()), 2) < 1000);
        assertSame(HeadConnection.GONE, replies.get(0));
        assertSame(HeadConnection.GONE, replies.get(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "\0", "a\0b"})
    void shouldTakeADamagedPathForNobody(String path) {
        ask(new Address(0, 1, NO_PID, path), 1);
        assertSame(HeadConnection.GONE, replies.get(0));
    }

    @Test
    void shouldSayThatItHasGoneWhenItClosesInTheMiddle() throws IOException {
        Address address = served(NO_PID, GREETING, (line, text) -> line == 3 ? null : "");
        assertTrue(ask(address, 3) < HeadConnection.PATIENCE_MS);
        assertSame(HeadConnection.GONE, replies.get(2));
    }

    @Test
    void shouldGiveUpOnOneThatSaysNothing() throws IOException {
        Address address = served(NO_PID, "", (line, text) -> "");
        long tookMs = ask(address, 3);
        assertTrue(tookMs >= HeadConnection.PATIENCE_MS - 20 && tookMs < 1000, "tookMs=" + tookMs);
        assertSame(HeadConnection.SILENT, replies.get(2));
    }

    @Test
    void shouldWaitForOneThatIsAtWork() throws IOException {
        // The process is this one, and the test that waits keeps a processor busy.
        Address address = served(ProcessHandle.current().pid(), GREETING, (line, text) -> {
            if (line < 2) {
                return "";
            }
            long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(3 * HeadConnection.PATIENCE_MS);
            while (System.nanoTime() < endNs) {
                Thread.onSpinWait();
            }
            return "{\"return\": 1, \"id\": " + idOf(text) + "}\n";
        });
        assertTrue(ask(address, 1) >= 3 * HeadConnection.PATIENCE_MS);
        assertEquals(1L, replies.get(0).value());
    }

    @Test
    void shouldTakeNoMoreThanItCanKeepTrackOf() throws IOException {
        Address address = served(NO_PID, GREETING, (line, text) -> "");
        ask(address, HeadConnection.UNDER_WAY_LIMIT + 10);
        assertTrue(replies.stream().allMatch(reply -> reply == HeadConnection.SILENT));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldAnswerWhateverIsSaid(long seed) throws IOException {
        Random random = new Random(seed);
        List<String> words = List.of(
                "{",
                "}",
                "[",
                "\"id\": 1",
                "\"return\": ",
                "\"error\": 3",
                ",",
                "{}",
                "null",
                "\n",
                "{\"id\": 1}",
                "{\"return\": {\"return-code\": 1e9}, \"id\": 1}",
                "\0",
                "\u00ff",
                "{\"error\": {}, \"id\": 1}");
        Address address = served(NO_PID, random.nextBoolean() ? GREETING : "", (line, text) -> {
            StringBuilder answer = new StringBuilder();
            for (int i = random.nextInt(20); i > 0; i--) {
                answer.append(words.get(random.nextInt(words.size())));
            }
            return answer.toString();
        });
        assertTrue(ask(address, 3) < 1500, "seed=" + seed);
    }
}

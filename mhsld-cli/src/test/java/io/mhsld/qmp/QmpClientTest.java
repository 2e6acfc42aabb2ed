package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.socket.LocalAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class QmpClientTest {
    private static final long TIMEOUT_MS = 10_000;
    private static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";

    @TempDir
    Path folder;

    @Test
    void shouldAskAndBeAnswered() {
        try (RunningServer server = RunningServer.on(folder);
                QmpClient client = QmpClient.connect(server.address, TIMEOUT_MS)) {
            assertEquals(
                    Map.of("name", "cxl-mem0"), client.execute("query-name").value());
            assertEquals(
                    List.of(1L, "x"),
                    client.execute("echo", Map.of("value", List.of(1, "x"))).value());
            assertEquals(
                    Optional.of(QmpError.generic("no: reason=test")),
                    client.execute("refuse").error());
            assertThrows(
                    IllegalStateException.class, () -> client.execute("refuse").value());
            assertEquals("mhsld-test", ((Map<?, ?>) client.greeting().get("version")).get("package"));
        }
    }

    @Test
    void shouldAskOverTcpToo() {
        try (RunningServer server = RunningServer.at("tcp:localhost:0,server,nowait");
                QmpClient client = QmpClient.connect(server.address, TIMEOUT_MS)) {
            assertEquals(1L, client.execute("echo", Map.of("value", 1)).value());
        }
    }

    @Test
    void shouldTakeAnswersLongerThanACommandMayBe() {
        try (RunningServer server = RunningServer.on(folder);
                QmpClient client = QmpClient.connect(server.address, TIMEOUT_MS)) {
            String almostTooLong = "\u0001".repeat(170_000);
            assertEquals(
                    almostTooLong,
                    client.execute("echo", Map.of("value", almostTooLong)).value());
            assertEquals(
                    "QMP input is too large: limitBytes=1048576 sizeBytes=1200056",
                    client.execute("echo", Map.of("value", "\u0001".repeat(200_000)))
                            .error()
                            .orElseThrow()
                            .description());
        }
    }

    @Test
    void shouldKeepEventsForWhoAsksLater() {
        try (RunningServer server = RunningServer.on(folder);
                QmpClient client = QmpClient.connect(server.address, TIMEOUT_MS)) {
            assertEquals(Optional.empty(), client.awaitEvent(0));
            assertEquals(Map.of(), client.execute("system_reset").value());
            server.emit("LATER");

            assertEquals("RESET", client.awaitEvent(TIMEOUT_MS).orElseThrow().get("event"));
            assertEquals("LATER", client.awaitEvent(TIMEOUT_MS).orElseThrow().get("event"));
            assertEquals(Optional.empty(), client.awaitEvent(10));
            assertEquals(1L, client.execute("echo", Map.of("value", 1)).value());
        }
    }

    @Test
    void shouldSayThatNobodyIsThere() throws IOException {
        Path missing = folder.resolve("missing");
        assertFails(
                "QMP socket cannot be reached: reason=No such file or directory address=unix:" + missing,
                LocalAddress.unix(missing));
        Path stale = folder.resolve("stale");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }
        assertFails("nobody listens on the QMP socket: address=unix:" + stale, LocalAddress.unix(stale));
        Path file = Files.createFile(folder.resolve("file"));
        assertFails("nobody listens on the QMP socket: address=unix:" + file, LocalAddress.unix(file));
        LocalAddress closedPort;
        try (RunningServer server = RunningServer.at("tcp:localhost:0,server,nowait")) {
            closedPort = server.address;
        }
        assertFails("nobody listens on the QMP socket: address=" + closedPort, closedPort);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SSH-2.0-OpenSSH_9.2       | what answers is no QMP server: answer=JSON parse error, stray 'S'",
                "{\"hello\": \"world\"}    | what answers is no QMP server: answer={\"hello\": \"world\"}",
                "[1]                       | what answers is no QMP server: answer=[1]",
                "{\"error\": {\"class\": \"GenericError\", \"desc\": \"too many QMP clients: limit=128\"}} | QMP server refuses the connection: reason=too many QMP clients: limit=128"
            },
            quoteCharacter = '#')
    void shouldSayThatTheOtherEndIsNoQmpServer(String greeting, String message) {
        QmpException failure = assertThrows(
                QmpException.class, () -> against(TIMEOUT_MS, greeting + "\r\n").close());
        assertEquals(message + " address=unix:" + folder.resolve("fake"), failure.getMessage());
    }

    @Test
    void shouldSayThatTheServerClosedTheConnection() {
        for (String start : List.of("", "{\"QMP\"", GREETING)) {
            QmpException failure =
                    assertThrows(QmpException.class, () -> againstClosing(start).close());
            assertEquals(
                    "QMP server has closed the connection: address=unix:" + folder.resolve("fake"),
                    failure.getMessage());
        }
    }

    @Test
    void shouldNotWaitForEver() {
        QmpException greeting =
                assertThrows(QmpException.class, () -> against(50, "").close());
        assertTrue(
                greeting.getMessage().startsWith("QMP server has sent no greeting in time: timeoutMs=50 address="),
                greeting.getMessage());
        QmpException answer =
                assertThrows(QmpException.class, () -> against(50, GREETING).close());
        assertTrue(
                answer.getMessage().startsWith("QMP server has not answered: command=qmp_capabilities in time"),
                answer.getMessage());
    }

    @Test
    void shouldNotWaitForEverForAPlaceInAFullQueue() throws IOException {
        Path file = folder.resolve("full");
        try (ServerSocketChannel deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            deaf.bind(UnixDomainSocketAddress.of(file), 1);
            for (int i = 0; i < 2; i++) {
                SocketChannel.open(UnixDomainSocketAddress.of(file));
            }
            QmpException failure =
                    assertThrows(QmpException.class, () -> QmpClient.connect(LocalAddress.unix(file), 50));
            assertTrue(failure.getMessage().endsWith(" address=unix:" + file), failure.getMessage());
        }
    }

    private static void assertFails(String message, LocalAddress address) {
        assertEquals(
                message,
                assertThrows(QmpException.class, () -> QmpClient.connect(address, TIMEOUT_MS))
                        .getMessage());
    }

    /** A client of something that says this and then nothing. */
    private QmpClient against(long timeoutMs, String says) throws Exception {
        return against(timeoutMs, says, false);
    }

    /** A client of something that says this and closes. */
    private QmpClient againstClosing(String says) throws Exception {
        return against(TIMEOUT_MS, says, true);
    }

    private QmpClient against(long timeoutMs, String says, boolean closes) throws Exception {
        Path file = folder.resolve("fake");
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(file));
            Thread server = new Thread(() -> {
                try (SocketChannel accepted = listening.accept()) {
                    accepted.write(ByteBuffer.wrap(says.getBytes(StandardCharsets.US_ASCII)));
                    if (!closes) {
                        Thread.sleep(TIMEOUT_MS);
                    }
                } catch (IOException | InterruptedException e) {
                    // The test is over.
                }
            });
            server.start();
            try {
                return QmpClient.connect(LocalAddress.unix(file), timeoutMs);
            } finally {
                server.interrupt();
                server.join();
                Files.delete(file);
            }
        }
    }
}

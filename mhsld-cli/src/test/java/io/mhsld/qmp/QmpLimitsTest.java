package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.socket.LocalAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each limit of the server holds, is told to whom it concerns, and costs the others nothing. */
@Timeout(120)
class QmpLimitsTest {
    private static final String PING = "{'execute':'echo','arguments':{'value':1}}";

    @TempDir
    Path folder;

    private RunningServer server;

    @BeforeEach
    void start() {
        server = RunningServer.on(folder);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void shouldKeepRoomAtTheOtherSocketsWhenOneIsFull() {
        LocalAddress second = server.alsoAt("unix:" + folder.resolve("second") + ",server,nowait");
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < QmpServer.SOCKET_CLIENTS_LIMIT; i++) {
            clients.add(server.negotiated());
        }
        assertTurnedAway(server.address, "too many QMP clients: limit=128");
        for (int i = QmpServer.SOCKET_CLIENTS_LIMIT; i < QmpServer.CLIENTS_LIMIT; i++) {
            RawClient client = new RawClient(second);
            client.receive();
            clients.add(client);
        }
        assertTurnedAway(second, "too many QMP clients at all sockets of this head: limit=192");
        assertEquals(1L, clients.get(0).ask(PING));
        clients.forEach(RawClient::close);
        // A hundred clients that are turned away make one line, not a hundred, and no error.
        assertEquals(List.of("QMP client is turned away: reason=too many QMP clients: limit=128"), server.lines);
        assertEquals(List.of(), server.errors);
    }

    @Test
    void shouldServeOthersAndTimersWhileClientsFlood() throws Exception {
        int floods = 20;
        List<RawClient> flooding = new ArrayList<>();
        for (int i = 0; i < floods; i++) {
            flooding.add(server.negotiated());
        }
        try (RawClient witness = server.negotiated()) {
            byte[] work = "{'execute':'work'}".repeat(500).getBytes(StandardCharsets.US_ASCII);
            flooding.forEach(client -> client.send(work));
            AtomicInteger timer = server.watchTimer();
            // Counted in the work of the others, a millisecond each, and not in time: a busy machine makes no
            // difference.
            int worst = 0;
            for (int i = 0; i < 20; i++) {
                int before = server.works.get();
                assertEquals(1L, witness.ask(PING));
                worst = Math.max(worst, server.works.get() - before);
            }
            String seen = "flooding=" + floods + " worksBeforeWitness=" + worst + " worksBetweenTimers=" + timer.get();
            System.out.println(seen);
            assertTrue(server.works.get() > 20 * floods, "no flood: " + seen);
            // A turn of 64 messages for each would make it 1280 and 64.
            assertTrue(worst < 20 * floods, seen);
            assertTrue(timer.get() < 40, seen);
        }
        flooding.forEach(RawClient::close);
    }

    @Test
    void shouldServeOthersWhileAHundredThousandCommandsArePipelined() throws Exception {
        try (RawClient flooding = server.negotiated();
                RawClient witness = server.negotiated()) {
            int commands = 100_000;
            Thread sender = new Thread(() -> {
                byte[] packet = PING.repeat(1000).getBytes(StandardCharsets.US_ASCII);
                for (int sent = 0; sent < commands; sent += 1000) {
                    flooding.send(packet);
                }
            });
            Thread receiver = new Thread(() -> {
                for (int received = 0; received < commands; received++) {
                    flooding.receive();
                }
            });
            sender.start();
            receiver.start();
            List<Long> latenciesNs = new ArrayList<>();
            while (receiver.isAlive()) {
                long startNs = System.nanoTime();
                assertEquals(1L, witness.ask(PING));
                latenciesNs.add(System.nanoTime() - startNs);
            }
            sender.join();
            receiver.join();
            latenciesNs.sort(null);
            long p50Us = latenciesNs.get(latenciesNs.size() / 2) / 1000;
            long p99Us = latenciesNs.get(latenciesNs.size() * 99 / 100) / 1000;
            String seen = "asked=" + latenciesNs.size() + " p50us=" + p50Us + " p99us=" + p99Us;
            System.out.println(seen);
            assertTrue(latenciesNs.size() > 10, seen);
            assertEquals(commands + latenciesNs.size(), server.echoes.get());
        }
    }

    @Test
    void shouldBoundWhatIsUnsentForAllTogether() throws Exception {
        int clients = 120;
        int length = RunningServer.BIG_LENGTH;
        int commands = 5;
        List<RawClient> deaf = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            RawClient client = server.negotiated();
            deaf.add(client);
            client.send("{'execute':'big'}".repeat(commands));
        }
        long before;
        int answered;
        do {
            answered = server.echoes.get();
            before = server.unsentBytes();
            Thread.sleep(300);
        } while (server.echoes.get() != answered);
        String seen = "unsentBytes=" + before + " answered=" + answered;
        System.out.println(seen);
        // Who came when the limit was reached already has got one answer all the same. What the kernel keeps is not
        // ours.
        assertTrue(before <= QmpServer.OUTPUT_LIMIT_BYTES + 20L * length, seen);
        assertTrue(before > QmpServer.OUTPUT_LIMIT_BYTES / 2, "the limit was never near: " + seen);
        try (RawClient other = server.negotiated()) {
            assertEquals(1L, other.ask(PING));
        }
        for (RawClient client : deaf) {
            for (int command = 0; command < commands; command++) {
                assertEquals(length, client.receive().get("return").toString().length());
            }
        }
        deaf.forEach(RawClient::close);
        server.awaitClientCount(0);
        assertEquals(0, server.unsentBytes());
        assertEquals(List.of(), server.errors);
    }

    @Test
    void shouldForgetWhatWasUnsentForAClientThatVanishes() throws Exception {
        String big = "{'execute':'echo','arguments':{'value':'" + "x".repeat(900_000) + "'}}";
        try (RawClient deaf = server.negotiated()) {
            deaf.send(big);
            while (server.unsentBytes() == 0) {
                Thread.sleep(5);
            }
        }
        server.awaitClientCount(0);
        assertEquals(0, server.unsentBytes());
    }

    @Test
    void shouldTellAboutOneDeafClientAMinute() throws Exception {
        List<RawClient> deaf = List.of(server.negotiated(), server.negotiated());
        String longName = "E".repeat(100_000);
        while (server.clientCount() > 0) {
            server.emit(longName);
        }
        deaf.forEach(RawClient::close);
        assertEquals(
                List.of("QMP client is let go: reason=does not read its events: limitBytes=1048576"), server.lines);
    }

    @Test
    void shouldNotListenToTlsOverTcp() {
        LocalAddress tcp = server.alsoAt("tcp:127.0.0.1:0,server,nowait");
        try (RawClient browser = new RawClient(tcp)) {
            browser.receive();
            byte[] hello = ("\u0016\u0003\u0001\u0002\0\u0001 {'execute':'qmp_capabilities'}" + PING)
                    .getBytes(StandardCharsets.US_ASCII);
            browser.send(hello);
            assertEquals("GenericError: JSON parse error, stray '\u0016'", browser.receiveRefusal());
            assertNull(browser.receiveLine());
            assertEquals(0, server.echoes.get());
        }
    }

    private static void assertTurnedAway(LocalAddress address, String why) {
        for (int i = 0; i < 100; i++) {
            try (RawClient tooMany = new RawClient(address)) {
                assertEquals(Map.of("error", Map.of("class", "GenericError", "desc", why)), tooMany.receive());
                assertNull(tooMany.receiveLine());
            }
        }
    }
}

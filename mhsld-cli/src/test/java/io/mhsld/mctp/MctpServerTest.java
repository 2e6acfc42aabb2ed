package io.mhsld.mctp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.OtherUser;
import io.mhsld.cci.CciDialect;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.mctp.RunningMctpServer.Client;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients have been seen to send and to be answered, byte by byte; and what nobody should send. */
class MctpServerTest {
    /** Vendor, device, subsystem, serial, message size: what the switch in the captures says of itself. */
    private static final String IDENTITY = "a2a1 b2b1 c2c1 d2d1 a8a7a6a5a4a3a2a1 0d";

    private RunningMctpServer server;

    private Client client(DialectChoice dialect, RunningMctpServer.Brain brain) {
        server = new RunningMctpServer(dialect, brain);
        return server.connect();
    }

    private Client client(String answer) {
        return client(DialectChoice.AUTO, (opcode, payload) -> RunningMctpServer.bytes(answer));
    }

    @AfterEach
    void close() {
        if (server != null) {
            List<Throwable> errors = List.copyOf(server.errors);
            server.close();
            assertEquals(List.of(), errors);
        }
    }

    private static String digits(String text) {
        return text.replace(" ", "").replace("|", "");
    }

    // ---- captured exchanges of jack

    @Test
    void shouldAnswerJacksShowIdentityAsCaptured() {
        try (Client client = client(IDENTITY)) {
            client.send("01 00 00 c8 | 00 80 01 00 09");
            assertEquals(digits("01 00 09 c0 | 00 00 01 00 00 09"), client.receiveDigits());
        }
        // A new connection for each command, as jack does it; the endpoint keeps its id.
        try (Client client = server.connect()) {
            client.send("01 00 00 c8 | 07 00 00 00 01 00 00 00 00 00 00 00 00");
            assertArrayEquals(
                    Client.packet("01 00 09 c0 | 07 10 00 00 01 00 11 00 00 00 00 00 00 | " + IDENTITY),
                    client.receive());
        }
        assertEquals(0x0001, server.asked.get(0).opcode());
        assertEquals(CciDialect.JACK, server.asked.get(0).dialect());
    }

    @Test
    void shouldAnswerJacksShowSwitchInTwoPacketsAsCaptured() {
        String first = "01 00 20 04 ff ff ff ff";
        try (Client client = client(first + "55".repeat(0x5d - 8))) {
            client.send("01 00 00 c8 | 07 00 00 00 00 51");
            byte[] begin = client.receive();
            assertArrayEquals(
                    Client.packet("01 00 00 80 | 07 10 00 00 00 51 5d 00 00 00 00 00 00" + first + "55".repeat(43)),
                    begin);
            assertArrayEquals(Client.packet("01 00 00 50 | " + "55".repeat(0x5d - 8 - 43)), client.receive());
        }
    }

    @Test
    void shouldTakeJacksTunnelAsCaptured() {
        // The endpoint has the inner message; here only that its bytes and the dialect get there.
        try (Client client = client("0f00 0000 08 10 00 00 00 54 000000 0000 0000")) {
            client.send("01 00 00 c8 | 07 00 00 00 00 53 11 00 00 00 00 00 00 | 01 00 0d 00 08 | 00 00 00 00 54");
            assertEquals(
                    digits("01 00 00 c0 | 07 10 00 00 00 53 11 00 00 00 00 00 00 | 0f00 0000 08 10 00 00 00 54"),
                    client.receiveDigits());
        }
        assertEquals(0x5300, server.asked.get(0).opcode());
        assertEquals(
                digits("01 00 0d 00 08 00 00 00 00 54 00 00 00 00 00 00 00"),
                server.asked.get(0).payload());
        assertEquals(CciDialect.JACK, server.asked.get(0).dialect());
    }

    @Test
    void shouldAnswerControlMessagesAsCaptured() {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 00 80 02");
            assertArrayEquals(Client.packet("01 00 00 c0 | 00 00 02 00 00"), client.receive());
            client.send("01 00 00 d8 | 00 80 05");
            assertArrayEquals(Client.packet("01 00 00 d0 | 00 00 05 00 02 07 08"), client.receive());
        }
    }

    // ---- control

    @ParameterizedTest
    @CsvSource({
        "00 83 02,00 03 02 00",
        "00 80 04 ff,00 00 04 00 01 f1 f3 f1",
        "00 80 04 00,00 00 04 00 01 f1 f3 f1",
        "00 80 04 07,00 00 04 00 01 f1 f0 ff",
        "00 80 04 7e,00 00 04 80",
        "00 80 01 00 00,00 00 01 02",
        "00 80 01 00 ff,00 00 01 02",
        "00 80 01 02 0a,00 00 01 02",
        "00 80 03,00 00 03 05",
        "00 80 ff,00 00 ff 05"
    })
    void shouldAnswerControlMessages(String request, String answer) {
        try (Client client = client("")) {
            client.send("01 00 00 c8 |" + request);
            assertArrayEquals(Client.packet("01 00 00 c0 |" + answer), client.receive());
        }
    }

    @Test
    void shouldGoByTheEndpointIdThatItWasGivenOrSpokenToBy() {
        try (Client client = client("")) {
            client.send("01 00 08 c8 | 00 80 01 00 1d");
            assertEquals(digits("01 08 1d c0 | 00 00 01 00 00 1d"), client.receiveDigits());
            client.send("01 00 08 c9 | 00 80 02");
            assertEquals(digits("01 08 1d d1 | 00 00 02 00 1d"), client.receiveDigits());
            client.send("01 22 08 ca | 08 00 01 00 01 00");
            assertEquals(digits("01 08 22 e2 | 08 01 01 00 01"), client.receiveDigits());
        }
    }

    // ---- categories

    @ParameterizedTest
    @ValueSource(strings = {"02", "07", "0f", "20", "f0", "23"})
    void shouldRefuseReservedCategories(String category) {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 08 00 05 00 01 00");
            client.receive();
            client.send("01 00 00 ca | 08 " + category + " 2a 00 00 56");
            assertEquals(digits("01 00 00 d2 | 08 01 2a 00 00 56 00 00 00 02"), client.receiveDigits());
            // In its turn, and whatever its length says.
            client.send("01 00 00 ca | 08 " + category + " 2b 00 00 56 ff ff 00");
            client.send("01 00 00 ca | 08 00 2c 00 01 00");
            assertEquals(digits("01 00 00 e2 | 08 01 2b 00 00 56 00 00 00 02"), client.receiveDigits());
            assertEquals(digits("01 00 00 f2 | 08 01 2c 00 01"), client.receiveDigits());
        }
        assertEquals(2, server.asked.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"01", "10", "11", "21", "12", "1f"})
    void shouldAnswerNoResponses(String category) {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 08 " + category + " 2a 00 00 56");
            client.send("01 00 00 c8 | 08 00 2b 00 01 00");
            assertEquals(digits("01 00 00 c0 | 08 01 2b 00 01"), client.receiveDigits());
        }
        assertEquals(1, server.asked.size());
    }

    @Test
    void shouldRefuseReservedCategoriesInTheDialectOfTheClient() {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 07 00 05 00 00 56");
            client.receive();
            client.send("01 00 00 d8 | 07 20 06 00 00 56 00 00 00 00 00 cd ab");
            assertEquals(digits("01 00 00 d0 | 07 10 06 00 00 56 00 00 00 02"), client.receiveDigits());
        }
    }

    // ---- dialects

    @ParameterizedTest
    @CsvSource({
        // type 8, and nothing else to be seen
        "STANDARD,01 00 00 c8 | 08 00 05 00 01 00",
        // libcxlmi's mark, also where all else looks like jack
        "STANDARD,01 00 00 c8 | 07 00 05 00 00 56 00 00 00 00 00 cd ab",
        "STANDARD,01 00 00 c8 | 07 00 05 00 01 00 00 00 00 00 00 cd ab",
        // FM-API between endpoints that have ids
        "STANDARD,01 09 08 c8 | 07 00 05 00 00 56",
        "JACK,01 00 00 c8 | 07 00 05 00 00 56",
        "JACK,01 09 08 c8 | 07 00 05 00 01 00",
        "JACK,01 09 08 c8 | 07 00 05 00 00 53 11 00 00 00 00 00 00 | 01 00 0d 00 08 | 00 00 00 00 54",
        "STANDARD,01 00 00 c8 | 07 00 05 00 00 53 10 00 00 00 00 00 00 | 01 00 0c 00 | 00 00 00 00 54",
    })
    void shouldTellTheDialectsApart(CciDialect dialect, String request) {
        try (Client client = client("")) {
            client.send(request);
            assertEquals(dialect == CciDialect.JACK ? 0x10 : 0x01, client.receive()[5]);
            assertEquals(dialect, server.asked.get(0).dialect());
        }
    }

    @Test
    void shouldGoByTheStrongestSignOfAConnection() {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 07 00 05 00 00 56");
            assertEquals(0x10, client.receive()[5]);
            client.send("01 00 00 d8 | 07 00 05 00 00 56 00 00 00 00 00 cd ab");
            assertEquals(0x01, client.receive()[5]);
            client.send("01 00 00 e8 | 07 00 05 00 00 56");
            assertEquals(0x01, client.receive()[5], "as it showed before");
        }
    }

    @ParameterizedTest
    @CsvSource({"STANDARD,01", "JACK,10"})
    void shouldSpeakTheDialectThatItIsTold(DialectChoice choice, String category) {
        try (Client client = client(choice, (opcode, payload) -> RunningMctpServer.bytes(""))) {
            client.send("01 00 00 c8 | 07 00 05 00 01 00 00 00 00 00 00 cd ab");
            assertEquals(Integer.parseInt(category, 16), client.receive()[5]);
            client.send("01 09 08 c8 | 08 00 05 00 01 00");
            assertEquals(Integer.parseInt(category, 16), client.receive()[5]);
        }
    }

    // ---- order

    @Test
    void shouldAnswerPipelinedRequestsOfATagInTheirOrder() {
        try (Client client = client(DialectChoice.AUTO, (opcode, payload) -> null)) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int i = 0; i < 5; i++) {
                all.writeBytes(Client.packet(String.format("01 00 00 c8 | 08 00 %02x 00 %02x 45", i, i)));
            }
            client.sendRaw(all.toByteArray());
            for (int i = 0; i < 5; i++) {
                server.awaitAsked(i + 1);
                assertEquals(0x4500 + i, server.asked.get(i).opcode());
                assertEquals(i + 1, server.asked.size(), "the next one waits");
                int next = i;
                server.run(() -> server.asked.get(next).answer().accept(RunningMctpServer.bytes("")));
                assertEquals(i, client.receive()[6]);
            }
        }
    }

    @Test
    void shouldNotLetOneTagWaitForAnother() {
        try (Client client = client(
                DialectChoice.AUTO, (opcode, payload) -> opcode == 0x4500 ? null : RunningMctpServer.bytes(""))) {
            client.send("01 00 00 c8 | 08 00 01 00 00 45");
            client.send("01 00 00 c9 | 08 00 02 00 01 45");
            assertEquals(2, client.receive()[6]);
            server.run(() -> server.asked.get(0).answer().accept(Response.undelivered(ReturnCode.BUSY)));
            byte[] late = client.receive();
            assertEquals(1, late[6]);
            assertEquals(ReturnCode.BUSY.value(), late[13]);
        }
    }

    @Test
    void shouldTakeMoreRequestsThanMayBeUnderWay() {
        int count = 20 * MctpServer.UNDER_WAY_LIMIT;
        try (Client client = client("aabb")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int i = 0; i < count; i++) {
                all.writeBytes(
                        Client.packet(String.format("01 00 00 %02x | 08 00 %02x 00 00 45", 0xc8 | (i & 7), i & 0xFF)));
            }
            client.sendRaw(all.toByteArray());
            int[] next = new int[8];
            for (int i = 0; i < count; i++) {
                byte[] answer = client.receive();
                int tag = answer[3] & 7;
                assertEquals((next[tag] * 8 + tag) & 0xFF, answer[6] & 0xFF, "in its tag's order");
                next[tag]++;
            }
            assertEquals(count, IntStream.of(next).sum());
        }
    }

    @Test
    void shouldAnswerWhatWasAskedBeforeTheClientStoppedSending() {
        try (Client client = client(DialectChoice.AUTO, (opcode, payload) -> null)) {
            client.send("01 00 00 c8 | 08 00 01 00 00 45");
            client.closeOutput();
            server.awaitAsked(1);
            server.run(() -> server.asked.get(0).answer().accept(RunningMctpServer.bytes("")));
            assertEquals(1, client.receive()[6]);
            assertTrue(client.isAtEnd());
        }
        server.awaitClients(0);
    }

    @Test
    void shouldForgetAClientThatGoesWhileItIsBeingServed() {
        try (Client client = client(DialectChoice.AUTO, (opcode, payload) -> null)) {
            client.send("01 00 00 c8 | 08 00 01 00 00 45");
            client.send("01 00 00 c8 | 08 00 02 00 00 45");
            server.awaitAsked(1);
        }
        try (Client other = server.connect()) {
            other.send("01 00 00 c8 | 00 80 02");
            other.receive();
            for (int i = 0; i < 2; i++) {
                int next = i;
                server.awaitAsked(i + 1);
                server.run(() -> server.asked.get(next).answer().accept(RunningMctpServer.bytes("")));
            }
            server.awaitClients(1);
        }
    }

    // ---- lengths

    @Test
    void shouldTakeARequestInSeveralPiecesOfAnyLength() {
        byte[] first = Client.packet("01 00 00 88 | 08 00 07 00 00 45 40 00" + "00".repeat(5) + "11".repeat(51));
        byte[] second = Client.packet("01 00 00 58 | " + "11".repeat(13));
        try (Client client = client("")) {
            for (byte[] packet : List.of(first, second)) {
                for (byte b : packet) {
                    client.sendRaw(new byte[] {b});
                }
            }
            assertEquals(7, client.receive()[6]);
            assertEquals("11".repeat(64), server.asked.get(0).payload());
        }
    }

    @Test
    void shouldRefuseARequestThatIsNotWholeOrTooLong() {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 08 00 07 00 00 45 34 00");
            assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH.value(), client.receive()[13]);
            client.send("01 00 00 c8 | 08 00 07 00 00 45 00 00 01");
            assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH.value(), client.receive()[13]);
            client.send("01 00 00 88 | 08 00 07 00 00 45 00 40");
            for (int packet = 1; packet < 256; packet++) {
                client.send(String.format("01 00 00 %02x", 0x08 | ((packet & 3) << 4)));
            }
            client.send("01 00 00 48");
            byte[] refusal = client.receive();
            assertEquals(7, refusal[6]);
            assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH.value(), refusal[13]);
            assertEquals(List.of(), server.asked);
        }
    }

    @Test
    void shouldSendTheLongestAnswerInWholePackets() {
        byte[] payload = new byte[4096];
        new Random(1).nextBytes(payload);
        try (Client client =
                client(DialectChoice.AUTO, (opcode, input) -> Response.received(ReturnCode.SUCCESS, payload))) {
            client.send("01 00 00 c8 | 08 00 07 00 00 45");
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            byte[] packet;
            int count = 0;
            do {
                packet = client.receive();
                assertEquals(count == 0 ? 0x80 : 0, packet[3] & 0x80);
                assertEquals(count & 3, (packet[3] >> 4) & 3);
                message.write(packet, 4, 64);
                count++;
            } while ((packet[3] & 0x40) == 0);
            byte[] bytes = message.toByteArray();
            for (int i = 0; i < payload.length; i++) {
                assertEquals(payload[i], bytes[13 + i]);
            }
            assertEquals((13 + 4096 + 63) / 64, count);
        }
    }

    // ---- strangers

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "ACL / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "{\"execute\": \"qmp_capabilities\"}\n"
            })
    void shouldCutOffWhoeverSpeaksSomethingElse(String words) {
        try (Client client = client("")) {
            client.sendRaw((words + "x".repeat(68)).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertTrue(client.isAtEnd());
        }
        server.awaitClients(0);
        assertEquals(List.of(), server.asked);
        assertEquals(List.of("MCTP client is let go: reason=does not send packets of 68 bytes"), server.lines);
    }

    @Test
    void shouldPassOverWhatAsksNothing() {
        try (Client client = client("")) {
            client.send("01 00 00 c8 | 70 00 01 00 01 00");
            client.send("01 00 00 c8 | 88 00 01 00 01 00");
            client.send("01 00 00 c8 | 08 01 01 00 01 00");
            client.send("01 00 00 c8 | 07 10 01 00 01 00");
            client.send("01 00 00 c8 | 00 00 02");
            client.send("01 00 00 c8 | 00 c0 02");
            client.send("01 00 00 c8 | 08 00 2a 00 01 00");
            assertEquals(0x2a, client.receive()[6]);
            assertEquals(1, server.asked.size());
        }
    }

    @Test
    void shouldServeSeveralClientsAndTurnTheRestAway() {
        List<Client> clients = new ArrayList<>();
        try {
            clients.add(client(""));
            for (int i = 1; i < MctpServer.CLIENTS_LIMIT; i++) {
                clients.add(server.connect());
            }
            server.awaitClients(MctpServer.CLIENTS_LIMIT);
            try (Client further = server.connect()) {
                assertTrue(further.isAtEnd());
            }
            assertEquals(List.of("MCTP client is turned away: reason=too many clients: limit=64"), server.lines);
            for (Client client : clients) {
                client.send("01 00 00 c8 | 08 00 2a 00 01 00");
            }
            for (Client client : clients) {
                assertEquals(0x2a, client.receive()[6]);
            }
        } finally {
            clients.forEach(Client::close);
        }
        server.awaitClients(0);
    }

    @Test
    void shouldNotReadOnFromAClientThatDoesNotReadItsAnswers() throws Exception {
        byte[] payload = new byte[4000];
        try (Client deaf =
                client(DialectChoice.AUTO, (opcode, input) -> Response.received(ReturnCode.SUCCESS, payload))) {
            Thread sender = new Thread(() -> {
                byte[] request = Client.packet("01 00 00 c8 | 08 00 01 00 00 45");
                try {
                    for (int i = 0; i < 200_000; i++) {
                        deaf.sendRaw(request);
                    }
                } catch (RuntimeException e) {
                    // The test is over.
                }
            });
            sender.start();
            int asked;
            do {
                asked = server.asked.size();
                TimeUnit.MILLISECONDS.sleep(300);
            } while (asked != server.asked.size());
            assertTrue(asked < 20_000, "asked=" + asked);
            try (Client other = server.connect()) {
                other.send("01 00 00 c8 | 00 80 02");
                other.receive();
            }
            deaf.abandon();
            sender.join(10_000);
        }
    }

    /** Whole, cut, mixed and random packets, for one client after the other: the server lives, and says the same to the next one. */
    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13})
    void shouldLiveThroughAnyBytes(long seed) {
        Random random = new Random(seed);
        try (Client steady = client("0102")) {
            for (int round = 0; round < 150; round++) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                for (int packet = random.nextInt(60); packet >= 0; packet--) {
                    byte[] next = new byte[68];
                    if (random.nextInt(3) > 0) {
                        random.nextBytes(next);
                        if (random.nextBoolean()) {
                            next[4] = (byte) (7 + random.nextInt(2));
                            next[5] = 0;
                        }
                    } else {
                        next = Client.packet("01 00 00 c8 | 08 00 01 00 00 45");
                    }
                    if (random.nextInt(40) > 0) {
                        next[0] = 1;
                    }
                    bytes.writeBytes(next);
                }
                byte[] all = bytes.toByteArray();
                try (Client client = server.connect()) {
                    client.sendRaw(java.util.Arrays.copyOf(all, all.length - random.nextInt(70)));
                } catch (java.io.UncheckedIOException e) {
                    // It was cut off, as it may be.
                }
                steady.send("01 00 00 c8 | 08 00 2a 00 00 45");
                assertEquals(
                        "0102", Client.trimmed(steady.receive()).substring(34), "seed=" + seed + " round=" + round);
            }
        }
    }

    @Test
    void shouldTurnAnotherUserAway() throws Exception {
        try (OtherUser nobody = OtherUser.nobody();
                Client own = client("")) {
            String answer = nobody.runMain(OtherUser.Connect.class.getName(), "tcp:" + server.port)
                    .out();
            assertTrue(answer.startsWith("closed") || answer.startsWith("refused"), answer);
            server.awaitClients(1);
            assertEquals(
                    List.of("MCTP client is turned away: reason=client belongs to another user: user="
                            + OtherUser.NOBODY),
                    server.lines);
            own.send("01 00 00 c8 | 00 80 02");
            own.receive();
        }
    }

    @Test
    void shouldListenOnLoopbackOnly() {
        for (String address :
                List.of("tcp:0.0.0.0:2508", "tcp:192.0.2.1:2508", "tcp:localhost.example:1", "unix:/tmp/x")) {
            assertThrows(IllegalArgumentException.class, () -> MctpServer.address(address), address);
        }
        assertEquals("tcp:127.0.0.1:2508", MctpServer.address("tcp::2508").toString());
    }
}

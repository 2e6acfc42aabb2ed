package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever one client sends, or does not read: the other clients, and the next command, are answered. */
@Timeout(120)
class QmpRobustnessTest {
    private static final int LINE_LENGTH = 64 << 20;

    private final long seed = Long.getLong("mhsld.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

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
        assertEquals(List.of(), server.errors, "-Dmhsld.seed=" + seed);
    }

    @Test
    void shouldSwallowALineOf64MebibytesWithoutKeepingIt() {
        try (RawClient client = server.negotiated();
                RawClient other = server.negotiated()) {
            client.send("{\"execute\":\"");
            ByteBuffer packet = ByteBuffer.wrap("x".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII));
            long usedBefore = usedMemory();
            for (int sent = 0; sent < LINE_LENGTH; sent += packet.limit()) {
                packet.rewind();
                client.send(packet);
                if (sent % (16 << 20) == 0) {
                    assertEquals((long) sent, other.ask("{'execute':'echo','arguments':{'value':" + sent + "}}"));
                }
            }
            long kept = usedMemory() - usedBefore;
            assertTrue(kept < LINE_LENGTH / 8, "kept=" + kept);

            assertEquals(
                    "GenericError: QMP input is too large: limitBytes=1048576 sizeBytes=" + (LINE_LENGTH + 14),
                    client.refusal("\"}\n"));
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
    }

    /** An id may be anything, and comes back with the answer. */
    @Test
    void shouldAnswerACommandWhoseIdIsNestedAsDeepAsCanBe() {
        // One level is the command's own.
        String id = "[".repeat(QmpJson.NESTING_LIMIT - 1) + "]".repeat(QmpJson.NESTING_LIMIT - 1);
        try (RawClient client = server.negotiated()) {
            client.send("{'execute':'query-name','id':" + id + "}");
            assertTrue(client.receiveLine().endsWith("\"id\": " + id + "}"));
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
    }

    @Test
    void shouldBoundWhatAllUnfinishedMessagesTakeTogether() {
        List<RawClient> clients = new ArrayList<>();
        byte[] half = ("{\"execute\":\"echo\",\"arguments\":{\"value\":\"" + "x".repeat(1_000_000))
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 20; i++) {
            clients.add(server.negotiated());
            clients.get(i).send(half);
        }
        int answered = 0;
        for (RawClient client : clients) {
            client.send("\"}}\n");
            Map<?, ?> answer = client.receive();
            if (answer.containsKey("return")) {
                answered++;
            } else {
                assertTrue(answer.toString().contains("too large for what other clients left"), answer.toString());
            }
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
        assertTrue(answered >= 8 && answered < 20, "answered=" + answered);
        clients.forEach(RawClient::close);
    }

    @Test
    void shouldNotMindHalfSentMessages() throws InterruptedException {
        String whole = "{\"execute\":\"echo\",\"arguments\":{\"value\":[1,\"a\\n\",{}]}}";
        for (int length = 0; length < whole.length(); length++) {
            try (RawClient client = length % 2 == 0 ? server.negotiated() : server.connect()) {
                client.send(whole.substring(0, length));
            }
        }
        server.awaitClientCount(0);
        assertEquals(0, server.echoes.get());
    }

    @Test
    void shouldStopReadingFromAClientThatDoesNotReadItsAnswers() throws Exception {
        try (RawClient client = server.negotiated();
                RawClient other = server.negotiated()) {
            int commands = 200_000;
            Thread sender = new Thread(() -> {
                String command = "{'execute':'echo','arguments':{'value':'0123456789'}}";
                byte[] packet = command.repeat(1000).getBytes(StandardCharsets.US_ASCII);
                for (int sent = 0; sent < commands; sent += 1000) {
                    client.send(packet);
                }
            });
            sender.start();
            int before;
            do {
                before = server.echoes.get();
                Thread.sleep(200);
            } while (server.echoes.get() != before);
            assertTrue(before < commands, "the server has answered all, and keeps " + before + " answers");
            assertEquals(1L, other.ask("{'execute':'echo','arguments':{'value':1}}"));

            for (int received = 0; received < commands; received++) {
                assertEquals("0123456789", client.receive().get("return"));
            }
            sender.join();
        }
    }

    @Test
    void shouldDisconnectAClientThatDoesNotReadItsEvents() throws InterruptedException {
        try (RawClient deaf = server.negotiated();
                RawClient other = server.negotiated()) {
            String longName = "E".repeat(10_000);
            int events = 0;
            while (server.clientCount() == 2) {
                server.emit(longName);
                assertEquals(longName, other.receive().get("event"));
                assertTrue(++events < 2000, "never disconnected");
            }
            assertTrue(events > 100, "events=" + events);
            assertEquals(1L, other.ask("{'execute':'echo','arguments':{'value':1}}"));
            while (deaf.receiveLine() != null) {
                // What was sent before is still there.
            }
            assertNull(deaf.receiveLine());
        }
        assertEquals(
                List.of("QMP client is let go: reason=does not read its events: limitBytes=1048576"), server.lines);
    }

    @Test
    void shouldSurviveClientsThatVanishWithAnswersUnread() throws InterruptedException {
        for (int i = 0; i < 200; i++) {
            RawClient client = server.negotiated();
            client.send("{'execute':'query-qmp-schema'}".repeat(20));
            client.close();
        }
        server.awaitClientCount(0);
    }

    @Test
    void shouldAnswerTheNextCommandAfterAnyGarbage() {
        try (RawClient witness = server.negotiated()) {
            for (int round = 0; round < 400; round++) {
                String where = "-Dmhsld.seed=" + seed + " round=" + round;
                byte[] garbage = garbage();
                try (RawClient client = server.negotiated()) {
                    sendInPieces(client, garbage);
                    // 0xFF is QMP's way back to a known state; the line end ends an escape that it may have ended up
                    // in.
                    client.send(new byte[] {(byte) 0xff, '\n'});
                    client.send("{\"execute\":\"echo\",\"arguments\":{\"value\":" + round + "},\"id\":\"mark\"}");
                    assertEquals((long) round, answerTo(client, "mark", where), where);
                }
                assertEquals(
                        (long) round, witness.ask("{'execute':'echo','arguments':{'value':" + round + "}}"), where);
                try (RawClient fresh = server.negotiated()) {
                    assertEquals(
                            (long) round, fresh.ask("{'execute':'echo','arguments':{'value':" + round + "}}"), where);
                }
            }
        }
    }

    @Test
    void shouldAnswerExactlyOnceHoweverCommandsAreCut() {
        try (RawClient client = server.negotiated()) {
            StringBuilder stream = new StringBuilder();
            for (int i = 0; i < 2000; i++) {
                stream.append("{\"execute\":\"echo\",\"arguments\":{\"value\":\"}\\\"{")
                        .append(i)
                        .append("\"}}")
                        .append(List.of("", "\n", "\r\n", " \t ").get(random.nextInt(4)));
            }
            Thread sender =
                    new Thread(() -> sendInPieces(client, stream.toString().getBytes(StandardCharsets.US_ASCII)));
            sender.start();
            for (int i = 0; i < 2000; i++) {
                assertEquals("}\"{" + i, client.receive().get("return"), "-Dmhsld.seed=" + seed);
            }
        }
    }

    private byte[] garbage() {
        byte[] bytes = List.of(
                        "{\"execute\":\"echo\",\"arguments\":{\"value\":[1,2.5e3,\"a\\u00e9\",null]},\"id\":7}",
                        "{\"execute\":\"add\",\"arguments\":{\"path\":\"x\",\"host-id\":0,\"region\":0,\"extents\":[{}]}}",
                        "{'execute':'qmp_capabilities'}",
                        "[[[[{\"a\":[{}]}]]]]",
                        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .get(random.nextInt(5))
                .repeat(1 + random.nextInt(3))
                .getBytes(StandardCharsets.UTF_8);
        for (int changes = random.nextInt(1, 12); changes > 0; changes--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = (byte) "{}[]\",:\\'".charAt(random.nextInt(9));
                case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                default -> bytes = withInserted(bytes, at, random.nextInt(20), (byte) random.nextInt(256));
            }
        }
        return bytes;
    }

    private static byte[] withInserted(byte[] bytes, int at, int count, byte value) {
        byte[] longer = new byte[bytes.length + count];
        Arrays.fill(longer, value);
        System.arraycopy(bytes, 0, longer, 0, at);
        System.arraycopy(bytes, at, longer, at + count, bytes.length - at);
        return longer;
    }

    private void sendInPieces(RawClient client, byte[] bytes) {
        SplittableRandom cuts = new SplittableRandom(seed);
        for (int at = 0; at < bytes.length; ) {
            int length = Math.min(bytes.length - at, cuts.nextInt(3) == 0 ? 1 : 1 + cuts.nextInt(40));
            client.send(ByteBuffer.wrap(bytes, at, length));
            at += length;
        }
    }

    private static Object answerTo(RawClient client, String id, String where) {
        try {
            while (true) {
                Map<?, ?> answer = client.receive();
                if (id.equals(answer.get("id"))) {
                    return answer.get("return");
                }
            }
        } catch (AssertionError | UncheckedIOException e) {
            throw new AssertionError("no answer: " + where, e);
        }
    }

    private static long usedMemory() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}

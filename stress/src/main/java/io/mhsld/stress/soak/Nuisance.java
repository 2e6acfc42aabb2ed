package io.mhsld.stress.soak;

import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.socket.LocalAddress;
import io.mhsld.stress.storm.Storm;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** A client that does all that clients should not do: comes and goes, says half of it, does not listen, asks nonsense. */
final class Nuisance {
    private static final long TIMEOUT_MS = 20_000;
    private static final int MAX_CCI_BYTES = 64;
    private static final int TOO_LONG_BYTES = (1 << 20) + (1 << 16);
    private static final long PAUSE_NS = 12_000_000;

    /** Answers of the host, and what changes bytes or whether they can be read: nonsense could be taken for one, and the oracle would not know. */
    private static final Set<Integer> HOSTS_OWN = Set.of(0x4301, 0x4302, 0x4400, 0x4402, 0x4802, 0x4803);

    private static final String NEGOTIATION = "{\"execute\": \"qmp_capabilities\"}\n";
    private static final List<String> NONSENSE = List.of(
            "{\"execute\": \"quer",
            "{]",
            "nonsense\n",
            "\0\u0001\u0002",
            "{\"execute\": \"no-such-command\"}\n",
            "{\"execute\": \"x-mem-read\", \"arguments\": {\"dpa\": -1, \"length\": 99999999}}\n",
            "{\"execute\": \"x-mem-write\", \"arguments\": {\"dpa\": 0, \"data\": \"%%%\"}}\n",
            "{\"execute\": \"cxl-add-dynamic-capacity\", \"arguments\": {}}\n",
            "{\"execute\": \"x-cci\", \"arguments\": {\"opcode\": 65535, \"payload\": \"abc\"}}\n",
            "[[[[[[[[[[[[[[[[[[[[",
            "{\"execute\": 7}\n",
            "\"" + "x".repeat(5000));
    private static final List<String> QUESTIONS = List.of(
            "query-version", "query-commands", "query-qmp-schema", "query-status", "x-query-head", "x-query-extents");

    private final Storm storm;
    private final List<Path> sockets;
    private final SplittableRandom random;

    Nuisance(Storm storm, List<Path> sockets, SplittableRandom random) {
        this.storm = storm;
        this.sockets = sockets;
        this.random = random;
    }

    /** Visits one head once. */
    long visit() {
        Path socket = sockets.get(random.nextInt(sockets.size()));
        if (!Files.exists(socket)) {
            return PAUSE_NS;
        }
        try {
            switch (random.nextInt(6)) {
                case 0 -> connectOnly(socket);
                case 1 -> talkNonsense(socket);
                case 2 -> doNotListen(socket);
                case 3 -> ask(socket);
                case 4 -> askMailbox(socket);
                default -> askTooMuch(socket);
            }
        } catch (IOException | QmpException e) {
            // Being turned away, or cut off, is what some of this asks for. A head that dies of it is seen elsewhere.
            storm.tally().operation("nuisance cut off");
        }
        return random.nextLong(PAUSE_NS);
    }

    private void connectOnly(Path socket) throws IOException {
        open(socket).close();
        storm.tally().operation("connect and go");
    }

    private void talkNonsense(Path socket) throws IOException {
        try (SocketChannel channel = open(socket)) {
            if (random.nextInt(3) > 0) {
                send(channel, NEGOTIATION);
            }
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                send(channel, NONSENSE.get(random.nextInt(NONSENSE.size())));
            }
            if (random.nextBoolean()) {
                channel.shutdownOutput();
                ByteBuffer answer = ByteBuffer.allocate(1 << 14);
                while (channel.read(answer.clear()) > 0) {
                    // What it says does not matter here.
                }
            }
        }
        storm.tally().operation("malformed or half a message");
    }

    /** Answers of a hundred kilobytes each, and the client goes away without reading them. */
    private void doNotListen(Path socket) throws IOException {
        try (SocketChannel channel = open(socket)) {
            send(channel, NEGOTIATION);
            for (int i = random.nextInt(20); i > 0; i--) {
                send(channel, "{\"execute\": \"query-qmp-schema\"}\n");
            }
        }
        storm.tally().operation("vanish before the answer");
    }

    private void ask(Path socket) {
        try (QmpClient client = QmpClient.connect(LocalAddress.unix(socket), TIMEOUT_MS)) {
            client.execute(QUESTIONS.get(random.nextInt(QUESTIONS.size())));
        }
        storm.tally().operation("short connection");
    }

    private void askMailbox(Path socket) {
        try (QmpClient client = QmpClient.connect(LocalAddress.unix(socket), TIMEOUT_MS)) {
            for (Opcode opcode : OpcodeTable.ALL) {
                byte[] payload = new byte[random.nextInt(MAX_CCI_BYTES)];
                random.nextBytes(payload);
                int code = random.nextInt(10) == 0 ? random.nextInt(1 << 16) : opcode.code();
                if (!HOSTS_OWN.contains(code)) {
                    int length = random.nextBoolean()
                            ? payload.length
                            : Math.min(payload.length, opcode.input().min());
                    String hex = HexFormat.of().formatHex(payload, 0, length);
                    client.execute("x-cci", Map.of("opcode", code, "payload", hex));
                    storm.tally().operation("cci command, right or wrong");
                }
            }
        }
    }

    private void askTooMuch(Path socket) throws IOException {
        if (random.nextInt(20) > 0) {
            return;
        }
        try (SocketChannel channel = open(socket)) {
            send(channel, NEGOTIATION);
            send(channel, "{\"execute\": \"" + "x".repeat(TOO_LONG_BYTES) + "\"}\n");
        }
        storm.tally().operation("message that is too long");
    }

    private static SocketChannel open(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private static void send(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}

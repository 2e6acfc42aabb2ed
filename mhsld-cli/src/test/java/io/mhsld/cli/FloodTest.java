package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.qmp.RawClient;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.Counter;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that ask for as much as they can: the head goes on with its own work, the others are served, the log stays short. */
@Timeout(120)
@ExtendWith(HeadProcesses.Evidence.class)
class FloodTest implements HeadProcesses.HoldsHeads {
    private static final int FLOODS = 8;
    private static final int LONG_COMMANDS_LIMIT = 32;

    private final HeadProcesses heads = new HeadProcesses();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final List<Thread> threads = new ArrayList<>();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void stop() throws InterruptedException {
        stopped.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        heads.close();
    }

    /** A client that sends one command again and again, and reads whatever comes, until the end of the test. */
    private void flood(int head, String command) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(heads.files.controlSocket(head)));
        channel.write(ByteBuffer.wrap("{'execute':'qmp_capabilities'}".getBytes(StandardCharsets.US_ASCII)));
        Thread sender = new Thread(() -> {
            byte[] packet = command.repeat(200).getBytes(StandardCharsets.US_ASCII);
            try (channel) {
                while (!stopped.get()) {
                    for (ByteBuffer bytes = ByteBuffer.wrap(packet); bytes.hasRemaining() && !stopped.get(); ) {
                        channel.write(bytes);
                    }
                }
            } catch (IOException e) {
                stopped.set(true);
            }
        });
        Thread reader = new Thread(() -> {
            ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
            try {
                while (channel.read(bytes.clear()) >= 0) {
                    // Only so that the head goes on.
                }
            } catch (IOException e) {
                // The sender has closed it.
            }
        });
        sender.start();
        reader.start();
        threads.add(sender);
        threads.add(reader);
    }

    private LocalAddress address(int head) {
        return LocalAddress.unix(heads.files.controlSocket(head));
    }

    private QmpClient connect(int head) {
        return QmpClient.connect(address(head), 20_000);
    }

    @Test
    void shouldReapADeadPeerWhileClientsFlood() throws Exception {
        Head[] two = heads.startDevice(2);
        assertEquals(
                0,
                heads.run("add", "--head", "1", "--offset", "0", "--length", "64M")
                        .exitCode());
        assertEquals(32, heads.inspect().ownedBlocks()[1]);
        for (int i = 0; i < FLOODS; i++) {
            flood(0, "{'execute':'query-qmp-schema'}");
        }
        List<Long> latenciesNs = new ArrayList<>();
        try (QmpClient witness = connect(0)) {
            for (int i = 0; i < 50; i++) {
                long startNs = System.nanoTime();
                assertTrue(witness.execute("query-name").error().isEmpty());
                latenciesNs.add(System.nanoTime() - startNs);
            }
            two[1].kill();
            long startNs = System.nanoTime();
            HeadProcesses.await("the reaper", () -> heads.inspect().ownedBlocks()[1] == 0);
            long reapedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            latenciesNs.sort(null);
            String seen = "flooding=" + FLOODS + " witnessP50Us=" + latenciesNs.get(25) / 1000 + " witnessWorstUs="
                    + latenciesNs.get(49) / 1000 + " reapedMs=" + reapedMs;
            // A second by I5; on a busy machine everything is late.
            System.out.println(seen);
        }
    }

    @Test
    void shouldServeOthersWhileOneFillsALot() {
        heads.start(0, "--mhd-init", "--size=512M").awaitReady();
        assertEquals(
                0,
                heads.run("add", "--head", "0", "--offset", "0", "--length", "512M")
                        .exitCode());
        try (QmpClient filling = connect(0);
                QmpClient witness = connect(0)) {
            Map<String, Object> range = Map.of("dpa", 0, "length", 512L << 20);
            AtomicBoolean done = new AtomicBoolean();
            Thread filler = new Thread(() -> {
                QmpReply reply = filling.execute("x-mem-fill", Map.of("dpa", 0, "length", 512L << 20, "value", 7));
                done.set(reply.error().isEmpty());
            });
            filler.start();
            threads.add(filler);
            int served = 0;
            while (filler.isAlive()) {
                assertTrue(witness.execute("query-name").error().isEmpty());
                served++;
            }
            assertTrue(done.get());
            System.out.println("servedMeanwhile=" + served);
            assertTrue(served >= 10, "served=" + served);

            Map<?, ?> crc = (Map<?, ?>) witness.execute("x-mem-crc", range).value();
            CRC32C expected = new CRC32C();
            byte[] sevens = new byte[1 << 20];
            Arrays.fill(sevens, (byte) 7);
            for (int mebibyte = 0; mebibyte < 512; mebibyte++) {
                expected.update(sevens);
            }
            assertEquals(expected.getValue(), crc.get("crc32c"));
        }
    }

    @Test
    void shouldTellAFillHalfWayThatItsCapacityHasGone() {
        Head head = heads.start(0, "--mhd-init", "--size=512M").awaitReady();
        assertEquals(
                0,
                heads.run("add", "--head", "0", "--offset", "0", "--length", "512M")
                        .exitCode());
        long wholeBytes = 512L << 20;
        try (StateFile state = StateFile.open(heads.files.stateFile(), StateFile.Access.READ_ONLY, 0);
                RawClient filling = new RawClient(address(0));
                RawClient other = new RawClient(address(0))) {
            filling.negotiate();
            other.negotiate();
            boolean isHalfWay = false;
            long written = 0;
            for (int attempt = 0; attempt < 20 && !isHalfWay; attempt++) {
                long before = state.counters(0).getAcquire(Counter.BYTES_WRITTEN);
                filling.send("{'execute':'x-mem-fill','arguments':{'dpa':0,'length':" + wholeBytes + ",'value':7}}");
                HeadProcesses.await("a step", () -> state.counters(0).getAcquire(Counter.BYTES_WRITTEN) - before > 0);
                // So that it stands still until the reset is on its way.
                head.signal("STOP");
                written = state.counters(0).getAcquire(Counter.BYTES_WRITTEN) - before;
                isHalfWay = written < wholeBytes / 2;
                if (!isHalfWay) {
                    head.signal("CONT");
                    assertEquals(Map.of(), filling.receiveAnswer().get("return"), "it was too quick for this test");
                }
            }
            assertTrue(isHalfWay, "written=" + written);
            long atStop = state.counters(0).getAcquire(Counter.BYTES_WRITTEN);
            other.send("{'execute':'system_reset'}");
            head.signal("CONT");
            Map<?, ?> reply = filling.receiveAnswer();
            assertTrue(
                    reply.get("error") instanceof Map<?, ?> error
                            && String.valueOf(error.get("desc"))
                                    .startsWith("range is not all accepted and owned by this head: "),
                    reply.toString());
            long steppedOn = state.counters(0).getAcquire(Counter.BYTES_WRITTEN) - atStop;
            assertTrue(steppedOn < wholeBytes / 2, "steppedOn=" + steppedOn);
            assertTrue(heads.inspect().isSound());
        }
    }

    @Test
    void shouldBoundLongCommands() throws Exception {
        Head head = heads.start(0, "--mhd-init", "--size=128M").awaitReady();
        assertEquals(
                0,
                heads.run("add", "--head", "0", "--offset", "0", "--length", "128M")
                        .exitCode());
        // Each takes 128 turns of the head, which takes in all of them at its first.
        String command = "{'execute':'x-mem-crc','arguments':{'dpa':0,'length':" + (128 << 20) + "}}";
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < LONG_COMMANDS_LIMIT + 1; i++) {
            RawClient client = new RawClient(address(0));
            client.negotiate();
            clients.add(client);
        }
        for (int round = 0; round < 2; round++) {
            head.signal("STOP");
            clients.forEach(client -> client.send(command));
            head.signal("CONT");
            List<String> refusals = new ArrayList<>();
            int done = 0;
            for (RawClient client : clients) {
                Map<?, ?> reply = client.receiveAnswer();
                if (reply.get("error") instanceof Map<?, ?> error) {
                    refusals.add(String.valueOf(error.get("desc")));
                } else {
                    done++;
                }
            }
            assertEquals(List.of("too many long memory commands under way: limit=32"), refusals, "round " + round);
            assertEquals(LONG_COMMANDS_LIMIT, done);
        }
        clients.forEach(RawClient::close);
    }

    @Test
    void shouldNotLetAClientFillTheLog() throws Exception {
        Head head = heads.startDevice(1)[0];
        int linesBefore = head.log().split("\n").length;
        int commands = 20_000;
        try (QmpClient client = connect(0)) {
            for (int i = 0; i < commands; i++) {
                assertTrue(client.execute("x-mem-read", Map.of("dpa", i, "length", 1))
                        .error()
                        .isPresent());
            }
        }
        int lines = head.log().split("\n").length - linesBefore;
        System.out.println("logLines=" + lines + " commands=" + commands);
        assertTrue(lines < BoundedLog.BURST_LINES + 60 * BoundedLog.LINES_PER_SECOND, "lines=" + lines);
        assertEquals(0, head.terminate());
        assertTrue(head.log().contains("log lines left out: lines="), head.log());
    }
}

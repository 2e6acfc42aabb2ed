package io.mhsld.stress.bench;

import io.mhsld.media.Media;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/**
 * What it takes to ask the fabric manager's process something over FM-API on loopback, one request at a time: something that it answers itself, and an
 * add of one block that another process, a head, has to do. The add is taken back by force each time, over FM-API too.
 */
final class FmLatency {
    private static final long BLOCKS = 64;
    private static final long TIMEOUT_MS = 10_000;
    private static final String DEFAULT = "2 MiB, sparse";
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int RUNS = 3;
    private static final int PACKET_LENGTH = 68;
    private static final int HEADER_LENGTH = 12;
    private static final int FIRST_BODY = 5;
    private static final Pattern PORT = Pattern.compile("mctp=tcp:127\\.0\\.0\\.1:([0-9]+)");

    private static final int IDENTIFY = 0x0001;
    private static final int GET_MULTI_HEADED_INFO = 0x5500;
    private static final int ADD = 0x5604;
    private static final int RELEASE = 0x5605;
    private static final int PRESCRIPTIVE = 0x02;
    private static final int FORCED_PRESCRIPTIVE = 0x11;
    private static final long SMALL_BLOCK_BYTES = 64 << 10;

    /** Microseconds, of a device as init makes it when nobody says otherwise. */
    private static final Map<String, Integer> GOALS = new TreeMap<>(
            Map.of("0001h Identify", 60, "5604h add on a head: " + DEFAULT, 120, "QMP add on a head: " + DEFAULT, 200));

    private final Map<String, List<Double>> medians = new HashMap<>();
    private final PrintStream out;
    private final int rounds;
    private final List<Process> processes = new ArrayList<>();

    private FmLatency(PrintStream out, int rounds) {
        this.out = out;
        this.rounds = rounds;
    }

    /**
     * Runs so many rounds, some times over, and prints what they took; the first half is not counted.
     *
     * @param launcher the script that starts heads
     */
    static void measure(String launcher, int rounds, PrintStream out) throws IOException {
        new FmLatency(out, rounds).measure(launcher);
    }

    private void measure(String launcher) throws IOException {
        out.printf(
                "%nFM-API over MCTP/TCP through mhsld fm, one request at a time, %d rounds, microseconds:%n", rounds);
        out.printf("%-42s %9s %9s %9s %9s%n", "", "p50", "p90", "p99", "max");
        measure(launcher, DEFAULT, 2 << 20, ScratchDevice.createSparse(BLOCKS));
        Goals goals = new Goals();
        GOALS.forEach((what, us) -> goals.atMost(what + ", median of p50s", us, median(medians.get(what)), "us"));
        measure(launcher, "64 KiB, reserved", SMALL_BLOCK_BYTES, ScratchDevice.create(BLOCKS, SMALL_BLOCK_BYTES));
        measure(launcher, "2 MiB, reserved", 2 << 20, ScratchDevice.create(BLOCKS));
        printSystem();
        goals.print(out);
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    private void measure(String launcher, String what, long blockBytes, ScratchDevice scratch) throws IOException {
        try (ScratchDevice device = scratch) {
            try {
                start(launcher, "head", "--mhd-head=0", "--mhd-state_file=" + device.name(), "--host-driver=auto");
                start(launcher, "head", "--mhd-head=1", "--mhd-state_file=" + device.name(), "--host-driver=auto");
                String ready = start(launcher, "fm", device.name(), "--mctp=tcp:127.0.0.1:0");
                for (int run = 0; run < RUNS; run++) {
                    measure(ready, what, blockBytes);
                    measureQmp(device, what, blockBytes);
                }
            } finally {
                end();
            }
        }
    }

    /** What of an add with reserved memory is the system's: pages are made for a range that was given back before. */
    private void printSystem() {
        try (ScratchDevice device = ScratchDevice.create(BLOCKS);
                Media media = Media.open(device.files().mediaFile(), BLOCKS * (2 << 20), Media.Space.RESERVED)) {
            Histogram scrubs = new Histogram(SIGNIFICANT_DIGITS);
            for (int round = 0; round < rounds; round++) {
                media.giveBack(0, 2 << 20);
                long startNs = System.nanoTime();
                if (!media.scrub(0, 2 << 20)) {
                    throw new IllegalStateException("no memory left");
                }
                scrubs.recordValue(System.nanoTime() - startNs);
            }
            print("the system alone: reserve 2 MiB", scrubs);
        }
    }

    private void measure(String ready, String what, long blockBytes) throws IOException {
        Matcher port = PORT.matcher(ready);
        if (!port.find()) {
            throw new IOException("no port: said=" + ready);
        }
        try (Client client = new Client(Integer.parseInt(port.group(1)))) {
            byte[] info = {0, 8};
            if (client.ask(IDENTIFY, new byte[0]) == 0) {
                print("0001h Identify", times(() -> client.ask(IDENTIFY, new byte[0])));
            }
            print("5500h Get Multi-Headed Info", times(() -> client.ask(GET_MULTI_HEADED_INFO, info)));
            Histogram adds = new Histogram(SIGNIFICANT_DIGITS);
            Histogram releases = new Histogram(SIGNIFICANT_DIGITS);
            byte[] add = order(PRESCRIPTIVE, blockBytes);
            byte[] release = order(FORCED_PRESCRIPTIVE, blockBytes);
            for (int round = 0; round < rounds; round++) {
                long startNs = System.nanoTime();
                require(client.ask(ADD, add), ADD);
                long addedNs = System.nanoTime();
                require(client.ask(RELEASE, release), RELEASE);
                if (round >= rounds / 2) {
                    adds.recordValue(addedNs - startNs);
                    releases.recordValue(System.nanoTime() - addedNs);
                }
            }
            print("5604h add on a head: " + what, adds);
            print("5605h forced release: " + what, releases);
        }
    }

    private void measureQmp(ScratchDevice device, String what, long blockBytes) {
        LocalAddress address = LocalAddress.unix(device.files().controlSocket(1));
        Map<String, Object> request = new HashMap<>();
        request.put("path", "");
        request.put("host-id", 1);
        request.put("region", 0);
        request.put("extents", List.of(Map.of("offset", 0, "len", blockBytes)));
        Map<String, Object> add = new HashMap<>(request);
        add.put("selection-policy", "prescriptive");
        Map<String, Object> release = new HashMap<>(request);
        release.put("removal-policy", "prescriptive");
        release.put("forced-removal", true);
        Histogram adds = new Histogram(SIGNIFICANT_DIGITS);
        try (QmpClient client = QmpClient.connect(address, TIMEOUT_MS)) {
            for (int round = 0; round < rounds; round++) {
                long startNs = System.nanoTime();
                require(client.execute("cxl-add-dynamic-capacity", add));
                if (round >= rounds / 2) {
                    adds.recordValue(System.nanoTime() - startNs);
                }
                require(client.execute("cxl-release-dynamic-capacity", release));
            }
        }
        print("QMP add on a head: " + what, adds);
    }

    private static void require(QmpReply reply) {
        reply.error().ifPresent(error -> {
            throw new IllegalStateException("head refuses: reason=" + error.description());
        });
    }

    private static void require(int code, int opcode) {
        if (code != 0) {
            throw new IllegalStateException(String.format("refused: opcode=%04x code=%04x", opcode, code));
        }
    }

    private interface Request {
        int ask() throws IOException;
    }

    private Histogram times(Request request) throws IOException {
        Histogram times = new Histogram(SIGNIFICANT_DIGITS);
        for (int round = 0; round < rounds; round++) {
            long startNs = System.nanoTime();
            require(request.ask(), 0);
            if (round >= rounds / 2) {
                times.recordValue(System.nanoTime() - startNs);
            }
        }
        return times;
    }

    /** Host 0, region 0, the first block. */
    private static byte[] order(int policy, long lengthBytes) {
        ByteBuffer order = ByteBuffer.allocate(32 + 40).order(ByteOrder.LITTLE_ENDIAN);
        order.put(2, (byte) policy).putLong(4, lengthBytes).putInt(28, 1);
        order.putLong(32, 0).putLong(40, lengthBytes);
        return order.array();
    }

    private void print(String what, Histogram histogram) {
        medians.computeIfAbsent(what, key -> new ArrayList<>()).add(histogram.getValueAtPercentile(50) / 1e3);
        out.printf(
                "%-42s %9.1f %9.1f %9.1f %9.1f%n",
                what,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(90) / 1e3,
                histogram.getValueAtPercentile(99) / 1e3,
                histogram.getMaxValue() / 1e3);
    }

    /** A client as simple as can be: one blocking socket, one request at a time. */
    private static final class Client implements AutoCloseable {
        private final SocketChannel channel;
        private final ByteBuffer packets =
                ByteBuffer.allocateDirect(64 * PACKET_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        private int tag;

        private Client(int port) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }

        /** The return code of the answer. */
        private int ask(int opcode, byte[] payload) throws IOException {
            tag = (tag + 1) & 0xFF;
            byte[] message = ByteBuffer.allocate(1 + HEADER_LENGTH + payload.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put((byte) (opcode >= 0x5100 ? 7 : 8))
                    .put((byte) 0)
                    .put((byte) tag)
                    .put((byte) 0)
                    .putShort((short) opcode)
                    .putShort((short) payload.length)
                    .put((byte) 0)
                    .putInt(0)
                    .put(payload)
                    .array();
            int body = PACKET_LENGTH - 4;
            int count = (message.length + body - 1) / body;
            packets.clear();
            for (int i = 0; i < count; i++) {
                int flags = (i == 0 ? 0x80 : 0) | (i == count - 1 ? 0x40 : 0) | ((i & 3) << 4) | 0x08;
                packets.put((byte) 1).put((byte) 9).put((byte) 8).put((byte) flags);
                byte[] part = new byte[body];
                System.arraycopy(message, i * body, part, 0, Math.min(body, message.length - i * body));
                packets.put(part);
            }
            packets.flip();
            while (packets.hasRemaining()) {
                channel.write(packets);
            }
            packets.clear();
            do {
                if (channel.read(packets) < 0) {
                    throw new IOException("connection was closed");
                }
            } while (packets.position() % PACKET_LENGTH != 0
                    || (packets.get(packets.position() - PACKET_LENGTH + 3) & 0x40) == 0);
            if ((packets.get(FIRST_BODY + 1) & 0xFF) != tag) {
                throw new IOException("answer to another request");
            }
            return packets.getShort(FIRST_BODY + 8);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private String start(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        processes.add(process);
        BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine();
        if (line == null || !line.startsWith("ready ")) {
            throw new IOException("not ready: command=" + String.join(" ", command) + " said=" + line);
        }
        return line;
    }

    private void end() throws IOException {
        processes.forEach(Process::destroy);
        try {
            for (Process process : processes) {
                if (!process.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                    throw new IOException("does not leave: pid=" + process.pid());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            processes.clear();
        }
    }
}

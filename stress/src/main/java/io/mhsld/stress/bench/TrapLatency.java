package io.mhsld.stress.bench;

import io.mhsld.head.EventLoop;
import io.mhsld.register.PciFunction;
import io.mhsld.state.DeviceFiles;
import io.mhsld.vfiouser.VfioUserServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;

/**
 * What a guest's access costs that is carried to another process over vfio-user: from the first byte of the message to the last one of the answer, one at a
 * time, to a function that is nothing but memory. And what a posted write costs whoever sends it, until the last one of a row is done.
 */
final class TrapLatency {
    private static final int RUNS = 3;
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int GOAL_US = 40;
    private static final int WARM_UP = 20_000;
    private static final int POSTED_ROW = 256;
    private static final int POSTED_LENGTH = 64;
    private static final long TIMEOUT_MS = 10_000;
    private static final String READ_OF_FOUR = "region read, 4 bytes";

    private static final int HEADER = 16;
    private static final int ACCESS = 16;
    private static final int VERSION = 1;
    private static final int READ = 9;
    private static final int WRITE = 10;
    private static final int NO_REPLY = 0x10;

    private final PrintStream out;
    private final int rounds;

    private TrapLatency(PrintStream out, int rounds) {
        this.out = out;
        this.rounds = rounds;
    }

    /** Runs so many rounds, some times over, and prints what they took. */
    static void measure(int rounds, PrintStream out) throws IOException {
        new TrapLatency(out, rounds).measure();
    }

    private void measure() throws IOException {
        out.printf("%nAccesses over vfio-user, to another process, %d rounds, microseconds:%n", rounds);
        out.printf("%-42s %9s %9s %9s %9s%n", "", "p50", "p90", "p99", "max");
        Path folder = Files.createTempDirectory(DeviceFiles.SHARED_MEMORY_FOLDER, "mhsld-bench-");
        Path socket = folder.resolve("vfio");
        Process server = start(socket);
        List<Double> medians = new ArrayList<>();
        try (Client client = new Client(socket)) {
            client.warmUp();
            for (int run = 0; run < RUNS; run++) {
                medians.add(print(READ_OF_FOUR, times(() -> client.read(4))));
                print("region read, 8 bytes", times(() -> client.read(8)));
                print("region write, 4 bytes, answered", times(() -> client.write(4, 0)));
                print("posted write, 64 bytes, each of " + POSTED_ROW, posted(client));
            }
        } finally {
            server.destroy();
            end(server);
            Files.deleteIfExists(socket);
            Files.delete(folder);
        }
        Goals goals = new Goals();
        medians.sort(null);
        goals.atMost(READ_OF_FOUR + ", median of p50s", GOAL_US, medians.get(RUNS / 2), "us");
        goals.print(out);
    }

    private Process start(Path socket) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                TrapServer.class.getName(),
                socket.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (line == null) {
            throw new IOException("server does not start");
        }
        return process;
    }

    private static void end(Process server) throws IOException {
        try {
            if (!server.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                server.destroyForcibly();
                throw new IOException("does not leave: pid=" + server.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private interface Access {
        void run() throws IOException;
    }

    private Histogram times(Access access) throws IOException {
        Histogram times = new Histogram(SIGNIFICANT_DIGITS);
        for (int round = 0; round < rounds; round++) {
            long startNs = System.nanoTime();
            access.run();
            times.recordValue(System.nanoTime() - startNs);
        }
        return times;
    }

    private Histogram posted(Client client) throws IOException {
        Histogram times = new Histogram(SIGNIFICANT_DIGITS);
        for (int round = 0; round < rounds / POSTED_ROW + 1; round++) {
            long startNs = System.nanoTime();
            for (int i = 1; i < POSTED_ROW; i++) {
                client.write(POSTED_LENGTH, NO_REPLY);
            }
            client.write(POSTED_LENGTH, 0);
            times.recordValue((System.nanoTime() - startNs) / POSTED_ROW);
        }
        return times;
    }

    /** Prints a row, and returns its median. */
    private double print(String what, Histogram histogram) {
        out.printf(
                "%-42s %9.1f %9.1f %9.1f %9.1f%n",
                what,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(90) / 1e3,
                histogram.getValueAtPercentile(99) / 1e3,
                histogram.getMaxValue() / 1e3);
        return histogram.getValueAtPercentile(50) / 1e3;
    }

    /** A client as simple as can be: one blocking socket. */
    private static final class Client implements AutoCloseable {
        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        private final ByteBuffer message = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());

        private Client(Path socket) throws IOException {
            channel.connect(UnixDomainSocketAddress.of(socket));
            send(VERSION, 0, begin(4));
            receive();
        }

        private void warmUp() throws IOException {
            for (int i = 0; i < WARM_UP; i++) {
                read(4);
                write(4, 0);
                write(POSTED_LENGTH, NO_REPLY);
            }
        }

        private void read(int length) throws IOException {
            begin(ACCESS).putLong(HEADER, 0).putInt(HEADER + 8, 0).putInt(HEADER + 12, length);
            send(READ, 0, message);
            receive();
        }

        private void write(int length, int flags) throws IOException {
            begin(ACCESS + length).putLong(HEADER, 0).putInt(HEADER + 8, 0).putInt(HEADER + 12, length);
            send(WRITE, flags, message);
            if (flags == 0) {
                receive();
            }
        }

        private ByteBuffer begin(int payloadLength) {
            return message.clear().limit(HEADER + payloadLength).putInt(HEADER, 0);
        }

        private void send(int command, int flags, ByteBuffer whole) throws IOException {
            whole.putShort(2, (short) command).putInt(4, whole.limit()).putInt(8, flags);
            while (whole.hasRemaining()) {
                channel.write(whole);
            }
        }

        private void receive() throws IOException {
            message.clear();
            do {
                if (channel.read(message) < 0) {
                    throw new IOException("connection was closed");
                }
            } while (message.position() < HEADER || message.position() < message.getInt(4));
            if (message.getInt(8) != 1) {
                throw new IOException("refused: error=" + message.getInt(12));
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** The other process. */
    static final class TrapServer {
        private TrapServer() {}

        /** Takes the path of the socket. */
        public static void main(String[] arguments) {
            EventLoop loop = EventLoop.open();
            loop.onError(Throwable::printStackTrace);
            VfioUserServer server =
                    new VfioUserServer(loop, new Memory(), System.err::println, Throwable::printStackTrace);
            server.listen(VfioUserServer.address("unix:" + arguments[0]));
            System.out.println("ready");
            loop.run();
            server.close();
        }
    }

    private static final class Memory implements PciFunction {
        private final byte[] bytes = new byte[4096];

        @Override
        public long regionLengthBytes(int region) {
            return region == 0 ? bytes.length : 0;
        }

        @Override
        public void read(int region, long offset, byte[] destination, int destinationOffset, int lengthBytes) {
            System.arraycopy(bytes, (int) offset, destination, destinationOffset, lengthBytes);
        }

        @Override
        public void write(int region, long offset, byte[] source, int sourceOffset, int lengthBytes) {
            System.arraycopy(source, sourceOffset, bytes, (int) offset, lengthBytes);
        }

        @Override
        public void reset() {}

        @Override
        public int interruptVectors() {
            return 0;
        }

        @Override
        public void onInterrupt(IntConsumer raise) {}
    }
}

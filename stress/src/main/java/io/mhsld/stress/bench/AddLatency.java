package io.mhsld.stress.bench;

import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * The whole way of an add: a head as a process of its own, which answers for its host by itself, is told over QMP to add one block, until the
 * host has accepted it; then the block is taken away by force, and again.
 */
final class AddLatency {
    private static final long BLOCKS = 64;
    private static final long TIMEOUT_MS = 10_000;
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final Map<String, Object> EXTENT = Map.of("offset", 0, "len", ScratchDevice.BLOCK_SIZE_BYTES);

    private final Histogram answered = new Histogram(SIGNIFICANT_DIGITS);
    private final Histogram accepted = new Histogram(SIGNIFICANT_DIGITS);

    private AddLatency() {}

    /**
     * Runs so many rounds and prints what they took; the first tenth is not counted.
     *
     * @param launcher the script that starts heads
     */
    static void measure(String launcher, int rounds, PrintStream out) throws IOException {
        AddLatency latency = new AddLatency();
        try (ScratchDevice device = ScratchDevice.create(BLOCKS)) {
            Process head = new ProcessBuilder(
                            launcher, "head", "--mhd-head=0", "--mhd-state_file=" + device.name(), "--host-driver=auto")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                awaitReady(head);
                LocalAddress address = LocalAddress.unix(device.files().controlSocket(0));
                try (QmpClient client = QmpClient.connect(address, TIMEOUT_MS)) {
                    latency.run(client, rounds);
                }
            } finally {
                end(head);
            }
        }
        latency.print(rounds, out);
    }

    private void run(QmpClient client, int rounds) {
        Object path = ask(client, "x-query-head", Map.of()).get("id");
        Map<String, Object> add = Map.of(
                "path",
                path,
                "host-id",
                0,
                "selection-policy",
                "prescriptive",
                "region",
                0,
                "extents",
                List.of(EXTENT));
        Map<String, Object> release = Map.of(
                "path",
                path,
                "host-id",
                0,
                "removal-policy",
                "prescriptive",
                "forced-removal",
                true,
                "region",
                0,
                "extents",
                List.of(EXTENT));
        for (int round = 0; round < rounds; round++) {
            long startNs = System.nanoTime();
            ask(client, "cxl-add-dynamic-capacity", add);
            long answeredNs = System.nanoTime() - startNs;
            while (((List<?>) ask(client, "x-query-extents", Map.of()).get("accepted")).isEmpty()) {
                // Asking takes its time; the next answer may tell more.
            }
            long acceptedNs = System.nanoTime() - startNs;
            ask(client, "cxl-release-dynamic-capacity", release);
            if (round >= rounds / 10) {
                answered.recordValue(answeredNs);
                accepted.recordValue(acceptedNs);
            }
        }
    }

    private void print(int rounds, PrintStream out) {
        out.printf(
                "%nAdd of one 2 MiB block over QMP, to a head process with --host-driver=auto, %d rounds, microseconds:%n",
                rounds);
        out.printf("%-34s %9s %9s %9s %9s%n", "", "p50", "p90", "p99", "max");
        print("add -> answered", answered, out);
        print("add -> seen accepted, over QMP too", accepted, out);
    }

    private static void print(String what, Histogram histogram, PrintStream out) {
        out.printf(
                "%-34s %9.1f %9.1f %9.1f %9.1f%n",
                what,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(90) / 1e3,
                histogram.getValueAtPercentile(99) / 1e3,
                histogram.getMaxValue() / 1e3);
    }

    private static Map<?, ?> ask(QmpClient client, String command, Map<String, ?> arguments) {
        QmpReply reply = client.execute(command, arguments);
        reply.error().ifPresent(error -> {
            throw new IllegalStateException("head refuses: command=" + command + " reason=" + error.description());
        });
        return (Map<?, ?>) reply.value();
    }

    private static void awaitReady(Process head) throws IOException {
        BufferedReader output =
                new BufferedReader(new InputStreamReader(head.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine();
        if (line == null || !line.startsWith("ready ")) {
            throw new IOException("head is not ready: said=" + line);
        }
    }

    private static void end(Process head) throws IOException {
        head.destroy();
        try {
            if (!head.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                head.destroyForcibly();
                throw new IOException("head does not leave: pid=" + head.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            head.destroyForcibly();
        }
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.socket.LocalAddress;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A peer that writes anything anywhere into the shared state file: the others neither crash nor hang, and verify tells. */
@Timeout(120)
@ExtendWith(HeadProcesses.Evidence.class)
class HostilePeerTest implements HeadProcesses.HoldsHeads {
    private static final long DURATION_NS = TimeUnit.SECONDS.toNanos(2);
    private static final int HEADER_LENGTH = 4096;

    /** What a verb, or a head that gives up, may end with: everything in the table but the defect. */
    private static final Set<Integer> ORDERLY = Set.of(0, 1, 2, 3, 4);

    private final long seed = Long.getLong("mhsld.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void end() throws IOException {
        heads.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, HEADER_LENGTH})
    void shouldNeitherCrashNorHangWhileAPeerScribbles(int firstByte) throws Exception {
        System.out.println("-Dmhsld.seed=" + seed);
        Head head = heads.startDevice(1)[0];
        List<String[]> verbs = List.of(
                new String[] {"status"},
                new String[] {"map"},
                new String[] {"extents"},
                new String[] {"errors"},
                new String[] {"verify"},
                new String[] {"recover"});
        int answers = 0;
        try (FileChannel channel =
                FileChannel.open(heads.files.stateFile(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            byte[] before = new byte[(int) channel.size()];
            MappedByteBuffer state = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            state.get(0, before);
            long endNs = System.nanoTime() + DURATION_NS;
            while (System.nanoTime() < endNs) {
                for (int bytes = random.nextInt(64); bytes >= 0; bytes--) {
                    state.put(random.nextInt(firstByte, state.capacity()), (byte) random.nextInt(256));
                }
                try (QmpClient client = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(0)), 20_000)) {
                    long offset = (long) random.nextInt(16) << 22;
                    List<Map<String, Object>> extents = List.of(Map.of("offset", offset, "len", 1L << 22));
                    client.execute(
                            "cxl-add-dynamic-capacity",
                            Map.of(
                                    "path",
                                    "",
                                    "host-id",
                                    0,
                                    "selection-policy",
                                    "prescriptive",
                                    "region",
                                    0,
                                    "extents",
                                    extents));
                    client.execute("x-mem-fill", Map.of("dpa", offset, "length", 1L << 22, "value", 1));
                    client.execute(
                            "cxl-release-dynamic-capacity",
                            Map.of(
                                    "path",
                                    "",
                                    "host-id",
                                    0,
                                    "removal-policy",
                                    "prescriptive",
                                    "region",
                                    0,
                                    "extents",
                                    extents,
                                    "forced-removal",
                                    random.nextBoolean()));
                    client.execute("x-query-extents");
                    client.execute("x-query-head");
                    answers++;
                } catch (QmpException e) {
                    // Gone, which is its right; hanging would be an answer that does not come in time.
                    assertTrue(!e.getMessage().contains("in time"), e.getMessage() + " -Dmhsld.seed=" + seed);
                }
                String[] verb = verbs.get(random.nextInt(verbs.size()));
                Outcome outcome = heads.run(verb[0]);
                assertTrue(ORDERLY.contains(outcome.exitCode()), verb[0] + " " + outcome + " -Dmhsld.seed=" + seed);
            }
            // All of it, so that there is something to find.
            for (int at = firstByte; at < state.capacity(); at += 7) {
                state.put(at, (byte) random.nextInt(256));
            }
            Outcome verified = heads.run("verify");
            assertTrue(verified.exitCode() == 1 || verified.exitCode() == 3, verified + " -Dmhsld.seed=" + seed);
            int exitCode =
                    head.process().isAlive() ? head.terminate() : head.process().exitValue();
            System.out.println("answers=" + answers + " exitCode=" + exitCode);
            assertTrue(ORDERLY.contains(exitCode), "exitCode=" + exitCode + head.log() + " -Dmhsld.seed=" + seed);
            assertTrue(!head.output().contains("SIGSEGV") && !head.output().contains("SIGBUS"), head.output());
            state.put(0, before);
        }
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The files of a device are cut, removed or replaced while real heads are at work on them: each head says so in one line that names the file, and
 * ends with the exit code for it; none crashes, hangs, or says that it has won anything afterwards. Interpreted, and compiled by either compiler,
 * since the JVM meets a fault in mapped memory differently in each.
 */
@Timeout(120)
@ExtendWith(HeadProcesses.Evidence.class)
class LostDeviceTest implements HeadProcesses.HoldsHeads {
    private static final long MIB = 1L << 20;
    private static final int HEADS = 2;

    /** A head looks at its files every 400 ms; the rest is for a machine with other things to do. */
    private static final long LIMIT_MS = 30_000;

    private static final List<String> INTERPRETED = List.of("-Xint");
    private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1");
    private static final List<String> TIERED = List.of();

    private Path folder;
    private HeadProcesses heads;

    @BeforeEach
    void makeFolder() throws IOException {
        Path memory = DeviceFiles.SHARED_MEMORY_FOLDER;
        folder = memory.toFile().getUsableSpace() >= 1 << 30
                ? Files.createTempDirectory(memory, "mhsld-test-lost-")
                : Files.createTempDirectory("mhsld-test-lost-");
        heads = new HeadProcesses(folder.resolve("dev").toString());
    }

    @AfterEach
    void removeFolder() throws IOException {
        heads.endAll();
        removeAll(folder);
        Files.createDirectory(folder);
        heads.close();
        removeAll(folder);
    }

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    private static void removeAll(Path path) throws IOException {
        if (Files.exists(path)) {
            try (Stream<Path> paths = Files.walk(path)) {
                for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(each);
                }
            }
        }
    }

    private interface Damage {
        void to(DeviceFiles files) throws Exception;
    }

    private static Arguments damage(String name, List<String> jvmFlags, String said, Damage damage) {
        return Arguments.of(name, jvmFlags, said, damage);
    }

    static Stream<Arguments> damages() {
        List<Arguments> all = new ArrayList<>();
        // Without compiled code the JVM may die of a swap just at the cut, which the other test aims at and a random
        // moment rarely meets.
        all.add(damage("media cut to nothing", INTERPRETED, "media file was cut", files -> cut(files.mediaFile(), 0)));
        for (List<String> flags : List.of(QUICK, TIERED)) {
            all.add(damage("state cut to nothing", flags, "state file was cut", files -> cut(files.stateFile(), 0)));
            all.add(damage("map cut away", flags, "state file was cut", files -> cut(files.stateFile(), -4096)));
            all.add(damage("media cut to nothing", flags, "media file was cut", files -> cut(files.mediaFile(), 0)));
        }
        all.add(damage("state cut to its header", QUICK, "state file was cut", files -> cut(files.stateFile(), 4096)));
        all.add(damage(
                "state cut to its head table", QUICK, "state file was cut", files -> cut(files.stateFile(), 8192)));
        all.add(damage("state cut by a byte", QUICK, "state file was cut", files -> cut(files.stateFile(), -1)));
        all.add(damage("state removed", QUICK, "state file was removed", files -> Files.delete(files.stateFile())));
        all.add(damage("lock removed", QUICK, "lock file was removed", files -> Files.delete(files.lockFile())));
        all.add(damage("media removed", QUICK, "media file was removed", files -> Files.delete(files.mediaFile())));
        all.add(damage("folder removed", QUICK, "state file was removed", files -> removeAll(parent(files))));
        all.add(damage("state replaced by folder", QUICK, "state file was replaced", files -> {
            Files.delete(files.stateFile());
            Files.createDirectory(files.stateFile());
        }));
        all.add(damage("state replaced by pipe", QUICK, "state file was replaced", files -> {
            Path pipe = parent(files).resolve("pipe");
            new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
            replace(files.stateFile(), pipe);
        }));
        all.add(damage("state replaced by link to nothing", QUICK, "state file was replaced", files -> {
            Path link = parent(files).resolve("link");
            replace(
                    files.stateFile(),
                    Files.createSymbolicLink(link, parent(files).resolve("nothing")));
        }));
        all.add(damage("media replaced by link to a copy", QUICK, "media file was replaced", files -> {
            Path copy = parent(files).resolve("copy");
            Files.copy(files.mediaFile(), copy);
            replace(files.mediaFile(), Files.createSymbolicLink(parent(files).resolve("link"), copy));
        }));
        return all.stream();
    }

    /** At once: a head that looks in between must not find nothing. */
    private static void replace(Path file, Path replacement) throws IOException {
        Files.move(replacement, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Path parent(DeviceFiles files) {
        return files.stateFile().getParent();
    }

    /**
     * Makes a file shorter.
     *
     * @param length bytes to be left, or with a minus to be taken away
     */
    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(length >= 0 ? length : open.length() + length);
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("damages")
    void shouldSaySoAndStop(String name, List<String> jvmFlags, String said, Damage damage) throws Exception {
        heads.jvmFlags = jvmFlags;
        Head[] started = heads.startDevice(HEADS, "--wait=60");
        ExecutorService clients = Executors.newFixedThreadPool(HEADS);
        AtomicInteger wins = new AtomicInteger();
        try {
            List<Future<?>> work = new ArrayList<>();
            for (int head = 0; head < HEADS; head++) {
                int id = head;
                work.add(clients.submit(() -> contend(id, wins)));
            }
            HeadProcesses.await("some load", () -> wins.get() > 200);
            damage.to(heads.files);
            for (Head head : started) {
                assertTrue(head.process().waitFor(LIMIT_MS, TimeUnit.MILLISECONDS), "head goes on: " + head.log());
                assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), head.awaitExit(), head.output() + head.log());
            }
            for (Head head : started) {
                List<String> last = head.log()
                        .lines()
                        .filter(line -> line.startsWith("mhsld: "))
                        .toList();
                assertEquals(1, last.size(), head.log());
                assertTrue(last.get(0).contains(said + " under a live head: head=" + head.id()), last.get(0));
                assertTrue(last.get(0).contains(" file=" + folder), last.get(0));
                assertFalse(head.log().contains("\tat "), head.log());
            }
            for (Future<?> each : work) {
                each.get(10, TimeUnit.SECONDS);
            }
        } finally {
            clients.shutdownNow();
        }
        assertEquals(List.of(), heads.crashReports());
    }

    static Stream<Arguments> stores() {
        return Stream.of("HEAD_TABLE", "OWNER_MAP", "COUNTERS", "EXTENT_TABLES")
                .flatMap(section -> Stream.of(INTERPRETED, QUICK).map(flags -> Arguments.of(section, flags)));
    }

    /** Between two stores of an add: what the head has done to the file is void, and it does not say that it has won. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("stores")
    void shouldWinNothingWhenStateFileIsCutInMiddleOfAdd(String section, List<String> jvmFlags) throws Exception {
        heads.jvmFlags = Stream.concat(
                        jvmFlags.stream(),
                        Stream.of(
                                "-Dmhsld.step=" + CutAtStore.class.getName(),
                                "-D" + CutAtStore.FILE_PROPERTY + "=" + heads.files.stateFile()))
                .toList();
        Head head = heads.startDevice(1, "--wait=60")[0];
        Map<String, Object> add = request(4, Map.of("selection-policy", "prescriptive"));
        try (QmpClient client = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(0)), 10_000)) {
            Files.writeString(CutAtStore.order(heads.files.stateFile()), section);
            QmpReply reply = client.execute("cxl-add-dynamic-capacity", add);
            assertTrue(reply.error().isPresent(), "won in a file that was cut: " + reply);
        } catch (QmpException e) {
            // The head has ended without an answer.
        }
        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), head.awaitExit(), head.output() + head.log());
        assertTrue(
                head.log()
                        .contains(
                                "mhsld: state file was cut under a live head: head=0 file=" + heads.files.stateFile()),
                head.log());
        assertFalse(head.log().contains("\tat "), head.log());
        assertEquals(List.of(), heads.crashReports());
    }

    /** Adds and takes away, until nobody answers any more. */
    private void contend(int head, AtomicInteger wins) {
        try (QmpClient client = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(head)), 10_000)) {
            for (int round = 0; ; round++) {
                int first = round * 5 % 30;
                QmpReply added = client.execute(
                        "cxl-add-dynamic-capacity", request(first, Map.of("selection-policy", "prescriptive")));
                if (added.error().isEmpty()) {
                    client.execute(
                            "cxl-release-dynamic-capacity",
                            request(first, Map.of("removal-policy", "prescriptive", "forced-removal", true)));
                }
                wins.incrementAndGet();
            }
        } catch (QmpException e) {
            // The head has ended.
        }
    }

    private static Map<String, Object> request(long first, Map<String, Object> more) {
        Map<String, Object> request = new HashMap<>(Map.of(
                "path",
                "cxl-mem0",
                "host-id",
                0,
                "region",
                0,
                "extents",
                List.of(Map.of("offset", first * 2 * MIB, "len", 4 * MIB))));
        request.putAll(more);
        return request;
    }
}

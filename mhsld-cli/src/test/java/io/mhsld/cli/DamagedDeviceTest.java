package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every verb on every kind of damaged device, with no head alive: a clear line, an exit code of the table, and an end. */
@Tag("one-java")
@Timeout(120)
class DamagedDeviceTest {
    private static final int DONE = ExitCode.DONE.number();
    private static final int REFUSED = ExitCode.REFUSED.number();
    private static final int UNUSABLE = ExitCode.STATE_FILE_UNUSABLE.number();
    private static final int NOT_RUNNING = ExitCode.HEAD_NOT_RUNNING.number();

    /** A verb that ends differently is not run: it would serve. */
    private static final int NOT_RUN = -1;

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Path folder;
    private DeviceFiles files;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory(DeviceFiles.SHARED_MEMORY_FOLDER, "mhsld-test-damaged-");
        files = DeviceFiles.named(folder.resolve("dev").toString());
    }

    @AfterEach
    void removeFolder() throws IOException {
        removeAll(folder);
    }

    private static void removeAll(Path path) throws IOException {
        try (Stream<Path> paths = Files.walk(path)) {
            for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    // ---- the table

    private interface Act {
        void to(DeviceFiles files) throws Exception;
    }

    /** Exit codes of: looking verbs, verify, recover, fence, verbs for a head, head, destroy, init. */
    @SuppressWarnings("ImmutableEnumChecker") // nobody changes them
    enum Damage {
        NONE(files -> {}, DONE, DONE, DONE, NOT_RUNNING, NOT_RUNNING, NOT_RUN, DONE, DONE),
        STATE_REMOVED(files -> Files.delete(files.stateFile()), 3, 3, 3, 3, 3, 3, 3, DONE),
        STATE_EMPTY(files -> cut(files.stateFile(), 0), 3, 3, 3, 3, 3, 3, 3, DONE),
        STATE_SHORTER_THAN_HEADER(files -> cut(files.stateFile(), 4095), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_ONLY_HEADER(files -> cut(files.stateFile(), 4096), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_HALF(files -> cut(files.stateFile(), Files.size(files.stateFile()) / 2), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_BYTE_SHORTER(files -> cut(files.stateFile(), Files.size(files.stateFile()) - 1), 3, 3, 3, 3, 3, 3, 0, 0),
        STATE_BYTE_LONGER(files -> cut(files.stateFile(), Files.size(files.stateFile()) + 1), 3, 3, 3, 3, 3, 3, 0, 0),
        STATE_NOT_READY(files -> put(files.stateFile(), 8, 0), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_OF_VERSION_1(files -> put(files.stateFile(), 8, 1), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_WITHOUT_MAGIC(files -> put(files.stateFile(), 0, 1), 3, 3, 3, 3, 3, 3, 3, 3),
        STATE_WITH_WRONG_CHECKSUM(files -> put(files.stateFile(), 60, 9), 3, 3, 3, 3, 3, 3, DONE, DONE),
        STATE_A_FOLDER(files -> inPlaceOf(files.stateFile(), Files::createDirectory), 3, 3, 3, 3, 3, 3, 3, 3),
        STATE_A_PIPE(files -> inPlaceOf(files.stateFile(), DamagedDeviceTest::pipe), 3, 3, 3, 3, 3, 3, 3, 3),
        STATE_A_LINK_TO_NOTHING(
                files -> inPlaceOf(files.stateFile(), file -> Files.createSymbolicLink(file, Path.of("/nothing"))),
                3,
                3,
                3,
                3,
                3,
                3,
                3,
                3),
        STATE_A_LINK_TO_ITSELF(
                files -> inPlaceOf(files.stateFile(), file -> Files.createSymbolicLink(file, file)),
                3,
                3,
                3,
                3,
                3,
                3,
                3,
                3),
        MEDIA_REMOVED(files -> Files.delete(files.mediaFile()), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, DONE, DONE),
        MEDIA_EMPTY(files -> cut(files.mediaFile(), 0), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, DONE, DONE),
        MEDIA_HALF(files -> cut(files.mediaFile(), 16 << 20), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, DONE, DONE),
        MEDIA_OF_SMALLER_DEVICE(DamagedDeviceTest::swapMedia, DONE, REFUSED, 3, 3, NOT_RUNNING, 3, DONE, DONE),
        MEDIA_A_FOLDER(
                files -> inPlaceOf(files.mediaFile(), Files::createDirectory),
                DONE,
                REFUSED,
                3,
                3,
                NOT_RUNNING,
                3,
                0,
                3),
        MEDIA_A_PIPE(
                files -> inPlaceOf(files.mediaFile(), DamagedDeviceTest::pipe), 0, REFUSED, 3, 3, NOT_RUNNING, 3, 0, 3),
        MEDIA_A_LINK(DamagedDeviceTest::linkMedia, DONE, REFUSED, 3, 3, NOT_RUNNING, 3, DONE, 3),
        MEDIA_PATH_WITH_NUL(files -> nameMedia(files, "/dev/shm/a\0b"), 3, 3, 3, 3, 3, 3, DONE, DONE),
        MEDIA_PATH_RELATIVE(files -> nameMedia(files, "a"), 3, 3, 3, 3, 3, 3, DONE, DONE),
        MEDIA_PATH_OF_NO_FILE(files -> nameMedia(files, "/dev/shm/" + "a".repeat(256)), 3, 3, 3, 3, 3, 3, DONE, DONE),
        MEDIA_PATH_WITHOUT_ROOM_BESIDE(
                files -> nameMedia(files, "/dev/shm/" + "a".repeat(255)), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, 3, DONE),
        NOTE_WITH_NUL(files -> note(files, "/dev/shm/a\0b"), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, 3, 3),
        NOTE_LONGER_THAN_A_PATH(files -> note(files, "/a".repeat(3000)), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, 3, 3),
        NOTE_OF_NO_FILE(files -> note(files, "/" + "a".repeat(256)), DONE, REFUSED, 3, 3, NOT_RUNNING, 3, 3, 3),
        SOCKET_WITH_NUL(files -> serveAt(files, "/a\0b"), 0, REFUSED, DONE, NOT_RUNNING, 3, NOT_RUN, DONE, DONE),
        SOCKET_OF_NO_FILE(
                files -> serveAt(files, "/" + "a".repeat(123)),
                DONE,
                REFUSED,
                DONE,
                NOT_RUNNING,
                3,
                NOT_RUN,
                DONE,
                DONE),
        LOCK_REMOVED(
                files -> Files.delete(files.lockFile()), DONE, DONE, DONE, NOT_RUNNING, NOT_RUNNING, NOT_RUN, 0, 0),
        LOCK_A_FOLDER(files -> inPlaceOf(files.lockFile(), Files::createDirectory), 3, 3, 3, 3, NOT_RUNNING, 3, 3, 3),
        LOCK_A_PIPE(files -> inPlaceOf(files.lockFile(), DamagedDeviceTest::pipe), 3, 3, 3, 3, NOT_RUNNING, 3, 3, 3),
        LOCK_A_LINK(
                files -> inPlaceOf(files.lockFile(), file -> Files.createSymbolicLink(file, Path.of("/etc/hosts"))),
                3,
                3,
                3,
                3,
                NOT_RUNNING,
                3,
                3,
                3);

        private final Act act;
        private final int[] codes;

        Damage(Act act, int... codes) {
            this.act = act;
            this.codes = codes;
        }
    }

    private record Run(int code, List<String> arguments) {}

    private List<Run> runs(Damage damage) {
        int[] codes = damage.codes;
        String name = files.stateFile().toString();
        List<Run> runs = new ArrayList<>();
        for (String verb : List.of("status", "map", "extents", "errors")) {
            // What heads have recorded can be read without knowing which of them live.
            boolean isWithoutLeases = verb.equals("errors") && damage.name().startsWith("LOCK");
            int code = isWithoutLeases ? DONE : codes[0];
            runs.add(new Run(code, List.of(verb, name)));
            runs.add(new Run(code, List.of(verb, name, "--json")));
        }
        runs.add(new Run(codes[1], List.of("verify", name)));
        runs.add(new Run(codes[1], List.of("verify", name, "--json")));
        runs.add(new Run(codes[3], List.of("fence", name, "--head=1")));
        for (List<String> verb : List.of(
                List.of("add", name, "--head=0", "--region=0", "--offset=0", "--length=2M"),
                List.of("release", name, "--head=0", "--region=0", "--offset=0", "--length=2M"),
                List.of("events", name, "--head=0"),
                List.of("cci", name, "--head=0", "0001"))) {
            runs.add(new Run(codes[4], verb));
        }
        runs.add(new Run(codes[5], List.of("head", "--mhd-head=0", "--mhd-state_file=" + name, "--wait=0.2")));
        runs.add(new Run(codes[2], List.of("recover", name, "--wait=0.2")));
        runs.add(new Run(codes[6], List.of("destroy", name, "--wait=0.2")));
        runs.add(new Run(codes[7], List.of("init", name, "--size=64M", "--wait=0.2")));
        return runs;
    }

    // ---- damage

    private interface Making {
        void at(Path file) throws Exception;
    }

    private static void inPlaceOf(Path file, Making making) throws Exception {
        Files.delete(file);
        making.at(file);
    }

    private static void pipe(Path file) throws Exception {
        new ProcessBuilder("mkfifo", file.toString()).start().waitFor();
        assumeTrue(Files.exists(file), "no pipes here");
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(length);
        }
    }

    private static void put(Path file, long offset, int value) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {(byte) value}), offset);
        }
    }

    private static void linkMedia(DeviceFiles files) throws IOException {
        Path moved = files.mediaFile().resolveSibling("moved");
        Files.move(files.mediaFile(), moved);
        Files.createSymbolicLink(files.mediaFile(), moved);
    }

    /** A state file that is sound but for that. */
    private static void nameMedia(DeviceFiles files, String media) {
        StateFile.create(
                files.stateFile(),
                files.unfinishedStateFile(),
                Geometry.of(8, 64 << 20, 1, 2 << 20),
                new StateFile.Identity(new UUID(1, 2), 1, 1, false, media),
                PosixFilePermissions.fromString("rw-------"));
    }

    private static void note(DeviceFiles files, String text) throws IOException {
        Files.writeString(files.mediaFile().resolveSibling(files.mediaFile().getFileName() + ".device"), text);
    }

    /** As if a process that has ended had been head 0. */
    private static void serveAt(DeviceFiles files, String socket) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().startRelease(0, 1, 0, 1);
            state.heads().serveRelease(0, socket);
        }
    }

    private static void swapMedia(DeviceFiles files) throws IOException {
        DeviceFiles other = DeviceFiles.named(files.stateFile() + "2");
        HeadProcesses.runRaw("init", other.stateFile().toString(), "--size=32M");
        Path between = files.mediaFile().resolveSibling("between");
        Files.move(files.mediaFile(), between);
        Files.move(other.mediaFile(), files.mediaFile(), StandardCopyOption.ATOMIC_MOVE);
        Files.move(between, other.mediaFile());
    }

    // ---- the tests

    @ParameterizedTest
    @EnumSource
    void shouldAnswerEveryVerbClearly(Damage damage) throws Exception {
        for (Run run : runs(damage)) {
            if (run.code == NOT_RUN) {
                continue;
            }
            removeAll(folder);
            Files.createDirectory(folder);
            Outcome made = HeadProcesses.runRaw("init", files.stateFile().toString(), "--size=64M");
            assertEquals(DONE, made.exitCode(), made.err());
            damage.act.to(files);
            Outcome outcome = assertTimeoutPreemptively(
                    LIMIT, () -> HeadProcesses.runRaw(run.arguments.toArray(String[]::new)), run.arguments.toString());
            String what = damage + " " + run.arguments + " said: " + outcome.out() + outcome.err();
            assertEquals(run.code, outcome.exitCode(), what);
            if (run.code == UNUSABLE || run.code == NOT_RUNNING) {
                assertEquals(1, outcome.err().lines().count(), what);
                assertTrue(outcome.err().startsWith("mhsld: ") && outcome.err().contains(folder.toString()), what);
                assertFalse(outcome.err().contains("Exception"), what);
            }
            if (run.arguments.contains("--json") && !outcome.out().isEmpty()) {
                requireJson(outcome.out());
            }
        }
    }

    private static void requireJson(String text) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(text)) {
            while (parser.nextToken() != null) {
                // It only has to be JSON.
            }
        }
    }

    /** Each is the other's state file, whole and sound; only the media that it names tells whose it is. */
    @Test
    void shouldNotMixUpDevicesWhoseStateFilesWereSwapped() throws IOException {
        DeviceFiles other = DeviceFiles.named(folder.resolve("other").toString());
        String name = files.stateFile().toString();
        HeadProcesses.runRaw("init", name, "--size=64M");
        HeadProcesses.runRaw("init", other.stateFile().toString(), "--size=32M", "--heads=3");
        Path between = folder.resolve("between");
        Files.move(files.stateFile(), between);
        Files.move(other.stateFile(), files.stateFile());
        Files.move(between, other.stateFile());
        Outcome status = HeadProcesses.runRaw("status", name);
        assertTrue(status.out().contains("3 heads"), status.out());
        assertTrue(status.out().contains("other.media"), status.out());
        assertEquals(DONE, HeadProcesses.runRaw("verify", name).exitCode());
        // What a state file of one geometry says of the media of another is refused.
        cut(other.mediaFile(), 16 << 20);
        Outcome verify = HeadProcesses.runRaw("verify", name);
        assertEquals(REFUSED, verify.exitCode());
        assertTrue(verify.out().contains("media file too short: bytes=16777216 expected=33554432"), verify.out());
    }

    @Test
    void shouldTellEachFindingInOneLineAndByItsFacts() throws IOException {
        String name = files.stateFile().toString();
        HeadProcesses.runRaw("init", name, "--size=64M");
        long map = Files.size(files.stateFile()) - 4096;
        put(files.stateFile(), map + 5, 0b11);
        put(files.stateFile(), 2000, 1);
        Outcome verify = HeadProcesses.runRaw("verify", name);
        assertEquals(REFUSED, verify.exitCode());
        String place = "offset=0x" + Long.toHexString(map + 5);
        assertTrue(
                verify.out()
                        .contains("    block has several owners: block=5 owners=[0, 1] dpa=0xa00000 " + place + "\n"),
                verify.out());
        assertTrue(
                verify.out().contains("reserved bytes are not zero: section=header bytes=1 offset=0x7d0\n"),
                verify.out());
        String json = HeadProcesses.runRaw("verify", name, "--json").out().replaceAll("\\s+", " ");
        assertTrue(
                json.contains("{ \"invariant\" : \"I1\", \"cause\" : \"block has several owners\", \"block\" : 5,"
                        + " \"owners\" : \"[0, 1]\", \"dpa\" : 10485760, \"offset\" : " + (map + 5) + ","),
                json);
        Outcome recover = HeadProcesses.runRaw("recover", name);
        assertEquals(DONE, recover.exitCode(), recover.out());
        assertTrue(recover.out().contains("repaired: I7 reserved bytes are not zero"), recover.out());
        assertTrue(recover.out().contains("repaired: I1 block has several owners"), recover.out());
        assertEquals("nothing to do\n", HeadProcesses.runRaw("recover", name).out());
        assertEquals(DONE, HeadProcesses.runRaw("verify", name).exitCode());
    }

    // ---- a full file system

    @Test
    void shouldAnswerClearlyOnFullFileSystem(@TempDir Path mount) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may mount a small file system");
        assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount.toString()), "no mounting here");
        try (HeadProcesses heads = new HeadProcesses(mount.resolve("dev").toString())) {
            Head head = heads.startDevice(1, "--media-space=reserved")[0];
            assertEquals(
                    DONE,
                    heads.run("add", "--head=0", "--region=0", "--offset=0", "--length=4M")
                            .exitCode());
            fillUp(mount.resolve("filler"));
            Outcome add = heads.run("add", "--head=0", "--region=0", "--offset=8M", "--length=8M");
            assertEquals(REFUSED, add.exitCode(), add.err());
            assertTrue(add.err().contains("no memory left for the extent"), add.err());
            // What was reserved before can be written all the same.
            assertTrue(heads.inspect().isSound());
            for (int i = 0; i < 50; i++) {
                assertEquals(
                        REFUSED,
                        heads.run("add", "--head=0", "--region=0", "--offset=1", "--length=2M")
                                .exitCode());
            }
            Outcome second =
                    HeadProcesses.runRaw("init", mount.resolve("second").toString(), "--size=64M", "--heads=64");
            assertEquals(UNUSABLE, second.exitCode(), second.err());
            assertTrue(second.err().contains("No space left on device"), second.err());
            assertFalse(Files.exists(mount.resolve("second")));
            assertEquals(DONE, heads.run("recover").exitCode());
            head.kill();
            assertEquals(DONE, heads.run("recover").exitCode());
            assertEquals(32, heads.inspect().freeBlocks());
            fillUp(mount.resolve("more"));
            Head again = heads.start(0).awaitReady();
            assertEquals(DONE, again.terminate());
            assertEquals(List.of(), heads.crashReports());
            Outcome anew = heads.run("init", "--size=64M", "--heads=64");
            assertTrue(anew.exitCode() == UNUSABLE && anew.err().contains("No space"), anew.err());
            assertTrue(heads.inspect().isSound(), "the earlier device is as it was");
        } finally {
            run("umount", mount.toString());
        }
    }

    private static void fillUp(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (true) {
                channel.write(ByteBuffer.allocate(4096));
            }
        } catch (IOException e) {
            // Full.
        }
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(command).start().waitFor() == 0;
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.mhsld.Device;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.qmp.QmpJson;
import io.mhsld.state.Counter;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFile.Access;
import io.mhsld.state.StateFileException;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The verbs about a device as a whole, as somebody types them; its heads live in this process. */
class DeviceVerbsTest {
    private static final long MIB = 1L << 20;
    private static final UUID TAG = UUID.fromString("11111111-2222-3333-4444-555555555555");

    /** No process has it that started one tick after boot. */
    private static final long NO_PID = 4_190_000;

    @TempDir
    Path folder;

    private final EventLoop loop = EventLoop.open();
    private final List<Head> heads = new ArrayList<>();

    @AfterEach
    void leave() {
        heads.forEach(Head::close);
        loop.close();
    }

    private String name() {
        return folder.resolve("pool").toString();
    }

    private DeviceFiles files() {
        return DeviceFiles.named(name());
    }

    /** 32 blocks of 2 MiB in two regions, 4 heads. */
    private void init(String... more) {
        Outcome outcome = run(
                "init",
                Stream.concat(Stream.of("--size", "64M", "--num-dc-regions", "2", "--heads", "4"), Arrays.stream(more))
                        .toArray(String[]::new));
        assertEquals(0, outcome.exitCode(), outcome.err());
    }

    private Outcome run(String verb, String... options) {
        return runRaw(
                Stream.concat(Stream.of(verb, name()), Arrays.stream(options)).toArray(String[]::new));
    }

    private Outcome runRaw(String... arguments) {
        Outcome outcome = HeadProcesses.runRaw(arguments);
        assertFalse(outcome.err().contains("\tat "), outcome.err());
        assertTrue(outcome.err().lines().count() <= 2, outcome.err());
        return outcome;
    }

    private Head attach(int head) {
        Head attached = Device.attach(files(), head, loop, 0, line -> {});
        heads.add(attached);
        return attached;
    }

    private static void accept(Head head, int region, long offset, long length, UUID tag) {
        assertTrue(head.device()
                .capacity()
                .add(region, List.of(new Range(offset, length)), tag)
                .isEmpty());
        long dpa = head.geometry().regions().get(region).baseDpa() + offset;
        assertTrue(head.device()
                .capacity()
                .addResponse(List.of(new HostRange(dpa, length)), false)
                .isEmpty());
    }

    private static void offer(Head head, int region, long offset, long length) {
        assertTrue(head.device()
                .capacity()
                .add(region, List.of(new Range(offset, length)), Extent.NO_TAG)
                .isEmpty());
    }

    /** Does to the state file what only a head may do. */
    private void tamper(Consumer<StateFile> change) {
        try (StateFile state = StateFile.open(files().stateFile(), Access.READ_WRITE, 0)) {
            change.accept(state);
        }
    }

    /** Leaves behind what a head that was killed leaves behind. */
    private void leaveDeadHead(int head, long firstBlock, long blocks) {
        tamper(state -> {
            state.heads().startRelease(head, NO_PID, 1, System.currentTimeMillis());
            state.ownerMap().claim(head, firstBlock, blocks);
            long blockSizeBytes = state.geometry().blockSizeBytes();
            state.extents(head)
                    .writeSeqlock(
                            List.of(new ExtentTable.Entry(
                                    state.geometry().dpaOfBlock(firstBlock),
                                    blocks * blockSizeBytes,
                                    Extent.NO_TAG,
                                    0,
                                    0)),
                            1);
            state.counters(head).setRelease(Counter.BLOCKS_OWNED, blocks);
            state.counters(head).setRelease(Counter.BLOCKS_ACCEPTED, blocks);
            state.counters(head).setRelease(Counter.EXTENTS_HELD, 1);
        });
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> json(Outcome outcome) {
        assertEquals("", outcome.err());
        try (JsonParser strict = new JsonFactory().createParser(outcome.out())) {
            while (strict.nextToken() != null) {
                // Every token is one.
            }
        } catch (IOException e) {
            throw new AssertionError(outcome.out(), e);
        }
        return (Map<String, Object>) QmpJson.parse(outcome.out());
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> list(Object value) {
        return (List<Map<String, Object>>) value;
    }

    private static void assertSays(Outcome outcome, ExitCode exitCode, String... parts) {
        String all = outcome.out() + outcome.err();
        assertEquals(exitCode.number(), outcome.exitCode(), all);
        for (String part : parts) {
            assertTrue(all.contains(part), "\"" + part + "\" is missing in: " + all);
        }
    }

    // ---- init

    @Test
    void shouldSayWhatInitMade() {
        Outcome outcome = run(
                "init", "--size", "64M", "--num-dc-regions", "2", "--block-size", "1M", "--sn", "0xfedcba9876543210");

        assertEquals(
                """
                made %1$s: 64 MiB in 64 blocks of 1 MiB, 2 regions, 8 heads, serial 18364758544493064720
                state file: %1$s (%2$s)
                media file: %1$s.media (sparse: memory is taken by the first store)
                """.formatted(name(), Sizes.text(files().stateFile().toFile().length())), outcome.out());
    }

    @Test
    void shouldMakeShareableRegions() {
        assertSays(run("init", "--size=64M", "--num-dc-regions=4", "--shareable=1,3"), ExitCode.DONE, "made " + name());
        Map<String, Object> status = json(run("status", "--json"));
        assertEquals(
                List.of(false, true, false, true),
                list(status.get("regions")).stream()
                        .map(region -> region.get("shareable"))
                        .toList());
        assertEquals(0L, status.get("shared_blocks"));
        assertSays(run("status"), ExitCode.DONE, "region 1: 16 MiB from dpa 0x10000000, shareable");
        assertSays(run("init", "--size=64M", "--shareable=1"), ExitCode.USAGE, "no such region: region=1 regions=1");
        assertSays(run("init", "--size=64M", "--shareable=x"), ExitCode.USAGE, "not regions: \"x\"");
        assertSays(run("init", "--size=64M", "--shareable=all"), ExitCode.DONE, "made " + name());
    }

    @Test
    void shouldSayWhatInitMadeInJson() {
        Map<String, Object> made = json(run(
                "init",
                "--size=1G",
                "--media-space=reserved",
                "--media=" + folder.resolve("m"),
                "--sn=18446744073709551615",
                "--json"));

        assertEquals(name(), made.get("state_file"));
        assertEquals(folder.resolve("m").toString(), made.get("media_file"));
        assertEquals("reserved", made.get("media_space"));
        assertEquals("18446744073709551615", made.get("serial").toString());
        assertEquals(512L, made.get("blocks"));
        assertEquals(2 * MIB, made.get("block_size"));
        assertEquals(1024 * MIB, list(made.get("regions")).get(0).get("size"));
        Map<String, Object> standard = json(run("init", "--size=1G", "--json"));
        assertEquals("sparse", standard.get("media_space"), "when nobody says otherwise");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--size 5M                          | size is not a multiple of block size times regions: size=5242880",
                "--size 4M --num-dc-regions 8       | size is not a multiple of block size times regions: size=4194304",
                "--size 0                           | size out of range: size=0",
                "--size 4P                          | size out of range: size=4503599627370496",
                "--size -4G                         | negative size: size=-4G",
                "--size=-1                          | negative size: size=-1",
                "--size 4X                          | not a size: size=\"4X\" (write 4G",
                "--size 0xffffffffffffffff          | size too large: size=0xffffffffffffffff",
                "--size 64M --heads 0               | head count out of range: heads=0 limit=64",
                "--size 64M --heads 65              | head count out of range: heads=65 limit=64",
                "--size 64M --heads eight           | 'eight' is not an int",
                "--size 64M --num-dc-regions 0      | region count out of range: regions=0 limit=8",
                "--size 64M --num-dc-regions 9      | region count out of range: regions=9 limit=8",
                "--size 64M --block-size 3M         | block size is not a power of two from 4 KiB up: blockSize=3145728",
                "--size 64M --block-size 2048       | block size is not a power of two from 4 KiB up: blockSize=2048",
                "--size 64M --block-size 0          | block size is not a power of two from 4 KiB up: blockSize=0",
                "--size 2T --block-size 4K --heads 64 | too many blocks for one owner map",
                "--size 64M --sn 18446744073709551616 | not a serial number of 64 bits",
                "--size 64M --media-space some      | --media-space",
                "--size 64M --wait -1               | not a time to wait: --wait=-1.0",
                "--size 64M --wait NaN              | not a time to wait: --wait=NaN",
                "--size 64M --bogus                 | --bogus",
                "--heads 8                          | --size"
            })
    void shouldRefuseToInit(String options, String message) {
        Outcome outcome = run("init", options.trim().split(" "));

        assertSays(outcome, ExitCode.USAGE, message);
        assertEquals("", outcome.out());
        assertFalse(Files.exists(files().stateFile()));
        assertFalse(Files.exists(files().lockFile()));
    }

    @Test
    void shouldNotInitOverWhatIsNoStateFile() throws IOException {
        Files.writeString(files().stateFile(), "somebody's letters to somebody else");

        assertSays(
                run("init", "--size=64M"),
                ExitCode.STATE_FILE_UNUSABLE,
                "not a state file, and init will not overwrite it",
                name());
        assertSays(
                run("destroy"),
                ExitCode.STATE_FILE_UNUSABLE,
                "not a state file, and destroy will not remove it",
                name());
        assertEquals("somebody's letters to somebody else", Files.readString(files().stateFile()));
    }

    @Test
    void shouldNotInitUnderALiveHead() {
        init();
        accept(attach(3), 0, 0, 2 * MIB, Extent.NO_TAG);

        assertSays(
                run("init", "--size=64M"),
                ExitCode.REFUSED,
                "in use by head 3 (pid " + ProcessHandle.current().pid() + ")");
        assertSays(run("destroy"), ExitCode.REFUSED, "in use by head 3 (pid ");
        assertSays(run("status"), ExitCode.DONE, "31 free (62 MiB) + 1 owned (2 MiB)");
    }

    @Test
    void shouldNameTheFolderThatIsMissing() {
        Path missing = folder.resolve("missing");

        assertSays(
                runRaw("init", missing.resolve("pool").toString(), "--size=64M"),
                ExitCode.STATE_FILE_UNUSABLE,
                "no such folder: file=" + missing);
        assertSays(
                run("init", "--size=64M", "--media=" + missing.resolve("media")),
                ExitCode.STATE_FILE_UNUSABLE,
                "no such folder: file=" + missing);
        assertFalse(Files.exists(files().lockFile()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", ".", "..", "/tmp/"})
    void shouldRefuseNamesThatAreNone(String name) {
        assertSays(
                runRaw("init", name, "--size=64M"),
                ExitCode.USAGE,
                "not a name of a state file: name=\"" + name + "\"");
    }

    // ---- unusable state files

    private static final List<String> VERBS =
            List.of("status", "map", "extents", "verify", "errors", "recover", "fence", "destroy");

    private void assertAllRefuse(List<String> verbs, String... parts) {
        for (String verb : verbs) {
            Outcome outcome = verb.equals("fence") ? run(verb, "--head=0") : run(verb);
            assertSays(outcome, ExitCode.STATE_FILE_UNUSABLE, parts);
            assertEquals("", outcome.out());
        }
    }

    @Test
    void shouldSayThatThereIsNoStateFile() {
        assertAllRefuse(VERBS, "no such state file: file=" + name());
    }

    private static final List<String> VERBS_BUT_DESTROY = VERBS.subList(0, VERBS.size() - 1);

    @Test
    void shouldRefuseAForeignFile() throws IOException {
        Files.write(files().stateFile(), new byte[20]);
        assertAllRefuse(VERBS_BUT_DESTROY, "too short for a state file: length=20 header=4096", name());

        byte[] noise = new byte[10_000];
        Arrays.fill(noise, (byte) 'x');
        Files.write(files().stateFile(), noise);
        assertAllRefuse(VERBS, "not a state file", name());
    }

    @Test
    void shouldRefuseATruncatedFile() throws IOException {
        init();
        try (RandomAccessFile file = new RandomAccessFile(name(), "rw")) {
            file.setLength(file.length() - 4096);
        }

        assertAllRefuse(VERBS_BUT_DESTROY, "wrong file length: met=", name());
        assertSays(run("destroy"), ExitCode.DONE, "destroyed " + name());
    }

    @ParameterizedTest
    @CsvSource({
        "8, 0, state file not initialised: version=0",
        "8, 1, state file of another version: version=1 expected=2",
        "72, 5, header checksum differs"
    })
    void shouldRefuseADamagedHeader(long offset, int value, String message) throws IOException {
        init();
        try (RandomAccessFile file = new RandomAccessFile(name(), "rw")) {
            file.seek(offset);
            file.write(value);
        }

        assertAllRefuse(VERBS_BUT_DESTROY, message, name());
    }

    @Test
    void shouldSayThatTheFileWasCutWhileItWasRead() {
        init();
        StateFileException cut = assertThrows(
                StateFileException.class,
                () -> DeviceOperator.guarded(files(), () -> {
                    throw new InternalError("a fault occurred in an unsafe memory access operation");
                }));

        assertEquals(StateFileException.Problem.DAMAGED, cut.problem());
        assertTrue(cut.getMessage().contains("was cut while it was in use"), cut.getMessage());
        assertTrue(cut.getMessage().endsWith("file=" + name()), cut.getMessage());
    }

    // ---- status, extents and map

    private void makeScene() {
        init();
        Head zero = attach(0);
        accept(zero, 0, 0, 8 * MIB, TAG);
        offer(attach(1), 1, 4 * MIB, 6 * MIB);
        zero.serve();
        zero.recordError(shallow(new IllegalStateException("the fan is loud", shallow(new IOException("dust")))));
        zero.recordError(shallow(new IllegalArgumentException("the fan is louder")));
        leaveDeadHead(2, 10, 2);
    }

    @Test
    void shouldTellTheStatus() {
        makeScene();

        Outcome outcome = run("status");

        assertSays(
                outcome,
                ExitCode.DONE,
                name() + ": 64 MiB in 32 blocks of 2 MiB, 2 regions, 4 heads, serial 66667\n",
                "state file: " + name() + "\n",
                "media file: " + name() + ".media (sparse: memory is taken by the first store)\n",
                "region 1: 32 MiB from dpa 0x10000000\n",
                "blocks: 32 = 23 free (46 MiB) + 9 owned (18 MiB)\n",
                "what the errors were: mhsld errors " + name() + "\n");
        String pid = Long.toString(ProcessHandle.current().pid());
        String table = outcome.out().replaceAll("[0-9]+ s ", "AGE ").replaceAll(" +", " ");
        assertTrue(table.contains("""
                        head state pid since blocks size accepted pending errors
                        0 serving %1$s AGE 4 8 MiB 1 0 2
                        1 starting %1$s AGE 3 6 MiB 0 1 0
                        2 dead %2$s AGE 2 4 MiB 1 0 0
                        3 free
                        """.formatted(pid, NO_PID)), outcome.out());
    }

    @Test
    void shouldTellTheSameStatusInJson() {
        makeScene();

        Map<String, Object> status = json(run("status", "--json"));

        assertEquals(32L, status.get("blocks"));
        assertEquals(23L, status.get("free_blocks"));
        assertEquals(9L, status.get("owned_blocks"));
        assertEquals(0L, status.get("contested_blocks"));
        assertEquals(66667L, status.get("serial"));
        assertEquals(256 * MIB, list(status.get("regions")).get(1).get("dpa"));
        List<Map<String, Object>> told = list(status.get("heads"));
        assertEquals(List.of("serving", "starting", "dead", "free"), column(told, "state"));
        assertEquals(List.of(4L, 3L, 2L, 0L), column(told, "blocks"));
        assertEquals(List.of(8 * MIB, 6 * MIB, 4 * MIB, 0L), column(told, "size"));
        assertEquals(List.of(1L, 0L, 1L, 0L), column(told, "accepted_extents"));
        assertEquals(List.of(0L, 1L, 0L, 0L), column(told, "pending_extents"));
        assertEquals(List.of(2L, 0L, 0L, 0L), column(told, "errors"));
        assertEquals(files().controlSocket(0).toString(), told.get(0).get("socket"));
        assertEquals(ProcessHandle.current().pid(), told.get(1).get("pid"));
        assertNull(told.get(3).get("pid"));
        assertEquals(4L, ((Map<?, ?>) told.get(0).get("counters")).get("blocks_accepted"));
    }

    /** A test's stack is deeper than a log is long. */
    private static <T extends Throwable> T shallow(T error) {
        error.setStackTrace(Arrays.copyOf(error.getStackTrace(), 2));
        return error;
    }

    private static List<Object> column(List<Map<String, Object>> rows, String name) {
        return rows.stream().map(row -> row.get(name)).toList();
    }

    @Test
    void shouldTellTheCountersOfHeadsThatHaveCounted() {
        makeScene();

        Outcome outcome = run("status", "--counters");

        String table = outcome.out().replaceAll(" +", " ");
        assertSays(outcome, ExitCode.DONE);
        assertTrue(table.contains("\n head 0 head 1 head 2\n"), outcome.out());
        assertTrue(table.contains("\nblocks accepted 4 0 2\n"), outcome.out());
    }

    @Test
    void shouldListExtents() {
        makeScene();

        Outcome outcome = run("extents");

        assertEquals("""
                head  state              region         dpa    offset    length   size  blocks  tag
                   0  accepted                0         0x0       0x0  0x800000  8 MiB       4  %s
                   1  pending (group 1)       1  0x10400000  0x400000  0x600000  6 MiB       3
                   2  accepted                0   0x1400000 0x1400000  0x400000  4 MiB       2
                """.formatted(TAG).replaceAll(" +", " "), outcome.out().replaceAll(" +", " "));
        assertSays(run("extents", "--head=1"), ExitCode.DONE, "pending (group 1)");
        assertEquals("no extents\n", run("extents", "--head=3").out());
    }

    @Test
    void shouldListTheSameExtentsInJson() {
        makeScene();

        List<Map<String, Object>> extents = list(json(run("extents", "--json")).get("extents"));

        assertEquals(List.of(0L, 1L, 2L), column(extents, "head"));
        assertEquals(List.of("accepted", "pending", "accepted"), column(extents, "state"));
        assertEquals(List.of(0L, 0x1040_0000L, 0x140_0000L), column(extents, "dpa"));
        assertEquals(List.of(0L, 4 * MIB, 20 * MIB), column(extents, "offset"));
        assertEquals(List.of(8 * MIB, 6 * MIB, 4 * MIB), column(extents, "length"));
        assertEquals(TAG.toString(), extents.get(0).get("tag"));
        assertNull(extents.get(1).get("tag"));
        assertEquals(1L, extents.get(1).get("group"));
    }

    @Test
    void shouldRefuseHeadsThatThereAreNot() {
        init();

        for (String verb : List.of("extents", "errors", "fence")) {
            for (String head : List.of("4", "-1", "2147483647")) {
                assertSays(
                        run(verb, "--head=" + head),
                        ExitCode.USAGE,
                        "no such head: head=" + head + " heads=4 (0 to 3) file=" + name());
            }
            assertSays(run(verb, "--head=2147483648"), ExitCode.USAGE, "--head");
        }
    }

    @Test
    void shouldDrawTheMap() {
        makeScene();

        Outcome outcome = run("map", "--width=60");

        assertSays(
                outcome,
                ExitCode.DONE,
                "0x00000000   0  0  0  0  .  .  .  .  .  .  2  2  .  .  .  .\n",
                """
                0x10000000   .  .  1  1  1  .  .  .  .  .  .  .  .  .  .  .
                                   ?  ?  ?
                """,
                "below a cell: ? all or part of it is not accepted");
        assertFalse(outcome.out().contains("\u001b"));
        assertTrue(run("map", "--color=always").out().contains("\u001b[38;5;"));
        assertFalse(run("map", "--color=never").out().contains("\u001b"));
    }

    @Test
    void shouldTellTheSameMapInJson() {
        makeScene();

        Map<String, Object> map = json(run("map", "--json"));

        List<Map<String, Object>> runs = list(map.get("runs"));
        assertEquals(23L, map.get("free_blocks"));
        assertEquals(List.of(List.of(0L), List.of(2L), List.of(1L)), column(runs, "heads"));
        assertEquals(List.of(0L, 10L, 18L), column(runs, "first_block"));
        assertEquals(List.of(4L, 2L, 3L), column(runs, "blocks"));
        assertEquals(List.of(0L, 0x140_0000L, 0x1040_0000L), column(runs, "dpa"));
        assertEquals(List.of("accepted", "accepted", "pending"), column(runs, "state"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--width 19       | width out of range: --width=19 (20 to 10000)",
                "--width 10001    | width out of range: --width=10001 (20 to 10000)",
                "--width x        | 'x' is not an int",
                "--rows 0         | too few rows: --rows=0",
                "--color blue     | --color",
                "--dpa 1T         | no region has these addresses: from=0x10000000000",
                "--length 0       | no region has these addresses: from=0x0 length=0x0"
            })
    void shouldRefuseToDraw(String options, String message) {
        init();

        assertSays(run("map", options.trim().split(" ")), ExitCode.USAGE, message);
    }

    @Test
    void shouldTellErrorsOfHeads() {
        makeScene();

        Outcome outcome = run("errors");
        assertSays(
                outcome,
                ExitCode.DONE,
                "head 0: 1 time, last at 20",
                "java.lang.IllegalStateException: the fan is loud\n",
                "Caused by: java.io.IOException: dust\n",
                "java.lang.IllegalArgumentException: the fan is louder\n");
        assertFalse(outcome.out().contains("at io.mhsld"), outcome.out());
        assertTrue(run("errors", "--traces").out().contains("    at io.mhsld.cli.DeviceVerbsTest"));
        assertEquals("no errors\n", run("errors", "--head=1").out());
        List<Map<String, Object>> errors = list(json(run("errors", "--json")).get("errors"));
        assertEquals(2, errors.size());
        assertEquals(1L, errors.get(0).get("count"));
    }

    // ---- verify

    @Test
    void shouldFindNothingWrong() {
        init();
        accept(attach(0), 0, 0, 8 * MIB, Extent.NO_TAG);

        Outcome outcome = run("verify");

        assertSays(
                outcome,
                ExitCode.DONE,
                "I1  one owner            ok  ",
                "I2  map = extents        ok  1 extent, 4 owned blocks\n",
                "I3  all or nothing       -   a file cannot show it",
                "I4  no stale bytes       -   ",
                "I5  the dead let go      ok  no head is dead\n",
                "I6  no life after death  ok  ",
                "I7  the file is safe     ok  ",
                "I8  the sum is right     ok  28 free + 4 owned = 32\n");
        Map<String, Object> verdict = json(run("verify", "--json"));
        assertEquals(true, verdict.get("sound"));
        assertEquals(
                List.of("ok", "ok", "not_visible", "not_visible", "ok", "ok", "ok", "ok"),
                column(list(verdict.get("invariants")), "outcome"));
    }

    @Test
    void shouldNoteTheDeadWhenNobodyLivesToReapThem() {
        init();
        leaveDeadHead(2, 10, 2);

        assertSays(
                run("verify"),
                ExitCode.DONE,
                "I5  the dead let go      ok  1 dead head",
                "note: head is dead",
                "head=2 blocks=2");
    }

    @Test
    void shouldGiveTheLiveASecondToReapTheDead() {
        init();
        attach(0).serve();
        leaveDeadHead(2, 10, 2);

        // The loop of head 0 is not running, so nobody reaps.
        long startNs = System.nanoTime();
        Outcome outcome = run("verify");
        long waitedMs = (System.nanoTime() - startNs) / 1_000_000;

        assertSays(
                outcome,
                ExitCode.REFUSED,
                "I5  the dead let go      BROKEN",
                "dead head not reaped by the live ones: head=2 pid=" + NO_PID);
        assertTrue(waitedMs >= 1_000, "waitedMs=" + waitedMs);
        String json = run("verify", "--json").out();
        assertTrue(Pattern.compile("\"waited_ms\" *: *1000\\b").matcher(json).find(), json);

        loop.after(500, loop::stop);
        Thread running = new Thread(loop::run);
        running.start();
        try {
            assertSays(run("verify"), ExitCode.DONE, "no head is dead");
            running.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldFindAProcessThatLostItsLease() throws Exception {
        init();
        Process process = Orphan.start(files().stateFile());
        try {
            long startTicks = Long.parseLong(Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"))
                    .split(" ")[21]);
            tamper(state -> state.heads().startRelease(1, process.pid(), startTicks, 0));

            Outcome verify = run("verify");
            assertSays(
                    verify,
                    ExitCode.REFUSED,
                    "I6  no life after death  BROKEN",
                    "its process lives and has no lease: head=1");
            assertFalse(verify.out().contains("is dead"), verify.out());
            Outcome recover = run("recover");
            assertSays(recover, ExitCode.REFUSED, "not repaired: I6 its process lives and has no lease: head=1");
            assertFalse(recover.out().contains("is dead") || recover.out().contains("nothing to do"), recover.out());
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldFindWhatIsWrongInTheMap() {
        init();
        tamper(state -> state.ownerMap().claim(1, 3, 2));

        Outcome outcome = run("verify");

        assertSays(
                outcome,
                ExitCode.REFUSED,
                "I2  map = extents        BROKEN  1 finding\n"
                        + "    owned blocks in no extent: head=1 block=3 count=2 dpa=0x600000 offset=0x",
                "I6  no life after death  BROKEN",
                "I8  the sum is right     BROKEN",
                name() + ": 3 findings\n");
        assertEquals(false, json(run("verify", "--json")).get("sound"));
    }

    @Test
    void shouldMissTheMediaFile() throws IOException {
        init();
        try (RandomAccessFile media = new RandomAccessFile(files().mediaFile().toFile(), "rw")) {
            media.setLength(4096);
        }
        assertSays(
                run("verify"),
                ExitCode.REFUSED,
                "media file too short: bytes=4096 expected=67108864 file=" + files().mediaFile());

        Files.delete(files().mediaFile());
        assertSays(run("verify"), ExitCode.REFUSED, "media file missing: file=" + files().mediaFile());
        assertSays(run("recover"), ExitCode.STATE_FILE_UNUSABLE, "media file missing");

        Files.createDirectory(files().mediaFile());
        assertSays(run("verify"), ExitCode.REFUSED, "media file is not a regular file: file=" + files().mediaFile());
    }

    // ---- recover, fence and destroy

    @Test
    void shouldRecoverOnceAndThenHaveNothingToDo() {
        init();
        leaveDeadHead(2, 10, 2);
        leaveDeadHead(3, 0, 0);

        assertSays(
                run("recover"),
                ExitCode.DONE,
                "freed what head 2 left behind: 2 blocks (4 MiB)\n",
                "freed what head 3 left behind: 0 blocks (0 B)\n");
        assertEquals(new Outcome(0, "nothing to do\n", ""), run("recover"));
        assertSays(run("status"), ExitCode.DONE, "32 free (64 MiB) + 0 owned (0 B)");
    }

    @Test
    void shouldTellWhatItRecoveredInJson() {
        init();
        leaveDeadHead(2, 10, 2);

        Map<String, Object> first = json(run("recover", "--json"));
        Map<String, Object> second = json(run("recover", "--json"));

        assertEquals(List.of(Map.of("head", 2L, "freed_blocks", 2L)), first.get("reaped"));
        assertEquals(List.of(), second.get("reaped"));
        assertEquals(true, second.get("sound"));
    }

    @Test
    void shouldRepairTheMapAndSayWhat() {
        init();
        tamper(state -> state.ownerMap().claim(1, 3, 2));

        assertSays(
                run("recover"),
                ExitCode.DONE,
                "freed what head 1 left behind: 2 blocks (4 MiB)\n",
                "repaired: I2 owned blocks in no extent: head=1 block=3 count=2 dpa=0x600000 offset=0x");
        assertEquals(0, run("verify").exitCode());
    }

    @Test
    void shouldLeaveLiveHeadsAloneWhenItRecovers() {
        init();
        accept(attach(0), 0, 0, 8 * MIB, Extent.NO_TAG);

        assertEquals("nothing to do\n", run("recover").out());
        assertSays(run("status"), ExitCode.DONE, "4 owned (8 MiB)");
    }

    @Test
    void shouldNotSayThatNothingIsToBeDoneWhenItRepairedNothing() {
        init();
        // Its loop is not running: like a head that is stopped.
        attach(0);
        tamper(state -> state.counters(0).setRelease(Counter.BLOCKS_OWNED, 5));

        Outcome outcome = run("recover");

        assertSays(outcome, ExitCode.REFUSED, "not repaired: I8 counter and owner map disagree: head=0");
        assertFalse(outcome.out().contains("nothing to do"), outcome.out());
        tamper(state -> state.counters(0).setRelease(Counter.BLOCKS_OWNED, 0));
    }

    @Test
    void shouldNotFenceAHeadThatIsNotRunning() {
        init();
        assertSays(run("fence", "--head=1"), ExitCode.HEAD_NOT_RUNNING, "head is not running: head=1 file=" + name());

        leaveDeadHead(1, 4, 2);
        assertSays(
                run("fence", "--head=1"),
                ExitCode.HEAD_NOT_RUNNING,
                "head is not running: head=1 (freed what it had left behind: 2 blocks (4 MiB))");
        assertSays(run("fence"), ExitCode.USAGE, "--head");
    }

    @Test
    void shouldDestroyADeviceWithAllItsFiles() throws IOException {
        init();

        assertSays(run("destroy"), ExitCode.DONE, "destroyed " + name());

        try (Stream<Path> left = Files.list(folder)) {
            assertArrayEquals(new Path[0], left.toArray());
        }
    }

    @Test
    void shouldKeepTheMediaFileThatInitWasGiven() {
        Path media = folder.resolve("given");
        init("--media=" + media);

        assertEquals(media.toString(), json(run("destroy", "--json")).get("kept_media_file"));
        assertTrue(Files.exists(media));
    }
}

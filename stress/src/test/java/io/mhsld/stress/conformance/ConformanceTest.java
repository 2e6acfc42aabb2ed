package io.mhsld.stress.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.cci.CciKind;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.cli.Main;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.stress.Trials;
import io.mhsld.stress.conformance.AlteredTarget.Mistake;
import io.mhsld.stress.conformance.MctpTarget.Dialect;
import io.mhsld.stress.conformance.Suite.Result;
import io.mhsld.stress.conformance.Suite.Verdict;
import io.mhsld.stress.conformance.Target.ConnectionLost;
import io.mhsld.stress.conformance.Target.Via;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.storm.HeadLauncher;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The suite passes our own device, over every transport, and fails one that answers wrong. */
@Timeout(120)
class ConformanceTest {
    private static final long BLOCK = 2 << 20;
    private static final Map<Via, CciKind> KINDS =
            Map.of(Via.MAILBOX, CciKind.PRIMARY_MAILBOX, Via.LD, CciKind.LD, Via.FM, CciKind.FM_OWNED_LD);

    @TempDir
    static Path folder;

    private static DeviceFiles files;
    private static ChildJvm head;

    @BeforeAll
    static void startHead() {
        files = DeviceFiles.named(
                "mhsld-conformance-test-" + ProcessHandle.current().pid());
        Device.initialise(
                files,
                new Device.Specification(Geometry.of(4, 64 * BLOCK, 2, BLOCK), 1, true, Optional.empty(), false),
                0);
        head = ChildJvm.start(
                Main.class,
                folder.resolve("head.log"),
                List.of("-XX:TieredStopAtLevel=1"),
                List.of("head", "--mhd-head=0", "--mhd-state_file=" + files.stateFile(), "--host-driver=manual"));
        assertTrue(HeadLauncher.awaitReady(head, 30_000), head::output);
    }

    @AfterAll
    static void endHead() {
        head.close();
        Device.destroy(files, 0);
    }

    private static Target overQmp() {
        return new QmpTarget(LocalAddress.unix(files.controlSocket(0)));
    }

    private static List<Result> run(Target target) {
        return new Suite(target, result -> {}).run(Rows.EVERYTHING);
    }

    private static List<Result> with(Verdict verdict, List<Result> results) {
        return results.stream().filter(result -> result.verdict() == verdict).toList();
    }

    @Test
    void shouldPassOurOwnHead() {
        try (Target target = overQmp()) {
            List<Result> results = run(target);

            assertEquals(List.of(), with(Verdict.FAIL, results));
            assertTrue(
                    with(Verdict.PASS, results).size() > 80,
                    "passed: " + with(Verdict.PASS, results).size());
            // Rows of commands that are in the table must have been run.
            for (Result result : with(Verdict.SKIP, results)) {
                boolean isThere = OpcodeTable.of(KINDS.get(result.via()), true).stream()
                        .anyMatch(opcode -> opcode.code() == result.row().opcode());
                assertFalse(isThere, result.toString());
            }
        }
    }

    @Test
    void shouldRunAsATrial() {
        String socket = "unix:" + files.controlSocket(0);
        Trials.Result good = Trials.run(new Conformance(), folder, "--qmp", socket);
        assertEquals(0, good.exitCode(), good.output());
        assertTrue(good.output().contains("PASS mailbox 4802h all of an offer"), good.output());
        Trials.Result bad = Trials.run(
                new Conformance(),
                folder,
                "--quiet",
                "--broken=NO_MORE_FLAG",
                "--qmp",
                "unix:" + files.controlSocket(0));
        assertEquals(1, bad.exitCode(), bad.output());
        assertTrue(bad.output().contains("FAIL mailbox 0100h all records of a group"), bad.output());
        assertFalse(bad.output().contains("PASS"), bad.output());
        assertEquals(2, Trials.run(new Conformance(), folder, "--mctp=udp:x:1").exitCode());
    }

    @ParameterizedTest
    @CsvSource({"STANDARD, false", "STANDARD, true", "JACK, false", "JACK, true"})
    void shouldPassOurOwnHeadByMessages(Dialect dialect, boolean throughFabric) {
        try (Target inner = overQmp();
                BridgedServer server = new BridgedServer(inner, dialect, throughFabric);
                Target target = new MctpTarget(server.address(), dialect, 0)) {
            List<Result> results = run(target).stream()
                    .filter(result -> result.via() == Via.LD)
                    .toList();

            assertEquals(List.of(), with(Verdict.FAIL, results));
            // Without a fabric manager nobody offers capacity.
            int passed = with(Verdict.PASS, results).size();
            assertTrue(passed > (throughFabric ? 80 : 40), "passed: " + passed);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailADeviceThatAnswersWrong(Mistake mistake) {
        try (Target target = new AlteredTarget(overQmp(), mistake)) {
            List<Result> failed = with(Verdict.FAIL, run(target));
            assertFalse(failed.isEmpty(), mistake.toString());
        }
    }

    @Test
    void shouldHaveRowsForEveryCommandOnEachOfItsInterfaces() {
        List<String> missing = new ArrayList<>();
        for (Opcode opcode : OpcodeTable.ALL) {
            for (Map.Entry<Via, CciKind> via : KINDS.entrySet()) {
                List<Row> rows = Rows.EVERYTHING.stream()
                        .filter(row ->
                                row.opcode() == opcode.code() && row.vias().contains(via.getKey()))
                        .toList();
                if (opcode.kinds().contains(via.getValue())) {
                    if (rows.stream().noneMatch(Row::isAboutSuccess)) {
                        missing.add(opcode + " succeeds through " + via.getKey());
                    }
                    if (rows.stream().allMatch(Row::isAboutSuccess)) {
                        missing.add(opcode + " is refused through " + via.getKey());
                    }
                }
            }
        }
        // Commands that an outsider cannot bring to a success without knowing the device: no row says so of them.
        List<String> cannot = List.of("0201h", "0202h", "0501h", "0502h", "4101h");
        missing.removeIf(text -> text.contains("succeeds") && cannot.contains(text.substring(0, 5)));
        assertEquals(List.of(), missing);
    }

    @Test
    void shouldNotHaveTheSameRowTwice() {
        Set<String> seen = new HashSet<>();
        for (Row row : Rows.EVERYTHING) {
            assertTrue(seen.add(String.format("%04x %s", row.opcode(), row.name())), row.toString());
            assertFalse(row.vias().isEmpty(), row.toString());
        }
    }

    @Test
    void shouldReadItsTables() {
        Map<String, Long> facts = Map.of("base", 0x1000L, "block", 0x200L);
        assertEquals(
                "01ff" + "0010000000000000" + "0016" + "02000000" + "0000",
                HexFormat.of()
                        .formatHex(Text.request("01ff q:base w:base+3*block d:2 pad:2", facts)
                                .clone()));
        byte[] answer = {1, 0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, (byte) 0x80};
        for (String good : List.of(
                "len=11",
                "len>=11",
                "len<=11",
                "len!=4",
                "u8@0=1",
                "u8@1&16",
                "u16@2=base",
                "u64@3=0x8000000000000010",
                "u64@3>=1",
                "u8@base=1")) {
            Map<String, Long> own = good.contains("@base") ? Map.of("base", 0L) : facts;
            assertEquals(Optional.empty(), Text.problem(good, answer, own), good);
        }
        for (String bad : List.of("len=10", "len<=4", "len!=11", "u8@1&17", "u16@0=1", "u64@4=0", "u8@11=0")) {
            assertTrue(Text.problem(bad, answer, facts).isPresent(), bad);
        }
        for (String wrong : List.of("u8=1", "len", "u7@0=1", "len=nobody")) {
            assertThrows(IllegalArgumentException.class, () -> Text.problem(wrong, answer, facts), wrong);
        }
    }

    @Test
    void shouldFailRatherThanHangWhenNothingLikeADeviceAnswers() throws IOException {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread other = new Thread(() -> {
                try (var client = listener.accept()) {
                    client.getOutputStream()
                            .write("HTTP/1.1 400 Bad Request\r\n\r\n"
                                    .repeat(10)
                                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            other.start();
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort());
            assertThrows(ConnectionLost.class, () -> new MctpTarget(address, Dialect.STANDARD, 0));
        }
    }

    /** Whatever comes, it is a message or it is refused. */
    @Test
    void shouldSurviveAnyMessage() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            if (bytes.length > 11 && random.nextInt(3) > 0) {
                bytes[0] = (byte) random.nextInt(3);
                bytes[5] = (byte) (bytes.length - 12);
                bytes[6] = 0;
                bytes[7] = 0;
            }
            for (Dialect dialect : Dialect.values()) {
                try {
                    CciMessage message = CciMessage.parse(bytes, dialect);
                    CciMessage again = CciMessage.parse(message.toBytes(dialect), dialect);
                    assertEquals(message.opcode(), again.opcode(), () -> "seed=" + seed);
                    assertEquals(bytes.length, message.toBytes(dialect).length, () -> "seed=" + seed);
                } catch (IllegalArgumentException e) {
                    assertFalse(e.getMessage().isEmpty());
                }
            }
        }
    }
}

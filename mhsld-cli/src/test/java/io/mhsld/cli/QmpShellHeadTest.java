package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.qmp.RawClient;
import io.mhsld.socket.LocalAddress;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The shell of QEMU's own Python package (Debian: python3-qemu-qmp), unmodified, orders capacity from a real head. Where it is not installed, a
 * client that sends the same bytes stands for it. {@code scripts/interop} fetches it.
 */
@Tag("interop")
@Timeout(120)
@ExtendWith(HeadProcesses.Evidence.class)
class QmpShellHeadTest implements HeadProcesses.HoldsHeads {
    private static final String EXTENT = "extents=[{\"offset\":0,\"len\":4194304}]";
    private static final String ADD =
            "cxl-add-dynamic-capacity path=cxl-mem0 host-id=0 selection-policy=prescriptive region=0 " + EXTENT;
    private static final String RELEASE =
            "cxl-release-dynamic-capacity path=/machine/peripheral/cxl-mem0 host-id=0 removal-policy=prescriptive region=0 ";
    private static final String DONE = "{\"return\": {}}";

    @TempDir
    Path folder;

    private final HeadProcesses heads = new HeadProcesses();
    private Path socket;

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @BeforeEach
    void startHead() {
        socket = folder.resolve("qmp");
        heads.startDevice(1, "--qmp=unix:" + socket + ",server,nowait");
    }

    @AfterEach
    void endHeads() {
        heads.close();
    }

    private static boolean isInstalled(String tool) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, tool)));
    }

    /** What the shell prints for each line that is typed, without its prompts. */
    private List<String> shell(String... lines) throws IOException, InterruptedException {
        return shellAt(socket, lines);
    }

    private List<String> shellAt(Path address, String... lines) throws IOException, InterruptedException {
        assumeTrue(isInstalled("qmp-shell"), "qmp-shell is not installed: scripts/interop fetches it");
        ProcessBuilder builder = new ProcessBuilder("qmp-shell", address.toString()).redirectErrorStream(true);
        builder.environment().put("HOME", folder.toString());
        Process process = builder.start();
        process.getOutputStream().write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.US_ASCII));
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it does not end");
        assertEquals(0, process.exitValue(), output);
        assertTrue(output.contains("Connected to QEMU 11.1.3"), output);
        List<String> answers = new ArrayList<>();
        output.lines()
                .map(line -> line.replace("(QEMU) ", ""))
                .filter(line -> line.startsWith("{"))
                .forEach(answers::add);
        return answers;
    }

    private static String error(String text) {
        return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" + text + "\"}}";
    }

    @Test
    void shouldAddAndReleaseCapacity() throws IOException, InterruptedException {
        assertEquals(List.of(DONE), shell(ADD));
        assertEquals(2, heads.inspect().ownedBlocks()[0]);
        assertEquals(List.of(DONE), shell(RELEASE + EXTENT));
        assertEquals(0, heads.inspect().ownedBlocks()[0]);
        assertEquals(
                List.of(DONE, DONE), shell(ADD, RELEASE + "forced-removal=true sanitize-on-release=false " + EXTENT));
        assertEquals(0, heads.inspect().ownedBlocks()[0]);
    }

    @Test
    void shouldTellQemusErrors() throws IOException, InterruptedException {
        assertEquals(
                List.of(
                        DONE,
                        error("cannot add DPA already accessible to the same LD"),
                        error("region id is too large"),
                        error("dpa or len is not aligned to region block size"),
                        error("extent range is beyond the region end"),
                        error("Unable to resolve CXL type 3 device"),
                        error("Parameter 'selection-policy' does not accept value 'bogus'"),
                        error("Parameter 'removal-policy' is missing"),
                        error("cannot release extent with non-existing DPA range"),
                        "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command cxl-no-such has not been found\"}}"),
                shell(
                        ADD,
                        ADD,
                        ADD.replace("region=0", "region=1"),
                        ADD.replace("4194304", "4194305"),
                        ADD.replace("4194304", "4398046511104"),
                        ADD.replace("cxl-mem0", "cxl-mem1"),
                        ADD.replace("prescriptive", "bogus"),
                        "cxl-release-dynamic-capacity path=cxl-mem0 host-id=0 region=0 " + EXTENT,
                        RELEASE + EXTENT.replace("\"offset\":0", "\"offset\":8388608"),
                        "cxl-no-such"));
    }

    @Test
    void shouldTellEventsAndTakeTheNextShell() throws IOException, InterruptedException {
        // An empty line lets the shell show what has come meanwhile.
        List<String> answers = shell(ADD, "system_reset", "", "query-status");
        assertEquals(DONE, answers.get(0));
        assertEquals(DONE, answers.get(1));
        assertTrue(answers.get(2).contains("'event': 'RESET'"), answers.toString());
        assertEquals("{\"return\": {\"status\": \"running\", \"running\": true}}", answers.get(3));
        assertEquals(0, heads.inspect().ownedBlocks()[0]);
        assertEquals(List.of(DONE), shell(ADD), "another shell");
    }

    @Test
    void shouldOrderThroughTheFabricManager() throws IOException, InterruptedException {
        Path door = folder.resolve("fm");
        heads.startFm("--qmp=unix:" + door + ",server,nowait");
        assertEquals(
                List.of(
                        DONE,
                        error("cannot add DPA already accessible to the same LD"),
                        error("no such host: host-id=9 heads=8"),
                        DONE,
                        DONE,
                        DONE),
                shellAt(
                        door,
                        ADD,
                        ADD,
                        ADD.replace("host-id=0", "host-id=9"),
                        RELEASE + EXTENT,
                        "cxl-inject-poison path=head0 start=0 length=64",
                        "cxl-inject-correctable-error path=head0 type=retry-threshold"));
        assertEquals(0, heads.inspect().ownedBlocks()[0]);
    }

    @Test
    void shouldServeAShellAgainAfterTheHeadHasDied() throws IOException, InterruptedException {
        assertEquals(List.of(DONE), shell(ADD));
        heads.endAll();
        heads.start(0, "--qmp=unix:" + socket + ",server,nowait").awaitReady();
        assertEquals(List.of(DONE), shell(ADD), "the dead head's capacity is free again");
    }

    /** What the shell sent when it was recorded: no line ends, "arguments" always, an id for its own question only. */
    @Test
    void shouldAnswerTheShellsOwnBytes() {
        String extents = "\"extents\":[{\"offset\":0,\"len\":4194304}]}}";
        try (RawClient client = new RawClient(LocalAddress.unix(socket))) {
            assertTrue(client.receiveLine()
                    .startsWith("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"minor\": 1, "
                            + "\"major\": 11}, \"package\": \"mhsld"));
            client.send("{\"execute\":\"qmp_capabilities\",\"arguments\":{}}");
            assertEquals(DONE, client.receiveLine());
            client.send("{\"execute\":\"query-commands\",\"arguments\":{},\"id\":\"__qmp#00000\"}");
            String commands = client.receiveLine();
            assertTrue(commands.startsWith("{\"return\": [{\"name\": \"qmp_capabilities\"}, "), commands);
            assertTrue(commands.endsWith("], \"id\": \"__qmp#00000\"}"), commands);
            client.send("{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"path\":\"cxl-mem0\",\"host-id\":0,"
                    + "\"selection-policy\":\"prescriptive\",\"region\":0," + extents);
            assertEquals(DONE, client.receiveLine());
            assertEquals(2, heads.inspect().ownedBlocks()[0]);
            client.send(
                    "{\"execute\":\"cxl-release-dynamic-capacity\",\"arguments\":{\"path\":\"/machine/peripheral/cxl-mem0\","
                            + "\"host-id\":0,\"removal-policy\":\"prescriptive\",\"forced-removal\":true,"
                            + "\"sanitize-on-release\":false,\"region\":0," + extents);
            assertEquals(DONE, client.receiveLine());
            client.send("{\"execute\":\"system_reset\",\"arguments\":{}}");
            String event = client.receiveLine();
            assertTrue(
                    event.matches(
                            "\\{\"timestamp\": \\{\"seconds\": \\d+, \"microseconds\": \\d+}, \"event\": \"RESET\", "
                                    + "\"data\": \\{\"guest\": false, \"reason\": \"host-qmp-system-reset\"}}"),
                    event);
            assertEquals(DONE, client.receiveLine());
            client.send("{\"execute\":\"(\",\"arguments\":{}}");
            assertEquals(
                    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command ( has not been found\"}}",
                    client.receiveLine());
        }
    }
}

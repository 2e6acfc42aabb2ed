package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import io.mhsld.vfiouser.VfioUserClient;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A head that serves a virtual machine, beside everything else that it serves. */
@Timeout(60)
class HeadVfioUserTest {
    private static final long MIB = 1L << 20;
    private static final int CONFIGURATION = 7;
    private static final int COMPONENT = 0;
    private static final int DEVICE = 2;
    private static final int DATA = 4;
    private static final int MSIX = 2;
    private static final int MAILBOX = 0x88;

    @TempDir
    Path folder;

    private final HeadProcesses heads = new HeadProcesses();

    @AfterEach
    void end() {
        heads.close();
    }

    private HeadProcesses.Head start(Path socket, String... options) {
        List<String> all = new ArrayList<>(List.of("--mhd-init", "--size=64M", "--vfio-user=unix:" + socket));
        all.addAll(List.of(options));
        return heads.start(0, all.toArray(String[]::new)).awaitReady();
    }

    /** Runs a command through the mailbox registers: the answer's payload, which must be that of a success. */
    private static ByteBuffer command(VfioUserClient client, int opcode, byte... input) {
        if (input.length > 0) {
            client.regionWrite(DEVICE, MAILBOX + 0x20, input);
        }
        client.regionWrite64(DEVICE, MAILBOX + 8, opcode | (long) input.length << 16);
        client.regionWrite32(DEVICE, MAILBOX + 4, 1);
        assertEquals(0, client.regionRead32(DEVICE, MAILBOX + 0x14), String.format("return code of %04xh", opcode));
        int length = client.regionRead32(DEVICE, MAILBOX + 8) >>> 16;
        byte[] output = length == 0 ? new byte[0] : client.regionRead(DEVICE, MAILBOX + 0x20, length);
        return ByteBuffer.wrap(output).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] extents(long dpa, long length) {
        ByteBuffer list = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        return list.putInt(1).putInt(0).putLong(dpa).putLong(length).array();
    }

    private static void done(QmpClient qmp, String command, Map<String, Object> arguments) {
        assertEquals(Optional.empty(), qmp.execute(command, arguments).error());
    }

    private static Map<String, Object> extent(long offset, long length, Map<String, Object> more) {
        Map<String, Object> arguments = new HashMap<>(Map.of("path", "cxl-mem0", "host-id", 0, "region", 0));
        arguments.put("extents", List.of(Map.of("offset", offset, "len", length)));
        arguments.putAll(more);
        return arguments;
    }

    /** All of the way: an add at the fabric manager's end, an interrupt, an answer through the registers, bytes through the BAR, the end. */
    @Test
    void shouldBeAHostsMemory() {
        Path socket = folder.resolve("vfio");
        HeadProcesses.Head head = start(socket, "--data-bar");
        int[] counters = VfioUserClient.eventCounters(8);
        try (VfioUserClient client = VfioUserClient.negotiated(socket);
                QmpClient qmp = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(0)), 10_000)) {
            client.setIrqs(MSIX, 0, counters.length, counters);
            command(client, 0x0103, new byte[] {1, 1, 1, 1, 1});
            assertEquals(256L << 20, client.regionInfo(DATA)[0]);
            assertEquals(-1, client.regionRead64(DATA, 0));

            done(qmp, "cxl-add-dynamic-capacity", extent(0, MIB * 4, Map.of("selection-policy", "prescriptive")));
            VfioUserClient.awaitEvents(counters[2], 1);
            assertEquals(0x10, client.regionRead32(DEVICE, 0x80));
            ByteBuffer event = command(client, 0x0100, new byte[] {4});
            assertEquals(0, event.getLong(32 + 56), "start");
            assertEquals(4 * MIB, event.getLong(32 + 64), "length");
            assertEquals(-1, client.regionRead64(DATA, 0), "offered is not accepted");
            command(client, 0x4802, extents(0, 4 * MIB));
            assertEquals(0, client.regionRead64(DATA, 0));
            client.regionWritePosted(DATA, 4 * MIB - 4, new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
            assertEquals(0xFFFF_FFFF_0403_0201L, client.regionRead64(DATA, 4 * MIB - 4), "the rest is not owned");
            QmpReply read = qmp.execute("x-mem-read", Map.of("dpa", 4 * MIB - 4, "length", 4));
            assertEquals(Map.of("data", "AQIDBA=="), read.value());

            client.regionWrite(CONFIGURATION, 0x88, (byte) 0, (byte) 0x80);
            assertEquals(0x0403_0201, client.regionRead32(DATA, 4 * MIB - 4), "a function level reset takes nothing");
            done(
                    qmp,
                    "cxl-release-dynamic-capacity",
                    extent(0, 2 * MIB, Map.of("removal-policy", "prescriptive", "forced-removal", true)));
            assertEquals(-1, client.regionRead64(DATA, 0));
            assertEquals(0x0403_0201, client.regionRead32(DATA, 4 * MIB - 4));

            client.regionWrite32(COMPONENT, 0x1084, 0);
            done(
                    qmp,
                    "cxl-inject-uncorrectable-errors",
                    Map.of(
                            "path",
                            "cxl-mem0",
                            "errors",
                            List.of(Map.of("type", "mem-data-ecc", "header", List.of(7)))));
            assertEquals(1 << 7, client.regionRead32(COMPONENT, 0x1080));
            assertEquals(1 << 22, client.regionRead32(CONFIGURATION, 0x204));
            client.reset();
            assertEquals(-1, client.regionRead64(DATA, 4 * MIB - 8));
            done(qmp, "quit", Map.of());
        }
        assertEquals(0, head.awaitExit());
        for (String line : List.of(
                "function level reset", "uncorrectable internal error: fatal=true", "reset: all capacity released")) {
            assertEquals(
                    1, head.log().lines().filter(text -> text.endsWith(line)).count(), head.log());
        }
    }

    @Test
    void shouldObeyAHostDriverThatIsNamed() {
        HeadProcesses.Head head = start(folder.resolve("vfio"), "--host-driver=auto");
        assertEquals("auto", head.said("host-driver"));
        HeadProcesses.Outcome outcome =
                HeadProcesses.runRaw("head", "--mhd-head=0", "--mhd-state_file=" + heads.name, "--data-bar");
        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains("--data-bar without --vfio-user"), outcome.err());
    }

    @Test
    void shouldServeAVirtualMachineUntilTheHeadLeaves() {
        Path socket = folder.resolve("vfio");
        HeadProcesses.Head head = start(socket);
        assertEquals("unix:" + socket, head.said("vfio-user"));
        assertEquals("manual", head.said("host-driver"));

        try (VfioUserClient client = VfioUserClient.negotiated(socket);
                QmpClient qmp = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(0)), 10_000)) {
            assertEquals(0x0D93_8086, client.regionRead32(CONFIGURATION, 0));
            assertTrue(qmp.execute("x-query-head", Map.of()).error().isEmpty());
            assertTrue(qmp.execute("quit", Map.of()).error().isEmpty());
            assertEquals(ExitCode.DONE.number(), head.awaitExit());
        }
        assertFalse(Files.exists(socket));
    }

    @Test
    void shouldSayInItsLogWhomItTurnsAway() {
        Path socket = folder.resolve("vfio");
        HeadProcesses.Head head = start(socket);
        try (VfioUserClient client = VfioUserClient.negotiated(socket);
                VfioUserClient second = VfioUserClient.connect(socket)) {
            assertTrue(second.isClosedByServer());
            assertEquals(0x0D93_8086, client.regionRead32(CONFIGURATION, 0));
        }
        List<String> said = head.log()
                .lines()
                .filter(line -> line.contains("vfio-user client")) // newer JVMs say something of their own
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .toList();
        assertEquals(List.of("head=0 vfio-user client is turned away: reason=the function has a client"), said);
        assertEquals("no errors\n", heads.run("errors").out(), "it did what it should");
    }

    @Test
    void shouldRefuseAddressThatIsNoUnixSocket() {
        Outcome outcome = HeadProcesses.runRaw(
                "head", "--mhd-head=0", "--mhd-state_file=" + heads.name, "--vfio-user=tcp:127.0.0.1:4000");

        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains("vfio-user address is not unix:PATH"), outcome.err());
    }
}

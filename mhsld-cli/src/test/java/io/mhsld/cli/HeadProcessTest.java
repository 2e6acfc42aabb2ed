package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpError;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Heads as real processes, killed and stopped as processes are. Items "e…" are those of the list of the reference's defects. */
@ExtendWith(HeadProcesses.Evidence.class)
class HeadProcessTest implements HeadProcesses.HoldsHeads {
    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void endHeads() {
        heads.close();
    }

    @Test
    void shouldComeUpInTheWrongOrder() {
        // e1: the reference leaves it undefined what a head finds that starts before init has finished.
        Head one = heads.start(1, "--wait=20");
        Head zero = heads.start(0, "--mhd-init", "--size=64M");

        zero.awaitReady();
        one.awaitReady();

        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldSayThatInitNeverCame() {
        Head head = heads.start(1, "--wait=0.2");

        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), head.awaitExit());
        assertTrue(head.log().contains("no such state file: waitedMs="), head.log());
        assertTrue(Files.notExists(heads.files.lockFile()), "a head that was never one leaves nothing behind");
    }

    @Test
    void shouldUnderstandTheReferencesOwnCommandLine() {
        Path socket = folder.resolve("qmp-sock-1");
        List<String> mailed = List.of(
                ("-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 -device cxl-rp,id=rp0,bus=cxl.0,chassis=0,port=0,slot=0"
                                + " -object memory-backend-ram,id=mem0,size=64M -device cxl-mhsld,bus=rp0,num-dc-regions=1,"
                                + "volatile-dc-memdev=mem0,id=cxl-mem0,sn=66667,mhd-head=0,mhd-state_file=" + heads.name
                                + ",mhd-init=true -M cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G"
                                + " -qmp unix:" + socket + ",server,nowait")
                        .split(" "));

        Head head = heads.startRaw(0, mailed).awaitReady();

        try (QmpClient client = QmpClient.connect(LocalAddress.unix(socket), 5_000)) {
            assertTrue(add(client, 0, 2 * MIB).error().isEmpty());
        }
        assertEquals(1, heads.inspect().ownedBlocks()[0]);
        assertTrue(head.log().contains("note"), "what is only PC topology is noted: " + head.log());
    }

    @Test
    void shouldRefuseASecondProcessOfOneHeadAndNameTheFirst() {
        // e17: there, the second process wipes the first one's ownership.
        Head first = heads.startDevice(1)[0];
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());

        Head second = heads.start(0);

        assertEquals(ExitCode.REFUSED.number(), second.awaitExit());
        assertTrue(
                second.log()
                        .contains("head is taken: head=0 pid=" + first.process().pid()),
                second.log());
        assertEquals(2, heads.inspect().ownedBlocks()[0]);
    }

    @Test
    void shouldRefuseInitUnderALiveHeadAndNameIt() {
        // e1: there, a late mhd-init wipes live state.
        Head[] live = heads.startDevice(2);
        assertEquals(
                0, heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());
        live[0].kill();

        Head again = heads.start(0, "--mhd-init", "--size=64M");

        assertEquals(ExitCode.REFUSED.number(), again.awaitExit());
        assertTrue(again.log().contains("head 1 (pid " + live[1].process().pid() + ")"), again.log());
        assertEquals(2, heads.inspect().ownedBlocks()[1]);
    }

    @Test
    void shouldInitialiseALeftoverAnew() {
        Head[] first = heads.startDevice(1);
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());
        first[0].kill();

        heads.start(0, "--mhd-init", "--size=32M").awaitReady();

        assertEquals(16, heads.inspect().freeBlocks());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--qmp=tcp:127.0.0.1:%d,server,nowait | QMP port is in use",
                "--mctp=tcp:127.0.0.1:%d | MCTP port is in use",
                "--qmp=unix:%2$s,server --vfio-user=unix:%2$s | vfio-user socket is in use",
                "--vfio-user=unix:%2$s/socket | vfio-user socket cannot be made"
            })
    void shouldMakeNothingWhenItCouldNotServe(String options, String reason) throws IOException {
        Path free = folder.resolve("free");
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<String> given = new ArrayList<>(List.of("--mhd-init", "--size=64M"));
            given.addAll(List.of(options.formatted(taken.getLocalPort(), free).split(" ")));
            Head head = heads.start(0, given.toArray(String[]::new));

            assertEquals(ExitCode.REFUSED.number(), head.awaitExit());
            assertTrue(head.log().contains(reason), head.log());
        }
        assertTrue(Files.notExists(free));
        assertTrue(Files.notExists(heads.files.stateFile()) && Files.notExists(heads.files.lockFile()));
    }

    @Test
    void shouldNeverRemoveTheStateFileUnderOtherHeads() {
        // e15: there, a head that exits unlinks the file, and later heads make another one.
        Head[] live = heads.startDevice(3);

        assertEquals(0, live[0].terminate());
        live[1].kill();

        assertEquals(
                0, heads.run("add", "--head=2", "--offset=0", "--length=2M").exitCode());
        heads.start(0).awaitReady();
        assertNotEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=2M").exitCode());
    }

    @Test
    void shouldFreeWhatADeadHeadHeldAndScrubIt() throws IOException {
        // e25 and e24: there, blocks come back when the same head id starts again, with the old bytes in them.
        Head[] live = heads.startDevice(2);
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=8M").exitCode());
        Path secret = Files.writeString(folder.resolve("secret"), "secret".repeat(1000));
        assertEquals(
                0,
                heads.run("mem", "--head=0", "write", "--dpa=0", "--in=" + secret)
                        .exitCode());

        live[0].kill();
        long deadNs = System.nanoTime();
        HeadProcesses.await("the blocks to be free", () -> heads.inspect().freeBlocks() == 32);
        long freeMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - deadNs);

        // A second by I5; on a busy machine everything is late.
        System.out.println("freedMs=" + freeMs);
        assertEquals(
                0, heads.run("add", "--head=1", "--offset=0", "--length=8M").exitCode());
        Path seen = folder.resolve("seen");
        assertEquals(
                0,
                heads.run("mem", "--head=1", "read", "--dpa=0", "--length=8M", "--out=" + seen)
                        .exitCode());
        for (byte b : Files.readAllBytes(seen)) {
            assertEquals(0, b);
        }
    }

    @Test
    void shouldGiveADeadHeadsBlocksToWhoeverClaimsThemAtOnce() {
        Head[] live = heads.startDevice(2);
        for (int round = 0; round < 3; round++) {
            assertEquals(
                    0,
                    heads.run("add", "--head=0", "--offset=0", "--length=64M").exitCode());
            live[0].kill();
            Outcome claim = heads.run("add", "--head=1", "--offset=0", "--length=64M");
            assertEquals(0, claim.exitCode(), claim.err());
            assertEquals(
                    0,
                    heads.run("release", "--head=1", "--offset=0", "--length=64M")
                            .exitCode());
            live[0] = heads.start(0).awaitReady();
        }
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldKeepAStoppedHeadsBlocksUntilItIsFenced() {
        Head[] live = heads.startDevice(2);
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());
        live[0].signal("STOP");

        assertEquals(
                ExitCode.REFUSED.number(),
                heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());

        Outcome fence = heads.run("fence", "--head=0");
        assertEquals(0, fence.exitCode());
        assertEquals(
                "fenced head 0: pid " + live[0].process().pid() + " killed, 2 blocks (4 MiB) freed",
                fence.out().strip());
        assertEquals(
                0, heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());
        assertEquals(128 + 9, live[0].awaitExit());
    }

    @Test
    void shouldTellWhomItFencedWhenTheTableDoesNotNameIt() {
        Head[] live = heads.startDevice(3);
        live[2].signal("STOP");
        try (StateFile state = StateFile.open(heads.files.stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().reapRelease(2);
        }
        Outcome fence = heads.run("fence", "--head=2", "--json");
        assertEquals(0, fence.exitCode(), fence.err());
        String out = fence.out().replaceAll("\\s", "");
        assertTrue(
                out.contains("\"pid\":" + live[2].process().pid()
                        + ",\"was_head\":false,\"freed_blocks\":0,\"other_heads\":[]"),
                fence.out());
        assertEquals(128 + 9, live[2].awaitExit());
    }

    @Test
    void shouldReleaseEverythingOnReset() {
        // e16: there, reset clears the map and not the extent list, and two heads end up with one block.
        heads.startDevice(2);
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());

        try (QmpClient client = control(0)) {
            assertTrue(client.execute("system_reset").error().isEmpty());
        }

        assertEquals(
                0, heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());
        assertEquals(
                ExitCode.REFUSED.number(),
                heads.run("mem", "--head=0", "read", "--dpa=0", "--length=1").exitCode());
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldReclaimWhatTheHostRejects() {
        // e13: there, an offer that is rejected whole stays reserved for ever.
        heads.startDevice(1, "--host-driver=reject");

        Outcome add = heads.run("add", "--head=0", "--offset=0", "--length=4M");

        assertEquals(0, add.exitCode(), add.err());
        assertTrue(add.out().contains("state=free"), add.out());
        assertEquals(32, heads.inspect().freeBlocks());
    }

    @Test
    void shouldLetTheFabricManagerWithdrawAnOfferThatNobodyAnswers() {
        heads.startDevice(2, "--host-driver=manual");
        assertTrue(
                heads.run("add", "--head=0", "--offset=0", "--length=4M").out().contains("state=pending"));
        assertEquals(
                ExitCode.REFUSED.number(),
                heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());

        assertEquals(
                0,
                heads.run("release", "--head=0", "--offset=0", "--length=4M", "--forced")
                        .exitCode());

        assertEquals(
                0, heads.run("add", "--head=1", "--offset=0", "--length=4M").exitCode());
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldGiveEachBlockToOneOfTheHeadsThatContendForIt() throws Exception {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        int headCount = 3;
        heads.startDevice(headCount);
        List<Thread> contenders = new ArrayList<>();
        int[] wins = new int[headCount];
        for (int head = 0; head < headCount; head++) {
            int id = head;
            contenders.add(new Thread(() -> wins[id] = contend(id, new SplittableRandom(seed + id))));
        }
        contenders.forEach(Thread::start);
        for (Thread contender : contenders) {
            contender.join();
        }

        assertTrue(
                heads.inspect().isSound(),
                "seed=" + seed + " " + heads.inspect().findings());
        assertEquals(32, heads.inspect().freeBlocks(), "seed=" + seed);
        for (int head = 0; head < headCount; head++) {
            assertTrue(wins[head] > 0, "every head wins now and then: head=" + head + " seed=" + seed);
        }
    }

    /** Adds at random; what was added is released by force at once, so that all others can win it. */
    private int contend(int head, SplittableRandom random) {
        int wins = 0;
        try (QmpClient client = control(head)) {
            for (int round = 0; round < 300; round++) {
                long first = random.nextInt(32);
                long count = 1L + random.nextInt((int) (32 - first));
                if (add(client, first * 2 * MIB, count * 2 * MIB).error().isEmpty()) {
                    wins++;
                    QmpReply release = client.execute(
                            "cxl-release-dynamic-capacity",
                            Map.of(
                                    "path",
                                    "cxl-mem0",
                                    "host-id",
                                    0,
                                    "removal-policy",
                                    "prescriptive",
                                    "forced-removal",
                                    true,
                                    "region",
                                    0,
                                    "extents",
                                    List.of(Map.of("offset", first * 2 * MIB, "len", count * 2 * MIB))));
                    if (release.error().isPresent()) {
                        throw new AssertionError("what was won cannot be released: " + release);
                    }
                }
            }
        }
        return wins;
    }

    @Test
    void shouldRefuseInTheOrderAndWithTheTextsOfQemu() {
        heads.startDevice(1, "--host-driver=manual");
        try (QmpClient client = control(0)) {
            assertEquals("region id is too large", refusal(add(client, 1, 0, 1)));
            assertEquals("extent with 0 length is not allowed", refusal(add(client, 0, 0)));
            assertEquals("dpa or len is not aligned to region block size", refusal(add(client, 1, 2 * MIB)));
            assertEquals("extent range is beyond the region end", refusal(add(client, 64 * MIB, 2 * MIB)));
            // The sum wraps to 0 in 64 bits.
            assertEquals("extent range is beyond the region end", refusal(add(client, -2 * MIB, 2 * MIB)));
            assertTrue(add(client, 0, 2 * MIB).error().isEmpty());
            assertEquals("cannot add DPA again while still pending", refusal(add(client, 0, 4 * MIB)));
        }
    }

    @Test
    void shouldFindTheDeviceByThePathsThatQemuFindsItBy() {
        heads.startDevice(1);
        try (QmpClient client = control(0)) {
            for (String path :
                    List.of("", "cxl-mem0", "peripheral/cxl-mem0", "/machine/peripheral/cxl-mem0", "cxl-mem0/")) {
                assertTrue(addNothing(client, path).error().isEmpty(), path);
            }
            for (String path : List.of("/", "/cxl-mem0", "other", "machine/cxl-mem0")) {
                assertEquals("Unable to resolve CXL type 3 device", refusal(addNothing(client, path)), path);
            }
        }
    }

    private static QmpReply addNothing(QmpClient client, String path) {
        return client.execute(
                "cxl-add-dynamic-capacity",
                Map.of(
                        "path",
                        path,
                        "host-id",
                        0,
                        "selection-policy",
                        "prescriptive",
                        "region",
                        0,
                        "tag",
                        "any string will do",
                        "extents",
                        List.of()));
    }

    @Test
    void shouldSurviveClientsThatSendGarbage() throws IOException {
        heads.startDevice(1);
        byte[] line = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
        try (SocketChannel hostile = SocketChannel.open(StandardProtocolFamily.UNIX);
                SocketChannel half = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            half.connect(UnixDomainSocketAddress.of(heads.files.controlSocket(0)));
            OutputStream halfOut = Channels.newOutputStream(half);
            halfOut.write("{\"execute\": \"qmp_capab".getBytes(StandardCharsets.UTF_8));
            halfOut.flush();
            hostile.connect(UnixDomainSocketAddress.of(heads.files.controlSocket(0)));
            OutputStream out = Channels.newOutputStream(hostile);
            out.write("{\"execute\": \"".getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 64; i++) {
                out.write(line);
            }
            out.write("\"}\n".getBytes(StandardCharsets.UTF_8));

            assertEquals(
                    0, heads.run("add", "--head=0", "--offset=0", "--length=2M").exitCode());
        }
        assertEquals(1, heads.inspect().ownedBlocks()[0]);
    }

    @Test
    void shouldLeaveCleanlyOnSigtermAndOnQuit() {
        Head[] live = heads.startDevice(2);
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());
        assertEquals(
                0, heads.run("add", "--head=1", "--offset=8M", "--length=4M").exitCode());

        assertEquals(0, live[0].terminate());
        try (QmpClient client = control(1)) {
            assertTrue(client.execute("quit").error().isEmpty());
        }
        assertEquals(0, live[1].awaitExit());

        assertEquals(32, heads.inspect().freeBlocks());
        assertTrue(Files.notExists(heads.files.controlSocket(0)) && Files.notExists(heads.files.controlSocket(1)));
        assertEquals(
                ExitCode.HEAD_NOT_RUNNING.number(),
                heads.run("events", "--head=0").exitCode());
    }

    @Test
    void shouldStopWhenItsStateFileIsTakenAway() throws IOException {
        Head head = heads.startDevice(1)[0];

        Files.delete(heads.files.stateFile());

        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), head.awaitExit());
        assertTrue(head.log().contains("removed under a live head"), head.log());
    }

    private QmpClient control(int head) {
        return QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(head)), 10_000);
    }

    private static QmpReply add(QmpClient client, long offset, long length) {
        return add(client, 0, offset, length);
    }

    private static QmpReply add(QmpClient client, int region, long offset, long length) {
        return client.execute(
                "cxl-add-dynamic-capacity",
                Map.of(
                        "path",
                        "cxl-mem0",
                        "host-id",
                        0,
                        "selection-policy",
                        "prescriptive",
                        "region",
                        region,
                        "extents",
                        List.of(Map.of("offset", offset, "len", length))));
    }

    private static String refusal(QmpReply reply) {
        return reply.error().map(QmpError::description).orElse("no error");
    }
}

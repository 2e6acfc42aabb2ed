package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.cli.FmApi.Answer;
import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.Geometry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The fabric manager's door as a process, with real heads behind it that run, stop, die and come back. */
@ExtendWith(HeadProcesses.Evidence.class)
class FmProcessTest implements HeadProcesses.HoldsHeads {
    private static final int BUSY = 6;
    private static final int RETRY = 5;
    private static final long SOON_MS = 1000;

    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void end() {
        heads.close();
    }

    private static FmApi fmApi(Head fm) {
        return new FmApi(fm.said("mctp"));
    }

    private static QmpClient qmp(Head fm) {
        return QmpClient.connect(LocalAddress.parseClient(QmpServer.PROTOCOL, fm.said("qmp")), 10_000);
    }

    private static Map<String, Object> add(String path, int host, long block) {
        return Map.of(
                "path",
                path,
                "host-id",
                host,
                "selection-policy",
                "prescriptive",
                "region",
                0,
                "extents",
                List.of(Map.of("offset", block << 21, "len", 2L << 20)));
    }

    private static String error(QmpReply reply) {
        return reply.error().map(error -> error.description()).orElse("");
    }

    private void awaitExtents(FmApi fm, int host, int wanted) {
        HeadProcesses.await("extents of host " + host, () -> fm.extentsOf(host) == wanted);
    }

    // ---- without heads

    @Test
    void shouldTellOfTheDeviceWithoutAnyHead() {
        Device.initialise(heads.files, Device.Specification.ofSize(64 << 20), 0);
        Head fm = heads.startFm();
        try (FmApi client = fmApi(fm)) {
            assertEquals(8, client.output(0x5600).get(0));
            assertEquals(0, client.extentsOf(3));
            assertEquals(
                    1,
                    client.output(0x5601, (byte) 0, (byte) 0, (byte) 8, (byte) 0)
                            .get(3));
            assertEquals(0xFF, client.output(0x5500, (byte) 0, (byte) 1).get(8) & 0xFF, "nobody serves LD 0");
            assertEquals(0, client.output(0x5608, new byte[8]).getInt(4));
            Answer answer = client.ask(0x5604, FmApi.add(3, 0));
            assertEquals(RETRY, answer.code());
            assertTrue(answer.tookMs() < SOON_MS);
            assertEquals(RETRY, client.ask(0x5300, FmApi.tunnel(2, 0x4000)).code());
        }
        assertEquals(0, fm.terminate());
    }

    // ---- routes

    @Test
    void shouldReachEveryOneOfEightHeads() {
        heads.startDevice(8);
        Head fm = heads.startFm("--qmp=tcp:127.0.0.1:0,server,nowait");
        try (FmApi client = fmApi(fm);
                QmpClient qmp = qmp(fm)) {
            for (int head = 0; head < 8; head++) {
                assertEquals(0, client.ask(0x5604, FmApi.add(head, head)).code());
                assertEquals("", error(qmp.execute("cxl-add-dynamic-capacity", add("cxl-mem0", head, 8 + head))));
                assertEquals("", error(qmp.execute("cxl-add-dynamic-capacity", add("head" + head, head, 16 + head))));
            }
            for (int head = 0; head < 8; head++) {
                awaitExtents(client, head, 3);
                // To the LD itself: its own extent list has the three as well.
                byte[] tunnel = new byte[4 + 12 + 8];
                tunnel[0] = (byte) head;
                tunnel[2] = 20;
                tunnel[7] = 0x01;
                tunnel[8] = 0x48;
                tunnel[9] = 8;
                tunnel[16] = 9;
                assertEquals(3, client.output(0x5300, tunnel).getInt(16 + 4));
                assertEquals(head, client.output(0x5500, (byte) head, (byte) 1).get(8));
            }
            assertEquals(0x1E, client.ask(0x5604, FmApi.add(3, 3)).code(), "the head's own refusal");
            assertEquals(0x1D, client.ask(0x5604, FmApi.add(3, 4)).code(), "another head's");
            assertEquals(0, client.ask(0x5605, FmApi.take(3, 3)).code());
            assertEquals(2, client.extentsOf(3));
        }
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldSayClearlyWhyACommandReachesNoHead() {
        heads.startDevice(2);
        Head fm = heads.startFm("--qmp=tcp:127.0.0.1:0,server,nowait");
        try (QmpClient qmp = qmp(fm)) {
            assertEquals(
                    "no such host: host-id=8 heads=8", error(qmp.execute("cxl-add-dynamic-capacity", add("", 8, 0))));
            assertEquals("head is not running: head=5", error(qmp.execute("cxl-add-dynamic-capacity", add("", 5, 0))));
            assertEquals(
                    "path and host-id name different heads: path=head1 host-id=0",
                    error(qmp.execute("cxl-add-dynamic-capacity", add("head1", 0, 0))));
            assertEquals(
                    "Unable to resolve CXL type 3 device",
                    error(qmp.execute("cxl-add-dynamic-capacity", add("cxl-mem7", 0, 0))),
                    "the head's own words");
            assertEquals(
                    "Parameter 'host-id' is missing",
                    error(qmp.execute("cxl-add-dynamic-capacity", Map.of("path", "", "selection-policy", "free"))));
            assertEquals("the fabric manager has no host to restart: ask the head", error(qmp.execute("system_reset")));
            List<?> rows = (List<?>) qmp.execute("x-query-heads").value();
            assertEquals(8, rows.size());
            assertEquals(true, ((Map<?, ?>) rows.get(1)).get("running"));
            assertEquals(false, ((Map<?, ?>) rows.get(2)).get("running"));
            Map<?, ?> cci =
                    (Map<?, ?>) qmp.execute("x-cci", Map.of("opcode", 0x5600)).value();
            assertEquals(0L, cci.get("return-code"));
            assertEquals("", error(qmp.execute("quit")));
        }
        assertEquals(0, fm.awaitExit());
    }

    @Test
    void shouldOfferTheLdOfAHeadTheSameWay() {
        heads.start(0, "--mhd-init", "--size=64M", "--mctp=tcp:127.0.0.1:0").awaitReady();
        Head head = heads.start(1, "--mctp=tcp:127.0.0.1:0").awaitReady();
        try (FmApi ld = fmApi(head)) {
            assertEquals(69, ld.output(0x4000).capacity());
            assertEquals(3, ld.ask(0x5600).code(), "that is the FM-owned LD's");
        }
    }

    // ---- death

    @Test
    void shouldLoseNothingWhenItIsKilledOrThereAreTwo() {
        heads.startDevice(2);
        Head first = heads.startFm();
        Head second = heads.startFm();
        try (FmApi one = fmApi(first);
                FmApi other = fmApi(second)) {
            assertEquals(0, one.ask(0x5604, FmApi.add(0, 0)).code());
            assertEquals(0, other.ask(0x5604, FmApi.add(1, 1)).code());
            awaitExtents(one, 1, 1);
            awaitExtents(other, 0, 1);
            first.kill();
            assertEquals(0, other.ask(0x5605, FmApi.take(0, 0)).code());
        }
        Head third = heads.startFm();
        try (FmApi client = fmApi(third)) {
            assertEquals(0, client.extentsOf(0));
            assertEquals(1, client.extentsOf(1));
            assertEquals(0, client.ask(0x5604, FmApi.add(1, 2)).code());
        }
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldSayBusyForAStoppedHeadWhichThenNeverDoesIt() {
        Head[] started = heads.startDevice(2);
        Head fm = heads.startFm("--qmp=tcp:127.0.0.1:0,server,nowait");
        try (FmApi client = fmApi(fm);
                FmApi other = fmApi(fm);
                QmpClient qmp = qmp(fm)) {
            assertEquals(0, client.ask(0x5604, FmApi.add(0, 0)).code(), "a connection that is there already");
            started[0].signal("STOP");
            for (int i = 0; i < 3; i++) {
                int pending = client.send(0x5604, FmApi.add(0, 1 + i));
                long startNs = System.nanoTime();
                Answer served = other.ask(0x5604, FmApi.add(1, 10 + i));
                assertEquals(0, served.code(), "others are served meanwhile");
                assertEquals(BUSY, client.receive(0x5604, pending).code());
                assertTrue((System.nanoTime() - startNs) / 1_000_000 < SOON_MS);
            }
            Answer tunnel = client.ask(0x5300, FmApi.tunnel(0, 0x4000));
            assertEquals(BUSY, tunnel.code());
            assertTrue(tunnel.tookMs() < SOON_MS);
            assertEquals(
                    "head does not answer: head=0 waitedMs=700",
                    error(qmp.execute("cxl-add-dynamic-capacity", add("", 0, 5))));
            started[0].signal("CONT");
            HeadProcesses.await(
                    "the head to answer",
                    () -> client.ask(0x5604, FmApi.add(0, 9)).code() == 0);
            awaitExtents(client, 0, 2);
            assertEquals(2, client.extentsOf(0), "what was answered with busy was not done");
        }
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldAskToTryAgainWhenAHeadDiesInTheMiddle() {
        Head[] started = heads.startDevice(2);
        Head fm = heads.startFm();
        try (FmApi client = fmApi(fm)) {
            assertEquals(0, client.ask(0x5604, FmApi.add(0, 0)).code());
            started[0].signal("STOP");
            int pending = client.send(0x5604, FmApi.add(0, 1));
            long startNs = System.nanoTime();
            started[0].kill();
            assertEquals(RETRY, client.receive(0x5604, pending).code());
            assertTrue((System.nanoTime() - startNs) / 1_000_000 < SOON_MS);
            assertEquals(RETRY, client.ask(0x5604, FmApi.add(0, 1)).code());
            heads.start(0).awaitReady();
            assertEquals(0, client.ask(0x5604, FmApi.add(0, 1)).code(), "the same connection goes on");
            awaitExtents(client, 0, 1);
        }
        assertTrue(heads.inspect().isSound());
    }

    /** Several clients order at random while heads die and come back: every request has an answer, and in time. */
    @Test
    void shouldAnswerEveryRequestWhileHeadsDie() throws InterruptedException {
        Head[] started = heads.startDevice(3);
        Head fm = heads.startFm();
        List<Thread> clients = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        int[] done = new int[3];
        long endNs = System.nanoTime() + 4_000_000_000L;
        for (int number = 0; number < 3; number++) {
            int own = number;
            Thread client = new Thread(() -> {
                try (FmApi api = fmApi(fm)) {
                    for (int round = 0; System.nanoTime() < endNs; round++) {
                        int host = round % 3;
                        long block = own * 3L + host;
                        Answer answer = api.ask(
                                round / 3 % 2 == 0 ? 0x5604 : 0x5605,
                                round / 3 % 2 == 0 ? FmApi.add(host, block) : FmApi.take(host, block));
                        boolean isKnown =
                                List.of(0, RETRY, BUSY, 0x0F, 0x1E, 0x1D).contains(answer.code());
                        if (!isKnown || answer.tookMs() > 2 * SOON_MS) {
                            synchronized (wrong) {
                                wrong.add("code=" + answer.code() + " tookMs=" + answer.tookMs());
                            }
                        }
                        done[own] += answer.code() == 0 ? 1 : 0;
                    }
                } catch (RuntimeException | AssertionError e) {
                    synchronized (wrong) {
                        wrong.add(e.toString());
                    }
                }
            });
            client.start();
            clients.add(client);
        }
        for (int round = 0; System.nanoTime() < endNs; round++) {
            int victim = round % 3;
            started[victim].kill();
            started[victim] = heads.start(victim).awaitReady();
        }
        for (Thread client : clients) {
            client.join();
        }
        assertEquals(List.of(), wrong);
        for (int number : done) {
            assertTrue(number > 20, "done=" + number);
        }
        HeadProcesses.await("peers to be reaped", () -> heads.inspect().isSound());
    }

    // ---- the device

    @Test
    void shouldFollowADeviceThatIsMadeAnew() {
        Device.initialise(heads.files, Device.Specification.ofSize(64 << 20), 0);
        Head fm = heads.startFm();
        try (FmApi client = fmApi(fm)) {
            assertEquals(8, client.output(0x5600).get(0));
            Device.initialise(
                    heads.files,
                    new Device.Specification(Geometry.of(3, 128 << 20, 2, 2 << 20), 1, false, Optional.empty(), false),
                    0);
            HeadProcesses.await("the new device", () -> client.output(0x5600).get(0) == 3);
            assertEquals(2, client.output(0x5600).get(1));
            heads.start(2).awaitReady();
            assertEquals(0, client.ask(0x5604, FmApi.add(2, 0)).code());
        }
        assertTrue(fm.log().contains("device was made anew: size=134217728 heads=3"), fm.log());
    }

    @Test
    void shouldEndWithAClearMessageWhenTheDeviceIsRemoved() {
        Device.initialise(heads.files, Device.Specification.ofSize(64 << 20), 0);
        Head fm = heads.startFm();
        assertFalse(Device.destroy(heads.files, 0).isPresent());
        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), fm.awaitExit());
        assertTrue(fm.log().contains("state file was removed under the fabric manager"), fm.log());
    }

    // ---- the command line

    @Test
    void shouldRefuseAPortThatIsTaken() {
        Device.initialise(heads.files, Device.Specification.ofSize(64 << 20), 0);
        Head fm = heads.startFm();
        Outcome second = heads.runProcess("fm", heads.name, "--mctp=" + fm.said("mctp"));
        assertEquals(ExitCode.REFUSED.number(), second.exitCode());
        assertTrue(second.err().contains("MCTP port is in use or forbidden"), second.err());
    }

    @Test
    void shouldRefuseWhatItCannotServe() {
        assertEquals(
                ExitCode.USAGE.number(),
                HeadProcesses.runRaw("fm", "x", "--mctp=tcp:0.0.0.0:1").exitCode());
        assertEquals(
                ExitCode.USAGE.number(),
                HeadProcesses.runRaw("fm", "x", "--dialect=klingon").exitCode());
        assertEquals(
                ExitCode.STATE_FILE_UNUSABLE.number(),
                HeadProcesses.runRaw("fm", heads.name, "--wait=0").exitCode());
    }
}

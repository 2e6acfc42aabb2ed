package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.cli.FmApi.Answer;
import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpReply;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Everything that a fabric manager orders of dynamic capacity, through {@code mhsld fm}, from real heads. Region 1 can be shared. */
@ExtendWith(HeadProcesses.Evidence.class)
class FmCapacityTest implements HeadProcesses.HoldsHeads {
    private static final int SUCCESS = 0;
    private static final int INVALID_INPUT = 2;
    private static final int UNSUPPORTED = 3;
    private static final int RETRY = 5;
    private static final int BUSY = 6;
    private static final int INVALID_EXTENT_LIST = 0x1E;
    private static final int EXHAUSTED = 0x1D;
    private static final int FREE = 0;
    private static final int CONTIGUOUS = 1;
    private static final int SHARED = 3;
    private static final int BY_TAG = 0;
    private static final int FORCED = 1 << 4;
    private static final int SANITIZE = 1 << 5;
    private static final long BLOCK = 2L << 20;
    private static final UUID NIL = new UUID(0, 0);
    private static final UUID TAG = UUID.fromString("0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0");

    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @BeforeEach
    void initialise() {
        Geometry geometry = Geometry.of(8, 128 << 20, 2, BLOCK).withShareable(Set.of(1));
        Device.initialise(heads.files, new Device.Specification(geometry, 0x5E71A1, true, Optional.empty(), false), 0);
    }

    @AfterEach
    void end() {
        heads.close();
    }

    private Head[] start(int count, String... options) {
        Head[] started = new Head[count];
        for (int head = 0; head < count; head++) {
            started[head] = heads.start(head, options);
        }
        Arrays.stream(started).forEach(Head::awaitReady);
        return started;
    }

    private static FmApi fmApi(Head fm) {
        return new FmApi(fm.said("mctp"));
    }

    private static QmpClient qmp(Head fm) {
        return QmpClient.connect(LocalAddress.parseClient(QmpServer.PROTOCOL, fm.said("qmp")), 10_000);
    }

    private static String error(QmpReply reply) {
        return reply.error().map(error -> error.description()).orElse("");
    }

    private static void awaitExtents(FmApi fm, int host, int wanted) {
        HeadProcesses.await("extents of host " + host, () -> fm.extentsOf(host) == wanted);
    }

    private static int add(FmApi fm, int host, int policy, int region, long blocks, UUID tag) {
        return fm.ask(0x5604, FmApi.order(host, policy, region, blocks * BLOCK, tag))
                .code();
    }

    private static int release(FmApi fm, int host, int flags, UUID tag) {
        return fm.ask(0x5605, FmApi.order(host, flags, 0, 0, tag)).code();
    }

    private static ByteBuffer tags(FmApi fm, int start, int limit) {
        return fm.output(
                0x5608,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(start)
                        .putInt(limit)
                        .array());
    }

    private static long[] numbers(QmpReply reply, String list, String field) {
        List<?> rows = (List<?>) ((Map<?, ?>) reply.value()).get(list);
        return rows.stream()
                .mapToLong(row -> (Long) ((Map<?, ?>) row).get(field))
                .toArray();
    }

    // ---- policies

    @Test
    void shouldShareByEveryPolicyAndListTheTags() {
        start(3);
        Head fm = heads.startFm();
        try (FmApi client = fmApi(fm)) {
            ByteBuffer info = client.output(0x5600);
            assertEquals(0x0F, info.getShort(4), "selection policies");
            assertEquals(0x03, info.getShort(8), "removal policies");
            assertEquals(0x03, info.get(10), "sanitize on release can be set");
            assertEquals(0x3E00000, info.getLong(20) & 0x3FFFFFF, "block sizes");
            ByteBuffer regions = client.output(0x5601, new byte[] {0, 0, 8, 0});
            assertEquals(0, regions.get(36));
            assertEquals(1 << 3, regions.get(40 + 36), "shareable");
            assertEquals(128, regions.getInt(84 + 8));
            assertEquals(128, regions.getInt(84 + 12));
            int generation = tags(client, 0, 8).getInt(0);

            assertEquals(INVALID_INPUT, add(client, 0, FREE, 1, 4, NIL), "without a tag");
            assertEquals(SUCCESS, add(client, 0, FREE, 1, 4, TAG));
            awaitExtents(client, 0, 1);
            assertEquals(INVALID_INPUT, add(client, 1, CONTIGUOUS, 1, 4, TAG), "in use");
            assertEquals(SUCCESS, add(client, 1, SHARED, 1, 0, TAG));
            assertEquals(INVALID_EXTENT_LIST, add(client, 0, SHARED, 1, 0, TAG), "has it");
            assertEquals(INVALID_INPUT, add(client, 2, SHARED, 0, 0, TAG), "not shareable");
            assertEquals(INVALID_INPUT, add(client, 2, SHARED, 1, 0, new UUID(7, 7)), "unknown");
            awaitExtents(client, 1, 1);
            ByteBuffer list = tags(client, 0, 8);
            assertTrue(list.getInt(0) != generation, "generation");
            assertEquals(1, list.getInt(4), "total");
            assertEquals(1, list.getInt(8), "returned");
            assertEquals(0b11, list.get(16 + 20), "holders");
            assertEquals(0, list.get(16 + 52), "pending");
            assertEquals(127, client.output(0x5601, new byte[] {0, 0, 8, 0}).getInt(84 + 12));
            assertEquals(
                    List.of(2L, 2L, 0L),
                    List.of(
                            heads.inspect().ownedBlocks()[0] / 2,
                            heads.inspect().ownedBlocks()[1] / 2,
                            0L));

            assertEquals(SUCCESS, client.ask(0x5606, FmApi.bytesOf(TAG)).code());
            assertEquals(
                    INVALID_INPUT,
                    client.ask(0x5606, FmApi.bytesOf(new UUID(7, 7))).code());
            assertEquals(1, tags(client, 0, 8).get(16 + 16) & 1, "referenced");
            assertEquals(SUCCESS, release(client, 0, BY_TAG, TAG));
            assertEquals(SUCCESS, release(client, 1, BY_TAG | FORCED | SANITIZE, TAG));
            awaitExtents(client, 0, 0);
            awaitExtents(client, 1, 0);
            assertEquals(1, tags(client, 0, 8).getInt(4), "kept");
            assertTrue(
                    heads.run("map").out().contains("kept by FM"),
                    heads.run("map").out());
            assertEquals(EXHAUSTED, add(client, 2, FREE, 1, 29, new UUID(8, 8)), "28 blocks are free");
            assertEquals(SUCCESS, add(client, 2, SHARED, 1, 0, TAG));
            awaitExtents(client, 2, 1);
            assertEquals(SUCCESS, client.ask(0x5607, FmApi.bytesOf(TAG)).code());
            assertEquals(1, tags(client, 0, 8).getInt(4), "held");
            assertEquals(SUCCESS, release(client, 2, BY_TAG, TAG));
            HeadProcesses.await("no tags", () -> tags(client, 0, 8).getInt(4) == 0);
            assertEquals(INVALID_INPUT, client.ask(0x5607, FmApi.bytesOf(TAG)).code());
            assertEquals(INVALID_INPUT, release(client, 2, BY_TAG, TAG));
            assertEquals(SUCCESS, add(client, 2, CONTIGUOUS, 1, 32, new UUID(8, 8)), "all of it");
        }
        assertTrue(heads.inspect().isSound());
    }

    @Test
    void shouldTakeEveryPolicyOverQmpToo() {
        start(2);
        Head fm = heads.startFm("--qmp=tcp:127.0.0.1:0,server,nowait");
        try (QmpClient qmp = qmp(fm)) {
            for (String policy : List.of("free", "contiguous", "prescriptive")) {
                assertEquals("", error(order(qmp, 1, "selection-policy", policy, 0, 2, 4)), policy);
            }
            HeadProcesses.await(
                    "acceptance",
                    () -> numbers(qmp.execute("x-query-extents", Map.of("host-id", 1)), "accepted", "len").length >= 2);
            assertEquals("", error(order(qmp, 0, "selection-policy", "free", 1, 3, 0)));
            HeadProcesses.await("acceptance", () -> heads.inspect().ownedBlocks()[0] == 3);
            assertEquals("", error(order(qmp, 1, "selection-policy", "enable-shared-access", 1, 0, 0)));
            HeadProcesses.await("sharing", () -> heads.inspect().ownedBlocks()[1] == 9);
            assertTrue(
                    heads.run("tags").out().contains("0,1"), heads.run("tags").out());
            assertTrue(
                    heads.run("extents").out().contains("sequence"),
                    heads.run("extents").out());
            assertTrue(
                    heads.run("map").out().contains("shared"), heads.run("map").out());
            assertEquals(0, heads.run("tags", "--add-reference=" + TAG).exitCode());
            assertEquals(
                    1, heads.run("tags", "--add-reference=" + new UUID(7, 7)).exitCode());
            for (int host = 0; host < 2; host++) {
                assertEquals("", error(order(qmp, host, "removal-policy", "tag-based", 1, 0, 0)));
            }
            HeadProcesses.await("leaving", () -> heads.inspect().ownedBlocks()[1] == 6);
            assertTrue(heads.run("tags").out().contains("yes"), "kept");
            assertEquals(0, heads.run("tags", "--remove-reference=" + TAG).exitCode());
            assertTrue(heads.run("tags").out().contains("no tags"));
            assertEquals("", error(order(qmp, 1, "removal-policy", "prescriptive", 0, 2, 4)));
            HeadProcesses.await("release", () -> heads.inspect().ownedBlocks()[1] == 4);
        }
        assertTrue(heads.inspect().isSound());
    }

    private static QmpReply order(
            QmpClient qmp, int host, String kind, String policy, int region, long blocks, long offsetBlocks) {
        boolean isAdd = kind.equals("selection-policy");
        List<Object> extents =
                blocks == 0 ? List.of() : List.of(Map.of("offset", offsetBlocks * BLOCK, "len", blocks * BLOCK));
        Map<String, Object> arguments =
                new HashMap<>(Map.of("path", "", "host-id", host, kind, policy, "region", region, "extents", extents));
        if (region == 1) {
            arguments.put("tag", TAG.toString());
        }
        return qmp.execute(isAdd ? "cxl-add-dynamic-capacity" : "cxl-release-dynamic-capacity", arguments);
    }

    @Test
    void shouldRouteInjectionsAndQueries() {
        start(2);
        Head fm = heads.startFm("--qmp=tcp:127.0.0.1:0,server,nowait");
        try (QmpClient qmp = qmp(fm)) {
            Map<String, Object> event =
                    Map.of("log", "failure", "flags", 1, "dpa", 0, "descriptor", 0, "type", 0, "transaction-type", 0);
            for (String path : List.of("head1", "/machine/peripheral/head1")) {
                Map<String, Object> named = new HashMap<>(event);
                named.put("path", path);
                assertEquals("", error(qmp.execute("cxl-inject-general-media-event", named)));
            }
            Map<String, Object> byHead = new HashMap<>(event);
            byHead.putAll(Map.of("path", "cxl-mem0", "head-id", 1));
            assertEquals("", error(qmp.execute("cxl-inject-dram-event", byHead)));
            QmpReply log = qmp.execute("x-query-events", Map.of("host-id", 1, "log", "failure"));
            assertEquals(3, numbers(log, "records", "sequence").length);
            log = qmp.execute("x-query-events", Map.of("host-id", 0, "log", "failure"));
            assertEquals(0, numbers(log, "records", "sequence").length);
            byHead.remove("head-id");
            assertEquals(
                    "which head is meant cannot be told: path=cxl-mem0 (give host-id, or path as head0, head1, …)",
                    error(qmp.execute("cxl-inject-dram-event", byHead)));
            assertEquals(
                    "", error(qmp.execute("cxl-inject-poison", Map.of("path", "head0", "start", 0, "length", 64))));
            assertEquals(
                    "",
                    error(qmp.execute(
                            "cxl-inject-correctable-error", Map.of("path", "head0", "type", "retry-threshold"))));
            assertEquals(
                    1L,
                    ((Map<?, ?>) qmp.execute("x-query-head", Map.of("host-id", 1))
                                    .value())
                            .get("head"));
            assertEquals("no such host: host-id=9 heads=8", error(qmp.execute("x-query-head", Map.of("host-id", 9))));
        }
    }

    // ---- regions

    @Test
    void shouldSetRegionsAndLetEveryHostKnow() {
        Head[] started = start(2, "--host-driver=manual");
        Head fm = heads.startFm();
        try (FmApi client = fmApi(fm)) {
            assertEquals(
                    UNSUPPORTED,
                    client.ask(0x5602, FmApi.setRegion(2, BLOCK, false)).code(),
                    "no such region");
            assertEquals(
                    INVALID_INPUT,
                    client.ask(0x5602, FmApi.setRegion(0, BLOCK / 2, false)).code());
            assertEquals(
                    INVALID_INPUT,
                    client.ask(0x5602, FmApi.setRegion(0, 3 * BLOCK, false)).code());
            assertEquals(
                    SUCCESS,
                    client.ask(0x5602, FmApi.setRegion(0, 4 * BLOCK, true)).code());
            for (int host = 0; host < 2; host++) {
                ByteBuffer events = client.output(0x5300, FmApi.tunnel(host, 0x0100, (byte) 4));
                assertEquals(1, events.getShort(16 + 20), "one record, at once");
                assertEquals(3, events.get(16 + 32 + 48), "region configuration updated");
                ByteBuffer configuration = client.output(0x5300, FmApi.tunnel(host, 0x4800, (byte) 8, (byte) 0));
                assertEquals(4 * BLOCK, configuration.getLong(16 + 8 + 24));
            }
            ByteBuffer regions = client.output(0x5601, new byte[] {0, 0, 8, 0});
            assertEquals(4 * BLOCK, regions.getLong(28));
            assertEquals(1, regions.get(40), "sanitize on release");
            assertEquals(INVALID_INPUT, add(client, 0, FREE, 0, 2, NIL), "no multiple of its blocks");
            assertEquals(SUCCESS, add(client, 0, FREE, 0, 4, NIL));
            assertEquals(
                    UNSUPPORTED,
                    client.ask(0x5602, FmApi.setRegion(0, BLOCK, true)).code(),
                    "in use");
            assertEquals(
                    SUCCESS, client.ask(0x5602, FmApi.setRegion(0, 0, true)).code(), "as it is");

            started[1].signal("STOP");
            assertEquals(
                    SUCCESS,
                    client.ask(0x5602, FmApi.setRegion(1, 2 * BLOCK, false)).code());
            started[1].signal("CONT");
            HeadProcesses.await("the stopped head to have told its host", () -> {
                Answer events = client.ask(0x5300, FmApi.tunnel(1, 0x0100, (byte) 4));
                return events.code() == SUCCESS && events.payload().getShort(16 + 20) == 2;
            });
        }
        assertTrue(heads.inspect().isSound());
    }

    // ---- many at once

    /** Fabric managers order at random from several heads by every policy: each order is done whole or not at all. */
    @Test
    void shouldDoWholeOrdersOfManyManagersAtOnce() throws InterruptedException, ExecutionException {
        start(3);
        List<Head> managers = List.of(heads.startFm(), heads.startFm());
        long seed = System.nanoTime();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<Integer>> done = new ArrayList<>();
            for (int number = 0; number < 4; number++) {
                SplittableRandom random = new SplittableRandom(seed + number);
                Head fm = managers.get(number % 2);
                done.add(pool.submit((Callable<Integer>) () -> orderAtRandom(fm, random, seed)));
            }
            for (Future<Integer> each : done) {
                assertTrue(each.get() > 30, "seed=" + seed + " done=" + each.get());
            }
        } finally {
            pool.shutdownNow();
        }
        try (FmApi client = fmApi(managers.get(0))) {
            HeadProcesses.await(
                    "the hosts to have answered", () -> heads.inspect().isSound());
            Inspector.Report report = heads.inspect();
            long[] blocks = new long[3];
            for (int host = 0; host < 3; host++) {
                blocks[host] = blocksOf(client, host);
                assertEquals(report.ownedBlocks()[host], blocks[host], "host=" + host + " seed=" + seed);
            }
            // Everything can be had back, and then all of it is free.
            for (int tag = 0; tag < 4; tag++) {
                for (int host = 0; host < 3; host++) {
                    release(client, host, BY_TAG | FORCED, new UUID(1, tag));
                }
                client.ask(0x5607, FmApi.bytesOf(new UUID(1, tag)));
            }
            for (int host = 0; host < 3; host++) {
                long left = blocksOf(client, host);
                if (left > 0) {
                    assertEquals(
                            SUCCESS,
                            client.ask(0x5605, FmApi.order(host, BY_TAG | FORCED, 0, left * BLOCK, NIL))
                                    .code());
                }
            }
            assertEquals(0, tags(client, 0, 8).getInt(4), "seed=" + seed);
            assertEquals(SUCCESS, add(client, 0, CONTIGUOUS, 0, 32, NIL), "seed=" + seed);
            assertEquals(SUCCESS, add(client, 1, CONTIGUOUS, 1, 32, TAG), "seed=" + seed);
        }
        assertTrue(heads.inspect().isSound());
    }

    private static long blocksOf(FmApi client, int host) {
        ByteBuffer extents = client.output(
                0x5603,
                ByteBuffer.allocate(12)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(host)
                        .putInt(100)
                        .array());
        long blocks = 0;
        for (int i = 0; i < extents.getInt(8); i++) {
            blocks += extents.getLong(24 + 40 * i + 8) / BLOCK;
        }
        return blocks;
    }

    private static int orderAtRandom(Head fm, SplittableRandom random, long seed) {
        Set<Integer> expected = Set.of(SUCCESS, INVALID_INPUT, RETRY, BUSY, 0x0F, INVALID_EXTENT_LIST, EXHAUSTED);
        int done = 0;
        try (FmApi client = fmApi(fm)) {
            for (int round = 0; round < 300; round++) {
                int host = random.nextInt(3);
                UUID tag = new UUID(1, random.nextInt(4));
                long length = (1 + random.nextInt(6)) * BLOCK;
                long block = random.nextInt(28);
                Answer answer = switch (random.nextInt(10)) {
                    case 0 -> client.ask(0x5604, FmApi.order(host, FREE, 0, length, NIL));
                    case 1 -> client.ask(0x5604, FmApi.order(host, CONTIGUOUS, 0, length, NIL));
                    case 2 -> client.ask(0x5604, FmApi.add(host, block));
                    case 3 -> client.ask(0x5604, FmApi.order(host, random.nextInt(2), 1, length, tag));
                    case 4 -> client.ask(0x5604, FmApi.order(host, SHARED, 1, 0, tag));
                    case 5 -> client.ask(0x5605, FmApi.order(host, BY_TAG | random.nextInt(4) << 4, 0, 0, tag));
                    case 6 -> client.ask(0x5605, FmApi.order(host, BY_TAG | FORCED, 0, length, NIL));
                    case 7 -> client.ask(0x5605, FmApi.take(host, block));
                    case 8 -> client.ask(0x5606, FmApi.bytesOf(tag));
                    default -> client.ask(0x5607, FmApi.bytesOf(tag));
                };
                assertTrue(expected.contains(answer.code()), "code=" + answer.code() + " seed=" + seed);
                assertTrue(answer.tookMs() < 2000, "tookMs=" + answer.tookMs() + " seed=" + seed);
                done += answer.code() == SUCCESS ? 1 : 0;
            }
        }
        return done;
    }

    /** A head that is killed while it adds: the client hears of it within a second, whenever in the course of the add it is. */
    @Test
    void shouldHearOfAHeadThatIsKilledInTheMiddleOfAnAdd() throws InterruptedException {
        Head[] started = start(2);
        Head fm = heads.startFm();
        SplittableRandom random = new SplittableRandom(5);
        try (FmApi client = fmApi(fm)) {
            for (int round = 0; round < 6; round++) {
                assertEquals(SUCCESS, add(client, 1, FREE, 0, 1, NIL), "a connection that is there");
                int sent = client.send(0x5604, FmApi.order(1, FREE, 0, 20 * BLOCK, NIL));
                Thread.sleep(0, random.nextInt(999_999));
                long startNs = System.nanoTime();
                started[1].kill();
                int code = client.receive(0x5604, sent).code();
                assertTrue(Set.of(SUCCESS, RETRY, BUSY).contains(code), "code=" + code);
                assertTrue((System.nanoTime() - startNs) / 1_000_000 < 1000);
                int after = add(client, 1, FREE, 0, 1, NIL);
                assertTrue(Set.of(RETRY, BUSY).contains(after), "code=" + after);
                HeadProcesses.await(
                        "the peer to have reaped it", () -> heads.inspect().ownedBlocks()[1] == 0);
                started[1] = heads.start(1).awaitReady();
            }
        }
        HeadProcesses.await("all to be sound", () -> heads.inspect().isSound());
    }
}

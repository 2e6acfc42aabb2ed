package io.mhsld.head;

import static io.mhsld.DeviceFixture.BLOCK;
import static io.mhsld.DeviceFixture.MIB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.media.Media;
import io.mhsld.media.MediaException;
import io.mhsld.state.Counter;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Type3Device;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.agrona.concurrent.errors.ErrorLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Heads of one device within this JVM: what stands in the shared tables, and how a head begins and ends. */
@Timeout(60)
class HeadTest {
    private static final long SEED = Long.getLong("mhsld.seed", 4_800L);

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    // ---- tables and device in step

    @Test
    void shouldDoWhatPlainModelDoesAndKeepTablesInStep() {
        SplittableRandom random = new SplittableRandom(SEED);
        int perRegion = 21;
        Geometry geometry = fixture.make(3, 2, perRegion);
        List<LocalHead> heads = List.of(fixture.attach(0), fixture.attach(1), fixture.attach(2));
        int[] owner = new int[2 * perRegion];
        Arrays.fill(owner, -1);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            for (int step = 0; step < 1_200; step++) {
                int id = random.nextInt(3);
                LocalHead head = heads.get(id);
                String which = "seed=" + SEED + " step=" + step + " head=" + id;
                switch (random.nextInt(5)) {
                    case 0, 1 -> add(random, head, owner, perRegion, which);
                    case 2 -> answer(random, head, owner, geometry, which);
                    case 3 -> release(random, head, owner, geometry, which);
                    default -> force(random, head, owner, perRegion, which);
                }
                head.call(h -> {
                    h.device().log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
                    return h;
                });
                for (int block = 0; block < owner.length; block++) {
                    long lane = owner[block] < 0 ? 0 : 1L << owner[block];
                    assertEquals(lane, state.ownerMap().ownersVolatile(block), which + " block=" + block);
                }
                assertEquals(tableOf(head), state.extents(id).readSeqlock().orElseThrow(), which);
                long owned = Arrays.stream(owner).filter(o -> o == id).count();
                assertEquals(owned, state.counters(id).getAcquire(Counter.BLOCKS_OWNED), which);
                fixture.assertSound();
            }
        }
        heads.forEach(head -> {
            long adds = head.head.counters().getAcquire(Counter.ADDS);
            assertTrue(adds > 10, "adds=" + adds);
            assertTrue(head.head.counters().getAcquire(Counter.CLAIM_CONFLICTS) > 3);
        });
    }

    private static void add(SplittableRandom random, LocalHead head, int[] owner, int perRegion, String which) {
        int region = random.nextInt(2);
        List<Long> ranges = new ArrayList<>();
        boolean allFree = true;
        for (int block = 0; block < perRegion && ranges.size() < 4; block++) {
            if (random.nextInt(6) == 0) {
                int count = random.nextInt(1, Math.min(4, perRegion - block) + 1);
                ranges.addAll(List.of((long) block, (long) count));
                for (int b = block; b < block + count; b++) {
                    allFree &= owner[region * perRegion + b] < 0;
                }
                block += count;
            }
        }
        long[] blocks = ranges.stream().mapToLong(Long::longValue).toArray();
        Optional<Refusal> refusal = head.add(region, blocks);
        assertEquals(allFree, refusal.isEmpty(), which + " " + refusal);
        for (int i = 0; allFree && i < blocks.length; i += 2) {
            Arrays.fill(
                    owner,
                    region * perRegion + (int) blocks[i],
                    region * perRegion + (int) (blocks[i] + blocks[i + 1]),
                    head.id);
        }
    }

    private static void answer(SplittableRandom random, LocalHead head, int[] owner, Geometry geometry, String which) {
        head.call(h -> {
            if (h.device().capacity().pending().isEmpty()) {
                return h;
            }
            List<HostRange> accepted = new ArrayList<>();
            for (Extent offered : h.device().capacity().pending().get(0).extents()) {
                for (long dpa = offered.startDpa(); dpa < offered.endDpa(); dpa += BLOCK) {
                    if (random.nextInt(3) > 0) {
                        accepted.add(new HostRange(dpa, BLOCK));
                    } else {
                        owner[(int) geometry.blockOfDpa(dpa)] = -1;
                    }
                }
            }
            assertEquals(Optional.empty(), h.device().capacity().addResponse(accepted, false), which);
            return h;
        });
    }

    private static void release(SplittableRandom random, LocalHead head, int[] owner, Geometry geometry, String which) {
        head.call(h -> {
            List<Extent> accepted = h.device().capacity().accepted();
            if (accepted.isEmpty()) {
                return h;
            }
            Extent extent = accepted.get(random.nextInt(accepted.size()));
            long dpa = extent.startDpa() + random.nextLong(extent.lengthBytes() / BLOCK) * BLOCK;
            assertEquals(
                    Optional.empty(),
                    h.device().capacity().hostRelease(List.of(new HostRange(dpa, BLOCK)), false),
                    which);
            owner[(int) geometry.blockOfDpa(dpa)] = -1;
            return h;
        });
    }

    private static void force(SplittableRandom random, LocalHead head, int[] owner, int perRegion, String which) {
        int block = random.nextInt(owner.length);
        boolean mine = owner[block] == head.id;
        Optional<Refusal> refusal = head.call(h -> h.device()
                .capacity()
                .release(ReleaseRequest.prescriptive(
                                block / perRegion, List.of(new Range(block % perRegion * BLOCK, BLOCK)))
                        .byForce(true)));
        assertEquals(mine, refusal.isEmpty(), which + " " + refusal);
        if (mine) {
            owner[block] = -1;
        }
    }

    private static ExtentTable.Snapshot tableOf(LocalHead head) {
        return head.call(h -> {
            List<ExtentTable.Entry> entries = new ArrayList<>();
            for (Extent e : h.device().capacity().accepted()) {
                entries.add(new ExtentTable.Entry(e.startDpa(), e.lengthBytes(), e.tag(), e.sharedSequence(), 0));
            }
            h.device()
                    .capacity()
                    .pending()
                    .forEach(group -> group.extents()
                            .forEach(e -> entries.add(new ExtentTable.Entry(
                                    e.startDpa(), e.lengthBytes(), e.tag(), e.sharedSequence(), group.id()))));
            return new ExtentTable.Snapshot(entries, h.device().capacity().generation());
        });
    }

    @Test
    void shouldCountWhatHappens() {
        fixture.make(2, 1, 64);
        LocalHead one = fixture.attach(0);
        LocalHead other = fixture.attach(1);
        one.take(0, 0, 8);
        one.add(0, 8, 4);
        one.call(h -> h.device().capacity().addResponse(List.of(new HostRange(8 * BLOCK, BLOCK)), false));
        one.release(0, 2 * BLOCK);
        assertEquals(
                Cause.OWNED_BY_OTHER_HEAD,
                other.add(0, 20, 2, 5, 1).orElseThrow().cause());
        one.call(h -> h.device().fill(4 * BLOCK, 1000, (byte) 1));
        one.read(4 * BLOCK, 10);
        one.call(h -> {
            h.countRefusedAccess(h.device().checkAccess(0, 1).orElseThrow());
            return h;
        });
        assertEquals(
                List.of(7L, 2L, 2L, 0L, 0L, 9L, 3L, 2L, 0L, 1L, 10L, 1000L),
                Arrays.stream(Counter.values())
                        .map(one.head.counters()::getAcquire)
                        .toList());
        assertEquals(
                List.of(0L, 0L, 0L, 1L, 1L, 0L, 0L, 0L, 0L, 0L, 0L, 0L),
                Arrays.stream(Counter.values())
                        .map(other.head.counters()::getAcquire)
                        .toList());
    }

    @Test
    void shouldNameBlockAndOwnerWhenClaimIsLost() {
        fixture.make(9, 2, 20);
        fixture.attach(8).take(1, 3, 2);
        Refusal refusal = fixture.attach(2).add(1, 0, 10).orElseThrow();
        assertEquals("owned by other head: block=23 dpa=0x10600000 owner=[8] requester=2", refusal.toString());
    }

    // ---- space

    private interface OnSmallDisk {
        void run(DeviceFiles files) throws Exception;
    }

    /** Runs it with a device of 64 MiB where there is room for 9. */
    private void onSmallDisk(boolean sparse, OnSmallDisk test) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may mount a small file system");
        Path mount = Files.createDirectory(fixture.folder().resolve("small"));
        assumeTrue(
                new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", mount.toString())
                                .start()
                                .waitFor()
                        == 0,
                "no mounting here");
        try {
            DeviceFiles files = DeviceFiles.named(mount.resolve("dev").toString());
            Geometry geometry = Geometry.of(8, 64 * MIB, 1, BLOCK);
            Device.initialise(files, new Device.Specification(geometry, 1, sparse, Optional.empty(), false), 1_000);
            test.run(files);
        } finally {
            new ProcessBuilder("umount", mount.toString()).start().waitFor();
        }
    }

    @Test
    void shouldRefuseWhenThereIsNoMemoryAndChangeNothing() throws Exception {
        onSmallDisk(false, files -> {
            try (EventLoop loop = EventLoop.open();
                    Head head = Device.attach(files, 0, loop, 1_000, line -> {})) {
                assertEquals(Optional.empty(), add(head, 0, 2));
                Refusal refusal = add(head, 4, 1, 10, 4).orElseThrow();
                assertEquals(Cause.NO_SPACE, refusal.cause(), refusal.toString());
                assertTrue(refusal.detail().endsWith(" media=" + files.mediaFile()), refusal.detail());
                assertEquals(2, head.state().ownerMap().countVolatile(0));
                assertEquals(1, head.device().capacity().pending().size());
                assertEquals(List.of(), Device.inspect(files).findings());
                assertEquals(Optional.empty(), add(head, 4, 1));
            }
        });
    }

    /** Every way to store: each is refused when there is no memory, nothing faults, and holes read as zero. */
    @Test
    void shouldRefuseStoresToSparseMediaWhenThereIsNoMemory() throws Exception {
        onSmallDisk(true, files -> {
            try (EventLoop loop = EventLoop.open();
                    Head head = Device.attach(files, 0, loop, 1_000, line -> {})) {
                Type3Device device = head.device();
                assertEquals(Optional.empty(), add(head, 0, 32));
                assertEquals(
                        Optional.empty(), device.capacity().addResponse(List.of(new HostRange(0, 64 * MIB)), false));
                byte[] line = new byte[64];
                assertEquals(Optional.empty(), device.read(63 * MIB, line, 0, 64));
                assertEquals(Cause.NO_SPACE, cause(device.fill(0, 32 * MIB, (byte) 7)));
                assertEquals(Cause.NO_SPACE, cause(device.write(40 * MIB, new byte[] {1}, 0, 1)));
                assertEquals(Optional.empty(), device.injectPoison(48 * MIB, 64, MediaPoison.Source.INJECTED));
                line[0] = 9;
                assertEquals(Cause.NO_SPACE, cause(device.clearPoison(48 * MIB, line)));
                assertEquals(Cause.POISONED, cause(device.read(48 * MIB, line, 0, 64)));
                assertEquals(Optional.empty(), device.read(40 * MIB, line, 0, 64));
                assertArrayEquals(new byte[64], line, "a hole");
                assertEquals(Optional.empty(), device.write(5, new byte[] {1}, 0, 1), "what has its page");
                assertEquals(Optional.empty(), device.fill(32 * MIB, 32 * MIB, (byte) 0), "zeros where nothing is");
                assertEquals(
                        Optional.empty(),
                        device.capacity()
                                .release(ReleaseRequest.prescriptive(0, List.of(new Range(0, 8 * MIB)))
                                        .byForce(true)),
                        "gives memory back");
                assertEquals(Optional.empty(), device.clearPoison(48 * MIB, line));
                assertEquals(Optional.empty(), device.write(40 * MIB, new byte[] {1}, 0, 1));
                assertEquals(List.of(), Device.inspect(files).findings());
            }
        });
    }

    private static Cause cause(Optional<Refusal> refusal) {
        return refusal.orElseThrow().cause();
    }

    private static Optional<Refusal> add(Head head, long... blocks) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < blocks.length; i += 2) {
            ranges.add(new Range(blocks[i] * BLOCK, blocks[i + 1] * BLOCK));
        }
        return head.device().capacity().add(0, ranges, Extent.NO_TAG);
    }

    // ---- beginning

    @Test
    void shouldStandInHeadTable() throws IOException {
        fixture.make(2, 1, 4);
        LocalHead head = fixture.attach(1);
        HeadTable.Row row = head.head.state().heads().readAcquire(1);
        ProcessIdentity process = ProcessIdentity.current();
        assertEquals(HeadTable.State.STARTING, row.state());
        assertEquals(process.pid(), row.pid());
        assertEquals(process.startTicks(), row.processStartTicks());
        assertTrue(Math.abs(System.currentTimeMillis() - row.attachedMs()) < 30_000);
        assertEquals(1, row.incarnation());
        head.call(h -> {
            h.serve();
            return h;
        });
        row = head.head.state().heads().readAcquire(1);
        assertEquals(HeadTable.State.SERVING, row.state());
        assertEquals(fixture.files().controlSocket(1).toString(), row.controlSocket());
        assertEquals(HeadTable.State.FREE, head.head.state().heads().stateAcquire(0));
    }

    @Test
    void shouldRefuseHeadThatDeviceDoesNotHave() {
        fixture.make(8, 1, 4);
        for (int id : new int[] {8, 63, -1, 64}) {
            Exception refusal = assertThrows(IllegalArgumentException.class, () -> fixture.attach(id));
            assertEquals(
                    "no such head: head=" + id + " heads=8 (0 to 7) file="
                            + fixture.files().stateFile(),
                    refusal.getMessage());
        }
    }

    @Test
    void shouldRefuseHeadThatIsTakenInThisJvm() {
        fixture.make(2, 1, 4);
        fixture.attach(0).take(0, 1, 2);
        StateFileException refusal = assertThrows(StateFileException.class, () -> fixture.attach(0));
        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(
                "head is taken: head=0 pid=" + ProcessHandle.current().pid() + " file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        assertEquals(List.of(1, 2), fixture.blocksOf(0));
    }

    @Test
    void shouldWaitForLeaseThatReaperHoldsForMoment() throws Exception {
        fixture.make(2, 1, 4);
        LeaseFile leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        Leases.Lease reaper = leases.tryHead(0).orElseThrow();
        Thread later = new Thread(() -> {
            DeviceFixture.pause(150);
            reaper.release();
        });
        later.start();
        long start = System.nanoTime();
        fixture.attach(0);
        assertTrue(System.nanoTime() - start >= 140_000_000);
        later.join();
        leases.close();
    }

    @Test
    void shouldGiveLeaseBackWhenAttachFails() throws IOException {
        fixture.make(2, 1, 4);
        LocalHead other = fixture.attach(1);
        Path media = fixture.files().mediaFile();
        Path away = fixture.folder().resolve("away");
        Files.move(media, away);
        String message =
                assertThrows(MediaException.class, () -> fixture.attach(0)).getMessage();
        assertEquals("media file missing: file=" + media, message);
        Files.move(away, media);
        fixture.attach(0).take(0, 0, 1);
        other.take(0, 1, 1);
    }

    @Test
    void shouldFreeWhatEarlierProcessLeftAsThisHead() {
        fixture.make(2, 2, 10);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().startRelease(0, 1, 1, 1);
            state.heads().beginOperationRelease(0);
            state.ownerMap().claim(0, 3, 12);
            state.counters(0).setRelease(Counter.BLOCKS_OWNED, 77);
        }
        LocalHead head = fixture.attach(0);
        assertEquals(List.of("freed what an earlier process held as this head: blocks=12"), head.lines);
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(0, head.head.counters().getAcquire(Counter.BLOCKS_OWNED));
    }

    // ---- errors

    @Test
    void shouldKeepErrorsWhereOthersFindThem() {
        fixture.make(2, 1, 4);
        LocalHead head = fixture.attach(1);
        for (int i = 0; i < 3; i++) {
            head.call(h -> {
                h.recordError(new IllegalStateException("boom"));
                return h;
            });
        }
        head.close();
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            List<String> found = new ArrayList<>();
            ErrorLogReader.read(
                    state.errorLog(1),
                    (count, first, last, text) ->
                            found.add(count + " " + text.lines().findFirst().orElseThrow()));
            assertEquals(List.of("3 java.lang.IllegalStateException: boom"), found);
            assertFalse(ErrorLogReader.hasErrors(state.errorLog(0)));
        }
        LocalHead next = fixture.attach(1);
        assertFalse(ErrorLogReader.hasErrors(next.head.state().errorLog(1)), "a new process starts a new log");
    }

    // ---- ending

    @Test
    void shouldLetGoOfEverythingWhenClosed() {
        fixture.make(2, 1, 16);
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 4);
        head.add(0, 8, 2);
        head.close();
        head.head.close();

        assertEquals(List.of(), fixture.blocksOf(0));
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            HeadTable.Row row = state.heads().readAcquire(0);
            assertEquals(HeadTable.State.FREE, row.state());
            assertEquals(0, row.pid());
            assertEquals(2, row.incarnation());
            assertEquals(0, state.counters(0).getAcquire(Counter.BLOCKS_OWNED));
        }
        assertFalse(Device.liveHeads(fixture.files(), 2)[0]);
        fixture.attach(0).take(0, 0, 16);
    }

    /** Invariant I6. */
    @Test
    void shouldChangeNothingAfterItHasEnded() throws IOException {
        fixture.make(2, 1, 16);
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 4);
        head.close();
        LocalHead next = fixture.attach(0);
        next.take(0, 2, 2);
        next.call(h -> h.device().fill(2 * BLOCK, BLOCK, (byte) 7));
        byte[] before = Files.readAllBytes(fixture.files().stateFile());

        for (Runnable act : List.<Runnable>of(
                () -> add(head.head, 10, 2),
                () -> head.head.device().capacity().releaseAll(),
                () -> head.head.device().reset(),
                () -> head.head.serve(),
                () -> head.head.counters().addRelease(Counter.ADDS, 1))) {
            assertThrows(RuntimeException.class, act::run);
        }
        assertEquals(
                Cause.ACCESS_INVALID,
                head.head.device().fill(2 * BLOCK, 1, (byte) 1).orElseThrow().cause());
        assertArrayEquals(before, Files.readAllBytes(fixture.files().stateFile()));
        assertEquals(7, next.read(2 * BLOCK, 1)[0]);
    }

    @Test
    void shouldWaitAsLongAsItIsToldForLeaseThatNoHeadHolds() throws Exception {
        fixture.make(2, 1, 4);
        try (LeaseFile leases =
                LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow()) {
            Leases.Lease held = leases.tryHead(0).orElseThrow();
            CompletableFuture<LocalHead> head = CompletableFuture.supplyAsync(() -> fixture.attach(0));
            // Longer than it would wait by itself, and shorter than the five seconds that the fixture asks for.
            DeviceFixture.pause(2_500);
            assertFalse(head.isDone());
            held.release();
            head.get(20, TimeUnit.SECONDS).take(0, 0, 4);
        }
    }

    @Test
    void shouldKeepErrorWhoseTraceIsTooLongForItsLog() {
        fixture.make(2, 1, 4);
        LocalHead head = fixture.attach(0);
        Throwable deep = new IllegalStateException("very deep");
        StackTraceElement[] frames = new StackTraceElement[2000];
        Arrays.fill(frames, new StackTraceElement("io.mhsld.Somewhere", "deep", "Somewhere.java", 1));
        deep.setStackTrace(frames);
        head.call(h -> {
            h.recordError(deep);
            return h;
        });
        List<String> kept = new ArrayList<>();
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            ErrorLogReader.read(state.errorLog(0), (count, first, last, text) -> kept.add(text));
        }
        assertEquals(1, kept.size());
        assertTrue(kept.get(0).contains("very deep") && kept.get(0).contains("Somewhere.java"), kept.get(0));
    }

    enum Loss {
        STATE_FILE_REMOVED("state file was removed under a live head: head=0"),
        STATE_FILE_REPLACED("state file was replaced under a live head: head=0"),
        STATE_FILE_LINKED("state file was replaced under a live head: head=0"),
        STATE_FILE_CUT("state file was cut under a live head: head=0"),
        STATE_FILE_GROWN("state file was cut under a live head: head=0"),
        LOCK_FILE_REMOVED("lock file was removed under a live head: head=0"),
        MEDIA_FILE_REMOVED("media file was removed under a live head: head=0"),
        MEDIA_FILE_LINKED("media file was replaced under a live head: head=0"),
        MEDIA_FILE_CUT("media file was cut under a live head: head=0");

        private final String words;

        Loss(String words) {
            this.words = words;
        }
    }

    /** The file is still the same, by another name; what its own name leads to can be exchanged at will. */
    private static void replaceByLinkToItself(Path file) throws IOException {
        Path moved = file.resolveSibling("moved");
        Files.move(file, moved);
        Files.createSymbolicLink(file, moved);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNoticeWithinSecondThatDeviceIsTakenFromUnderIt(Loss loss) throws IOException {
        fixture.expectDamage();
        fixture.make(2, 1, 16);
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 4);
        AtomicReference<StateFileException> lost = new AtomicReference<>();
        List<String> calls = new CopyOnWriteArrayList<>();
        head.call(h -> {
            h.onLost(problem -> {
                calls.add("lost");
                lost.set(problem);
            });
            return h;
        });
        Path state = fixture.files().stateFile();
        byte[] content = Files.readAllBytes(state);
        switch (loss) {
            case STATE_FILE_REMOVED -> Files.delete(state);
            case STATE_FILE_REPLACED -> {
                Path copy = fixture.folder().resolve("copy");
                Files.write(copy, content);
                Files.move(copy, state, StandardCopyOption.REPLACE_EXISTING);
            }
            case STATE_FILE_LINKED -> replaceByLinkToItself(state);
            case MEDIA_FILE_LINKED -> replaceByLinkToItself(fixture.files().mediaFile());
            case STATE_FILE_CUT -> cut(state, content.length - 4096);
            case STATE_FILE_GROWN -> cut(state, content.length + 4096);
            case LOCK_FILE_REMOVED -> Files.delete(fixture.files().lockFile());
            case MEDIA_FILE_REMOVED -> Files.delete(fixture.files().mediaFile());
            case MEDIA_FILE_CUT -> cut(fixture.files().mediaFile(), BLOCK);
        }
        DeviceFixture.await("loss", DeviceFixture.PATIENCE_MS, () -> lost.get() != null);
        Path file = loss == Loss.LOCK_FILE_REMOVED
                ? fixture.files().lockFile()
                : loss.name().startsWith("MEDIA") ? fixture.files().mediaFile() : state;
        assertEquals(loss.words + " file=" + file, lost.get().getMessage());
        DeviceFixture.pause(450);
        assertEquals(List.of("lost"), calls, "told once");
        // Leaving must not fault, and must not write where others may be now.
        head.close();
        if (loss == Loss.STATE_FILE_REPLACED) {
            assertArrayEquals(content, Files.readAllBytes(state));
        }
    }

    /** The application that the head was in goes on; what it held must not wait for its end. */
    @Test
    void shouldLeaveTheDeviceWhenOnlyItsMemoryWasLost() throws IOException {
        fixture.make(2, 1, 16);
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 4);
        Path media = fixture.files().mediaFile();
        Path away = Files.move(media, fixture.folder().resolve("away"));
        assertTrue(head.head.lost().isPresent());
        head.close();
        Files.move(away, media);
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(16, fixture.assertSound().freeBlocks());
        fixture.attach(0).take(0, 0, 16);
    }

    @Test
    void shouldKnowTheFilesThatItHasOpenedWhateverTheirNamesLeadTo() throws IOException {
        fixture.make(2, 1, 16);
        Path state = fixture.files().stateFile();
        Path media = fixture.files().mediaFile();
        Object stateKey = FileGuard.look(state).key();
        Object mediaKey = FileGuard.look(media).key();
        try (StateFile open = StateFile.open(state, StateFile.Access.READ_WRITE, 0);
                Media memory = MediaBinding.open(fixture.files(), open)) {
            for (Path file : List.of(state, media)) {
                Path copy = Files.copy(file, fixture.folder().resolve("copy"));
                Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
            }
            assertEquals(stateKey, open.fileKey());
            assertEquals(mediaKey, memory.fileKey());
            assertNotEquals(FileGuard.look(state).key(), open.fileKey());
            assertNotEquals(FileGuard.look(media).key(), memory.fileKey());
        }
    }

    @Test
    void shouldFreeItsRowWhenItsStartFails() {
        fixture.make(3, 1, 16);
        fixture.startHead(1).kill();
        try (EventLoop loop = EventLoop.open()) {
            // It has said already that it starts when it tells of the dead head.
            HeadLog log = line -> {
                throw new IllegalStateException(line);
            };
            assertEquals(
                    "reaped dead head: head=1 blocks=0",
                    assertThrows(IllegalStateException.class, () -> Head.attach(fixture.files(), 0, loop, 1_000, log))
                            .getMessage());
        }
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            assertEquals(HeadTable.State.FREE, state.heads().stateAcquire(0));
        }
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(length);
        }
    }

    @Test
    void shouldNotTouchMemoryOfNextDeviceWhenItLeavesLostOne() throws IOException {
        Path media = fixture.folder().resolve("backend");
        Device.Specification specification =
                new Device.Specification(Geometry.of(2, 16 * BLOCK, 1, BLOCK), 1, false, Optional.of(media), false);
        Device.initialise(fixture.files(), specification, 1_000);
        LocalHead old = fixture.attach(0);
        old.take(0, 0, 4);
        // Somebody who knows no better removes the files by hand, and makes a device of the same name and memory.
        Files.delete(fixture.files().stateFile());
        Files.delete(fixture.files().lockFile());
        Device.initialise(fixture.files(), specification, 1_000);
        LocalHead next = fixture.attach(1);
        next.take(0, 0, 4);
        next.call(h -> h.device().fill(0, 4 * BLOCK, (byte) 0x5A));
        old.close();
        byte[] expected = new byte[(int) BLOCK];
        Arrays.fill(expected, (byte) 0x5A);
        assertArrayEquals(expected, next.read(0, (int) BLOCK));
        assertEquals(List.of(0, 1, 2, 3), fixture.blocksOf(1));
    }

    @Test
    void shouldSayWhatItLogsInWords() {
        List<String> lines = new ArrayList<>();
        HeadLog log = lines::add;
        log.say("reaped: head=%d name=%s", 3, "ä");
        assertEquals(List.of("reaped: head=3 name=ä"), lines);
    }
}

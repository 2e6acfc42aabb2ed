package io.mhsld.head;

import io.mhsld.Device;
import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.ReleaseRequest;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A head lives the same life again and again, and dies at the first, second, third … store that it makes to shared memory. Each time the file
 * must be sound as it is left, and empty of that head once it is reaped, by whichever of the ways that there are; a reaper that dies at any
 * store of its own must leave nothing but work for the next. Runs in a JVM of its own: {@code main(state file)} with {@link CrashStep} in place.
 */
final class CrashSweep implements AutoCloseable {
    private static final int BLOCKS = 48;
    private static final long BLOCK = 4096;
    private static final int POINTS_OF_ATTACH = 50;
    private static final long[] PEER_BLOCKS = {5, 20, 21};

    private final DeviceFiles files;
    private final Head peer;
    private final EventLoop peerLoop = EventLoop.open();
    private int points;
    private int reaperPoints;

    private CrashSweep(DeviceFiles files) {
        this.files = files;
        this.peer = Device.attach(files, 1, peerLoop, 1_000, line -> {});
        for (long block : PEER_BLOCKS) {
            take(peer, block / 24, block % 24, 1);
        }
        mustBeEmpty(peer.device().fill(peer.geometry().dpaOfBlock(5), BLOCK, (byte) 0x77));
    }

    /** A new device with the peer, which does nothing but hold its blocks, and look. */
    static CrashSweep onNewDevice(DeviceFiles files) {
        initialise(files);
        return new CrashSweep(files);
    }

    static void initialise(DeviceFiles files) {
        Device.initialise(
                files,
                new Device.Specification(Geometry.of(3, BLOCKS * BLOCK, 2, BLOCK), 1, false, Optional.empty(), false),
                1_000);
    }

    public static void main(String[] arguments) throws Exception {
        CrashSweep sweep = onNewDevice(DeviceFiles.named(arguments[0]));
        sweep.run();
        System.out.println("swept points=" + sweep.points + " reaperPoints=" + sweep.reaperPoints);
    }

    /** The peer leaves. */
    @Override
    public void close() {
        peer.close();
        peerLoop.close();
    }

    private void run() throws Exception {
        liveWhole();
        for (long point = 0; dieAt(point); point++) {
            String which = "point=" + point + " store=" + CrashStep.diedAt();
            check(which + " as it was left", false);
            repair((int) (point % 5), which);
            check(which + " after repair " + point % 5, true);
            points++;
            if (point < POINTS_OF_ATTACH) {
                liveWhole();
            }
        }
    }

    /** So that one who dies while it attaches has a predecessor that had counted. */
    private void liveWhole() {
        try (EventLoop loop = EventLoop.open()) {
            live(files, loop, new Head[1]);
        }
    }

    // ---- a life

    /** True when it died before its end. */
    private boolean dieAt(long point) throws Exception {
        EventLoop loop = EventLoop.open();
        Head[] head = new Head[1];
        CrashStep.arm(point);
        try {
            live(files, loop, head);
            return false;
        } catch (CrashStep.Died e) {
            return true;
        } finally {
            CrashStep.disarm();
            loop.close();
            if (head[0] != null && CrashStep.diedAt() != null) {
                bury(head[0]);
            }
        }
    }

    /** Everything that can happen to a head, once; what it is goes to {@code self} as soon as it is one. */
    static void live(DeviceFiles files, EventLoop loop, Head[] self) {
        Head head = Device.attach(files, 0, loop, 1_000, line -> {});
        self[0] = head;
        head.serve();
        DynamicCapacity capacity = head.device().capacity();
        // Two extents, accepted whole and used.
        mustBeEmpty(add(head, 0, 0, 4, 8, 2));
        mustBeEmpty(answer(head, 0, 4, 8, 2));
        mustBeEmpty(head.device().fill(0, 4 * BLOCK, (byte) 0xAB));
        // Accepted in part; the middle given back; the rest taken by force.
        mustBeEmpty(add(head, 1, 10, 8));
        mustBeEmpty(answer(head, 34, 3, 39, 2));
        mustBeEmpty(head.device().fill(head.geometry().dpaOfBlock(34), BLOCK, (byte) 0xCD));
        mustBeEmpty(capacity.hostRelease(List.of(new HostRange(BLOCK, 2 * BLOCK)), false));
        mustBeEmpty(
                capacity.release(ReleaseRequest.prescriptive(1, ranges(10, 2)).byForce(true)));
        // Lost at its second extent, which the peer owns.
        mustBe(Refusal.Cause.OWNED_BY_OTHER_HEAD, add(head, 0, 12, 5, 18, 4));
        // Offered and withdrawn, offered and rejected, offered and never answered.
        mustBeEmpty(add(head, 0, 12, 2));
        mustBeEmpty(
                capacity.release(ReleaseRequest.prescriptive(0, ranges(12, 1)).byForce(true)));
        mustBeEmpty(answer(head));
        mustBeEmpty(add(head, 1, 20, 4));
        mustBeEmpty(answer(head));
        mustBeEmpty(add(head, 0, 14, 4));
        head.device().reset();
        mustBeEmpty(add(head, 0, 0, 2));
        mustBeEmpty(answer(head, 0, 2));
        head.close();
    }

    /** The beginning of a life: attaches as head 0 and accepts four blocks. */
    static void takeOnce(DeviceFiles files) {
        try (EventLoop loop = EventLoop.open();
                Head head = Device.attach(files, 0, loop, 1_000, line -> {})) {
            take(head, 0, 0, 4);
        }
    }

    /** What the kernel does: lets go of the lease and of the mappings. */
    private static void bury(Head head) throws ReflectiveOperationException {
        if ((boolean) part(head, "closed")) {
            // It died while it left, and has let go already.
            return;
        }
        ((StateFile) part(head, "state")).close();
        ((Media) part(head, "media")).close();
        ((Leases.Lease) part(head, "lease")).release();
        ((LeaseFile) part(head, "leases")).close();
    }

    private static Object part(Head head, String name) throws ReflectiveOperationException {
        Field field = Head.class.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(head);
    }

    // ---- repair

    /** One of the five ways in which what the dead head left behind is freed. */
    void repair(int way, String which) throws IOException {
        switch (way) {
            case 0 -> // A claim that meets the dead owner.
                reapByClaim(which);
            case 1 -> { // The same head id starts anew.
                try (EventLoop loop = EventLoop.open();
                        Head next = Device.attach(files, 0, loop, 1_000, line -> {})) {
                    must(next.state().ownerMap().countVolatile(0) == 0, which + ": a new head starts with blocks");
                }
            }
            case 2 -> { // recover; a second one finds nothing.
                Device.recover(files, 1_000);
                Repairer.Recovery again = Device.recover(files, 1_000);
                must(again.freedBlocks()[0] == 0 && again.before().notes().isEmpty(), which + ": " + again.before());
            }
            case 3 -> // Any process that looks after the device.
                reap();
            default -> // Reapers that die themselves, each at a later store.
                reaperPoints += reapWithDeaths();
        }
    }

    private void reapByClaim(String which) {
        List<Long> held = new ArrayList<>();
        for (long block = 0; block < BLOCKS; block++) {
            if ((peer.state().ownerMap().ownersVolatile(block) & 1) != 0) {
                held.add(block);
            }
        }
        if (held.isEmpty()) {
            reap();
            return;
        }
        long block = held.get(held.size() - 1);
        take(peer, block / 24, block % 24, 1);
        mustReadZero(block, which);
        mustBeEmpty(peer.device()
                .capacity()
                .hostRelease(List.of(new HostRange(peer.geometry().dpaOfBlock(block), BLOCK)), false));
    }

    private void reap() {
        must(reap(files) != Reaper.Outcome.ALIVE, "a dead head counts as alive");
    }

    /** What any process does that looks after head 0. */
    static Reaper.Outcome reap(DeviceFiles files) {
        LeaseFile leases = LeaseFile.openExisting(files.lockFile()).orElseThrow();
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                Media media = openMedia(state)) {
            return new Reaper(state, leases, media, Machine.REAL).reap(0);
        } finally {
            leases.close();
        }
    }

    private int reapWithDeaths() throws IOException {
        LeaseFile leases = LeaseFile.openExisting(files.lockFile()).orElseThrow();
        int deaths = 0;
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                Media media = openMedia(state)) {
            boolean died = true;
            while (died) {
                CrashStep.arm(deaths);
                try {
                    new Reaper(state, leases, media, Machine.REAL).reap(0);
                    died = false;
                } catch (CrashStep.Died e) {
                    deaths++;
                    CrashStep.disarm();
                    check("reaper died at its store " + deaths + " (" + CrashStep.diedAt() + ")", false);
                }
            }
        } finally {
            CrashStep.disarm();
            leases.close();
        }
        return deaths;
    }

    private static Media openMedia(StateFile state) {
        return Media.open(
                Path.of(state.identity().mediaFile()), state.geometry().capacityBytes(), Media.Space.RESERVED);
    }

    // ---- what must hold

    /** Fails unless all that must hold does; of a repaired device also that nothing of the dead head is left. */
    void check(String which, boolean repaired) throws IOException {
        Inspector.Report report = Device.inspect(files);
        must(report.isSound(), which + ": " + report.findings());
        must(report.ownedBlocks()[1] == PEER_BLOCKS.length, which + ": the peer owns " + report.ownedBlocks()[1]);
        for (long block : PEER_BLOCKS) {
            must(peer.state().ownerMap().ownersVolatile(block) == 2, which + ": the peer lost block " + block);
        }
        byte[] bytes = new byte[(int) BLOCK];
        mustBeEmpty(peer.device().read(peer.geometry().dpaOfBlock(5), bytes, 0, bytes.length));
        for (byte b : bytes) {
            must(b == 0x77, which + ": the peer's bytes were changed");
        }
        if (repaired) {
            must(report.notes().isEmpty(), which + ": " + report.notes());
            must(report.ownedBlocks()[0] == 0, which + ": the dead head owns " + report.ownedBlocks()[0]);
            must(report.freeBlocks() == BLOCKS - PEER_BLOCKS.length, which + ": free " + report.freeBlocks());
            // Whoever gets the blocks next sees nothing of what was in them.
            for (long block : new long[] {0, 3, 34}) {
                take(peer, block / 24, block % 24, 1);
                mustReadZero(block, which);
                mustBeEmpty(peer.device()
                        .capacity()
                        .hostRelease(List.of(new HostRange(peer.geometry().dpaOfBlock(block), BLOCK)), false));
            }
        }
    }

    private void mustReadZero(long block, String which) {
        byte[] bytes = new byte[(int) BLOCK];
        mustBeEmpty(peer.device().read(peer.geometry().dpaOfBlock(block), bytes, 0, bytes.length));
        for (byte b : bytes) {
            must(b == 0, which + ": stale bytes in block " + block);
        }
    }

    private static void take(Head head, long region, long first, long count) {
        mustBeEmpty(add(head, (int) region, first, count));
        mustBeEmpty(answer(head, region * 24 + first, count));
    }

    private static Optional<Refusal> add(Head head, int region, long... blocks) {
        Optional<Refusal> refusal = head.device().capacity().add(region, ranges(blocks), Extent.NO_TAG);
        head.device().log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
        return refusal;
    }

    /** Accepts these blocks of the device, and no others of the oldest group. */
    private static Optional<Refusal> answer(Head head, long... blocks) {
        List<HostRange> accepted = new ArrayList<>();
        for (int i = 0; i < blocks.length; i += 2) {
            accepted.add(new HostRange(head.geometry().dpaOfBlock(blocks[i]), blocks[i + 1] * BLOCK));
        }
        return head.device().capacity().addResponse(accepted, false);
    }

    private static List<Range> ranges(long... blocks) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < blocks.length; i += 2) {
            ranges.add(new Range(blocks[i] * BLOCK, blocks[i + 1] * BLOCK));
        }
        return ranges;
    }

    private static void mustBeEmpty(Optional<Refusal> refusal) {
        must(refusal.isEmpty(), "refused: " + refusal);
    }

    private static void mustBe(Refusal.Cause cause, Optional<Refusal> refusal) {
        must(refusal.isPresent() && refusal.get().cause() == cause, "not refused with " + cause + ": " + refusal);
    }

    private static void must(boolean condition, String failure) {
        if (!condition) {
            throw new IllegalStateException(failure);
        }
    }
}

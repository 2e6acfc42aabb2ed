package io.mhsld.stress.simulation;

import io.mhsld.head.HeadLog;
import io.mhsld.head.Incarnation;
import io.mhsld.head.Leases;
import io.mhsld.head.Reaper;
import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.SharedFiles.Mapped;
import io.mhsld.stress.simulation.TagLives.Life;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process that is a head as long as it lives, and the host behind it: the product's own head, asked at random, with a host that remembers what it wrote. */
final class HeadLife {
    private static final long TICK_NS = 400_000_000L;

    /** No add waits for others much longer. */
    private static final long WAITED_NS = 1_000_000_000L;

    private static final long LEASE_PATIENCE_NS = 2_000_000_000L;
    private static final long POLL_NS = 2_000_000;
    private static final Pattern OWNERS = Pattern.compile("owner=\\[([0-9, ]*)]");

    private final World world;
    private final Scheduler scheduler;
    private final Oracle oracle;
    private final SplittableRandom random;
    private final SimulatedProcess process;
    private final int head;
    private final Geometry geometry;
    private final long blockBytes;

    private final EnumMap<Counter, Long> counters = new EnumMap<>(Counter.class);
    private Mapped file;
    private MultiHeadHooks hooks;
    private ExtentJournal journal;
    private Incarnation incarnation;
    private Type3Device device;
    private HostBytes bytes;
    private Map<UUID, Life> lives = Map.of();

    /** It has left a tag whose row may still name it. */
    private boolean owes;

    HeadLife(World world, SimulatedProcess process, int head) {
        this.world = world;
        this.scheduler = world.scheduler();
        this.oracle = world.oracle();
        this.random = scheduler.random();
        this.process = process;
        this.head = head;
        this.geometry = world.geometry();
        this.blockBytes = geometry.blockSizeBytes();
    }

    /** From the lease to the end. */
    void live() {
        Optional<Leases.Lease> lease = waitForLease();
        if (lease.isEmpty()) {
            return;
        }
        HeadLog log = this::listen;
        incarnation = Incarnation.begin(
                file.state(), head, file.media(), world.leasesOf(process), process, log, this::between);
        device = incarnation.device();
        bytes = new HostBytes(device, geometry, process, oracle.livesOf(file), random);
        compare();
        incarnation.serve("/simulated/device.head" + head + ".sock");
        process.serves();
        long nextTickNs = scheduler.nowNs();
        boolean ends = false;
        while (!ends) {
            if (scheduler.nowNs() >= nextTickNs) {
                tick();
                nextTickNs = scheduler.nowNs() + TICK_NS;
            }
            ends = act();
            world.settle();
            long idleNs = Math.max(1, nextTickNs - scheduler.nowNs());
            process.pause(Math.min(idleNs, random.nextLong(world.maxPauseNs())));
        }
        process.leaves();
        oracle.forget(process);
        incarnation.leave();
        lease.get().release();
        if (world.is(Defect.E15)) {
            world.files().remove();
        }
    }

    private Optional<Leases.Lease> waitForLease() {
        long deadlineNs = scheduler.nowNs() + LEASE_PATIENCE_NS;
        while (scheduler.nowNs() < deadlineNs) {
            Optional<Leases.Lease> lease = process.tryHead(head);
            if (lease.isPresent()) {
                file = world.files().open();
                process.maps(file);
                HeadTable.Row row = file.state().heads().readAcquire(head);
                if (!Reaper.isServedByAnother(file.state(), row, process)) {
                    return lease;
                }
                lease.get().release();
            }
            process.pause(POLL_NS);
        }
        return Optional.empty();
    }

    private MultiHeadHooks between(MultiHeadHooks sound) {
        // What claims and clears also says in the file when it does: one object.
        journal = (ExtentJournal) sound;
        hooks = world.defect()
                .filter(defect -> defect.change().isEmpty())
                .<MultiHeadHooks>map(defect -> new ReferenceHooks(sound, defect, file.state(), file.media(), head))
                .orElse(sound);
        return hooks;
    }

    /** A head repairs only what is damaged, and here nothing is. */
    private void listen(String line) {
        owes |= line.startsWith("left a tag without the table lock");
        if (line.startsWith("repaired") || line.startsWith("cleared owners") || line.contains("not in the owner map")) {
            throw new Violation("I2", "a head found damage: %s", line);
        }
    }

    private void tick() {
        incarnation.lookAtItself();
        if (!world.is(Defect.LAZY)) {
            incarnation.reapPeers(unused -> {});
        }
    }

    // ---- operations

    /** One thing that the fabric manager or the host wants. True when that is the end. */
    private boolean act() {
        FabricRequest request = world.requestsTo(head).poll();
        if (request == null) {
            actAsHost();
            return false;
        }
        switch (request.kind()) {
            case ADD, ADD_FREE, ADD_CONTIGUOUS, JOIN -> add(request);
            case REQUEST_RELEASE -> {
                ReleaseRequest release = aboutHeld(request);
                operate("release request", () -> device.capacity().release(release));
            }
            case FORCE_RELEASE -> {
                ReleaseRequest release = aboutHeld(request).byForce(true);
                operate("forced release", () -> device.capacity().release(release));
            }
            case RESET -> reset();
            case END -> {
                return true;
            }
        }
        return false;
    }

    private void add(FabricRequest drawn) {
        boolean isAboutTag = drawn.kind() == FabricRequest.Kind.JOIN
                || (drawn.kind() == FabricRequest.Kind.ADD && random.nextInt(3) == 0);
        FabricRequest request = isAboutTag
                ? world.someLiveTag(file)
                        .map(entry -> drawn.about(entry, geometry))
                        .orElse(drawn)
                : drawn;
        long startNs = scheduler.nowNs();
        String what = request.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ')
                + (geometry.regions().get(request.region()).shareable() ? " shared" : "");
        // Who chooses, or wants the table lock, may wait for others, and looks after nobody meanwhile; but not for
        // ever.
        long healthySinceNs = process.healthySinceNs();
        process.serves(Math.max(healthySinceNs, startNs + WAITED_NS));
        Optional<Refusal> refusal = operate(what, () -> device.capacity().add(request.toAdd()));
        process.serves(scheduler.nowNs() - startNs > TICK_NS / 4 ? scheduler.nowNs() : healthySinceNs);
        if (refusal.isPresent() && refusal.get().cause() == Cause.OWNED_BY_OTHER_HEAD) {
            mustBeAlive(refusal.get(), startNs);
        }
    }

    /** I5: of an owner that was dead before the claim began, nothing stands in the way. */
    private void mustBeAlive(Refusal refusal, long startNs) {
        Matcher matcher = OWNERS.matcher(refusal.detail());
        if (matcher.find() && !matcher.group(1).isEmpty()) {
            // Of several who share it one is enough.
            boolean areDead = Stream.of(matcher.group(1).split(", ", -1))
                    .allMatch(owner -> world.kernel().deadSinceNs(Integer.parseInt(owner), process) < startNs);
            if (areDead) {
                throw new Violation("I5", "refused for a dead owner: %s", refusal);
            }
        }
    }

    /** Mostly what the head holds: the fabric manager asks for back what it gave. */
    private ReleaseRequest aboutHeld(FabricRequest request) {
        List<Extent> held = held();
        if (held.isEmpty() || random.nextInt(8) == 0) {
            return ReleaseRequest.prescriptive(request.region(), request.ranges());
        }
        Extent extent = held.get(random.nextInt(held.size()));
        if (extent.sharedSequence() > 0 && random.nextInt(6) > 0) {
            return ReleaseRequest.tagged(extent.tag()).sanitizing(random.nextBoolean());
        }
        Extent part = partOf(extent);
        return ReleaseRequest.atDpa(List.of(new Range(part.startDpa(), part.lengthBytes())));
    }

    private void reset() {
        operate("reset", () -> {
            if (world.is(Defect.E16)) {
                file.state()
                        .ownerMap()
                        .forEachRunVolatile(
                                head, (first, count) -> file.state().ownerMap().clear(head, first, count));
            } else {
                device.reset();
            }
            return Optional.empty();
        });
    }

    private void actAsHost() {
        List<PendingGroup> pending = device.capacity().pending();
        int mood = random.nextInt(100);
        if (mood < 45 && !pending.isEmpty()) {
            operate("answer", () -> device.capacity().addResponse(answerTo(pending.get(0)), false));
        } else if (mood < 60 && device.capacity().acceptedCount() > 0) {
            List<HostRange> ranges = chooseAccepted();
            operate("release", () -> device.capacity().hostRelease(ranges, false));
        } else if (mood < 80 && !bytes.isEmpty()) {
            bytes.useOne();
        } else if (mood < 92) {
            trespass();
        } else if (mood < 96) {
            reserveOwnBlocks();
        } else if (mood == 99 && world.is(Defect.COUNTER)) {
            file.state().counters(head).setRelease(Counter.ADDS, 0);
            compare();
        }
    }

    /** A part of an extent; or, for shared ones are released as a whole, all of it, or all that has its tag. */
    private List<HostRange> chooseAccepted() {
        List<Extent> accepted = device.capacity().accepted();
        Extent extent = accepted.get(random.nextInt(accepted.size()));
        if (extent.sharedSequence() > 0 && random.nextInt(6) > 0) {
            return accepted.stream()
                    .filter(other -> other.sharedSequence() > 0 && other.tag().equals(extent.tag()))
                    .map(other -> new HostRange(other.startDpa(), other.lengthBytes()))
                    .toList();
        }
        Extent part = extent.isShared() && random.nextBoolean() ? extent : partOf(extent);
        return List.of(new HostRange(part.startDpa(), part.lengthBytes()));
    }

    private List<HostRange> answerTo(PendingGroup group) {
        List<HostRange> answer = new ArrayList<>();
        int mood = group.isShared() && random.nextInt(6) > 0 ? 1 + 2 * random.nextInt(2) : random.nextInt(4);
        for (Extent extent : group.extents()) {
            Extent part = mood == 0 ? partOf(extent) : extent;
            if (mood < 2 || (mood == 2 && random.nextBoolean())) {
                answer.add(new HostRange(part.startDpa(), part.lengthBytes()));
            }
        }
        return answer;
    }

    private Extent partOf(Extent extent) {
        long blocks = extent.lengthBytes() / blockBytes;
        long first = random.nextLong(blocks);
        long count = 1 + random.nextLong(blocks - first);
        return extent.withRange(extent.startDpa() + first * blockBytes, count * blockBytes);
    }

    /** I3: at the level of the hooks, where the device has not looked first, own blocks are in the way too, and stay what they are. */
    private void reserveOwnBlocks() {
        List<Extent> held = held();
        if (held.isEmpty()) {
            return;
        }
        Extent own = held.get(random.nextInt(held.size()));
        DcRegion region =
                device.capacity().regionOf(own.startDpa(), own.lengthBytes()).orElseThrow();
        boolean hasRoomBefore = own.startDpa() > region.baseDpa() && random.nextBoolean();
        Extent wanted =
                hasRoomBefore ? own.withRange(own.startDpa() - blockBytes, own.lengthBytes() + blockBytes) : own;
        operate("reserve again", () -> {
            journal.begin(ExtentJournal.Operation.ADD);
            Optional<Refusal> refusal = hooks.reserve(List.of(wanted));
            journal.end();
            if (refusal.isEmpty()) {
                throw new Violation("I3", "own blocks were reserved again: head=%d %s", head, wanted);
            }
            return refusal;
        });
    }

    // ---- access

    /** I2: a byte that the host did not accept cannot be reached, however the access lies. */
    private void trespass() {
        Geometry.Region region =
                geometry.regions().get(random.nextInt(geometry.regions().size()));
        long length = switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> 64;
            case 2 -> blockBytes;
            default -> 1 + random.nextLong(3 * blockBytes);
        };
        long dpa = region.baseDpa() + random.nextLong(region.lengthBytes());
        if (dpa + length > region.baseDpa() + region.lengthBytes()
                || device.capacity().covers(dpa, length)) {
            return;
        }
        if (mayAccess(dpa, length)) {
            throw new Violation(
                    "I2", "access to blocks that are not its own: head=%d dpa=0x%x length=%d", head, dpa, length);
        }
        incarnation.countRefusedAccess();
    }

    /** The reference has no list of extents to look into, only the map, and counts the blocks of an access like this. */
    private boolean mayAccess(long dpa, long length) {
        if (!world.is(Defect.E11)) {
            return device.checkAccess(dpa, length).isEmpty();
        }
        return file.state().ownerMap().ownsAllVolatile(head, geometry.blockOfDpa(dpa), length / blockBytes);
    }

    // ---- around each operation

    /** I3: an operation that is refused changes nothing. */
    private Optional<Refusal> operate(String what, Supplier<Optional<Refusal>> operation) {
        List<Extent> before = held();
        int generation = device.capacity().generation();
        oracle.forget(process);
        Optional<Refusal> refusal = operation.get();
        world.tally().operated(what, refusal.map(Refusal::cause));
        if (refusal.isPresent()
                && (!held().equals(before) || generation != device.capacity().generation())) {
            throw new Violation("I3", "refused, and changed something: head=%d %s", head, refusal.get());
        }
        compare();
        device.log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
        bytes.takeNote(device.capacity().accepted(), lives);
        return refusal;
    }

    private void compare() {
        world.settle();
        lives = oracle.afterOperation(process, file, head, held(), owes);
        Oracle.checkCounters(file, head, counters);
    }

    private List<Extent> held() {
        List<Extent> held = new ArrayList<>(device.capacity().recorded());
        device.capacity().pending().forEach(group -> held.addAll(group.extents()));
        return held;
    }
}

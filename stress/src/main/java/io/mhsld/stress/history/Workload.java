package io.mhsld.stress.history;

import io.mhsld.head.Head;
import io.mhsld.state.Geometry;
import io.mhsld.stress.history.Operation.Kind;
import io.mhsld.stress.history.Operation.Outcome;
import io.mhsld.stress.history.Operation.Range;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a host and its fabric manager might do to one head, drawn at random, each operation written down before and after. */
final class Workload {
    private static final Pattern MET = Pattern.compile("block=(\\d+) .*owner=\\[([0-9, ]*)]");

    /** Behind the same values, when the map had not told of that owner. */
    private static final String DAMAGED = "(in its extents, and not in the owner map: see verify)";

    private static final int MAX_RANGES = 3;
    private static final int MAX_RANGE_BLOCKS = 4;
    private static final int MAX_PENDING_GROUPS = 3;
    private static final int MAX_RECORDS_OF_AN_OPERATION = 64;

    private final Head head;
    private final OperationLog log;
    private final Random random;
    private final Geometry geometry;
    private final DynamicCapacity capacity;
    private final int blockCount;
    private final byte[] destination = new byte[8];

    Workload(Head head, OperationLog log, long seed) {
        this.head = head;
        this.log = log;
        this.random = new Random(seed);
        this.geometry = head.geometry();
        this.capacity = head.device().capacity();
        this.blockCount = (int) geometry.blockCount();
    }

    /** One operation. */
    void step() {
        EventLog events = head.device().log(EventLog.Kind.DYNAMIC_CAPACITY);
        if (events.free() < MAX_RECORDS_OF_AN_OPERATION) {
            events.clearAll();
        }
        boolean mayAdd = capacity.pending().size() < MAX_PENDING_GROUPS;
        int choice = random.nextInt(100);
        if (choice == 0 && held() != 0) {
            reset();
        } else if (choice < 40 && mayAdd) {
            add();
        } else if (choice < 65 && !capacity.pending().isEmpty()) {
            answer(capacity.pending().get(0));
        } else if (choice < 77 && capacity.acceptedCount() > 0) {
            hostRelease();
        } else if (choice < 82 && held() != 0) {
            forcedRelease();
        } else if (choice < 92 && capacity.acceptedCount() > 0) {
            access();
        } else if (mayAdd && random.nextInt(3) > 0) {
            add();
        } else {
            look();
        }
    }

    /** Lets go of everything and of the lease. */
    void leave() {
        log.invoke(Kind.LEAVE, held(), List.of());
        head.close();
        log.complete(Outcome.DONE, 0, 0);
    }

    private void add() {
        long taken = held();
        List<Range> ranges = new ArrayList<>();
        for (int i = 1 + random.nextInt(MAX_RANGES); i > 0; i--) {
            int first = random.nextInt(blockCount);
            Range range = new Range(first, 1 + random.nextInt(Math.min(MAX_RANGE_BLOCKS, blockCount - first)));
            long blocks = Operation.blocksOf(List.of(range));
            if ((blocks & taken) == 0) {
                ranges.add(range);
                taken |= blocks;
            }
        }
        if (ranges.isEmpty()) {
            look();
            return;
        }
        ranges.sort(Comparator.comparingInt(Range::first));
        List<DynamicCapacity.Range> wanted = new ArrayList<>();
        for (Range range : ranges) {
            wanted.add(new DynamicCapacity.Range(
                    geometry.dpaOfBlock(range.first()), range.count() * geometry.blockSizeBytes()));
        }
        // In any order: the head must claim them in one.
        Collections.shuffle(wanted, random);
        log.invoke(Kind.ADD, Operation.blocksOf(ranges), ranges);
        Optional<Refusal> refusal = capacity.add(0, wanted, Extent.NO_TAG);
        if (refusal.isEmpty()) {
            log.complete(Outcome.DONE, 0, 0);
        } else if (refusal.get().cause() == Cause.OWNED_BY_OTHER_HEAD) {
            completeLost(refusal.get());
        } else {
            completeRefused(refusal.get());
        }
    }

    private void completeLost(Refusal refusal) {
        Matcher matcher = MET.matcher(refusal.detail());
        if (refusal.detail().endsWith(DAMAGED) || !matcher.find()) {
            // The map had forgotten an owner whom the tables know, which only damage can do.
            completeRefused(refusal);
            return;
        }
        long owners = 0;
        for (String owner : matcher.group(2).split(", ", -1)) {
            owners |= owner.isEmpty() ? 0 : 1L << Integer.parseInt(owner);
        }
        log.complete(Outcome.LOST, Integer.parseInt(matcher.group(1)), owners);
    }

    private void completeRefused(Refusal refusal) {
        log.complete(Outcome.REFUSED, 0, 0);
        System.out.println("refused: head=" + head.id() + " " + refusal);
    }

    /** All of the offer, parts of it, or nothing. */
    private void answer(PendingGroup group) {
        List<HostRange> accepted = new ArrayList<>();
        long left = blocksOf(group.extents());
        int mood = random.nextInt(4);
        for (Extent extent : group.extents()) {
            Extent part = mood < 2 ? extent : partOf(extent);
            if (mood < 2 || (mood == 2 && random.nextBoolean())) {
                accepted.add(new HostRange(part.startDpa(), part.lengthBytes()));
                left &= ~blocksOf(List.of(part));
            }
        }
        log.invoke(Kind.ANSWER, left, List.of());
        complete(capacity.addResponse(accepted, false));
    }

    private void hostRelease() {
        Extent part = partOf(anyOf(capacity.accepted()));
        log.invoke(Kind.HOST_RELEASE, blocksOf(List.of(part)), List.of());
        complete(capacity.hostRelease(List.of(new HostRange(part.startDpa(), part.lengthBytes())), false));
    }

    private void forcedRelease() {
        Extent part = partOf(anyOf(allHeld()));
        log.invoke(Kind.FORCED_RELEASE, blocksOf(List.of(part)), List.of());
        complete(capacity.release(
                ReleaseRequest.prescriptive(0, List.of(new DynamicCapacity.Range(part.startDpa(), part.lengthBytes())))
                        .byForce(true)));
    }

    private void access() {
        Extent part = partOf(anyOf(capacity.accepted()));
        log.invoke(Kind.ACCESS, blocksOf(List.of(part)), List.of());
        if (random.nextBoolean() && part.lengthBytes() == geometry.blockSizeBytes()) {
            complete(head.device().read(part.startDpa(), destination, 0, destination.length));
        } else {
            complete(head.device().checkAccess(part.startDpa(), part.lengthBytes()));
        }
    }

    private void reset() {
        log.invoke(Kind.RESET, held(), List.of());
        head.device().reset();
        log.complete(Outcome.DONE, 0, 0);
    }

    private void look() {
        int block = random.nextInt(blockCount);
        log.invoke(Kind.LOOK, 1L << block, List.of());
        long owners = head.state().ownerMap().ownersVolatile(block);
        log.complete(Outcome.DONE, 0, owners);
    }

    private void complete(Optional<Refusal> refusal) {
        if (refusal.isEmpty()) {
            log.complete(Outcome.DONE, 0, 0);
        } else {
            completeRefused(refusal.get());
        }
    }

    private long held() {
        return blocksOf(allHeld());
    }

    private List<Extent> allHeld() {
        List<Extent> all = new ArrayList<>(capacity.accepted());
        capacity.pending().forEach(group -> all.addAll(group.extents()));
        return all;
    }

    private Extent anyOf(List<Extent> extents) {
        return extents.get(random.nextInt(extents.size()));
    }

    private Extent partOf(Extent extent) {
        int count = (int) (extent.lengthBytes() / geometry.blockSizeBytes());
        int first = random.nextInt(count);
        int length = 1 + random.nextInt(count - first);
        return extent.withRange(
                extent.startDpa() + first * geometry.blockSizeBytes(), length * geometry.blockSizeBytes());
    }

    private long blocksOf(List<Extent> extents) {
        long blocks = 0;
        for (Extent extent : extents) {
            long count = extent.lengthBytes() / geometry.blockSizeBytes();
            blocks |= ((1L << count) - 1) << geometry.blockOfDpa(extent.startDpa());
        }
        return blocks;
    }
}

package io.mhsld.head;

import io.mhsld.head.Leases.Lease;
import io.mhsld.media.Media;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Finding;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/**
 * Repairs a state file as far as that can be done without guessing. A head that nobody is, is made as if nobody had ever been it, under its lease.
 * What belongs to a live head only that head can repair, for only it knows what it holds; it does so by itself, and is waited for. Bits of heads
 * that do not exist, and reserved bytes, belong to nobody and are cleared at any time.
 *
 * <p>It does no store to a file in which nothing is wrong, and having died at any store it can be run again.
 */
public final class Repairer {
    /** On a busy machine a head may be late, by so much besides. */
    private static final long BUSY_MACHINE_MS = 2_000;

    private static final long POLL_NS = 20_000_000;

    /**
     * A finding and what became of it.
     *
     * @param finding what was wrong
     * @param remedy what was done about it, or what a person can do
     */
    public record Remedy(Finding finding, String remedy) {
        @Override
        public String toString() {
            return finding + " (" + remedy + ")";
        }
    }

    /**
     * What a repair did.
     *
     * @param freedBlocks for each head how many blocks were freed of what it left behind
     * @param clearedBits bits of heads that do not exist
     * @param repaired what was wrong and is not any more, and by what
     * @param refused what is still wrong, and what a person can do
     * @param before what was wrong before
     * @param after what is still wrong
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Recovery(
            long[] freedBlocks,
            long clearedBits,
            List<Remedy> repaired,
            List<Remedy> refused,
            Inspector.Report before,
            Inspector.Report after) {}

    private final DeviceFiles files;
    private final StateFile state;
    private final LeaseFile leases;
    private final Reaper reaper;
    private final TagRegistry tags;
    private final List<Finding> unleased = new ArrayList<>();
    private final Set<Integer> madeAnew = new HashSet<>();

    /** For one device; the caller holds its device lease. */
    public Repairer(DeviceFiles files, StateFile state, LeaseFile leases, Media media) {
        this.files = files;
        this.state = state;
        this.leases = leases;
        this.reaper = new Reaper(state, leases, media, Machine.REAL);
        this.tags = new TagRegistry(state, leases, media, Machine.REAL);
    }

    /** Looks, repairs, and looks again. */
    public Recovery recover() {
        CrashPoint.RECOVER_BEGUN.reached();
        Inspector.Report before = inspect();
        state.clearReservedBytes();
        long[] freed = new long[state.geometry().headCount()];
        for (int head = 0; head < freed.length; head++) {
            freed[head] = freeUnlessHeld(head);
            CrashPoint.RECOVER_HEAD_FREED.reached();
        }
        CrashPoint.RECOVER_HEADS_FREED.reached();
        // Rows that nobody can have meant: of those who live, whoever holds one puts it back.
        tags.repair();
        CrashPoint.RECOVER_TABLES_MENDED.reached();
        long cleared = state.ownerMap().clearForeignBits();
        CrashPoint.RECOVER_MAP_CLEANED.reached();
        Inspector.Report after = awaitSelfChecks();
        List<Remedy> repaired = new ArrayList<>();
        for (Finding finding : before.findings()) {
            // What is still wrong there, if with other numbers, has not been repaired.
            if (after.findings().stream().noneMatch(finding::isSamePlace)) {
                repaired.add(new Remedy(finding, remedyOf(finding)));
            }
        }
        List<Remedy> refused = new ArrayList<>();
        after.findings().forEach(finding -> refused.add(new Remedy(finding, adviceFor(finding))));
        return new Recovery(freed, cleared, repaired, refused, before, after);
    }

    /**
     * Looks at a state file and at what is around it.
     *
     * @param lives whether some process holds the lease of a head
     */
    public static Inspector.Report inspect(DeviceFiles files, StateFile state, IntPredicate lives) {
        Inspector.Report report = Inspector.inspect(
                state, lives, row -> Surroundings.findUnleased(state, row).isPresent());
        Surroundings surroundings = Surroundings.look(files, state, lives);
        return report.with(surroundings.findings(), surroundings.notes());
    }

    private Inspector.Report inspect() {
        return inspect(files, state, leases::isHeld).with(unleased, List.of());
    }

    /** A live head has looked at all that is its own within this time, unless it is stopped: twice what it takes at most, and a margin. */
    static long selfCheckPatienceMs(Geometry geometry) {
        return 2 * (SelfCheck.looksPerRound(geometry) + 1) * Head.TICK_MS + BUSY_MACHINE_MS;
    }

    /** What is still wrong after live heads have had the time to see it. */
    private Inspector.Report awaitSelfChecks() {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(selfCheckPatienceMs(state.geometry()));
        while (true) {
            // Asked before the look, which of a large map takes its time.
            boolean isLastLook = System.nanoTime() - deadlineNs >= 0;
            Inspector.Report report = inspect();
            boolean mayChange = !report.isSound() && isAnyHeld();
            if (!mayChange || isLastLook) {
                return report;
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private boolean isAnyHeld() {
        for (int head = 0; head < state.geometry().headCount(); head++) {
            if (leases.isHeld(head)) {
                return true;
            }
        }
        return false;
    }

    private long freeUnlessHeld(int head) {
        Row row = state.heads().readAcquire(head);
        boolean served = row.state() != HeadTable.State.FREE
                && ProcessIdentity.named(row).isAlive();
        Optional<Lease> lease = Patience.await(() -> leases.tryHead(head), served ? 0 : Patience.PROBE_MS);
        if (lease.isEmpty()) {
            return 0;
        }
        try {
            Optional<Finding> orphan =
                    Surroundings.findUnleased(state, state.heads().readAcquire(head));
            if (orphan.isPresent()) {
                unleased.add(orphan.get());
                return 0;
            }
            return makeAnew(head);
        } finally {
            lease.get().release();
        }
    }

    private long makeAnew(int head) {
        List<Finding> findings = Inspector.inspectHead(state, head, false);
        if (findings.isEmpty() && state.heads().stateAcquire(head) == HeadTable.State.FREE) {
            return 0;
        }
        madeAnew.add(head);
        if (!findings.isEmpty()) {
            state.mend(head, System.currentTimeMillis());
        }
        long freed = reaper.freeLeftovers(head);
        // Once more: who died in the middle of an operation was not judged before.
        List<Finding> left = Inspector.inspectHead(state, head, false);
        if (!left.isEmpty()) {
            // Numbers that stood at the end of their range have been raised over it.
            state.mend(head, System.currentTimeMillis());
        }
        if (Stream.concat(findings.stream(), left.stream())
                .anyMatch(finding -> finding.invariant().equals("I8"))) {
            state.counters(head).resetRelease();
        }
        state.heads().freeRelease(head);
        return freed;
    }

    private String remedyOf(Finding finding) {
        if (finding.head() >= 0) {
            if (madeAnew.contains(finding.head())) {
                return "head made anew, nobody is it";
            }
            return leases.isHeld(finding.head()) ? "the head has put it right itself" : "the head has ended";
        }
        return switch (finding.cause()) {
            case "tag row makes no sense",
                    "tag row is not what was written",
                    "extent of a tag is impossible",
                    "holder of a tag is no head",
                    "nobody holds this tag, and it is live",
                    "two rows have one tag",
                    "extents of tags overlap" -> "row made free; a live head that holds the tag has put it back";
            case "tag table makes no sense", "region settings make no sense" -> "as if never set";
            case "poison table makes no sense", "poison record is impossible" -> "only records that can be are left";
            case "reserved bytes are not zero" -> "made zero";
            case "owner is no head", "lanes beyond the last block are not empty" -> "bits cleared";
            case "block has several owners" -> "who does not hold it has let go";
            default -> "gone with the rest, or put right by somebody else";
        };
    }

    private String adviceFor(Finding finding) {
        if (finding.cause().startsWith("media file") || finding.cause().startsWith("binding")) {
            return "put the file back, or make the device anew with init";
        }
        if (finding.head() >= 0) {
            return "it belongs to a live head, which has not put it right: mhsld fence --head " + finding.head()
                    + " ends it and frees what it holds";
        }
        return "live heads have a part in it: see which with verify, and fence one of them";
    }
}

package io.mhsld.state;

import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.HeadTable.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Looks whether what must always hold does hold in a state file: the same eyes for tests, {@code verify} and {@code recover}. It only reads, and
 * may look while heads are at work: of a head that changes something meanwhile it looks again, for a while, and then says that it was busy.
 *
 * <p>It sees the parts of I1, I2, I5, I6, I7 and I8 that are in the file, shared capacity included; most of I7 has been seen when the file could be opened at all. What a file cannot show (I3, I4, and the
 * "at no instant" of I1) the tests prove by other means.
 */
public final class Inspector {
    private static final int MAX_ATTEMPTS = 200;
    private static final long RETRY_PAUSE_NS = 1_000_000;
    private static final int MAX_FINDINGS = 100;

    /** A head whose blocks were not the same at two looks, all the time. */
    private static final long UNKNOWN = -1;

    /**
     * The result of one look.
     *
     * @param findings what is wrong; no more than 100, the last one says how many more there are
     * @param notes what is not wrong and worth knowing: dead heads that wait to be reaped, heads that were busy
     * @param ownedBlocks for each head how many blocks have its bit, -1 when it was busy
     * @param freeBlocks blocks without any bit that belong to no tag
     * @param keptBlocks blocks without any bit that belong to a tag: the fabric manager keeps them
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Report(
            List<Finding> findings, List<String> notes, long[] ownedBlocks, long freeBlocks, long keptBlocks) {
        /** True when nothing is wrong. */
        public boolean isSound() {
            return findings.isEmpty();
        }

        /** With what somebody else has seen. */
        public Report with(List<Finding> moreFindings, List<String> moreNotes) {
            return new Report(
                    Stream.concat(findings.stream(), moreFindings.stream()).toList(),
                    Stream.concat(notes.stream(), moreNotes.stream()).toList(),
                    ownedBlocks,
                    freeBlocks,
                    keptBlocks);
        }
    }

    private final StateFile state;
    private final IntPredicate lives;
    private final Predicate<Row> livesUnleased;
    private final Geometry geometry;
    private final OwnerMap map;
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final int attempts;
    private int suppressed;
    private int busyLooks;
    private long ownerships;
    private long keptBlocks;

    private Inspector(StateFile state, IntPredicate lives, Predicate<Row> livesUnleased, int attempts) {
        this.state = state;
        this.lives = lives;
        this.livesUnleased = livesUnleased;
        this.attempts = attempts;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
    }

    /**
     * Looks once at the whole file.
     *
     * @param lives whether some process holds the lease of a head
     */
    public static Report inspect(StateFile state, IntPredicate lives) {
        return inspect(state, lives, row -> false);
    }

    /**
     * The same, where it can be told whether the process that a row names lives without the lease: such a head is not called dead.
     *
     * @param livesUnleased asked for heads whose lease no process holds
     */
    public static Report inspect(StateFile state, IntPredicate lives, Predicate<Row> livesUnleased) {
        return new Inspector(state, lives, livesUnleased, MAX_ATTEMPTS).inspect();
    }

    /** The same where nobody moves meanwhile: a head that is busy is not waited for. */
    public static Report inspectStill(StateFile state, IntPredicate lives) {
        return new Inspector(state, lives, row -> false, 1).inspect();
    }

    /** Looks only at what one head's row, table, counters and error log say, and at the blocks that have its bit. */
    public static List<Finding> inspectHead(StateFile state, int head, boolean alive) {
        Inspector inspector = new Inspector(state, unused -> alive, row -> false, MAX_ATTEMPTS);
        inspector.checkHead(head);
        return List.copyOf(inspector.findings);
    }

    private Report inspect() {
        state.dirtyReservedBytes().forEach(this::found);
        new TableCheck(state, this::found, notes::add).check();
        long free = checkLanes();
        long[] owned = new long[geometry.headCount()];
        for (int head = 0; head < owned.length; head++) {
            owned[head] = checkHead(head);
        }
        checkSum(free, owned);
        if (suppressed > 0) {
            findings.add(Finding.of("I1", "and more of these").with("findings", suppressed));
        }
        return new Report(List.copyOf(findings), List.copyOf(notes), owned, free, keptBlocks);
    }

    /**
     * I1: every lane has one bit at most, and no bit of a head that does not exist; a lane of shared capacity has bits of heads that hold the tag
     * at most. Capacity that a tag keeps is not free, owned or not.
     */
    private long checkLanes() {
        long heads = geometry.headCount() == Long.SIZE ? -1L : (1L << geometry.headCount()) - 1;
        long free = 0;
        TagCover cover = TagCover.of(state);
        boolean hasTags = !cover.isEmpty();
        for (long block = 0; block < map.blockCount(); block++) {
            long lane = map.ownersVolatile(block);
            Optional<TagTable.Entry> tag = hasTags ? cover.at(block) : Optional.empty();
            boolean isJudged = false;
            if (lane == 0) {
                free += tag.isPresent() ? 0 : 1;
                keptBlocks += tag.isPresent() ? 1 : 0;
            } else if ((lane & ~heads) != 0) {
                isJudged = true;
                found(Finding.of("I1", "owner is no head")
                        .with("block", block)
                        .with("lane", "0x" + Long.toHexString(lane))
                        .with("heads", geometry.headCount())
                        .with("dpa", geometry.dpaOfBlock(block))
                        .with("offset", state.laneOffset(block)));
            } else if (strangers(lane, tag) != 0) {
                isJudged = isWronglyShared(block);
            }
            // Several at once, and right: they share it, or are dead, and died while they let go of it.
            ownerships += lane == 0 ? 0 : isJudged && tag.isEmpty() ? 1 : Long.bitCount(lane & heads);
        }
        if (map.padding() != 0) {
            found(Finding.of("I1", "lanes beyond the last block are not empty")
                    .with("lanes", "0x" + Long.toHexString(map.padding()))
                    .with("blocks", map.blockCount())
                    .with("offset", state.laneOffset(map.blockCount())));
        }
        return free;
    }

    /** Heads that have a block and should not, or of which all but one should not. */
    private static long strangers(long lane, Optional<TagTable.Entry> tag) {
        return tag.isPresent() ? lane & ~tag.get().holders() : Long.bitCount(lane) > 1 ? lane : 0;
    }

    /** A lane that is right only if a tag says so. Who is changing something is waited for, and who died doing so is not judged. */
    private boolean isWronglyShared(long block) {
        for (int look = 0; ; look++) {
            // The lane first: who comes is in the row before it is in the lane.
            long lane = map.ownersVolatile(block);
            Optional<TagTable.Entry> tag = TagCover.of(state).at(block);
            long strangers = strangers(lane, tag);
            if (strangers == 0) {
                return false;
            }
            boolean isBusy = isAnyInterrupted(strangers);
            if (isBusy && (busyLooks++ >= attempts || !isAnyAlive(strangers))) {
                return false;
            }
            if (!isBusy && look > 0) {
                found(Finding.of(
                                "I1",
                                tag.isEmpty()
                                        ? "block has several owners"
                                        : "block of a tag has an owner that does not hold it")
                        .with("block", block)
                        .with("owners", headsOf(lane))
                        .with("dpa", geometry.dpaOfBlock(block))
                        .with("offset", state.laneOffset(block)));
                return true;
            }
            if (isBusy) {
                LockSupport.parkNanos(RETRY_PAUSE_NS);
            }
        }
    }

    private boolean isAnyInterrupted(long heads) {
        return headsOf(heads).stream()
                .anyMatch(head -> (state.heads().operationAcquire(head) & 1) != 0
                        && state.heads().stateAcquire(head) != State.FREE);
    }

    private boolean isAnyAlive(long heads) {
        return headsOf(heads).stream().anyMatch(lives::test);
    }

    /** I2, I5, I6, I8 of one head; returns how many blocks it owns. */
    private long checkHead(int head) {
        RowCheck check = new RowCheck(state, head, this::found);
        check.checkErrorLog();
        for (int attempt = 0; attempt < attempts; attempt++) {
            long operation = state.heads().operationAcquire(head);
            Row row = state.heads().readAcquire(head);
            int socketLength = state.heads().socketLengthPlain(head);
            boolean alive = lives.test(head);
            boolean interrupted = (operation & 1) != 0;
            Optional<ExtentTable.Snapshot> table =
                    interrupted ? Optional.empty() : state.extents(head).readSeqlock();
            List<long[]> runs = runsOf(head);
            boolean hasExtents = table.isPresent() && !table.get().entries().isEmpty();
            List<TagTable.Entry> rows = hasExtents ? RowCheck.liveRows(state) : List.of();
            Map<Counter, Long> counters = RowCheck.countersOf(state, head);
            long sequence = state.extents(head).sequenceAcquire();
            boolean unchanged = operation == state.heads().operationAcquire(head)
                    && row.equals(state.heads().readAcquire(head));
            // Within an operation, only what nobody goes on with is judged.
            boolean isJudged = unchanged && (!interrupted || !alive || row.state() == State.FREE);
            if (isJudged) {
                check.checkRow(row, socketLength);
                check.checkOperation(operation);
                if (interrupted) {
                    return judgeInterrupted(check, row, operation, alive);
                }
                if (table.isEmpty()) {
                    // The sequence is odd only within an operation, and there was none: nobody is writing.
                    check.foundTableOfNobody(sequence);
                    return owned(runs);
                }
                check.checkTable(table.get(), counters, rows);
                check.checkCounters(row.state(), counters, table.get(), owned(runs));
                return judge(check, row, alive, table.get(), runs);
            }
            if (attempts > 1) {
                LockSupport.parkNanos(RETRY_PAUSE_NS);
            }
        }
        if (state.heads().stateAcquire(head) == State.REAPING) {
            noteReaping(head);
            return UNKNOWN;
        }
        notes.add("head was busy all the time, its extents were not compared: head=" + head);
        return UNKNOWN;
    }

    private void noteReaping(int head) {
        notes.add("head is being reaped; if that does not end, the process that reaps it is stopped: head=" + head
                + " blocks=" + map.countVolatile(head));
    }

    private long judgeInterrupted(RowCheck check, Row row, long operation, boolean alive) {
        int head = row.head();
        long owned = map.countVolatile(head);
        if (row.state() == State.FREE) {
            check.foundOperationOfNobody(operation);
        } else if (isDead(row, alive)) {
            notes.add("head died in the middle of an operation, the next claim or recover frees its blocks: head="
                    + head + " blocks=" + owned + " pid=" + row.pid());
        }
        return owned;
    }

    private long judge(RowCheck check, Row row, boolean alive, ExtentTable.Snapshot table, List<long[]> runs) {
        int head = row.head();
        long owned = owned(runs);
        compareWithExtents(check, head, table, runs);
        if (row.state() == State.FREE && (owned > 0 || !table.entries().isEmpty())) {
            found(Finding.of("I6", "nobody is this head, and it holds capacity")
                    .with("head", head)
                    .with("blocks", owned)
                    .with("offset", state.headRowOffset(head)));
        }
        if (row.state() != State.FREE && isDead(row, alive)) {
            notes.add("head is dead, the next claim or recover frees its blocks: head=" + head + " blocks=" + owned
                    + " pid=" + row.pid());
        }
        if (row.state() == State.REAPING && alive) {
            noteReaping(head);
        }
        return owned;
    }

    private boolean isDead(Row row, boolean alive) {
        return !alive && !livesUnleased.test(row);
    }

    /** I2: the head's runs of blocks are exactly its extents, none of which overlap. */
    private void compareWithExtents(RowCheck check, int head, ExtentTable.Snapshot table, List<long[]> runs) {
        List<long[]> extents = new ArrayList<>();
        for (int i = 0; i < table.entries().size(); i++) {
            ExtentTable.Entry entry = table.entries().get(i);
            try {
                long first = geometry.blockOfDpa(entry.startDpa());
                long last = geometry.blockOfDpa(entry.startDpa() + entry.lengthBytes() - 1);
                boolean whole = entry.startDpa() % geometry.blockSizeBytes() == 0
                        && entry.lengthBytes() % geometry.blockSizeBytes() == 0
                        && geometry.regionOfBlock(first).equals(geometry.regionOfBlock(last));
                if (!whole || entry.lengthBytes() <= 0) {
                    throw new IllegalArgumentException("not whole blocks of one region");
                }
                extents.add(new long[] {first, last - first + 1});
            } catch (IllegalArgumentException e) {
                found(check.atEntry("extent is impossible", i, 0, entry).with("reason", "\"" + e.getMessage() + "\""));
            }
        }
        extents.sort((a, b) -> Long.compare(a[0], b[0]));
        List<long[]> merged = new ArrayList<>();
        for (long[] extent : extents) {
            long[] previous = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (previous != null && previous[0] + previous[1] > extent[0]) {
                found(Finding.of("I2", "extents overlap")
                        .with("head", head)
                        .with("block", extent[0])
                        .with("dpa", geometry.dpaOfBlock(extent[0]))
                        .with("offset", state.extentTableOffset(head)));
            }
            if (previous != null && previous[0] + previous[1] >= extent[0]) {
                previous[1] = Math.max(previous[1], extent[0] + extent[1] - previous[0]);
            } else {
                merged.add(extent);
            }
        }
        without(runs, merged).forEach(run -> foundRun("owned blocks in no extent", head, run));
        without(merged, runs).forEach(run -> foundRun("blocks of an extent are not owned", head, run));
    }

    private void foundRun(String cause, int head, long[] run) {
        found(Finding.of("I2", cause)
                .with("head", head)
                .with("block", run[0])
                .with("count", run[1])
                .with("dpa", geometry.dpaOfBlock(run[0]))
                .with("offset", state.laneOffset(run[0])));
    }

    /** I8: every block is free, or kept by a tag, or owned by one, or by several that share it. */
    private void checkSum(long free, long[] owned) {
        boolean quiet = Arrays.stream(owned).noneMatch(count -> count == UNKNOWN)
                && allHeads().noneMatch(lives);
        long sum = Arrays.stream(owned).sum();
        if (quiet && sum != ownerships) {
            found(Finding.of("I8", "free and owned blocks do not add up")
                    .with("free", free)
                    .with("owned", sum)
                    .with("blocks", map.blockCount()));
        }
    }

    private static long owned(List<long[]> runs) {
        return runs.stream().mapToLong(run -> run[1]).sum();
    }

    private IntStream allHeads() {
        return IntStream.range(0, geometry.headCount());
    }

    private List<long[]> runsOf(int head) {
        List<long[]> runs = new ArrayList<>();
        map.forEachRunVolatile(head, (first, count) -> runs.add(new long[] {first, count}));
        return runs;
    }

    /** The parts of {@code minuend} that lie in no run of {@code subtrahend}; both ascend. */
    private static List<long[]> without(List<long[]> minuend, List<long[]> subtrahend) {
        List<long[]> rest = new ArrayList<>();
        for (long[] run : minuend) {
            long start = run[0];
            long end = run[0] + run[1];
            for (long[] hole : subtrahend) {
                if (hole[0] + hole[1] <= start || hole[0] >= end) {
                    continue;
                }
                if (hole[0] > start) {
                    rest.add(new long[] {start, hole[0] - start});
                }
                start = Math.max(start, hole[0] + hole[1]);
            }
            if (start < end) {
                rest.add(new long[] {start, end - start});
            }
        }
        return rest;
    }

    private static List<Integer> headsOf(long lane) {
        List<Integer> heads = new ArrayList<>();
        for (long bits = lane; bits != 0; bits &= bits - 1) {
            heads.add(Long.numberOfTrailingZeros(bits));
        }
        return heads;
    }

    private void found(Finding finding) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(finding);
        } else {
            suppressed++;
        }
    }
}

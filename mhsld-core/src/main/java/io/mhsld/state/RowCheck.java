package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.ATTACHED_MS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.ERROR_LOG_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_ENTRY_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_GROUP_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_SEQUENCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TAG_HIGH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.GENERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.HEAD_STATE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.INCARNATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAX_EXTENTS;
import static io.mhsld.state.StateFileDescriptor.MAX_SOCKET_BYTES;
import static io.mhsld.state.StateFileDescriptor.OPERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.PID_OFFSET;
import static io.mhsld.state.StateFileDescriptor.PROCESS_START_TICKS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SEQUENCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SOCKET_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SOCKET_OFFSET;

import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.HeadTable.State;
import io.mhsld.state.StateFileDescriptor.Section;
import io.mhsld.text.ForeignText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What one head's row, extent table, counters and error log say in themselves, and to one another: numbers that no head ever writes. What
 * they say about blocks the {@link Inspector} compares with the owner map.
 */
final class RowCheck {
    /** The end of the year 9999. */
    static final long LAST_TIME_MS = 253_402_300_799_999L;

    /** Numbers that grow by one never come so far: at a million a second it would take nine years. */
    static final long LAST_NUMBER = (1L << 48) - 1;

    /** Linux gives no higher one (below PID_MAX_LIMIT). */
    private static final long LAST_PID = (1L << 22) - 1;

    /** A thousand years since boot. */
    private static final long LAST_START_TICKS = (1L << 42) - 1;

    /** Bytes are counted too. */
    private static final long LAST_COUNT = (1L << 60) - 1;

    private final StateFile state;
    private final Geometry geometry;
    private final int head;
    private final Consumer<Finding> findings;

    RowCheck(StateFile state, int head, Consumer<Finding> findings) {
        this.state = state;
        this.geometry = state.geometry();
        this.head = head;
        this.findings = findings;
    }

    /** Reads all counters. */
    static Map<Counter, Long> countersOf(StateFile state, int head) {
        Map<Counter, Long> counters = new HashMap<>();
        for (Counter counter : Counter.values()) {
            counters.put(counter, state.counters(head).getAcquire(counter));
        }
        return counters;
    }

    // ---- the row

    /**
     * I6: who the head is.
     *
     * @param socketLength as it stands in the row
     */
    void checkRow(Row row, int socketLength) {
        if (row.state() == State.DAMAGED) {
            findings.accept(atRow("head table row makes no sense", HEAD_STATE_OFFSET, "state")
                    .with("value", state.heads().stateNumberPlain(head)));
        }
        long pid = row.pid();
        if (row.state() == State.FREE) {
            if (pid != 0 || row.processStartTicks() != 0 || socketLength != 0) {
                findings.accept(atRow("nobody is this head, and its row names a process", PID_OFFSET, "process")
                        .with("pid", pid)
                        .with("start_ticks", row.processStartTicks())
                        .with("socket_bytes", socketLength));
            }
        } else {
            boolean mayBeNobody = row.state() == State.REAPING || row.state() == State.DAMAGED;
            checkRowNumber("process id", PID_OFFSET, pid, mayBeNobody ? 0 : 1, LAST_PID);
            checkRowNumber("process start", PROCESS_START_TICKS_OFFSET, row.processStartTicks(), -1, LAST_START_TICKS);
            checkSocket(row, socketLength);
        }
        checkRowNumber("attached", ATTACHED_MS_OFFSET, row.attachedMs(), 0, LAST_TIME_MS);
        checkRowNumber("incarnation", INCARNATION_OFFSET, row.incarnation(), 0, LAST_NUMBER);
    }

    /** I6: the number of the operation, which only grows. */
    void checkOperation(long operation) {
        checkRowNumber("operation", OPERATION_OFFSET, operation, 0, LAST_NUMBER);
    }

    /** I6: a row that nobody has is not in the middle of something. */
    void foundOperationOfNobody(long operation) {
        findings.accept(
                atRow("nobody is this head, and it is in the middle of an operation", OPERATION_OFFSET, "operation")
                        .with("value", operation));
    }

    private void checkRowNumber(String field, int offset, long value, long least, long most) {
        if (value < least || value > most) {
            findings.accept(
                    atRow("head table row makes no sense", offset, field).with("value", value));
        }
    }

    private void checkSocket(Row row, int lengthBytes) {
        // A head that starts or leaves writes the path apart from its state.
        boolean isServing = row.state() == State.SERVING;
        if (lengthBytes < (isServing ? 1 : 0) || lengthBytes > MAX_SOCKET_BYTES) {
            findings.accept(atRow("head table row makes no sense", SOCKET_LENGTH_OFFSET, "control socket length")
                    .with("value", lengthBytes));
        } else if (isServing && !isSocketPath(row.controlSocket())) {
            findings.accept(atRow("control socket is none", SOCKET_OFFSET, "control socket")
                    .with("value", '"' + ForeignText.line(row.controlSocket()) + '"'));
        }
    }

    private boolean isSocketPath(String path) {
        return path.startsWith("/")
                && path.endsWith(".head" + head + ".sock")
                && path.chars().noneMatch(c -> Character.isISOControl(c) || c == '\uFFFD');
    }

    // ---- the extent table

    /** I2: the table's own numbers, and the order that its writer keeps. */
    void checkTable(ExtentTable.Snapshot table, Map<Counter, Long> counters, List<TagTable.Entry> rows) {
        ExtentTable extents = state.extents(head);
        checkTableNumber("sequence", SEQUENCE_OFFSET, extents.sequenceAcquire(), LAST_NUMBER);
        checkTableNumber("extent count", EXTENT_COUNT_OFFSET, extents.countPlain(), MAX_EXTENTS);
        long offered = counters.get(Counter.ADDS);
        long lastGroup = 0;
        Map<Long, UUID> tags = new HashMap<>();
        List<ExtentTable.Entry> entries = table.entries();
        for (int i = 0; i < entries.size(); i++) {
            ExtentTable.Entry entry = entries.get(i);
            long group = entry.pendingGroup();
            if (group < 0 || group > offered) {
                findings.accept(atEntry("extent of a group that was never offered", i, EXTENT_GROUP_OFFSET, entry)
                        .with("group", group)
                        .with("adds", offered));
            } else if (group < lastGroup) {
                findings.accept(atEntry("extent stands behind a later group", i, EXTENT_GROUP_OFFSET, entry)
                        .with("group", group)
                        .with("after", lastGroup));
            }
            lastGroup = Math.max(lastGroup, group);
            if (group != 0 && !entry.tag().equals(tags.computeIfAbsent(group, unused -> entry.tag()))) {
                findings.accept(atEntry("extents of one group have several tags", i, EXTENT_TAG_HIGH_OFFSET, entry)
                        .with("group", group)
                        .with("tag", entry.tag()));
            }
            if (entry.sharedSequence() != 0 && !isShared(rows, entry)) {
                findings.accept(atEntry("extent has a sequence, and no tag has it so", i, EXTENT_SEQUENCE_OFFSET, entry)
                        .with("tag", entry.tag())
                        .with("sequence", entry.sharedSequence()));
            }
            if (entry.sharedSequence() == 0 && belongsToTag(rows, entry)) {
                findings.accept(atEntry("extent is of a tag, and has no sequence", i, EXTENT_SEQUENCE_OFFSET, entry));
            }
        }
        boolean hasAccepted = entries.stream().anyMatch(entry -> !entry.isPending());
        if (table.generation() == 0 && hasAccepted) {
            findings.accept(atTable("extents were accepted in no generation", GENERATION_OFFSET, "generation")
                    .with("value", 0));
        }
    }

    /** True when a live row of the head's has this extent, or one that it is a part of, at that place of its sequence. */
    private boolean isShared(List<TagTable.Entry> rows, ExtentTable.Entry entry) {
        return rows.stream()
                .filter(row -> row.tag().equals(entry.tag())
                        && row.isHeldBy(head)
                        && entry.sharedSequence() > 0
                        && entry.sharedSequence() <= row.extents().size())
                .map(row -> row.extents().get(entry.sharedSequence() - 1))
                .anyMatch(range -> entry.startDpa() >= range.startDpa()
                        && entry.lengthBytes() <= range.endDpa() - entry.startDpa());
    }

    private static boolean belongsToTag(List<TagTable.Entry> rows, ExtentTable.Entry entry) {
        return rows.stream()
                .flatMap(row -> row.extents().stream())
                .anyMatch(range -> range.overlaps(entry.startDpa(), entry.lengthBytes()));
    }

    /** The tags that a head may have, read while its extents stay as they are. */
    static List<TagTable.Entry> liveRows(StateFile state) {
        return state.tags().readAll().stream()
                .filter(row -> row.state() == TagTable.State.LIVE && !row.isGone())
                .toList();
    }

    /** I2: a table that nobody is writing, and that says that somebody is. */
    void foundTableOfNobody(long sequence) {
        findings.accept(atTable("extent table is half written, and nobody is writing it", SEQUENCE_OFFSET, "sequence")
                .with("value", sequence));
    }

    private void checkTableNumber(String field, int offset, long value, long most) {
        if (value < 0 || value > most) {
            findings.accept(
                    atTable("extent table makes no sense", offset, field).with("value", value));
        }
    }

    /** An extent and the place of one of its fields. */
    Finding atEntry(String cause, int index, int fieldOffset, ExtentTable.Entry entry) {
        return Finding.of("I2", cause)
                .with("head", head)
                .with("dpa", entry.startDpa())
                .with("length", entry.lengthBytes())
                .with(
                        "offset",
                        state.extentTableOffset(head)
                                + EXTENTS_OFFSET
                                + (long) index * EXTENT_ENTRY_LENGTH
                                + fieldOffset);
    }

    // ---- the counters

    /** I8: what was counted can have been counted, and fits the table and the map. */
    void checkCounters(State rowState, Map<Counter, Long> counters, ExtentTable.Snapshot table, long ownedBlocks) {
        boolean makeSense = true;
        for (Counter counter : Counter.values()) {
            long value = counters.get(counter);
            boolean isLevelOfMap = counter == Counter.BLOCKS_OWNED || counter == Counter.EXTENTS_HELD;
            if (!isLevelOfMap && (value < 0 || value > LAST_COUNT)) {
                findings.accept(atCounter("counter makes no sense", counter).with("value", value));
                makeSense = false;
            }
        }
        long counted = counters.get(Counter.BLOCKS_OWNED);
        if (counted != ownedBlocks) {
            findings.accept(atCounter("counter and owner map disagree", Counter.BLOCKS_OWNED)
                    .with("counted", counted)
                    .with("owned", ownedBlocks));
        }
        long held = counters.get(Counter.EXTENTS_HELD);
        if (held != table.entries().size()) {
            findings.accept(atCounter("counter and extent table disagree", Counter.EXTENTS_HELD)
                    .with("counted", held)
                    .with("held", table.entries().size()));
        }
        if (!makeSense) {
            return;
        }
        // Who dies between the two has counted one of them only.
        boolean isCounting = rowState == State.STARTING || rowState == State.SERVING;
        long conflicts = counters.get(Counter.CLAIM_CONFLICTS);
        if (isCounting && conflicts > counters.get(Counter.ADDS_REFUSED)) {
            findings.accept(atCounter("more conflicts than refused adds", Counter.CLAIM_CONFLICTS)
                    .with("counted", conflicts)
                    .with("refused", counters.get(Counter.ADDS_REFUSED)));
        }
        checkAccepted(isCounting, counters, table);
    }

    /** What the host accepted and did not let go of is what it holds; what a reaper took from it was counted by nobody. */
    private void checkAccepted(boolean isCounting, Map<Counter, Long> counters, ExtentTable.Snapshot table) {
        long left = counters.get(Counter.BLOCKS_ACCEPTED) - counters.get(Counter.BLOCKS_RELEASED);
        long accepted = isCounting
                ? table.entries().stream()
                        .filter(entry -> !entry.isPending())
                        .mapToLong(entry -> entry.lengthBytes() / geometry.blockSizeBytes())
                        .sum()
                : 0;
        if (isCounting ? left != accepted : left < 0) {
            findings.accept(atCounter("accepted and released blocks do not fit the extents", Counter.BLOCKS_ACCEPTED)
                    .with("accepted", counters.get(Counter.BLOCKS_ACCEPTED))
                    .with("released", counters.get(Counter.BLOCKS_RELEASED))
                    .with("held", accepted));
        }
    }

    // ---- the error log

    /** I7: readers of the log find their way. */
    void checkErrorLog() {
        OptionalInt wrong = ErrorLogCheck.firstWrong(state.errorLog(head));
        if (wrong.isPresent()) {
            findings.accept(Finding.of("I7", "error log has a record that is none")
                    .with("head", head)
                    .with("offset", errorLogOffset() + wrong.getAsInt())
                    .with("value", state.errorLog(head).getInt(wrong.getAsInt())));
        }
    }

    private long errorLogOffset() {
        return Section.ERROR_LOGS.offset(geometry) + (long) head * ERROR_LOG_LENGTH;
    }

    // ---- places

    private Finding atRow(String cause, int fieldOffset, String field) {
        return Finding.of("I6", cause)
                .with("head", head)
                .with("field", field)
                .with("offset", state.headRowOffset(head) + fieldOffset);
    }

    private Finding atTable(String cause, int fieldOffset, String field) {
        return Finding.of("I2", cause)
                .with("head", head)
                .with("field", field)
                .with("offset", state.extentTableOffset(head) + fieldOffset);
    }

    private Finding atCounter(String cause, Counter counter) {
        return Finding.of("I8", cause)
                .with("head", head)
                .with("counter", counter.label())
                .with("offset", state.counterOffset(head, counter));
    }
}

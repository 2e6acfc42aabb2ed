package io.mhsld.head;

import io.mhsld.state.PoisonTable;
import io.mhsld.state.PoisonTable.Run;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.PoisonList;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The poison of the media, whoever owns it, as it stands in the state file: read by anybody, changed under the table lock. It remembers what it has
 * read for as long as the table's generation says that nothing has changed, so that asking costs one volatile load.
 *
 * <p>Order of the steps, so that nobody ever gets a block with somebody else's poison. All but those in brackets under the table lock:
 *
 * <pre>
 * inject   say that poison is added, look whose the blocks are, write it, say no more
 * clear    look whose the block is, write the line, take the poison out
 * claim    [claim the blocks, scrub them, look whether poison is added or is in them] take it out [offer]
 * free     [unpublish, give memory back] take the poison out, if the lock is to be had at once [clear the bits]
 * </pre>
 *
 * An injection that looked before a block was claimed is seen by the claim, which waits for it; one that looks later sees the claim. A death leaves
 * the poison of a free block where it was, or not: the next claim takes it out.
 */
final class PoisonRegistry {
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** What was read, and when. */
    private record Known(long generation, PoisonList list) {}

    private final StateFile state;
    private final PoisonTable table;
    private final Machine machine;
    private final TableLock lock;
    private volatile Known known = new Known(-1, PoisonList.NONE);

    PoisonRegistry(StateFile state, Leases leases, Machine machine) {
        this.state = state;
        this.table = state.poison();
        this.machine = machine;
        this.lock = leases.tables();
    }

    /** As it is now. Any thread. */
    PoisonList list() {
        Known remembered = known;
        return remembered.generation == table.generationVolatile() ? remembered.list : refresh();
    }

    private PoisonList refresh() {
        PoisonTable.Snapshot snapshot = table.read();
        PoisonList list = new PoisonList(
                lines(snapshot.records()),
                lines(snapshot.unlisted()),
                snapshot.hasOverflowed(),
                snapshot.hasOverflowed() ? snapshot.overflowNs() : 0);
        known = new Known(snapshot.generation(), list);
        return list;
    }

    /** Without those that nobody can have meant. */
    private List<Line> lines(List<Run> runs) {
        List<Line> lines = new ArrayList<>(runs.size());
        for (Run run : runs) {
            if (run.isPossible(state.geometry())) {
                lines.add(new Line(run.startDpa(), run.lengthBytes(), sourceOf(run.source())));
            }
        }
        return lines;
    }

    private static Source sourceOf(int value) {
        for (Source source : Source.values()) {
            if (source.value() == value) {
                return source;
            }
        }
        return Source.UNKNOWN;
    }

    // ---- under the lock

    /** Does something with the table lock; {@code BUSY} when that is not to be had. */
    Optional<Refusal> locked(long patienceMs, Supplier<Optional<Refusal>> action) {
        return lock.with(patienceMs, () -> {
                    endAddingOfTheDead();
                    return action.get();
                })
                .orRefused(waitedMs -> Refusal.of(Cause.BUSY, "table=poison waitedMs=%d", waitedMs));
    }

    private void endAddingOfTheDead() {
        if (table.isAddingVolatile()) {
            table.endAdding();
        }
    }

    /** Under the lock: adds poison, if the action does not refuse it; what that loads of the owner map is as whoever claims will see it. */
    Optional<Refusal> add(Line line, long timestampNs, Supplier<Optional<Refusal>> check) {
        table.beginAdding();
        Optional<Refusal> refusal = check.get().or(() -> list().whyNotWith(line));
        if (refusal.isEmpty()) {
            write(list().with(line, timestampNs));
        }
        table.endAdding();
        return refusal;
    }

    /** Under the lock: this is all the poison that there is. */
    void write(PoisonList list) {
        table.writeRelease(
                runs(list.listed()), runs(list.unlisted()), list.hasOverflowed(), list.overflowTimestampNs());
    }

    private static List<Run> runs(List<Line> lines) {
        return lines.stream()
                .map(line ->
                        new Run(line.dpa(), line.lengthBytes(), line.source().value()))
                .toList();
    }

    /** Under the lock: takes the poison out of a range, unless that leaves more pieces than can be remembered. */
    Optional<Refusal> remove(long dpa, long lengthBytes) {
        return write(list(), list().without(dpa, lengthBytes, nowNs()));
    }

    private Optional<Refusal> write(PoisonList before, PoisonList after) {
        if (!after.isWithinLimits()) {
            return Refusal.of(
                    Cause.POISON_LIMIT,
                    "records=%d unlisted=%d",
                    before.listed().size(),
                    before.unlisted().size());
        }
        if (!after.equals(before)) {
            write(after);
        }
        return Optional.empty();
    }

    // ---- blocks come and go

    /**
     * Takes the poison out of blocks that were free and are the head's now, before it says so to anybody.
     *
     * @return empty when there is none; {@code BUSY} or {@code POISON_LIMIT} when that could not be done: then they must not be offered
     */
    Optional<Refusal> removeFromClaimed(List<Extent> claimed) {
        // First whether it is being added: whoever begins that later sees who has claimed the blocks.
        if (!table.isAddingVolatile() && !touches(list(), claimed)) {
            return Optional.empty();
        }
        return locked(TableLock.PATIENCE_MS, () -> {
            PoisonList before = list();
            PoisonList after = before;
            for (Extent extent : claimed) {
                after = after.without(extent.startDpa(), extent.lengthBytes(), nowNs());
            }
            return write(before, after);
        });
    }

    /** The same for a range that has been scrubbed, if the lock can be had in so long. */
    Optional<Refusal> removeWithin(long patienceMs, long dpa, long lengthBytes) {
        return list().touches(dpa, lengthBytes) ? locked(patienceMs, () -> remove(dpa, lengthBytes)) : Optional.empty();
    }

    private static boolean touches(PoisonList list, List<Extent> extents) {
        if (list.listed().isEmpty() && list.unlisted().isEmpty()) {
            return false;
        }
        for (Extent extent : extents) {
            if (list.touches(extent.startDpa(), extent.lengthBytes())) {
                return true;
            }
        }
        return false;
    }

    private long nowNs() {
        return machine.clock().millis() * NANOS_PER_MILLI;
    }
}

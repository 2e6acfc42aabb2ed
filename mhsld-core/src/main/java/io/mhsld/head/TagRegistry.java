package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.state.TableCheck;
import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import io.mhsld.state.TagTable.State;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The tags of shared capacity: who holds them, and what the fabric manager keeps. Any process may list them and add and remove references; heads
 * create, join and leave through here.
 *
 * <p>Order of the steps, so that a death between any two of them is repaired by reaping alone. All but those in brackets under the table lock:
 *
 * <pre>
 * create     [claim, scrub] row filled, holder, row live [publish own extents, offer]
 * join       holder announced, look whether somebody still held it, holder [own bit in the lanes, publish own extents, offer]
 * leave      [unpublish own extents] holder off            [clear own bits]                     when others hold it, or it is kept
 *            [unpublish own extents] row free               [give memory back, clear own bits]   by the last one: the blocks are its alone
 * reference  announced, look whether somebody still held it, row kept
 * dereference  row not kept                                                                     when somebody holds it
 *            row being freed, give memory back, row free                                        when nobody does
 * reap       [raise incarnation: it holds nothing any more; unpublish; give back memory of what is nobody else's, clear bits] row free
 * </pre>
 *
 * Whoever takes the lock first ends what others left: rows that are gone become free, rows that are being freed too.
 */
public final class TagRegistry {
    /** For so long memory is given back under the lock; what is not is scrubbed, as always, before it is offered again. */
    private static final long GIVE_BACK_NS = 250_000_000;

    private static final long STEP_BYTES = 64 << 20;

    /** How a head left a tag. */
    enum Left {
        /** Nobody else has it: the blocks are the head's alone, as any others. */
        ALONE,
        /** Others have it, or it was never there: only the head's bits go. */
        SHARED,
        /** The lock was not to be had. Its bits go; {@link #leaveWithoutBlocks} does the rest later. */
        LATER
    }

    /**
     * A tag of shared capacity at one moment.
     *
     * @param epoch tells this life of the tag's row from others; the row's number is in it too
     * @param holders bit <i>h</i>: head <i>h</i> holds it, accepted or pending
     * @param pendingHolders those of them whose host has not answered yet
     * @param isReferenced the fabric manager keeps it, with or without holders
     * @param extents in the order of their shared sequence
     * @param lengthBytes of all of them
     */
    public record Tag(
            UUID tag,
            int region,
            long epoch,
            long holders,
            long pendingHolders,
            boolean isReferenced,
            List<Range> extents,
            long lengthBytes) {}

    /** A row that a head has joined or made, or why not. */
    record Joined(Optional<Entry> row, Optional<Refusal> refusal) {
        static Joined of(Entry row) {
            return new Joined(Optional.of(row), Optional.empty());
        }

        static Joined of(Optional<Refusal> refusal) {
            return new Joined(Optional.empty(), refusal);
        }
    }

    private final StateFile state;
    private final TagTable tags;
    private final Geometry geometry;
    private final Media media;
    private final Machine machine;
    private final TableLock lock;
    private final PoisonRegistry poison;

    /** Rows that were something at that sequence of the table. */
    private int[] used = {};

    private long sequenceOfUsed = -1;

    /** For one device. */
    public TagRegistry(StateFile state, Leases leases, Media media, Machine machine) {
        this.state = state;
        this.tags = state.tags();
        this.geometry = state.geometry();
        this.media = media;
        this.machine = machine;
        this.lock = leases.tables();
        this.poison = new PoisonRegistry(state, leases, machine);
    }

    // ---- for everybody

    /** All tags, each at one moment, in no particular order. */
    public List<Tag> list() {
        return listOf(state);
    }

    /** Changes with every change of the list. */
    public int generation() {
        return generationOf(state);
    }

    /** The list of a device that is only looked at, in the order of the rows. */
    public static List<Tag> listOf(StateFile state) {
        return state.tags().readAll().stream()
                .filter(entry -> entry.state() == State.LIVE && !entry.isGone())
                .map(entry -> tagOf(state, entry))
                .toList();
    }

    /** Its generation. */
    public static int generationOf(StateFile state) {
        return (int) (state.tags().sequenceVolatile() >>> 1);
    }

    /**
     * The fabric manager keeps the tag: its capacity stays allocated when the last head leaves. Keeping what is kept changes nothing, and nor does
     * the nil tag.
     *
     * @return empty when done, else {@code TAG_UNKNOWN} or {@code BUSY}
     */
    public Optional<Refusal> addReference(UUID tag) {
        return tag.equals(Extent.NO_TAG) ? Optional.empty() : withLock(tag, () -> addReferenceNow(tag));
    }

    /**
     * The fabric manager keeps the tag no longer: when no head holds it, its capacity is free when this returns. As above otherwise.
     *
     * @return empty when done, else {@code TAG_UNKNOWN} or {@code BUSY}
     */
    public Optional<Refusal> removeReference(UUID tag) {
        return tag.equals(Extent.NO_TAG) ? Optional.empty() : withLock(tag, () -> removeReferenceNow(tag));
    }

    private static Tag tagOf(StateFile state, Entry entry) {
        long pending = 0;
        for (long bits = entry.holders(); bits != 0; bits &= bits - 1) {
            int head = Long.numberOfTrailingZeros(bits);
            boolean isPending =
                    state.extents(head).readSeqlock().map(ExtentTable.Snapshot::entries).orElse(List.of()).stream()
                            .anyMatch(extent -> extent.isPending()
                                    && extent.sharedSequence() > 0
                                    && extent.tag().equals(entry.tag()));
            pending |= isPending ? 1L << head : 0;
        }
        return new Tag(
                entry.tag(),
                entry.region(),
                entry.epoch() * TagTable.ROWS + entry.row(),
                entry.holders(),
                pending,
                entry.isReferenced(),
                entry.extents(),
                entry.lengthBytes());
    }

    private Optional<Refusal> addReferenceNow(UUID tag) {
        CrashPoint.TAG_REFERENCE_LOCKED.reached();
        Optional<Entry> found = tags.find(tag).filter(tags::isWhole);
        if (found.isEmpty() || found.get().isReferenced()) {
            return found.isEmpty() ? unknown(tag) : Optional.empty();
        }
        return tryKeep(tags, found.get()) ? Optional.empty() : unknown(tag);
    }

    /**
     * Makes a row kept that was found live, unless that came too late; the caller has the table lock. Public for the trials.
     *
     * @return false when all that held the row died before: the row is free then, for its blocks may be somebody's by now
     */
    public static boolean tryKeep(TagTable tags, Entry found) {
        tags.beginChange();
        tags.announceReference(found.row(), true);
        CrashPoint.TAG_REFERENCE_ANNOUNCED.reached();
        boolean wasHeld = (tags.holdersVolatile(found.row()) & found.holders()) != 0;
        if (wasHeld) {
            tags.setReferenced(found.row(), true);
            CrashPoint.TAG_REFERENCE_ADDED.reached();
        } else {
            tags.free(found.row());
        }
        tags.endChange();
        return wasHeld;
    }

    private Optional<Refusal> removeReferenceNow(UUID tag) {
        CrashPoint.TAG_REFERENCE_LOCKED.reached();
        Optional<Entry> found = tags.find(tag);
        if (found.isEmpty() || !found.get().isReferenced()) {
            return found.isEmpty() ? unknown(tag) : Optional.empty();
        }
        int row = found.get().row();
        tags.beginChange();
        if (tags.holdersVolatile(row) == 0) {
            freeGivingBack(row, found.get().extents());
        } else {
            tags.setReferenced(row, false);
            CrashPoint.TAG_REFERENCE_REMOVED.reached();
        }
        tags.endChange();
        return Optional.empty();
    }

    // ---- for heads

    /** The row of a tag that somebody has. */
    Optional<Entry> find(UUID tag) {
        return tags.find(tag);
    }

    /** Makes a tag of blocks that the head has claimed and scrubbed; it holds it then. */
    Joined create(int head, UUID tag, int region, List<Range> extents) {
        Joined joined = lock.with(TableLock.PATIENCE_MS, () -> {
                    settle();
                    CrashPoint.TAG_CREATE_LOCKED.reached();
                    return createNow(head, tag, region, extents);
                })
                .orRefused(waitedMs -> Joined.of(busy(tag, waitedMs)));
        CrashPoint.TAG_CREATED.reached();
        return joined;
    }

    private Joined createNow(int head, UUID tag, int region, List<Range> extents) {
        if (tags.find(tag).isPresent()) {
            return Joined.of(Refusal.of(Cause.TAG_IN_USE, "tag=%s", tag));
        }
        int row = tags.findFree();
        if (row < 0) {
            return Joined.of(Refusal.of(Cause.TAGS_EXHAUSTED, "tags=%d limit=%d", TagTable.ROWS, TagTable.ROWS));
        }
        write(row, head, tag, region, extents);
        return Joined.of(tags.read(row).orElseThrow());
    }

    private void write(int row, int head, UUID tag, int region, List<Range> extents) {
        tags.beginChange();
        tags.fillPlain(row, tag, region, extents);
        CrashPoint.TAG_CREATE_FILLED.reached();
        tags.addHolder(row, head);
        CrashPoint.TAG_CREATE_HELD.reached();
        tags.publish(row, false);
        CrashPoint.TAG_CREATE_LIVE.reached();
        tags.endChange();
    }

    /** The head holds the tag when this returns it; the lanes are the caller's to set. */
    Joined join(int head, int region, UUID tag) {
        return lock.with(TableLock.PATIENCE_MS, () -> {
                    settle();
                    CrashPoint.TAG_JOIN_LOCKED.reached();
                    return joinNow(head, region, tag);
                })
                .orRefused(waitedMs -> Joined.of(busy(tag, waitedMs)));
    }

    private Joined joinNow(int head, int region, UUID tag) {
        Optional<Entry> found = tags.find(tag).filter(tags::isWhole);
        if (found.isEmpty()) {
            return Joined.of(unknown(tag));
        }
        Entry entry = found.get();
        if (entry.region() != region) {
            return Joined.of(Refusal.of(Cause.OUTSIDE_REGION, "tag=%s region=%d of=%d", tag, region, entry.region()));
        }
        return tryHold(tags, head, entry) ? Joined.of(entry) : Joined.of(unknown(tag));
    }

    /**
     * Makes the head a holder of a row that was found live, unless it came too late; the caller has the table lock. Public for the trials.
     *
     * @return false when all that held the row died before the head did: the row is free then, for its blocks may be somebody's by now
     */
    public static boolean tryHold(TagTable tags, int head, Entry found) {
        long others = found.holders() & ~(1L << head);
        tags.beginChange();
        tags.announceHolder(found.row(), head);
        CrashPoint.TAG_JOIN_ANNOUNCED.reached();
        // Not who holds it now, but whether one of those who held it before still does: then it was never gone.
        boolean wasHeld = found.isReferenced() || (tags.holdersVolatile(found.row()) & others) != 0;
        if (wasHeld) {
            tags.addHolder(found.row(), head);
            CrashPoint.TAG_JOIN_HELD.reached();
        } else {
            tags.free(found.row());
        }
        tags.endChange();
        return wasHeld;
    }

    /**
     * The head leaves a tag; its extents are in no list any more.
     *
     * @param hasAllBlocks it has its bit in all blocks of the tag: else the last one out gives the memory back while nobody may claim them
     */
    Left leave(int head, int row, long epoch, boolean hasAllBlocks) {
        Left left = lock.with(TableLock.PATIENCE_MS, () -> {
                    settle();
                    CrashPoint.TAG_LEAVE_LOCKED.reached();
                    return leaveNow(head, row, epoch, hasAllBlocks);
                })
                .orRefused(waitedMs -> Left.LATER);
        CrashPoint.TAG_LEAVE_UNLOCKED.reached();
        return left;
    }

    private Left leaveNow(int head, int row, long epoch, boolean hasAllBlocks) {
        Optional<Entry> found = tags.read(row);
        boolean isMine = found.isPresent()
                && found.get().state() == State.LIVE
                && found.get().epoch() == epoch
                && found.get().isHeldBy(head);
        if (!isMine) {
            return Left.SHARED;
        }
        long others = found.get().holders() & ~(1L << head);
        Left left = Left.SHARED;
        tags.beginChange();
        if (found.get().isReferenced() || others != 0) {
            tags.removeHolder(row, head);
            CrashPoint.TAG_LEAVE_LEFT.reached();
            boolean isGone = !found.get().isReferenced() && tags.holdersVolatile(row) == 0;
            if (isGone) {
                // The others died meanwhile, and left the memory to this head.
                tags.free(row);
                left = hasAllBlocks ? Left.ALONE : Left.SHARED;
            }
        } else if (hasAllBlocks) {
            tags.free(row);
            CrashPoint.TAG_LEAVE_FREED.reached();
            left = Left.ALONE;
        } else {
            freeGivingBack(row, found.get().extents());
        }
        tags.endChange();
        return left;
    }

    /** The rest of a leave that came without the lock; false when it still is not to be had. */
    boolean leaveWithoutBlocks(int head, int row, long epoch) {
        return lock.with(0, () -> {
                    settle();
                    return leaveNow(head, row, epoch, false);
                })
                .isDone();
    }

    /**
     * Repair by a head that holds a tag whose row says something else: another holder may have put it back elsewhere, else this head does.
     *
     * @return the row as it is now; empty when that cannot be done now
     */
    Optional<Entry> putBack(int head, int row, UUID tag, int region, List<Range> extents) {
        return lock.with(0, () -> {
                    settle();
                    Optional<Entry> elsewhere = tags.find(tag)
                            .filter(tags::isWhole)
                            .filter(entry ->
                                    entry.region() == region && entry.extents().equals(extents));
                    if (elsewhere.isPresent()) {
                        tags.beginChange();
                        tags.addHolder(elsewhere.get().row(), head);
                        tags.endChange();
                        return tags.read(elsewhere.get().row());
                    }
                    boolean isAnothers = tags.read(row)
                            .filter(entry -> entry.state() != State.DAMAGED
                                    && tags.isWhole(entry)
                                    && !entry.tag().equals(tag))
                            .isPresent();
                    int place = isAnothers ? tags.findFree() : row;
                    if (place < 0) {
                        return Optional.<Entry>empty();
                    }
                    if (tags.isUsedVolatile(place)) {
                        tags.free(place);
                    }
                    write(place, head, tag, region, extents);
                    return tags.read(place);
                })
                .orRefused(waitedMs -> Optional.empty());
    }

    // ---- what others left

    /** Makes rows free that are gone, if there are any and the lock can be had now; a later call does it else. */
    void trySweep() {
        if (needsSweep()) {
            settleWithin(0);
        }
    }

    /** Ends what others left, if the lock can be had in so long. */
    boolean settleWithin(long patienceMs) {
        return lock.with(patienceMs, () -> {
                    settle();
                    return true;
                })
                .isDone();
    }

    /**
     * Repair: frees rows that nobody can have meant, or that want what an earlier one has, and mends what else stands under the table lock. Who lives
     * and holds such a tag puts it back. Stores nothing when nothing is wrong.
     *
     * @return false when the lock is not to be had
     */
    boolean repair() {
        return lock.with(TableLock.PATIENCE_MS, () -> {
                    settle();
                    List<Entry> sound = new ArrayList<>();
                    for (Entry entry : tags.readAll()) {
                        if (TableCheck.isImpossible(state, entry)
                                || sound.stream().anyMatch(one -> collide(one, entry))) {
                            tags.beginChange();
                            tags.free(entry.row());
                            tags.endChange();
                        } else {
                            sound.add(entry);
                        }
                    }
                    state.mendTables();
                    return true;
                })
                .isDone();
    }

    private static boolean collide(Entry one, Entry other) {
        return one.tag().equals(other.tag())
                || one.extents().stream()
                        .anyMatch(range -> other.extents().stream()
                                .anyMatch(its -> its.overlaps(range.startDpa(), range.lengthBytes())));
    }

    private boolean needsSweep() {
        long sequence = tags.sequenceVolatile();
        boolean isInterrupted = (sequence & 1) != 0;
        if (sequence != sequenceOfUsed) {
            used = IntStream.range(0, TagTable.ROWS)
                    .filter(tags::isUsedVolatile)
                    .toArray();
            sequenceOfUsed = sequence;
        }
        for (int row : used) {
            State rowState = TagTable.stateOf(tags.lifeVolatile(row));
            isInterrupted |= rowState == State.FREEING
                    || (rowState == State.LIVE && tags.holderBitsVolatile(row) != tags.holdersVolatile(row))
                    || TagTable.isBeingReferenced(tags.lifeVolatile(row));
        }
        for (Geometry.Region region : geometry.regions()) {
            isInterrupted |= state.regionSettings().isProposedVolatile(region.id());
        }
        return isInterrupted;
    }

    /** Under the lock: ends what those left who died with it, and what the dead held. */
    private void settle() {
        boolean wasInterrupted = (tags.sequenceVolatile() & 1) != 0;
        for (int row = 0; row < TagTable.ROWS; row++) {
            long life = tags.lifeVolatile(row);
            State rowState = TagTable.stateOf(life);
            if (rowState == State.LIVE || rowState == State.FREEING) {
                settle(row, life, rowState);
            }
        }
        if (wasInterrupted && (tags.sequenceVolatile() & 1) != 0) {
            tags.endChange();
        }
        for (Geometry.Region region : geometry.regions()) {
            state.regionSettings().dropProposalRelease(region.id());
        }
    }

    private void settle(int row, long life, State rowState) {
        long bits = tags.holderBitsVolatile(row);
        long holders = tags.holdersVolatile(row);
        if (rowState == State.FREEING) {
            List<Range> extents = tags.read(row).map(Entry::extents).orElse(List.of());
            tags.beginChange();
            freeGivingBack(row, extents);
            tags.endChange();
        } else if (holders == 0 && !TagTable.isReferenced(life)) {
            tags.beginChange();
            tags.free(row);
            CrashPoint.TAG_SWEPT.reached();
            tags.endChange();
        } else if (bits != holders || TagTable.isBeingReferenced(life)) {
            // Who announced something under the lock, and did not come to its end, is dead.
            tags.beginChange();
            tags.announceReference(row, false);
            tags.removeHolders(row, ~holders);
            tags.endChange();
        }
    }

    /** A row that nobody holds and whose blocks nobody may claim until it is free. */
    private void freeGivingBack(int row, List<Range> extents) {
        tags.beginFreeing(row);
        CrashPoint.TAG_FREEING.reached();
        long startNs = machine.nanoTime();
        for (Range range : extents) {
            giveBack(range, startNs);
            // What cannot be taken out is before the blocks are offered again.
            poison.remove(range.startDpa(), range.lengthBytes());
        }
        CrashPoint.TAG_FREEING_GIVEN_BACK.reached();
        tags.free(row);
        CrashPoint.TAG_FREEING_FREED.reached();
    }

    private void giveBack(Range range, long startNs) {
        long offset;
        try {
            offset = geometry.mediaOffsetOfDpa(range.startDpa());
            geometry.mediaOffsetOfDpa(range.endDpa() - 1);
        } catch (IllegalArgumentException e) {
            // Damage: it is nowhere.
            return;
        }
        for (long done = 0;
                done < range.lengthBytes() && machine.nanoTime() - startNs < GIVE_BACK_NS;
                done += STEP_BYTES) {
            media.giveBack(offset + done, Math.min(STEP_BYTES, range.lengthBytes() - done));
        }
    }

    private Optional<Refusal> withLock(UUID tag, Supplier<Optional<Refusal>> action) {
        return lock.with(TableLock.PATIENCE_MS, () -> {
                    settle();
                    return action.get();
                })
                .orRefused(waitedMs -> busy(tag, waitedMs));
    }

    private static Optional<Refusal> unknown(UUID tag) {
        return Refusal.of(Cause.TAG_UNKNOWN, "tag=%s", tag);
    }

    private static Optional<Refusal> busy(UUID tag, long waitedMs) {
        return Refusal.of(Cause.BUSY, "tag=%s waitedMs=%d", tag, waitedMs);
    }
}

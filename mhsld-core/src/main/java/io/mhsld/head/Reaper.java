package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Frees what a head left behind. Whoever does it holds that head's lease meanwhile, so the head cannot start, nobody else reaps it, and a reaper
 * that dies leaves nothing but work for the next one. A head that starts does the same to its own predecessor.
 */
public final class Reaper {
    /** What an attempt to reap came to. */
    public enum Outcome {
        /** The head was dead and held something, or might have; nothing of it is left. */
        REAPED,
        /** Nobody was that head. */
        FREE,
        /** Some process holds the lease: the head, or another reaper. */
        ALIVE
    }

    /** Giving a gigabyte back can take a tenth of a second; whoever waits for one of the blocks need not wait for all of them. */
    private static final long STEP_BYTES = 64 << 20;

    /**
     * After that, the rest is freed without giving its memory back, for the dead must let go within a second (I5) however much they held; it is
     * scrubbed, as always, before it is offered again.
     */
    private static final long GIVE_BACK_NS = 500_000_000;

    private final StateFile state;
    private final Leases leases;
    private final Media media;
    private final Machine machine;
    private final long giveBackNs;
    private final TagRegistry tags;
    private final KeptBlocks kept;

    /** A reaper for one device. */
    public Reaper(StateFile state, Leases leases, Media media, Machine machine) {
        this(state, leases, media, machine, GIVE_BACK_NS);
    }

    Reaper(StateFile state, Leases leases, Media media, Machine machine, long giveBackNs) {
        this.state = state;
        this.leases = leases;
        this.media = media;
        this.machine = machine;
        this.giveBackNs = giveBackNs;
        this.tags = new TagRegistry(state, leases, media, machine);
        this.kept = new KeptBlocks(state);
    }

    /** Reaps a head if no process holds its lease. */
    public Outcome reap(int head) {
        return reap(head, freedBlocks -> {});
    }

    /** As above; what was freed is told when the outcome is {@code REAPED}. */
    Outcome reap(int head, LongConsumer freedBlocks) {
        return state.heads().stateAcquire(head) == HeadTable.State.FREE
                ? Outcome.FREE
                : reapUnlessLeased(head, freedBlocks);
    }

    /**
     * The same for a head that was met as an owner. A row that says that nobody is it is not believed while a bit or an extent of it is there:
     * one of the two is damage, and whoever holds the lease may put it right.
     */
    Outcome reapOwner(int head, LongConsumer freedBlocks) {
        return reapUnlessLeased(head, freedBlocks);
    }

    private Outcome reapUnlessLeased(int head, LongConsumer freedBlocks) {
        Optional<Leases.Lease> lease = leases.tryHead(head);
        if (lease.isEmpty()) {
            return Outcome.ALIVE;
        }
        try {
            HeadTable.Row row = state.heads().readAcquire(head);
            if (row.state() == HeadTable.State.FREE && holdsNothing(head)) {
                return Outcome.FREE;
            }
            if (isServedByAnother(state, row, machine)) {
                return Outcome.ALIVE;
            }
            CrashPoint.REAP_LEASED.reached();
            long freed = freeLeftovers(head);
            state.heads().freeRelease(head);
            CrashPoint.REAP_ROW_FREED.reached();
            freedBlocks.accept(freed);
            return Outcome.REAPED;
        } finally {
            lease.get().release();
        }
    }

    /**
     * True when the row names another process than this one, and the kernel's word is that it lives and can be the head. Its lease does not tell
     * when the lock file was removed under it: until it has noticed that and ended, nothing that it holds may be freed (I5).
     *
     * <p>Of a process that is ending and has lost its lease this is false, though it may be seen for a while yet: each thread lets go of its
     * memory before its files, and the last to let go of the files takes the lease along, so that none can store any more.
     */
    public static boolean isServedByAnother(StateFile state, HeadTable.Row row, Machine machine) {
        return (row.state() == HeadTable.State.STARTING || row.state() == HeadTable.State.SERVING)
                && row.pid() != machine.self().pid()
                && machine.canBeHead(ProcessIdentity.named(row), state, row.head());
    }

    private boolean holdsNothing(int head) {
        return state.ownerMap().countVolatile(head) == 0
                && state.extents(head)
                        .readSeqlock()
                        .filter(table -> table.entries().isEmpty())
                        .isPresent();
    }

    /**
     * Frees everything that has the head's bit or stands in its table; the caller holds its lease. Doing it again, after having died at any
     * point of it, is harmless.
     *
     * @return how many blocks it were
     */
    public long freeLeftovers(int head) {
        HeadTable heads = state.heads();
        heads.reapRelease(head);
        CrashPoint.REAP_MARKED.reached();
        // Before the incarnation: with that one store the head holds no tag any more, and its extents say that it does.
        heads.beginOperationRelease(head);
        CrashPoint.REAP_BEGUN.reached();
        heads.nextIncarnationRelease(head);
        // From here on it holds no tag. Before it is looked which rows are gone: whoever makes itself a holder of one
        // beside this head must see that, or be seen.
        VarHandle.fullFence();
        CrashPoint.REAP_INCARNATION_RAISED.reached();
        state.extents(head).writeSeqlock(List.of(), 0);
        CrashPoint.REAP_TABLE_EMPTIED.reached();
        long[] freed = {0};
        long startNs = machine.nanoTime();
        state.ownerMap().forEachRunVolatile(head, (first, count) -> freed[0] += freeRun(head, first, count, startNs));
        state.counters(head).setRelease(Counter.BLOCKS_OWNED, 0);
        state.counters(head).setRelease(Counter.EXTENTS_HELD, 0);
        CrashPoint.REAP_COUNTED.reached();
        heads.endOperationRelease(head);
        CrashPoint.REAP_ENDED.reached();
        // Only to tidy up: the rows that it alone held are gone already.
        tags.trySweep();
        return freed[0];
    }

    private long freeRun(int head, long first, long count, long startNs) {
        long blockSizeBytes = state.geometry().blockSizeBytes();
        long blocksPerStep = Math.max(1, STEP_BYTES / blockSizeBytes);
        long freed = 0;
        for (long done = 0; done < count; done += blocksPerStep) {
            long block = first + done;
            long blocks = Math.min(blocksPerStep, count - done);
            if (machine.nanoTime() - startNs < giveBackNs) {
                // Before the bit: once that is gone, the block may be another head's.
                giveBackUnshared(head, block, blocks);
                CrashPoint.REAP_GIVEN_BACK.reached();
            }
            freed += state.ownerMap().clear(head, block, blocks);
            CrashPoint.REAP_CLEARED.reached();
        }
        return freed;
    }

    /**
     * What has another owner too, because it is shared or by damage, is memory that this one uses, and what a tag keeps is memory that others will
     * use: it is left as it is. Nobody else can come while the bit is set, for a row that is gone stays so.
     */
    private void giveBackUnshared(int head, long first, long count) {
        long blockSizeBytes = state.geometry().blockSizeBytes();
        List<KeptBlocks.Kept> tagged = kept.within(first, count);
        long start = first;
        for (long block = first; block <= first + count; block++) {
            long at = block;
            boolean isAlone = block < first + count
                    && state.ownerMap().ownersVolatile(block) == 1L << head
                    && tagged.stream().noneMatch(part -> part.first() <= at && at < part.end());
            if (!isAlone) {
                media.giveBack(start * blockSizeBytes, (block - start) * blockSizeBytes);
                start = block + 1;
            }
        }
    }
}

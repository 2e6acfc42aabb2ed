package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.UUID;

/**
 * What to take of the free runs of a region, for one request: the one place where that is decided, whoever knows what is free.
 *
 * <ol>
 *   <li>One run, where there is one that is long enough: the one that leaves the least, so that large runs stay large. Looked at are the runs that end
 *       within {@value #LOOK_AHEAD_BLOCKS} blocks behind the first place where the request fits, and that place: a small request need not look at all of
 *       a large region.
 *   <li>Else, unless it is to be one, the longest ones, whole, which makes the fewest extents.
 * </ol>
 *
 * Of equal ones the lowest. Runs are told in ascending order ({@link #add}). Whoever finds them by searching may stop when {@link #wants} says so; that
 * changes nothing of the choice.
 */
public final class FreeSpace {
    static final long LOOK_AHEAD_BLOCKS = 1024;

    private static final long NOWHERE = Long.MAX_VALUE;

    private record Run(long startDpa, long lengthBytes) {
        /** Of equal ones the highest comes first, for what comes first is dropped. */
        static final Comparator<Run> SHORTEST_FIRST = Comparator.comparingLong(Run::lengthBytes)
                .thenComparing(Comparator.comparingLong(Run::startDpa).reversed());
    }

    private final DcRegion region;
    private final long lengthBytes;
    private final int maxExtents;

    /** The run that was told last, as it was told; it goes on when the next one begins where it ends. */
    private long openStart;

    private long openEnd;

    /** Where the first whole block is that was told. */
    private long firstDpa = NOWHERE;

    /** Behind this nothing is looked at any more. */
    private long lookEnd = NOWHERE;

    private long bestDpa = NOWHERE;
    private long bestLength;

    /** While no run is long enough: the longest ones, as many as may be taken. */
    private PriorityQueue<Run> longest;

    private long freeBytes;
    private long largestBytes;

    /**
     * Nothing is free yet.
     *
     * @param lengthBytes what is asked for: unsigned, a multiple of the region's block size, and not 0
     * @param maxExtents in how many parts it may come
     */
    public FreeSpace(DcRegion region, long lengthBytes, int maxExtents) {
        this.region = region;
        this.lengthBytes = lengthBytes;
        this.maxExtents = maxExtents;
        this.openStart = region.baseDpa();
        this.openEnd = region.baseDpa();
    }

    /** Adds a run that is free, above all others; only what of it is whole blocks of the region counts. */
    public void add(long startDpa, long endDpa) {
        if (startDpa != openEnd) {
            close();
            openStart = startDpa;
        }
        openEnd = endDpa;
        long start = alignedUp(openStart);
        long end = alignedDown(openEnd);
        if (start >= end) {
            return;
        }
        firstDpa = Math.min(firstDpa, start);
        if (lookEnd == NOWHERE && fits(end - start)) {
            lookEnd = start + lengthBytes + LOOK_AHEAD_BLOCKS * region.blockSizeBytes();
        }
    }

    /** Whether what is free from this address on, above all that has been told, could change the choice. */
    public boolean wants(long dpa) {
        if (dpa > openEnd) {
            close();
        }
        return dpa <= lookEnd && !(bestDpa != NOWHERE && bestLength == lengthBytes);
    }

    /** The lowest block that was told, {@link Long#MAX_VALUE} when there was none. */
    public long firstDpa() {
        return firstDpa;
    }

    /** Whether one run is long enough. */
    public boolean isInOneRun() {
        return lookEnd != NOWHERE;
    }

    /**
     * Chooses, as {@link MultiHeadHooks#select}, and reserves nothing.
     *
     * @param chosen gets the extents, by ascending address, when it is not refused
     */
    public Optional<Refusal> choose(boolean contiguous, UUID tag, boolean shared, List<Extent> chosen) {
        close();
        List<Run> taken = new ArrayList<>(1);
        if (bestDpa != NOWHERE) {
            taken.add(new Run(bestDpa, lengthBytes));
        } else if (contiguous || Long.compareUnsigned(lengthBytes, freeBytes) > 0) {
            return refused(Cause.NO_FREE_CAPACITY);
        } else {
            takeLongest(taken);
        }
        if (taken.isEmpty() || taken.size() > maxExtents) {
            return refused(Cause.TOO_MANY_EXTENTS);
        }
        for (Run run : taken) {
            chosen.add(new Extent(run.startDpa, run.lengthBytes, tag, shared ? chosen.size() + 1 : 0));
        }
        return Optional.empty();
    }

    private Optional<Refusal> refused(Cause cause) {
        return Refusal.of(
                cause,
                "region=%d length=0x%x free=0x%x largest=0x%x available=%d",
                region.id(),
                lengthBytes,
                freeBytes,
                largestBytes,
                Math.max(0, maxExtents));
    }

    /** Takes nothing when that would be more than may be taken. */
    private void takeLongest(List<Run> taken) {
        List<Run> descending = new ArrayList<>(longest);
        descending.sort(Run.SHORTEST_FIRST.reversed());
        long missing = lengthBytes;
        for (Run run : descending) {
            if (missing > 0) {
                long length = Math.min(run.lengthBytes, missing);
                taken.add(new Run(run.startDpa, length));
                missing -= length;
            }
        }
        if (missing > 0) {
            taken.clear();
        }
        taken.sort(Comparator.comparingLong(Run::startDpa));
    }

    /** The run that was told last is at its end. */
    private void close() {
        long start = alignedUp(openStart);
        long length = alignedDown(openEnd) - start;
        openStart = openEnd;
        if (length <= 0) {
            return;
        }
        freeBytes += length;
        largestBytes = Math.max(largestBytes, length);
        if (fits(length)) {
            consider(start, length);
        } else if (lookEnd == NOWHERE) {
            keepIfLong(start, length);
        }
    }

    private void consider(long start, long length) {
        boolean isMeasured = start + length <= lookEnd;
        boolean isBetter = isMeasured && length < bestLength;
        if (bestDpa == NOWHERE || isBetter) {
            bestDpa = start;
            bestLength = isMeasured ? length : Long.MAX_VALUE;
        }
    }

    private void keepIfLong(long start, long length) {
        if (longest == null) {
            longest = new PriorityQueue<>(Run.SHORTEST_FIRST);
        }
        boolean isFull = longest.size() >= Math.max(1, maxExtents);
        if (!isFull || length > longest.element().lengthBytes) {
            if (isFull) {
                longest.remove();
            }
            longest.add(new Run(start, length));
        }
    }

    private boolean fits(long length) {
        return Long.compareUnsigned(length, lengthBytes) >= 0;
    }

    private long alignedUp(long dpa) {
        return region.baseDpa() + ((dpa - region.baseDpa() + region.blockSizeBytes() - 1) & -region.blockSizeBytes());
    }

    private long alignedDown(long dpa) {
        return region.baseDpa() + ((dpa - region.baseDpa()) & -region.blockSizeBytes());
    }
}

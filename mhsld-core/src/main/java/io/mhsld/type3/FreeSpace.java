package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The free runs of a region at one moment, and what to take of them. One run takes the place where the least is left over, so that large runs stay
 * large; when no run is long enough, the longest ones are taken whole, which makes the fewest extents.
 */
public final class FreeSpace {
    private record Run(long startDpa, long lengthBytes) {
        static final Comparator<Run> LONGEST_FIRST =
                Comparator.comparingLong(Run::lengthBytes).reversed().thenComparingLong(Run::startDpa);
    }

    private final DcRegion region;
    private final List<Run> runs = new ArrayList<>();
    private long freeBytes;

    /** Nothing is free yet. */
    public FreeSpace(DcRegion region) {
        this.region = region;
    }

    /** Adds a run that is free, above all others; only what of it is whole blocks of the region counts. */
    public void add(long startDpa, long endDpa) {
        long block = region.blockSizeBytes();
        long first = (startDpa - region.baseDpa() + block - 1) & -block;
        long end = (endDpa - region.baseDpa()) & -block;
        if (first < end) {
            Run run = new Run(region.baseDpa() + first, end - first);
            Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
            if (last != null && last.startDpa + last.lengthBytes == run.startDpa) {
                runs.set(runs.size() - 1, new Run(last.startDpa, last.lengthBytes + run.lengthBytes));
            } else {
                runs.add(run);
            }
            freeBytes += run.lengthBytes;
        }
    }

    /**
     * Chooses, as {@link MultiHeadHooks#select}, and reserves nothing.
     *
     * @param chosen gets the extents, by ascending address, when it is not refused
     */
    public Optional<Refusal> choose(
            long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared, List<Extent> chosen) {
        if (Long.compareUnsigned(lengthBytes, freeBytes) > 0) {
            return Refusal.of(
                    Cause.NO_FREE_CAPACITY, "region=%d length=0x%x free=0x%x", region.id(), lengthBytes, freeBytes);
        }
        List<Run> taken = new ArrayList<>();
        Run best = null;
        for (Run run : runs) {
            boolean fits = run.lengthBytes >= lengthBytes;
            best = fits && (best == null || run.lengthBytes < best.lengthBytes) ? run : best;
        }
        if (best != null) {
            taken.add(new Run(best.startDpa, lengthBytes));
        } else if (contiguous) {
            return Refusal.of(
                    Cause.NO_FREE_CAPACITY,
                    "region=%d length=0x%x free=0x%x runs=%d (no run is long enough)",
                    region.id(),
                    lengthBytes,
                    freeBytes,
                    runs.size());
        } else {
            takeLongest(lengthBytes, taken);
        }
        if (taken.size() > maxExtents) {
            return Refusal.of(Cause.TOO_MANY_EXTENTS, "extents=%d available=%d", taken.size(), maxExtents);
        }
        taken.sort(Comparator.comparingLong(Run::startDpa));
        for (Run run : taken) {
            chosen.add(new Extent(run.startDpa, run.lengthBytes, tag, shared ? chosen.size() + 1 : 0));
        }
        return Optional.empty();
    }

    private void takeLongest(long lengthBytes, List<Run> taken) {
        List<Run> longest = new ArrayList<>(runs);
        longest.sort(Run.LONGEST_FIRST);
        long missing = lengthBytes;
        for (Run run : longest) {
            long length = Math.min(run.lengthBytes, missing);
            taken.add(new Run(run.startDpa, length));
            missing -= length;
            if (missing == 0) {
                return;
            }
        }
    }
}

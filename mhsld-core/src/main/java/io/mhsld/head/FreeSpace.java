package io.mhsld.head;

import io.mhsld.head.KeptBlocks.Kept;
import io.mhsld.state.OwnerMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Chooses free blocks of one region, by what the owner map says at the moment: runs that begin and end at granules of the region, and belong to no
 * tag. Choosing takes nothing: whoever claims what was chosen may find that somebody was faster.
 */
final class FreeSpace {
    /** Blocks side by side. */
    record Run(long first, long count) {}

    /**
     * What can be had.
     *
     * @param runs ascending; empty when there is not enough
     * @param freeBlocks how many blocks were seen free, in whole granules; not all of them when there is enough
     * @param largestRun the most of them side by side
     */
    record Choice(List<Run> runs, long freeBlocks, long largestRun) {
        boolean isEnough() {
            return !runs.isEmpty();
        }
    }

    private final OwnerMap map;
    private final long firstBlock;
    private final long blockCount;
    private final long granuleBlocks;
    private final List<Kept> kept;

    /**
     * @param kept the blocks of the region that belong to tags
     */
    FreeSpace(OwnerMap map, long firstBlock, long blockCount, long granuleBlocks, List<Kept> kept) {
        this.map = map;
        this.firstBlock = firstBlock;
        this.blockCount = blockCount;
        this.granuleBlocks = granuleBlocks;
        this.kept = kept;
    }

    /** The first run that is long enough. */
    Choice contiguous(long blocks) {
        long[] seen = new long[2];
        List<Run> found = new ArrayList<>(1);
        search((first, count) -> {
            seen[0] += count;
            seen[1] = Math.max(seen[1], count);
            if (count >= blocks) {
                found.add(new Run(first, blocks));
            }
            return found.isEmpty();
        });
        return new Choice(found, seen[0], seen[1]);
    }

    /** The first runs that are enough together; when that would be more than so many, as few as can be. */
    Choice split(long blocks, int maxRuns) {
        List<Run> firstOnes = new ArrayList<>();
        PriorityQueue<Run> largest = new PriorityQueue<>(Comparator.comparingLong(Run::count));
        long[] seen = new long[2];
        search((first, count) -> {
            long wanted = blocks - seen[0];
            seen[0] += count;
            seen[1] = Math.max(seen[1], count);
            largest.add(new Run(first, count));
            if (largest.size() > maxRuns) {
                largest.remove();
            }
            if (wanted > 0 && firstOnes.size() <= maxRuns) {
                firstOnes.add(new Run(first, Math.min(count, wanted)));
            }
            return seen[0] < blocks || firstOnes.size() > maxRuns;
        });
        if (seen[0] < blocks) {
            return new Choice(List.of(), seen[0], seen[1]);
        }
        List<Run> runs = firstOnes.size() <= maxRuns ? firstOnes : fewest(largest, blocks);
        return new Choice(runs, seen[0], seen[1]);
    }

    private static List<Run> fewest(PriorityQueue<Run> largest, long blocks) {
        List<Run> descending = new ArrayList<>(largest);
        descending.sort(Comparator.comparingLong(Run::count).reversed());
        List<Run> runs = new ArrayList<>();
        long wanted = blocks;
        for (Run run : descending) {
            if (wanted > 0) {
                long count = Math.min(run.count, wanted);
                runs.add(new Run(run.first, count));
                wanted -= count;
            }
        }
        runs.sort(Comparator.comparingLong(Run::first));
        return wanted > 0 ? List.of() : runs;
    }

    private void search(OwnerMap.FreeRunSearch search) {
        map.searchFreeVolatile(firstBlock, blockCount, (first, count) -> {
            long start = first;
            for (Kept hole : kept) {
                if (hole.end() > start && hole.first() < first + count) {
                    if (hole.first() > start && !tellAligned(start, hole.first(), search)) {
                        return false;
                    }
                    start = Math.max(start, hole.end());
                }
            }
            return start >= first + count || tellAligned(start, first + count, search);
        });
    }

    private boolean tellAligned(long start, long end, OwnerMap.FreeRunSearch search) {
        long alignedStart = firstBlock + (start - firstBlock + granuleBlocks - 1) / granuleBlocks * granuleBlocks;
        long alignedEnd = firstBlock + (end - firstBlock) / granuleBlocks * granuleBlocks;
        return alignedStart >= alignedEnd || search.run(alignedStart, alignedEnd - alignedStart);
    }
}

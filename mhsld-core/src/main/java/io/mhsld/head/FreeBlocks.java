package io.mhsld.head;

import io.mhsld.head.KeptBlocks.Kept;
import io.mhsld.state.Geometry;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.FreeSpace;
import io.mhsld.type3.Refusal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The free blocks of a device, by what the owner map says at the moment, less what belongs to tags. What to take of them is {@link FreeSpace}'s to
 * say. Choosing takes nothing: whoever claims what was chosen may find that somebody was faster.
 *
 * <p>Below a mark in each region nothing was free when it was last looked there, and what this head has freed since has lowered the mark: the search
 * begins there. Others may have freed something, so all of the region is searched when no run is found above, and now and then. One thread.
 */
final class FreeBlocks {
    /** So many blocks are looked at between two questions whether that will do. */
    private static final long STRIDE_BLOCKS = 256;

    /** What is asked for: see {@link io.mhsld.type3.MultiHeadHooks#select}. */
    record Request(DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {}

    private final StateFile state;
    private final Geometry geometry;
    private final OwnerMap map;
    private final KeptBlocks kept;
    private final long[] marks;

    FreeBlocks(StateFile state, KeptBlocks kept) {
        this.state = state;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.kept = kept;
        this.marks = new long[geometry.regions().size()];
    }

    /**
     * Chooses.
     *
     * @param chosen gets the extents, by ascending address, when it is not refused
     */
    Optional<Refusal> choose(Request request, List<Extent> chosen) {
        Geometry.Region region = geometry.regions().get(request.region.id());
        long first = region.firstBlock();
        long mark = Math.max(first, marks[region.id()]);
        FreeSpace space = search(request, region, mark);
        if (mark > first && !space.isInOneRun()) {
            space = search(request, region, first);
        }
        if (space.firstDpa() != Long.MAX_VALUE) {
            marks[region.id()] = geometry.blockOfDpa(space.firstDpa());
        }
        return space.choose(request.contiguous, request.tag, request.shared, chosen);
    }

    /** This head has let go of an extent. */
    void freed(Extent extent) {
        long block = geometry.blockOfDpa(extent.startDpa());
        int region = geometry.regionOfBlock(block).id();
        marks[region] = Math.min(marks[region], block);
    }

    /** Others may have freed something below the marks. */
    void lookEverywhere() {
        Arrays.fill(marks, 0);
    }

    private FreeSpace search(Request request, Geometry.Region region, long from) {
        long end = region.firstBlock() + region.lengthBytes() / geometry.blockSizeBytes();
        FreeSpace space = new FreeSpace(claimable(request.region), request.lengthBytes, request.maxExtents);
        List<Kept> tagged = kept.within(from, end - from);
        for (long at = from; at < end && space.wants(dpa(region, at)); at += STRIDE_BLOCKS) {
            long strideEnd = Math.min(at + STRIDE_BLOCKS, end);
            map.searchFreeVolatile(at, strideEnd - at, (first, count) -> {
                long runEnd = first + count;
                tell(space, region, first, runEnd, tagged);
                // Behind the end of a run somebody owns a block, but for the end of the stride, where it may go on.
                return runEnd == strideEnd || space.wants(dpa(region, runEnd + 1));
            });
        }
        return space;
    }

    /** The region with what claims must keep to now, which may be coarser than its blocks: somebody is setting another size. */
    private DcRegion claimable(DcRegion region) {
        long granule = state.regionSettings().readVolatile(region.id()).granuleBytes();
        return granule == region.blockSizeBytes()
                ? region
                : new DcRegion(
                        region.id(),
                        region.baseDpa(),
                        region.decodeLengthBytes(),
                        region.lengthBytes(),
                        granule,
                        region.shareable(),
                        region.sanitizeOnRelease());
    }

    /** Tells a run without the blocks of it that belong to tags. */
    private void tell(FreeSpace space, Geometry.Region region, long first, long end, List<Kept> tagged) {
        long start = first;
        for (int i = 0; i < tagged.size(); i++) {
            Kept hole = tagged.get(i);
            if (hole.end() > start && hole.first() < end) {
                if (hole.first() > start) {
                    space.add(dpa(region, start), dpa(region, hole.first()));
                }
                start = Math.max(start, hole.end());
            }
        }
        if (start < end) {
            space.add(dpa(region, start), dpa(region, end));
        }
    }

    private long dpa(Geometry.Region region, long block) {
        return region.baseDpa() + (block - region.firstBlock()) * geometry.blockSizeBytes();
    }
}

package io.mhsld.type3;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** What is wrong with a request before anything is changed, in the order in which QEMU looks. */
final class RequestChecks {
    /** What an extent must be besides being well-formed: free, accepted, held. */
    interface ExtentCheck {
        Optional<Refusal> check(Extent extent);
    }

    /** Sees that the ranges of one request do not overlap. */
    private static final class Seen {
        private Extent first;
        private NavigableMap<Long, Extent> all;

        Optional<Refusal> add(Extent extent) {
            if (first == null) {
                first = extent;
                return Optional.empty();
            }
            if (all == null) {
                all = new TreeMap<>();
                all.put(first.startDpa(), first);
            }
            Map.Entry<Long, Extent> below = all.lowerEntry(extent.endDpa());
            if (below != null && below.getValue().overlaps(extent)) {
                return Refusal.of(Cause.OVERLAP_IN_REQUEST, "%s", extent);
            }
            all.put(extent.startDpa(), extent);
            return Optional.empty();
        }
    }

    private RequestChecks() {}

    /**
     * The ranges of a prescriptive request, range by range.
     *
     * @param region what the ranges are relative to; null when they are device addresses
     * @param extents gets what the ranges are, without sequence numbers
     */
    static Optional<Refusal> ranges(
            List<DcRegion> regions,
            DcRegion region,
            List<Range> ranges,
            UUID tag,
            List<Extent> extents,
            ExtentCheck heldCheck) {
        Seen seen = new Seen();
        for (Range range : ranges) {
            DcRegion within = region != null ? region : regionNear(regions, range.offsetBytes());
            long offset = region != null ? range.offsetBytes() : range.offsetBytes() - within.baseDpa();
            Optional<Refusal> refusal = range(within, offset, range.lengthBytes());
            if (refusal.isPresent()) {
                return refusal;
            }
            Extent extent = new Extent(within.baseDpa() + offset, range.lengthBytes(), tag, 0);
            refusal = seen.add(extent);
            if (refusal.isEmpty()) {
                refusal = heldCheck.check(extent);
            }
            if (refusal.isPresent()) {
                return refusal;
            }
            extents.add(extent);
        }
        return Optional.empty();
    }

    /** The last region that begins at or below the address, the first one when none does. */
    private static DcRegion regionNear(List<DcRegion> regions, long dpa) {
        DcRegion near = regions.get(0);
        for (DcRegion region : regions) {
            near = Long.compareUnsigned(region.baseDpa(), dpa) <= 0 ? region : near;
        }
        return near;
    }

    private static Optional<Refusal> range(DcRegion region, long offsetBytes, long lengthBytes) {
        if (lengthBytes == 0) {
            return Refusal.of(Cause.LENGTH_ZERO, "region=%d offset=0x%x", region.id(), offsetBytes);
        }
        boolean aligned = region.isAligned(offsetBytes, lengthBytes);
        return aligned && region.hasRange(offsetBytes, lengthBytes)
                ? Optional.empty()
                : Refusal.of(
                        aligned ? Cause.OUTSIDE_REGION : Cause.UNALIGNED,
                        "region=%d offset=0x%x length=0x%x blockSize=0x%x regionLength=0x%x",
                        region.id(),
                        offsetBytes,
                        lengthBytes,
                        region.blockSizeBytes(),
                        region.lengthBytes());
    }

    /** The length of a request that leaves the choice to the device. */
    static Optional<Refusal> length(DcRegion region, long lengthBytes) {
        return region.isAligned(0, lengthBytes)
                ? Optional.empty()
                : Refusal.of(
                        Cause.UNALIGNED,
                        "region=%d length=0x%x blockSize=0x%x",
                        region.id(),
                        lengthBytes,
                        region.blockSizeBytes());
    }

    /** A list that the host sends. */
    static Optional<Refusal> hostList(List<DcRegion> regions, List<HostRange> ranges, List<Extent> extents) {
        Seen seen = new Seen();
        for (HostRange range : ranges) {
            Extent extent = Extent.untagged(range.startDpa(), range.lengthBytes());
            DcRegion region = regionOf(regions, range.startDpa(), range.lengthBytes());
            if (region == null || range.lengthBytes() == 0) {
                return Refusal.of(Cause.OUTSIDE_REGION, "%s", extent);
            }
            if (!region.isAligned(range.startDpa() - region.baseDpa(), range.lengthBytes())) {
                return Refusal.of(Cause.UNALIGNED, "%s blockSize=0x%x", extent, region.blockSizeBytes());
            }
            Optional<Refusal> refusal = seen.add(extent);
            if (refusal.isPresent()) {
                return refusal;
            }
            extents.add(extent);
        }
        return Optional.empty();
    }

    /** The region in whose usable part the whole range lies, null when there is none; both numbers are unsigned. */
    static DcRegion regionOf(List<DcRegion> regions, long startDpa, long lengthBytes) {
        for (int i = 0; i < regions.size(); i++) {
            DcRegion region = regions.get(i);
            if (region.hasRange(startDpa - region.baseDpa(), lengthBytes)) {
                return region;
            }
        }
        return null;
    }

    /** Capacity that is to be tagged: a shareable region's must be, and then all of it lies in one region. */
    static Optional<Refusal> tag(List<DcRegion> regions, List<Extent> extents, UUID tag) {
        DcRegion first = regionOf(regions, extents.get(0).startDpa(), 1);
        for (Extent extent : extents) {
            DcRegion region = regionOf(regions, extent.startDpa(), 1);
            if (region.shareable() && tag.equals(Extent.NO_TAG)) {
                return Refusal.of(Cause.TAG_REQUIRED, "region=%d %s", region.id(), extent);
            }
            if (region.id() != first.id() && (region.shareable() || first.shareable())) {
                return Refusal.of(Cause.OUTSIDE_REGION, "%s region=%d tag=%s", extent, first.id(), tag);
            }
        }
        return Optional.empty();
    }

    /**
     * Shared capacity comes and goes by whole tags: refuses holes that touch some of a tag's extents and do not cover all of them.
     *
     * @param leaving extents of the list's tags that are no longer in it: they may be named, and need not be
     */
    static Optional<Refusal> wholeTags(ExtentList list, List<Extent> leaving, long[] holes) {
        if (!list.hasShared()) {
            return Optional.empty();
        }
        Set<UUID> touched = new HashSet<>();
        addTouched(list.view(), holes, touched);
        addTouched(leaving, holes, touched);
        return covered(list, holes, touched);
    }

    private static void addTouched(List<Extent> extents, long[] holes, Set<UUID> touched) {
        for (Extent extent : extents) {
            if (extent.isShared() && Runs.overlaps(holes, extent)) {
                touched.add(extent.tag());
            }
        }
    }

    private static Optional<Refusal> covered(ExtentList list, long[] holes, Set<UUID> tags) {
        for (Extent extent : list.view()) {
            if (extent.isShared()
                    && tags.contains(extent.tag())
                    && !Runs.covers(holes, extent.startDpa(), extent.lengthBytes())) {
                return Refusal.of(Cause.INCOMPLETE_TAG, "tag=%s missing: %s", extent.tag(), extent);
            }
        }
        return Optional.empty();
    }

    /** A host may let go of a shared tag extent by extent: refuses holes that touch one of its extents and do not cover it. */
    static Optional<Refusal> wholeExtents(ExtentList list, long[] holes) {
        if (!list.hasShared()) {
            return Optional.empty();
        }
        for (Extent extent : list.view()) {
            if (extent.isShared()
                    && Runs.overlaps(holes, extent)
                    && !Runs.covers(holes, extent.startDpa(), extent.lengthBytes())) {
                return Refusal.of(Cause.INCOMPLETE_TAG, "tag=%s part of: %s", extent.tag(), extent);
            }
        }
        return Optional.empty();
    }

    static Optional<Refusal> trackable(int extentCount) {
        return extentCount > DynamicCapacity.MAX_EXTENTS
                ? Refusal.of(Cause.TOO_MANY_EXTENTS, "extents=%d limit=%d", extentCount, DynamicCapacity.MAX_EXTENTS)
                : Optional.empty();
    }
}

package io.mhsld.state;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The shape of a device, fixed at init: heads, regions, blocks. The one place that converts between the address that a host sees (DPA) and
 * the number of a block, which is also its place in the owner map and in the media file.
 *
 * <p>The two spaces differ: each region's DPA range starts at a multiple of 256 MiB, block numbers run on without gaps.
 *
 * @param headCount heads that the device has room for, 1 to 64
 * @param blockSizeBytes granule of ownership, a power of two from 4 KiB up
 * @param regions the dynamic-capacity regions, ids ascending from 0
 */
public record Geometry(int headCount, long blockSizeBytes, List<Region> regions) {
    /** A lane has at most 64 bits. */
    public static final int MAX_HEADS = 64;

    /** CXL r3.1 9.13.3. */
    public static final int MAX_REGIONS = 8;

    /** A page: memory is given back to the system by whole pages. */
    public static final long MIN_BLOCK_SIZE_BYTES = 4096;

    /** Region bases and decode lengths are multiples of it (CXL r3.1 8.2.9.9.9.1). */
    public static final long DECODE_GRANULE_BYTES = 256L << 20;

    /** The owner map stays addressable by one mapping: 2^30 blocks for up to 8 heads, 2^27 for 64. */
    public static final long MAX_OWNER_MAP_BYTES = 1L << 30;

    /** A DPA has 52 bits (CXL r3.1 8.2.4.20). */
    private static final long MAX_DPA = 1L << 52;

    /**
     * One region.
     *
     * @param id 0 to 7
     * @param baseDpa first byte as the host sees it
     * @param decodeLengthBytes address space set aside, a multiple of 256 MiB
     * @param lengthBytes usable bytes
     * @param firstBlock number of its first block
     * @param shareable capacity that is added here with a tag can be joined by other heads
     */
    public record Region(
            int id, long baseDpa, long decodeLengthBytes, long lengthBytes, long firstBlock, boolean shareable) {
        /** A region whose capacity is never shared. */
        public Region(int id, long baseDpa, long decodeLengthBytes, long lengthBytes, long firstBlock) {
            this(id, baseDpa, decodeLengthBytes, lengthBytes, firstBlock, false);
        }

        /** First byte after the usable part. */
        public long endDpa() {
            return baseDpa + lengthBytes;
        }
    }

    /** Copies the list. */
    public Geometry {
        regions = List.copyOf(regions);
    }

    /**
     * Equal regions over the whole size.
     *
     * @throws IllegalArgumentException when a number is out of its range or the size cannot be cut that way
     */
    public static Geometry of(int headCount, long sizeBytes, int regionCount, long blockSizeBytes) {
        require(
                headCount >= 1 && headCount <= MAX_HEADS,
                "head count out of range: heads=%d limit=%d",
                headCount,
                MAX_HEADS);
        require(
                regionCount >= 1 && regionCount <= MAX_REGIONS,
                "region count out of range: regions=%d limit=%d",
                regionCount,
                MAX_REGIONS);
        require(
                blockSizeBytes >= MIN_BLOCK_SIZE_BYTES
                        && Long.bitCount(blockSizeBytes) == 1
                        && blockSizeBytes < MAX_DPA,
                "block size is not a power of two from 4 KiB up: blockSize=%d",
                blockSizeBytes);
        require(sizeBytes > 0 && sizeBytes < MAX_DPA, "size out of range: size=%d limit=%d", sizeBytes, MAX_DPA);
        require(
                sizeBytes % (blockSizeBytes * regionCount) == 0,
                "size is not a multiple of block size times regions: size=%d blockSize=%d regions=%d",
                sizeBytes,
                blockSizeBytes,
                regionCount);
        long lengthBytes = sizeBytes / regionCount;
        long decodeLengthBytes = roundUp(lengthBytes, DECODE_GRANULE_BYTES);
        require(
                decodeLengthBytes * regionCount <= MAX_DPA,
                "regions reach beyond the last address: decodeLength=%d regions=%d limit=%d",
                decodeLengthBytes,
                regionCount,
                MAX_DPA);
        List<Region> regions = new ArrayList<>();
        for (int id = 0; id < regionCount; id++) {
            regions.add(new Region(
                    id, id * decodeLengthBytes, decodeLengthBytes, lengthBytes, id * (lengthBytes / blockSizeBytes)));
        }
        Geometry geometry = new Geometry(headCount, blockSizeBytes, regions);
        require(
                geometry.ownerMapBytes() <= MAX_OWNER_MAP_BYTES,
                "too many blocks for one owner map: blocks=%d heads=%d limit=%d",
                geometry.blockCount(),
                headCount,
                MAX_OWNER_MAP_BYTES / geometry.laneBytes());
        return geometry;
    }

    /**
     * The same with these regions shareable, and no others.
     *
     * @throws IllegalArgumentException when there is no such region
     */
    public Geometry withShareable(Set<Integer> regionIds) {
        for (int id : regionIds) {
            require(id >= 0 && id < regions.size(), "no such region: region=%d regions=%d", id, regions.size());
        }
        return new Geometry(
                headCount,
                blockSizeBytes,
                regions.stream()
                        .map(region -> new Region(
                                region.id,
                                region.baseDpa,
                                region.decodeLengthBytes,
                                region.lengthBytes,
                                region.firstBlock,
                                regionIds.contains(region.id)))
                        .toList());
    }

    /** The regions that are shareable. */
    public Set<Integer> shareableRegions() {
        return regions.stream().filter(Region::shareable).map(Region::id).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * The block sizes that a region can be given, as a mask: bit <i>n</i> for 2^<i>n</i> bytes. Every power of two from the device's block size up
     * to the largest that divides base and length of the region.
     */
    public long supportedBlockSizes(int regionId) {
        Region region = regions.get(regionId);
        long largest = Long.lowestOneBit(region.baseDpa | region.lengthBytes);
        return (largest - 1 | largest) & -blockSizeBytes;
    }

    /** Width of a lane of the owner map: one bit for each head, in 1, 2, 4 or 8 bytes. */
    public int laneBytes() {
        return headCount <= 8 ? 1 : headCount <= 16 ? 2 : headCount <= 32 ? 4 : 8;
    }

    /** Blocks over all regions. */
    public long blockCount() {
        Region last = regions.get(regions.size() - 1);
        return last.firstBlock + last.lengthBytes / blockSizeBytes;
    }

    /** Usable bytes over all regions: also the length of the media file. */
    public long capacityBytes() {
        return blockCount() * blockSizeBytes;
    }

    /** Bytes of the owner map, a multiple of 8 so that every word of it is whole. */
    public long ownerMapBytes() {
        return roundUp(blockCount() * laneBytes(), Long.BYTES);
    }

    /**
     * The block that holds the byte at {@code dpa}.
     *
     * @throws IllegalArgumentException when no region has that byte
     */
    public long blockOfDpa(long dpa) {
        Region region = regionOfDpa(dpa);
        return region.firstBlock + (dpa - region.baseDpa) / blockSizeBytes;
    }

    /**
     * Where the byte at {@code dpa} lies in the media file.
     *
     * @throws IllegalArgumentException when no region has that byte
     */
    public long mediaOffsetOfDpa(long dpa) {
        Region region = regionOfDpa(dpa);
        return region.firstBlock * blockSizeBytes + (dpa - region.baseDpa);
    }

    /** The DPA of a block's first byte. */
    public long dpaOfBlock(long block) {
        Region region = regionOfBlock(block);
        return region.baseDpa + (block - region.firstBlock) * blockSizeBytes;
    }

    /** The region that a block belongs to. */
    public Region regionOfBlock(long block) {
        for (Region region : regions) {
            if (block >= region.firstBlock && block - region.firstBlock < region.lengthBytes / blockSizeBytes) {
                return region;
            }
        }
        throw new IllegalArgumentException("no such block: block=" + block + " blocks=" + blockCount());
    }

    private Region regionOfDpa(long dpa) {
        for (Region region : regions) {
            if (dpa >= region.baseDpa && dpa - region.baseDpa < region.lengthBytes) {
                return region;
            }
        }
        throw new IllegalArgumentException("no region has this address: dpa=0x" + Long.toHexString(dpa));
    }

    static long roundUp(long value, long granule) {
        return (value + granule - 1) / granule * granule;
    }

    private static void require(boolean condition, String format, Object... arguments) {
        if (!condition) {
            throw new IllegalArgumentException(String.format(format, arguments));
        }
    }
}

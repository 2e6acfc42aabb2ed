package io.mhsld.type3;

/**
 * One dynamic-capacity region (CXL r3.1 8.2.9.9.9.1, table 8-165).
 *
 * @param id 0 to 7
 * @param baseDpa where the region starts, a multiple of 256 MiB
 * @param decodeLengthBytes address space set aside for it, a multiple of 256 MiB, at least {@code lengthBytes}
 * @param lengthBytes usable bytes, a multiple of the block size
 * @param blockSizeBytes granule of extents, a power of two
 * @param shareable several heads may hold capacity of one tag here
 * @param sanitizeOnRelease what is released is overwritten at once
 */
public record DcRegion(
        int id,
        long baseDpa,
        long decodeLengthBytes,
        long lengthBytes,
        long blockSizeBytes,
        boolean shareable,
        boolean sanitizeOnRelease) {
    /** A region that is not shareable and does not sanitize. */
    public DcRegion(int id, long baseDpa, long decodeLengthBytes, long lengthBytes, long blockSizeBytes) {
        this(id, baseDpa, decodeLengthBytes, lengthBytes, blockSizeBytes, false, false);
    }

    /** Region count limit of the specification (CXL r3.1 9.13.3). */
    public static final int MAX_REGIONS = 8;

    /** Granule of region bases and decode lengths (CXL r3.1 8.2.9.9.9.1). */
    public static final long DECODE_GRANULE_BYTES = 256L << 20;

    /** First byte after the usable part. */
    public long endDpa() {
        return baseDpa + lengthBytes;
    }

    /** Handle of the region's DSMAS structure in the CDAT: the regions are its only entries, in order. */
    public int dsmadHandle() {
        return id;
    }

    /** True when both ends are multiples of the block size; offsets and lengths are unsigned. */
    boolean isAligned(long offsetBytes, long length) {
        return ((offsetBytes | length) & (blockSizeBytes - 1)) == 0;
    }

    /** True when [offset, offset + length), both unsigned, lies in the region; no sum is formed that could wrap. */
    boolean hasRange(long offsetBytes, long length) {
        return Long.compareUnsigned(offsetBytes, lengthBytes) < 0
                && Long.compareUnsigned(length, lengthBytes - offsetBytes) <= 0;
    }
}

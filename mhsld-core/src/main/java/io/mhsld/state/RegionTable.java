package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.REGION_ROW_LENGTH;

import java.lang.invoke.VarHandle;

/**
 * What of a region can be set while the device is in use: block size, sanitize on release. A row is one 64-bit word, so there is no moment at which
 * half of it holds. Writers hold the table lock; readers need nothing.
 *
 * <p>A block size is first proposed, then set: from the proposal on, whoever claims blocks keeps to both sizes, and whoever sets looks once more
 * whether blocks of the region are owned. One of the two sees the other. A proposal whose author died is dropped by the next holder of the lock.
 */
public final class RegionTable {
    private static final long DOUBLINGS_MASK = 0xFF;
    private static final long SANITIZE = 1 << 8;
    private static final int PROPOSED_SHIFT = 16;
    private static final long PROPOSED_MASK = 0xFFL << PROPOSED_SHIFT;
    private static final int GENERATION_SHIFT = Integer.SIZE;
    private static final long KNOWN_BITS = DOUBLINGS_MASK | SANITIZE | PROPOSED_MASK | -1L << GENERATION_SHIFT;

    private final SharedMemory rows;
    private final Geometry geometry;

    RegionTable(SharedMemory rows, Geometry geometry) {
        this.rows = rows;
        this.geometry = geometry;
    }

    /**
     * The settings of a region at one moment.
     *
     * @param blockSizeBytes granule of its extents
     * @param sanitizeOnRelease whether what is released is overwritten at once
     * @param granuleBytes what a claim must keep to now: the larger one of block size and proposed block size
     * @param generation grows with each change
     */
    public record Setting(long blockSizeBytes, boolean sanitizeOnRelease, long granuleBytes, int generation) {}

    /** The settings of this moment; numbers that nobody can have meant count as never set. */
    public Setting readVolatile(int region) {
        long word = wordVolatile(region);
        if (!isSound(region, word)) {
            return new Setting(geometry.blockSizeBytes(), false, geometry.blockSizeBytes(), 0);
        }
        long blockSizeBytes = geometry.blockSizeBytes() << (word & DOUBLINGS_MASK);
        int proposed = (int) ((word & PROPOSED_MASK) >>> PROPOSED_SHIFT);
        long granule = proposed == 0 ? blockSizeBytes : geometry.blockSizeBytes() << (proposed - 1);
        return new Setting(blockSizeBytes, (word & SANITIZE) != 0, Math.max(blockSizeBytes, granule), (int)
                (word >>> GENERATION_SHIFT));
    }

    /** Under the table lock: from here on claims keep to this size too. Seen by whoever claims after this returns. */
    public void proposeVolatile(int region, long blockSizeBytes) {
        long word = wordVolatile(region) & ~PROPOSED_MASK;
        rows.putLongRelease(offset(region), word | (long) (doublings(blockSizeBytes) + 1) << PROPOSED_SHIFT);
        VarHandle.fullFence();
    }

    /** True while somebody sets the region, or died doing so. */
    public boolean isProposedVolatile(int region) {
        return (wordVolatile(region) & PROPOSED_MASK) != 0;
    }

    /** Under the table lock: drops a proposal, if there is one. */
    public boolean dropProposalRelease(int region) {
        long word = wordVolatile(region);
        if (!isSound(region, word) || (word & PROPOSED_MASK) == 0) {
            return false;
        }
        rows.putLongRelease(offset(region), word & ~PROPOSED_MASK);
        return true;
    }

    /** Under the table lock: the settings are now these. */
    public void setRelease(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        long generation = (wordVolatile(region) >>> GENERATION_SHIFT) + 1;
        rows.putLongRelease(
                offset(region),
                generation << GENERATION_SHIFT | (sanitizeOnRelease ? SANITIZE : 0) | doublings(blockSizeBytes));
    }

    /** False when the row holds numbers that nobody can have meant. */
    public boolean isSoundVolatile(int region) {
        return isSound(region, wordVolatile(region));
    }

    /** Repair, under the table lock: a row that nobody can have meant is as if it had never been set. */
    public void mendRelease(int region) {
        if (!isSoundVolatile(region)) {
            rows.putLongRelease(offset(region), 0);
        }
    }

    long wordVolatile(int region) {
        return rows.getLongVolatile(offset(region));
    }

    private boolean isSound(int region, long word) {
        int proposed = (int) ((word & PROPOSED_MASK) >>> PROPOSED_SHIFT);
        return (word & ~KNOWN_BITS) == 0
                && isSupported(region, (int) (word & DOUBLINGS_MASK))
                && (proposed == 0 || isSupported(region, proposed - 1));
    }

    private boolean isSupported(int region, int doublings) {
        int exponent = Long.numberOfTrailingZeros(geometry.blockSizeBytes()) + doublings;
        return exponent < Long.SIZE && (geometry.supportedBlockSizes(region) >>> exponent & 1) != 0;
    }

    private int doublings(long blockSizeBytes) {
        return Long.numberOfTrailingZeros(blockSizeBytes / geometry.blockSizeBytes());
    }

    private int offset(int region) {
        if (region < 0 || region >= geometry.regions().size()) {
            throw new IllegalArgumentException("no such region: region=" + region + " regions="
                    + geometry.regions().size());
        }
        return region * REGION_ROW_LENGTH;
    }
}

package io.mhsld.head;

import io.mhsld.state.CrashPoint;
import io.mhsld.state.Geometry;
import io.mhsld.state.RegionTable;
import io.mhsld.state.RegionTable.Setting;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.Optional;

/** What the fabric manager can set of a region while nothing of it is in use: block size, sanitize on release (CXL r3.1 7.6.7.6.3). */
public final class RegionSettings {
    private final StateFile state;
    private final Geometry geometry;
    private final RegionTable table;
    private final TableLock lock;

    /** For one device. */
    public RegionSettings(StateFile state, Leases leases) {
        this.state = state;
        this.geometry = state.geometry();
        this.table = state.regionSettings();
        this.lock = leases.tables();
    }

    /** The regions as init made them, with the settings of this moment. */
    public DcRegion current(int region) {
        return current(state, region);
    }

    /** The same of a device that is only looked at. */
    public static DcRegion current(StateFile state, int region) {
        Geometry geometry = state.geometry();
        return current(state, regionOf(geometry.regions().get(region), geometry.blockSizeBytes()));
    }

    /** Mask of the block sizes that a region can have: bit <i>n</i> for 2^<i>n</i> bytes. */
    public long supportedBlockSizes(int region) {
        return geometry.supportedBlockSizes(region);
    }

    /**
     * Sets both. What is so already is done, whoever uses the region.
     *
     * @param blockSizeBytes 0 to keep it
     * @return empty when done, else {@code REGION_UNKNOWN}, {@code BLOCK_SIZE_UNSUPPORTED}, {@code REGION_IN_USE} when anybody owns a block of it or a
     *     tag keeps one, or {@code BUSY}
     */
    public Optional<Refusal> set(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        if (region < 0 || region >= geometry.regions().size()) {
            return Refusal.of(
                    Cause.REGION_UNKNOWN,
                    "region=%d regions=%d",
                    region,
                    geometry.regions().size());
        }
        boolean isSupported = blockSizeBytes == 0
                || (Long.bitCount(blockSizeBytes) == 1 && (supportedBlockSizes(region) & blockSizeBytes) != 0);
        if (!isSupported) {
            return Refusal.of(
                    Cause.BLOCK_SIZE_UNSUPPORTED,
                    "region=%d blockSize=0x%x supported=0x%x",
                    region,
                    blockSizeBytes,
                    supportedBlockSizes(region));
        }
        return lock.with(TableLock.PATIENCE_MS, () -> setNow(region, blockSizeBytes, sanitizeOnRelease))
                .orRefused(waitedMs -> Refusal.of(Cause.BUSY, "region=%d waitedMs=%d", region, waitedMs));
    }

    private Optional<Refusal> setNow(int region, long wantedBlockSize, boolean sanitizeOnRelease) {
        // Of one who died between proposing and setting.
        table.dropProposalRelease(region);
        Setting before = table.readVolatile(region);
        long blockSizeBytes = wantedBlockSize == 0 ? before.blockSizeBytes() : wantedBlockSize;
        if (blockSizeBytes == before.blockSizeBytes() && sanitizeOnRelease == before.sanitizeOnRelease()) {
            return Optional.empty();
        }
        if (isInUse(region)) {
            return inUse(region);
        }
        table.proposeVolatile(region, blockSizeBytes);
        CrashPoint.REGION_PROPOSED.reached();
        if (isInUse(region)) {
            // Somebody who claimed before the proposal may not have seen it.
            table.dropProposalRelease(region);
            return inUse(region);
        }
        CrashPoint.REGION_UNUSED.reached();
        table.setRelease(region, blockSizeBytes, sanitizeOnRelease);
        CrashPoint.REGION_SET.reached();
        return Optional.empty();
    }

    private boolean isInUse(int id) {
        Geometry.Region region = geometry.regions().get(id);
        long blocks = region.lengthBytes() / geometry.blockSizeBytes();
        return state.ownerMap().isAnyOwnedVolatile(region.firstBlock(), blocks)
                || !new KeptBlocks(state).within(region.firstBlock(), blocks).isEmpty();
    }

    private static Optional<Refusal> inUse(int region) {
        return Refusal.of(Cause.REGION_IN_USE, "region=%d", region);
    }

    /** A region with the settings of this moment. */
    static DcRegion current(StateFile state, DcRegion known) {
        Setting setting = state.regionSettings().readVolatile(known.id());
        boolean isSame = setting.blockSizeBytes() == known.blockSizeBytes()
                && setting.sanitizeOnRelease() == known.sanitizeOnRelease();
        return isSame
                ? known
                : new DcRegion(
                        known.id(),
                        known.baseDpa(),
                        known.decodeLengthBytes(),
                        known.lengthBytes(),
                        setting.blockSizeBytes(),
                        known.shareable(),
                        setting.sanitizeOnRelease());
    }

    /** A region as init made it. */
    static DcRegion regionOf(Geometry.Region region, long blockSizeBytes) {
        return new DcRegion(
                region.id(),
                region.baseDpa(),
                region.decodeLengthBytes(),
                region.lengthBytes(),
                blockSizeBytes,
                region.shareable(),
                false);
    }
}

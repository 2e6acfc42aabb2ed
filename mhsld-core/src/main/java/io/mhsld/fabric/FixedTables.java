package io.mhsld.fabric;

import io.mhsld.cci.FabricOperations.TagInfo;
import io.mhsld.cci.ReturnCode;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import java.util.List;
import java.util.UUID;

/** Of a device whose state file has no such sections: no tags, and regions that stay as init made them. */
public final class FixedTables implements SharedTables {
    private final Geometry geometry;

    /** The tables of this device. */
    public FixedTables(StateFile state) {
        this.geometry = state.geometry();
    }

    @Override
    public DcRegion current(DcRegion region) {
        return region;
    }

    @Override
    public int regionFlags(int region) {
        return 0;
    }

    @Override
    public boolean isSanitizedOnRelease(int region) {
        return false;
    }

    @Override
    public long supportedBlockSizes(int region) {
        return geometry.blockSizeBytes();
    }

    @Override
    public ReturnCode configure(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        if (blockSizeBytes != 0 && blockSizeBytes != geometry.blockSizeBytes()) {
            return ReturnCode.INVALID_INPUT;
        }
        return sanitizeOnRelease ? ReturnCode.UNSUPPORTED : ReturnCode.SUCCESS;
    }

    @Override
    public List<TagInfo> tags() {
        return List.of();
    }

    @Override
    public int tagsSupported() {
        return 0;
    }

    @Override
    public int tagGeneration() {
        return 0;
    }

    @Override
    public ReturnCode addReference(UUID tag) {
        return ReturnCode.INVALID_INPUT;
    }

    @Override
    public ReturnCode removeReference(UUID tag) {
        return ReturnCode.INVALID_INPUT;
    }

    @Override
    public void close() {
        // Nothing was taken.
    }
}

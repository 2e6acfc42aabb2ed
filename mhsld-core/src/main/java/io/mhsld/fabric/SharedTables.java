package io.mhsld.fabric;

import io.mhsld.cci.FabricOperations.TagInfo;
import io.mhsld.cci.ReturnCode;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import java.util.List;
import java.util.UUID;

/** The sections of the state file that all processes write: tags and the settings of regions. */
public interface SharedTables {
    /** Opens them for a device. */
    interface Opener {
        /** The tables of this state file; they go with it. */
        SharedTables open(StateFile state);
    }

    /** The region as it is at this moment. */
    DcRegion current(DcRegion region);

    /** As {@link io.mhsld.cci.FabricOperations#regionFlags}. */
    int regionFlags(int region);

    /** As {@link io.mhsld.cci.FabricOperations#isSanitizedOnRelease}. */
    boolean isSanitizedOnRelease(int region);

    /** As {@link io.mhsld.cci.FabricOperations#supportedBlockSizes}. */
    long supportedBlockSizes(int region);

    /** As {@link io.mhsld.cci.FabricOperations#configureRegion}. */
    ReturnCode configure(int region, long blockSizeBytes, boolean sanitizeOnRelease);

    /** As {@link io.mhsld.cci.FabricOperations#tags}. */
    List<TagInfo> tags();

    /** As {@link io.mhsld.cci.FabricOperations#tagsSupported}. */
    int tagsSupported();

    /** As {@link io.mhsld.cci.FabricOperations#tagGeneration}. */
    int tagGeneration();

    /** As {@link io.mhsld.cci.FabricOperations#addReference}. */
    ReturnCode addReference(UUID tag);

    /** As {@link io.mhsld.cci.FabricOperations#removeReference}. */
    ReturnCode removeReference(UUID tag);

    /** Lets go of what the opener took besides the state file. */
    void close();
}

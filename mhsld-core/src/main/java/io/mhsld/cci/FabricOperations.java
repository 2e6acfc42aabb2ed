package io.mhsld.cci;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** What the fabric manager's commands (CXL r3.1 7.6.7.6) do to the device as a whole. One thread at a time. */
public interface FabricOperations extends MultiHeadInfo {
    /**
     * The accepted extents of a host at one moment.
     *
     * @param tracked accepted and pending ones together
     */
    record HostExtents(List<Extent> accepted, int tracked, int generation) {}

    /**
     * Shared capacity of one tag.
     *
     * @param holders hosts that have accepted it, by bit
     * @param pendingHolders hosts that it is offered to, by bit
     * @param isReferenced true when the fabric manager holds a reference
     */
    record TagInfo(UUID tag, long holders, long pendingHolders, boolean isReferenced) {}

    /** The device's serial number. */
    long serial();

    /** The regions as they are at this moment. */
    List<DcRegion> regions();

    /** The block sizes that the region can have: bit n for 2^n bytes. */
    long supportedBlockSizes(int region);

    /** Changes a region for all hosts, and lets them know; a block size of 0 leaves it as it is. */
    ReturnCode configureRegion(int region, long blockSizeBytes, boolean sanitizeOnRelease);

    /** The host's extents; empty when whoever holds them writes them right now. */
    Optional<HostExtents> extents(int host);

    /** The tags that there are, in an order that lasts. */
    List<TagInfo> tags();

    /** How many tags there can be. */
    int tagsSupported();

    /** How many more at this moment. */
    int tagsAvailable();

    /** Changes with every change of the tags. */
    int tagGeneration();

    /** Keeps the capacity of a tag, also when no host has it. */
    ReturnCode addReference(UUID tag);

    /** Lets go of it; without hosts it is freed. */
    ReturnCode removeReference(UUID tag);

    /**
     * Runs a command in the process of a head. There is an answer within a second, unless the head is seen to be at work on it: Retry Required when
     * the head is not there or has gone meanwhile, and Busy when it does not answer.
     *
     * @param target {@code LD} for the head's own interface, {@code FM_OWNED_LD} for what it does of the fabric manager's commands
     * @param answer called once, on the caller's thread, maybe before this returns
     */
    void forward(int head, CciKind target, int opcode, byte[] payload, Consumer<? super Response> answer);
}

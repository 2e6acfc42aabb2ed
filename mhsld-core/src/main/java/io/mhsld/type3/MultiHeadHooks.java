package io.mhsld.type3;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Where a multi-headed device is asked, and told, about capacity that other heads want too. A Type-3 device without them ({@link #NONE})
 * owns all of its capacity alone.
 *
 * <p>Order of the calls in the life of an extent: reserve, select or join, then accept or reclaim (or both, for parts), then release;
 * access-valid at any time between accept and release. Extents with a {@link Extent#sharedSequence} are the whole of one tag, in every call.
 */
public interface MultiHeadHooks {
    /** What a device holds, accepted and pending, as its hooks may ask for it. */
    interface Held {
        /** Every extent, in no particular order. */
        List<Extent> extents();

        /** Of every extent the lowest whose end is above this address: the one that it lies in, or the next one. */
        Optional<Extent> lowestEndingAbove(long dpa);

        /** True when one of these is pending still. */
        boolean isPending(Extent extent);
    }

    /**
     * What was chosen, or why nothing was.
     *
     * @param extents reserved for this head as by {@link #reserve}; empty when refused
     */
    record Selection(List<Extent> extents, Optional<Refusal> refusal) {
        /** These have been reserved. */
        public static Selection of(List<Extent> extents) {
            return new Selection(extents, Optional.empty());
        }

        /** Nothing has. */
        public static Selection refused(Refusal refusal) {
            return new Selection(List.of(), Optional.of(refusal));
        }

        /** Nothing has, by a {@code refusal} that is present. */
        public static Selection refused(Optional<Refusal> refusal) {
            return refused(refusal.orElseThrow());
        }
    }

    /**
     * A group is about to be offered to the host: take every block of it for this head, or none. When it returns empty, all blocks belong to
     * this head and read as zero. Shared extents are the first of their tag, whose row is made. Refused with {@code OWNED_BY_OTHER_HEAD},
     * {@code NO_SPACE}, {@code TAG_IN_USE}, {@code TAGS_EXHAUSTED} or {@code BUSY}, and then no lane has changed.
     */
    Optional<Refusal> reserve(List<Extent> extents);

    /**
     * Chooses free blocks of the region and reserves them. One run, if {@code contiguous}, found whenever there is one; otherwise as few
     * extents as the free space allows, so that it is not refused while enough is free. Every extent is aligned to the region's block size.
     *
     * @param lengthBytes a positive multiple of the region's block size
     * @param maxExtents more than so many cannot be offered: {@code TOO_MANY_EXTENTS}
     * @param shared the extents get sequence numbers from 1, and the tag a row
     * @return refused with {@code NO_FREE_CAPACITY}, {@code TOO_MANY_EXTENTS}, or as {@link #reserve}
     */
    Selection select(DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared);

    /**
     * Makes this head one of those that share the tag's extents.
     *
     * @return all of them, by their sequence; refused with {@code TAG_UNKNOWN}, {@code ALREADY_ACCEPTED} or {@code STILL_PENDING} when this
     *     head has them, {@code OUTSIDE_REGION} when they lie in another region, {@code BUSY}
     */
    Selection join(DcRegion region, UUID tag);

    /** The host accepted these parts of a reserved group; they are in the extent list already. */
    void accept(List<Extent> extents);

    /** The host did not accept these parts of a reserved group, or the fabric manager withdrew them: they are free again. */
    void reclaim(List<Extent> extents);

    /**
     * The host let go of these accepted extents, or lost them by force; they are in no list any more, so no access can reach them.
     *
     * @param sanitize their bytes must be gone when this returns, not only before somebody else gets them
     */
    void release(List<Extent> extents, boolean sanitize);

    /** May this head touch every byte of the range? The range lies in one region. */
    boolean accessValid(long startDpa, long lengthBytes);

    /** The region with the block size and the setting of this moment; {@code known} itself when nothing has changed. */
    DcRegion current(DcRegion known);

    /** Tags of shared capacity that the device can keep track of; asked when a region is shareable. */
    default int tagsSupported() {
        return 0;
    }

    /** How many more at this moment. */
    default int tagsAvailable() {
        return 0;
    }

    /** The hooks for one device, told once what shows them all that the device holds. */
    default MultiHeadHooks boundTo(Held held) {
        return this;
    }

    /** A device with one head: all that it does not hold itself is free. Its memory is nobody else's, and is never scrubbed. */
    @SuppressWarnings("ClassInitializationDeadlock") // Nobody else makes one, so that class never comes first.
    MultiHeadHooks NONE = new SingleHead();
}

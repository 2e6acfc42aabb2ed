package io.mhsld.type3;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Where a multi-headed device is asked, and told, about capacity that other heads want too. A Type-3 device without them ({@link #NONE})
 * owns all of its capacity alone.
 *
 * <p>Order of the calls in the life of an extent: reserve, then accept or reclaim (or both, for parts), then release; access-valid at any
 * time between accept and release.
 */
public interface MultiHeadHooks {
    /**
     * Extents that were taken for this head, or why not.
     *
     * @param extents in order of their addresses; empty when refused
     * @param refusal present when nothing was taken
     */
    record Selection(List<Extent> extents, Optional<Refusal> refusal) {
        /** Copies the list. */
        public Selection {
            extents = List.copyOf(extents);
        }

        /** These were taken. */
        public static Selection of(List<Extent> extents) {
            return new Selection(extents, Optional.empty());
        }

        /** Nothing was. */
        public static Selection of(Refusal refusal) {
            return new Selection(List.of(), Optional.of(refusal));
        }
    }

    /**
     * A group is about to be offered to the host: take every block of it for this head, or none. When it returns empty, all blocks belong to
     * this head and read as zero. Refused with {@code OWNED_BY_OTHER_HEAD} or {@code NO_SPACE}, and then no lane has changed.
     *
     * <p>Extents with a shared sequence are the first allocation of their tag, which is one tag; refused also with {@code TAG_IN_USE},
     * {@code TAGS_EXHAUSTED} or {@code BUSY}.
     */
    Optional<Refusal> reserve(List<Extent> extents);

    /**
     * Chooses free blocks of the region and takes them: what is returned is reserved as by {@link #reserve}. Runs are aligned to, and multiples of,
     * the region's block size. Other requests under way are waited for, for a while.
     *
     * @param region the region with the block size of this moment
     * @param contiguous one run, which is found whenever there is one; else the request is split over the free space
     * @param maxExtents so many runs at most
     * @param tag the tag of the extents
     * @param shared the extents are the first allocation of the tag: they get sequences 1 to <i>n</i>
     */
    Selection select(DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared);

    /**
     * Takes the extents of a tag that other heads hold, or the fabric manager keeps: this head's bit beside theirs. Refused with {@code TAG_UNKNOWN},
     * also when the tag goes away meanwhile, {@code ALREADY_ACCEPTED} or {@code STILL_PENDING} when this head has it, {@code OUTSIDE_REGION} when
     * its capacity is in another region, {@code BUSY}.
     */
    Selection join(DcRegion region, UUID tag);

    /** The host accepted these parts of a reserved group; they are in the extent list already. */
    void accept(List<Extent> extents);

    /** The host did not accept these parts of a reserved group, or the fabric manager withdrew them: they are free again. */
    void reclaim(List<Extent> extents);

    /**
     * The host let go of these accepted extents, or lost them by force; they are in no list any more, so no access can reach them. Shared ones are
     * free when no head holds them and the fabric manager does not keep them.
     *
     * @param sanitize what becomes free is overwritten before this returns
     */
    void release(List<Extent> extents, boolean sanitize);

    /** May this head touch every byte of the range? The range lies in one region. */
    boolean accessValid(long startDpa, long lengthBytes);

    /** The region with the block size and the sanitize setting of this moment. */
    DcRegion current(DcRegion known);

    /** A device with one head: every reserve succeeds, every accepted byte is accessible. It chooses nothing. */
    MultiHeadHooks NONE = new MultiHeadHooks() {
        @Override
        public Optional<Refusal> reserve(List<Extent> extents) {
            return Optional.empty();
        }

        @Override
        public Selection select(
                DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
            return Selection.of(new Refusal(Refusal.Cause.NO_FREE_CAPACITY, "region=" + region.id()));
        }

        @Override
        public Selection join(DcRegion region, UUID tag) {
            return Selection.of(new Refusal(Refusal.Cause.TAG_UNKNOWN, "tag=" + tag));
        }

        @Override
        public void accept(List<Extent> extents) {}

        @Override
        public void reclaim(List<Extent> extents) {}

        @Override
        public void release(List<Extent> extents, boolean sanitize) {}

        @Override
        public boolean accessValid(long startDpa, long lengthBytes) {
            return true;
        }

        @Override
        public DcRegion current(DcRegion known) {
            return known;
        }
    };
}

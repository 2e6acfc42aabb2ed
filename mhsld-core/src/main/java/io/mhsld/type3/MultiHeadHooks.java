package io.mhsld.type3;

import java.util.List;
import java.util.Optional;

/**
 * Where a multi-headed device is asked, and told, about capacity that other heads want too. A Type-3 device without them ({@link #NONE})
 * owns all of its capacity alone.
 *
 * <p>Order of the calls in the life of an extent: reserve, then accept or reclaim (or both, for parts), then release; access-valid at any
 * time between accept and release.
 */
public interface MultiHeadHooks {
    /**
     * A group is about to be offered to the host: take every block of it for this head, or none. When it returns empty, all blocks belong to
     * this head and read as zero. Refused with {@code OWNED_BY_OTHER_HEAD} or {@code NO_SPACE}, and then no lane has changed.
     */
    Optional<Refusal> reserve(List<Extent> extents);

    /** The host accepted these parts of a reserved group; they are in the extent list already. */
    void accept(List<Extent> extents);

    /** The host did not accept these parts of a reserved group, or the fabric manager withdrew them: they are free again. */
    void reclaim(List<Extent> extents);

    /** The host let go of these accepted extents, or lost them by force; they are in no list any more, so no access can reach them. */
    void release(List<Extent> extents);

    /** May this head touch every byte of the range? The range lies in one region. */
    boolean accessValid(long startDpa, long lengthBytes);

    /** A device with one head: every reserve succeeds, every accepted byte is accessible. */
    MultiHeadHooks NONE = new MultiHeadHooks() {
        @Override
        public Optional<Refusal> reserve(List<Extent> extents) {
            return Optional.empty();
        }

        @Override
        public void accept(List<Extent> extents) {}

        @Override
        public void reclaim(List<Extent> extents) {}

        @Override
        public void release(List<Extent> extents) {}

        @Override
        public boolean accessValid(long startDpa, long lengthBytes) {
            return true;
        }
    };
}

package io.mhsld.type3;

import java.util.List;
import java.util.UUID;

/**
 * A run of dynamic capacity in the device's physical address space (CXL r3.1 8.2.9.9.9.2, table 8-167).
 *
 * @param startDpa first byte, as the host sees it
 * @param lengthBytes length in bytes, never 0
 * @param tag the tag that the fabric manager gave to the capacity, {@link #NO_TAG} when it gave none
 * @param sharedSequence position of this extent within shared capacity of one tag, 0 when not shared
 */
public record Extent(long startDpa, long lengthBytes, UUID tag, int sharedSequence) {
    /** The nil UUID: capacity without a tag. */
    public static final UUID NO_TAG = new UUID(0, 0);

    /** An extent without a tag. */
    public static Extent untagged(long startDpa, long lengthBytes) {
        return new Extent(startDpa, lengthBytes, NO_TAG, 0);
    }

    /** True when other hosts may have the same extent. */
    public boolean isShared() {
        return sharedSequence > 0;
    }

    /** True when other hosts may have one of them. */
    public static boolean isAnyShared(List<Extent> extents) {
        for (Extent extent : extents) {
            if (extent.isShared()) {
                return true;
            }
        }
        return false;
    }

    /** True when the fabric manager gave a tag. */
    public boolean isTagged() {
        return !tag.equals(NO_TAG);
    }

    /** First byte after the extent. */
    public long endDpa() {
        return startDpa + lengthBytes;
    }

    /** True when at least one byte lies in both. */
    public boolean overlaps(Extent other) {
        return startDpa < other.endDpa() && other.startDpa < endDpa();
    }

    /** True when every byte of {@code other} lies in this extent. */
    public boolean contains(Extent other) {
        return startDpa <= other.startDpa && other.endDpa() <= endDpa();
    }

    /** The same tag and sequence over another range. */
    public Extent withRange(long newStartDpa, long newLengthBytes) {
        return new Extent(newStartDpa, newLengthBytes, tag, sharedSequence);
    }

    /** The part of this extent that lies in the other, which overlaps it; this extent itself when that is all of it. */
    public Extent within(Extent other) {
        long start = Math.max(startDpa, other.startDpa);
        long end = Math.min(endDpa(), other.endDpa());
        return start == startDpa && end == endDpa() ? this : withRange(start, end - start);
    }

    /** The same capacity as number so-and-so of its tag. */
    public Extent withSequence(int newSharedSequence) {
        return new Extent(startDpa, lengthBytes, tag, newSharedSequence);
    }

    /** What is left of this extent without {@code hole}: none, one or two fragments, in address order, with this extent's tag. */
    public List<Extent> without(Extent hole) {
        if (!overlaps(hole)) {
            return List.of(this);
        }
        boolean head = startDpa < hole.startDpa;
        boolean tail = hole.endDpa() < endDpa();
        if (head && tail) {
            return List.of(
                    withRange(startDpa, hole.startDpa - startDpa), withRange(hole.endDpa(), endDpa() - hole.endDpa()));
        }
        if (head) {
            return List.of(withRange(startDpa, hole.startDpa - startDpa));
        }
        return tail ? List.of(withRange(hole.endDpa(), endDpa() - hole.endDpa())) : List.of();
    }

    @Override
    public String toString() {
        // Not formatted: heads and refusals tell of extents often.
        return "dpa=0x" + Long.toHexString(startDpa) + " length=0x" + Long.toHexString(lengthBytes);
    }
}

package io.mhsld.type3;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Shared extents that the host has let go of while it has others of their tag: it may touch them no more, and the head holds them until the last
 * one of the tag goes, for what one head has of a tag is what every head has of it.
 */
final class LeavingExtents {
    private final ExtentList extents = new ExtentList();

    boolean isEmpty() {
        return extents.isEmpty();
    }

    int size() {
        return extents.size();
    }

    List<Extent> view() {
        return extents.view();
    }

    boolean overlaps(Extent extent) {
        return extents.overlaps(extent);
    }

    /** As {@link ExtentList#lowestEndingAbove}. */
    Extent lowestEndingAbove(long dpa) {
        return extents.lowestEndingAbove(dpa);
    }

    /** The addresses that these cover. */
    long[] runs() {
        return Runs.of(extents.view());
    }

    /**
     * The host loses some of what it had.
     *
     * @param revoked what it loses
     * @param left what it then has
     * @return what the head lets go of: all of this that is not shared, and tags of which the host has nothing any more, as a whole
     */
    List<Extent> leave(List<Extent> revoked, List<Extent> left) {
        Set<UUID> touched = tagsOf(revoked);
        if (touched.isEmpty()) {
            return revoked;
        }
        Set<UUID> partlyLeft = tagsOf(left);
        List<Extent> gone = new ArrayList<>(revoked.size());
        List<Extent> staying = new ArrayList<>();
        for (Extent extent : revoked) {
            (extent.isShared() && partlyLeft.contains(extent.tag()) ? staying : gone).add(extent);
        }
        List<Extent> completed = new ArrayList<>();
        for (Extent extent : extents.view()) {
            if (touched.contains(extent.tag()) && !partlyLeft.contains(extent.tag())) {
                completed.add(extent);
            }
        }
        if (!completed.isEmpty()) {
            extents.cut(Runs.of(completed));
            gone.addAll(completed);
        }
        if (!staying.isEmpty()) {
            extents.addAll(staying);
        }
        return gone;
    }

    void clear() {
        extents.clear();
    }

    private static Set<UUID> tagsOf(List<Extent> extents) {
        Set<UUID> tags = new HashSet<>();
        for (Extent extent : extents) {
            if (extent.isShared()) {
                tags.add(extent.tag());
            }
        }
        return tags;
    }
}

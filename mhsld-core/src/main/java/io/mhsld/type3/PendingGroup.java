package io.mhsld.type3;

import java.util.List;

/**
 * The extents of one add request while the host has not answered. Groups are answered in the order in which they were offered.
 *
 * @param id counts the groups of this device, from 1
 * @param offered the extents that the host was told of
 * @param extents what of them can still be accepted; fewer than offered when the fabric manager withdrew some, empty when it withdrew all
 */
public record PendingGroup(long id, List<Extent> offered, List<Extent> extents) {
    /** True when nothing of the group can be accepted any more; it stays queued, for the host's answer to it is still to come. */
    public boolean isWithdrawn() {
        return extents.isEmpty();
    }

    /** True when the group is the whole of a shared tag: the host accepts all of it or nothing. */
    public boolean isShared() {
        return offered.get(0).isShared();
    }

    /** The extent that can still be accepted and in which all of {@code wanted} lies, null when there is none. */
    Extent offerOf(Extent wanted) {
        return containing(extents, wanted);
    }

    boolean hasOffered(Extent wanted) {
        return containing(offered, wanted) != null;
    }

    private static Extent containing(List<Extent> list, Extent wanted) {
        for (Extent extent : list) {
            if (extent.contains(wanted)) {
                return extent;
            }
        }
        return null;
    }
}

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
}

package io.mhsld.type3;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The groups that await the host's answer, oldest first: which one an answer is to, and what of them has been withdrawn. */
final class PendingGroups {
    /** Withdrawn groups whose answer is still expected; the oldest is forgotten beyond that. */
    private static final int MAX_GROUPS = 1024;

    private final ArrayDeque<PendingGroup> queue = new ArrayDeque<>();
    private long lastId;
    private int extentCount;

    /** What the host has accepted of a shared group that it answers extent by extent, and which one that is. */
    private final Set<Extent> gathered = new LinkedHashSet<>();

    private long gatheredOf;

    /** What of all groups can still be accepted; null when a group has changed since it was asked for. */
    private ExtentList extents = new ExtentList();

    boolean isEmpty() {
        return queue.isEmpty();
    }

    List<PendingGroup> view() {
        return queue.isEmpty() ? List.of() : List.copyOf(queue);
    }

    /** Extents that can still be accepted. */
    int extentCount() {
        return extentCount;
    }

    /** They, over all groups. */
    ExtentList extents() {
        if (extents == null) {
            extents = new ExtentList();
            for (PendingGroup group : queue) {
                extents.addAll(group.extents());
            }
        }
        return extents;
    }

    PendingGroup oldest() {
        return queue.element();
    }

    void offer(List<Extent> offered) {
        if (queue.size() == MAX_GROUPS) {
            forgetOldestWithdrawn();
        }
        queue.add(new PendingGroup(++lastId, offered, offered));
        extentCount += offered.size();
        if (extents != null) {
            extents.addAll(offered);
        }
    }

    private void forgetOldestWithdrawn() {
        for (Iterator<PendingGroup> each = queue.iterator(); each.hasNext(); ) {
            if (each.next().isWithdrawn()) {
                each.remove();
                return;
            }
        }
    }

    /**
     * The group that the host answers by naming {@code first}: the oldest one. Groups that were withdrawn whole may be skipped, for the host
     * may have learnt of that before it answered; when one of those offered the same extent as the first live group, the live one is meant.
     */
    PendingGroup answeredBy(Extent first) {
        PendingGroup withdrawn = null;
        for (PendingGroup group : queue) {
            if (!group.isWithdrawn()) {
                return withdrawn == null || group.offerOf(first) != null ? group : withdrawn;
            }
            if (withdrawn == null && group.hasOffered(first)) {
                withdrawn = group;
            }
        }
        return withdrawn == null ? queue.peek() : withdrawn;
    }

    /**
     * The host has accepted some extents of a shared group, or all.
     *
     * @return what it has accepted of the group so far, in that order
     */
    List<Extent> gather(PendingGroup group, List<Extent> accepted) {
        if (gatheredOf != group.id()) {
            gathered.clear();
            gatheredOf = group.id();
        }
        gathered.addAll(accepted);
        return List.copyOf(gathered);
    }

    /** The group has been answered; what stood before it was withdrawn whole, and the host skipped its answer to that. */
    void finish(PendingGroup group) {
        while (queue.remove().id() != group.id()) {
            // Withdrawn groups count no extents.
        }
        extentCount -= group.extents().size();
        changed();
    }

    /** Takes the holes out of every group. */
    void withdraw(long[] holes) {
        for (int i = queue.size(); i > 0; i--) {
            PendingGroup group = queue.remove();
            ExtentList rest = new ExtentList(group.extents());
            rest.cut(holes);
            List<Extent> left = rest.view();
            extentCount += left.size() - group.extents().size();
            queue.add(new PendingGroup(group.id(), group.offered(), left));
        }
        changed();
    }

    void clear() {
        queue.clear();
        gathered.clear();
        extentCount = 0;
        changed();
    }

    private void changed() {
        extents = extentCount == 0 ? new ExtentList() : null;
    }
}

package io.mhsld.type3;

import java.util.List;

/**
 * What the fabric manager wants scrubbed when the host lets go of it: remembered from its request until then, for the host may take its time, and
 * give back piece by piece.
 */
final class SanitizeMarks {
    private long[] marked = Runs.NOTHING;

    void mark(List<Extent> extents) {
        long[] added = Runs.of(extents);
        marked = Runs.plus(Runs.minus(marked, added), extents);
    }

    /** The host has this no more. */
    void forget(long[] runs) {
        if (marked.length > 0) {
            marked = Runs.minus(marked, runs);
        }
    }

    /** Adds what of the extent is marked to the one list, and the rest to the other. A shared extent stays whole. */
    void split(Extent extent, List<Extent> sanitized, List<Extent> others) {
        if (!Runs.overlaps(marked, extent)) {
            others.add(extent);
        } else if (extent.isShared() || Runs.covers(marked, extent.startDpa(), extent.lengthBytes())) {
            sanitized.add(extent);
        } else {
            ExtentList unmarked = new ExtentList(List.of(extent));
            unmarked.cut(marked);
            ExtentList rest = new ExtentList(List.of(extent));
            rest.cut(Runs.of(unmarked.view()));
            others.addAll(unmarked.view());
            sanitized.addAll(rest.view());
        }
    }
}

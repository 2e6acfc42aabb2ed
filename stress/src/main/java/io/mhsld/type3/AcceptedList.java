package io.mhsld.type3;

import java.util.List;

/** The list of accepted extents for the stress tests, and one defect. It stands in this package because the list does. */
public final class AcceptedList {
    private final ExtentList list = new ExtentList();

    /** A list of these extents. */
    public AcceptedList(List<Extent> extents) {
        list.addAll(extents);
    }

    /** As a release does it. */
    public void release(List<Extent> released) {
        list.cut(Runs.of(released));
    }

    /** The defect: for a moment, nothing is accepted. */
    public void clearAndAdd(List<Extent> left) {
        list.clear();
        list.addAll(left);
    }

    /** As an access asks. */
    public boolean covers(long startDpa, long lengthBytes) {
        return list.covers(startDpa, lengthBytes);
    }
}

package io.mhsld.cci;

/**
 * Where a poison list that takes several answers goes on: each interface reads it for itself (CXL r3.1 8.2.9.9.4.1, "More Media Error Records").
 */
final class MediaCursors {
    private long dpa;
    private long lengthBytes;
    private int position;

    /** The first record to tell of a range: behind those of the last answer when that had more, and was to the same question. */
    int begin(long newDpa, long newLengthBytes) {
        boolean goesOn = newDpa == dpa && newLengthBytes == lengthBytes;
        dpa = newDpa;
        lengthBytes = newLengthBytes;
        position = goesOn ? position : 0;
        return position;
    }

    /** The answer ended here, with more to come or not. */
    void end(int newPosition, boolean hasMore) {
        position = hasMore ? newPosition : 0;
    }

    void reset() {
        position = 0;
    }
}

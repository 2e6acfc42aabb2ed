package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.EEXIST;
import static io.mhsld.vfiouser.VfioUserDescriptor.EINVAL;
import static io.mhsld.vfiouser.VfioUserDescriptor.ENOENT;
import static io.mhsld.vfiouser.VfioUserDescriptor.ENOSPC;
import static io.mhsld.vfiouser.VfioUserDescriptor.PAGE_LENGTH;

import java.util.Map;
import java.util.TreeMap;

/**
 * The ranges of guest memory that the client offers for DMA. The function does none, so nothing is ever mapped, and the descriptors that come with them
 * are closed: the table is there so that a client hears of its mistakes. Addresses are unsigned.
 */
final class DmaTable {
    /** How many ranges there may be. */
    static final int LIMIT = 8192;

    private record Range(long last, int flags) {}

    private final TreeMap<Long, Range> ranges = new TreeMap<>(Long::compareUnsigned);

    /** An error number, or 0: added, or there already exactly so. */
    int map(long address, long lengthBytes, int flags) {
        long last = address + lengthBytes - 1;
        if (lengthBytes == 0 || (address | lengthBytes) % PAGE_LENGTH != 0 || Long.compareUnsigned(last, address) < 0) {
            return EINVAL;
        }
        Range range = new Range(last, flags);
        if (range.equals(ranges.get(address))) {
            return 0;
        }
        Map.Entry<Long, Range> below = ranges.floorEntry(last);
        if (below != null && Long.compareUnsigned(below.getValue().last, address) >= 0) {
            return EEXIST;
        }
        if (ranges.size() == LIMIT) {
            return ENOSPC;
        }
        ranges.put(address, range);
        return 0;
    }

    /** An error number, or 0 when a range was exactly so. */
    int unmap(long address, long lengthBytes) {
        Range range = ranges.get(address);
        if (lengthBytes == 0 || range == null || range.last != address + lengthBytes - 1) {
            return ENOENT;
        }
        ranges.remove(address);
        return 0;
    }

    /** There are none. */
    void clear() {
        ranges.clear();
    }

    int size() {
        return ranges.size();
    }
}

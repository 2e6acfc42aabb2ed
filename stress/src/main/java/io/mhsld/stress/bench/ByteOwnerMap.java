package io.mhsld.stress.bench;

import org.agrona.UnsafeApi;

/**
 * What the owner map is measured against: one byte for each block, won and cleared by one atomic operation for each block, as the reference
 * does it.
 */
final class ByteOwnerMap {
    private final long address;

    ByteOwnerMap(long address) {
        this.address = address;
    }

    /** Takes all of the blocks, or none; returns the first that was not free, or -1. */
    long claim(int head, long first, long count) {
        byte bit = (byte) (1 << head);
        for (long block = first; block < first + count; block++) {
            if (!UnsafeApi.compareAndSetByte(null, address + block, (byte) 0, bit)) {
                clear(head, first, block - first);
                return block;
            }
        }
        return -1;
    }

    /** Takes the head's bit out of the blocks. */
    void clear(int head, long first, long count) {
        byte mask = (byte) ~(1 << head);
        for (long block = first; block < first + count; block++) {
            UnsafeApi.getAndBitwiseAndByte(null, address + block, mask);
        }
    }
}

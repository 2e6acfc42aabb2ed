package io.mhsld.type3;

import java.util.TreeMap;
import java.util.zip.CRC32C;

/** Memory that exists byte by byte, where it has been written; everything else reads as zero. */
public final class SparseMemory implements DcMemory {
    private final TreeMap<Long, Byte> bytes = new TreeMap<>();
    private boolean full;

    /** From now on nothing can be written. */
    public void fillUp() {
        full = true;
    }

    @Override
    public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {
        for (int i = 0; i < lengthBytes; i++) {
            destination[destinationOffset + i] = bytes.getOrDefault(dpa + i, (byte) 0);
        }
    }

    @Override
    public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
        for (int i = 0; i < lengthBytes && !full; i++) {
            bytes.put(dpa + i, source[sourceOffset + i]);
        }
        return !full;
    }

    @Override
    public boolean fill(long dpa, long lengthBytes, byte value) {
        if (value == 0 && !full) {
            bytes.subMap(dpa, dpa + lengthBytes).clear();
            return true;
        }
        for (long i = 0; i < lengthBytes && !full; i++) {
            bytes.put(dpa + i, value);
        }
        return !full;
    }

    @Override
    public int crc32c(long dpa, long lengthBytes) {
        byte[] copy = new byte[Math.toIntExact(lengthBytes)];
        read(dpa, copy, 0, copy.length);
        CRC32C crc = new CRC32C();
        crc.update(copy);
        return (int) crc.getValue();
    }
}

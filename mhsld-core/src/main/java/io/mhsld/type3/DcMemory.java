package io.mhsld.type3;

/** The bytes behind dynamic capacity, by DPA. Every range lies in one region; the caller has checked that it may be touched. */
public interface DcMemory {
    /** Copies from the device. */
    void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes);

    /** Copies into the device; false when the system has no memory left for it. */
    boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes);

    /** Sets every byte; false when the system has no memory left for it. */
    boolean fill(long dpa, long lengthBytes, byte value);

    /** CRC-32C of the range. */
    int crc32c(long dpa, long lengthBytes);
}

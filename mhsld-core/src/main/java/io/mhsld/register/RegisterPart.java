package io.mhsld.register;

/** Bytes that a host can read and write: a block of registers, or a space that has such blocks in it. Any length, any alignment. */
public interface RegisterPart {
    /** Its length. */
    long lengthBytes();

    /** Reads a range that is inside. */
    void read(long offset, byte[] destination, int destinationOffset, int lengthBytes);

    /** Writes a range that is inside. What follows from it has happened when this returns. */
    void write(long offset, byte[] source, int sourceOffset, int lengthBytes);

    /** Brings back what such a reset reaches. */
    void reset(ResetKind kind);
}

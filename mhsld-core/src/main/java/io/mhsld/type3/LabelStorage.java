package io.mhsld.type3;

/**
 * The Label Storage Area of a device (CXL r3.1 8.2.9.9.2.3): bytes that the host keeps there, also when it and the device restart. Zeros before
 * anything is written. A write is there as a whole, or not at all.
 */
public interface LabelStorage {
    /** Its length. */
    int LENGTH_BYTES = 128 << 10;

    /** Bytes from [offset, offset + length), which lies inside. */
    byte[] read(int offset, int lengthBytes);

    /** Replaces bytes from the offset on, which all lie inside. Throws when they cannot be kept; then nothing has changed. */
    void write(int offset, byte[] bytes);

    /** Labels that the device forgets when its process ends. */
    static LabelStorage inMemory() {
        byte[] labels = new byte[LENGTH_BYTES];
        return new LabelStorage() {
            @Override
            public byte[] read(int offset, int lengthBytes) {
                byte[] copy = new byte[lengthBytes];
                System.arraycopy(labels, offset, copy, 0, lengthBytes);
                return copy;
            }

            @Override
            public void write(int offset, byte[] bytes) {
                System.arraycopy(bytes, 0, labels, offset, bytes.length);
            }
        };
    }
}

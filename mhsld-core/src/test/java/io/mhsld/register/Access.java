package io.mhsld.register;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Accesses of a host, for tests. */
final class Access {
    private Access() {}

    static long u32(RegisterPart part, long offset) {
        return u64(part, offset, Integer.BYTES);
    }

    static int u16(RegisterPart part, long offset) {
        return (int) u64(part, offset, Short.BYTES);
    }

    static int u8(RegisterPart part, long offset) {
        return (int) u64(part, offset, 1);
    }

    static long u64(RegisterPart part, long offset) {
        return u64(part, offset, Long.BYTES);
    }

    private static long u64(RegisterPart part, long offset, int bytes) {
        byte[] read = new byte[Long.BYTES];
        part.read(offset, read, 0, bytes);
        return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    static void write32(RegisterPart part, long offset, long value) {
        write(part, offset, value, Integer.BYTES);
    }

    static void write16(RegisterPart part, long offset, long value) {
        write(part, offset, value, Short.BYTES);
    }

    static void write8(RegisterPart part, long offset, long value) {
        write(part, offset, value, 1);
    }

    private static void write(RegisterPart part, long offset, long value, int bytes) {
        byte[] written = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, value)
                .array();
        part.write(offset, written, 0, bytes);
    }
}

package io.mhsld.stress.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bytes of one input, taken from the front; behind the end there are zeros. So any bytes mean something, and all that are there are used. */
final class Input {
    private final byte[] bytes;
    private int position;

    Input(byte[] bytes) {
        this.bytes = bytes;
    }

    boolean isEmpty() {
        return position >= bytes.length;
    }

    int u8() {
        return isEmpty() ? 0 : bytes[position++] & 0xFF;
    }

    int u16() {
        return u8() | u8() << Byte.SIZE;
    }

    long u64() {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value |= (long) u8() << (i * Byte.SIZE);
        }
        return value;
    }

    /** A number from 0 to {@code bound - 1}. */
    int below(int bound) {
        return (bound > 1 << Byte.SIZE ? u16() : u8()) % bound;
    }

    boolean flag() {
        return (u8() & 1) != 0;
    }

    /** So many bytes, fewer at the end. */
    byte[] bytes(int length) {
        int end = Math.min(bytes.length, position + length);
        byte[] part = Arrays.copyOfRange(bytes, position, end);
        position = end;
        return part;
    }

    byte[] rest() {
        return bytes(bytes.length);
    }

    /** The rest as text; bytes that are no UTF-8 become U+FFFD. */
    String text() {
        return new String(rest(), StandardCharsets.UTF_8);
    }
}

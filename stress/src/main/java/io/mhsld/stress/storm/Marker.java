package io.mhsld.stress.storm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What an owner writes into a block: in every page, at its start, middle and end or all over, who wrote it.
 *
 * <pre>
 *    0                8        12       16        24         28       32
 *   +----------------+--------+--------+---------+----------+--------+
 *   | "MHSLDMRK"     | head   | life   | block   | sequence | page   |
 *   +----------------+--------+--------+---------+----------+--------+
 * </pre>
 *
 * @param head the writer
 * @param life which of all processes of the storm it was
 * @param block where it was written
 * @param sequence counts the writes of a life
 * @param everywhere the whole page is full of it
 */
record Marker(int head, int life, long block, int sequence, boolean everywhere) {
    static final int PAGE_BYTES = 4096;
    private static final int LENGTH_BYTES = 32;
    private static final long MAGIC = 0x4d48534c444d524bL;
    private static final int[] PLACES = {0, PAGE_BYTES / 2, PAGE_BYTES - LENGTH_BYTES};

    /** A block of this length with the marker in each of its pages; the rest is zero. */
    byte[] block(int lengthBytes) {
        ByteBuffer bytes = ByteBuffer.allocate(lengthBytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < lengthBytes; page += PAGE_BYTES) {
            if (everywhere) {
                for (int place = 0; place < PAGE_BYTES; place += LENGTH_BYTES) {
                    put(bytes, page, place);
                }
            } else {
                for (int place : PLACES) {
                    put(bytes, page, place);
                }
            }
        }
        return bytes.array();
    }

    private void put(ByteBuffer bytes, int page, int place) {
        bytes.position(page + place);
        bytes.putLong(MAGIC)
                .putInt(head)
                .putInt(life)
                .putLong(block)
                .putInt(sequence)
                .putInt(page / PAGE_BYTES);
    }

    static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }

    /**
     * What is wrong with bytes that a head read from blocks of its own without knowing which of its writes came last: each page must be zero
     * or full of its own marker.
     */
    static Optional<String> strangeness(byte[] bytes, long firstBlock, int blockBytes, int head, int life) {
        List<String> strange = new ArrayList<>();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page + PAGE_BYTES <= bytes.length; page += PAGE_BYTES) {
            for (int place : PLACES) {
                int at = page + place;
                boolean isOwn = buffer.getLong(at) == MAGIC
                        && buffer.getInt(at + 8) == head
                        && buffer.getInt(at + 12) == life
                        && buffer.getLong(at + 16) == firstBlock + page / blockBytes;
                if (!isOwn && !isZero(bytes, at, LENGTH_BYTES) && strange.size() < 4) {
                    strange.add(describe(bytes, at));
                }
            }
        }
        return strange.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", strange));
    }

    /** Where found bytes differ from the expected ones, and whose marker is there. */
    static String difference(byte[] found, byte[] expected) {
        for (int at = 0; at < expected.length; at++) {
            if (found[at] != expected[at]) {
                int start = at - at % LENGTH_BYTES;
                return "first difference at byte " + at + ": found " + describe(found, start) + ", expected "
                        + describe(expected, start);
            }
        }
        return "no difference";
    }

    private static String describe(byte[] bytes, int at) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (isZero(bytes, at, LENGTH_BYTES)) {
            return "zeros";
        }
        if (buffer.getLong(at) != MAGIC) {
            return String.format("no marker (0x%016x)", buffer.getLong(at));
        }
        return String.format(
                "marker(head=%d life=%d block=%d sequence=%d page=%d)",
                buffer.getInt(at + 8),
                buffer.getInt(at + 12),
                buffer.getLong(at + 16),
                buffer.getInt(at + 24),
                buffer.getInt(at + 28));
    }

    private static boolean isZero(byte[] bytes, int from, int length) {
        for (int i = from; i < from + length; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }
}

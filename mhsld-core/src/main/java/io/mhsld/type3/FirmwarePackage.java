package io.mhsld.type3;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A firmware package as this device accepts it: a header of 80h bytes, then anything. It stands for the signed packages of real devices, and is
 * checked as they are: what has been changed on the way is not authentic.
 *
 * <pre>
 *  0  8   "MHSLD-FW"
 *  8  4   length of the package in bytes, header included; a multiple of 80h
 * 12  4   CRC-32C of all bytes from 16 on
 * 16  16  revision, ASCII, padded with zeros
 * 32  1   bit 0: only a reset activates it; bit 1: it does not start
 * 33      zeros to 80h
 * </pre>
 *
 * A package of zeros alone empties the slot that it is sent to.
 *
 * @param revision what Get FW Info and Identify Memory Device show, 1 to 16 characters
 * @param needsReset online activation is refused
 * @param startsNot activation fails, and the firmware before it stays active
 */
public record FirmwarePackage(String revision, boolean needsReset, boolean startsNot) {
    /** Granule of packages and of their parts (CXL r3.1 8.2.9.3.2). */
    public static final int ALIGNMENT_BYTES = 128;

    static final int REVISION_BYTES = 16;

    private static final byte[] MAGIC = "MHSLD-FW".getBytes(StandardCharsets.US_ASCII);
    private static final int LENGTH_OFFSET = 8;
    private static final int CRC_OFFSET = 12;
    private static final int REVISION_OFFSET = 16;
    private static final int FLAGS_OFFSET = 32;
    private static final int NEEDS_RESET = 1;
    private static final int STARTS_NOT = 2;

    /** A whole package with so many bytes behind its header. */
    public byte[] toBytes(int bodyBytes) {
        int length = ALIGNMENT_BYTES + (bodyBytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(MAGIC).putInt(LENGTH_OFFSET, length);
        byte[] text = revision.getBytes(StandardCharsets.US_ASCII);
        bytes.position(REVISION_OFFSET).put(text, 0, Math.min(text.length, REVISION_BYTES));
        bytes.put(FLAGS_OFFSET, (byte) ((needsReset ? NEEDS_RESET : 0) | (startsNot ? STARTS_NOT : 0)));
        for (int i = ALIGNMENT_BYTES; i < length; i++) {
            bytes.put(i, (byte) i);
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes.array(), REVISION_OFFSET, length - REVISION_OFFSET);
        return bytes.putInt(CRC_OFFSET, (int) crc.getValue()).array();
    }

    /** Looks at a package as its parts arrive; keeps no more of it than its header. */
    static final class Check {
        private final CRC32C crc = new CRC32C();
        private final byte[] header = new byte[ALIGNMENT_BYTES];
        private long length;
        private boolean isAllZero = true;

        void append(byte[] part) {
            for (byte one : part) {
                isAllZero &= one == 0;
            }
            int inHeader = (int) Math.max(0, Math.min(part.length, ALIGNMENT_BYTES - length));
            System.arraycopy(part, 0, header, (int) Math.min(length, ALIGNMENT_BYTES), inHeader);
            int skipped = length == 0 ? Math.min(part.length, REVISION_OFFSET) : 0;
            crc.update(part, skipped, part.length - skipped);
            length += part.length;
        }

        boolean isErasure() {
            return isAllZero && length > 0;
        }

        /** Empty when it is not authentic. */
        Optional<FirmwarePackage> authenticated() {
            ByteBuffer bytes = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            String revision = new String(header, REVISION_OFFSET, REVISION_BYTES, StandardCharsets.US_ASCII).trim();
            boolean isAuthentic = Arrays.equals(MAGIC, Arrays.copyOf(header, MAGIC.length))
                    && Integer.toUnsignedLong(bytes.getInt(LENGTH_OFFSET)) == length
                    && bytes.getInt(CRC_OFFSET) == (int) crc.getValue()
                    && revision.matches("[ -~]+");
            int flags = header[FLAGS_OFFSET];
            return isAuthentic
                    ? Optional.of(new FirmwarePackage(revision, (flags & NEEDS_RESET) != 0, (flags & STARTS_NOT) != 0))
                    : Optional.empty();
        }
    }
}

package io.mhsld.cci;

import java.util.Arrays;
import java.util.Map;

/**
 * A request of the component command interface as a message (CXL r3.1 7.6.3, figure 7-19): 12 bytes of header, then the payload.
 *
 * <pre>
 *   0  category     0 for a request, 1 for a response: in bits 3:0 or, in one dialect, in bits 7:4; the others are reserved
 *   1  tag          echoed by the response
 *   2  reserved
 *   3  opcode       16 bits
 *   5  length       21 bits, of the payload; the rest of byte 7 is the background flag of a response
 *   8  return code  16 bits, of a response
 *  10  vendor specific extended status, 16 bits; some clients put a mark of their own there
 * </pre>
 */
public final class CciMessage {
    /** Bytes before the payload. */
    public static final int HEADER_BYTES = 12;

    private static final int RESPONSE = 1;
    private static final int TAG = 1;
    private static final int OPCODE = 3;
    private static final int LENGTH = 5;
    private static final int UPPER_LENGTH = 7;
    private static final int RETURN_CODE = 8;
    private static final int VENDOR_STATUS = 10;

    /** What libcxlmi writes into the vendor status of each request. */
    private static final int MARK_OF_LIBCXLMI = 0xABCD;

    /**
     * Answers that libcxlmi takes only at the full length of its own buffers, whatever their counts say: 256 poison records, 256 scan records, 7 logs.
     * It gets zeros behind what there is; nobody else does.
     */
    private static final Map<Integer, Integer> FULL_LENGTHS =
            Map.of(0x4300, 32 + 256 * 16, 0x4305, 32 + 256 * 16, 0x0405, 8 + 7 * 20);

    private final int category;
    private final int tag;
    private final int opcode;
    private final int lengthBytes;
    private final int vendorStatus;
    private final byte[] payload;

    private CciMessage(int category, int tag, int opcode, int lengthBytes, int vendorStatus, byte[] payload) {
        this.category = category;
        this.tag = tag;
        this.opcode = opcode;
        this.lengthBytes = lengthBytes;
        this.vendorStatus = vendorStatus;
        this.payload = payload;
    }

    /**
     * The message that lies in these bytes; padding behind it is left out.
     *
     * @param end where the bytes end; at least the header must lie before it
     */
    public static CciMessage read(byte[] bytes, int start, int end) {
        if (end - start < HEADER_BYTES) {
            throw new IllegalArgumentException("message too short: length=" + (end - start));
        }
        int length = (int) Payload.numberAt(bytes, start + LENGTH, 3);
        int payload = start + HEADER_BYTES;
        return new CciMessage(
                bytes[start] & 0xFF,
                bytes[start + TAG] & 0xFF,
                (int) Payload.numberAt(bytes, start + OPCODE, 2),
                length,
                (int) Payload.numberAt(bytes, start + VENDOR_STATUS, 2),
                Arrays.copyOfRange(bytes, payload, payload + Math.min(length, end - payload)));
    }

    /** A request with this payload. */
    public static CciMessage request(int tag, int opcode, byte[] payload) {
        return new CciMessage(0, tag, opcode, payload.length, 0, payload);
    }

    /** Echoed by the response. */
    public int tag() {
        return tag;
    }

    /** Command set in bits 15:8, command in bits 7:0. */
    public int opcode() {
        return opcode;
    }

    /**
     * What the header says of the payload, up to 24 bits: what needs more than 16 of them is longer than anything that is taken here, in either
     * dialect.
     */
    public int lengthBytes() {
        return lengthBytes;
    }

    /** Means nothing in a request, where some clients put a mark of their own. */
    public int vendorStatus() {
        return vendorStatus;
    }

    /** What there is of the payload; a copy. */
    public byte[] payload() {
        return payload.clone();
    }

    /** False for what asks nothing, in any dialect. */
    public boolean isRequest() {
        return category == 0;
    }

    /** True for an answer in either dialect: to answer that would never end. */
    public boolean isResponse() {
        return (category & 0xF) == RESPONSE || category >>> 4 == RESPONSE;
    }

    /** True when as many bytes are there as the header says. */
    public boolean isWhole() {
        return payload.length == lengthBytes;
    }

    /** The bytes of this request. */
    public byte[] toBytes() {
        byte[] bytes = Arrays.copyOf(new byte[] {(byte) category, (byte) tag}, HEADER_BYTES + payload.length);
        putNumber(bytes, OPCODE, 2, opcode);
        putNumber(bytes, LENGTH, 3, lengthBytes);
        putNumber(bytes, VENDOR_STATUS, 2, vendorStatus);
        System.arraycopy(payload, 0, bytes, HEADER_BYTES, payload.length);
        return bytes;
    }

    /** The bytes of the answer to this request. */
    public byte[] answer(Response response, CciDialect dialect) {
        int length = lengthOf(response);
        byte[] answer = new byte[HEADER_BYTES + length];
        answer[0] = (byte) dialect.responseCategory;
        answer[TAG] = (byte) tag;
        putNumber(answer, OPCODE, 2, opcode);
        putNumber(answer, LENGTH, 2, length);
        int upper = length >>> Short.SIZE << dialect.upperLengthShift;
        boolean begins = response.code() == ReturnCode.BACKGROUND_STARTED;
        answer[UPPER_LENGTH] = (byte) (begins ? upper | dialect.backgroundBit : upper);
        putNumber(answer, RETURN_CODE, 2, response.code().value());
        response.copyTo(answer, HEADER_BYTES);
        return answer;
    }

    private int lengthOf(Response response) {
        boolean isPadded = vendorStatus == MARK_OF_LIBCXLMI && response.isSuccess();
        return isPadded ? Math.max(response.length(), FULL_LENGTHS.getOrDefault(opcode, 0)) : response.length();
    }

    private static void putNumber(byte[] bytes, int position, int width, int value) {
        for (int i = 0; i < width; i++) {
            bytes[position + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }
}

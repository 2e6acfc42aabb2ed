package io.mhsld.stress.conformance;

import io.mhsld.stress.conformance.MctpTarget.Dialect;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A CCI message (CXL r3.1 7.6.3, figure 7-19): 12 bytes of header, then the payload. A response has its request's tag. */
final class CciMessage {
    static final int HEADER_LENGTH = 12;
    private static final int MAX_LENGTH = 1 << 21;

    private final boolean isResponse;
    private final int tag;
    private final int opcode;
    private final int code;
    private final byte[] payload;

    private CciMessage(boolean isResponse, int tag, int opcode, int code, byte[] payload) {
        this.isResponse = isResponse;
        this.tag = tag;
        this.opcode = opcode;
        this.code = code;
        this.payload = payload;
    }

    int opcode() {
        return opcode;
    }

    int code() {
        return code;
    }

    byte[] payload() {
        return payload;
    }

    static CciMessage request(int tag, int opcode, byte[] payload) {
        return new CciMessage(false, tag, opcode, 0, payload);
    }

    static CciMessage responseTo(CciMessage request, int code, byte[] payload) {
        return new CciMessage(true, request.tag, request.opcode, code, payload);
    }

    /** The length of the whole message that begins so. */
    static int lengthOf(byte[] start, int offset, Dialect dialect) {
        int low = (start[offset + 5] & 0xFF) | (start[offset + 6] & 0xFF) << 8;
        int last = start[offset + 7] & 0xFF;
        int high = dialect == Dialect.JACK ? last >> 3 : last & 0x1F;
        return HEADER_LENGTH + (low | high << 16);
    }

    byte[] toBytes(Dialect dialect) {
        if (payload.length >= MAX_LENGTH) {
            throw new IllegalArgumentException("payload too long: length=" + payload.length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_LENGTH + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        int category = isResponse ? 1 : 0;
        int high = payload.length >> 16;
        bytes.put((byte) (dialect == Dialect.JACK ? category << 4 : category))
                .put((byte) tag)
                .put((byte) 0)
                .putShort((short) opcode)
                .putShort((short) payload.length)
                .put((byte) (dialect == Dialect.JACK ? high << 3 : high))
                .putShort((short) code)
                .putShort((short) 0);
        return bytes.put(payload).array();
    }

    /** Refused with {@code IllegalArgumentException}: too short a message, another length than its header says, no category. */
    static CciMessage parse(byte[] bytes, Dialect dialect) {
        if (bytes.length < HEADER_LENGTH || bytes.length != lengthOf(bytes, 0, dialect)) {
            throw new IllegalArgumentException(
                    "message of another length than its header says: length=" + bytes.length);
        }
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int category = dialect == Dialect.JACK ? (bytes[0] & 0xFF) >> 4 : bytes[0] & 0xF;
        if (category > 1) {
            throw new IllegalArgumentException("message of no category: category=" + category);
        }
        return new CciMessage(
                category == 1,
                bytes[1] & 0xFF,
                header.getShort(3) & 0xFFFF,
                header.getShort(8) & 0xFFFF,
                Arrays.copyOfRange(bytes, HEADER_LENGTH, bytes.length));
    }

    /** Refused with {@code IllegalArgumentException}. */
    void requireAnswerTo(CciMessage request) {
        if (!isResponse || tag != request.tag || opcode != request.opcode) {
            throw new IllegalArgumentException(String.format(
                    "response=%b tag=%d opcode=%04x, asked with tag=%d opcode=%04x",
                    isResponse, tag, opcode, request.tag, request.opcode));
        }
    }
}

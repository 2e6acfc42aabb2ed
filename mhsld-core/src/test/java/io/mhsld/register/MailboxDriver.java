package io.mhsld.register;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A host's driver of the device registers: offsets and bits by hand, so that the rows under test have no part in it. */
final class MailboxDriver {
    static final int EVENT_STATUS = 0x80;
    static final int CAPABILITIES = 0x88;
    static final int CONTROL = 0x8C;
    static final int COMMAND = 0x90;
    static final int STATUS = 0x98;
    static final int BACKGROUND_STATUS = 0xA0;
    static final int PAYLOAD = 0xA8;
    static final int MEMORY_STATUS = 0x8A8;

    /** What the registers say after a command. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares answers, or keeps them.
    record Answer(int code, byte[] payload) {}

    private final RegisterPart registers;

    /** Of each access to the payload, in bytes. */
    private int width = 4;

    MailboxDriver(RegisterPart registers) {
        this.registers = registers;
    }

    MailboxDriver withWidth(int newWidth) {
        width = newWidth;
        return this;
    }

    long read(int offset, int bytes) {
        byte[] read = new byte[Long.BYTES];
        registers.read(offset, read, 0, bytes);
        return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    void write(int offset, int bytes, long value) {
        byte[] written = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        registers.write(offset, written, 0, bytes);
    }

    Answer run(int opcode, byte... input) {
        for (int i = 0; i < input.length; i += width) {
            registers.write(PAYLOAD + i, input, i, Math.min(width, input.length - i));
        }
        return ring(opcode, input.length);
    }

    /** With whatever is in the payload registers. */
    Answer ring(int opcode, long length) {
        write(COMMAND, 8, opcode | length << 16);
        write(CONTROL, 4, read(CONTROL, 4) | 1);
        int answered = (int) (read(COMMAND, 8) >>> 16 & 0xFFFFF);
        byte[] output = new byte[answered];
        for (int i = 0; i < answered; i += width) {
            registers.read(PAYLOAD + i, output, i, Math.min(width, answered - i));
        }
        return new Answer((int) (read(STATUS, 8) >>> 32 & 0xFFFF), output);
    }

    ByteBuffer output(int opcode, byte... input) {
        Answer answer = run(opcode, input);
        if (answer.code != 0) {
            throw new AssertionError(String.format("opcode=%04xh code=%d", opcode, answer.code));
        }
        return ByteBuffer.wrap(answer.payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** 4802h or 4803h over ranges of DPA and length. */
    int capacity(int opcode, long... ranges) {
        ByteBuffer list = ByteBuffer.allocate(8 + 12 * ranges.length).order(ByteOrder.LITTLE_ENDIAN);
        list.putInt(ranges.length / 2).position(8);
        for (int i = 0; i < ranges.length; i += 2) {
            list.putLong(ranges[i]).putLong(ranges[i + 1]).putLong(0);
        }
        return run(opcode, list.array()).code;
    }

    /** Reads a log and clears what was read; gives how many records that were. */
    int drain(int log) {
        ByteBuffer records = output(0x0100, (byte) log);
        int count = records.getShort(20);
        ByteBuffer clear = ByteBuffer.allocate(6 + 2 * count).order(ByteOrder.LITTLE_ENDIAN);
        clear.put((byte) log).put((byte) 0).put((byte) count).position(6);
        for (int i = 0; i < count; i++) {
            clear.putShort(records.getShort(32 + 128 * i + 20));
        }
        if (run(0x0101, clear.array()).code != 0) {
            throw new AssertionError("not cleared: log=" + log + " " + Arrays.toString(clear.array()));
        }
        return count;
    }
}

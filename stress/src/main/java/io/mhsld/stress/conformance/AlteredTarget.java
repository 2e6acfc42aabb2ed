package io.mhsld.stress.conformance;

import java.util.Arrays;
import java.util.Optional;

/** A device that answers wrong now and then: what the suite must find. */
final class AlteredTarget implements Target {
    /** What is wrong with its answers. */
    enum Mistake {
        /** A refusal says that it was done. */
        REFUSES_NOTHING,
        /** Invalid Input stands for every refusal. */
        ONE_REFUSAL_FOR_ALL,
        /** An answer has a byte too many. */
        LONG_ANSWERS,
        /** An answer ends too early. */
        SHORT_ANSWERS,
        /** The flag that more records follow is missing. */
        NO_MORE_FLAG,
        /** Extents that are only offered are counted among the accepted ones. */
        COUNTS_OFFERS,
        /** What is set is not kept. */
        FORGETS_SETTINGS,
        /** The Command Effects Log lists one command too few. */
        HIDES_A_COMMAND,
        /** What a host rejects stays offered. */
        KEEPS_OFFERS
    }

    private static final int MORE_OF_FIRST_RECORD = 85;

    private final Target inner;
    private final Mistake mistake;
    private boolean offered;

    AlteredTarget(Target inner, Mistake mistake) {
        this.inner = inner;
        this.mistake = mistake;
    }

    @Override
    public Optional<String> unreachable(Via via) {
        return inner.unreachable(via);
    }

    @Override
    public Answer send(Via via, int opcode, byte[] payload) {
        boolean isSetting = opcode == 0x0103 || opcode == 0x0301;
        boolean isRejection = opcode == 0x4802 && payload.length == 8 && offered;
        if (mistake == Mistake.FORGETS_SETTINGS && isSetting && payload.length > 0) {
            Answer real = inner.send(via, opcode, payload);
            inner.send(via, opcode, new byte[payload.length]);
            return real;
        }
        if (mistake == Mistake.KEEPS_OFFERS && isRejection) {
            // It is rejected all the same, so that the suite can go on; the list tells otherwise.
            inner.send(via, opcode, payload);
            return new Answer(2, new byte[0]);
        }
        Answer real = inner.send(via, opcode, payload);
        byte[] output = real.payload().clone();
        int code = real.code();
        switch (mistake) {
            case REFUSES_NOTHING -> code = opcode == 0x0401 || opcode == 0x0003 ? code : 0;
            case ONE_REFUSAL_FOR_ALL -> code = code > 1 && opcode != 0x0401 ? 2 : code;
            case LONG_ANSWERS -> output = opcode == 0x0401 ? output : Arrays.copyOf(output, output.length + 1);
            case SHORT_ANSWERS ->
                output = opcode == 0x0401 || output.length == 0 ? output : Arrays.copyOf(output, output.length - 1);
            case NO_MORE_FLAG -> {
                if (opcode == 0x0100 && output.length > MORE_OF_FIRST_RECORD) {
                    output[MORE_OF_FIRST_RECORD] = 0;
                }
            }
            case COUNTS_OFFERS -> {
                if (opcode == 0x4801 && offered && output.length == 16) {
                    output[0] = 1;
                }
            }
            case HIDES_A_COMMAND -> {
                if (opcode == 0x0401 && output.length == 4 && output[0] == 0x01 && output[1] == 0x48) {
                    output[0] = 0x00;
                }
            }
            default -> {
                // The mistake is in other commands.
            }
        }
        offered &= opcode != 0x4802;
        return new Answer(code, output);
    }

    @Override
    public int tunnelTypeLength() {
        return inner.tunnelTypeLength();
    }

    @Override
    public Optional<String> offer(long regionBaseDpa, long[]... dpasAndLengths) {
        offered = true;
        return inner.offer(regionBaseDpa, dpasAndLengths);
    }

    @Override
    public String toString() {
        return inner + ", altered: " + mistake;
    }

    @Override
    public void close() {
        inner.close();
    }
}

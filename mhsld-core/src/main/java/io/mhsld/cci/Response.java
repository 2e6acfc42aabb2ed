package io.mhsld.cci;

import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.Refusal;
import java.util.Optional;

/** What a command answers: a return code and, after success, an output payload. */
public final class Response {
    private static final byte[] NOTHING = {};

    private final ReturnCode code;
    private final byte[] payload;
    private final boolean isUndelivered;

    private Response(ReturnCode code, byte[] payload) {
        this(code, payload, false);
    }

    private Response(ReturnCode code, byte[] payload, boolean isUndelivered) {
        this.code = code;
        this.payload = payload;
        this.isUndelivered = isUndelivered;
    }

    /** Success with an output payload. */
    static Response of(Payload payload) {
        return new Response(ReturnCode.SUCCESS, payload.toBytes());
    }

    /** Success with raw bytes. */
    static Response of(byte[] payload) {
        return new Response(ReturnCode.SUCCESS, payload.clone());
    }

    /** An answer without payload. */
    static Response of(ReturnCode code) {
        return new Response(code, NOTHING);
    }

    /** Success without payload, or the code of the refusal. */
    static Response of(Optional<Refusal> refusal) {
        return of(refusal.map(r -> ReturnCode.of(r.cause())).orElse(ReturnCode.SUCCESS));
    }

    /** The command goes on in the background, if nothing else does. */
    static Response started(BackgroundOperations background, int opcode, BackgroundOperations.Work work) {
        Optional<Refusal> refusal = background.start(opcode, work);
        return refusal.isPresent() ? of(refusal) : of(ReturnCode.BACKGROUND_STARTED);
    }

    /** What another process answered for us. */
    public static Response received(ReturnCode code, byte[] payload) {
        return new Response(code, payload.clone());
    }

    /** In place of the answer of somebody who could not be asked, or did not answer. */
    public static Response undelivered(ReturnCode code) {
        return new Response(code, NOTHING, true);
    }

    /** How the command ended. */
    public ReturnCode code() {
        return code;
    }

    /** The output payload, empty after any error; a copy. */
    public byte[] payload() {
        return payload.clone();
    }

    /** True when the command was done. */
    public boolean isSuccess() {
        return code == ReturnCode.SUCCESS;
    }

    /** True when whoever had to answer has not. */
    boolean isUndelivered() {
        return isUndelivered;
    }

    void copyTo(byte[] destination, int offset) {
        System.arraycopy(payload, 0, destination, offset, payload.length);
    }

    int length() {
        return payload.length;
    }

    @Override
    public String toString() {
        return String.format("code=0x%04x (%s) length=%d", code.value(), code, payload.length);
    }
}

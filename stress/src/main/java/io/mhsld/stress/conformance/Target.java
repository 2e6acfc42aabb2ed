package io.mhsld.stress.conformance;

import java.util.Optional;

/** A device under test, as far as it can be reached. */
interface Target extends AutoCloseable {
    /** The interfaces that a command may go through. */
    enum Via {
        /** A head's primary mailbox. */
        MAILBOX,
        /** The same head's LD, by messages. */
        LD,
        /** The FM-owned LD: the device as a whole. */
        FM
    }

    /** What a device answers to a command. */
    final class Answer {
        private final int code;
        private final byte[] payload;

        /** @param code the return code; 0 is success */
        Answer(int code, byte[] payload) {
            this.code = code;
            this.payload = payload;
        }

        int code() {
            return code;
        }

        byte[] payload() {
            return payload;
        }
    }

    /** Why an interface cannot be reached; empty when it can be tried. */
    Optional<String> unreachable(Via via);

    /**
     * Sends one command and waits for its answer.
     *
     * @throws ConnectionLost when there is none, or it is none that a device could give
     */
    Answer send(Via via, int opcode, byte[] payload);

    /** Bytes before the header of a tunnelled message: its type, or nothing. */
    default int tunnelTypeLength() {
        return 0;
    }

    /** Offers capacity to the head, as a fabric manager would; empty when this was done, else why it cannot be. */
    Optional<String> offer(long regionBaseDpa, long[]... dpasAndLengths);

    @Override
    void close();

    /** A device that does not answer, or not as one. */
    final class ConnectionLost extends RuntimeException {
        private static final long serialVersionUID = 1;

        ConnectionLost(String message) {
            super(message);
        }

        ConnectionLost(String message, Throwable cause) {
            super(message, cause);
        }
    }
}

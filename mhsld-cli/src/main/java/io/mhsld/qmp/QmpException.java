package io.mhsld.qmp;

/** A QMP server cannot be reached, or does not answer as one. The message is one line for a person; there is nothing else to learn from it. */
public final class QmpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** With the line to show. */
    public QmpException(String message) {
        super(message);
    }

    /** With the line to show, and what the system said. */
    public QmpException(String message, Throwable cause) {
        super(message, cause);
    }
}

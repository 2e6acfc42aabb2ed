package io.mhsld.socket;

/** A socket cannot be listened on. The message is one line for a person; there is nothing else to learn from it. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** With the line to show. */
    public ListenException(String message) {
        super(message);
    }

    /** With the line to show, and what the system said. */
    public ListenException(String message, Throwable cause) {
        super(message, cause);
    }
}

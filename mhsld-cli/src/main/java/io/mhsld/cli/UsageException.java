package io.mhsld.cli;

/** The command line itself is wrong. The message is all there is to say. */
public final class UsageException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** With what is wrong, and which argument it is about. */
    public UsageException(String message) {
        super(message);
    }
}

package io.mhsld.state;

import java.nio.file.Path;

/** The state file cannot be used: it is missing, not ready, foreign, damaged, or the system does not let us. Nothing has been changed. */
public final class StateFileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What a caller may want to tell apart. */
    public enum Problem {
        /** There is no such file. */
        MISSING,
        /** Somebody has created it and not finished, or died before. */
        NOT_READY,
        /** It is not a state file, or not one that this version can read. */
        FOREIGN,
        /** It was one, and its content contradicts itself. */
        DAMAGED,
        /** Live heads use the device. */
        IN_USE,
        /** The operating system refuses: permission, space, input or output. */
        SYSTEM
    }

    private final Problem problem;

    /** The message is the cause with its {@code name=value} pairs; the file is put last. */
    public StateFileException(Problem problem, String cause, Path file) {
        this(problem, cause, file, null);
    }

    /** As above, with the exception of the system that led to it. */
    public StateFileException(Problem problem, String cause, Path file, Throwable reason) {
        super(cause + (cause.contains(": ") ? " " : ": ") + "file=" + file, reason);
        this.problem = problem;
    }

    /** What is wrong, for callers that wait or choose an exit code. */
    public Problem problem() {
        return problem;
    }
}

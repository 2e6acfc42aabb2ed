package io.mhsld.cli;

/** The exit codes of every verb. */
public enum ExitCode {
    /** What was asked for was done, or is so. */
    DONE(0, "done"),
    /** The device, a head or a check said no; nothing was changed. */
    REFUSED(1, "refused"),
    /** The command line itself is wrong. */
    USAGE(2, "usage"),
    /** The state file, or the media file, is missing, foreign, damaged, or the system denies it. */
    STATE_FILE_UNUSABLE(3, "state file unusable"),
    /** Nobody is that head, so nobody can do it. */
    HEAD_NOT_RUNNING(4, "head not running"),
    /** A defect of mhsld. */
    INTERNAL(70, "internal error");

    private final int number;
    private final String words;

    ExitCode(int number, String words) {
        this.number = number;
        this.words = words;
    }

    /** What the shell sees. */
    public int number() {
        return number;
    }

    /** For the help text. */
    public String words() {
        return words;
    }
}

package io.mhsld.head;

/** Where a head says, line by line, what happens to its capacity. */
public interface HeadLog {
    /** One line: a lower-case cause, then {@code name=value} pairs. */
    void line(String text);

    /** Formats and says one line. */
    default void say(String format, Object... arguments) {
        line(String.format(format, arguments));
    }
}

package io.mhsld.qmp;

/** What a command does. Runs on the loop's thread, with arguments that fit the command's row. */
@FunctionalInterface
public interface QmpHandler {
    /**
     * Does it. A refusal is a {@link QmpError}; a {@link RuntimeException} is damage, which is answered as an internal error, goes to the
     * error sink of the server and ends nothing.
     */
    QmpReply handle(QmpArguments arguments);
}

package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.ERROR_LOG_LENGTH;

import java.util.OptionalInt;
import org.agrona.concurrent.AtomicBuffer;

/**
 * Whether the records of a head's error log (Agrona's distinct error log) follow one another as they must. Readers go by the lengths in it, so a
 * wrong one hides what comes after, or shows what was never said.
 */
final class ErrorLogCheck {
    /** Agrona's record: length, count, last and first observation, then the text. */
    private static final int COUNT_OFFSET = 4;

    private static final int LAST_OFFSET = 8;
    private static final int FIRST_OFFSET = 16;
    private static final int TEXT_OFFSET = 24;
    private static final int ALIGNMENT = 8;

    private ErrorLogCheck() {}

    /** Where in the log the first record stands that cannot be one. */
    static OptionalInt firstWrong(AtomicBuffer log) {
        for (int offset = 0; offset <= ERROR_LOG_LENGTH - TEXT_OFFSET; ) {
            int length = log.getIntVolatile(offset);
            if (length == 0) {
                return OptionalInt.empty();
            }
            // A record may be seen before it has been counted, so 0 is a number of times too.
            boolean isRecord = length >= TEXT_OFFSET
                    && length <= ERROR_LOG_LENGTH - offset
                    && log.getInt(offset + COUNT_OFFSET) >= 0
                    && isTime(log.getLong(offset + LAST_OFFSET))
                    && isTime(log.getLong(offset + FIRST_OFFSET));
            if (!isRecord) {
                return OptionalInt.of(offset);
            }
            offset += (length + ALIGNMENT - 1) & -ALIGNMENT;
        }
        return OptionalInt.empty();
    }

    /** Repair: the log ends where it goes wrong. The head's lease is held. */
    static void cut(AtomicBuffer log, int offset) {
        SharedMemory.clear(log, offset);
    }

    private static boolean isTime(long ms) {
        return ms >= 0 && ms <= RowCheck.LAST_TIME_MS;
    }
}

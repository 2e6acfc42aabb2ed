package io.mhsld.type3;

import java.util.List;
import java.util.Optional;

/** The lines of the media that are known to be bad: reading one is an error (CXL r3.1 8.2.9.9.4). */
public interface MediaPoison {
    /** Records that the list holds. */
    int MAX_RECORDS = 256;

    /** Granule of poison. */
    int LINE_BYTES = 64;

    /** Why a line is poisoned. */
    enum Source {
        UNKNOWN(0),
        EXTERNAL(1),
        INTERNAL(2),
        INJECTED(3),
        VENDOR(7);

        private final int value;

        Source(int value) {
            this.value = value;
        }

        /** Its number in the poison list. */
        public int value() {
            return value;
        }
    }

    /** A run of poisoned lines. */
    record Line(long dpa, long lengthBytes, Source source) {}

    /** Poisons the range, which must consist of whole lines. */
    Optional<Refusal> inject(long dpa, long lengthBytes, Source source);

    /** Writes 64 bytes to a line, which is not poisoned afterwards. */
    Optional<Refusal> clear(long dpa, byte[] data64);

    /** True when a byte of the range is poisoned. */
    boolean isPoisoned(long dpa, long lengthBytes);

    /** What is poisoned in the range. */
    List<Line> lines(long dpa, long lengthBytes);

    /** True when the list could not hold all that was poisoned. */
    boolean hasOverflowed();

    /** Device time when that happened, 0 when it did not. */
    long overflowTimestampNs();
}

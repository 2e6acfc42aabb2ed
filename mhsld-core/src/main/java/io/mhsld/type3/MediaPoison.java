package io.mhsld.type3;

import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Which lines of the media are poisoned: reads of them are errors until they are cleared or scrubbed; writes change the bytes and leave the
 * poison (CXL r3.1 8.2.9.9.4). What is beyond the list's {@link #MAX_RECORDS} is poisoned all the same, and only a scan tells of it.
 *
 * <p>Ranges lie in the device's address space, and injected ones in one region, and are whole lines; whoever calls has checked that. On a multi-headed device an implementation refuses blocks of
 * other heads with {@code OWNED_BY_OTHER_HEAD} and does not list them.
 */
public interface MediaPoison {
    /** Records that the poison list holds, and how many of them Inject Poison may make. */
    int MAX_RECORDS = 256;

    /** What is poisoned or cleared at once. */
    int LINE_BYTES = 64;

    /** Where poison comes from (CXL r3.1 8.2.9.9.4.1, table 8-140). */
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

        /** The number in a Media Error Record. */
        public int value() {
            return value;
        }
    }

    /**
     * Poisoned lines side by side.
     *
     * @param dpa a multiple of the line length
     * @param lengthBytes a multiple of the line length
     */
    record Line(long dpa, long lengthBytes, Source source) {
        /** First byte after it. */
        public long endDpa() {
            return dpa + lengthBytes;
        }
    }

    /** Writes one line, if the host may touch it; where it may not, nothing is written, for then nobody reads it before a scrub. */
    interface LineWriter {
        /** Refused with {@code NO_SPACE} only. */
        Optional<Refusal> write(long dpa, byte[] line);
    }

    /** Makes the poison of one device. */
    interface Factory {
        /**
         * The poison of a device, none at first.
         *
         * @param timestampNs the device's time
         */
        MediaPoison make(LongSupplier timestampNs, LineWriter writer);

        /** Poison that this process alone knows of. */
        Factory IN_MEMORY = InMemoryPoison::new;
    }

    /**
     * Poisons a range. Refused with {@code ALREADY_POISONED} when some of it is, and with {@code POISON_LIMIT} when the list is full: an
     * {@code INJECTED} one then, others only when there is no room at all to remember them; then the list overflows. {@code BUSY} when others know
     * of it too and could not be told.
     */
    Optional<Refusal> inject(long dpa, long lengthBytes, Source source);

    /**
     * Clears one line; it holds the 64 bytes then, if the host may touch it. A line that is not poisoned is written as well. Refused as by
     * {@link #scrubbed} and by the {@link LineWriter}, and then it is as poisoned as it was.
     */
    Optional<Refusal> clear(long dpa, byte[] data64);

    /**
     * The range has been overwritten by the device itself: it is not poisoned any more. Waits for nobody.
     *
     * @return empty when done; {@code BUSY} when others, who know of it too, cannot be told at this moment, or {@code POISON_LIMIT} when it lies in the middle of
     *     poison and two pieces could not be remembered
     */
    Optional<Refusal> scrubbed(long dpa, long lengthBytes);

    /**
     * Capacity is about to be offered that its hooks have reserved, so its memory has been scrubbed. Not told of what is joined. Hooks that know of
     * the poison have taken it out of what they reserve, before anybody else could know of it: such poison has nothing to do here.
     */
    default void reserved(Extent extent) {}

    /** Is any byte of [dpa, dpa + length) poisoned? Not only whole lines, any thread; costs a load while nothing is. */
    boolean isPoisoned(long dpa, long lengthBytes);

    /** What the list has of [dpa, dpa + length), by address, cut to it. */
    List<Line> lines(long dpa, long lengthBytes);

    /** What is really poisoned in [dpa, dpa + length), by address, cut to it, whether the list had room for it or not. */
    List<Line> scan(long dpa, long lengthBytes);

    /**
     * After a scan that went over the whole device: the list takes what it has room for now, and has overflowed only if that was not all. Where others
     * could not be told of it, it stays as it is until the next scan.
     */
    void recover();

    /** True from the first record that the list had no room for, until a scan has recovered all. */
    boolean hasOverflowed();

    /** Device time of the first such record, 0 when there was none. */
    long overflowTimestampNs();
}

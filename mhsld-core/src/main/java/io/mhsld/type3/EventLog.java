package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * One event log of the device (CXL r3.1 8.2.9.2.2): a bounded queue that the host reads and then clears by handle, oldest first. A record
 * that finds the log full is lost, and the log says how many were and when, until the host has cleared it.
 */
public final class EventLog {
    /** The logs in the order of their numbers in Get Event Records. */
    public enum Kind {
        INFORMATIONAL(0),
        WARNING(1),
        FAILURE(2),
        FATAL(3),
        DYNAMIC_CAPACITY(4);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        /** The log's number in Get Event Records. */
        public int number() {
            return number;
        }

        /** The log's bit in the event status register (CXL r3.1 8.2.8.3.1). */
        public int statusBit() {
            return 1 << number;
        }

        /** Lower case, with hyphens. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final int MAX_HANDLE = 0xFFFF;

    private final int depth;
    private final LongSupplier timestampNs;
    private final ArrayDeque<EventRecord> records = new ArrayDeque<>();

    /** What was appended lately, cleared or not: for people who look over the host's shoulder. */
    private final ArrayDeque<EventRecord> recent = new ArrayDeque<>();

    private Runnable firstRecordListener = () -> {};
    private long appendedCount;
    private int lastHandle;
    private int overflowCount;
    private long firstOverflowNs;
    private long lastOverflowNs;

    /**
     * @param depth how many records the log holds, below 65536: each needs a handle of its own, and since records leave oldest first, a handle
     *     comes round again only after its record has left
     */
    EventLog(int depth, LongSupplier timestampNs) {
        if (depth < 1 || depth > MAX_HANDLE) {
            throw new IllegalArgumentException("log depth out of range: depth=" + depth + " max=" + MAX_HANDLE);
        }
        this.depth = depth;
        this.timestampNs = timestampNs;
    }

    /** How many records the log can hold. */
    public int depth() {
        return depth;
    }

    /** How many more records fit now. */
    public int free() {
        return depth - records.size();
    }

    /** Called whenever the log was empty and no longer is: what an interrupt tells (CXL r3.1 8.2.9.2.4). One listener. */
    void onFirstRecord(Runnable listener) {
        firstRecordListener = listener;
    }

    /** Appends a record; false when the log was full and the record is lost. */
    public boolean append(EventHeader header, EventBody body) {
        long now = timestampNs.getAsLong();
        if (free() == 0) {
            firstOverflowNs = overflowCount == 0 ? now : firstOverflowNs;
            lastOverflowNs = now;
            overflowCount = Math.min(overflowCount + 1, 0xFFFF);
            return false;
        }
        lastHandle = lastHandle == MAX_HANDLE ? 1 : lastHandle + 1;
        EventRecord record = new EventRecord(lastHandle, now, header, body);
        records.add(record);
        recent.add(record);
        if (recent.size() > depth) {
            recent.remove();
        }
        appendedCount++;
        if (records.size() == 1) {
            firstRecordListener.run();
        }
        return true;
    }

    /** How many records were ever appended. */
    public long appendedCount() {
        return appendedCount;
    }

    /**
     * The records that were appended after the first {@code count}, whether the host has cleared them or not; of those, the last ones, no more
     * than the log is deep.
     */
    public List<EventRecord> appendedAfter(long count) {
        // The new ones are few, and at the end.
        long wanted = Math.min(recent.size(), appendedCount - count);
        ArrayDeque<EventRecord> newest = new ArrayDeque<>();
        for (Iterator<EventRecord> each = recent.descendingIterator(); newest.size() < wanted; ) {
            newest.addFirst(each.next());
        }
        return List.copyOf(newest);
    }

    /** The oldest records, at most {@code limit}. */
    public List<EventRecord> oldest(int limit) {
        int count = Math.min(limit, records.size());
        if (count == 0) {
            return List.of();
        }
        List<EventRecord> oldest = new ArrayList<>(count);
        for (EventRecord record : records) {
            oldest.add(record);
            if (oldest.size() == count) {
                break;
            }
        }
        return Collections.unmodifiableList(oldest);
    }

    /** Number of records in the log. */
    public int size() {
        return records.size();
    }

    /** Records lost since the log was last cleared below its depth; stops at 65535. */
    public int overflowCount() {
        return overflowCount;
    }

    /** Device time of the first lost record, 0 when none was lost. */
    public long firstOverflowNs() {
        return firstOverflowNs;
    }

    /** Device time of the last lost record, 0 when none was lost. */
    public long lastOverflowNs() {
        return lastOverflowNs;
    }

    /** Removes the oldest records; the handles must be exactly theirs, in order, else {@code HANDLE_INVALID} and nothing is removed. */
    public Optional<Refusal> clear(int[] handles) {
        if (handles.length > records.size()) {
            return Refusal.of(Cause.HANDLE_INVALID, "handles=%d records=%d", handles.length, records.size());
        }
        int position = 0;
        for (EventRecord record : oldest(handles.length)) {
            if (record.handle() != handles[position]) {
                return Refusal.of(
                        Cause.HANDLE_INVALID,
                        "handle=%d expected=%d position=%d",
                        handles[position],
                        record.handle(),
                        position);
            }
            position++;
        }
        for (int i = 0; i < handles.length; i++) {
            records.remove();
        }
        if (handles.length > 0) {
            forgetOverflow();
        }
        return Optional.empty();
    }

    /** Empties the log. */
    public void clearAll() {
        records.clear();
        forgetOverflow();
    }

    private void forgetOverflow() {
        overflowCount = 0;
        firstOverflowNs = 0;
        lastOverflowNs = 0;
    }
}

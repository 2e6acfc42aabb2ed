package io.mhsld.stress.history;

import java.util.Arrays;

/** A set of numbers that can be walked in the order in which they came, made to be emptied and filled often. */
final class Configurations {
    /** More mean a history in which everything overlaps everything, which is no use to anybody. */
    private static final int LIMIT = 4_000_000;

    private long[] items = new long[64];
    private int size;
    private long[] table = new long[256];
    private int[] stamps = new int[256];
    private int stamp = 1;

    int size() {
        return size;
    }

    long get(int index) {
        return items[index];
    }

    boolean isEmpty() {
        return size == 0;
    }

    void clear() {
        size = 0;
        if (++stamp == 0) {
            Arrays.fill(stamps, 0);
            stamp = 1;
        }
    }

    void add(long item) {
        if (!insert(item)) {
            return;
        }
        if (size == items.length) {
            if (size >= LIMIT) {
                throw new IllegalStateException("history too concurrent to be checked: configurations=" + size);
            }
            items = Arrays.copyOf(items, size * 2);
        }
        items[size++] = item;
        if (size * 2 > table.length) {
            table = new long[table.length * 4];
            stamps = new int[table.length];
            stamp = 1;
            for (int i = 0; i < size; i++) {
                insert(items[i]);
            }
        }
    }

    private boolean insert(long item) {
        long hash = item * 0x9E37_79B9_7F4A_7C15L;
        int mask = table.length - 1;
        int place = (int) (hash >>> 32) & mask;
        while (stamps[place] == stamp) {
            if (table[place] == item) {
                return false;
            }
            place = (place + 1) & mask;
        }
        stamps[place] = stamp;
        table[place] = item;
        return true;
    }
}

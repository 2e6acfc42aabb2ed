package io.mhsld.type3;

import java.util.stream.LongStream;

/** Seeds of random tests: {@code -Dmhsld.seed=N} runs one again. Failures print theirs. */
public final class Seeds {
    private Seeds() {}

    public static LongStream of(int count) {
        Long wanted = Long.getLong("mhsld.seed");
        return wanted == null ? LongStream.rangeClosed(1, count) : LongStream.of(wanted);
    }
}

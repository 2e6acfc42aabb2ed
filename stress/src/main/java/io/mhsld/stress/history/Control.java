package io.mhsld.stress.history;

import io.mhsld.stress.process.SharedFile;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;

/** What parent and heads tell each other while they are at work, in a file that all have mapped. */
final class Control {
    private static final int OPERATIONS = 0;
    private static final int LIMIT = 128;
    private static final int STOP = 256;
    private static final int LATEST_TIME = 384;
    private static final int CLOCK_ERRORS = 512;
    private static final int READY = 640;
    private static final int READY_LENGTH = 128;
    private static final int LENGTH = 16 << 10;

    private final UnsafeBuffer memory;

    private Control(UnsafeBuffer memory) {
        this.memory = memory;
    }

    static Control map(Path file) {
        return new Control(SharedFile.map(file, LENGTH));
    }

    /** How many operations all heads have done. */
    long operations() {
        return memory.getLongVolatile(OPERATIONS);
    }

    void addOperations(long count) {
        memory.getAndAddLong(OPERATIONS, count);
    }

    /** With so many operations the heads pause. */
    long limit() {
        return memory.getLongVolatile(LIMIT);
    }

    void setLimit(long operations) {
        memory.putLongVolatile(LIMIT, operations);
    }

    boolean isStopped() {
        return memory.getLongVolatile(STOP) != 0;
    }

    void stop() {
        memory.putLongVolatile(STOP, 1);
    }

    /** Which generation of a process is at work as head number so-and-so; 0 before any. */
    long readyGeneration(int number) {
        return memory.getLongVolatile(READY + number * READY_LENGTH);
    }

    void setReadyGeneration(int number, int generation) {
        memory.putLongVolatile(READY + number * READY_LENGTH, generation);
    }

    /**
     * Looks whether the clock has gone back since any process looked: then times of different processes could not be compared, and no history
     * were worth anything.
     */
    void checkClock() {
        long latest = memory.getLongVolatile(LATEST_TIME);
        long now = System.nanoTime();
        if (latest != 0 && now - latest < 0) {
            memory.getAndAddLong(CLOCK_ERRORS, 1);
        }
        while ((latest == 0 || now - latest > 0) && !memory.compareAndSetLong(LATEST_TIME, latest, now)) {
            latest = memory.getLongVolatile(LATEST_TIME);
        }
    }

    long clockErrors() {
        return memory.getLongVolatile(CLOCK_ERRORS);
    }
}

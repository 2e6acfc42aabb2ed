package io.mhsld.state;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A section of the mapped state file, and the one narrow place through which every load and store of shared memory goes. The ordering is part of
 * each method's name. Offsets are relative to the section and checked against its length.
 *
 * <p>A {@link Step} can be put before every one of them, to count, to stop or to die there; without one the test for it is gone once compiled.
 */
public final class SharedMemory {
    /** Names a class with a public constructor that implements {@link Step}; for the crash and interleaving tests only. */
    public static final String STEP_PROPERTY = "mhsld.step";

    /** Called before each load and store of shared memory, on the thread that does it. */
    public interface Step {
        /**
         * A store is about to happen.
         *
         * @param section which part of the file
         * @param offset where in it
         */
        void beforeStore(String section, long offset);

        /** A load is about to happen; parameters as above. */
        default void beforeLoad(String section, long offset) {}

        /** The thread has come to a step that has a name. */
        default void reached(CrashPoint point) {}
    }

    private static final Step STEP = loadStep();
    private static final AtomicBoolean isWarm = new AtomicBoolean();

    /** More calls than the JVM interprets before it compiles. */
    private static final int COLD_SWAPS = 1 << 15;

    /** Swaps of {@link #warmUp} that are timed together. */
    private static final int WARM_SWAPS = 2_000;

    /** One that is compiled takes less, one that is interpreted several times as long. */
    private static final long COMPILED_SWAP_NS = 90;

    /** The compiler has a thread of its own, which may have other things to do. */
    private static final long WARM_UP_NS = 100_000_000;

    /** Always 0; not final, or the compiler would know. */
    private static int noBytes;

    /** Goes down to 0; threads may lose some of each other's steps, which does no harm. */
    private static int coldSwaps = COLD_SWAPS;

    private final String section;
    /** The class rather than its interface: it saves a check of its type after each atomic, which the owner map would notice. */
    private final UnsafeBuffer buffer;

    private final boolean readOnly;

    SharedMemory(String section, UnsafeBuffer buffer) {
        buffer.verifyAlignment();
        this.section = section;
        this.buffer = buffer;
        this.readOnly = buffer.byteBuffer() != null && buffer.byteBuffer().isReadOnly();
    }

    int lengthBytes() {
        return buffer.capacity();
    }

    long getLongVolatile(int offset) {
        stepBeforeLoad(offset);
        return buffer.getLongVolatile(offset);
    }

    long getLongAcquire(int offset) {
        stepBeforeLoad(offset);
        return buffer.getLongAcquire(offset);
    }

    int getIntAcquire(int offset) {
        stepBeforeLoad(offset);
        return buffer.getIntAcquire(offset);
    }

    long getLongPlain(int offset) {
        stepBeforeLoad(offset);
        return buffer.getLong(offset);
    }

    int getIntPlain(int offset) {
        stepBeforeLoad(offset);
        return buffer.getInt(offset);
    }

    void putLongPlain(int offset, long value) {
        stepBeforeStore(offset);
        buffer.putLong(offset, value);
    }

    void putIntPlain(int offset, int value) {
        stepBeforeStore(offset);
        buffer.putInt(offset, value);
    }

    void putBytesPlain(int offset, byte[] bytes) {
        stepBeforeStore(offset);
        buffer.putBytes(offset, bytes);
    }

    byte[] getBytesPlain(int offset, int lengthBytes) {
        stepBeforeLoad(offset);
        byte[] bytes = new byte[lengthBytes];
        buffer.getBytes(offset, bytes);
        return bytes;
    }

    void putLongRelease(int offset, long value) {
        stepBeforeStore(offset);
        buffer.putLongRelease(offset, value);
    }

    void putIntRelease(int offset, int value) {
        stepBeforeStore(offset);
        buffer.putIntRelease(offset, value);
    }

    boolean compareAndSetLong(int offset, long expected, long update) {
        stepBeforeStore(offset);
        if (coldSwaps > 0) {
            coldSwaps--;
            // A compare-and-swap that is interpreted, not compiled, takes the JVM down when the file has been cut; a
            // read does not.
            buffer.getLongVolatile(offset);
            surfaceFault();
        }
        return buffer.compareAndSetLong(offset, expected, update);
    }

    /**
     * Returns when the JVM has compiled the compare-and-swap, or does not hurry to: one that is compiled ends in an error when the file is cut under
     * it, one that is interpreted takes the JVM down. Some milliseconds, once.
     */
    static void warmUp() {
        if (STEP != null || !isWarm.compareAndSet(false, true)) {
            return;
        }
        SharedMemory scratch = new SharedMemory("scratch", new UnsafeBuffer(ByteBuffer.allocateDirect(2 * Long.BYTES)));
        long startNs = System.nanoTime();
        long beganNs;
        do {
            beganNs = System.nanoTime();
            for (int i = 0; i < WARM_SWAPS; i++) {
                scratch.compareAndSetLong(0, i, i + 1L);
            }
            scratch.putLongPlain(0, 0);
        } while (System.nanoTime() - beganNs > WARM_SWAPS * COMPILED_SWAP_NS && beganNs - startNs < WARM_UP_NS);
    }

    /**
     * Throws the {@link InternalError} of a fault in mapped memory, if there has been one on this thread: whatever was read from, or done to, a
     * file that has been cut is void. The JVM throws it when the thread next enters its runtime, which it may not do for long; an array whose
     * sizes are not constant enters it always (some 20 ns).
     */
    static void surfaceFault() {
        enterRuntime();
    }

    private static byte[][] enterRuntime() {
        return new byte[noBytes][noBytes];
    }

    /** Sets longs to zero, one by one: up to Java 17 a fault in the JVM's own routine for it cannot be caught. */
    static void clear(AtomicBuffer buffer, int offset) {
        for (int at = offset; at < buffer.capacity(); at += Long.BYTES) {
            buffer.putLong(at, 0);
        }
    }

    /** True when a {@link Step} is in place. */
    static boolean isWatched() {
        return STEP != null;
    }

    static void passed(CrashPoint point) {
        if (STEP != null) {
            STEP.reached(point);
        }
    }

    private void stepBeforeLoad(int offset) {
        if (STEP != null) {
            STEP.beforeLoad(section, offset);
        }
    }

    private void stepBeforeStore(int offset) {
        if (readOnly) {
            // The store itself would take the process down.
            throw new IllegalStateException("state file is mapped for reading only: section=" + section);
        }
        if (STEP != null) {
            STEP.beforeStore(section, offset);
        }
    }

    private static Step loadStep() {
        String name = System.getProperty(STEP_PROPERTY);
        if (name == null) {
            return null;
        }
        try {
            return Class.forName(name)
                    .asSubclass(Step.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("no such step class: " + STEP_PROPERTY + "=" + name, e);
        }
    }
}

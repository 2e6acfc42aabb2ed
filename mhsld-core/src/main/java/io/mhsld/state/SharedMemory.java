package io.mhsld.state;

import org.agrona.concurrent.UnsafeBuffer;

/**
 * A section of the mapped state file, and the one narrow place through which every store to shared memory goes. The ordering is part of each
 * method's name. Offsets are relative to the section and checked against its length.
 *
 * <p>A {@link Step} can be put before every store, to count, to stop or to die there; without one the test for it is gone once compiled.
 */
public final class SharedMemory {
    /** Names a class with a public constructor that implements {@link Step}; for the crash and interleaving tests only. */
    public static final String STEP_PROPERTY = "mhsld.step";

    /** Called before each store to shared memory, on the storing thread. */
    public interface Step {
        /**
         * A store is about to happen.
         *
         * @param section which part of the file
         * @param offset where in it
         */
        void beforeStore(String section, long offset);
    }

    private static final Step STEP = loadStep();

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
        return buffer.getLongVolatile(offset);
    }

    long getLongAcquire(int offset) {
        return buffer.getLongAcquire(offset);
    }

    int getIntAcquire(int offset) {
        return buffer.getIntAcquire(offset);
    }

    long getLongPlain(int offset) {
        return buffer.getLong(offset);
    }

    int getIntPlain(int offset) {
        return buffer.getInt(offset);
    }

    void putLongPlain(int offset, long value) {
        step(offset);
        buffer.putLong(offset, value);
    }

    void putIntPlain(int offset, int value) {
        step(offset);
        buffer.putInt(offset, value);
    }

    void putBytesPlain(int offset, byte[] bytes) {
        step(offset);
        buffer.putBytes(offset, bytes);
    }

    byte[] getBytesPlain(int offset, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        buffer.getBytes(offset, bytes);
        return bytes;
    }

    void putLongRelease(int offset, long value) {
        step(offset);
        buffer.putLongRelease(offset, value);
    }

    void putIntRelease(int offset, int value) {
        step(offset);
        buffer.putIntRelease(offset, value);
    }

    boolean compareAndSetLong(int offset, long expected, long update) {
        step(offset);
        return buffer.compareAndSetLong(offset, expected, update);
    }

    private void step(int offset) {
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

package io.mhsld.type3;

import java.util.List;

/**
 * Told of every change of the extent lists, so that they can be seen from outside the process. {@code begin} and {@code end} bracket one
 * operation: between them owner map and lists may disagree, outside of them they may not (invariant I2).
 */
public interface ExtentJournal {
    /** What the lists go through. */
    enum Operation {
        /** Capacity is offered. */
        ADD,
        /** The host accepts an offer, or parts of it. */
        ACCEPT,
        /** The host accepts nothing of an offer. */
        REJECT,
        /** The host releases. */
        RELEASE,
        /** The fabric manager takes away. */
        FORCED_RELEASE,
        /** Everything is dropped. */
        RESET
    }

    /** An operation starts. */
    void begin(Operation operation);

    /** The lists are now these: at most {@link DynamicCapacity#MAX_EXTENTS} extents over both. */
    void record(List<Extent> accepted, List<PendingGroup> pending, int generation);

    /**
     * The same, from one who knows what has changed. The accepted extents are shown, not handed over: the list changes afterwards.
     *
     * @param unchanged so many accepted extents, the first ones, are the same objects as in the last record
     */
    default void record(List<Extent> accepted, int unchanged, List<PendingGroup> pending, int generation) {
        record(List.copyOf(accepted), pending, generation);
    }

    /** The operation is over, done or refused. */
    void end();

    /** Nobody looks. */
    ExtentJournal NONE = new ExtentJournal() {
        @Override
        public void begin(Operation operation) {}

        @Override
        public void record(List<Extent> accepted, List<PendingGroup> pending, int generation) {}

        @Override
        public void record(List<Extent> accepted, int unchanged, List<PendingGroup> pending, int generation) {}

        @Override
        public void end() {}
    };
}

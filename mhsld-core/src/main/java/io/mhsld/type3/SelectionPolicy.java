package io.mhsld.type3;

import java.util.Optional;

/** How the capacity of an add is chosen (CXL r3.1 7.6.7.6.5, table 7-92, selection policy). */
public enum SelectionPolicy {
    /** The device chooses, and may split over its free space. */
    FREE(0),
    /** The device chooses one run. */
    CONTIGUOUS(1),
    /** The request says which. */
    PRESCRIPTIVE(2),
    /** The extents that a tag has already: this host joins those that share them. */
    ENABLE_SHARED_ACCESS(3);

    private final int value;

    SelectionPolicy(int value) {
        this.value = value;
    }

    /** The number in a request. */
    public int value() {
        return value;
    }

    /** The policy of a number, empty when there is none. */
    public static Optional<SelectionPolicy> of(int value) {
        return value >= 0 && value < values().length ? Optional.of(values()[value]) : Optional.empty();
    }
}

package io.mhsld.type3;

import java.util.Optional;

/** How the capacity of a release is chosen (CXL r3.1 7.6.7.6.6, table 7-93, removal policy). */
public enum RemovalPolicy {
    /** What has the tag. */
    TAG_BASED(0),
    /** The request says which. */
    PRESCRIPTIVE(1);

    private final int value;

    RemovalPolicy(int value) {
        this.value = value;
    }

    /** The number in a request. */
    public int value() {
        return value;
    }

    /** The policy of a number, empty when there is none. */
    public static Optional<RemovalPolicy> of(int value) {
        return value >= 0 && value < values().length ? Optional.of(values()[value]) : Optional.empty();
    }
}

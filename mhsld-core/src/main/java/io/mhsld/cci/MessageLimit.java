package io.mhsld.cci;

/**
 * How long the payload of an answer may be on one interface that is reached by messages: 2^n bytes, of which the client chooses n
 * (CXL r3.1 8.2.9.1.3, 8.2.9.1.4).
 */
final class MessageLimit {
    /** The specification's least. */
    static final int MIN_EXPONENT = 8;

    private final int maxExponent;
    private int exponent;

    /** @param maxBytes what the interface can answer at most, a power of two */
    MessageLimit(int maxBytes) {
        this.maxExponent = Integer.numberOfTrailingZeros(maxBytes);
        this.exponent = maxExponent;
    }

    int maxExponent() {
        return maxExponent;
    }

    int exponent() {
        return exponent;
    }

    int bytes() {
        return 1 << exponent;
    }

    /** False, and nothing changed, for a limit that there cannot be. */
    boolean trySet(int newExponent) {
        boolean isAllowed = newExponent >= MIN_EXPONENT && newExponent <= maxExponent;
        exponent = isAllowed ? newExponent : exponent;
        return isAllowed;
    }

    /** As at the begin. */
    void reset() {
        exponent = maxExponent;
    }
}

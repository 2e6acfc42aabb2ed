package io.mhsld.stress.simulation;

/** Something that must hold at every moment did not. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Violation(String invariant, String format, Object... values) {
        super(invariant + " " + format.formatted(values));
    }

    /** A defect of the product, or of the simulation, that showed as an exception. */
    Violation(Throwable failure) {
        super(failure);
    }
}

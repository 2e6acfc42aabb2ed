package io.mhsld.stress.fuzz;

/** The proof of the harness: a defect behind a few bytes that nobody guesses, which must be found within seconds. No seed has them. */
public final class Broken {
    private Broken() {}

    /** Fails when the planted defect is met. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        Input input = new Input(bytes);
        if (input.u8() == 'M' && input.u8() == 'H' && input.u8() == 'S' && input.u8() == 'L' && input.u8() == 'D') {
            throw new AssertionError("planted");
        }
    }
}

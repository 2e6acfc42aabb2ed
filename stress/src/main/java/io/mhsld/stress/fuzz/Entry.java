package io.mhsld.stress.fuzz;

import java.nio.file.Path;

/**
 * What Jazzer calls. Before the first input that counts, the inputs that were put there by hand are run once: what is set up, loaded and instrumented
 * with them must not be taken for an input that takes too long.
 */
public final class Entry {
    static final String TARGET_PROPERTY = "mhsld.fuzz.target";
    static final String CORPUS_PROPERTY = "mhsld.fuzz.corpus";

    private static FuzzTarget target;

    private Entry() {}

    /** Once, at the start. */
    public static void fuzzerInitialize() {
        String name = System.getProperty(TARGET_PROPERTY);
        target = FuzzTarget.named(name).orElse(FuzzTarget.BROKEN);
        Corpus corpus = new Corpus(target, Path.of(System.getProperty(CORPUS_PROPERTY)));
        for (Path input : corpus.inputs()) {
            try {
                if (!Corpus.isFound(input)) {
                    target.run(Corpus.read(input));
                }
            } catch (Throwable e) {
                // It is run again, and then it counts.
            }
        }
    }

    /** Each input. */
    public static void fuzzerTestOneInput(byte[] bytes) throws Throwable {
        target.run(bytes);
    }
}

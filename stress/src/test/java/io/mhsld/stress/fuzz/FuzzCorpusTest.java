package io.mhsld.stress.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every input that the fuzzer ever thought worth keeping, on the JVM that runs the tests. */
@Tag("one-java")
class FuzzCorpusTest {
    private static final Path ROOT = Path.of("src", "fuzz");
    private static final int INPUTS_LIMIT = 300;
    private static final long LENGTH_LIMIT = 2 << 20;

    static List<FuzzTarget> targets() {
        return FuzzTarget.ALL;
    }

    @ParameterizedTest
    @MethodSource("targets")
    void shouldStandEveryInputThatIsKept(FuzzTarget target) {
        Corpus corpus = new Corpus(target, ROOT.resolve(target.name()));

        assertFalse(corpus.inputs().isEmpty(), "no inputs");
        assertTrue(
                corpus.inputs().size() <= INPUTS_LIMIT,
                "inputs=" + corpus.inputs().size());
        List<Corpus.Failure> failures = corpus.run();
        assertTrue(
                failures.isEmpty(),
                () -> failures.stream()
                        .map(failure -> failure.input() + ": " + FuzzTarget.firstLines(failure.cause()))
                        .collect(Collectors.joining("\n")));
    }

    @Test
    void shouldFailWithAnInputThatFails() {
        assertNull(Corpus.run(FuzzTarget.BROKEN, "MHSL".getBytes(StandardCharsets.US_ASCII)));

        Throwable failure = Corpus.run(FuzzTarget.BROKEN, "MHSLD and more".getBytes(StandardCharsets.US_ASCII));
        assertEquals("planted", failure.getMessage());
    }

    @Test
    void shouldKeepInputsOfTargetsOnlyAndNotTooMuch() throws IOException {
        Set<String> folders = new TreeSet<>();
        try (Stream<Path> files = Files.list(ROOT)) {
            files.filter(Files::isDirectory)
                    .forEach(folder -> folders.add(folder.getFileName().toString()));
        }
        assertEquals(
                FuzzTarget.ALL.stream().map(FuzzTarget::name).collect(Collectors.toCollection(TreeSet::new)), folders);
        long length = 0;
        try (Stream<Path> files = Files.walk(ROOT)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                length += Files.size(file);
            }
        }
        assertTrue(length < LENGTH_LIMIT, "length=" + length);
    }
}

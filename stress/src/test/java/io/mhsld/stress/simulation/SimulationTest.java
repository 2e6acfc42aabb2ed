package io.mhsld.stress.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.Stress;
import io.mhsld.stress.process.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each in a JVM of its own: steps come to the simulation only when the state layer has been loaded for it. */
@Tag("one-java")
class SimulationTest {
    private static final long PATIENCE_S = 120;

    @TempDir
    private Path folder;

    private int count;

    private record Result(int exitCode, String output) {
        private String found(String pattern) {
            Matcher matcher = Pattern.compile(pattern).matcher(output);
            assertTrue(matcher.find(), output);
            return matcher.group(1);
        }
    }

    private Result simulate(String... options) {
        List<String> arguments =
                Stream.concat(Stream.of("simulate"), Stream.of(options)).toList();
        Path output = folder.resolve("output-" + count++);
        try (ChildJvm child = ChildJvm.start(Stress.class, output, List.of(), arguments)) {
            return new Result(child.awaitExit(PATIENCE_S), child.output());
        }
    }

    @Test
    void shouldFindNothingWrong() {
        Result result = simulate("--steps", "1000000");

        System.out.println(result.output());
        assertEquals(0, result.exitCode(), result.output());
        // A simulation in which nothing happens would find nothing either.
        assertTrue(Long.parseLong(result.found(" kills=(\\d+)")) > 100, result.output());
        assertTrue(Long.parseLong(result.found("\\{add=(\\d+)")) > 30, result.output());
        assertTrue(Long.parseLong(result.found("owned by other head=(\\d+)")) > 20, result.output());
    }

    @Test
    void shouldBeTheSameForTheSameSeed() {
        Result first = simulate("--steps", "60000", "--seed", "4711");
        Result second = simulate("--steps", "60000", "--seed", "4711");
        Result other = simulate("--steps", "60000", "--seed", "8000");

        assertEquals(first.found("hash=(\\w+)"), second.found("hash=(\\w+)"));
        assertNotEquals(first.found("hash=(\\w+)"), other.found("hash=(\\w+)"));
    }

    @Test
    void shouldFindEachDefect() {
        Result result = simulate("--steps", "15000000", "--all-broken");

        System.out.println(result.output());
        assertEquals(0, result.exitCode(), result.output());
    }

    @Test
    void shouldReplayWhatItHasFound() {
        Result result = simulate("--steps", "1000000", "--broken", "e13");
        assertEquals(1, result.exitCode(), result.output());

        Result again =
                simulate(result.found("again: scripts/stress simulate (.*)").split(" "));

        assertEquals(result.found("FAILED: (.*)"), again.found("FAILED: (.*)"));
        assertEquals(0, Long.parseLong(again.found("after (\\d+) steps")), again.output());
    }
}

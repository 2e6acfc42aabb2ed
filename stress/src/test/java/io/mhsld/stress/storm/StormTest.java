package io.mhsld.stress.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.storm.KillStorm.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("one-java")
class StormTest {
    private static final int MAX_STORMS = 6;
    private static final Path TRIALS = Path.of("target", "trials").toAbsolutePath();

    @Test
    @Timeout(180)
    void shouldFindNothingWrongWithHeadsThatAreKilled() {
        List<Tally> tallies = new ArrayList<>();
        do {
            Outcome outcome = KillStorm.run(TRIALS, seed(), 4, 8_000, Optional.empty(), System.out);
            tallies.add(outcome.tally());
            assertEquals(List.of(), outcome.tally().violations());
            // On a busy machine eight seconds may be too few for all of it.
        } while (tallies.size() < MAX_STORMS && !haveTriedEverything(tallies));
        assertTrue(haveTriedEverything(tallies), () -> "too little was tried in " + MAX_STORMS + " storms");
    }

    private static boolean haveTriedEverything(List<Tally> tallies) {
        return sum(tallies, tally -> tally.deeds("kill")) >= 5
                && sum(tallies, tally -> tally.readsChecked("accepted")) > 0
                && sum(tallies, tally -> tally.readsChecked("own marker")) > 0
                && sum(tallies, tally -> tally.deeds("init")) >= 2;
    }

    private static long sum(List<Tally> tallies, ToLongFunction<Tally> count) {
        return tallies.stream().mapToLong(count).sum();
    }

    @Test
    @Timeout(90)
    void shouldFindHeadsThatDoNotScrub() {
        Outcome outcome = KillStorm.run(TRIALS, seed(), 4, 40_000, Optional.of(Mistake.SCRUB), System.out);

        assertFalse(outcome.isSound());
        assertTrue(
                outcome.tally().violations().stream().anyMatch(text -> text.contains("I4 stale bytes")),
                () -> String.join("\n", outcome.tally().violations()));
        outcome.remove();
    }

    @ParameterizedTest
    @EnumSource
    void shouldKnowWhereEachMistakeGoes(Mistake mistake) {
        assertEquals(1, mistake.change().places(), () -> mistake + " has lost its place in the source");
    }

    private static long seed() {
        return new SplittableRandom().nextLong() >>> 16;
    }
}

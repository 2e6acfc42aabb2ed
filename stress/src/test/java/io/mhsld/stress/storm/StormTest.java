package io.mhsld.stress.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.storm.KillStorm.Outcome;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StormTest {
    private static final Path TRIALS = Path.of("target", "trials").toAbsolutePath();

    @Test
    @Timeout(90)
    void shouldFindNothingWrongWithHeadsThatAreKilled() {
        Outcome outcome = KillStorm.run(TRIALS, seed(), 4, 8_000, Optional.empty(), System.out);

        assertEquals(List.of(), outcome.tally().violations());
        assertTrue(
                outcome.tally().deeds("kill") >= 5, "kills: " + outcome.tally().deeds("kill"));
        assertTrue(outcome.tally().readsChecked("accepted") > 0, "nothing that was accepted has been read");
        assertTrue(outcome.tally().readsChecked("own marker") > 0, "nothing that was written has been read");
        assertTrue(outcome.tally().deeds("init") >= 2, "the device was not made anew");
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

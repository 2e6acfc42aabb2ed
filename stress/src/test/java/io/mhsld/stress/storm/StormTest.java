package io.mhsld.stress.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.storm.KillStorm.Outcome;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("one-java")
class StormTest {
    private static final int MAX_STORMS = 4;
    private static final Path TRIALS = Path.of("target", "trials").toAbsolutePath();

    @Test
    @Timeout(180)
    void shouldFindNothingWrongWithHeadsThatAreKilled() {
        Outcome outcome;
        int storms = 0;
        do {
            outcome = KillStorm.run(TRIALS, seed(), 4, 8_000, Optional.empty(), System.out);
            storms++;
            assertEquals(List.of(), outcome.tally().violations());
            // On a busy machine eight seconds may be too few for all of it.
        } while (storms < MAX_STORMS && !hasTriedEverything(outcome.tally()));
        assertTrue(hasTriedEverything(outcome.tally()), () -> "too little was tried in " + MAX_STORMS + " storms");
    }

    private static boolean hasTriedEverything(Tally tally) {
        return tally.deeds("kill") >= 5
                && tally.readsChecked("accepted") > 0
                && tally.readsChecked("own marker") > 0
                && tally.readsChecked("shared") > 0
                && tally.deeds("init") >= 2;
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

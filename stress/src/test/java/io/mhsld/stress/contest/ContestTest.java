package io.mhsld.stress.contest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.Trials;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("one-java")
class ContestTest {
    @TempDir
    private Path evidence;

    @Test
    void shouldFindNothingWrongInTheOwnerMap() {
        Trials.Result result = Trials.run(new Contest(), evidence, "--seconds", "2", "--heads", "3");

        assertEquals(0, result.exitCode(), result.output());
    }

    @Test
    void shouldCatchClaimsThatLookAndThenStore() {
        Trials.Result result = Trials.run(new Contest(), evidence, "--seconds", "2", "--broken");

        assertEquals(1, result.exitCode(), result.output());
        assertTrue(result.output().contains("FAILED: violations="), result.output());
        assertFalse(result.output().contains("ended badly"), result.output());
    }

    @Test
    void shouldPlanRoundsOfEveryKindWithinTheDevice() {
        Set<RoundPlan.Kind> kinds = new HashSet<>();
        for (long round = 0; round < 1000; round++) {
            RoundPlan plan = RoundPlan.of(42, round, 4, Scoreboard.BLOCKS);
            kinds.add(plan.kind());
            for (RoundPlan.Range range : plan.ranges()) {
                assertTrue(
                        range.first() >= 0 && range.count() > 0 && range.end() <= Scoreboard.BLOCKS, plan.toString());
                assertTrue(
                        plan.obstacle() == RoundPlan.NO_OBSTACLE
                                || (plan.obstacle() >= range.first() && plan.obstacle() < range.end()),
                        plan.toString());
            }
        }
        assertEquals(Set.of(RoundPlan.Kind.values()), kinds);
    }
}

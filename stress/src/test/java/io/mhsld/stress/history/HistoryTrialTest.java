package io.mhsld.stress.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.Trials;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("one-java")
class HistoryTrialTest {
    @TempDir
    private Path evidence;

    @Test
    void shouldFindNothingWrongInRealHeads() {
        Trials.Result result =
                Trials.run(new HistoryTrial(), evidence, "--heads", "3", "--operations", "12000", "--kills", "2");

        assertEquals(0, result.exitCode(), result.output());
    }

    @ParameterizedTest
    @EnumSource
    void shouldCatchASpoiltOwnerMap(Saboteur.Defect defect) {
        Trials.Result result = Trials.run(
                new HistoryTrial(),
                evidence,
                "--heads",
                "3",
                "--operations",
                "20000",
                "--kills",
                "0",
                "--broken",
                defect.toString());

        assertEquals(1, result.exitCode(), result.output());
        // Heads look into each other's tables before they believe a map that says "free", so most thefts end in a
        // refusal that should not be.
        String sign = defect == Saboteur.Defect.STEAL ? "violation: " : "is no register";
        assertTrue(result.output().contains(sign), result.output());
    }
}

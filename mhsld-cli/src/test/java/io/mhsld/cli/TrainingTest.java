package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.cli.HeadProcesses.Outcome;
import org.junit.jupiter.api.Test;

class TrainingTest {
    @Test
    void shouldSayNothingAndEndWell() {
        Outcome outcome = HeadProcesses.runRaw("x-train");

        assertEquals(new Outcome(0, "", ""), outcome);
    }

    @Test
    void shouldNotBeTalkedAboutInTheHelp() {
        assertEquals(-1, HeadProcesses.runRaw("--help").out().indexOf("x-train"));
    }
}

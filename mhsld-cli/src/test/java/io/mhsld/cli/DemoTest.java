package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DemoTest {
    @Test
    void shouldComeOutAsExpectedFromEndToEnd() {
        HeadProcesses.Outcome demo = HeadProcesses.runRaw("demo");

        assertEquals(0, demo.exitCode(), demo.out() + demo.err());
        assertTrue(demo.out().contains("checks came out as expected"), demo.out());
    }
}

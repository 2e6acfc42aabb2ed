package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConsoleTest {
    @ParameterizedTest
    @CsvSource({"132, 132", "' 40 ', 40", "5, 20", "-1, 20", "'', 80", "wide, 80", "99999999999, 80"})
    void shouldTakeAWidthThatMakesSense(String environment, int columns) {
        assertEquals(columns, Console.columnsOf(environment));
    }

    @Test
    void shouldNotPaintWhereOutputIsNoTerminal() {
        // The build's standard output is a pipe.
        assertFalse(Console.ofProcess().isTerminal());
    }
}

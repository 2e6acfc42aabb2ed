package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void shouldAlignWordsLeftAndNumbersRight() {
        TextTable table = new TextTable().words("state").numbers("blocks").words("tag");
        table.row("serving", 5, "a");
        table.row("free", 12345678);

        assertEquals(
                List.of(
                        "state      blocks  tag", //
                        "serving         5  a",
                        "free     12345678"),
                table.lines(Integer.MAX_VALUE));
    }

    @Test
    void shouldLeaveOutColumnsThatMayGoUntilItFits() {
        TextTable table = new TextTable().numbers("head").words("state").numbers("share");
        table.row(1, "serving", "5.0%");

        assertEquals(List.of("head  state    share", "   1  serving   5.0%"), table.lines(20, "share", "state"));
        assertEquals(List.of("head  state", "   1  serving"), table.lines(19, "share", "state"));
        assertEquals(List.of("head", "   1"), table.lines(3, "share", "state"));
    }

    @Test
    void shouldRefuseMoreCellsThanColumns() {
        TextTable table = new TextTable().words("one");

        assertThrows(IllegalArgumentException.class, () -> table.row(1, 2));
    }
}

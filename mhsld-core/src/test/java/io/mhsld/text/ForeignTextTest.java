package io.mhsld.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ForeignTextTest {
    @Test
    void shouldShowEveryControlCharacterAsAQuestionMark() {
        for (char c = 0; c < 0x200; c++) {
            boolean isControl = c < 0x20 || (c >= 0x7f && c < 0xa0);
            String text = "a" + c + "b";
            String expected = isControl ? "a?b" : text;
            assertEquals(expected, ForeignText.line(text), () -> "in a line: " + (int) text.charAt(1));
            boolean isKept = c == '\n' || c == '\t';
            assertEquals(isKept ? text : expected, ForeignText.lines(text), () -> "in lines: " + (int) text.charAt(1));
        }
    }

    @Test
    void shouldLeaveEverythingElseAsItIs() {
        String text = "plain, ä, 語, \ud83d\ude00 and \ufffd";
        assertEquals(text, ForeignText.line(text));
        assertEquals(text, ForeignText.lines(text));
    }
}

package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QmpJsonTest {
    @Test
    void shouldReadEveryKindOfValue() {
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("string", "it's \u00e9\ud83d\ude00 \"q\"");
        expected.put("list", Arrays.asList(1L, -2L, 0.5, true, false, null, List.of(), Map.of()));
        expected.put("max", new BigInteger("18446744073709551615"));

        assertEquals(
                expected,
                QmpJson.parse(
                        "{'string': 'it\\'s \\u00e9\\ud83d\\ude00 \\\"q\\\"', \"list\": [1,-2,0.5,true,false,null,[],{}],"
                                + "'max':18446744073709551615}"));
    }

    @Test
    void shouldEscapeEveryCharacterThatATerminalObeys() {
        assertEquals("\"\\u0000\\u001B\\u007F\\u009B\"", QmpJson.write("\0\u001b\u007f\u009b"));
    }

    @Test
    void shouldWriteOneLineOfAsciiSpacedAsQemuDoes() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("a", List.of(1L, 2, "\u00e9\n\ud83d\ude00"));
        value.put("b", Map.of());
        value.put("c", QmpJson.unsigned(-1));
        value.put("d", null);

        assertEquals(
                "{\"a\": [1, 2, \"\\u00E9\\n\\uD83D\\uDE00\"], \"b\": {}, \"c\": 18446744073709551615, \"d\": null}",
                QmpJson.write(value));
    }

    /** What comes in goes out again, as a command's id. */
    @Test
    void shouldWriteWhateverItReads() {
        String deepest = "[".repeat(QmpJson.NESTING_LIMIT) + "]".repeat(QmpJson.NESTING_LIMIT);
        assertEquals(deepest, QmpJson.write(QmpJson.parse(deepest)));
        assertThrows(IllegalArgumentException.class, () -> QmpJson.parse("[" + deepest + "]"));
    }

    @Test
    void shouldWriteHalfASurrogatePairRatherThanFail() {
        assertEquals("\"\\uD800x\"", QmpJson.write(QmpJson.parse("'\\ud800x'")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"execute\": }         | expecting value",
                "{execute:1}             | expecting key",
                "{1:2}                   | expecting key",
                "{\"a\":1,}              | expecting key",
                "[1,]                    | expecting value",
                "[1 2]                   | expected ',' or ']'",
                "{\"a\" \"b\"}           | expecting ':'",
                "{\"a\":1 \"b\":2}       | expected ',' or '}'",
                "{\"a\":1]               | expected ',' or '}'",
                "[1}                     | expected ',' or ']'",
                "}                       | expecting value",
                "tru                     | invalid keyword 'tru'",
                "{\"a\":nul}             | invalid keyword 'nul'",
                "01                      | malformed number",
                "1.                      | malformed number",
                "1e999                   | number out of range",
                "{\"a\":1,\"a\":2}       | duplicate key",
                "\"\\q\"                 | invalid escape sequence in string",
                "\"\\u12\"               | invalid escape sequence in string",
                "1 2                     | unexpected text behind the value",
                "''                      | expecting value"
            })
    void shouldSayInQemusWordsWhatIsWrong(String text, String words) {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> QmpJson.parse(text));

        assertEquals("JSON parse error, " + words, refusal.getMessage());
    }

    @Test
    void shouldRefuseBytesThatAreNotUtf8() {
        ByteBuffer latin = StandardCharsets.ISO_8859_1.encode("\"\u00e9\"");

        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> QmpJson.parse(latin));
        assertEquals("JSON parse error, invalid UTF-8 sequence in string", refusal.getMessage());
    }

    @Test
    void shouldLimitNestingAndTheLengthOfNumbers() {
        assertEquals(List.of(), flattened(QmpJson.parse("[".repeat(1024) + "]".repeat(1024))));
        assertThrows(IllegalArgumentException.class, () -> QmpJson.parse("[".repeat(1025) + "]".repeat(1025)));
        assertThrows(IllegalArgumentException.class, () -> QmpJson.parse("9".repeat(1001)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
    void shouldRefuseToWriteWhatJsonHasNoFormFor(double number) {
        assertThrows(IllegalArgumentException.class, () -> QmpJson.write(number));
        assertThrows(IllegalArgumentException.class, () -> QmpJson.write(new Object()));
    }

    private static Object flattened(Object nested) {
        Object value = nested;
        while (value instanceof List && ((List<?>) value).size() == 1) {
            value = ((List<?>) value).get(0);
        }
        return value;
    }
}

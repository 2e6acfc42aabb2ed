package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QmpFramerTest {
    private static final int LIMIT = 1 << 20;

    private final QmpInputBudget budget = new QmpInputBudget(4 * LIMIT);
    private final QmpFramer framer = new QmpFramer(LIMIT, budget);

    @Test
    void shouldCutAStreamWhereBracesBalance() {
        assertEquals(
                List.of("{\"a\":{\"b\":[1,2]}}", "{\"c\":\"}{\\\"]\"}", "[]", "{'it\\'s':'}'}", "{ \n }"),
                frames("\r\n{\"a\":{\"b\":[1,2]}}{\"c\":\"}{\\\"]\"} [] \n\n{'it\\'s':'}'}{ \n }"));
    }

    @Test
    void shouldTakeLooseWordsNumbersAndStringsForMessages() {
        assertEquals(
                List.of("null", "-1.5e+3", "\"x\"", "true", "{}", "12", "abc"),
                frames("null -1.5e+3 \"x\"true{}12abc\n"));
    }

    @Test
    void shouldEndAMessageWithMoreClosingThanOpeningBraces() {
        assertEquals(List.of("{]", "}", "]", "{}"), frames("{]}]{}"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void shouldNotCareHowTheStreamIsCutIntoPackets(int packetLength) {
        String text = "{\"execute\":\"a\",\"id\":[1,\"\\\\\"]}garbage%{\"x\":1}\n{\"y\":\"\u00e9\"}\r\n5 ";

        List<String> whole = frames(text);
        List<String> pieces = new ArrayList<>();
        QmpFramer other = new QmpFramer(LIMIT, budget);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at < bytes.length; at += packetLength) {
            collect(other, ByteBuffer.wrap(bytes, at, Math.min(packetLength, bytes.length - at)), pieces);
        }

        assertEquals(whole, pieces);
    }

    @Test
    void shouldSkipTheRestOfABrokenMessageToItsEnd() {
        assertEquals(
                List.of("!stray '@'", "{\"b\":2}"),
                frames("{\"a\": @ , \"x\": {\"execute\":\"quit\"}, 'y':'}'}{\"b\":2}"));
        assertEquals(List.of("!stray '@'", "{\"b\":2}"), frames("{\"a\": @ {\n{\"b\":2}"));
    }

    @Test
    void shouldFindTheNextMessageBehindGarbage() {
        assertEquals(List.of("!stray 'G'", "!stray 'H'", "{}"), frames("GET / HTTP/1.1\r\nHost: x\r\n\r\n{}"));
        assertEquals(List.of("!stray '%'", "{}"), frames("%p, \"x\" : ] }{}"));
        assertEquals(List.of("!stray '\uFFFD'", "{}"), frames("\u00efabc{}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{\"a", "{\"a\\", "[[[{\"x\":", "tru", "-1", "{\"a\": @ {", "'", "\"x"})
    void shouldAlwaysGetBackToAKnownStateWithByteFf(String half) {
        List<String> frames = new ArrayList<>();
        collect(framer, ByteBuffer.wrap(half.getBytes(StandardCharsets.US_ASCII)), frames);
        collect(framer, ByteBuffer.wrap(new byte[] {(byte) 0xff}), frames);
        collect(framer, ByteBuffer.wrap("{\"ok\":1}".getBytes(StandardCharsets.US_ASCII)), frames);

        assertEquals("{\"ok\":1}", frames.get(frames.size() - 1));
        assertTrue(frames.size() <= 3, frames.toString());
    }

    @Test
    void shouldEndAStringAtAControlCharacter() {
        assertEquals(List.of("!stray '\n' in a string", "{}"), frames("{\"execute\": \"que\n{}"));
    }

    @Test
    void shouldCountButNotKeepAMessageThatIsTooLong() {
        byte[] packet = "x".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII);
        List<String> frames = new ArrayList<>();
        collect(framer, ByteBuffer.wrap("{\"a\":\"".getBytes(StandardCharsets.US_ASCII)), frames);
        for (int i = 0; i < 1024; i++) {
            collect(framer, ByteBuffer.wrap(packet), frames);
            assertTrue(budget.leftBytes() >= 3 * LIMIT, "left=" + budget.leftBytes());
        }
        assertEquals(List.of(), frames);
        collect(framer, ByteBuffer.wrap("\"}{\"b\":1}".getBytes(StandardCharsets.US_ASCII)), frames);

        assertEquals(List.of("!QMP input is too large: limitBytes=1048576 sizeBytes=67108872", "{\"b\":1}"), frames);
        framer.close();
        assertEquals(4 * LIMIT, budget.leftBytes());
    }

    @Test
    void shouldTakeAMessageOfExactlyTheLimit() {
        String longest = "\"" + "x".repeat(LIMIT - 2) + "\"";

        assertEquals(List.of(longest, "{}"), frames(longest + "{}"));
        assertEquals(
                List.of("!QMP input is too large: limitBytes=1048576 sizeBytes=1048577", "{}"),
                frames(longest.replaceFirst("x", "xx") + "{}"));
    }

    @Test
    void shouldRefuseWhatOthersLeaveNoMemoryFor() {
        assertTrue(budget.take(4 * LIMIT - 2000));

        assertEquals(
                List.of(
                        "\"" + "x".repeat(16_382) + "\"",
                        "!QMP input is too large for what other clients left: freeBytes=2000 sizeBytes=16385",
                        "{}"),
                frames("\"" + "x".repeat(16_382) + "\"" + "\"" + "x".repeat(16_383) + "\"{}"));
    }

    @Test
    void shouldRefuseDeepNestingAndGoOnBehindIt() {
        List<String> frames = frames("[".repeat(100_000) + "]".repeat(100_000) + "{}");

        assertEquals(
                List.of("!JSON parse error, nesting depth limit exceeded: limit=1024 sizeBytes=200000", "{}"), frames);
    }

    @Test
    void shouldNeverLoseTheMessageBehindALineOfGarbage() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 5_000; round++) {
            byte[] garbage = new byte[random.nextInt(60)];
            for (int i = 0; i < garbage.length; i++) {
                String likely = "{}[]:,\"'\\ \r\n0-e tr@";
                garbage[i] = random.nextInt(4) == 0
                        ? (byte) random.nextInt(256)
                        : (byte) likely.charAt(random.nextInt(likely.length()));
            }
            List<String> frames = new ArrayList<>();
            QmpFramer fresh = new QmpFramer(LIMIT, budget);
            collect(fresh, ByteBuffer.wrap(garbage), frames);
            // Once to end whatever was open, once more in case that 0xFF was taken for the byte behind a backslash.
            collect(fresh, ByteBuffer.wrap(new byte[] {(byte) 0xff, '\n'}), frames);
            collect(fresh, ByteBuffer.wrap("{\"ok\":1}".getBytes(StandardCharsets.US_ASCII)), frames);
            fresh.close();
            assertEquals("{\"ok\":1}", frames.get(frames.size() - 1), "-Dmhsld.seed=" + seed + " round=" + round);
        }
    }

    private List<String> frames(String text) {
        List<String> frames = new ArrayList<>();
        collect(framer, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), frames);
        return frames;
    }

    private static void collect(QmpFramer framer, ByteBuffer input, List<String> frames) {
        for (QmpFramer.Frame frame = framer.next(input); frame != null; frame = framer.next(input)) {
            frames.add(
                    frame.isError()
                            ? "!" + frame.error().replaceFirst("^JSON parse error, stray", "stray")
                            : StandardCharsets.UTF_8.decode(frame.bytes()).toString());
        }
    }
}

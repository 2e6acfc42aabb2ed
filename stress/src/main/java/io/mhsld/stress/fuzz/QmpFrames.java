package io.mhsld.stress.fuzz;

import io.mhsld.qmp.CutStream;
import io.mhsld.qmp.QmpJson;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/**
 * A stream of bytes cut into messages and read as JSON. The first two bytes say how the stream is cut into packets, the rest is the stream. How it
 * is cut changes nothing; a shorter limit changes nothing but what is longer; what was read can be written and read again; behind a byte 0xFF the next message is always understood.
 */
public final class QmpFrames {
    private static final int NESTING_LIMIT = 1024;
    private static final String LAST_MESSAGE = "{\"last\": 1}";

    private QmpFrames() {}

    /** Fails when a cut matters, or a message is lost. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        Input input = new Input(bytes);
        int cutSeed = input.u16();
        byte[] stream = input.rest();
        List<String> whole = CutStream.frames(stream, stream.length + 1, 0);
        Check.equal(whole, CutStream.frames(stream, 1, 0), "frames of single bytes");
        Check.equal(whole, CutStream.frames(stream, 1 + cutSeed % 17, cutSeed / 17), "frames of random packets");
        CutStream.checkLimit(stream, 1 + cutSeed % 61);
        // 0xFF ends whatever is open; the message behind it must come out last, as it was written.
        List<String> more = CutStream.framesFollowedBy(stream, "\u00ff\n" + LAST_MESSAGE);
        Check.equal(LAST_MESSAGE, more.get(more.size() - 1), "last frame");
        whole.stream().filter(frame -> !CutStream.isError(frame)).forEach(QmpFrames::readAndWrite);
    }

    private static void readAndWrite(String frame) {
        Object value;
        try {
            value = QmpJson.parse(frame);
        } catch (IllegalArgumentException e) {
            Check.that(e.getMessage().startsWith("JSON parse error, "), "error text: " + e.getMessage());
            return;
        }
        checkTypes(value, 0);
        String written = QmpJson.write(value);
        Check.that(written.chars().allMatch(c -> c >= ' ' && c < 0x7F), "written JSON is one line of ASCII");
        Check.equal(value, QmpJson.parse(written), "value after write and parse");
    }

    /** @param depth how many objects and lists are around it */
    private static void checkTypes(Object value, int depth) {
        boolean isContainer = value instanceof Map || value instanceof List;
        Check.that(
                depth + (isContainer ? 1 : 0) <= NESTING_LIMIT,
                "a message is taken that is nested deeper than QEMU takes");
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, member) -> {
                Check.that(name instanceof String, "member name");
                checkTypes(member, depth + 1);
            });
        } else if (value instanceof List<?> list) {
            list.forEach(member -> checkTypes(member, depth + 1));
        } else if (value instanceof BigInteger number) {
            Check.that(number.bitLength() >= Long.SIZE, "a number that fits a long is a Long");
        } else {
            Check.that(
                    value == null
                            || value instanceof String
                            || value instanceof Long
                            || value instanceof Double
                            || value instanceof Boolean,
                    "type of a JSON value");
        }
    }
}

package io.mhsld.qmp;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Cuts a stream of bytes into JSON values. A message ends where its braces and brackets balance, however it was cut into packets; line ends
 * mean nothing. Looks only at what is needed for that (strings, nesting, bytes that cannot be JSON): the rest is {@link QmpJson}'s.
 *
 * <p>After a byte that cannot be JSON, which is answered at once, the rest of that message is skipped: to where its braces balance, or to the
 * end of the line, or to a control character or 0xFF byte, whichever comes first. So a client always gets back to a known state with a 0xFF
 * byte, as QMP promises, and mostly without.
 *
 * <p>A message that is too long is not kept, only counted, and answered when it ends.
 */
final class QmpFramer {
    /** What a client may have whatever the others do, and what is kept for its next message. Only memory beyond counts as shared. */
    private static final int OWN_BUFFER_LENGTH = 1 << 14;

    private static final int SMALLEST_BUFFER_LENGTH = 1 << 10;

    private enum Mode {
        /** The message is kept. */
        COLLECT,
        /** The message is counted: it will be answered with {@link #refusal}. */
        COUNT,
        /** The message is broken, and was answered: the rest of it is skipped. */
        SKIP
    }

    private enum Token {
        NONE,
        WORD,
        NUMBER,
        STRING,
        ESCAPE
    }

    /** A whole message, or the text to answer a broken one with. The bytes are valid until the framer is asked for the next one. */
    record Frame(ByteBuffer bytes, String error) {
        boolean isError() {
            return error != null;
        }
    }

    private final int limitBytes;
    private final QmpInputBudget budget;
    private byte[] buffer = new byte[0];
    private long length;
    private Mode mode = Mode.COLLECT;
    private Token token = Token.NONE;
    private byte quote;
    private long braces;
    private long brackets;
    private String refusal;

    QmpFramer(int limitBytes, QmpInputBudget budget) {
        this.limitBytes = limitBytes;
        this.budget = budget;
    }

    /** Takes bytes up to the end of the next message; null when there are not enough of them. */
    Frame next(ByteBuffer input) {
        if (length == 0) {
            shrink();
        }
        while (input.hasRemaining()) {
            Frame frame = step(input);
            if (frame != null) {
                return frame;
            }
        }
        return null;
    }

    /** Gives the memory back; the framer is not used afterwards. */
    void close() {
        release();
    }

    private Frame step(ByteBuffer input) {
        byte b = input.get(input.position());
        if ((token == Token.WORD && isWord(b)) || (token == Token.NUMBER && isNumber(b))) {
            input.get();
            append(b);
            return null;
        }
        if (token == Token.WORD || token == Token.NUMBER) {
            // The byte is not taken: it may be the first one of the next message.
            token = Token.NONE;
            return endIfBalanced();
        }
        input.get();
        return token == Token.NONE ? between(b, input) : inString(b);
    }

    private Frame inString(byte b) {
        if (isControl(b)) {
            return stray(b, " in a string");
        }
        append(b);
        if (token == Token.ESCAPE) {
            token = Token.STRING;
        } else if (b == '\\') {
            token = Token.ESCAPE;
        } else if (b == quote) {
            token = Token.NONE;
            return endIfBalanced();
        }
        return null;
    }

    private Frame between(byte b, ByteBuffer input) {
        if (mode == Mode.SKIP && (b == '\n' || braces + brackets == 0)) {
            endSkipping(b, input);
            return null;
        }
        return switch (b) {
            case ' ', '\t', '\r', '\n' -> {
                if (length > 0) {
                    append(b);
                }
                yield null;
            }
            case '{', '[' -> open(b);
            case '}', ']', ',', ':' -> {
                braces -= b == '}' ? 1 : 0;
                brackets -= b == ']' ? 1 : 0;
                append(b);
                yield endIfBalanced();
            }
            case '"', '\'' -> {
                quote = b;
                yield begin(Token.STRING, b);
            }
            default -> {
                if (isWord(b)) {
                    yield begin(Token.WORD, b);
                }
                yield isNumberStart(b) ? begin(Token.NUMBER, b) : stray(b, "");
            }
        };
    }

    /** Outside of any brace, what is skipped ends with its line, or where something begins that may be a message. */
    private void endSkipping(byte b, ByteBuffer input) {
        if (b == '\n' || (isControl(b) && !isSpace(b))) {
            reset();
        } else if (b == '{' || b == '[') {
            reset();
            input.position(input.position() - 1);
        }
    }

    private Frame begin(Token next, byte b) {
        token = next;
        append(b);
        return null;
    }

    private Frame open(byte b) {
        braces += b == '{' ? 1 : 0;
        brackets += b == '[' ? 1 : 0;
        append(b);
        if (braces + brackets > QmpJson.NESTING_LIMIT && mode == Mode.COLLECT) {
            refuse("JSON parse error, nesting depth limit exceeded: limit=" + QmpJson.NESTING_LIMIT);
        }
        return null;
    }

    /** A message with more closing than opening brackets ends too: what comes behind them starts afresh. */
    private Frame endIfBalanced() {
        if (braces >= 0 && brackets >= 0 && braces + brackets > 0) {
            return null;
        }
        Frame frame = null;
        if (mode == Mode.COLLECT) {
            frame = new Frame(ByteBuffer.wrap(buffer, 0, (int) length), null);
        } else if (mode == Mode.COUNT) {
            frame = new Frame(null, refusal());
        }
        reset();
        return frame;
    }

    private Frame stray(byte b, String where) {
        Frame frame = null;
        if (mode == Mode.COUNT) {
            frame = new Frame(null, refusal());
        } else if (mode == Mode.COLLECT) {
            // A byte beyond ASCII is no character on its own.
            char shown = b < 0 ? '\uFFFD' : (char) b;
            frame = new Frame(null, "JSON parse error, stray '" + shown + "'" + where);
        }
        if (isControl(b)) {
            reset();
        } else {
            mode = Mode.SKIP;
            token = Token.NONE;
            shrink();
        }
        return frame;
    }

    private void append(byte b) {
        length++;
        if (mode != Mode.COLLECT) {
            return;
        }
        if (length > limitBytes) {
            refuse("QMP input is too large: limitBytes=" + limitBytes);
        } else if (length > buffer.length && !grow()) {
            refuse("QMP input is too large for what other clients left: freeBytes=" + budget.leftBytes());
        } else {
            buffer[(int) length - 1] = b;
        }
    }

    private boolean grow() {
        int wanted = Math.max(SMALLEST_BUFFER_LENGTH, Math.min(limitBytes, buffer.length * 2));
        if (!budget.take(sharedPart(wanted) - sharedPart(buffer.length))) {
            return false;
        }
        buffer = Arrays.copyOf(buffer, wanted);
        return true;
    }

    private void refuse(String why) {
        mode = Mode.COUNT;
        refusal = why;
        release();
    }

    private String refusal() {
        return refusal + " sizeBytes=" + length;
    }

    private void reset() {
        mode = Mode.COLLECT;
        token = Token.NONE;
        braces = 0;
        brackets = 0;
        length = 0;
        refusal = null;
    }

    private void shrink() {
        if (buffer.length > OWN_BUFFER_LENGTH) {
            release();
        }
    }

    private void release() {
        budget.giveBack(sharedPart(buffer.length));
        buffer = new byte[0];
    }

    private static int sharedPart(int bufferLength) {
        return Math.max(0, bufferLength - OWN_BUFFER_LENGTH);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b == '\t' || b == '\r' || b == '\n';
    }

    /** Bytes that neither JSON nor UTF-8 has within a string: 0x00 to 0x1F, 0xFE and 0xFF. */
    private static boolean isControl(byte b) {
        return (b >= 0 && b < ' ') || b == -1 || b == -2;
    }

    private static boolean isWord(byte b) {
        return b >= 'a' && b <= 'z';
    }

    private static boolean isNumberStart(byte b) {
        return b == '-' || (b >= '0' && b <= '9');
    }

    private static boolean isNumber(byte b) {
        return isNumberStart(b) || b == '.' || b == '+' || b == 'e' || b == 'E';
    }
}

package io.mhsld.qmp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A {@link QmpFramer} fed in packets, for the fuzzer. It stands in this package because nobody else is to cut streams. */
public final class CutStream {
    private static final int LIMIT_BYTES = 1 << 20;
    private static final String ERROR_MARK = "!";

    private CutStream() {}

    /** The messages of a stream that comes in packets of 1 to {@code maxPacketBytes}; an error comes as its text behind a mark. */
    public static List<String> frames(byte[] stream, int maxPacketBytes, long seed) {
        List<String> frames = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(seed);
        QmpInputBudget budget = new QmpInputBudget(LIMIT_BYTES);
        QmpFramer framer = new QmpFramer(LIMIT_BYTES, budget);
        for (int at = 0; at < stream.length; ) {
            int length = Math.min(
                    stream.length - at,
                    maxPacketBytes > stream.length ? maxPacketBytes : random.nextInt(maxPacketBytes) + 1);
            collect(framer, ByteBuffer.wrap(stream, at, length), frames);
            at += length;
        }
        framer.close();
        if (budget.leftBytes() != LIMIT_BYTES) {
            throw new AssertionError("framer keeps memory: leftBytes=" + budget.leftBytes());
        }
        return frames;
    }

    /**
     * What a framer makes of a stream when it takes no message of more than so many bytes. Throws an {@link AssertionError} when that is not what
     * another one makes of it that takes them all: the longer messages refused, by their length, and the others as they are.
     */
    public static void checkLimit(byte[] stream, int limitBytes) {
        QmpInputBudget budget = new QmpInputBudget(LIMIT_BYTES);
        QmpFramer all = new QmpFramer(LIMIT_BYTES, budget);
        QmpFramer some = new QmpFramer(limitBytes, budget);
        ByteBuffer allInput = ByteBuffer.wrap(stream);
        ByteBuffer someInput = ByteBuffer.wrap(stream);
        while (true) {
            QmpFramer.Frame whole = all.next(allInput);
            QmpFramer.Frame limited = some.next(someInput);
            String met = limited == null ? "nothing" : limited.isError() ? limited.error() : "a message";
            boolean fits = whole == null || whole.isError() || whole.bytes().remaining() <= limitBytes;
            boolean isRight = whole == null
                    ? limited == null
                    : whole.isError()
                            ? limited != null && limited.isError()
                            : fits
                                    ? whole.bytes().equals(limited == null ? null : limited.bytes())
                                    : met.equals("QMP input is too large: limitBytes=" + limitBytes + " sizeBytes="
                                            + whole.bytes().remaining());
            if (!isRight) {
                throw new AssertionError(
                        "limit is not kept: limitBytes=" + limitBytes + " whole=" + whole + " met=" + met);
            }
            if (whole == null) {
                return;
            }
        }
    }

    /** The messages of a stream and then of another one, given as characters below 256. */
    public static List<String> framesFollowedBy(byte[] stream, String more) {
        byte[] moreBytes = more.getBytes(StandardCharsets.ISO_8859_1);
        byte[] both = new byte[stream.length + moreBytes.length];
        System.arraycopy(stream, 0, both, 0, stream.length);
        System.arraycopy(moreBytes, 0, both, stream.length, moreBytes.length);
        return frames(both, both.length + 1, 0);
    }

    /** True for the text of an error, which is no message. */
    public static boolean isError(String frame) {
        return frame.startsWith(ERROR_MARK);
    }

    private static void collect(QmpFramer framer, ByteBuffer input, List<String> frames) {
        for (QmpFramer.Frame frame = framer.next(input); frame != null; frame = framer.next(input)) {
            frames.add(
                    frame.isError()
                            ? ERROR_MARK + frame.error()
                            : StandardCharsets.UTF_8.decode(frame.bytes()).toString());
        }
    }
}

package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.required;

import io.mhsld.head.Head;
import io.mhsld.type3.Refusal;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * The data path of a head as QMP commands. What goes over long ranges does so in steps, between which the head does its other work, and looks
 * at each step whether the range is still this head's.
 */
final class MemoryCommands {
    /** How much one step of a long command moves: about a millisecond. */
    static final int STEP_BYTES = 1 << 20;

    /** How many long commands may be under way; what a client has asked for goes on to its end even when the client has gone. */
    static final int LONG_COMMANDS_LIMIT = 32;

    private final Head head;
    private final Executor later;
    private int longCommands;

    MemoryCommands(Head head, Executor later) {
        this.head = head;
        this.later = later;
    }

    List<QmpCommand> table() {
        QmpParameter dpa = required("dpa", QmpType.UINT64);
        QmpParameter length = required("length", QmpType.UINT64);
        return List.of(
                QmpCommand.of("x-mem-check", this::check, dpa, length),
                QmpCommand.of("x-mem-read", this::read, dpa, length).returning(QmpType.ANY),
                QmpCommand.of("x-mem-write", this::write, dpa, required("data", QmpType.STR)),
                QmpCommand.of("x-mem-fill", this::fill, dpa, length, required("value", QmpType.UINT8)),
                QmpCommand.of("x-mem-crc", this::crc, dpa, length).returning(QmpType.ANY));
    }

    private QmpReply check(QmpArguments arguments) {
        return answer(head.device().checkAccess(arguments.number("dpa"), arguments.number("length")));
    }

    private QmpReply read(QmpArguments arguments) {
        long length = arguments.number("length");
        if (Long.compareUnsigned(length, CxlCommands.MEMORY_CHUNK_BYTES) > 0) {
            return QmpReply.refused("Parameter 'length' expects at most " + CxlCommands.MEMORY_CHUNK_BYTES);
        }
        byte[] bytes = new byte[(int) length];
        Optional<Refusal> refusal = head.device().read(arguments.number("dpa"), bytes, 0, bytes.length);
        return refusal.isPresent()
                ? answer(refusal)
                : QmpReply.of(Map.of("data", Base64.getEncoder().encodeToString(bytes)));
    }

    private QmpReply write(QmpArguments arguments) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(arguments.text("data"));
        } catch (IllegalArgumentException e) {
            return QmpReply.refused("Parameter 'data' expects Base64");
        }
        return answer(head.device().write(arguments.number("dpa"), bytes, 0, bytes.length));
    }

    private QmpReply fill(QmpArguments arguments) {
        byte value = (byte) arguments.number("value");
        return inSteps(arguments, (dpa, lengthBytes) -> head.device().fill(dpa, lengthBytes, value), QmpReply::done);
    }

    private QmpReply crc(QmpArguments arguments) {
        CRC32C crc = new CRC32C();
        byte[] bytes = new byte[CxlCommands.MEMORY_CHUNK_BYTES];
        return inSteps(
                arguments,
                (dpa, lengthBytes) -> {
                    for (long done = 0; done < lengthBytes; done += bytes.length) {
                        int part = (int) Math.min(bytes.length, lengthBytes - done);
                        Optional<Refusal> refusal = head.device().read(dpa + done, bytes, 0, part);
                        if (refusal.isPresent()) {
                            return refusal;
                        }
                        crc.update(bytes, 0, part);
                    }
                    return Optional.empty();
                },
                () -> QmpReply.of(Map.of("crc32c", crc.getValue())));
    }

    private interface Step {
        Optional<Refusal> at(long dpa, long lengthBytes);
    }

    private QmpReply inSteps(QmpArguments arguments, Step step, Supplier<QmpReply> whenDone) {
        long dpa = arguments.number("dpa");
        long length = arguments.number("length");
        Optional<Refusal> refusal = head.device().checkAccess(dpa, length);
        if (refusal.isPresent()) {
            return answer(refusal);
        }
        if (length <= STEP_BYTES) {
            refusal = step.at(dpa, length);
            return refusal.isPresent() ? answer(refusal) : whenDone.get();
        }
        if (longCommands == LONG_COMMANDS_LIMIT) {
            return QmpReply.refused("too many long memory commands under way: limit=" + LONG_COMMANDS_LIMIT);
        }
        longCommands++;
        QmpReply.Pending reply = QmpReply.pending();
        goOn(reply, dpa, length, step, whenDone);
        return reply;
    }

    /** One step now, the next one when everybody else had a turn. */
    private void goOn(QmpReply.Pending reply, long dpa, long leftBytes, Step step, Supplier<QmpReply> whenDone) {
        QmpReply outcome = null;
        long stepBytes = Math.min(STEP_BYTES, leftBytes);
        try {
            Optional<Refusal> refusal = step.at(dpa, stepBytes);
            if (refusal.isPresent()) {
                outcome = answer(refusal);
            } else if (stepBytes == leftBytes) {
                outcome = whenDone.get();
            }
        } catch (RuntimeException e) {
            head.recordError(e);
            outcome = QmpServer.internalError(e);
        }
        if (outcome == null) {
            later.execute(() -> goOn(reply, dpa + stepBytes, leftBytes - stepBytes, step, whenDone));
        } else {
            longCommands--;
            reply.complete(outcome);
        }
    }

    private QmpReply answer(Optional<Refusal> refusal) {
        if (refusal.isEmpty()) {
            return QmpReply.done();
        }
        head.countRefusedAccess(refusal.get());
        String text = switch (refusal.get().cause()) {
            case LENGTH_ZERO -> "length is zero";
            case OUTSIDE_REGION -> "no region has this range";
            case NO_SPACE -> "no memory left for the bytes";
            case POISONED -> "range has poisoned lines";
            case MEDIA_DISABLED -> "media is disabled";
            default -> "range is not all accepted and owned by this head";
        };
        return QmpReply.refused(text + ": " + refusal.get().detail() + " head=" + head.id());
    }
}

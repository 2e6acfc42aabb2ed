package io.mhsld.register;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.Random;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** Tests made from a register table: what each row's attribute and reset domain promise, in accesses of every width and alignment. */
final class AttributeTests {
    private static final int[] WIDTHS = {1, 2, 3, 4, 8, 16};

    private AttributeTests() {}

    /** Three tests for each row: one access, pieces of every width, and resets. */
    static Stream<DynamicTest> of(RegisterLayout layout) {
        return layout.fields().stream()
                .filter(field -> !field.isLong())
                .flatMap(field -> Stream.of(
                        dynamicTest("should keep to " + describe(layout, field), () -> shouldKeepTo(layout, field)),
                        dynamicTest(
                                "should not care for widths: " + describe(layout, field),
                                () -> shouldNotCareForWidths(layout, field)),
                        dynamicTest("should reset " + describe(layout, field), () -> shouldReset(layout, field))));
    }

    private static String describe(RegisterLayout layout, RegisterField field) {
        return layout.name() + ", " + field.name() + " " + field.attribute() + " " + field.resetDomain();
    }

    private static void shouldKeepTo(RegisterLayout layout, RegisterField field) {
        long all = allOnes(field);
        long some = all & 0x5A5A_5A5A_5A5A_5A5AL;
        assertEquals(field.initial(), readField(new RegisterBlock(layout), field), "initial value");
        for (long from : new long[] {0, all, some}) {
            for (long written : new long[] {0, all, some, all & ~some}) {
                boolean[] isLocked = {false};
                RegisterBlock block = new RegisterBlock(layout);
                block.lockedWhen(field.lock(), () -> isLocked[0]);
                block.set(field, from);
                LongUnaryOperator once = afterWrite(field, from);
                writeField(block, field, written);
                long after = once.applyAsLong(written);
                assertEquals(after, readField(block, field), () -> "from " + from + " write " + written);
                isLocked[0] = true;
                writeField(block, field, ~written & all);
                long afterSecond = field.attribute() == Attribute.RWO || field.attribute() == Attribute.RWL
                        ? after
                        : afterWrite(field, after).applyAsLong(~written & all);
                assertEquals(afterSecond, readField(block, field), "second write");
            }
        }
    }

    private static LongUnaryOperator afterWrite(RegisterField field, long before) {
        return switch (field.attribute()) {
            case RO, HWINIT, RESERVED -> written -> before;
            case RW, RWL, RWO -> written -> written;
            case RW1C -> written -> before & ~written;
        };
    }

    /** The whole block written in pieces: the same as the field alone, and neighbours do not leak into it. */
    private static void shouldNotCareForWidths(RegisterLayout layout, RegisterField field) {
        Random random = new Random(field.firstBit());
        for (int width : WIDTHS) {
            byte[] written = new byte[layout.lengthBytes()];
            random.nextBytes(written);
            RegisterBlock block = new RegisterBlock(layout);
            long from = random.nextLong() & allOnes(field);
            block.set(field, from);
            if (field.attribute() == Attribute.RWO && width < widthInBytes(field)) {
                // Only the first piece that reaches it counts.
                continue;
            }
            int first = field.firstBit() / Byte.SIZE;
            int start = field.attribute() == Attribute.RWO ? first : first % width - width;
            for (int at = start; at < written.length; at += width) {
                int offset = Math.max(0, at);
                int length = Math.min(written.length, at + width) - offset;
                if (length > 0) {
                    block.write(offset, written, offset, length);
                }
            }
            long expected = afterWrite(field, from).applyAsLong(bitsOf(written, field));
            byte[] read = new byte[layout.lengthBytes()];
            for (int at = 0; at < read.length; at += width) {
                block.read(at, read, at, Math.min(width, read.length - at));
            }
            assertEquals(expected, bitsOf(read, field), () -> "width " + width);
        }
    }

    private static void shouldReset(RegisterLayout layout, RegisterField field) {
        for (ResetKind kind : ResetKind.values()) {
            RegisterBlock block = new RegisterBlock(layout);
            long other = ~field.initial() & allOnes(field);
            block.set(field, other);
            block.reset(kind);
            boolean isReached = switch (field.resetDomain()) {
                case STICKY -> kind == ResetKind.POWER_ON;
                case CONVENTIONAL -> kind == ResetKind.POWER_ON || kind == ResetKind.CONVENTIONAL;
                case CXL -> kind != ResetKind.FLR;
                case FLR -> true;
            };
            assertEquals(isReached ? field.initial() : other, readField(block, field), kind::name);
        }
    }

    private static long allOnes(RegisterField field) {
        return -1L >>> (Long.SIZE - field.widthBits());
    }

    private static int widthInBytes(RegisterField field) {
        return (field.endBit() - 1) / Byte.SIZE - field.firstBit() / Byte.SIZE + 1;
    }

    private static long readField(RegisterBlock block, RegisterField field) {
        byte[] bytes = new byte[(int) block.lengthBytes()];
        block.read(0, bytes, 0, bytes.length);
        return bitsOf(bytes, field);
    }

    /** Writes the bytes in which the field has bits; all other bits of them as 0. */
    private static void writeField(RegisterBlock block, RegisterField field, long value) {
        byte[] bytes = new byte[widthInBytes(field)];
        int first = field.firstBit() / Byte.SIZE;
        for (int i = 0; i < field.widthBits(); i++) {
            int bit = field.firstBit() - first * Byte.SIZE + i;
            bytes[bit / Byte.SIZE] |= (byte) ((value >> i & 1) << bit % Byte.SIZE);
        }
        block.write(first, bytes, 0, bytes.length);
    }

    private static long bitsOf(byte[] bytes, RegisterField field) {
        long value = 0;
        for (int i = 0; i < field.widthBits(); i++) {
            int bit = field.firstBit() + i;
            value |= (bytes[bit / Byte.SIZE] >> bit % Byte.SIZE & 1L) << i;
        }
        return value;
    }
}

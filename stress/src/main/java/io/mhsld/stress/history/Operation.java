package io.mhsld.stress.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One operation of one head, as it was recorded.
 *
 * @param head which head
 * @param generation how many processes had been this head before
 * @param invokeNs when it was called
 * @param returnNs when it had returned; 0 when its process died in it
 * @param outcome how it ended, {@code UNDER_WAY} when it did not
 * @param blocks the blocks that it is about, bit b for block b
 * @param ranges of an add: its extents in the order of their addresses
 * @param met of a lost add: the block that it met
 * @param owners of a lost add: who owned that block, bit h for head h, looked up afterwards; of a look: who owns the block
 */
public record Operation(
        int head,
        int generation,
        Kind kind,
        long invokeNs,
        long returnNs,
        Outcome outcome,
        long blocks,
        List<Range> ranges,
        int met,
        long owners) {
    /** What a head can do. */
    public enum Kind {
        /** The process becomes the head. */
        ATTACH(0),
        /** Capacity is offered: claims the blocks. */
        ADD(1),
        /** The host accepts a part of an offer, or all, or nothing: releases the blocks that it did not accept. */
        ANSWER(2),
        /** The host gives accepted blocks back. */
        HOST_RELEASE(3),
        /** Accepted and offered blocks are taken away. */
        FORCED_RELEASE(4),
        /** The host restarts: releases all that the head has. */
        RESET(5),
        /** The host reads from blocks that it has accepted. */
        ACCESS(6),
        /** Somebody looks at the lane of a block. */
        LOOK(7),
        /** The process stops being the head: releases all that it has. */
        LEAVE(8);

        /** As it stands in the log. */
        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        static Kind of(int number) {
            for (Kind each : values()) {
                if (each.number == number) {
                    return each;
                }
            }
            throw new IllegalArgumentException("no such number in the log: kind=" + number);
        }
    }

    /** How an operation ended. */
    public enum Outcome {
        UNDER_WAY(0),
        DONE(1),
        /** An add met a block of somebody else. */
        LOST(2),
        /** Refused for another reason, though the head had what it was about. */
        REFUSED(3);

        /** As it stands in the log. */
        private final int number;

        Outcome(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        static Outcome of(int number) {
            for (Outcome each : values()) {
                if (each.number == number) {
                    return each;
                }
            }
            throw new IllegalArgumentException("no such number in the log: outcome=" + number);
        }
    }

    /** Blocks [first, first + count), 255 at most. */
    public record Range(int first, int count) {
        int end() {
            return first + count;
        }
    }

    /** At most four ranges, as one number. */
    static long pack(List<Range> ranges) {
        long packed = 0;
        for (Range range : ranges) {
            packed = (packed << 16) | ((long) range.count << 8) | range.first;
        }
        return packed;
    }

    /** The ranges of such a number. */
    static List<Range> unpack(long packed) {
        List<Range> ranges = new ArrayList<>();
        for (long rest = packed; rest != 0; rest >>>= 16) {
            ranges.add(0, new Range((int) (rest & 0xff), (int) ((rest >>> 8) & 0xff)));
        }
        return ranges;
    }

    /** The blocks of some ranges, as a set. */
    static long blocksOf(List<Range> ranges) {
        long blocks = 0;
        for (Range range : ranges) {
            blocks |= ((1L << range.count) - 1) << range.first;
        }
        return blocks;
    }

    /** The bits that are set: heads of a lane, or blocks. */
    static List<Integer> numbersOf(long bits) {
        List<Integer> numbers = new ArrayList<>();
        for (long rest = bits; rest != 0; rest &= rest - 1) {
            numbers.add(Long.numberOfTrailingZeros(rest));
        }
        return numbers;
    }

    @Override
    public String toString() {
        String what = String.format(
                Locale.ROOT,
                "head %d, process %d: %s blocks=%s",
                head,
                generation,
                kind.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                kind == Kind.ADD
                        ? ranges.stream()
                                .map(range -> numbersOf(blocksOf(List.of(range))))
                                .toList()
                        : numbersOf(blocks));
        return switch (outcome) {
            case UNDER_WAY -> what + ", killed in it";
            case REFUSED -> what + ", refused";
            case LOST -> what + ", lost: met=" + met + " owners=" + numbersOf(owners);
            case DONE -> kind == Kind.LOOK ? what + ": owners=" + numbersOf(owners) : what;
        };
    }
}

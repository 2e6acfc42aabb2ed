package io.mhsld.register;

import io.mhsld.type3.DcRegion;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The HDM decoders of the device (CXL r3.1 8.2.4.20): which host addresses are which addresses of the device (DPA). Software programs a decoder
 * and sets its Commit bit; the decoder then shows either Committed or Error Not Committed. What it decodes is what it was committed with:
 * writes to its registers while it is committed can be read back, and count at its next commit.
 *
 * <p>A commit is refused when
 * <ul>
 *   <li>a decoder before it is not committed, or one behind it is;
 *   <li>interleave ways or granularity are reserved encodings;
 *   <li>the size is not a multiple of 256 MiB times the ways, or base and size pass the end of the address space;
 *   <li>it begins before the end of a decoder before it, unless one of the two has size 0;
 *   <li>the skips and the device's part of the sizes, of all decoders up to it, pass the end of the device's memory.
 * </ul>
 * A decoder of size 0 can be committed and decodes nothing, wherever it begins: firmware locks such ones so that nobody uses them. Base, size and skip are multiples of 256 MiB because their registers have no lower bits. Any decoder that is not locked can be uncommitted; those
 * behind it go on decoding what they did. Locked ones wait for a reset.
 *
 * <p>Function level resets leave decoders alone (9.5).
 */
public final class HdmDecoders {
    /** How many there are. */
    public static final int COUNT = 4;

    static final int DECODER_BYTES = 0x20;
    static final int FIRST_DECODER_OFFSET = 0x10;
    static final int LENGTH_BYTES = FIRST_DECODER_OFFSET + COUNT * DECODER_BYTES;

    private static final int GRANULE_BITS = 28;
    /** Interleave granularity is 2^(8 + its encoding), up to 16 KiB. */
    private static final int MIN_GRANULARITY_BITS = 8;

    private static final int MAX_GRANULARITY_CODE = 6;

    /** Its table. */
    static final RegisterLayout LAYOUT = layout();

    private static final RegisterField ENABLE = RegisterRows.field(LAYOUT, "hdm decoder enable");

    /** What a committed decoder decodes. */
    private record Decode(long base, long size, long dpaBase, int granularityCode, int waysCode, boolean isLocked) {
        private long dpaBytes() {
            return size / ways(waysCode);
        }

        private long endDpa() {
            return dpaBase + dpaBytes();
        }

        private long last() {
            return base + size - 1;
        }

        /** Unsigned: it may be 2^63 or more. A size of 0 covers nothing. */
        private boolean covers(long hpa) {
            return Long.compareUnsigned(hpa - base, size) < 0;
        }

        /** Bits below the granularity stay; the chunks of the other ways fall out. */
        private long dpaOf(long hpa) {
            long offset = hpa - base;
            int bits = MIN_GRANULARITY_BITS + granularityCode;
            long chunk = Long.divideUnsigned(offset >>> bits, ways(waysCode));
            return dpaBase + ((chunk << bits) | (offset & ((1L << bits) - 1)));
        }
    }

    private final RegisterBlock block = new RegisterBlock(LAYOUT);
    private final long endDpa;
    private final List<Optional<Decode>> committed = new ArrayList<>(Collections.nCopies(COUNT, Optional.empty()));

    /** Decoders of a device whose memory ends where the last of these regions does; none of them committed. */
    HdmDecoders(List<DcRegion> regions) {
        endDpa = regions.stream()
                .mapToLong(region -> region.baseDpa() + region.decodeLengthBytes())
                .max()
                .orElse(0);
        for (int i = 0; i < COUNT; i++) {
            int number = i;
            block.lockedWhen(lock(i), () -> isLocked(number));
            block.onWrite(field(i, "commit"), (before, after) -> commit(number, after != 0));
        }
    }

    private static RegisterLayout layout() {
        RegisterRows rows = RegisterRows.of("hdm decoder capability", LENGTH_BYTES)
                .at(0x00, "8.2.4.20.1")
                .fixed("decoder count: 4", 0, 4, 2)
                .fixed("target count", 4, 4, 1)
                .fixed("a11to8 interleave capable", 8, 1, 1)
                .fixed("a14to12 interleave capable", 9, 1, 1)
                .fixed("poison on decode error capability", 10, 1, 0)
                .fixed("3, 6, 12 way interleave capable", 11, 1, 1)
                .fixed("16 way interleave capable", 12, 1, 1)
                .at(0x04, "8.2.4.20.2")
                .fixed("poison on decode error enable", 0, 1, 0)
                .plain("hdm decoder enable", 1, 1, ResetDomain.CXL, 0);
        for (int i = 0; i < COUNT; i++) {
            int offset = FIRST_DECODER_OFFSET + i * DECODER_BYTES;
            String prefix = "decoder " + i + " ";
            rows.at(offset, "8.2.4.20.3", prefix)
                    .locked("base low", 28, 4, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x04, "8.2.4.20.4", prefix)
                    .locked("base high", 0, 32, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x08, "8.2.4.20.5", prefix)
                    .locked("size low", 28, 4, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x0C, "8.2.4.20.6", prefix)
                    .locked("size high", 0, 32, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x10, "8.2.4.20.7", prefix)
                    .locked("interleave granularity", 0, 4, ResetDomain.CXL, 0, lock(i))
                    .locked("interleave ways", 4, 4, ResetDomain.CXL, 0, lock(i))
                    .locked("lock on commit", 8, 1, ResetDomain.CXL, 0, lock(i))
                    .locked("commit", 9, 1, ResetDomain.CXL, 0, lock(i))
                    .shown("committed", 10, 1, ResetDomain.CXL, 0)
                    .shown("error not committed", 11, 1, ResetDomain.CXL, 0)
                    .locked("target range type", 12, 1, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x14, "8.2.4.20.9", prefix)
                    .locked("dpa skip low", 28, 4, ResetDomain.CXL, 0, lock(i))
                    .at(offset + 0x18, "8.2.4.20.11", prefix)
                    .locked("dpa skip high", 0, 32, ResetDomain.CXL, 0, lock(i));
        }
        return rows.layout();
    }

    private static String lock(int decoder) {
        return "decoder " + decoder + " lock";
    }

    private static RegisterField field(int decoder, String name) {
        return RegisterRows.field(LAYOUT, "decoder " + decoder + " " + name);
    }

    /**
     * The device's address behind an address of the host: empty when no committed decoder covers it, or decoders are not enabled. Interleaved
     * addresses of other devices are not told apart: they never arrive here.
     */
    public Optional<Long> dpaOf(long hpa) {
        if (block.get(ENABLE) == 0) {
            return Optional.empty();
        }
        return committed.stream()
                .flatMap(Optional::stream)
                .filter(decode -> decode.covers(hpa))
                .findFirst()
                .map(decode -> decode.dpaOf(hpa));
    }

    /** The registers. */
    RegisterPart registers() {
        return new WrappedPart(block) {
            @Override
            public void reset(ResetKind kind) {
                super.reset(kind);
                if (kind.reaches(ResetDomain.CXL)) {
                    Collections.fill(committed, Optional.empty());
                }
            }
        };
    }

    // ---- commit

    private void commit(int decoder, boolean isWanted) {
        if (!isWanted) {
            committed.set(decoder, Optional.empty());
            set(decoder, "committed", false);
            set(decoder, "error not committed", false);
        } else if (committed.get(decoder).isEmpty()) {
            Optional<Decode> decode = validated(decoder);
            committed.set(decoder, decode);
            set(decoder, "committed", decode.isPresent());
            set(decoder, "error not committed", decode.isEmpty());
        }
    }

    private Optional<Decode> validated(int decoder) {
        int granularityCode = (int) get(decoder, "interleave granularity");
        int waysCode = (int) get(decoder, "interleave ways");
        boolean isInOrder = (decoder == 0 || committed.get(decoder - 1).isPresent())
                && committed.subList(decoder + 1, COUNT).stream().noneMatch(Optional::isPresent);
        if (!isInOrder || ways(waysCode) == 0 || granularityCode > MAX_GRANULARITY_CODE) {
            return Optional.empty();
        }
        long base = address(decoder, "base");
        long size = address(decoder, "size");
        long skip = address(decoder, "dpa skip");
        if (Long.remainderUnsigned(size, (long) ways(waysCode) << GRANULE_BITS) != 0) {
            return Optional.empty();
        }
        if (size != 0 && (Long.compareUnsigned(base + size - 1, base) < 0 || !isAboveAllBefore(decoder, base))) {
            return Optional.empty();
        }
        long dpaBase =
                decoder == 0 ? 0 : committed.get(decoder - 1).orElseThrow().endDpa();
        if (Long.compareUnsigned(skip, endDpa - dpaBase) > 0) {
            return Optional.empty();
        }
        dpaBase += skip;
        if (Long.compareUnsigned(Long.divideUnsigned(size, ways(waysCode)), endDpa - dpaBase) > 0) {
            return Optional.empty();
        }
        boolean isLocked = get(decoder, "lock on commit") != 0;
        return Optional.of(new Decode(base, size, dpaBase, granularityCode, waysCode, isLocked));
    }

    private boolean isAboveAllBefore(int decoder, long base) {
        return committed.subList(0, decoder).stream()
                .flatMap(Optional::stream)
                .filter(before -> before.size != 0)
                .allMatch(before -> Long.compareUnsigned(before.last(), base) < 0);
    }

    /** Ways of an encoding (8.2.4.20.7): powers of two, and three times powers of two; 0 when it is reserved. */
    private static int ways(int code) {
        if (code <= 4) {
            return 1 << code;
        }
        return code >= 8 && code <= 10 ? 3 << (code - 8) : 0;
    }

    private boolean isLocked(int decoder) {
        return committed.get(decoder).filter(Decode::isLocked).isPresent();
    }

    private long address(int decoder, String name) {
        return (get(decoder, name + " high") << Integer.SIZE) | (get(decoder, name + " low") << GRANULE_BITS);
    }

    private long get(int decoder, String name) {
        return block.get(field(decoder, name));
    }

    private void set(int decoder, String name, boolean value) {
        block.set(field(decoder, name), value ? 1 : 0);
    }
}

package io.mhsld.register;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The engine behind the register tables. */
class RegisterBlockTest {
    private static final RegisterField PLAIN = field("plain", 0, 0, 32, Attribute.RW, ResetDomain.FLR, 0x1234_5678);
    private static final RegisterField STATUS = field("status", 4, 3, 7, Attribute.RW1C, ResetDomain.STICKY, 0x55);
    private static final RegisterField LOCKED =
            new RegisterField("locked", 8, 4, 28, Attribute.RWL, ResetDomain.CXL, 0, "-", "lock");
    private static final RegisterField ONCE = field("once", 12, 0, 16, Attribute.RWO, ResetDomain.CONVENTIONAL, 0xBEEF);
    private static final RegisterField WIDE = field("wide", 16, 0, 64, Attribute.RW, ResetDomain.FLR, -1);
    private static final RegisterField BYTES = field("bytes", 24, 0, 128, Attribute.RW, ResetDomain.FLR, 0);
    private static final RegisterLayout LAYOUT = RegisterLayout.of(
            "example",
            48,
            PLAIN,
            STATUS,
            field("gap", 5, 2, 6, Attribute.RESERVED, ResetDomain.FLR, 0),
            field("shown", 6, 0, 16, Attribute.RO, ResetDomain.FLR, 0xABCD),
            LOCKED,
            ONCE,
            RegisterField.fixed("made", 14, 0, 16, 0x1E98, "-"),
            WIDE,
            BYTES);

    private final RegisterBlock block = new RegisterBlock(LAYOUT);

    private static RegisterField field(
            String name, int offset, int lowBit, int bits, Attribute attribute, ResetDomain domain, long initial) {
        return new RegisterField(name, offset, lowBit, bits, attribute, domain, initial, "-");
    }

    @TestFactory
    Stream<DynamicTest> shouldDoWhatItsRowsSay() {
        return AttributeTests.of(LAYOUT);
    }

    @Test
    void shouldTellOfAWriteAfterAllFieldsHaveChanged() {
        List<String> told = new ArrayList<>();
        block.onWrite(PLAIN, (before, after) -> told.add(String.format("%x %x %x", before, after, block.get(STATUS))));
        block.write(3, new byte[] {0x7F, -1}, 0, 2);
        assertEquals(List.of("12345678 7f345678 40"), told);
    }

    @Test
    void shouldHandOverOnlyOnesOfWhatIsClearedElsewhere() {
        List<Long> cleared = new ArrayList<>();
        block.live(STATUS, () -> 0x7F, cleared::add);
        block.write(4, new byte[] {(byte) 0xF8, 0}, 0, 1);
        assertEquals(List.of(0x1FL), cleared);
        assertEquals(0x7F, block.get(STATUS));
    }

    @Test
    void shouldMergeAPieceIntoWhatIsElsewhere() {
        long[] elsewhere = {0x1122_3344};
        block.live(PLAIN, () -> elsewhere[0], value -> elsewhere[0] = value);
        block.write(1, new byte[] {0x55}, 0, 1);
        assertEquals(0x1122_5544, elsewhere[0]);
        byte[] read = new byte[4];
        block.read(0, read, 0, 4);
        assertArrayEquals(new byte[] {0x44, 0x55, 0x22, 0x11}, read);
    }

    @Test
    void shouldTakeBytesInPieces() {
        block.write(20, new byte[] {1, 2, 3, 4, 5, 6}, 0, 6);
        assertEquals(5, block.bytes(BYTES)[0]);
        assertEquals(0x0403_0201_FFFF_FFFFL, block.get(WIDE));
        block.write(38, new byte[] {9, 9, 9, 9}, 0, 4);
        assertEquals(9, block.bytes(BYTES)[15]);
        block.reset(ResetKind.FLR);
        assertArrayEquals(new byte[16], block.bytes(BYTES));
    }

    @Test
    void shouldRefuseWhatIsOutside() {
        assertThrows(IllegalArgumentException.class, () -> block.read(46, new byte[4], 0, 4));
        assertThrows(IllegalArgumentException.class, () -> block.write(-1, new byte[4], 0, 4));
        assertThrows(
                IllegalArgumentException.class, () -> block.get(field("x", 0, 0, 8, Attribute.RW, ResetDomain.FLR, 0)));
    }

    @Test
    void shouldRefuseTablesThatContradictThemselves() {
        assertThrows(
                IllegalArgumentException.class,
                () -> RegisterLayout.of("overlap", 8, PLAIN, field("p", 3, 7, 2, Attribute.RW, ResetDomain.FLR, 0)));
        assertThrows(IllegalArgumentException.class, () -> RegisterLayout.of("end", 3, PLAIN));
        assertThrows(IllegalArgumentException.class, () -> field("large", 0, 0, 4, Attribute.RW, ResetDomain.FLR, 16));
        assertThrows(
                IllegalArgumentException.class, () -> field("keyless", 0, 0, 4, Attribute.RWL, ResetDomain.FLR, 0));
    }

    @Test
    void shouldSplitAnAccessBetweenBlocks() {
        RegisterBlock other = new RegisterBlock(LAYOUT);
        RegisterSpace space = new RegisterSpace(256).with(16, block).with(80, other);
        byte[] written = new byte[256];
        Arrays.fill(written, (byte) 0x11);
        space.write(0, written, 0, 256);
        assertEquals(0x1111_1111, block.get(PLAIN));
        assertEquals(0x1111_1111_1111_1111L, other.get(WIDE));
        byte[] read = new byte[256];
        Arrays.fill(read, (byte) 0x77);
        space.read(0, read, 0, 256);
        assertEquals(0, read[15]);
        assertEquals(0x11, read[16]);
        assertEquals(0, read[64]);
        assertEquals(0x11, read[80]);
        assertThrows(IllegalArgumentException.class, () -> space.with(60, new RegisterBlock(LAYOUT)));
        assertThrows(IllegalArgumentException.class, () -> space.with(250, new RegisterBlock(LAYOUT)));
        assertThrows(IllegalArgumentException.class, () -> space.read(255, read, 0, 2));
    }
}

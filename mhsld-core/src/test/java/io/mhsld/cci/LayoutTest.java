package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.Layout.Kind;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LayoutTest {
    private static final UUID ID = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    private static final Layout ENTRY =
            Layout.named("entry", "0").hex("address", Kind.U64).u8("colour").build();

    private static final Layout LAYOUT = Layout.named("sample", "0")
            .u8("count")
            .reserved(1)
            .u16("short")
            .u24("medium")
            .u32("int")
            .uuid("id")
            .ascii("text", 4)
            .bytes("raw", 2)
            .flags("flags", 1, "first", "second")
            .oneOf("kind", "zero", "one")
            .byteCount("size", 256L << 20)
            .repeat("entries", "count", ENTRY)
            .u16("last")
            .build();

    private static final int HEAD = 43;

    private static Payload sample() {
        Payload payload = LAYOUT.empty(2)
                .set("short", 0xBEEF)
                .set("medium", 0x030201)
                .set("int", 0xFFFFFFFFL)
                .set("id", ID)
                .set("text", "abc")
                .setFlag("flags", "second", true)
                .set("kind", 1)
                .set("size", 512L << 20)
                .set("last", 0x0102);
        payload.entry(0).set("address", 0x1000).set("colour", 7);
        payload.entry(1).set("address", -1L).set("colour", 8);
        return payload;
    }

    @Test
    void shouldWriteLittleEndianAndUuidsInReadingOrder() {
        byte[] bytes = sample().toBytes();
        assertEquals(HEAD + 2 * 9 + 2, bytes.length);
        assertEquals(2, bytes[0]);
        assertArrayEquals(new byte[] {(byte) 0xEF, (byte) 0xBE, 1, 2, 3}, Arrays.copyOfRange(bytes, 2, 7));
        assertArrayEquals(
                new byte[] {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, (byte) 0x88, (byte) 0x99},
                Arrays.copyOfRange(bytes, 11, 21));
        assertArrayEquals(new byte[] {'a', 'b', 'c', 0}, Arrays.copyOfRange(bytes, 27, 31));
        assertArrayEquals(new byte[] {2, 0, 0, 0, 0, 0, 0, 0}, Arrays.copyOfRange(bytes, 35, 43));
        assertArrayEquals(new byte[] {2, 1}, Arrays.copyOfRange(bytes, HEAD + 18, HEAD + 20));
    }

    @Test
    void shouldReadBackWhatWasWritten() {
        Payload payload = LAYOUT.over(sample().toBytes());
        assertEquals(2, payload.entryCount());
        assertEquals(0xBEEF, payload.number("short"));
        assertEquals(0x030201, payload.number("medium"));
        assertEquals(0xFFFFFFFFL, payload.number("int"));
        assertEquals(ID, payload.uuid("id"));
        assertEquals(512L << 20, payload.number("size"));
        assertFalse(payload.flag("flags", "first"));
        assertTrue(payload.flag("flags", "second"));
        assertEquals(0x0102, payload.number("last"));
        assertEquals(-1L, payload.entry(1).number("address"));
        assertEquals(7, payload.entry(0).number("colour"));
    }

    @Test
    void shouldRefuseWhatDoesNotFitAField() {
        Payload payload = LAYOUT.empty(0);
        assertThrows(IllegalArgumentException.class, () -> payload.set("short", 0x10000));
        assertThrows(IllegalArgumentException.class, () -> payload.set("short", -1));
        assertThrows(IllegalArgumentException.class, () -> payload.set("medium", 1 << 24));
        assertThrows(IllegalArgumentException.class, () -> payload.set("size", 1));
        assertThrows(IllegalArgumentException.class, () -> payload.set("text", "abcde"));
        assertThrows(IllegalArgumentException.class, () -> payload.set("id", 1));
        assertThrows(IllegalArgumentException.class, () -> payload.set("short", ID));
        assertThrows(IllegalArgumentException.class, () -> payload.set("nothing", 1));
        assertThrows(IllegalArgumentException.class, () -> payload.flag("flags", "third"));
        assertThrows(IllegalArgumentException.class, () -> payload.number("text"));
        assertThrows(IllegalArgumentException.class, () -> payload.entry(0));
        assertThrows(IllegalArgumentException.class, () -> LAYOUT.empty(256));
    }

    @Test
    void shouldGiveNumbersASign() {
        Payload payload = Layout.named("signed", "0").i16("short").build().empty(0);
        for (long value : new long[] {0, -1, -32768, 32767, 300}) {
            assertEquals(value, payload.set("short", value).number("short"));
        }
        payload.set("short", -2);
        assertArrayEquals(new byte[] {(byte) 0xFE, (byte) 0xFF}, payload.toBytes());
        assertThrows(IllegalArgumentException.class, () -> payload.set("short", 32768));
        assertThrows(IllegalArgumentException.class, () -> payload.set("short", -32769));
    }

    @Test
    void shouldTellEntriesApartByTheirIdentifier() {
        Layout plain = Layout.named("plain", "0").uuid("id").bytes("data", 2).build();
        Layout special = Layout.named("special", "0").uuid("id").u16("number").build();
        Layout list = Layout.named("list", "0")
                .u8("count")
                .repeatOneOf("entries", "count", plain, Map.of(ID, special))
                .build();
        Payload payload = list.empty(2);
        payload.entry(0).set("data", new byte[] {1, 2});
        payload.entry(1).set("id", ID);
        payload.entry(1).set("number", 0x0403);
        assertThrows(IllegalArgumentException.class, () -> payload.entry(0).number("number"));
        assertThrows(IllegalArgumentException.class, () -> payload.entry(0).set("data", new byte[3]));
        List<?> entries = (List<?>) list.decode(payload.toBytes()).get("entries");
        assertEquals(Map.of("kind", "plain", "id", new UUID(0, 0).toString(), "data", "0102"), entries.get(0));
        assertEquals(Map.of("kind", "special", "id", ID.toString(), "number", 0x0403L), entries.get(1));
        Layout longer = Layout.named("longer", "0").uuid("id").u32("number").build();
        Layout.Builder uneven = Layout.named("uneven", "0");
        assertThrows(
                IllegalArgumentException.class, () -> uneven.repeatOneOf("entries", "", plain, Map.of(ID, longer)));
    }

    @Test
    void shouldRefuseTwoFieldsOfOneName() {
        Layout.Builder twice = Layout.named("twice", "0").u8("a").u8("a");
        assertThrows(IllegalArgumentException.class, twice::build);
    }

    @Test
    void shouldRefuseABlockThatNoFieldCounts() {
        Layout.Builder uncounted = Layout.named("uncounted", "0").u8("count").repeat("entries", "counts", ENTRY);
        assertThrows(IllegalArgumentException.class, uncounted::build);
    }

    @Test
    void shouldMeasureTheLengthThatACountClaimsWithoutOverflow() {
        byte[] claims = new byte[8 + 24];
        Arrays.fill(claims, 0, 4, (byte) 0xFF);
        assertFalse(Layouts.HOST_EXTENT_LIST.isHeldBy(claims));
        assertThrows(IllegalArgumentException.class, () -> Layouts.HOST_EXTENT_LIST.over(claims));
        Arrays.fill(claims, 0, 4, (byte) 0);
        claims[0] = 1;
        assertTrue(Layouts.HOST_EXTENT_LIST.isHeldBy(claims));
        claims[0] = 2;
        assertFalse(Layouts.HOST_EXTENT_LIST.isHeldBy(claims));
        assertFalse(Layouts.HOST_EXTENT_LIST.isHeldBy(new byte[7]));
    }

    @Test
    void shouldDecodeForReadersOfJson() {
        Map<String, Object> values = LAYOUT.decode(sample().toBytes());
        assertEquals(
                List.of(
                        "count", "short", "medium", "int", "id", "text", "raw", "flags", "kind", "size", "entries",
                        "last"),
                List.copyOf(values.keySet()));
        assertEquals(0xFFFFFFFFL, values.get("int"));
        assertEquals(ID.toString(), values.get("id"));
        assertEquals("abc", values.get("text"));
        assertEquals("0000", values.get("raw"));
        assertEquals(List.of("second"), values.get("flags"));
        assertEquals("one", values.get("kind"));
        assertEquals(512L << 20, values.get("size"));
        List<?> entries = (List<?>) values.get("entries");
        assertEquals(Map.of("address", 0x1000L, "colour", 7L), entries.get(0));
        assertEquals(new BigInteger("18446744073709551615"), ((Map<?, ?>) entries.get(1)).get("address"));
    }

    @Test
    void shouldDecodeForPeople() {
        assertEquals(
                List.of(
                        "count: 2",
                        "short: 48879",
                        "medium: 197121",
                        "int: 4294967295",
                        "id: 00112233-4455-6677-8899-aabbccddeeff",
                        "text: abc",
                        "raw: 0000",
                        "flags: second",
                        "kind: one",
                        "size: 536870912 (512 MiB)",
                        "entries[0]:",
                        "  address: 0x1000",
                        "  colour: 7",
                        "entries[1]:",
                        "  address: 0xffffffffffffffff",
                        "  colour: 8",
                        "last: 258"),
                LAYOUT.lines(sample().toBytes()));
    }

    @Test
    void shouldShowUnknownBitsAndValuesByNumber() {
        byte[] bytes = sample().toBytes();
        bytes[33] = (byte) 0x81;
        bytes[34] = 9;
        assertTrue(LAYOUT.lines(bytes).containsAll(List.of("flags: first, bit 7", "kind: 0x9")));
        bytes[33] = 0;
        assertTrue(LAYOUT.lines(bytes).contains("flags: none"));
    }

    @Test
    void shouldShowNoCharacterThatATerminalObeys() {
        Payload payload = sample();
        payload.set("text", "a\u001b[\n");

        assertEquals("a?[?", LAYOUT.decode(payload.toBytes()).get("text"));
        assertTrue(LAYOUT.lines(payload.toBytes()).contains("text: a?[?"));
    }

    @Test
    void shouldShowEntriesOfOneFieldAsAList() {
        Payload payload = Layouts.MULTI_HEADED_INFO.empty(3);
        payload.entry(0).set("head", 5);
        payload.entry(2).set("head", 255);
        assertEquals(
                List.of(5L, 0L, 255L),
                Layouts.MULTI_HEADED_INFO.decode(payload.toBytes()).get("ldMap"));
        assertTrue(Layouts.MULTI_HEADED_INFO.lines(payload.toBytes()).contains("ldMap: 5, 0, 255"));
    }

    @Test
    void shouldDecodeWhatIsThereOfAnyBytes() {
        byte[] whole = sample().toBytes();
        for (int length = 0; length <= whole.length; length++) {
            Map<String, Object> values = LAYOUT.decode(Arrays.copyOf(whole, length));
            assertEquals(length == whole.length, values.containsKey("last"), "length=" + length);
            LAYOUT.lines(Arrays.copyOf(whole, length));
        }
        assertEquals(Map.of("count", 2L, "undecoded", "ef"), LAYOUT.decode(Arrays.copyOf(whole, 3)));
        assertEquals(
                "0000", LAYOUT.decode(Arrays.copyOf(whole, whole.length + 2)).get("undecoded"));
    }

    @Test
    void shouldShowWhatNoFieldExplains() {
        Layout nothing = Layout.named("nothing", "0").build();
        assertEquals(Map.of(), nothing.decode(new byte[0]));
        assertEquals(List.of("undecoded: 0102"), nothing.lines(new byte[] {1, 2}));
    }
}

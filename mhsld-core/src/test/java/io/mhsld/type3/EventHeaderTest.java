package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class EventHeaderTest {
    private static final OptionalInt NONE = OptionalInt.empty();

    private static EventHeader header(int flags, int maintenanceClass, int subclass, int ldId, int headId) {
        return new EventHeader(
                flags,
                OptionalInt.of(maintenanceClass),
                OptionalInt.of(subclass),
                OptionalInt.of(ldId),
                OptionalInt.of(headId));
    }

    @Test
    void shouldFlagTheOptionalFieldsThatAreThere() {
        assertEquals(0x03, EventHeader.ofFlags(3).wireFlags());
        assertEquals(0, new EventHeader(0, OptionalInt.of(1), NONE, NONE, NONE).wireFlags());
        assertEquals(0x40, new EventHeader(0, NONE, OptionalInt.of(0), NONE, NONE).wireFlags());
        assertEquals(0x80, new EventHeader(0, NONE, NONE, OptionalInt.of(0), NONE).wireFlags());
        assertEquals(0x100, new EventHeader(0, NONE, NONE, NONE, OptionalInt.of(0)).wireFlags());
        assertEquals(0xFFFFFF, header(0xFFFFFF, 0xFF, 0xFF, 0xFFFF, 0xFF).wireFlags());
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        assertThrows(IllegalArgumentException.class, () -> EventHeader.ofFlags(1 << 24));
        assertThrows(IllegalArgumentException.class, () -> EventHeader.ofFlags(-1));
        assertThrows(IllegalArgumentException.class, () -> header(0, 0x100, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> header(0, 0, 0x100, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> header(0, 0, 0, 0x10000, 0));
        assertThrows(IllegalArgumentException.class, () -> header(0, 0, 0, 0, 0x100));
    }

    @Test
    void shouldKeepComponentIdsWithinTheirField() {
        assertEquals(16, new ComponentId("", false).bytes().length);
        byte[] expected = Arrays.copyOf(new byte[] {'a', (byte) 0xC3, (byte) 0xA4}, 16);
        assertArrayEquals(expected, new ComponentId("aä", false).bytes());
        assertThrows(IllegalArgumentException.class, () -> new ComponentId("ääääääääa", true));
    }

    @Test
    void shouldRefuseAFifthCorrectionMask() {
        List<Long> five = List.of(1L, 2L, 3L, 4L, 5L);
        MediaError error = new MediaError(0, 0, 0, 0);
        assertThrows(
                IllegalArgumentException.class,
                () -> new DramEvent(error, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, five, Optional.empty()));
    }
}

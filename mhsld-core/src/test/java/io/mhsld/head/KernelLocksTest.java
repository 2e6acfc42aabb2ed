package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.KernelLocks.Held;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KernelLocksTest {
    @Test
    void shouldReadWhatCanBeLeases() {
        List<Held> held = KernelLocks.parse(Stream.of(
                "1: POSIX  ADVISORY  WRITE 4711 00:1a:2283 1 2",
                "2: POSIX  ADVISORY  WRITE 4712 00:1a:2283 64 64",
                "2: -> POSIX  ADVISORY  WRITE 4713 00:1a:2283 64 64",
                "3: POSIX  ADVISORY  READ 4714 00:1a:2283 3 3",
                "4: FLOCK  ADVISORY  WRITE 4715 fe:00:2283 0 EOF",
                "5: POSIX  ADVISORY  WRITE 4716 fe:00:2283 0 EOF",
                "6: POSIX  ADVISORY  WRITE 4717 fe:00:2283 0 66",
                "7: OFDLCK ADVISORY  WRITE -1 fe:00:2283 0 0",
                "what a later kernel may say"));
        assertEquals(
                List.of(new Held(4711, "00:1a:2283", 1, 2), new Held(4712, "00:1a:2283", 64, 64)),
                held,
                "held, exclusive, of single bytes");
    }

    @Test
    void shouldFindEachOfAdjacentBytes() {
        Held both = new Held(4711, "00:1a:2283", 1, 2);
        assertFalse(both.covers(0));
        assertTrue(both.covers(1));
        assertTrue(both.covers(2));
        assertFalse(both.covers(3));
        assertTrue(both.isOfInode(2283));
        assertFalse(both.isOfInode(283));
    }
}

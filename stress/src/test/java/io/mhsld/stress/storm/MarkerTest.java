package io.mhsld.stress.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MarkerTest {
    private static final int BLOCK_BYTES = 2 * Marker.PAGE_BYTES;
    private static final Marker MARKER = new Marker(3, 17, 5, 1, false);

    @Test
    void shouldBeInEveryPageAtItsStartMiddleAndEnd() {
        byte[] block = MARKER.block(BLOCK_BYTES);

        for (int page = 0; page < BLOCK_BYTES; page += Marker.PAGE_BYTES) {
            for (int place : new int[] {0, Marker.PAGE_BYTES / 2, Marker.PAGE_BYTES - 32}) {
                assertFalse(isZero(block, page + place), "page " + page + " place " + place);
            }
            assertTrue(isZero(block, page + 32));
        }
    }

    @Test
    void shouldFillThePageWhenItIsEverywhere() {
        byte[] block = new Marker(3, 17, 5, 1, true).block(BLOCK_BYTES);

        for (int place = 0; place < BLOCK_BYTES; place += 32) {
            assertFalse(isZero(block, place), "place " + place);
        }
    }

    @Test
    void shouldTellEveryOwnerAndWriteApart() {
        byte[] block = MARKER.block(BLOCK_BYTES);

        assertNotEquals(Marker.crc(block), Marker.crc(new Marker(2, 17, 5, 1, false).block(BLOCK_BYTES)));
        assertNotEquals(Marker.crc(block), Marker.crc(new Marker(3, 18, 5, 1, false).block(BLOCK_BYTES)));
        assertNotEquals(Marker.crc(block), Marker.crc(new Marker(3, 17, 6, 1, false).block(BLOCK_BYTES)));
        assertNotEquals(Marker.crc(block), Marker.crc(new Marker(3, 17, 5, 2, false).block(BLOCK_BYTES)));
    }

    @Test
    void shouldFindOnlyWhatIsStrange() {
        byte[] ownAndZero = Arrays.copyOf(MARKER.block(BLOCK_BYTES), 2 * BLOCK_BYTES);
        byte[] foreign = ownAndZero.clone();
        byte[] other = new Marker(4, 18, 6, 1, false).block(BLOCK_BYTES);
        // One record of another owner, at the end of the last page.
        System.arraycopy(other, BLOCK_BYTES - 32, foreign, 2 * BLOCK_BYTES - 32, 32);

        assertEquals(Optional.empty(), Marker.strangeness(ownAndZero, 5, BLOCK_BYTES, 3, 17));
        assertTrue(Marker.strangeness(ownAndZero, 5, BLOCK_BYTES, 3, 18).isPresent());
        assertTrue(Marker.strangeness(ownAndZero, 6, BLOCK_BYTES, 3, 17).isPresent());
        assertTrue(Marker.strangeness(foreign, 5, BLOCK_BYTES, 3, 17)
                .orElseThrow()
                .contains("marker(head=4 life=18 block=6 sequence=1 page=1)"));
    }

    private static boolean isZero(byte[] bytes, int from) {
        for (int i = from; i < from + 32; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }
}

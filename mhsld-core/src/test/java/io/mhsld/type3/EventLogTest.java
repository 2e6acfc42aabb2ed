package io.mhsld.type3;

import static io.mhsld.type3.TestDevice.extent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Refusal.Cause;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EventLogTest {
    private static final int DEPTH = 4;

    private long nowNs = 100;
    private final EventLog log = new EventLog(DEPTH, () -> nowNs);

    private static DcEvent event(int block) {
        return new DcEvent(DcEvent.Type.ADD, 0, 0, false, extent(block, 1), 0);
    }

    private boolean append(int block) {
        nowNs++;
        return log.append(EventHeader.INFORMATIONAL, event(block));
    }

    private List<Integer> handles() {
        return log.oldest(DEPTH).stream().map(EventRecord::handle).toList();
    }

    @Test
    void shouldCountHandlesFromOne() {
        append(0);
        append(1);
        assertEquals(List.of(1, 2), handles());
        assertEquals(
                new EventRecord(1, 101, EventHeader.INFORMATIONAL, event(0)),
                log.oldest(1).get(0));
    }

    @Test
    void shouldSkipHandleZeroWhenHandlesWrap() {
        for (int i = 1; i <= 0xFFFF; i++) {
            append(0);
            assertEquals(Optional.empty(), log.clear(new int[] {i}));
        }
        append(0);
        assertEquals(List.of(1), handles());
    }

    @Test
    void shouldCountLostRecordsAndRememberWhen() {
        for (int i = 0; i < DEPTH; i++) {
            assertTrue(append(i));
        }
        assertEquals(0, log.overflowCount());
        assertFalse(append(9));
        assertFalse(append(9));
        assertFalse(append(9));
        assertEquals(3, log.overflowCount());
        assertEquals(105, log.firstOverflowNs());
        assertEquals(107, log.lastOverflowNs());
        assertEquals(List.of(1, 2, 3, 4), handles());
    }

    @Test
    void shouldForgetTheOverflowOnceThereIsRoomAgain() {
        for (int i = 0; i < DEPTH + 2; i++) {
            append(i);
        }
        assertEquals(Optional.empty(), log.clear(new int[] {}));
        assertEquals(2, log.overflowCount());
        assertEquals(Optional.empty(), log.clear(new int[] {1}));
        assertEquals(0, log.overflowCount());
        assertEquals(0, log.firstOverflowNs());
        assertEquals(0, log.lastOverflowNs());
        assertTrue(append(7));
    }

    @Test
    void shouldNotCountBeyondSixteenBits() {
        for (int i = 0; i < DEPTH + 0x10005; i++) {
            append(0);
        }
        assertEquals(0xFFFF, log.overflowCount());
    }

    @Test
    void shouldClearOnlyTheFrontInOrder() {
        append(0);
        append(1);
        append(2);
        assertEquals(
                Cause.HANDLE_INVALID, log.clear(new int[] {2}).orElseThrow().cause());
        assertEquals(
                Cause.HANDLE_INVALID, log.clear(new int[] {1, 3}).orElseThrow().cause());
        assertEquals(
                Cause.HANDLE_INVALID,
                log.clear(new int[] {1, 2, 3, 4}).orElseThrow().cause());
        assertEquals(3, log.size());
        assertEquals(Optional.empty(), log.clear(new int[] {1, 2}));
        assertEquals(List.of(3), handles());
        assertEquals(DEPTH - 1, log.free());
    }

    @Test
    void shouldBeEmptyAfterClearAll() {
        for (int i = 0; i < DEPTH + 1; i++) {
            append(i);
        }
        log.clearAll();
        assertEquals(0, log.size());
        assertEquals(0, log.overflowCount());
    }
}

package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.ExtentTable.Placed;
import io.mhsld.state.ExtentTable.Snapshot;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.HeadTable.State;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tables with one writer each: head rows, extent lists, counters. Each table here is a middle one, between two that must not change. */
@Timeout(30)
class TablesTest {
    private static final long SEED = Long.getLong("mhsld.seed", 4_801L);

    private static UnsafeBuffer memory(int length) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(length, 4096));
    }

    private static void fillRandomly(UnsafeBuffer memory, SplittableRandom random) {
        for (int i = 0; i < memory.capacity(); i += 8) {
            memory.putLong(i, random.nextInt(3) == 0 ? random.nextInt(-2, 600) : random.nextLong());
        }
    }

    @Nested
    class HeadRows {
        private final UnsafeBuffer memory = memory(3 * 256);
        private final HeadTable heads = new HeadTable(new SharedMemory("head table", memory), 3);

        @Test
        void shouldTellLifeOfHead() {
            assertEquals(new Row(1, 0, State.FREE, 0, 0, 0, ""), heads.readAcquire(1));
            assertEquals(1, heads.nextIncarnationRelease(1));
            heads.startRelease(1, 4711, 815, 1_700_000_000_000L);
            assertEquals(new Row(1, 1, State.STARTING, 4711, 815, 1_700_000_000_000L, ""), heads.readAcquire(1));
            heads.serveRelease(1, "/run/ä.sock");
            assertEquals(
                    new Row(1, 1, State.SERVING, 4711, 815, 1_700_000_000_000L, "/run/ä.sock"), heads.readAcquire(1));
            assertEquals(2, heads.nextIncarnationRelease(1));
            heads.reapRelease(1);
            assertEquals(State.REAPING, heads.stateAcquire(1));
            heads.freeRelease(1);
            assertEquals(new Row(1, 2, State.FREE, 0, 0, 1_700_000_000_000L, ""), heads.readAcquire(1));
            assertEquals(2, heads.incarnationAcquire(1));
        }

        @Test
        void shouldForgetSocketOfEarlierProcess() {
            heads.startRelease(1, 1, 1, 1);
            heads.serveRelease(1, "/old");
            heads.startRelease(1, 2, 2, 2);
            assertEquals("", heads.readAcquire(1).controlSocket());
        }

        @Test
        void shouldStandWhereFormatSays() {
            heads.nextIncarnationRelease(1);
            heads.beginOperationRelease(1);
            heads.startRelease(1, 0x1111, 0x2222, 0x3333);
            heads.serveRelease(1, "abc");
            assertEquals(1, memory.getLong(256));
            assertEquals(1, memory.getLong(256 + 8));
            assertEquals(2, memory.getInt(256 + 16));
            assertEquals(0x1111, memory.getLong(256 + 24));
            assertEquals(0x2222, memory.getLong(256 + 32));
            assertEquals(0x3333, memory.getLong(256 + 40));
            assertEquals(3, memory.getInt(256 + 48));
            assertEquals('a', memory.getByte(256 + 52));
            assertEquals('c', memory.getByte(256 + 54));
            heads.startRelease(1, 1, 1, 1);
            assertEquals(1, memory.getInt(256 + 16));
            heads.reapRelease(1);
            assertEquals(3, memory.getInt(256 + 16));
            heads.freeRelease(1);
            assertEquals(0, memory.getInt(256 + 16));
        }

        @Test
        void shouldCountOperationsOddWhileUnderWay() {
            assertEquals(0, heads.operationAcquire(1));
            heads.beginOperationRelease(1);
            assertEquals(1, heads.operationAcquire(1));
            heads.endOperationRelease(1);
            assertEquals(2, heads.operationAcquire(1));
            // One that a dead process has left open is taken over as it is, and ended.
            heads.beginOperationRelease(1);
            heads.beginOperationRelease(1);
            assertEquals(3, heads.operationAcquire(1));
            heads.endOperationRelease(1);
            assertEquals(4, heads.operationAcquire(1));
            heads.endOperationRelease(1);
            assertEquals(0, heads.operationAcquire(1) & 1);
        }

        @Test
        void shouldRefuseSocketPathThatDoesNotFit() {
            heads.startRelease(1, 1, 1, 1);
            heads.serveRelease(1, "/" + "s".repeat(123));
            assertEquals(124, heads.readAcquire(1).controlSocket().length());
            Exception refusal = assertThrows(
                    IllegalArgumentException.class, () -> heads.serveRelease(1, "/" + "ö".repeat(61) + "xy" + "z"));
            assertEquals("control socket path too long: bytes=126 limit=124", refusal.getMessage());
        }

        @Test
        void shouldTouchNoOtherRow() {
            memory.setMemory(0, 256, (byte) 0x5A);
            memory.setMemory(512, 256, (byte) 0x5A);
            heads.nextIncarnationRelease(1);
            heads.beginOperationRelease(1);
            heads.startRelease(1, -1, -1, -1);
            heads.serveRelease(1, "x".repeat(124));
            heads.reapRelease(1);
            heads.freeRelease(1);
            heads.endOperationRelease(1);
            for (int i = 0; i < 256; i++) {
                assertEquals(0x5A, memory.getByte(i));
                assertEquals(0x5A, memory.getByte(512 + i));
            }
        }

        @Test
        void shouldReadAnyGarbageWithoutLeavingRow() {
            SplittableRandom random = new SplittableRandom(SEED);
            for (int round = 0; round < 5_000; round++) {
                fillRandomly(memory, random);
                for (int head = 0; head < 3; head++) {
                    Row row = heads.readAcquire(head);
                    int bytes = row.controlSocket().getBytes(StandardCharsets.UTF_8).length;
                    // A byte that is no UTF-8 comes out as three.
                    assertTrue(bytes <= 3 * 124, "seed=" + SEED);
                    int number = memory.getInt(head * 256 + 16);
                    assertEquals(number >= 0 && number <= 3, row.state() != State.DAMAGED, "seed=" + SEED);
                }
            }
        }

        @Test
        void shouldRefuseHeadsThatDoNotExist() {
            for (int head : new int[] {-1, 3, Integer.MAX_VALUE}) {
                for (Runnable act : List.<Runnable>of(
                        () -> heads.readAcquire(head),
                        () -> heads.freeRelease(head),
                        () -> heads.operationAcquire(head),
                        () -> heads.nextIncarnationRelease(head))) {
                    assertEquals(
                            "no such head: head=" + head + " heads=3",
                            assertThrows(IllegalArgumentException.class, act::run)
                                    .getMessage());
                }
            }
        }
    }

    @Nested
    class ExtentLists {
        private final UnsafeBuffer memory = memory(3 * 36_864);
        private final SharedMemory tables = new SharedMemory("extent tables", memory);
        private final ExtentTable table = new ExtentTable(tables, 1);

        private Entry entry(long number) {
            return new Entry(number << 21, 2L << 20, new UUID(number, ~number), (int) number, number & 3);
        }

        private List<Entry> entries(int count, long seed) {
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                entries.add(entry(seed + i));
            }
            return entries;
        }

        @Test
        void shouldReadBackAnyNumberOfExtents() {
            for (int count : new int[] {0, 1, 2, 511, 512, 3, 0}) {
                table.writeSeqlock(entries(count, count * 7L), count * 3);
                assertEquals(Optional.of(new Snapshot(entries(count, count * 7L), count * 3)), table.readSeqlock());
            }
            assertTrue(entry(1).isPending());
            assertFalse(entry(4).isPending());
        }

        @Test
        void shouldWriteWhatHasChangedAndLeaveTheRestAlone() {
            long written = table.writeSeqlock(entries(4, 1), 5, 0);
            List<Placed> changes = List.of(new Placed(1, entry(20)), new Placed(2, entry(30)));
            written = table.writeSeqlock(3, changes, 6, written);
            assertEquals(Optional.of(new Snapshot(List.of(entry(1), entry(20), entry(30)), 6)), table.readSeqlock());
            written = table.writeSeqlock(4, List.of(), 7, written);
            assertEquals(
                    Optional.of(new Snapshot(List.of(entry(1), entry(20), entry(30), entry(4)), 7)),
                    table.readSeqlock());
            assertEquals(written, table.sequenceAcquire());
            assertEquals(6, written);
            long last = written;
            assertThrows(IllegalArgumentException.class, () -> table.writeSeqlock(513, List.of(), 8, last));
        }

        @Test
        void shouldRefuseMoreExtentsThanItHasRoomFor() {
            table.writeSeqlock(entries(512, 1), 5);
            Exception refusal =
                    assertThrows(IllegalArgumentException.class, () -> table.writeSeqlock(entries(513, 2), 6));
            assertEquals("too many extents: extents=513 limit=512", refusal.getMessage());
            assertEquals(Optional.of(new Snapshot(entries(512, 1), 5)), table.readSeqlock());
        }

        @Test
        void shouldStandWhereFormatSaysAndTouchNothingElse() {
            memory.setMemory(0, 36_864, (byte) 0x5A);
            memory.setMemory(2 * 36_864, 36_864, (byte) 0x5A);
            table.writeSeqlock(
                    List.of(entry(9), new Entry(0x1111, 0x2222, new UUID(0x3333, 0x4444), 0x5555, 0x6666)), 0x7777);
            int base = 36_864;
            assertEquals(2, memory.getLong(base));
            assertEquals(2, memory.getInt(base + 8));
            assertEquals(0x7777, memory.getInt(base + 12));
            assertEquals(0x1111, memory.getLong(base + 128));
            assertEquals(0x2222, memory.getLong(base + 136));
            assertEquals(0x3333, memory.getLong(base + 144));
            assertEquals(0x4444, memory.getLong(base + 152));
            assertEquals(0x6666, memory.getLong(base + 160));
            assertEquals(0x5555, memory.getInt(base + 168));
            table.writeSeqlock(entries(512, 3), 1);
            for (int i = 0; i < 36_864; i++) {
                assertEquals(0x5A, memory.getByte(i));
                assertEquals(0x5A, memory.getByte(2 * 36_864 + i));
            }
        }

        @Test
        void shouldReadNothingWhenWriterDiedAtWorkAndBeRepairedByNextWrite() {
            table.writeSeqlock(entries(5, 1), 1);
            memory.putLong(36_864, memory.getLong(36_864) | 1);
            assertEquals(Optional.empty(), table.readSeqlock());
            table.writeSeqlock(entries(2, 50), 2);
            assertEquals(Optional.of(new Snapshot(entries(2, 50), 2)), table.readSeqlock());
            assertEquals(0, memory.getLong(36_864) & 1);
        }

        @Test
        void shouldNotBeLedOutOfTableByHostileCounts() {
            memory.setMemory(2 * 36_864, 36_864, (byte) 0x77);
            for (int count : new int[] {-1, Integer.MIN_VALUE, 513, 1 << 20, Integer.MAX_VALUE}) {
                memory.putInt(36_864 + 8, count);
                List<Entry> entries = table.readSeqlock().orElseThrow().entries();
                assertEquals(count < 0 ? 0 : 512, entries.size());
                entries.forEach(entry -> assertEquals(0, entry.startDpa()));
            }
        }

        @Test
        void shouldReadAnyGarbage() {
            SplittableRandom random = new SplittableRandom(SEED);
            int read = 0;
            for (int round = 0; round < 300; round++) {
                fillRandomly(memory, random);
                for (int head = 0; head < 3; head++) {
                    Optional<Snapshot> snapshot = new ExtentTable(tables, head).readSeqlock();
                    assertEquals((memory.getLong(head * 36_864) & 1) == 0, snapshot.isPresent(), "seed=" + SEED);
                    assertTrue(snapshot.stream().allMatch(s -> s.entries().size() <= 512), "seed=" + SEED);
                    read += snapshot.isPresent() ? 1 : 0;
                }
            }
            assertTrue(read > 100, "read=" + read);
        }

        @Test
        void shouldShowReadersOneMomentOnly() throws Exception {
            AtomicBoolean stop = new AtomicBoolean();
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
                for (int round = 1; !stop.get(); round++) {
                    table.writeSeqlock(entries(round % 40, round), round);
                    if (round % 50 == 0) {
                        LockSupport.parkNanos(20_000);
                    }
                }
            });
            int seen = 0;
            int last = 0;
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (seen < 300 && System.nanoTime() < end && !writer.isDone()) {
                Optional<Snapshot> snapshot = table.readSeqlock();
                if (snapshot.isPresent()) {
                    int round = snapshot.get().generation();
                    assertTrue(round >= last, "went back from " + last + " to " + round);
                    assertEquals(entries(round % 40, round), snapshot.get().entries());
                    seen += round == last ? 0 : 1;
                    last = round;
                }
            }
            stop.set(true);
            writer.get();
            assertTrue(seen >= 300, "seen=" + seen);
        }
    }

    @Nested
    class CounterRows {
        private final UnsafeBuffer memory = memory(3 * 256);
        private final Counters counters = new Counters(new SharedMemory("counters", memory), 1);

        @Test
        void shouldCountEachForItself() {
            memory.setMemory(0, 256, (byte) 0x5A);
            memory.setMemory(512, 256, (byte) 0x5A);
            for (Counter counter : Counter.values()) {
                counters.addRelease(counter, counter.place() + 1);
                counters.addRelease(counter, 100);
            }
            for (Counter counter : Counter.values()) {
                assertEquals(counter.place() + 101, counters.getAcquire(counter));
                assertEquals(counter.place() + 101, memory.getLong(256 + 8 * counter.place()));
            }
            counters.setRelease(Counter.ADDS, -5);
            assertEquals(-5, counters.getAcquire(Counter.ADDS));
            counters.resetRelease();
            for (int i = 0; i < 256; i++) {
                assertEquals(0x5A, memory.getByte(i));
                assertEquals(0, memory.getByte(256 + i));
                assertEquals(0x5A, memory.getByte(512 + i));
            }
        }

        @Test
        void shouldTellLevelsFromCounts() {
            List<Counter> levels = new ArrayList<>();
            for (Counter counter : Counter.values()) {
                assertFalse(counter.label().isEmpty());
                if (counter.isLevel()) {
                    levels.add(counter);
                }
            }
            assertEquals(List.of(Counter.BLOCKS_OWNED, Counter.EXTENTS_HELD), levels);
        }
    }
}

package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.head.EventLoop.Timer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EventLoopTest {
    private final EventLoop loop = EventLoop.open();
    private final List<String> acts = new CopyOnWriteArrayList<>();
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private final AtomicReference<Throwable> end = new AtomicReference<>();
    private final List<Pipe> pipes = new ArrayList<>();
    private Thread thread;

    private void start() {
        loop.onError(errors::add);
        thread = new Thread(() -> {
            try {
                loop.run();
            } catch (Throwable e) {
                end.set(e);
            }
        });
        thread.start();
    }

    private void stop() throws InterruptedException {
        loop.stop();
        thread.join(20_000);
        assertFalse(thread.isAlive());
    }

    @AfterEach
    void close() throws Exception {
        if (thread != null && thread.isAlive()) {
            stop();
        }
        loop.close();
        for (Pipe pipe : pipes) {
            pipe.sink().close();
            pipe.source().close();
        }
    }

    private Pipe pipe() throws IOException {
        Pipe pipe = Pipe.open();
        pipes.add(pipe);
        return pipe;
    }

    // ---- timers

    @Test
    void shouldRunTimersInOrderOfTheirTimes() {
        for (int delay : new int[] {60, 20, 90, 0, 40}) {
            loop.after(delay, () -> acts.add("after " + delay));
        }
        loop.after(120, loop::stop);
        long start = System.nanoTime();
        loop.run();
        assertEquals(List.of("after 0", "after 20", "after 40", "after 60", "after 90"), acts);
        assertTrue(System.nanoTime() - start >= 120_000_000);
    }

    @Test
    void shouldNotRunTimersEarly() {
        long start = System.nanoTime();
        List<Long> lateNs = new ArrayList<>();
        for (int delay = 1; delay <= 50; delay++) {
            long dueNs = delay * 1_000_000L;
            loop.after(delay, () -> lateNs.add(System.nanoTime() - start - dueNs));
        }
        loop.after(60, loop::stop);
        loop.run();
        assertEquals(50, lateNs.size());
        lateNs.forEach(late -> assertTrue(late >= 0, "early by ns=" + -late));
    }

    @Test
    void shouldRepeatUntilCancelled() {
        AtomicReference<Timer> timer = new AtomicReference<>();
        timer.set(loop.every(10, () -> {
            acts.add("tick");
            if (acts.size() == 3) {
                timer.get().cancel();
                timer.get().cancel();
            }
        }));
        Timer never = loop.after(20, () -> acts.add("never"));
        never.cancel();
        loop.after(100, loop::stop);
        loop.run();
        assertEquals(List.of("tick", "tick", "tick"), acts);
    }

    @Test
    void shouldGoOnAfterTimerThatThrows() {
        loop.onError(errors::add);
        loop.every(10, () -> {
            acts.add("tick");
            throw new IllegalStateException("tick " + acts.size());
        });
        loop.after(55, loop::stop);
        loop.run();
        assertTrue(acts.size() >= 3, acts.toString());
        assertEquals(acts.size(), errors.size());
        assertEquals("tick 1", errors.get(0).getMessage());
    }

    @Test
    void shouldLetTimersAndTasksScheduleOthers() {
        loop.after(
                1,
                () -> loop.after(
                        1,
                        () -> loop.execute(() -> loop.after(0, () -> {
                            acts.add("last");
                            loop.stop();
                        }))));
        loop.run();
        assertEquals(List.of("last"), acts);
    }

    // ---- tasks

    @Test
    void shouldWakeUpForTaskOfAnyThread() throws InterruptedException {
        start();
        for (int i = 0; i < 20; i++) {
            DeviceFixture.pause(3);
            CountDownLatch done = new CountDownLatch(1);
            loop.execute(() -> {
                assertSame(thread, Thread.currentThread());
                done.countDown();
            });
            assertTrue(done.await(10, TimeUnit.SECONDS));
        }
        assertEquals(List.of(), errors);
    }

    @Test
    void shouldRunEveryTaskOnceAndInOrderOfItsThread() throws InterruptedException {
        start();
        int[] last = new int[4];
        AtomicInteger count = new AtomicInteger();
        List<Thread> senders = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int sender = t;
            Thread each = new Thread(() -> {
                for (int i = 1; i <= 5_000; i++) {
                    int number = i;
                    loop.execute(() -> {
                        if (last[sender] != number - 1) {
                            acts.add("sender " + sender + ": " + number + " after " + last[sender]);
                        }
                        last[sender] = number;
                        count.incrementAndGet();
                    });
                }
            });
            each.start();
            senders.add(each);
        }
        for (Thread sender : senders) {
            sender.join();
        }
        DeviceFixture.await("all tasks", 20_000, () -> count.get() == 20_000);
        stop();
        assertEquals(List.of(), acts);
        assertEquals(20_000, count.get());
    }

    @Test
    void shouldRunWhatWasHandedOverBeforeStop() throws InterruptedException {
        start();
        CountDownLatch blocked = new CountDownLatch(1);
        loop.execute(() -> DeviceFixture.pause(30));
        loop.execute(() -> acts.add("before stop"));
        loop.stop();
        blocked.countDown();
        thread.join(20_000);
        assertEquals(List.of("before stop"), acts);
    }

    @Test
    void shouldNotStarveChannelsByTasksThatHandOverTasks() throws Exception {
        Pipe pipe = pipe();
        loop.register(pipe.source(), SelectionKey.OP_READ, key -> {
            acts.add("read");
            loop.stop();
        });
        Runnable[] again = new Runnable[1];
        again[0] = () -> loop.execute(again[0]);
        loop.execute(again[0]);
        pipe.sink().write(ByteBuffer.wrap(new byte[1]));
        loop.run();
        assertEquals(List.of("read"), acts);
    }

    @Test
    void shouldGoOnAfterTaskThatThrowsAndEndWithError() throws InterruptedException {
        start();
        loop.execute(() -> {
            throw new IllegalArgumentException("bad task");
        });
        CountDownLatch next = new CountDownLatch(1);
        loop.execute(next::countDown);
        assertTrue(next.await(20, TimeUnit.SECONDS));
        assertEquals(
                List.of("bad task"), errors.stream().map(Throwable::getMessage).toList());

        loop.execute(() -> {
            throw new InternalError("a fault in mapped memory");
        });
        thread.join(20_000);
        assertEquals("a fault in mapped memory", end.get().getMessage());
    }

    // ---- turns of other threads

    @Test
    void shouldRunNothingElseDuringATurn() throws InterruptedException {
        start();
        int[] running = {0};
        AtomicInteger overlaps = new AtomicInteger();
        Runnable work = () -> {
            running[0]++;
            Thread.onSpinWait();
            if (running[0] != 1) {
                overlaps.incrementAndGet();
            }
            running[0]--;
        };
        loop.turn(() -> loop.every(1, work));
        List<Thread> others = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            Thread other = new Thread(() -> {
                for (int i = 0; i < 2_000; i++) {
                    loop.turn(work);
                    loop.execute(work);
                }
            });
            other.start();
            others.add(other);
        }
        for (Thread other : others) {
            other.join();
        }
        CountDownLatch done = new CountDownLatch(1);
        loop.execute(done::countDown);
        assertTrue(done.await(20, TimeUnit.SECONDS));
        assertEquals(0, overlaps.get());
        assertEquals(0, running[0]);
    }

    @Test
    void shouldReturnWhatATurnReturnsAndBeReentrant() throws InterruptedException {
        start();
        assertFalse(loop.isTurn());
        assertEquals("inner", loop.turn(() -> {
            assertTrue(loop.isTurn());
            return loop.turn(() -> "inner");
        }));
        CompletableFuture<Boolean> onLoop = new CompletableFuture<>();
        loop.execute(() -> onLoop.complete(loop.isTurn() && loop.turn(loop::isTurn)));
        assertTrue(onLoop.join());
        assertThrows(
                IllegalStateException.class,
                () -> loop.turn((Runnable) () -> {
                    throw new IllegalStateException("the caller's");
                }));
        assertEquals(List.of(), errors);
    }

    @Test
    void shouldWaitForWhatATurnOfAnotherThreadSchedulesAndWatches() throws Exception {
        start();
        Pipe pipe = pipe();
        pipe.sink().write(ByteBuffer.wrap(new byte[1]));
        // The loop sleeps without any timer when each of these comes.
        DeviceFixture.pause(50);
        loop.turn(() -> loop.after(1, () -> acts.add("timer")));
        DeviceFixture.await("the timer", 10_000, () -> acts.contains("timer"));
        DeviceFixture.pause(50);
        SelectionKey key = loop.turn(() -> loop.register(pipe.source(), 0, ready -> {
            acts.add("channel");
            loop.watch(ready, 0);
        }));
        DeviceFixture.pause(50);
        assertFalse(acts.contains("channel"));
        loop.turn(() -> loop.watch(key, SelectionKey.OP_READ));
        DeviceFixture.await("the channel", 10_000, () -> acts.contains("channel"));
        loop.turn(() -> loop.execute(() -> acts.add("task")));
        DeviceFixture.await("the task", 10_000, () -> acts.contains("task"));
    }

    @Test
    void shouldEndWithAnErrorOfATurnOfAnotherThread() throws InterruptedException {
        start();
        InternalError fault = new InternalError("a fault in mapped memory");
        assertSame(
                fault,
                assertThrows(
                        InternalError.class,
                        () -> loop.turn(() -> {
                            throw fault;
                        })));
        thread.join(20_000);
        assertSame(fault, end.get());
    }

    @Test
    void shouldGiveNobodyElseATurnAfterTheEnd() throws InterruptedException {
        start();
        stop();
        assertThrows(IllegalStateException.class, () -> loop.turn(() -> acts.add("too late")));
        assertEquals(List.of(), acts);
    }

    @Test
    void shouldLetTheLoopInWhenAnotherThreadTakesTurnAfterTurn() throws InterruptedException {
        start();
        AtomicInteger turns = new AtomicInteger();
        boolean[] isOver = {false};
        Thread greedy = new Thread(() -> {
            while (!loop.turn(() -> isOver[0])) {
                turns.incrementAndGet();
            }
        });
        greedy.start();
        for (int i = 0; i < 200; i++) {
            CountDownLatch done = new CountDownLatch(1);
            loop.execute(done::countDown);
            assertTrue(done.await(10, TimeUnit.SECONDS), "turns=" + turns);
        }
        loop.turn(() -> isOver[0] = true);
        greedy.join(20_000);
        assertFalse(greedy.isAlive());
    }

    // ---- channels

    @Test
    void shouldCloseOnlyChannelWhoseHandlerThrows() throws Exception {
        Pipe bad = pipe();
        Pipe worse = pipe();
        Pipe good = pipe();
        loop.register(bad.source(), SelectionKey.OP_READ, key -> {
            throw new IOException("bad channel");
        });
        loop.register(worse.source(), SelectionKey.OP_READ, key -> {
            throw new IllegalStateException("worse channel");
        });
        loop.register(good.source(), SelectionKey.OP_READ, key -> {
            ByteBuffer bytes = ByteBuffer.allocate(10);
            good.source().read(bytes);
            acts.add("read " + bytes.position());
        });
        start();
        for (Pipe pipe : List.of(bad, worse, good)) {
            pipe.sink().write(ByteBuffer.wrap(new byte[3]));
        }
        DeviceFixture.await("handlers", 20_000, () -> errors.size() == 2 && acts.size() == 1);
        good.sink().write(ByteBuffer.wrap(new byte[5]));
        DeviceFixture.await("the good one again", 20_000, () -> acts.size() == 2);
        assertEquals(List.of("read 3", "read 5"), acts);
        assertFalse(bad.source().isOpen());
        assertFalse(worse.source().isOpen());
        assertTrue(good.source().isOpen());
        assertEquals(
                List.of("bad channel", "worse channel"),
                errors.stream().map(Throwable::getMessage).sorted().toList());
    }

    @Test
    void shouldCloseChannelsThatItWatchesWhenClosed() throws Exception {
        Pipe pipe = pipe();
        loop.register(pipe.source(), SelectionKey.OP_READ, key -> {});
        loop.close();
        loop.close();
        assertFalse(pipe.source().isOpen());
    }

    @Test
    void shouldRefuseChannelThatIsClosed() throws Exception {
        Pipe pipe = pipe();
        pipe.source().close();
        assertThrows(UncheckedIOException.class, () -> loop.register(pipe.source(), SelectionKey.OP_READ, key -> {}));
    }

    // ---- idling

    @Test
    void shouldNotPollWhileIdle() throws Exception {
        Pipe pipe = pipe();
        loop.register(pipe.source(), SelectionKey.OP_READ, key -> {});
        loop.every(400, () -> acts.add("tick"));
        start();
        long sleepsBefore = sleepsOfLoop();
        long cpuNsBefore = ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.getId());
        acts.clear();
        DeviceFixture.await("two ticks", 20_000, () -> acts.size() >= 2);
        long sleeps = sleepsOfLoop() - sleepsBefore;
        long cpuNs = ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.getId()) - cpuNsBefore;
        // What is compiled meanwhile, or waited for in the JVM, may cost some; a poll each millisecond costs hundreds.
        assertTrue(sleeps <= 50L * acts.size(), "sleeps=" + sleeps + " ticks=" + acts.size());
        // And without sleeping at all it would be most of a second, or on a busy machine a third of it.
        assertTrue(cpuNs < 250_000_000, "cpuNs=" + cpuNs);
    }

    /** Looking for work uses up what would have waked a sleeping loop. */
    @Test
    void shouldMissNothingThatIsHandedOverWhileItLooksForWork() throws Exception {
        long seed = new SplittableRandom().nextLong();
        System.out.println("seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Pipe pipe = pipe();
        AtomicInteger read = new AtomicInteger();
        ByteBuffer bytes = ByteBuffer.allocate(10);
        loop.register(pipe.source(), SelectionKey.OP_READ, key -> {
            pipe.source().read(bytes.clear());
            read.addAndGet(bytes.position());
        });
        start();
        for (int round = 0; round < 4000; round++) {
            // Two that follow closely: then the loop looks.
            for (int request = 0; request < 2; request++) {
                int before = read.get();
                pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                spinUntil(() -> read.get() > before, "request");
            }
            long endNs = System.nanoTime() + random.nextLong(2 * Lookout.LOOK_NS);
            spinUntil(() -> System.nanoTime() > endNs, "time");
            AtomicInteger done = new AtomicInteger();
            switch (random.nextInt(3)) {
                case 0 -> loop.execute(done::incrementAndGet);
                case 1 -> loop.turn(() -> loop.after(0, done::incrementAndGet));
                default -> {
                    Pipe other = pipe();
                    other.sink().write(ByteBuffer.wrap(new byte[1]));
                    loop.turn(() -> loop.register(other.source(), SelectionKey.OP_READ, key -> {
                        key.channel().close();
                        other.sink().close();
                        done.incrementAndGet();
                    }));
                }
            }
            spinUntil(() -> done.get() > 0, "what was handed over");
        }
        assertEquals(List.of(), errors);
    }

    @Test
    void shouldEndWhenItIsStoppedWhileItLooksForWork() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 300; round++) {
            Pipe pipe = pipe();
            AtomicInteger read = new AtomicInteger();
            try (EventLoop looking = EventLoop.open()) {
                looking.register(
                        pipe.source(),
                        SelectionKey.OP_READ,
                        key -> read.addAndGet(pipe.source().read(ByteBuffer.allocate(10))));
                Thread runner = new Thread(looking::run);
                runner.start();
                for (int request = 1; request <= 4; request++) {
                    int wanted = request;
                    pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                    spinUntil(() -> read.get() >= wanted, "request");
                }
                long endNs = System.nanoTime() + random.nextLong(Lookout.LOOK_NS);
                spinUntil(() -> System.nanoTime() > endNs, "time");
                looking.stop();
                runner.join(10_000);
                assertFalse(runner.isAlive(), "round=" + round);
            }
            pipe.sink().close();
        }
    }

    private static void spinUntil(BooleanSupplier condition, String what) {
        long startNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
            assertTrue(System.nanoTime() - startNs < 10_000_000_000L, "waited in vain: for=" + what);
        }
    }

    /** How often the loop's thread has gone to sleep by itself, as the kernel counts it. */
    private long sleepsOfLoop() throws Exception {
        CompletableFuture<List<String>> status = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                status.complete(Files.readAllLines(Path.of("/proc/thread-self/status")));
            } catch (IOException e) {
                status.completeExceptionally(e);
            }
        });
        String count = status.get(20, TimeUnit.SECONDS).stream()
                .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(count.substring(count.indexOf(':') + 1).trim());
    }

    @Test
    void shouldTakeInterruptForStopInsteadOfSpinning() throws InterruptedException {
        start();
        DeviceFixture.pause(20);
        loop.execute(() -> {
            Thread.currentThread().interrupt();
            loop.execute(() -> acts.add("still run"));
        });
        thread.join(20_000);
        assertFalse(thread.isAlive());
        assertEquals(null, end.get());
        assertEquals(List.of("still run"), acts);
    }
}

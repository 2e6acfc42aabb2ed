package io.mhsld.vfiouser;

import io.mhsld.head.EventLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A server for a {@link StandInFunction}, on a loop in a thread of its own. */
final class RunningVfioUserServer implements AutoCloseable {
    final StandInFunction function = new StandInFunction();
    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<Throwable> errors = new CopyOnWriteArrayList<>();
    final EventLoop loop = EventLoop.open();
    final VfioUserServer server;
    final Path socket;
    volatile Throwable end;
    private final Thread thread;

    RunningVfioUserServer(Path folder) {
        socket = folder.resolve("vfio");
        loop.onError(errors::add);
        server = new VfioUserServer(loop, function, lines::add, errors::add);
        server.listen(VfioUserServer.address("unix:" + socket));
        thread = new Thread(
                () -> {
                    try {
                        loop.run();
                    } catch (Throwable e) {
                        end = e;
                    }
                },
                "test loop");
        thread.start();
    }

    /** On the loop's thread, and waits for it. */
    void run(Runnable task) {
        FutureTask<Void> future = new FutureTask<>(task, null);
        loop.execute(future);
        try {
            future.get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("loop does not answer", e);
        }
    }

    boolean hasClient() {
        return loop.turn(server::hasClient);
    }

    void awaitNoClient() {
        await("no client", () -> !hasClient());
    }

    void raise(int vector) {
        run(() -> function.raise(vector));
    }

    static void await(String what, BooleanSupplier condition) {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > endNs) {
                throw new AssertionError("waited in vain for " + what);
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** What descriptors this process has open. */
    static long openDescriptors() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    void awaitLoopEnd() {
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        if (thread.isAlive()) {
            throw new AssertionError("loop does not end");
        }
    }

    @Override
    public void close() {
        loop.stop();
        awaitLoopEnd();
        server.close();
        loop.close();
    }
}

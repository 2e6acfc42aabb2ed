package io.mhsld.qmp;

import io.mhsld.head.EventLoop;
import io.mhsld.socket.LocalAddress;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server with a small made-up command table, on a loop in a thread of its own. */
final class RunningServer implements AutoCloseable {
    /** What the command "big" answers. */
    static final int BIG_LENGTH = 300_000;

    private static final int TIMER_MS = 10;

    final AtomicInteger resets = new AtomicInteger();
    final AtomicInteger works = new AtomicInteger();
    final AtomicInteger echoes = new AtomicInteger();
    final CountDownLatch quit = new CountDownLatch(1);
    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<Throwable> errors = new CopyOnWriteArrayList<>();
    final List<QmpReply.Pending> promises = new CopyOnWriteArrayList<>();
    final LocalAddress address;

    private final EventLoop loop = EventLoop.open();
    private final QmpServer server;
    private final Thread thread;

    private RunningServer(LocalAddress wanted) {
        loop.onError(errors::add);
        server = new QmpServer(loop, new Machine(), commands(), lines::add, errors::add);
        address = server.listen(wanted);
        thread = new Thread(loop::run, "test loop");
        thread.start();
    }

    static RunningServer on(Path folder) {
        return at("unix:" + folder.resolve("qmp") + ",server,nowait");
    }

    static RunningServer at(String address) {
        return new RunningServer(QmpServer.address(address));
    }

    private List<QmpCommand> commands() {
        QmpType policy = QmpType.enumeration("Policy", "free", "prescriptive");
        QmpType extents = QmpType.listOf(QmpType.struct(
                "Extent", QmpParameter.required("offset", QmpType.UINT64), QmpParameter.required("len", QmpType.SIZE)));
        return List.of(
                QmpCommand.of(
                                "add",
                                arguments -> QmpReply.of(arguments.toString()),
                                QmpParameter.required("path", QmpType.STR),
                                QmpParameter.required("host-id", QmpType.UINT16),
                                QmpParameter.required("selection-policy", policy),
                                QmpParameter.required("region", QmpType.UINT8),
                                QmpParameter.optional("tag", QmpType.STR),
                                QmpParameter.optional("forced", QmpType.BOOL),
                                QmpParameter.optional("temperature", QmpType.INT16),
                                QmpParameter.optional("header", QmpType.listOf(QmpType.UINT32)),
                                QmpParameter.required("extents", extents))
                        .asUnstable(),
                QmpCommand.of(
                                "echo",
                                arguments -> {
                                    echoes.incrementAndGet();
                                    return QmpReply.of(arguments.any("value"));
                                },
                                QmpParameter.required("value", QmpType.ANY))
                        .returning(QmpType.ANY),
                QmpCommand.of("big", arguments -> {
                            echoes.incrementAndGet();
                            return QmpReply.of("x".repeat(BIG_LENGTH));
                        })
                        .returning(QmpType.ANY),
                QmpCommand.of("work", arguments -> {
                    works.incrementAndGet();
                    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1);
                    while (System.nanoTime() < endNs) {
                        Thread.onSpinWait();
                    }
                    return QmpReply.done();
                }),
                QmpCommand.of("refuse", arguments -> QmpReply.refused("no: reason=test")),
                QmpCommand.of("fail", arguments -> {
                    throw new IllegalStateException("broken on purpose");
                }),
                QmpCommand.of("return-nothing", arguments -> null),
                QmpCommand.of("return-nonsense", arguments -> QmpReply.of(new Object())),
                QmpCommand.of("promise", arguments -> {
                    QmpReply.Pending promise = QmpReply.pending();
                    promises.add(promise);
                    return promise;
                }));
    }

    /** Listens there too. */
    LocalAddress alsoAt(String wanted) {
        List<LocalAddress> addresses = new ArrayList<>();
        run(() -> addresses.add(server.listen(QmpServer.address(wanted))));
        return addresses.get(0);
    }

    /** Lets a group in too. */
    LocalAddress alsoShared(Path file, GroupPrincipal group) {
        List<LocalAddress> addresses = new ArrayList<>();
        run(() -> addresses.add(server.listen(LocalAddress.unix(file), Optional.of(group))));
        return addresses.get(0);
    }

    long unsentBytes() {
        List<Long> unsent = new ArrayList<>();
        run(() -> unsent.add(server.unsentBytes()));
        return unsent.get(0);
    }

    /** How many "work" commands were done at most between two turns of a timer of 10 ms, from now on. */
    AtomicInteger watchTimer() {
        AtomicInteger worst = new AtomicInteger();
        run(() -> {
            int[] last = {works.get()};
            loop.every(TIMER_MS, () -> {
                int now = works.get();
                worst.accumulateAndGet(now - last[0], Math::max);
                last[0] = now;
            });
        });
        return worst;
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

    void emit(String event) {
        run(() -> server.emit(event, null));
    }

    int clientCount() {
        List<Integer> count = new ArrayList<>();
        run(() -> count.add(server.clientCount()));
        return count.get(0);
    }

    void awaitClientCount(int wanted) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (clientCount() != wanted) {
            if (System.nanoTime() > end) {
                throw new AssertionError("clients: is=" + clientCount() + " wanted=" + wanted);
            }
            Thread.sleep(5);
        }
    }

    RawClient connect() {
        return new RawClient(address);
    }

    RawClient negotiated() {
        RawClient client = connect();
        client.negotiate();
        return client;
    }

    @Override
    public void close() {
        run(server::close);
        loop.stop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        loop.close();
    }

    private final class Machine implements QmpMachine {
        @Override
        public QmpVersion version() {
            return QmpVersion.ofPackage("mhsld-test");
        }

        @Override
        public String name() {
            return "cxl-mem0";
        }

        @Override
        public void reset() {
            resets.incrementAndGet();
        }

        @Override
        public void quit() {
            quit.countDown();
        }
    }
}

package io.mhsld;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFileException;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.ReleaseRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** A head in a JVM of its own, with a control socket that accepts and stays silent: {@code main(state file, head, wait, host driver)}. */
final class HeadChild {
    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private final Head head;
    private final EventLoop loop;

    private HeadChild(Head head, EventLoop loop) {
        this.head = head;
        this.loop = loop;
    }

    public static void main(String[] arguments) throws IOException {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        int id = Integer.parseInt(arguments[1]);
        HostDriver.Mode mode = HostDriver.Mode.of(arguments[3]).orElseThrow();
        try (EventLoop loop = EventLoop.open();
                Head head = Device.attach(
                        files, id, loop, Long.parseLong(arguments[2]), line -> OUT.println("log " + line))) {
            HostDriver driver = new HostDriver(head.mailbox(), mode, (act, extents, code) -> {});
            head.device().onEvent(EventLog.Kind.DYNAMIC_CAPACITY, () -> loop.execute(driver::eventPending));
            head.onLost(problem -> {
                OUT.println("lost " + problem.getMessage());
                loop.stop();
            });
            loop.onError(head::recordError);
            listen(head, loop);
            head.serve();
            HeadChild child = new HeadChild(head, loop);
            Thread orders = new Thread(child::readOrders, "orders");
            orders.setDaemon(true);
            orders.start();
            OUT.println("ready pid=" + ProcessHandle.current().pid());
            loop.run();
        } catch (StateFileException e) {
            OUT.println("unusable " + e.problem() + " " + e.getMessage());
            System.exit(3);
        }
        OUT.println("left");
        System.exit(0);
    }

    private static void listen(Head head, EventLoop loop) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Files.deleteIfExists(head.controlSocket());
        server.bind(UnixDomainSocketAddress.of(head.controlSocket()));
        List<SocketChannel> callers = new ArrayList<>();
        loop.register(server, SelectionKey.OP_ACCEPT, key -> callers.add(server.accept()));
    }

    private void readOrders() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                String[] words = line.split(" ");
                if (words[0].equals("race")) {
                    // Until a moment that several processes know, so that they meet.
                    long until = Long.parseLong(words[1]);
                    while (System.currentTimeMillis() < until) {
                        Thread.onSpinWait();
                    }
                    words = Arrays.copyOfRange(words, 2, words.length);
                }
                String[] order = words;
                loop.execute(() -> OUT.println("= " + obey(order)));
            }
        } catch (IOException e) {
            OUT.println("orders " + e);
        }
        // The one who gave them has gone.
        Runtime.getRuntime().halt(9);
    }

    private String obey(String[] words) {
        try {
            long[] numbers =
                    Arrays.stream(words).skip(1).mapToLong(Long::parseLong).toArray();
            DynamicCapacity capacity = head.device().capacity();
            return switch (words[0]) {
                case "add" -> told(capacity.add((int) numbers[0], DeviceFixture.ranges(tail(numbers)), Extent.NO_TAG));
                case "accept" -> told(capacity.addResponse(DeviceFixture.oldestGroup(head), false));
                case "reject" -> told(capacity.addResponse(List.of(), false));
                case "release" -> told(capacity.hostRelease(List.of(new HostRange(numbers[0], numbers[1])), false));
                case "force" ->
                    told(capacity.release(
                            ReleaseRequest.prescriptive((int) numbers[0], DeviceFixture.ranges(tail(numbers)))
                                    .byForce(true)));
                case "fill" -> told(head.device().fill(numbers[0], numbers[1], (byte) numbers[2]));
                case "bytes" -> bytes(numbers[0], (int) numbers[1]);
                case "extents" -> capacity.accepted() + " " + capacity.pending().size();
                case "soak" -> soak(numbers);
                case "reset" -> {
                    head.device().reset();
                    yield "ok";
                }
                case "leave" -> {
                    loop.stop();
                    yield "ok";
                }
                default -> "unknown order";
            };
        } catch (RuntimeException e) {
            return "error " + e;
        }
    }

    /** Adds, accepts or rejects, releases at random for some milliseconds; tells how many adds were won and lost. */
    private String soak(long[] numbers) {
        SplittableRandom random = new SplittableRandom(numbers[0]);
        DynamicCapacity capacity = head.device().capacity();
        long end = System.nanoTime() + numbers[1] * 1_000_000;
        int blocks = (int) numbers[2];
        int won = 0;
        int lost = 0;
        while (System.nanoTime() < end) {
            List<Extent> accepted = capacity.accepted();
            if (accepted.size() > 5 || (!accepted.isEmpty() && random.nextBoolean())) {
                Extent extent = accepted.get(random.nextInt(accepted.size()));
                must(capacity.hostRelease(List.of(new HostRange(extent.startDpa(), extent.lengthBytes())), false));
                continue;
            }
            long first = random.nextInt(blocks);
            long count = random.nextInt(1, (int) Math.min(8, blocks - first) + 1);
            Optional<Refusal> refusal =
                    capacity.add(random.nextInt(2), DeviceFixture.ranges(first, count), Extent.NO_TAG);
            head.device().log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
            if (refusal.isPresent()) {
                lost++;
            } else {
                won++;
                must(capacity.addResponse(random.nextInt(4) == 0 ? List.of() : DeviceFixture.oldestGroup(head), false));
            }
        }
        return won + " " + lost;
    }

    private static void must(Optional<Refusal> refusal) {
        refusal.ifPresent(r -> {
            throw new IllegalStateException(r.toString());
        });
    }

    private String bytes(long dpa, int length) {
        byte[] bytes = new byte[length];
        Optional<Refusal> refusal = head.device().read(dpa, bytes, 0, length);
        if (refusal.isPresent()) {
            return told(refusal);
        }
        for (byte b : bytes) {
            if (b != bytes[0]) {
                return "mixed";
            }
        }
        return "all " + bytes[0];
    }

    private static long[] tail(long[] numbers) {
        return Arrays.copyOfRange(numbers, 1, numbers.length);
    }

    private static String told(Optional<Refusal> refusal) {
        return refusal.map(r -> "refused " + r.cause() + " " + r.detail()).orElse("ok");
    }
}

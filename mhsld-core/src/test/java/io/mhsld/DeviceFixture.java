package io.mhsld;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A device in a folder of its own for each test, with heads in this JVM and in JVMs of their own. After a test that went well the state file
 * must be sound; of one that failed, the state file and all that the child JVMs said is kept under target/test-output.
 */
public final class DeviceFixture implements BeforeEachCallback, AfterEachCallback {
    public static final long MIB = 1L << 20;
    public static final long BLOCK = 2 * MIB;

    /** For what takes moments: the machine may be slow, and busy with other things. */
    public static final long PATIENCE_MS = 20_000;

    private static final long ANSWER_TIMEOUT_S = 20;

    /** What the tests take together at most; a container's shared memory may be smaller, and then they go to the disk. */
    private static final long NEEDED_BYTES = 1L << 30;

    private final List<Child> children = new CopyOnWriteArrayList<>();
    private final List<LocalHead> localHeads = new ArrayList<>();
    private Path folder;
    private DeviceFiles files;
    private boolean damageExpected;

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        Path sharedMemory = Path.of("/dev/shm");
        boolean hasRoom = sharedMemory.toFile().getUsableSpace() >= NEEDED_BYTES;
        folder = Files.isWritable(sharedMemory) && hasRoom
                ? Files.createTempDirectory(sharedMemory, "mhsld-test-")
                : Files.createTempDirectory("mhsld-test-");
        files = DeviceFiles.named(folder.resolve("dev").toString());
        damageExpected = false;
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        boolean sound = false;
        try {
            if (context.getExecutionException().isEmpty() && !damageExpected && Files.exists(files.stateFile())) {
                assertSound();
            }
            sound = context.getExecutionException().isEmpty();
        } finally {
            if (!sound) {
                keepEvidence(context);
            }
            children.forEach(Child::kill);
            children.clear();
            localHeads.forEach(LocalHead::close);
            localHeads.clear();
            deleteFolder();
        }
    }

    private void keepEvidence(ExtensionContext context) throws IOException {
        Path evidence = Path.of(
                "target",
                "test-output",
                context.getRequiredTestClass().getSimpleName() + "-"
                        + context.getRequiredTestMethod().getName());
        Files.createDirectories(evidence);
        // Not the lock file: reading it in this process would drop the leases of its heads.
        if (Files.exists(files.stateFile())) {
            Files.copy(files.stateFile(), evidence.resolve("dev"), StandardCopyOption.REPLACE_EXISTING);
        }
        for (int i = 0; i < children.size(); i++) {
            Files.write(
                    evidence.resolve("child-" + i + "-head-" + children.get(i).head + ".txt"), children.get(i).lines);
        }
        for (LocalHead head : localHeads) {
            Files.write(evidence.resolve("local-head-" + head.id + ".txt"), head.lines);
        }
    }

    private void deleteFolder() throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    // ---- the device

    public DeviceFiles files() {
        return files;
    }

    /** Where this test may put files. */
    public Path folder() {
        return folder;
    }

    /** This test leaves a state file that is not sound. */
    public void expectDamage() {
        damageExpected = true;
    }

    /** Makes the device: blocks of 2 MiB. */
    public Geometry make(int heads, int regions, long blocksPerRegion) {
        Geometry geometry = Geometry.of(heads, regions * blocksPerRegion * BLOCK, regions, BLOCK);
        Device.initialise(files, specification(geometry), 5_000);
        return geometry;
    }

    public static Device.Specification specification(Geometry geometry) {
        return new Device.Specification(geometry, 66_667, false, Optional.empty(), false);
    }

    /** Fails unless everything that must always hold does. */
    public Inspector.Report assertSound() {
        Inspector.Report report = Device.inspect(files);
        assertEquals(List.of(), report.findings());
        return report;
    }

    /** Owners by block, as bits, by a mapping of its own. */
    public List<Long> lanes() {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            List<Long> lanes = new ArrayList<>();
            for (long block = 0; block < state.geometry().blockCount(); block++) {
                lanes.add(state.ownerMap().ownersVolatile(block));
            }
            return lanes;
        }
    }

    /** Blocks of a head, as it stands in the owner map. */
    public List<Integer> blocksOf(int head) {
        List<Long> lanes = lanes();
        List<Integer> blocks = new ArrayList<>();
        for (int block = 0; block < lanes.size(); block++) {
            if ((lanes.get(block) >>> head & 1) != 0) {
                blocks.add(block);
            }
        }
        return blocks;
    }

    // ---- waiting and signals

    /** Waits until something holds. */
    public static void await(String what, long timeoutMs, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("in vain waited for: " + what + " timeoutMs=" + timeoutMs);
            }
            pause(2);
        }
    }

    public static void pause(long ms) {
        try {
            TimeUnit.MILLISECONDS.sleep(ms);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Sends a signal to one process. */
    public static void signal(String name, long pid) {
        try {
            // The shell's own kill: the program is not on every machine.
            int exit = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid)
                    .start()
                    .waitFor();
            assertEquals(0, exit, "kill -" + name + " " + pid);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    // ---- heads in this JVM

    /** Attaches a head whose loop runs on a thread of its own. */
    public LocalHead attach(int head) {
        LocalHead local = new LocalHead(files, head);
        localHeads.add(local);
        return local;
    }

    /** A head in this JVM. */
    public static final class LocalHead implements AutoCloseable {
        public final int id;
        public final Head head;
        public final List<String> lines = new CopyOnWriteArrayList<>();
        private final EventLoop loop = EventLoop.open();
        private final Thread thread;

        private LocalHead(DeviceFiles files, int id) {
            this.id = id;
            boolean attached = false;
            try {
                head = Device.attach(files, id, loop, 5_000, lines::add);
                attached = true;
            } finally {
                if (!attached) {
                    loop.close();
                }
            }
            loop.onError(error -> lines.add("error: " + error));
            thread = new Thread(loop::run, "head-" + id);
            thread.start();
        }

        /** Does something on the loop's thread. */
        public <T> T call(Function<Head, T> act) {
            CompletableFuture<T> result = new CompletableFuture<>();
            loop.execute(() -> {
                try {
                    result.complete(act.apply(head));
                } catch (Throwable e) {
                    result.completeExceptionally(e);
                }
            });
            try {
                return result.get(ANSWER_TIMEOUT_S, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException runtime) {
                    throw runtime;
                }
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
                throw new AssertionError(e.getCause());
            } catch (InterruptedException | TimeoutException e) {
                throw new AssertionError(e);
            }
        }

        /** Offers blocks of one region: pairs of first block in the region and count. */
        public Optional<Refusal> add(int region, long... blocks) {
            return call(h -> h.device().capacity().add(region, ranges(blocks), Extent.NO_TAG));
        }

        /** Accepts all of the oldest group. */
        public Optional<Refusal> accept() {
            return call(h -> h.device().capacity().addResponse(oldestGroup(h), false));
        }

        /** Offers and accepts; fails when either is refused. */
        public void take(int region, long... blocks) {
            assertEquals(Optional.empty(), add(region, blocks));
            assertEquals(Optional.empty(), accept());
        }

        /** The host gives blocks back. */
        public Optional<Refusal> release(long dpa, long length) {
            return call(h -> h.device().capacity().hostRelease(List.of(new HostRange(dpa, length)), false));
        }

        /** The bytes there, as the host reads them; fails when the access is refused. */
        public byte[] read(long dpa, int length) {
            byte[] bytes = new byte[length];
            assertEquals(Optional.empty(), call(h -> h.device().read(dpa, bytes, 0, length)));
            return bytes;
        }

        @Override
        public void close() {
            if (thread.isAlive()) {
                try {
                    call(h -> {
                        h.close();
                        return h;
                    });
                } finally {
                    loop.stop();
                    join();
                    loop.close();
                }
            }
        }

        private void join() {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(ANSWER_TIMEOUT_S));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    static List<Range> ranges(long... blocks) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < blocks.length; i += 2) {
            ranges.add(new Range(blocks[i] * BLOCK, blocks[i + 1] * BLOCK));
        }
        return ranges;
    }

    static List<HostRange> oldestGroup(Head head) {
        List<PendingGroup> pending = head.device().capacity().pending();
        return pending.isEmpty()
                ? List.of()
                : pending.get(0).extents().stream()
                        .map(extent -> new HostRange(extent.startDpa(), extent.lengthBytes()))
                        .toList();
    }

    // ---- heads in JVMs of their own

    /** Starts a JVM and waits until it is the head. */
    public Child startHead(int head) {
        Child child =
                start(HeadChild.class, head, files.stateFile().toString(), Integer.toString(head), "10000", "manual");
        child.awaitLine("ready", line -> line.startsWith("ready "));
        return child;
    }

    /** Starts a JVM; what it says first is up to it. */
    public Child start(Class<?> main, int head, String... arguments) {
        Child child = new Child(main, head, List.of(arguments));
        children.add(child);
        return child;
    }

    /** A JVM that takes orders line by line, and answers each with one line that starts with {@code = }. */
    public static final class Child {
        public final int head;
        public final List<String> lines = new CopyOnWriteArrayList<>();
        private final Process process;
        private final Writer orders;
        private int answersSeen;

        private Child(Class<?> main, int head, List<String> arguments) {
            this.head = head;
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(
                    List.of("-Xmx96m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
            ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                    .filter(argument -> argument.startsWith("--"))
                    .forEach(command::add);
            command.addAll(arguments.stream()
                    .filter(argument -> argument.startsWith("-D"))
                    .toList());
            command.addAll(List.of("-cp", absolute(System.getProperty("java.class.path")), main.getName()));
            command.addAll(arguments.stream()
                    .filter(argument -> !argument.startsWith("-D"))
                    .toList());
            try {
                process = new ProcessBuilder(command).redirectErrorStream(true).start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            orders = process.outputWriter(UTF_8);
            Thread reader = new Thread(this::readLines, "child-" + process.pid());
            reader.setDaemon(true);
            reader.start();
        }

        private static String absolute(String classPath) {
            return String.join(
                    ":",
                    Arrays.stream(classPath.split(":"))
                            .map(entry -> Path.of(entry).toAbsolutePath().toString())
                            .toList());
        }

        private void readLines() {
            try (BufferedReader reader = process.inputReader(UTF_8)) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                lines.add("(" + e + ")");
            }
        }

        public long pid() {
            return process.pid();
        }

        public boolean isAlive() {
            return process.isAlive();
        }

        /** Waits for a line that was or will be said. */
        public String awaitLine(String what, Predicate<String> wanted) {
            DeviceFixture.await(
                    what + " of head " + head + ", which said " + tail(),
                    TimeUnit.SECONDS.toMillis(ANSWER_TIMEOUT_S),
                    () -> lines.stream().anyMatch(wanted) || !isAlive());
            // A process that has ended may still have lines on the way.
            DeviceFixture.await(
                    what + " of head " + head + ", which has ended: " + lines,
                    5_000,
                    () -> lines.stream().anyMatch(wanted));
            return lines.stream().filter(wanted).findFirst().orElseThrow();
        }

        private List<String> tail() {
            return lines.subList(Math.max(0, lines.size() - 5), lines.size());
        }

        /** Gives an order; {@link #answer} waits for what it comes to. */
        public void order(String order) {
            try {
                orders.write(order + "\n");
                orders.flush();
            } catch (IOException e) {
                throw new UncheckedIOException("head " + head + " takes no orders: " + tail(), e);
            }
        }

        /** What the next order that was not yet answered came to. */
        public String answer() {
            int wanted = ++answersSeen;
            DeviceFixture.await(
                    "answer of head " + head,
                    TimeUnit.SECONDS.toMillis(ANSWER_TIMEOUT_S),
                    () -> answers().size() >= wanted || !isAlive());
            if (answers().size() < wanted) {
                pause(200);
            }
            if (answers().size() < wanted) {
                throw new AssertionError("head " + head + " has ended: " + lines);
            }
            return answers().get(wanted - 1);
        }

        private List<String> answers() {
            return lines.stream()
                    .filter(line -> line.startsWith("= "))
                    .map(line -> line.substring(2))
                    .toList();
        }

        public String ask(String order) {
            order(order);
            return answer();
        }

        /** Offers blocks of a region and accepts them; fails when refused. */
        public void take(int region, long first, long count) {
            assertEquals("ok", ask("add " + region + " " + first + " " + count));
            assertEquals("ok", ask("accept"));
        }

        /** Ends it as nothing can be caught: the kernel has closed its files when this returns. */
        public void kill() {
            process.destroyForcibly();
            exitCode();
        }

        public int exitCode() {
            return exitCode(ANSWER_TIMEOUT_S);
        }

        /** The same for one that has much to do. */
        public int exitCode(long timeoutSeconds) {
            try {
                if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
                    throw new AssertionError("head " + head + " does not end: " + tail());
                }
                return process.exitValue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}

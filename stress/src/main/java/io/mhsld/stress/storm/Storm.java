package io.mhsld.stress.storm;

import io.mhsld.Device;
import io.mhsld.qmp.QmpException;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.stress.process.ChildJvm;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * One run: the device, its heads, the threads that load, kill and watch them, and the quiet moments at which everything is compared with the
 * oracle.
 */
public final class Storm implements AutoCloseable {
    private static final long QUIET_EVERY_MS = 3_000;
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int QUIET_PER_INIT = 6;
    private static final int CHAOS_THREADS = 2;
    private static final int BYSTANDERS = 2;
    private static final int MAX_VIOLATIONS = 5;
    private static final int SETTLE_ATTEMPTS = 100;

    /**
     * What kind of storm it is.
     *
     * @param heads how many
     * @param longLived the first of them, to which no harm is done
     * @param makesAnew the device is made anew now and then
     * @param quietEveryMs time from one quiet moment to the next
     */
    public record Plan(int heads, int longLived, boolean makesAnew, long quietEveryMs) {
        static Plan storm(int heads) {
            return new Plan(heads, 0, true, QUIET_EVERY_MS);
        }
    }

    /** Something that is done again and again in a thread of its own, and never in a quiet moment. */
    public interface Step {
        /** Returns how many nanoseconds to wait before the next step. */
        long run();
    }

    private final SplittableRandom random;
    private final PrintStream out;
    private final Tally tally;
    private final Ownership ownership = new Ownership();
    private final DeviceFiles files;
    private final Path otherMedia;
    private final HeadLauncher launcher;
    private final Plan plan;
    private final List<HeadSlot> slots = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicInteger lives = new AtomicInteger();

    /** Read-locked by whoever does anything, write-locked for quiet moments. */
    private final ReentrantReadWriteLock activity = new ReentrantReadWriteLock(true);

    private Runnable quietListener = () -> {};
    private volatile boolean stopping;
    private Geometry geometry;
    private StateFile view;
    private ChildJvm operator;
    private int operatorNumber;
    private boolean evidenceKept;

    /** A storm that has not begun. */
    public Storm(long seed, Plan plan, HeadLauncher launcher, PrintStream out) {
        this.random = new SplittableRandom(seed);
        this.plan = plan;
        this.launcher = launcher;
        this.out = out;
        this.tally = new Tally(out);
        this.files = DeviceFiles.named(
                "mhsld-storm-" + ProcessHandle.current().pid() + "-" + Long.toHexString(seed & 0xffff));
        this.otherMedia = files.stateFile().resolveSibling(files.stateFile().getFileName() + ".dcmem");
    }

    /** Lets it rage, and then checks that nothing is left of it. */
    public void run(long durationMs) {
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(durationMs);
        make(chooseSpecification());
        for (int head = 0; head < plan.heads; head++) {
            HeadSlot slot = new HeadSlot(this, head, random.split());
            slots.add(slot);
            alongside("load-" + head, slot::step);
        }
        for (int i = 0; i < CHAOS_THREADS; i++) {
            alongside("chaos-" + i, new Chaos(this, random.split())::step);
        }
        for (int i = 0; i < BYSTANDERS; i++) {
            alongside("bystander-" + i, new Bystander(this, random.split())::step);
        }
        alongside("lanes", this::watchLanes);
        threads.forEach(Thread::start);
        int quiet = 0;
        // A short run makes the device anew once, too.
        int quietPerInit = (int) Math.max(2, Math.min(QUIET_PER_INIT, durationMs / QUIET_EVERY_MS / 2));
        while (System.nanoTime() - endNs < 0 && !isWrong()) {
            rage(Math.min(endNs, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(plan.quietEveryMs)));
            activity.writeLock().lock();
            try {
                beQuiet();
                quietListener.run();
                if (++quiet % quietPerInit == 0 && plan.makesAnew) {
                    makeAnew();
                }
            } finally {
                activity.writeLock().unlock();
            }
        }
        finish();
    }

    private void rage(long untilNs) {
        while (System.nanoTime() - untilNs < 0 && !isWrong()) {
            pauseNs(LOOK_NS);
        }
    }

    private boolean isWrong() {
        return tally.violations().size() >= MAX_VIOLATIONS || threads.stream().anyMatch(thread -> !thread.isAlive());
    }

    // ---- for the threads

    /** What has been counted and found so far. */
    public Tally tally() {
        return tally;
    }

    Ownership ownership() {
        return ownership;
    }

    /** The device. */
    public DeviceFiles files() {
        return files;
    }

    /** The shape of the device as it is now. */
    public Geometry geometry() {
        return geometry;
    }

    HeadLauncher launcher() {
        return launcher;
    }

    List<HeadSlot> slots() {
        return slots;
    }

    /** Does something at the quiet moments: no request is under way then. */
    public void onQuiet(Runnable listener) {
        quietListener = listener;
    }

    /** Process ids of the heads that no harm is done to, in order; 0 for one that does not serve yet. */
    public List<Long> longLived() {
        return slots.stream()
                .limit(plan.longLived)
                .map(slot -> slot.serving().map(life -> life.process().pid()).orElse(0L))
                .toList();
    }

    boolean isLongLived(HeadSlot slot) {
        return slot.head() < plan.longLived;
    }

    /** The shared state, to look at. */
    StateFile view() {
        return view;
    }

    int nextLife() {
        return lives.incrementAndGet();
    }

    static void pauseNs(long ns) {
        LockSupport.parkNanos(ns);
    }

    /** Tells the operator to do something; it may be killed while it does. */
    synchronized void tellOperator(String line, long killAfterNs) {
        if (operator == null || !operator.isAlive()) {
            closeOperator();
            operator = ChildJvm.start(
                    Operator.class,
                    launcher.folder().resolve("operator-" + operatorNumber++ + ".log"),
                    List.of("-XX:TieredStopAtLevel=1"),
                    List.of(files.stateFile().toString()));
            awaitOperator("ready", 1);
        }
        long before = operatorAnswers();
        operator.tell(line);
        if (killAfterNs > 0) {
            pauseNs(killAfterNs);
            operator.kill();
            tally.deed("kill: process that does " + line.split(" ", 2)[0]);
        } else {
            awaitOperator("answer", before + 1);
        }
        operator.output()
                .lines()
                .filter(said -> said.startsWith("failed"))
                .forEach(said -> tally.violation("operator failed: %s", said));
    }

    private long operatorAnswers() {
        return operator.output().lines().count();
    }

    private void awaitOperator(String what, long lines) {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (operatorAnswers() < lines) {
            if (System.nanoTime() - endNs > 0 || !operator.isAlive()) {
                tally.violation("operator gives no %s: said=%n%s", what, operator.output());
                return;
            }
            pauseNs(1_000_000);
        }
    }

    private void closeOperator() {
        if (operator != null) {
            operator.close();
            operator.outputFile().toFile().delete();
            operator = null;
        }
    }

    // ---- threads

    /** Adds a thread to a storm that has not begun. */
    public void alongside(String name, Step step) {
        Thread thread = new Thread(
                () -> {
                    while (!stopping) {
                        long pauseNs;
                        activity.readLock().lock();
                        try {
                            pauseNs = stopping ? 0 : step.run();
                        } catch (RuntimeException e) {
                            StringWriter trace = new StringWriter();
                            e.printStackTrace(new PrintWriter(trace));
                            tally.violation("the storm itself has failed: thread=%s %s", name, trace);
                            pauseNs = TimeUnit.SECONDS.toNanos(1);
                        } finally {
                            activity.readLock().unlock();
                        }
                        if (pauseNs > 0) {
                            pauseNs(pauseNs);
                        }
                    }
                },
                name);
        thread.setDaemon(true);
        threads.add(thread);
    }

    /** I1 by looking: one lane is read at one instant. */
    private long watchLanes() {
        for (long block = 0; block < geometry.blockCount(); block++) {
            long lane = view.ownerMap().ownersVolatile(block);
            if (Long.bitCount(lane) > 1) {
                tally.violation("I1 lane with several owners: block=%d lane=0x%x", block, lane);
            }
        }
        tally.deed("look at all lanes");
        return 2_000_000;
    }

    // ---- quiet moments

    /** Everything is answered, nothing is under way. */
    private void beQuiet() {
        tally.deed("quiet moment");
        for (HeadSlot slot : slots) {
            slot.serving().ifPresent(life -> slot.host().ifPresent(host -> compare(slot, life, host)));
        }
        inspect("at a quiet moment");
        keepEvidence();
    }

    private void compare(HeadSlot slot, Life life, Host host) {
        try {
            host.compareExtents();
        } catch (QmpException e) {
            slot.blame(life, e);
            return;
        }
        NavigableSet<Long> owned = new TreeSet<>();
        view.ownerMap().forEachRunVolatile(life.head(), (first, count) -> {
            for (long block = first; block < first + count; block++) {
                owned.add(block);
            }
        });
        if (!owned.equals(host.owned())) {
            tally.violation(
                    "I2 owner map is not what the replies said: %s map=%s expected=%s", life, owned, host.owned());
        }
    }

    private Inspector.Report inspect(String when) {
        Inspector.Report report = Device.inspect(files);
        report.findings().forEach(finding -> tally.violation("inspection %s: %s", when, finding));
        return report;
    }

    private void makeAnew() {
        endAll();
        Device.Specification specification = chooseSpecification();
        view.close();
        if (random.nextBoolean()) {
            long killAfterNs = random.nextInt(4) == 0 ? 0 : 1 + random.nextLong(6_000_000);
            tellOperator(random.nextBoolean() ? "destroy" : Operator.initLine(specification), killAfterNs);
        }
        if (random.nextBoolean() && Files.exists(files.stateFile())) {
            Device.destroy(files, Operator.WAIT_MS);
            tally.deed("destroy");
        }
        make(specification);
    }

    private void make(Device.Specification specification) {
        Device.initialise(files, specification, Operator.WAIT_MS);
        geometry = specification.geometry();
        ownership.makeAnew((int) geometry.blockCount());
        view = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0);
        tally.deed("init");
        requireAllFree("after init");
    }

    private Device.Specification chooseSpecification() {
        long blockSizeBytes = 4096L << (2 * random.nextInt(3));
        int regions = 1 + random.nextInt(3);
        long blocks = regions * (24L + random.nextInt(40));
        return new Device.Specification(
                Geometry.of(plan.heads, blocks * blockSizeBytes, regions, blockSizeBytes),
                1,
                random.nextInt(4) == 0,
                random.nextBoolean() ? Optional.of(otherMedia) : Optional.empty(),
                false);
    }

    private void endAll() {
        for (HeadSlot slot : slots) {
            slot.fate().lock();
            try {
                slot.end(isLongLived(slot) || random.nextInt(3) == 0);
            } finally {
                slot.fate().unlock();
            }
        }
        tally.deed("recover: all heads ended");
        Device.recover(files, Operator.WAIT_MS);
        requireAllFree("after all have ended and been recovered");
    }

    private void requireAllFree(String when) {
        Inspector.Report report = inspect(when);
        if (report.freeBlocks() != geometry.blockCount()) {
            tally.violation(
                    "I8 not all is free %s: free=%d blocks=%d", when, report.freeBlocks(), geometry.blockCount());
        }
    }

    // ---- the end

    private void finish() {
        stopping = true;
        activity.writeLock().lock();
        try {
            keepEvidence();
            endAll();
        } finally {
            activity.writeLock().unlock();
        }
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    /** The files as they are soon after the first violation. */
    private void keepEvidence() {
        if (!evidenceKept && !tally.violations().isEmpty()) {
            evidenceKept = true;
            try {
                Path folder = launcher.folder();
                Files.copy(files.stateFile(), folder.resolve("state"), StandardCopyOption.REPLACE_EXISTING);
                Path media = Path.of(view.identity().mediaFile());
                Files.copy(media, folder.resolve("media"), StandardCopyOption.REPLACE_EXISTING);
                Files.write(folder.resolve("violations"), tally.violations());
                out.println("evidence: folder=" + folder);
            } catch (IOException e) {
                out.println("evidence cannot be kept: reason=" + e);
            }
        }
    }

    /** Removes the device; heads that a failure has left are killed. */
    @Override
    public void close() {
        stopping = true;
        for (HeadSlot slot : slots) {
            slot.life().ifPresent(life -> life.process().close());
        }
        synchronized (this) {
            closeOperator();
        }
        if (view != null) {
            view.close();
        }
        try {
            for (int attempt = 0; attempt < SETTLE_ATTEMPTS && Files.exists(files.stateFile()); attempt++) {
                try {
                    Device.destroy(files, Operator.WAIT_MS);
                } catch (RuntimeException e) {
                    pauseNs(100_000_000);
                }
            }
            Files.deleteIfExists(otherMedia);
            Files.deleteIfExists(files.mediaFile());
            Files.deleteIfExists(otherMedia.resolveSibling(otherMedia.getFileName() + ".device"));
            Files.deleteIfExists(
                    files.mediaFile().resolveSibling(files.mediaFile().getFileName() + ".device"));
        } catch (IOException e) {
            out.println("device cannot be removed: reason=" + e);
        }
    }
}

package io.mhsld.stress.simulation;

import io.mhsld.head.Leases;
import io.mhsld.head.Machine;
import io.mhsld.head.Reaper;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.TagTable;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.SharedFiles.Mapped;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One run: a device, some processes that want to be its heads, a fabric manager, a reaper, and what befalls them. All of it comes from one seed. */
final class World implements AutoCloseable {
    private static final int[] HEAD_COUNTS = {4, 8, 12, 20, 40};
    private static final long MS = 1_000_000;
    private static final int INSPECTION_ONE_IN = 600;
    private static final int FORGOTTEN_ONE_IN = 100;
    private static final int MAX_REQUESTS_WAITING = 3;
    private static final int CHANGES_WEIGH = 4;
    private static final int STOPPED_WITH_TABLES_ONE_IN = 2000;
    private static final int STOPPED_BEFORE_CHANGE_ONE_IN = 40;

    /** Rows behind that stay free, for there are fewer tags; whoever looks for one looks at all, and that would be most of what is done. */
    private static final long TAGS_THAT_MAY_CHANGE = 100_000;

    private final SplittableRandom random;
    private final Scheduler scheduler;
    private final Geometry geometry;
    private final SharedFiles files;
    private final Kernel kernel;
    private final Oracle oracle;
    private final Optional<Defect> defect;
    private final int activeHeads;
    private final int killOneIn;
    private final int stopOneIn;
    private final long maxPauseNs;

    /** How long nobody starts where somebody died, at most. */
    private final long maxAbsenceNs;

    private final boolean hasReaper;
    private final List<SimulatedProcess> living = new ArrayList<>();
    private final List<Deque<FabricRequest>> requests = new ArrayList<>();
    private final Tally tally;

    /** The last store, whose effect has not been looked at yet, is this process's. */
    private Optional<SimulatedProcess> storing = Optional.empty();

    private String storedSection = "";
    private long storedOffset;

    World(long seed, DeviceFiles deviceFiles, Optional<Defect> defect, Tally tally) {
        this.tally = tally;
        this.random = new SplittableRandom(seed);
        this.defect = defect;
        int headCount = HEAD_COUNTS[random.nextInt(HEAD_COUNTS.length)];
        int regions = 1 + random.nextInt(3);
        // So that regions can have larger blocks, too.
        long blocks = regions * (random.nextBoolean() ? 8L + random.nextInt(14) : 8L + 8L * random.nextInt(2));
        Set<Integer> shareable = IntStream.range(0, regions)
                .filter(region -> random.nextInt(3) > 0)
                .boxed()
                .collect(Collectors.toSet());
        this.geometry = Geometry.of(
                        headCount, blocks * Geometry.MIN_BLOCK_SIZE_BYTES, regions, Geometry.MIN_BLOCK_SIZE_BYTES)
                .withShareable(shareable);
        this.activeHeads = 2 + random.nextInt(3);
        this.killOneIn = pick(400, 1500, 6000);
        this.stopOneIn = pick(1000, 5000, 20_000);
        this.maxPauseNs = pick(1, 20, 300) * MS;
        this.maxAbsenceNs = maxPauseNs * pick(1, 10, 40);
        this.hasReaper = random.nextBoolean();
        this.scheduler = new Scheduler(random, pick(100, 500, 2000), pick(2, 6, 40));
        this.kernel = new Kernel(scheduler, headCount);
        this.files = new SharedFiles(deviceFiles, geometry);
        this.oracle = new Oracle(geometry, kernel, scheduler);
        for (int head = 0; head < headCount; head++) {
            requests.add(new ArrayDeque<>());
        }
    }

    private int pick(int... values) {
        return values[random.nextInt(values.length)];
    }

    /** Runs for so many steps, kills whoever still lives, reaps them all, and looks. Throws a {@link Violation} when something did not hold. */
    void run(long steps) {
        files.open();
        scheduler.onStep(this::fate);
        int processes = activeHeads + random.nextInt(2);
        for (int i = 0; i < processes; i++) {
            scheduler.add("head-" + i, this::headsForEver);
        }
        if (hasReaper) {
            scheduler.add("reaper", this::reapersForEver);
        }
        scheduler.add("fabric", this::fabricForEver);
        scheduler.add("keeper", this::keepsForEver);
        Steps.tell(this);
        try {
            scheduler.run(steps);
        } finally {
            Steps.tell(null);
        }
        rethrow(scheduler.failure());
        Mapped last = files.last();
        oracle.inspect(last, "after all have died");
        for (int head = 0; head < geometry.headCount(); head++) {
            new Reaper(last.state(), new LooseLeases(), last.media(), Machine.REAL).reap(head);
        }
        oracle.livesOf(last).checkKept(last.state().tags());
        TagRegistry registry = new TagRegistry(last.state(), new LooseLeases(), last.media(), Machine.REAL);
        registry.list().forEach(tag -> registry.removeReference(tag.tag()));
        oracle.inspectEmpty(last);
        tally.ran(scheduler, oracle);
    }

    private static void rethrow(Optional<Throwable> failure) {
        if (failure.isPresent()) {
            if (failure.get() instanceof Violation violation) {
                throw violation;
            }
            throw new Violation(failure.get());
        }
    }

    /** The last steps. */
    List<String> trace() {
        return scheduler.trace();
    }

    @Override
    public void close() {
        files.close();
    }

    // ---- what lives

    private void headsForEver(Scheduler.Actor actor) {
        while (true) {
            scheduler.pause(random.nextLong(maxAbsenceNs));
            live(actor, process -> new HeadLife(this, process, random.nextInt(activeHeads)).live());
        }
    }

    private void reapersForEver(Scheduler.Actor actor) {
        while (true) {
            scheduler.pause(random.nextLong(50 * maxPauseNs));
            live(actor, process -> {
                Mapped mapped = files.open();
                process.maps(mapped);
                Reaper reaper = new Reaper(mapped.state(), leasesOf(process), mapped.media(), process);
                for (int head = 0; head < activeHeads; head++) {
                    reaper.reap(head);
                }
            });
        }
    }

    private void fabricForEver(Scheduler.Actor actor) {
        while (true) {
            scheduler.pause(random.nextLong(maxPauseNs + 1));
            Deque<FabricRequest> queue = requests.get(random.nextInt(activeHeads));
            if (queue.size() < MAX_REQUESTS_WAITING) {
                queue.add(FabricRequest.draw(random, geometry));
            }
        }
    }

    private void keepsForEver(Scheduler.Actor actor) {
        while (true) {
            scheduler.pause(random.nextLong(5 * maxPauseNs));
            live(actor, process -> {
                Mapped mapped = files.open();
                process.maps(mapped);
                new Keeper(this, process, mapped).live();
            });
        }
    }

    private interface Life {
        void live(SimulatedProcess process);
    }

    private void live(Scheduler.Actor actor, Life life) {
        SimulatedProcess process = kernel.spawn(actor);
        living.add(process);
        tally.lived();
        try {
            actor.begin();
            life.live(process);
            settle();
        } catch (Scheduler.Died e) {
            // As by SIGKILL: what it was about to do has not happened.
            storing = Optional.empty();
        } finally {
            living.remove(process);
            process.exit();
            oracle.forget(process);
            actor.end();
        }
    }

    /** The leases as this process asks for them. */
    Leases leasesOf(SimulatedProcess process) {
        return is(Defect.UNLEASED) ? new LooseLeases() : process;
    }

    // ---- what befalls them

    private void fate() {
        if (random.nextInt(FORGOTTEN_ONE_IN) == 0) {
            oracle.checkForgotten(files.last(), living);
        }
        if (random.nextInt(INSPECTION_ONE_IN) == 0) {
            oracle.inspect(files.last(), "at some moment");
        }
        if (!living.isEmpty() && random.nextInt(stopOneIn) == 0) {
            tally.stopped();
            living.get(random.nextInt(living.size())).stop(random.nextLong(1500 * MS));
        }
        if (!living.isEmpty() && random.nextInt(killOneIn) == 0) {
            kill(living.get(random.nextInt(living.size())));
        }
    }

    /** What changes something is rarer than what only looks, and more worth dying at. */
    private void fateOfOneThatChanges(SimulatedProcess process) {
        if (random.nextInt(killOneIn / CHANGES_WEIGH) == 0) {
            kill(process);
        }
    }

    /** What it has seen in the table may be over when it goes on: nobody needs the lock to die, or to reap. */
    private void fateOfOneThatHasTheTables(SimulatedProcess process, int oneIn) {
        if (random.nextInt(oneIn) == 0) {
            tally.stopped();
            process.stop(random.nextLong(700 * MS));
            for (SimulatedProcess other : List.copyOf(living)) {
                if (other != process && random.nextInt(3) == 0) {
                    kill(other);
                }
            }
        }
    }

    private void kill(SimulatedProcess victim) {
        tally.killed(victim.lastPoint());
        victim.kill();
    }

    // ---- steps

    void beforeLoad(String section, long offset) {
        boolean mayChange = !section.equals("TAG_TABLE") || offset < TAGS_THAT_MAY_CHANGE;
        Optional<SimulatedProcess> process = mayChange ? current() : Optional.empty();
        if (process.isPresent()) {
            settle();
            if (section.equals("TAG_TABLE") && process.get().holdsTables()) {
                fateOfOneThatHasTheTables(process.get(), STOPPED_WITH_TABLES_ONE_IN);
            }
            scheduler.step("load", section, offset);
        }
    }

    void beforeStore(String section, long offset) {
        Optional<SimulatedProcess> process = current();
        if (process.isPresent()) {
            settle();
            if (section.equals("TAG_TABLE")) {
                fateOfOneThatHasTheTables(process.get(), STOPPED_BEFORE_CHANGE_ONE_IN);
            }
            scheduler.step("store", section, offset);
            fateOfOneThatChanges(process.get());
            oracle.beforeStore(process.get(), section, offset);
            storing = process;
            storedSection = section;
            storedOffset = offset;
        }
    }

    void reached(CrashPoint point) {
        Optional<SimulatedProcess> process = current();
        if (process.isPresent()) {
            settle();
            process.get().comesTo(point);
            scheduler.step("at", point.name(), 0);
            fateOfOneThatChanges(process.get());
        }
    }

    /** Looks at what the last store has done. */
    void settle() {
        if (storing.isPresent()) {
            SimulatedProcess process = storing.get();
            storing = Optional.empty();
            oracle.afterStore(process, process.mapped(), storedSection, storedOffset);
        }
    }

    private Optional<SimulatedProcess> current() {
        Optional<Scheduler.Actor> self = scheduler.self();
        if (self.isEmpty()) {
            return Optional.empty();
        }
        for (SimulatedProcess process : living) {
            if (process.runsOn(self.get())) {
                return Optional.of(process);
            }
        }
        return Optional.empty();
    }

    // ---- parts

    boolean is(Defect wanted) {
        return defect.isPresent() && defect.get() == wanted;
    }

    Optional<Defect> defect() {
        return defect;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    Oracle oracle() {
        return oracle;
    }

    Kernel kernel() {
        return kernel;
    }

    SharedFiles files() {
        return files;
    }

    Geometry geometry() {
        return geometry;
    }

    long maxPauseNs() {
        return maxPauseNs;
    }

    /** Mostly a tag that somebody has at this moment: what the fabric manager speaks of it has often read a moment before. */
    Optional<TagTable.Entry> someLiveTag(Mapped file) {
        List<TagTable.Entry> live = random.nextInt(4) == 0
                ? List.of()
                : Steps.aside(() -> file.state().tags().readAll());
        return live.isEmpty() ? Optional.empty() : Optional.of(live.get(random.nextInt(live.size())));
    }

    Deque<FabricRequest> requestsTo(int head) {
        return requests.get(head);
    }

    Tally tally() {
        return tally;
    }
}

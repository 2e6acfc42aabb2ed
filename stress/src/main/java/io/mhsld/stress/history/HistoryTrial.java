package io.mhsld.stress.history;

import io.mhsld.Device;
import io.mhsld.state.Geometry;
import io.mhsld.state.SharedMemory;
import io.mhsld.state.StateFile;
import io.mhsld.stress.history.Linearizability.Failure;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.TrialDevice;
import io.mhsld.stress.process.TrialFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Head processes do what hosts and fabric managers do, over few blocks, and are killed and started again; each writes down what it did and when.
 * Afterwards each block's history must be that of a register {free, owned by h}: {@link Linearizability}.
 *
 * <p>The operations come in phases of equal numbers. In each phase one process is killed in the midst of its work, sometimes another right after
 * it, which may be reaping the first; the next phase begins when their successors are at work.
 */
@Command(
        name = "history",
        description =
                "Real heads, some of them killed, write down what they did; each block must have been a register.")
public final class HistoryTrial implements Callable<Integer> {
    private static final int[] HEAD_COUNTS = {8, 16, 32, 64};
    private static final int MAX_PROCESSES = 8;
    private static final int BLOCKS = 12;
    private static final long PATIENCE_S = 60;
    private static final long POLL_NS = 20_000;
    private static final int MAX_LINES_SHOWN = 12;

    @Option(
            names = "--heads",
            paramLabel = "N",
            defaultValue = "4",
            description = "Processes, 2 to 8 (${DEFAULT-VALUE}).")
    private int processCount;

    @Option(
            names = "--operations",
            paramLabel = "M",
            defaultValue = "250000",
            description = "Operations of all heads together (${DEFAULT-VALUE}).")
    private int operationCount;

    @Option(
            names = "--kills",
            paramLabel = "K",
            defaultValue = "10",
            description = "How often a process is killed, at least (${DEFAULT-VALUE}).")
    private int kills;

    @Option(names = "--seed", paramLabel = "X", description = "Draws operations, victims and the length of a lane.")
    private Optional<Long> seed = Optional.empty();

    @Option(
            names = "--broken",
            paramLabel = "KIND",
            description = "Spoils the owner map, and must be caught: ${COMPLETION-CANDIDATES}.")
    private Optional<Saboteur.Defect> defect = Optional.empty();

    @Option(
            names = "--evidence",
            paramLabel = "FOLDER",
            defaultValue = "${sys:java.io.tmpdir}",
            description = "Where files go that a violation leaves behind (${DEFAULT-VALUE}).")
    private Path evidence;

    @Spec
    private CommandSpec spec;

    private final List<Life> lives = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private SplittableRandom random;
    private TrialFolder folder;
    private TrialDevice device;
    private Control control;
    private List<Integer> heads;

    /** One process, and what is known of its end. */
    private static final class Life {
        private final int number;
        private final int generation;
        private final ChildJvm process;
        private long killedNs = BlockOperation.NEVER;
        private long goneNs = BlockOperation.NEVER;

        Life(int number, int generation, ChildJvm process) {
            this.number = number;
            this.generation = generation;
            this.process = process;
        }

        boolean isOver() {
            return goneNs != BlockOperation.NEVER;
        }
    }

    @Override
    public Integer call() {
        if (processCount < 2 || processCount > MAX_PROCESSES || operationCount < 1000 || kills < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--heads from 2 to " + MAX_PROCESSES + ", --operations from 1000, --kills from 0");
        }
        long drawn = seed.orElseGet(() -> new SplittableRandom().nextLong(1_000_000_000));
        random = new SplittableRandom(drawn);
        int headCount = HEAD_COUNTS[random.nextInt(HEAD_COUNTS.length)];
        say(
                "history: seed=%d processes=%d operations=%d blocks=%d heads=%d broken=%s java=%d",
                drawn,
                processCount,
                operationCount,
                BLOCKS,
                headCount,
                defect.map(Saboteur.Defect::toString).orElse("none"),
                Runtime.version().feature());
        folder = TrialFolder.create(evidence, "history");
        heads = IntStream.range(0, processCount)
                .mapToObj(i -> i * (headCount - 1) / (processCount - 1))
                .toList();
        try (TrialDevice created = TrialDevice.create("history", headCount, BLOCKS)) {
            device = created;
            control = Control.map(folder.file("control"));
            long startNs = System.nanoTime();
            run();
            long checkNs = System.nanoTime();
            check();
            say("ran %.1f s, checked %.1f s", (checkNs - startNs) / 1e9, (System.nanoTime() - checkNs) / 1e9);
            if (!violations.isEmpty()) {
                folder.keep(device.files());
            }
        }
        if (violations.isEmpty()) {
            folder.delete();
            say("passed: violations=0");
            return 0;
        }
        violations.stream().limit(MAX_LINES_SHOWN).forEach(violation -> say("%s", violation));
        say("FAILED: violations=%d seed=%d evidence=%s", violations.size(), drawn, folder.path());
        return 1;
    }

    // ---- running

    private void run() {
        try {
            for (int number = 0; number < processCount; number++) {
                start(number, 1);
            }
            for (int phase = 1; phase <= kills + 1; phase++) {
                await(() -> IntStream.range(0, processCount).allMatch(this::isReady), "a head does not start");
                long from = control.operations();
                long to = (long) operationCount * phase / (kills + 1);
                control.setLimit(to);
                if (phase <= kills) {
                    killDuring(from, to);
                }
                await(() -> control.operations() >= to, "heads do not work");
            }
            control.stop();
            for (Life life : lives) {
                if (!life.isOver()) {
                    end(life);
                }
            }
        } finally {
            lives.forEach(life -> life.process.close());
        }
    }

    private void start(int number, int generation) {
        List<String> options = new ArrayList<>();
        defect.ifPresent(name -> options.addAll(List.of(
                "-D" + SharedMemory.STEP_PROPERTY + "=" + Saboteur.class.getName(),
                "-D" + Saboteur.DEFECT_PROPERTY + "=" + name.name(),
                "-D" + Saboteur.SEED_PROPERTY + "=" + random.nextLong(),
                "-D" + Saboteur.DEVICE_PROPERTY + "=" + device.name())));
        String name = nameOf(number, generation);
        lives.add(new Life(
                number,
                generation,
                ChildJvm.start(
                        HistoryHead.class,
                        folder.file(name + ".out"),
                        options,
                        List.of(
                                device.name(),
                                "" + heads.get(number),
                                "" + number,
                                "" + generation,
                                folder.file(name + ".log").toString(),
                                "" + logCapacity(),
                                folder.file("control").toString(),
                                "" + random.nextLong()))));
    }

    private static String nameOf(int number, int generation) {
        return "process-" + number + "-" + generation;
    }

    /** As if one head did them all, and with room for what each does beyond the limit. */
    private int logCapacity() {
        return operationCount + 1000;
    }

    private Life lastLifeOf(int number) {
        Life last = null;
        for (Life life : lives) {
            last = life.number == number ? life : last;
        }
        return last;
    }

    private boolean isReady(int number) {
        return control.readyGeneration(number) == lastLifeOf(number).generation;
    }

    private void killDuring(long from, long to) {
        long at = from + (long) ((to - from) * (0.1 + 0.6 * random.nextDouble()));
        await(() -> control.operations() >= at, "heads do not work");
        int victim = random.nextInt(processCount);
        kill(victim);
        if (random.nextInt(3) == 0) {
            // Perhaps the one that reaps the first.
            LockSupport.parkNanos(random.nextInt(2_000_000));
            int second = (victim + 1 + random.nextInt(processCount - 1)) % processCount;
            kill(second);
            start(second, lastLifeOf(second).generation + 1);
        }
        start(victim, lastLifeOf(victim).generation + 1);
    }

    private void kill(int number) {
        Life life = lastLifeOf(number);
        life.killedNs = System.nanoTime();
        life.process.kill();
        life.goneNs = System.nanoTime();
    }

    private void end(Life life) {
        int status = life.process.awaitExit(PATIENCE_S);
        life.goneNs = System.nanoTime();
        if (status != 0) {
            violations.add(
                    "violation: a head ended by itself: " + nameOf(life.number, life.generation) + " status=" + status);
        }
    }

    private interface Condition {
        boolean holds();
    }

    private void await(Condition condition, String failure) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (!condition.holds()) {
            control.checkClock();
            for (Life life : lives) {
                if (!life.isOver() && !life.process.isAlive()) {
                    throw new IllegalStateException(
                            "a head ended by itself: folder=" + folder.path() + " said:\n" + life.process.output());
                }
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw new IllegalStateException(failure + ": operations=" + control.operations() + " limit="
                        + control.limit() + " folder=" + folder.path());
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    // ---- checking

    private void check() {
        if (control.clockErrors() > 0) {
            violations.add("violation: the clock is not the same for all processes: errors=" + control.clockErrors());
        }
        Recording recording;
        Map<String, Integer> counts = new TreeMap<>();
        try (StateFile state = StateFile.open(device.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            Geometry geometry = state.geometry();
            recording = new Recording(BLOCKS, Long.BYTES / geometry.laneBytes());
            for (Life life : lives) {
                List<Operation> operations = OperationLog.read(
                        folder.file(nameOf(life.number, life.generation) + ".log"),
                        logCapacity(),
                        heads.get(life.number),
                        life.generation);
                operations.forEach(operation -> counts.merge(
                        (operation.kind() + " " + operation.outcome()).toLowerCase(Locale.ROOT), 1, Integer::sum));
                recording.addProcess(heads.get(life.number), operations, life.killedNs, life.goneNs);
            }
            recording.finish();
            for (int block = 0; block < BLOCKS; block++) {
                long invokeNs = System.nanoTime();
                long owners = state.ownerMap().ownersVolatile(block);
                recording.addLook(block, owners, invokeNs, System.nanoTime());
                if (owners != 0) {
                    violations.add("violation: a block is owned when all heads have left: block=" + block + " owners="
                            + Operation.numbersOf(owners));
                }
            }
        }
        Device.inspect(device.files()).findings().forEach(finding -> violations.add("violation: " + finding));
        recording.refusals().forEach(refusal -> violations.add("violation: " + refusal));
        int failed = checkHistories(recording);
        int recorded = counts.values().stream().mapToInt(Integer::intValue).sum();
        long killed = lives.stream()
                .filter(life -> life.killedNs != BlockOperation.NEVER)
                .count();
        say("recorded %d operations of %d processes, %d of them killed: %s", recorded, lives.size(), killed, counts);
        say(
                "checked %d histories of blocks, %d operations in them: %d not linearizable",
                BLOCKS,
                IntStream.range(0, BLOCKS)
                        .map(block -> recording.history(block).size())
                        .sum(),
                failed);
        if (recorded < operationCount) {
            violations.add("violation: operations were lost: recorded=" + recorded + " done=" + operationCount);
        }
    }

    /** How many are not linearizable; what they look like is told. */
    private int checkHistories(Recording recording) {
        List<Optional<Failure>> failures = IntStream.range(0, BLOCKS)
                .parallel()
                .mapToObj(block -> Linearizability.check(recording.history(block)))
                .toList();
        int failed = 0;
        for (int block = 0; block < BLOCKS; block++) {
            Optional<Failure> failure = failures.get(block);
            if (failure.isPresent()) {
                failed++;
                violations.add("violation: not linearizable: block=" + block);
                if (failed == 1) {
                    FailureTable.lines(block, failure.get()).forEach(line -> say("%s", line));
                }
            }
        }
        return failed;
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}

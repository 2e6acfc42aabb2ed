package io.mhsld.stress.simulation;

import io.mhsld.state.DeviceFiles;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code scripts/stress simulate}: many runs, each with a seed of its own, until all steps are done or something is wrong. */
@Command(
        name = "simulate",
        description =
                "Heads, fabric manager and reaper under a seeded scheduler that stops and kills them at any load or store of shared memory.")
public final class Simulation implements Callable<Integer> {
    private static final long STEPS_OF_A_RUN = 20_000;
    private static final long MAX_SEED = 1_000_000_000_000L;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "1000000",
            description = "Loads, stores and named steps, over all runs (${DEFAULT-VALUE}).")
    private long steps;

    @Option(
            names = "--seed",
            paramLabel = "X",
            description = "Of the first run; the next has the next. The same seed gives the same run.")
    private Optional<Long> seed = Optional.empty();

    @Option(
            names = "--defect",
            paramLabel = "KIND",
            description = "A mistake that is put in on purpose, which must be found: ${COMPLETION-CANDIDATES}.")
    private Optional<Defect> defect = Optional.empty();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (steps < 1) {
            throw new ParameterException(spec.commandLine(), "--steps from 1");
        }
        Steps.install();
        long first = seed.orElseGet(() -> new SplittableRandom().nextLong(MAX_SEED));
        say(
                "simulate: seed=%d steps=%d defect=%s java=%d",
                first,
                steps,
                defect.map(Defect::toString).orElse("none"),
                Runtime.version().feature());
        long startNs = System.nanoTime();
        Tally tally = new Tally();
        for (long run = 0; tally.steps() < steps; run++) {
            long limit = Math.min(STEPS_OF_A_RUN, steps - tally.steps());
            if (!run(first + run, limit, tally)) {
                return 1;
            }
        }
        say("%s%nseconds=%d", tally, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs));
        say("passed: violations=0 hash=%016x", tally.hash());
        return 0;
    }

    private boolean run(long runSeed, long limit, Tally tally) {
        DeviceFiles files =
                DeviceFiles.named("mhsld-simulate-" + ProcessHandle.current().pid());
        try (World world = new World(runSeed, files, defect, tally)) {
            try {
                world.run(limit);
                return true;
            } catch (Violation e) {
                world.trace().forEach(line -> say("  %s", line));
                e.printStackTrace(System.out);
                say("FAILED: %s", e.getMessage());
                say(
                        "after %d steps of other runs; again: scripts/stress simulate --seed %d --steps %d%s",
                        tally.steps(),
                        runSeed,
                        limit,
                        defect.map(kind -> " --defect " + kind).orElse(""));
                return false;
            }
        }
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}

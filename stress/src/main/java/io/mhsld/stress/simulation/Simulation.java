package io.mhsld.stress.simulation;

import io.mhsld.state.DeviceFiles;
import io.mhsld.stress.Stress;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.TrialFolder;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    private static final long CHILD_PATIENCE_S = 3600;

    /** Set in a JVM whose product has been changed already. */
    private static final String CHANGED_PROPERTY = "mhsld.simulate.changed";

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
            names = "--broken",
            paramLabel = "KIND",
            description = "With a mistake put in on purpose, which must be found: ${COMPLETION-CANDIDATES}.")
    private Optional<Defect> defect = Optional.empty();

    @Option(
            names = "--all-broken",
            description = "With each such mistake, one after the other; fails when one is not found in so many steps.")
    private boolean allDefects;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (steps < 1 || (allDefects && defect.isPresent())) {
            throw new ParameterException(spec.commandLine(), "--steps from 1; either --broken or --all-broken");
        }
        Steps.install();
        long first = seed.orElseGet(() -> new SplittableRandom().nextLong(MAX_SEED));
        say(
                "simulate: seed=%d steps=%d broken=%s java=%d",
                first,
                steps,
                allDefects ? "all" : defect.map(Defect::toString).orElse("none"),
                Runtime.version().feature());
        if (allDefects) {
            return findAll(first);
        }
        if (defect.flatMap(Defect::change).isPresent() && System.getProperty(CHANGED_PROPERTY) == null) {
            Ended child = runChanged(first, defect.get());
            System.out.print(child.output());
            return child.status();
        }
        return runAll(first);
    }

    private int runAll(long first) {
        long startNs = System.nanoTime();
        Tally tally = new Tally();
        Optional<Find> find = simulate(first, defect, tally);
        if (find.isPresent()) {
            find.get().trace().forEach(line -> say("  %s", line));
            find.get().violation().printStackTrace(System.out);
            say("FAILED: %s", find.get().violation().getMessage());
            say(
                    "after %d steps of other runs; again: scripts/stress simulate --seed %d --steps %d%s",
                    tally.steps(),
                    find.get().seed(),
                    STEPS_OF_A_RUN,
                    defect.map(kind -> " --broken " + kind).orElse(""));
            return 1;
        }
        say("%s%nseconds=%d", tally, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs));
        say("passed: violations=0 hash=%016x", tally.hash());
        return 0;
    }

    private int findAll(long first) {
        int missed = 0;
        for (Defect kind : Defect.values()) {
            Optional<String> found = kind.change().isPresent() ? findChanged(first, kind) : find(first, kind);
            missed += found.isPresent() ? 0 : 1;
            say("%-12s %s", kind, found.orElse("NOT FOUND"));
        }
        say(missed == 0 ? "passed: all were found" : "FAILED: not all were found");
        return missed == 0 ? 0 : 1;
    }

    private Optional<String> find(long first, Defect kind) {
        Tally tally = new Tally();
        return simulate(first, Optional.of(kind), tally)
                .map(found -> found(tally.runs() + 1, found.violation().getMessage()));
    }

    private Optional<String> findChanged(long first, Defect kind) {
        Ended child = runChanged(first, kind);
        Matcher violation = Pattern.compile("(?m)^FAILED: (.*)$").matcher(child.output());
        Matcher again = Pattern.compile("again: .* --seed (\\d+)").matcher(child.output());
        if (child.status() == 0) {
            return Optional.empty();
        }
        if (!violation.find() || !again.find()) {
            throw new IllegalStateException("a simulation has failed: said=" + child.output());
        }
        return Optional.of(found(Long.parseLong(again.group(1)) - first + 1, violation.group(1)));
    }

    private static String found(long run, String violation) {
        return "found in run " + run + ": " + violation;
    }

    /** How a JVM of its own has ended. */
    private record Ended(int status, String output) {}

    /** The same in a JVM whose product has the mistake. */
    private Ended runChanged(long first, Defect kind) {
        TrialFolder folder = TrialFolder.create(Path.of(System.getProperty("java.io.tmpdir")), "simulate");
        Path classes = kind.change().orElseThrow().compile(folder.path());
        String classPath = classes + File.pathSeparator + System.getProperty("java.class.path");
        List<String> arguments =
                List.of("simulate", "--steps", "" + steps, "--seed", "" + first, "--broken", kind.toString());
        try (ChildJvm child = ChildJvm.start(
                Stress.class.getName(),
                classPath,
                folder.file("output"),
                List.of("-D" + CHANGED_PROPERTY + "=true"),
                arguments)) {
            Ended ended = new Ended(child.awaitExit(CHILD_PATIENCE_S), child.output());
            folder.delete();
            return ended;
        }
    }

    /** What was wrong in which run, and the steps before it. */
    private record Find(long seed, Violation violation, List<String> trace) {}

    private Optional<Find> simulate(long first, Optional<Defect> put, Tally tally) {
        DeviceFiles files =
                DeviceFiles.named("mhsld-simulate-" + ProcessHandle.current().pid());
        for (long run = first; tally.steps() < steps; run++) {
            try (World world = new World(run, files, put, tally)) {
                try {
                    world.run(Math.min(STEPS_OF_A_RUN, steps - tally.steps()));
                } catch (Violation e) {
                    return Optional.of(new Find(run, e, world.trace()));
                }
            }
        }
        return Optional.empty();
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}

package io.mhsld.stress.fuzz;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code scripts/stress fuzz}. */
@Command(
        name = "fuzz",
        description = {
            "Feeds everything that parses with bytes that lead somewhere new, starting from the inputs in stress/src/fuzz.",
            "Without targets all of them, and first the one that is broken on purpose, which must be found."
        })
public final class Fuzz implements Callable<Integer> {
    private static final int BROKEN_SECONDS = 180;

    @Parameters(paramLabel = "TARGET", description = "Which ones. --list names them.")
    private List<String> names = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "How long each (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--seed", paramLabel = "X", description = "Of what is tried (another one each time).")
    private int seed = new SplittableRandom().nextInt(1, Integer.MAX_VALUE);

    @Option(
            names = "--processes",
            paramLabel = "N",
            defaultValue = "2",
            description = "So many at a time (${DEFAULT-VALUE}).")
    private int processes;

    @Option(
            names = "--keep",
            description = "What leads somewhere new is added to stress/src/fuzz, what does not any more is removed.")
    private boolean keep;

    @Option(names = "--regression", description = "Only the kept inputs, in this JVM, without Jazzer.")
    private boolean regression;

    @Option(names = "--input", paramLabel = "FILE", description = "Only this input, in this JVM, without Jazzer.")
    private Path input;

    @Option(names = "--list", description = "Names the targets.")
    private boolean list;

    @Spec
    private CommandSpec spec;

    private Path module;
    private volatile boolean isWrong;

    @Override
    public Integer call() throws Exception {
        module = Path.of(Fuzz.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .getParent()
                .getParent();
        List<FuzzTarget> targets = targets();
        if (list) {
            targets.forEach(target -> say("%s", target.name()));
        } else if (input != null) {
            runInput(targets);
        } else if (regression) {
            targets.forEach(this::runKept);
        } else if (!isJazzerHere()) {
            say(
                    "Jazzer has no driver for this system, the kept inputs are run instead: os=%s arch=%s",
                    System.getProperty("os.name"), System.getProperty("os.arch"));
            targets.forEach(this::runKept);
        } else {
            say(
                    "seed=%d seconds=%d processes=%d Java %s",
                    seed, seconds, processes, System.getProperty("java.version"));
            fuzz(targets);
        }
        return isWrong ? 1 : 0;
    }

    private List<FuzzTarget> targets() {
        if (names.isEmpty()) {
            return FuzzTarget.ALL;
        }
        List<FuzzTarget> targets = new ArrayList<>();
        for (String name : names) {
            targets.add(FuzzTarget.named(name)
                    .orElseThrow(() -> new ParameterException(spec.commandLine(), "no such target: " + name)));
        }
        return targets;
    }

    private static boolean isJazzerHere() {
        return System.getProperty("os.name").equals("Linux")
                && List.of("amd64", "aarch64").contains(System.getProperty("os.arch"));
    }

    private void runInput(List<FuzzTarget> targets) {
        if (names.size() != 1) {
            throw new ParameterException(spec.commandLine(), "an input is for one target");
        }
        Throwable failure = Corpus.run(targets.get(0), Corpus.read(input));
        say("%s: %s", targets.get(0).name(), failure == null ? "nothing wrong" : "FAILED");
        if (failure != null) {
            failure.printStackTrace(spec.commandLine().getOut());
            isWrong = true;
        }
    }

    private void runKept(FuzzTarget target) {
        long startNs = System.nanoTime();
        Corpus corpus = corpusOf(target);
        List<Corpus.Failure> failures = corpus.run();
        failures.forEach(failure -> tellFinding(target, failure.input(), FuzzTarget.firstLines(failure.cause())));
        say(
                "%-16s inputs=%d failures=%d ms=%d",
                target.name(), corpus.inputs().size(), failures.size(), (System.nanoTime() - startNs) / 1_000_000);
    }

    private void proveHarness() {
        long startNs = System.nanoTime();
        JazzerRun.Outcome outcome = runOf(FuzzTarget.BROKEN).fuzz(BROKEN_SECONDS, seed);
        boolean caught = outcome.finding()
                .filter(finding -> finding.input().isPresent() && finding.text().contains("planted"))
                .isPresent();
        say(
                "%s",
                caught
                        ? String.format(
                                Locale.ROOT,
                                "caught, as it must be: %s executions=%d seconds=%.1f",
                                FuzzTarget.BROKEN.name(),
                                outcome.executions(),
                                (System.nanoTime() - startNs) / 1e9)
                        : "NOT CAUGHT: target=" + FuzzTarget.BROKEN.name());
        isWrong |= !caught;
    }

    private void fuzz(List<FuzzTarget> targets) throws InterruptedException, ExecutionException {
        ExecutorService executor = Executors.newFixedThreadPool(processes);
        List<Future<?>> runs = new ArrayList<>();
        if (names.isEmpty()) {
            runs.add(executor.submit(this::proveHarness));
        }
        targets.forEach(target -> runs.add(executor.submit(() -> fuzz(target))));
        executor.shutdown();
        for (Future<?> run : runs) {
            run.get();
        }
        executor.awaitTermination(1, TimeUnit.MINUTES);
    }

    private void fuzz(FuzzTarget target) {
        JazzerRun run = runOf(target);
        JazzerRun.Outcome outcome = run.fuzz(seconds, seed);
        if (keep) {
            corpusOf(target).keep(run);
        }
        synchronized (this) {
            outcome.finding()
                    .ifPresent(finding -> tellFinding(target, finding.input().orElse(null), finding.text()));
            say(
                    "%-16s executions=%d edges=%d features=%d corpus=%d%s",
                    target.name(),
                    outcome.executions(),
                    outcome.edges(),
                    outcome.features(),
                    outcome.inputs(),
                    keep ? " kept=" + corpusOf(target).inputs().size() : "");
        }
    }

    private void tellFinding(FuzzTarget target, Path file, String text) {
        isWrong = true;
        say("FOUND in %s:%n%s", target.name(), text.indent(2).stripTrailing());
        Optional.ofNullable(file)
                .ifPresent(path -> say("again: scripts/stress fuzz --input %s %s", path, target.name()));
    }

    private JazzerRun runOf(FuzzTarget target) {
        return new JazzerRun(
                target,
                module.resolve("target/trials/fuzz").resolve(target.name()),
                corpusOf(target).folder(),
                module.resolve("target/jazzer-lib"));
    }

    private Corpus corpusOf(FuzzTarget target) {
        // The broken one starts from nothing, and nothing is kept of it.
        Path folder = target.equals(FuzzTarget.BROKEN)
                ? module.resolve("target/trials/fuzz-nothing")
                : module.resolve("src/fuzz").resolve(target.name());
        return new Corpus(target, folder);
    }

    private void say(String format, Object... arguments) {
        spec.commandLine().getOut().printf(Locale.ROOT, format + "%n", arguments);
        spec.commandLine().getOut().flush();
    }
}

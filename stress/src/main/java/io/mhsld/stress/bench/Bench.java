package io.mhsld.stress.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs the benchmarks, and closes with the numbers that matter: what was measured against what, and on which machine. */
public final class Bench {
    private static final int ROUNDS = 10_000;
    private static final int QUICK_ROUNDS = 2_000;
    private static final int TRAPS = 200_000;
    private static final int QUICK_TRAPS = 20_000;
    private static final int PAIRS = 1_000_000;
    private static final int QUICK_PAIRS = 200_000;
    private static final TimeValue QUICK_ITERATION = TimeValue.milliseconds(500);

    private final PrintStream out;

    private Bench(PrintStream out) {
        this.out = out;
    }

    /**
     * Takes {@code quick} as a word, and what JMH takes; a pattern of JMH's leaves out what is not JMH's. The word {@code pairs} runs the pairs of
     * add and release alone, {@code fm} the fabric manager's latency, {@code vfio-user} that of a guest's accesses.
     */
    public static void main(String[] arguments) throws IOException, CommandLineOptionException, RunnerException {
        List<String> given = new ArrayList<>(Arrays.asList(arguments));
        boolean quick = given.remove("quick");
        String launcher = System.getProperty("mhsld.launcher");
        if (given.remove("fm") && launcher != null) {
            Bench bench = new Bench(System.out);
            bench.printMachine();
            FmLatency.measure(launcher, quick ? QUICK_ROUNDS : ROUNDS, System.out);
            return;
        }
        if (given.remove("vfio-user")) {
            new Bench(System.out).printMachine();
            TrapLatency.measure(quick ? QUICK_TRAPS : TRAPS, System.out);
            return;
        }
        if (given.remove("pairs")) {
            new Bench(System.out).runPairs(quick);
            return;
        }
        CommandLineOptions options = new CommandLineOptions(given.toArray(new String[0]));
        if (options.shouldHelp() || options.shouldList() || options.shouldListWithParams()) {
            org.openjdk.jmh.Main.main(given.toArray(new String[0]));
            return;
        }
        new Bench(System.out).run(options, quick);
    }

    private void runPairs(boolean quick) throws IOException {
        printMachine();
        PairRate.measure(quick ? QUICK_PAIRS : PAIRS, out);
    }

    private void run(CommandLineOptions options, boolean quick) throws IOException, RunnerException {
        printMachine();
        Collection<RunResult> results = new Runner(quick ? shortened(options) : options).run();
        out.println();
        printMachine();
        printClaims(results);
        printChecks(results);
        String launcher = System.getProperty("mhsld.launcher");
        if (options.getIncludes().isEmpty()) {
            PairRate.measure(quick ? QUICK_PAIRS : PAIRS, out);
            TrapLatency.measure(quick ? QUICK_TRAPS : TRAPS, out);
        }
        if (options.getIncludes().isEmpty() && launcher != null) {
            AddLatency.measure(launcher, quick ? QUICK_ROUNDS : ROUNDS, out);
            FmLatency.measure(launcher, quick ? QUICK_ROUNDS : ROUNDS, out);
        }
    }

    /** One fork, few and short iterations, unless the command line says otherwise. */
    private static Options shortened(CommandLineOptions options) {
        return new OptionsBuilder()
                .parent(options)
                .forks(options.getForkCount().orElse(1))
                .warmupIterations(options.getWarmupIterations().orElse(3))
                .warmupTime(options.getWarmupTime().orElse(QUICK_ITERATION))
                .measurementIterations(options.getMeasurementIterations().orElse(3))
                .measurementTime(options.getMeasurementTime().orElse(QUICK_ITERATION))
                .build();
    }

    private void printMachine() throws IOException {
        out.printf(
                "Machine: %s, %d processors, load %s; Java %s (%s)%n",
                processorModel().orElse("unknown processor"),
                Runtime.getRuntime().availableProcessors(),
                Files.readString(Path.of("/proc/loadavg")).split(" ")[0],
                System.getProperty("java.version"),
                System.getProperty("java.vm.name"));
    }

    private static Optional<String> processorModel() throws IOException {
        return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    /** Both maps side by side, for each number of blocks and each first block. */
    private void printClaims(Collection<RunResult> results) {
        List<RunResult> words = resultsOf(results, "ClaimBenchmark.byWords");
        if (words.isEmpty()) {
            return;
        }
        out.printf(
                "%nClaim and clear, nanoseconds per block: owner map by 64-bit words (8 blocks each) against one atomic operation per byte%n");
        out.printf("%9s %6s %12s %12s %9s%n", "blocks", "first", "words", "bytes", "ratio");
        for (RunResult word : words) {
            int blocks = Integer.parseInt(word.getParams().getParam("blocks"));
            double wordNs = score(word) / blocks;
            Optional<RunResult> bytes = resultsOf(results, "ClaimBenchmark.byBytes").stream()
                    .filter(result -> sameParameters(result, word))
                    .findFirst();
            double byteNs = bytes.map(Bench::score).orElse(Double.NaN) / blocks;
            out.printf(
                    "%9d %6s %12.2f %12.2f %8.1fx%n",
                    blocks, word.getParams().getParam("first"), wordNs, byteNs, byteNs / wordNs);
        }
    }

    private void printChecks(Collection<RunResult> results) {
        List<RunResult> checks = resultsOf(results, "AccessBenchmark.");
        if (checks.isEmpty()) {
            return;
        }
        out.printf("%nAccess check at random places, nanoseconds%n");
        for (RunResult check : checks) {
            String name = check.getParams().getBenchmark();
            String what = name.endsWith("ownerMap")
                    ? "owner map, one block"
                    : "64 bytes: region, 64 accepted extents, owner map";
            out.printf("%-50s %8.2f%n", what, score(check));
        }
    }

    private static List<RunResult> resultsOf(Collection<RunResult> results, String benchmark) {
        return results.stream()
                .filter(result -> result.getParams().getBenchmark().contains(benchmark))
                .toList();
    }

    private static boolean sameParameters(RunResult one, RunResult other) {
        return one.getParams().getParam("blocks").equals(other.getParams().getParam("blocks"))
                && one.getParams().getParam("first").equals(other.getParams().getParam("first"));
    }

    private static double score(RunResult result) {
        Result<?> primary = result.getPrimaryResult();
        return primary.getScore();
    }
}

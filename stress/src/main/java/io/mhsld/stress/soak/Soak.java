package io.mhsld.stress.soak;

import io.mhsld.stress.soak.Slope.Sample;
import io.mhsld.stress.storm.HeadLauncher;
import io.mhsld.stress.storm.KillStorm;
import io.mhsld.stress.storm.Storm;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The verb {@code soak}. */
@Command(
        name = "soak",
        description = {
            "Lets heads live under everything at once, beside peers that are killed and restarted, and says by the slope of what it measures whether"
                    + " they grow.",
            "The first third is warm-up. Growth is a rise over the rest that is more than three standard errors and more than the least that is"
                    + " called so. What slow growth the run could not have seen, it says: a minute sees only coarse leaks, half an hour fine ones."
        })
public final class Soak implements Callable<Integer> {
    private static final int PEERS = 2;
    private static final int NUISANCES = 2;
    private static final int SAMPLES = 60;
    private static final long LEAST_PERIOD_MS = 1_500;

    @Option(names = "--heads", paramLabel = "N", description = "Heads that live long, 1 to 12 (${DEFAULT-VALUE}).")
    private int heads = 2;

    @Option(names = "--minutes", paramLabel = "N", description = "How long (${DEFAULT-VALUE}).")
    private double minutes = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Of what is done (another one each time).")
    private Long seed;

    @Option(
            names = "--broken",
            paramLabel = "KIND",
            description = "Heads that lose something on purpose, which must be found: ${COMPLETION-CANDIDATES}.")
    private Leak leak;

    private final Map<Integer, Map<Measure, List<Sample>>> series = new TreeMap<>();

    /** What the verdict has found to grow. */
    private final Set<Measure> growing = EnumSet.noneOf(Measure.class);

    @Override
    public Integer call() {
        if (heads < 1 || heads > 12 || !(minutes > 0)) {
            System.err.println("out of range: heads=" + heads + " minutes=" + minutes);
            return 2;
        }
        long chosen = seed == null ? new SplittableRandom().nextLong() >>> 16 : seed;
        return run(
                        Path.of(System.getProperty("java.io.tmpdir")),
                        chosen,
                        heads,
                        Math.round(minutes * 60_000),
                        Optional.ofNullable(leak),
                        System.out)
                ? 0
                : 1;
    }

    /** One soak; false when something grows or is wrong. */
    boolean run(Path trials, long seed, int longLived, long durationMs, Optional<Leak> leak, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "soak: seed=%d heads=%d peers=%d minutes=%.2f java=%s%s%n",
                seed,
                longLived,
                PEERS,
                durationMs / 60_000.0,
                System.getProperty("java.version"),
                leak.map(one -> " leak=" + one).orElse(""));
        Path folder = KillStorm.create(trials);
        HeadLauncher launcher =
                new HeadLauncher(folder, leak.map(one -> one.change().compile(folder)));
        Storm.Plan plan =
                new Storm.Plan(longLived + PEERS, longLived, false, Math.max(LEAST_PERIOD_MS, durationMs / SAMPLES));
        SplittableRandom random = new SplittableRandom(seed);
        boolean isSound;
        try (Storm storm = new Storm(seed, plan, launcher, out)) {
            List<Path> sockets = IntStream.range(0, longLived)
                    .mapToObj(head -> storm.files().controlSocket(head))
                    .toList();
            for (int i = 0; i < NUISANCES; i++) {
                storm.alongside("nuisance-" + i, new Nuisance(storm, sockets, random.split())::visit);
            }
            long startNs = System.nanoTime();
            storm.onQuiet(() -> sample(storm, (System.nanoTime() - startNs) / 3.6e12));
            storm.run(durationMs);
            storm.tally().print();
            isSound = storm.tally().violations().isEmpty();
        }
        boolean isFlat = judge(durationMs / 3.6e6, out);
        if (isSound) {
            KillStorm.delete(folder);
        } else {
            out.println("violations, see above: folder=" + folder);
        }
        leak.ifPresent(one -> out.printf(
                "%s: leak=%s measure=%s%n",
                growing.contains(one.measure()) ? "leak found" : "leak NOT FOUND by what must tell of it",
                one,
                one.measure()));
        boolean isPassed = leak.map(one -> !growing.contains(one.measure())).orElse(isSound && isFlat);
        out.println(isPassed ? "soak passed" : "soak FAILED");
        return isPassed;
    }

    private void sample(Storm storm, double hours) {
        List<Long> pids = storm.longLived();
        IntStream.range(0, pids.size())
                .parallel()
                .filter(head -> pids.get(head) != 0)
                .forEach(head -> {
                    for (Measure measure : Measure.values()) {
                        try {
                            add(head, measure, new Sample(hours, measure.of(pids.get(head))));
                        } catch (IOException e) {
                            storm.tally().violation("head cannot be measured: head=%d reason=%s", head, e);
                        }
                    }
                });
    }

    private synchronized void add(int head, Measure measure, Sample sample) {
        List<Sample> samples = series.computeIfAbsent(head, unused -> new EnumMap<>(Measure.class))
                .computeIfAbsent(measure, unused -> new ArrayList<>());
        if (!Double.isNaN(sample.value())) {
            samples.add(sample);
        }
    }

    // ---- verdict

    /** Prints a line for each measure of each head; false when one of them grows, or has hardly been measured. */
    private boolean judge(double hours, PrintStream out) {
        boolean isFlat = !series.isEmpty();
        out.printf(
                "%-6s %-14s %8s %10s %20s %12s %16s  %s%n",
                "head", "measure", "samples", "mean", "slope per hour", "rise", "visible per hour", "verdict");
        for (Map.Entry<Integer, Map<Measure, List<Sample>>> head : series.entrySet()) {
            for (Map.Entry<Measure, List<Sample>> entry : head.getValue().entrySet()) {
                isFlat &= judge(head.getKey(), entry.getKey(), entry.getValue(), hours, out);
            }
        }
        return isFlat;
    }

    private boolean judge(int head, Measure measure, List<Sample> all, double hours, PrintStream out) {
        List<Sample> warm =
                all.stream().filter(sample -> sample.hours() > hours / 3).toList();
        Slope slope = Slope.through(warm);
        double least = measure.leastRise(slope.hours());
        boolean grows = slope.rise() > least && slope.certainRise() > 0;
        boolean measured = slope.samples() >= 5;
        out.printf(
                Locale.ROOT,
                "%-6d %-14s %8d %10.2f %11.2f ± %6.2f %12.2f %16.1f  %s%n",
                head,
                measure,
                slope.samples(),
                slope.mean(),
                slope.perHour(),
                slope.errorPerHour(),
                slope.rise(),
                slope.visiblePerHour(least),
                !measured
                        ? "NOT MEASURED"
                        : grows
                                ? "GROWS, by more than " + least + " " + measure.unit()
                                : String.format(
                                        Locale.ROOT, "flat (a rise of less than %.1f %s)", least, measure.unit()));
        if (grows) {
            growing.add(measure);
            out.println(all.stream()
                    .map(sample -> String.format(Locale.ROOT, "%.0f s %.2f", sample.hours() * 3600, sample.value()))
                    .collect(Collectors.joining(", ", "       all samples: ", "")));
        }
        return measured && !grows;
    }
}

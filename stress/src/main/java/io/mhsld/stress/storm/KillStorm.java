package io.mhsld.stress.storm;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The verb {@code kill}. */
@Command(
        name = "kill",
        description = {
            "Lets real heads be killed, stopped, fenced and restarted at random under load, and checks that no block ever has two owners, that no"
                    + " byte of an earlier owner is ever read, and that the dead let go.",
            "The seed steers what is done; when it happens is up to the machine."
        })
public final class KillStorm implements Callable<Integer> {
    private static final double GOAL_ON_CONFLICT_MS = 100;
    private static final double GOAL_WITHOUT_CONFLICT_MS = 1000;

    @Option(names = "--heads", paramLabel = "N", description = "Heads, 2 to 16 (${DEFAULT-VALUE}).")
    private int heads = 6;

    @Option(names = "--minutes", paramLabel = "N", description = "How long (${DEFAULT-VALUE}).")
    private double minutes = 0.5;

    @Option(names = "--seed", paramLabel = "N", description = "Of what is done (another one each time).")
    private Long seed;

    @Option(
            names = "--broken",
            paramLabel = "KIND",
            description = "Heads with one mistake put in on purpose, which must be found: ${COMPLETION-CANDIDATES}.")
    private Mistake broken;

    /** What came of it. */
    record Outcome(Tally tally, Path folder) {
        boolean isSound() {
            return tally.violations().isEmpty();
        }

        /** Removes the evidence. */
        void remove() {
            delete(folder);
        }
    }

    @Override
    public Integer call() {
        if (heads < 2 || heads > 16 || !(minutes > 0)) {
            System.err.println("out of range: heads=" + heads + " minutes=" + minutes);
            return 2;
        }
        long chosen = seed == null ? new SplittableRandom().nextLong() >>> 16 : seed;
        Path trials = Path.of(System.getProperty("java.io.tmpdir"));
        Outcome outcome =
                run(trials, chosen, heads, Math.round(minutes * 60_000), Optional.ofNullable(broken), System.out);
        if (broken == null) {
            record(new TrialRecord(trials.resolve("kill-storms.txt")), chosen, outcome.tally);
        }
        return outcome.isSound() ? 0 : 1;
    }

    /** Runs one storm; its folder is left when something was wrong. */
    static Outcome run(Path trials, long seed, int heads, long durationMs, Optional<Mistake> mistake, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "kill storm: seed=%d heads=%d minutes=%.2f java=%s%s%n",
                seed,
                heads,
                durationMs / 60_000.0,
                System.getProperty("java.version"),
                mistake.map(one -> " broken=" + one).orElse(""));
        Path folder = create(trials);
        Optional<Path> before = mistake.map(one -> one.change().compile(folder));
        HeadLauncher launcher = new HeadLauncher(folder, before);
        Tally tally;
        long startNs = System.nanoTime();
        try (Storm storm = new Storm(seed, Storm.Plan.storm(heads), launcher, out)) {
            tally = storm.tally();
            // Whoever interrupts a storm is not left with its heads.
            Thread hook = new Thread(storm::close, "interrupted");
            Runtime.getRuntime().addShutdownHook(hook);
            storm.run(durationMs);
            Runtime.getRuntime().removeShutdownHook(hook);
        }
        print(tally, System.nanoTime() - startNs, out);
        if (tally.violations().isEmpty()) {
            delete(folder);
        } else {
            out.println("evidence: folder=" + folder);
        }
        return new Outcome(tally, folder);
    }

    private static void print(Tally tally, long tookNs, PrintStream out) {
        tally.print();
        double seconds = tookNs / 1e9;
        out.printf(
                Locale.ROOT,
                "operations=%d kills=%d stops=%d starts=%d fences=%d inits=%d seconds=%.0f kills_per_second=%.2f%n",
                tally.operations(),
                tally.deeds("kill"),
                tally.deeds("stop"),
                tally.deeds("start"),
                tally.deeds("fence"),
                tally.deeds("init"),
                seconds,
                tally.deeds("kill") / seconds);
        out.println("from SIGKILL until the kernel has ended the process: "
                + tally.gone().text());
        print("another head asks", tally.onConflict(), tally.onConflictAfterEnd(), GOAL_ON_CONFLICT_MS, out);
        print("nobody asks", tally.withoutConflict(), tally.withoutConflictAfterEnd(), GOAL_WITHOUT_CONFLICT_MS, out);
        out.println("violations=" + tally.violations().size());
    }

    /** The goal is for the whole; what the kernel takes to end a process is not ours, so the rest is told too. */
    private static void print(String what, Times whole, Times afterEnd, double goalMs, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "from SIGKILL to claimable, %s: %s, goal p99 %.0f ms %s%n",
                what,
                whole.text(),
                goalMs,
                whole.verdict(goalMs));
        out.printf(
                Locale.ROOT,
                "  of that after the process had ended: %s, goal p99 %.0f ms %s%n",
                afterEnd.text(),
                goalMs,
                afterEnd.verdict(goalMs));
        whole.slowest().forEach(course -> out.println("  slowest: " + course));
    }

    private void record(TrialRecord record, long chosen, Tally tally) {
        record.append(String.format(
                Locale.ROOT,
                "%s seed=%d heads=%d minutes=%.2f java=%s kills=%d operations=%d reads=%d violations=%d %s %s %s %s",
                Instant.now().truncatedTo(ChronoUnit.SECONDS),
                chosen,
                heads,
                minutes,
                System.getProperty("java.version"),
                tally.deeds("kill"),
                tally.operations(),
                tally.readsChecked(""),
                tally.violations().size(),
                tally.onConflict().pairs("conflict"),
                tally.onConflictAfterEnd().pairs("conflict_after_end"),
                tally.withoutConflict().pairs("unasked"),
                tally.withoutConflictAfterEnd().pairs("unasked_after_end")));
        System.out.printf(
                "all runs so far: runs=%d kills=%d operations=%d reads=%d violations=%d%n",
                record.runs(),
                record.sum("kills"),
                record.sum("operations"),
                record.sum("reads"),
                record.sum("violations"));
    }

    /** A folder of its own for one run. */
    public static Path create(Path trials) {
        try {
            return Files.createTempDirectory(Files.createDirectories(trials), "storm-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Removes a folder and what is in it. */
    public static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> leavesFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : leavesFirst) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

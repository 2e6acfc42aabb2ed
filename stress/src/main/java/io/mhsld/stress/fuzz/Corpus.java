package io.mhsld.stress.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** The kept inputs of a target. Those with a name that says something were put there by hand: real messages, and what was found. */
record Corpus(FuzzTarget target, Path folder) {
    /** What the fuzzer has found is named by its hash. */
    private static final String FOUND = "[0-9a-f]{40}";

    /** How many found inputs are kept; the shortest. */
    private static final int FOUND_LIMIT = 250;

    private static final int INPUT_LIMIT_S = 20;

    /** Enough to see what is wrong. */
    private static final int FAILURES_LIMIT = 3;

    /** An input that the target failed with. */
    record Failure(Path input, Throwable cause) {}

    /** All inputs, in the order of their names. */
    List<Path> inputs() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs the inputs in this JVM, until there are enough failures; one that takes too long fails, and is the last one to be run. */
    List<Failure> run() {
        List<Failure> failures = new ArrayList<>();
        for (Path input : inputs()) {
            Throwable failure = run(target, read(input));
            if (failure != null) {
                failures.add(new Failure(input, failure));
            }
            if (failure instanceof TimeoutException || failures.size() == FAILURES_LIMIT) {
                break;
            }
        }
        return failures;
    }

    /** Runs one input; null when nothing is wrong. */
    static Throwable run(FuzzTarget target, byte[] input) {
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, target.name());
            thread.setDaemon(true);
            return thread;
        });
        Future<Throwable> outcome = executor.submit(() -> {
            try {
                target.run(input);
                return null;
            } catch (Throwable e) {
                return e;
            }
        });
        executor.shutdown();
        try {
            return outcome.get(INPUT_LIMIT_S, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            e.addSuppressed(new IllegalStateException("input takes too long: limitS=" + INPUT_LIMIT_S));
            return e;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Takes over what a run has found, and lets go of found inputs that reach nothing which the others do not. */
    void keep(JazzerRun run) {
        try {
            Path minimised = Files.createDirectories(run.folder().resolve("minimised"));
            for (Path input : inputs()) {
                if (!isFound(input)) {
                    Files.copy(input, minimised.resolve(input.getFileName()));
                }
            }
            run.merge(minimised, List.of(folder, run.newInputs()));
            for (Path input : inputs()) {
                if (isFound(input)) {
                    Files.delete(input);
                }
            }
            try (Stream<Path> files = Files.list(minimised)) {
                List<Path> shortest = files.filter(Corpus::isFound)
                        .sorted(Comparator.comparingLong(Corpus::length))
                        .limit(FOUND_LIMIT)
                        .toList();
                for (Path input : shortest) {
                    Files.copy(input, folder.resolve(input.getFileName()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isFound(Path input) {
        return input.getFileName().toString().matches(FOUND);
    }

    private static long length(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

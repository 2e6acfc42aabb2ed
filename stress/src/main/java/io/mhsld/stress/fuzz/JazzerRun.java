package io.mhsld.stress.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Jazzer in a JVM of its own, at work on one target. Everything that it writes goes to one folder; the kept corpus is only read.
 *
 * @param folder of this run, emptied before
 */
record JazzerRun(FuzzTarget target, Path folder, Path corpus, Path libraries) {
    /** One input must not take longer, nor the JVM more memory: either is a finding. */
    private static final int INPUT_LIMIT_S = 20;

    /** In a run that is no longer the better compiler costs more than it gives. */
    private static final int SHORT_S = 15;

    private static final int HEAP_LIMIT_MB = 512;
    private static final int MEMORY_LIMIT_MB = 3072;
    private static final String MAIN = "com.code_intelligence.jazzer.Jazzer";

    /** Code that steers the fuzzer when it is reached. What only checks must not: it would be explored for its own sake. */
    private static final String INSTRUMENTED = "io.mhsld.**:com.fasterxml.jackson.core.**";

    private static final String NOT_INSTRUMENTED = "io.mhsld.stress.**";

    private static final Pattern STATUS = Pattern.compile("cov: (\\d+) ft: (\\d+) corp: (\\d+)");
    private static final Pattern EXECUTIONS = Pattern.compile("stat::number_of_executed_units: +(\\d+)");
    private static final Pattern NUMBER = Pattern.compile("(?m)^#(\\d+)\\t");

    /**
     * What came of it.
     *
     * @param edges of the code that were reached, and features of the paths through them
     * @param finding what was found first; the fuzzer ends with it
     */
    record Outcome(long executions, int edges, int features, int inputs, Optional<Finding> finding) {}

    /**
     * An input that the target failed with.
     *
     * @param input its file; empty when the fuzzer ended for another reason
     * @param text the first lines of what was said of it
     */
    record Finding(Optional<Path> input, String text) {}

    private Path found() {
        return folder.resolve("corpus");
    }

    private Path log() {
        return folder.resolve("log");
    }

    /** Fuzzes for so long, or until something is found. */
    Outcome fuzz(int seconds, long seed) {
        emptyFolder();
        int status = execute(
                log(),
                seconds <= SHORT_S ? List.of("-XX:TieredStopAtLevel=1") : List.of(),
                List.of("-max_total_time=" + seconds, "-seed=" + seed, "-print_final_stats=1"),
                List.of(found(), corpus));
        String log = read(log());
        Optional<Path> input = artefact();
        Optional<Finding> finding = status == 0 && input.isEmpty()
                ? Optional.empty()
                : Optional.of(new Finding(input, summary(log, status)));
        Matcher last = STATUS.matcher(log);
        int edges = 0;
        int features = 0;
        int inputs = 0;
        while (last.find()) {
            edges = Integer.parseInt(last.group(1));
            features = Integer.parseInt(last.group(2));
            inputs = Integer.parseInt(last.group(3));
        }
        return new Outcome(executions(log), edges, features, inputs, finding);
    }

    /** Of the inputs in {@code from}, those that reach something which those in {@code into} do not are copied there. */
    void merge(Path into, List<Path> from) {
        List<Path> folders = new ArrayList<>(List.of(into));
        folders.addAll(from);
        int status = execute(folder.resolve("merge.log"), List.of(), List.of("-merge=1"), folders);
        if (status != 0) {
            throw new IllegalStateException(
                    "corpus cannot be merged: status=" + status + " log=" + folder.resolve("merge.log"));
        }
    }

    /** What this run has found that reaches something new. */
    Path newInputs() {
        return found();
    }

    private int execute(Path log, List<String> jvmOptions, List<String> options, List<Path> folders) {
        Path scratch = Scratch.makeFolder();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--"))
                .forEach(command::add);
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx" + HEAP_LIMIT_MB + "m", "-Djava.io.tmpdir=" + folder));
        command.addAll(jvmOptions);
        command.add("-D" + Scratch.FOLDER_PROPERTY + "=" + scratch);
        command.add("-D" + Entry.TARGET_PROPERTY + "=" + target.name());
        command.add("-D" + Entry.CORPUS_PROPERTY + "=" + corpus);
        command.addAll(List.of("-cp", libraries.resolve("*") + ":" + System.getProperty("java.class.path"), MAIN));
        command.add("--target_class=" + Entry.class.getName());
        if (target.equals(FuzzTarget.BROKEN)) {
            command.add("--instrumentation_includes=" + target.type().getName());
        } else {
            command.add("--instrumentation_includes=" + INSTRUMENTED);
            command.add("--instrumentation_excludes=" + NOT_INSTRUMENTED);
        }
        command.add("--reproducer_path=" + folder);
        command.add("-artifact_prefix=" + folder + "/");
        command.add("-max_len=" + target.maxLengthBytes());
        command.add("-timeout=" + INPUT_LIMIT_S);
        command.add("-rss_limit_mb=" + MEMORY_LIMIT_MB);
        command.addAll(options);
        folders.forEach(path -> command.add(path.toString()));
        Process process = null;
        try {
            process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly, "no fuzzer stays"));
            return process.waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
            Scratch.remove(scratch);
        }
    }

    private void emptyFolder() {
        try {
            if (Files.exists(folder)) {
                Scratch.remove(folder);
            }
            Files.createDirectories(found());
            Files.createDirectories(corpus);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<Path> artefact() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches("(crash|timeout|oom|leak)-.*"))
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The total at the end; a fuzzer that was ended has none, only the number of its last line. */
    private static long executions(String log) {
        Matcher total = EXECUTIONS.matcher(log);
        if (total.find()) {
            return Long.parseLong(total.group(1));
        }
        long executions = 0;
        for (Matcher number = NUMBER.matcher(log); number.find(); ) {
            executions = Long.parseLong(number.group(1));
        }
        return executions;
    }

    private String summary(String log, int status) {
        List<String> lines = log.lines()
                .dropWhile(line ->
                        !line.startsWith("== ") && !line.startsWith("ERROR: ") && !line.contains("ERROR: libFuzzer"))
                .takeWhile(line -> !line.startsWith("DEDUP_TOKEN") && !line.startsWith("== libFuzzer crashing"))
                .limit(16)
                .toList();
        return lines.isEmpty() ? "the fuzzer ended: status=" + status + " log=" + log() : String.join("\n", lines);
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.mhsld.stress;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** Runs trials as {@code scripts/stress} does. */
public final class Trials {
    private Trials() {}

    /** What a trial came to. */
    public record Result(int exitCode, String output) {}

    /** Runs one to its end; its evidence goes to a folder of the test's. */
    public static Result run(Callable<Integer> trial, Path evidence, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--evidence", evidence.toString()));
        PrintStream before = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        int exitCode;
        try {
            exitCode = new CommandLine(trial).execute(all.toArray(String[]::new));
        } finally {
            System.setOut(before);
        }
        System.out.print(said.toString(StandardCharsets.UTF_8));
        return new Result(exitCode, said.toString(StandardCharsets.UTF_8));
    }
}

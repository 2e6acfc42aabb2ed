package io.mhsld.stress.storm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** The runs so far, a line each, so that they add up. */
final class TrialRecord {
    private final Path file;

    TrialRecord(Path file) {
        this.file = file;
    }

    /** Adds one run; a line is written at once, so that two storms do not mix theirs. */
    void append(String line) {
        try {
            Files.writeString(
                    file, line + System.lineSeparator(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int runs() {
        return lines().size();
    }

    /** The sum of one figure over all runs. */
    long sum(String name) {
        long sum = 0;
        for (String line : lines()) {
            for (String pair : line.split(" ")) {
                if (pair.startsWith(name + "=")) {
                    sum += Long.parseLong(pair.substring(name.length() + 1));
                }
            }
        }
        return sum;
    }

    private List<String> lines() {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

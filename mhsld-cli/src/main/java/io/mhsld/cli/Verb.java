package io.mhsld.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One verb of the command line: options of its own, and one piece of work. */
abstract class Verb implements Callable<Integer> {
    private static final long MS_PER_SECOND = 1000;

    /** A century: more is a slip, and its milliseconds would not fit. */
    private static final double MAX_WAIT_SECONDS = 3e9;

    final Console console;

    @Spec
    CommandSpec spec;

    Verb(Console console) {
        this.console = console;
    }

    /** Does what was asked for. */
    abstract ExitCode run();

    @Override
    public Integer call() {
        return run().number();
    }

    /** To throw when options make no sense together. */
    ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** The milliseconds of a {@code --wait} option. */
    long waitMs(double seconds) {
        if (!(seconds >= 0 && seconds <= MAX_WAIT_SECONDS)) {
            throw usage("not a time to wait: --wait=" + seconds);
        }
        return (long) (seconds * MS_PER_SECOND);
    }

    /** For verbs that print facts. */
    static final class JsonOption {
        @Option(names = "--json", description = "Print facts as JSON.")
        boolean json;
    }
}

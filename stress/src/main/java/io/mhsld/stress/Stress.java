package io.mhsld.stress;

import io.mhsld.stress.conformance.Conformance;
import io.mhsld.stress.contest.Contest;
import io.mhsld.stress.fuzz.Fuzz;
import io.mhsld.stress.history.HistoryTrial;
import io.mhsld.stress.simulation.Simulation;
import io.mhsld.stress.soak.Soak;
import io.mhsld.stress.storm.KillStorm;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The trials that are no jcstress suites: real processes, recorded histories, a simulation. One verb each. */
@Command(
        name = "scripts/stress",
        description =
                "Trials of the device. Each prints its seed, what it did and what it found; exit code 1 when something is wrong.",
        subcommands = {
            Conformance.class,
            Contest.class,
            HistoryTrial.class,
            KillStorm.class,
            Soak.class,
            Fuzz.class,
            Simulation.class
        })
public final class Stress implements Runnable {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Says this.")
    @SuppressWarnings("unused") // The parser stores to it and acts on it.
    private boolean help;

    @Spec
    private CommandSpec spec;

    private Stress() {}

    /** Runs one trial and ends the process with its exit code: 0 nothing wrong, 1 something is, 2 usage. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Stress()).execute(arguments));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which trial?");
    }
}

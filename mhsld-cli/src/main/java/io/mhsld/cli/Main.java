package io.mhsld.cli;

import io.mhsld.media.MediaException;
import io.mhsld.qmp.QmpException;
import io.mhsld.socket.ListenException;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.text.ForeignText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** {@code mhsld}: one verb per thing that people do with a device. */
@Command(
        name = "mhsld",
        description = {
            "An emulated CXL multi-headed single logical device with dynamic capacity.",
            "One process is one head; all heads share one state file, /dev/shm/NAME."
        },
        synopsisSubcommandLabel = "VERB",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class Main implements Runnable {
    private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");

    private final Console console;

    Main(Console console) {
        this.console = console;
    }

    /** Ends the process with the verb's exit code. */
    public static void main(String[] arguments) {
        System.exit(run(Console.ofProcess(), arguments));
    }

    /** Runs one verb; never throws. */
    static int run(Console console, String... arguments) {
        CommandLine commandLine = commandLine(console);
        commandLine.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        commandLine.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
        int exitCode = commandLine.execute(HeadVerb.withoutQemuArguments(commandLine, arguments));
        if (console.out().checkError() && exitCode == ExitCode.DONE.number() && !isPipe(STANDARD_OUTPUT)) {
            console.err().println("mhsld: standard output cannot be written");
            return ExitCode.REFUSED.number();
        }
        return exitCode;
    }

    /** Whoever closes the other end of a pipe has seen enough, which is no error. */
    private static boolean isPipe(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.startsWith("pipe:") || target.startsWith("socket:");
        } catch (IOException e) {
            return false;
        }
    }

    static CommandLine commandLine(Console console) {
        CommandLine commandLine = new CommandLine(new Main(console));
        Verbs.addTo(commandLine, console);
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setAbbreviatedOptionsAllowed(false);
        commandLine.setUsageHelpAutoWidth(false);
        // A word that begins with @ is a word, not a file to take words from.
        commandLine.setExpandAtFiles(false);
        Map<String, String> exitCodes = new LinkedHashMap<>();
        Arrays.stream(ExitCode.values()).forEach(code -> exitCodes.put(Integer.toString(code.number()), code.words()));
        describeExitCodes(commandLine, exitCodes);
        commandLine.setParameterExceptionHandler((e, unused) -> {
            // Picocli says so for some of its messages.
            console.err().println("mhsld: " + ForeignText.lines(e.getMessage().replaceFirst("^Error: ", "")));
            console.err().println("try: " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
            return ExitCode.USAGE.number();
        });
        commandLine.setExecutionExceptionHandler((e, unused, result) -> report(console, e));
        return commandLine;
    }

    private static void describeExitCodes(CommandLine commandLine, Map<String, String> exitCodes) {
        CommandSpec spec = commandLine.getCommandSpec();
        spec.usageMessage().exitCodeListHeading("%nExit codes:%n").exitCodeList(exitCodes);
        commandLine.getSubcommands().values().forEach(sub -> describeExitCodes(sub, exitCodes));
    }

    /** Turns what a verb threw into one or two lines and an exit code. */
    static int report(Console console, Throwable error) {
        ExitCode exitCode = exitCodeOf(error);
        console.out().flush();
        console.err()
                .println("mhsld: "
                        + ForeignText.lines(
                                exitCode == ExitCode.INTERNAL ? "internal error: " + error : error.getMessage()));
        if (exitCode == ExitCode.INTERNAL) {
            if (System.getenv("MHSLD_TRACE") != null) {
                error.printStackTrace(console.err());
            } else {
                console.err().println("please report this; MHSLD_TRACE=1 in the environment shows where it happened");
            }
        }
        return exitCode.number();
    }

    private static ExitCode exitCodeOf(Throwable error) {
        if (error instanceof CommandException e) {
            return e.exitCode();
        }
        if (error instanceof StateFileException e) {
            return e.problem() == Problem.IN_USE ? ExitCode.REFUSED : ExitCode.STATE_FILE_UNUSABLE;
        }
        if (error instanceof MediaException) {
            return ExitCode.STATE_FILE_UNUSABLE;
        }
        if (error instanceof ListenException) {
            return ExitCode.REFUSED;
        }
        if (error instanceof QmpException) {
            return ExitCode.HEAD_NOT_RUNNING;
        }
        return error instanceof IllegalArgumentException ? ExitCode.USAGE : ExitCode.INTERNAL;
    }

    /** Without a verb: what verbs there are. */
    @Override
    public void run() {
        commandLine(console).usage(console.out());
    }
}

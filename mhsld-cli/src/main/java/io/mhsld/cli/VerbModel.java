package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * One command as its help, its man page and its completion tell it: read from picocli's model of the very classes that parse the command line, so
 * that none of them can tell of an option that is not there, or keep one back. What is hidden from the help is hidden here.
 */
record VerbModel(
        String name, String qualifiedName, List<String> description, List<Option> options, List<Parameter> parameters) {
    /** What may stand for a value, as far as a shell can find it out. */
    sealed interface Values {
        /** Nobody knows. */
        record Anything() implements Values {}

        /** Devices in shared memory, or paths. */
        record Devices() implements Values {}

        /** Heads of the device that is named on the same line. */
        record Heads() implements Values {}

        /** Files. */
        record Files() implements Values {}

        /** Just these words. */
        record Words(List<String> words) implements Values {}
    }

    /**
     * An option.
     *
     * @param label of its value, empty when it takes none
     * @param mayLackValue its value may be left out, and follows a {@code =} when it is not
     */
    record Option(
            List<String> names,
            String label,
            boolean mayLackValue,
            boolean isRepeatable,
            boolean isRequired,
            String description,
            Values values) {
        boolean takesValue() {
            return !label.isEmpty();
        }

        String longestName() {
            return names.stream().max(Comparator.comparingInt(String::length)).orElseThrow();
        }
    }

    /** A word that is no option. */
    record Parameter(String label, boolean isRepeatable, boolean isRequired, String description, Values values) {}

    /** The command itself, without a verb. */
    static VerbModel top(CommandLine commandLine) {
        return of(commandLine.getCommandSpec());
    }

    /** Its verbs, in the order in which the help names them. */
    static List<VerbModel> verbs(CommandLine commandLine) {
        return commandLine.getSubcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .filter(spec -> !spec.usageMessage().hidden())
                .map(VerbModel::of)
                .toList();
    }

    private static VerbModel of(CommandSpec spec) {
        List<Option> options = new ArrayList<>();
        for (OptionSpec option : spec.options()) {
            if (!option.hidden()) {
                options.add(option(option));
            }
        }
        List<Parameter> parameters = new ArrayList<>();
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            if (!parameter.hidden()) {
                parameters.add(new Parameter(
                        parameter.paramLabel(),
                        parameter.isMultiValue(),
                        parameter.arity().min() > 0,
                        text(parameter),
                        valuesOf(parameter)));
            }
        }
        List<String> description = new ArrayList<>();
        for (String line : spec.usageMessage().description()) {
            description.add(String.format(line));
        }
        return new VerbModel(spec.name(), spec.qualifiedName(), description, options, parameters);
    }

    private static Option option(OptionSpec option) {
        return new Option(
                List.of(option.names()),
                option.arity().max() > 0 ? option.paramLabel() : "",
                option.arity().min() == 0,
                option.isMultiValue() || option.group() != null,
                option.required(),
                text(option),
                valuesOf(option));
    }

    private static String text(ArgSpec argument) {
        return String.format(String.join(" ", argument.description()))
                .replace("${DEFAULT-VALUE}", String.valueOf(argument.defaultValueString(true)))
                .strip();
    }

    private static Values valuesOf(ArgSpec argument) {
        if (argument.completionCandidates() != null) {
            List<String> words = new ArrayList<>();
            // By their words rather than their constants: the parser takes both.
            argument.completionCandidates().forEach(words::add);
            return new Values.Words(words.stream()
                    .map(word -> isConstant(word) ? word.toLowerCase(Locale.ROOT) : word)
                    .toList());
        }
        if (argument.auxiliaryTypes()[0] == Boolean.class || argument.type() == Boolean.class) {
            return new Values.Words(List.of("true", "false"));
        }
        if (argument.auxiliaryTypes()[0] == Path.class) {
            return new Values.Files();
        }
        return switch (argument.paramLabel()) {
            case "NAME" -> new Values.Devices();
            case "H" -> new Values.Heads();
            case "COMMAND" -> new Values.Words(CommandNames.words());
            case "VERB" ->
                new Values.Words(argument.command().parent().subcommands().values().stream()
                        .map(CommandLine::getCommandSpec)
                        .filter(spec -> !spec.usageMessage().hidden())
                        .map(CommandSpec::name)
                        .toList());
            default -> new Values.Anything();
        };
    }

    private static boolean isConstant(String word) {
        return word.equals(word.toUpperCase(Locale.ROOT));
    }

    /** Where devices without a slash in their name are. */
    static String deviceFolder() {
        return DeviceFiles.SHARED_MEMORY_FOLDER.toString();
    }
}

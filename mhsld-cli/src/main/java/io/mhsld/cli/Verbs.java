package io.mhsld.cli;

import picocli.CommandLine;

/** The verbs in the order in which the help names them. */
final class Verbs {
    private Verbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        DeviceVerbs.addTo(commandLine, console);
        commandLine.addSubcommand(new TagsVerb(console, DeviceTags::new));
        HeadVerbs.addTo(commandLine, console);
        commandLine.addSubcommand(new FmVerb(console));
        PaperVerbs.addTo(commandLine, console);
    }
}

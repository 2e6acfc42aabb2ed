package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.qmp.CxlCommands;
import io.mhsld.qmp.QmpCommand;
import io.mhsld.qmp.QmpServer;
import io.mhsld.register.RegisterTable;
import io.mhsld.state.DeviceFiles;
import io.mhsld.text.ForeignText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs that write about the program itself: completion scripts, man pages, the tables of what is supported. */
final class PaperVerbs {
    private PaperVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        commandLine.addSubcommand(new Completion(console));
        commandLine.addSubcommand(new Man(console));
        commandLine.addSubcommand(new Supported(console));
        commandLine.addSubcommand(new Registers(console));
    }

    /** Shells that a script can be made for. */
    enum Shell {
        BASH,
        ZSH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Command(
            name = "completion",
            mixinStandardHelpOptions = true,
            description = {
                "Print a completion script for a shell: verbs, options, devices, heads, names of commands.",
                "bash: eval \"$(mhsld completion bash)\". zsh: put it as _mhsld into a folder of $fpath."
            })
    private static final class Completion extends Verb {
        @Parameters(index = "0", paramLabel = "bash|zsh", description = "The shell.")
        Shell shell;

        Completion(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            CommandLine program = spec.parent().commandLine();
            VerbModel top = VerbModel.top(program);
            List<VerbModel> verbs = VerbModel.verbs(program);
            console.out().print(shell == Shell.BASH ? BashCompletion.of(top, verbs) : ZshCompletion.of(top, verbs));
            return ExitCode.DONE;
        }
    }

    @Command(
            name = "man",
            mixinStandardHelpOptions = true,
            description =
                    "Print a man page: of a verb, or without VERB of the program. To read it: mhsld man | man -l -")
    private static final class Man extends Verb {
        @Parameters(index = "0", paramLabel = "VERB", arity = "0..1", description = "The verb.")
        String verb;

        @Option(
                names = "--to",
                paramLabel = "FOLDER",
                converter = FileConverter.class,
                description = "Write all pages there instead, a file each; the folder is made when it is not there.")
        Path folder;

        Man(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            Map<String, String> pages = pages(spec.parent().commandLine());
            if (folder != null) {
                if (verb != null) {
                    throw usage("--to writes all pages: VERB=" + ForeignText.line(verb));
                }
                write(pages);
                return ExitCode.DONE;
            }
            String page = pages.get(verb == null ? "mhsld.1" : "mhsld-" + verb + ".1");
            if (page == null) {
                throw usage("no such verb: VERB=" + ForeignText.line(verb));
            }
            console.out().print(page);
            return ExitCode.DONE;
        }

        private void write(Map<String, String> pages) {
            try {
                Files.createDirectories(folder);
                for (Map.Entry<String, String> page : pages.entrySet()) {
                    Files.writeString(folder.resolve(page.getKey()), page.getValue());
                }
            } catch (IOException e) {
                throw new CommandException(
                        ExitCode.REFUSED,
                        "pages cannot be written: reason=\"" + e.getMessage() + "\" file=" + folder,
                        e);
            }
            console.out().println("written: pages=" + pages.size() + " folder=" + folder);
        }
    }

    /** All man pages by their file names. */
    static Map<String, String> pages(CommandLine program) {
        VerbModel top = VerbModel.top(program);
        List<VerbModel> verbs = VerbModel.verbs(program);
        Map<String, String> pages = new LinkedHashMap<>();
        pages.put(ManPage.fileOf(top), ManPage.ofProgram(top, verbs));
        verbs.forEach(verb -> pages.put(ManPage.fileOf(verb), ManPage.ofVerb(verb)));
        return pages;
    }

    /** For {@code scripts/supported}. */
    @Command(name = "x-supported", hidden = true, description = "Print the tables of what is supported, as Markdown.")
    private static final class Supported extends Verb {
        @Option(names = "--summary", description = "The short form.")
        boolean summary;

        Supported(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            List<QmpCommand> commands = qmpCommands();
            console.out().print(summary ? SupportedTables.summary(commands) : SupportedTables.page(commands));
            return ExitCode.DONE;
        }
    }

    /** For {@code scripts/supported}, and for whoever compares a function with its tables from within a guest. */
    @Command(
            name = "x-registers",
            hidden = true,
            description = "Print the registers of the PCI function, a row a line.")
    private static final class Registers extends Verb {
        @Option(names = "--page", description = "As a page of Markdown.")
        boolean page;

        @Option(names = "--sn", paramLabel = "N", converter = SerialConverter.class, description = "Serial number.")
        long serial = Device.Specification.DEFAULT_SERIAL;

        @Option(
                names = "--data-bar",
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "Length of the data BAR, a power of two; 0 (default): there is none.")
        long dataBarBytes;

        Registers(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            if (dataBarBytes != 0 && (dataBarBytes < 16 || Long.bitCount(dataBarBytes) != 1)) {
                throw usage("not the length of a BAR: --data-bar=" + dataBarBytes);
            }
            List<RegisterTable.Place> places = RegisterTable.places(serial, dataBarBytes);
            console.out().print(page ? RegisterText.page(places) : RegisterText.lines(places));
            return ExitCode.DONE;
        }
    }

    /** The commands that a head's QMP server has. Their rows are bound to a head, so it takes a device: a small one, for a moment. */
    static List<QmpCommand> qmpCommands() {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("mhsld");
            DeviceFiles files = DeviceFiles.named(folder.resolve("d").toString());
            Device.initialise(files, Device.Specification.ofSize(8L << 20), 0);
            List<QmpCommand> commands = new ArrayList<>(QmpServer.commonCommands());
            try (EventLoop loop = EventLoop.open();
                    Head head = Device.attach(files, 0, loop, 0, line -> {})) {
                commands.addAll(CxlCommands.of(head, "cxl-mem0", HostDriver.Mode.MANUAL, loop::execute));
            }
            Device.destroy(files, 0);
            return commands;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) {
        if (folder == null) {
            return;
        }
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

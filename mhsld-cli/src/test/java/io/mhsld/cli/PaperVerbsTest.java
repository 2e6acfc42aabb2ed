package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.register.RegisterTable;
import io.mhsld.state.DeviceFiles;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Completion scripts, man pages and tables say all that the program has, and tools take them. */
@Timeout(120)
class PaperVerbsTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Path PAGE = Path.of("..", "docs", "supported.md");
    private static final Path REGISTERS = Path.of("..", "docs", "registers.md");

    @TempDir
    Path folder;

    private static CommandLine program() {
        return Main.commandLine(Console.ofProcess());
    }

    private static List<CommandSpec> verbs() {
        return program().getSubcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .filter(spec -> !spec.usageMessage().hidden())
                .toList();
    }

    private static String print(String... arguments) {
        HeadProcesses.Outcome outcome = HeadProcesses.runRaw(arguments);
        assertEquals(0, outcome.exitCode(), outcome.err());
        return outcome.out();
    }

    private static boolean isInstalled(String tool) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, tool)));
    }

    private String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    /** What bash offers for the words of a line, the last of which is begun. */
    private List<String> completed(String... words) throws IOException, InterruptedException {
        Path script = Files.writeString(folder.resolve("completion.bash"), print("completion", "bash"));
        StringBuilder line = new StringBuilder("source " + script + "; COMP_WORDS=(mhsld");
        for (String word : words) {
            line.append(" '").append(word).append('\'');
        }
        line.append("); COMP_CWORD=").append(words.length).append("; _mhsld; printf '%s\\n' \"${COMPREPLY[@]}\"");
        return run("bash", "-uc", line.toString())
                .lines()
                .filter(text -> !text.isEmpty())
                .toList();
    }

    @Test
    void shouldNameEveryVerbAndOptionInBothShells() throws IOException, InterruptedException {
        String zsh = print("completion", "zsh");
        List<String> verbs = completed("");
        for (CommandSpec verb : verbs()) {
            assertTrue(verbs.contains(verb.name()), verb.name());
            assertTrue(zsh.contains("'" + verb.name() + ":"), verb.name());
            List<String> options = completed(verb.name(), "-");
            for (OptionSpec option : verb.options()) {
                for (String name : option.names()) {
                    assertEquals(!option.hidden(), options.contains(name), verb.name() + " " + name);
                    assertTrue(option.hidden() || zsh.contains(name + "[") || zsh.contains(name + "=["), name);
                }
            }
        }
        assertFalse(verbs.contains("x-train"));
        assertFalse(zsh.contains("x-train"));
        assertTrue(completed("-").contains("--version"));
    }

    @Test
    void shouldCompleteValues() throws IOException, InterruptedException {
        assertEquals(List.of("free"), completed("add", "pool", "--policy", "f"));
        assertEquals(List.of("enable-shared-access"), completed("add", "pool", "--policy", "=", "e"));
        assertEquals(
                List.of("free", "contiguous", "prescriptive", "enable-shared-access"),
                completed("add", "pool", "--policy", "="));
        assertEquals(List.of("mailbox", "ld", "fm"), completed("cci", "pool", "--head", "0", "--interface", ""));
        assertEquals(List.of("bash"), completed("completion", "b"));
        assertEquals(List.of("zsh"), completed("completion", "z"));
        assertEquals(List.of("fence"), completed("man", "fe"));
        assertEquals(List.of(), completed("add", "pool", "--offset", ""));
        List<String> names = completed("cci", "--head=0", "pool", "get-");
        for (Opcode opcode : OpcodeTable.ALL) {
            String name = CommandNames.plain(opcode.name()).replace(' ', '-');
            assertEquals(name.startsWith("get-"), names.contains(name), name);
        }
        Path file = Files.createFile(folder.resolve("some-file"));
        assertEquals(List.of(file.toString()), completed("status", folder + "/some"));
        assertEquals(List.of(file.toString()), completed("init", "--media", folder + "/some"));
    }

    @Test
    void shouldFindDevicesAndTheirHeadsWhenTheKeyIsPressed() throws IOException, InterruptedException {
        String name = "mhsld-completion-" + ProcessHandle.current().pid();
        Path device = DeviceFiles.SHARED_MEMORY_FOLDER.resolve(name);
        Path lock = Path.of(device + ".lock");
        Path socket = DeviceFiles.named(name).controlSocket(12);
        try {
            Files.createFile(lock);
            assertEquals(List.of(), completed("status", name), "a lock file alone is no device");
            Files.createFile(device);
            Files.createFile(socket);
            assertEquals(List.of(name), completed("status", name.substring(0, name.length() - 1)));
            assertEquals(List.of("12"), completed("fence", name, "--head", ""));
            assertEquals(List.of("12"), completed("fence", name, "--head", "=", "1"));
        } finally {
            for (Path file : List.of(lock, device, socket)) {
                Files.deleteIfExists(file);
            }
        }
    }

    @Test
    void shouldPleaseZsh() throws IOException, InterruptedException {
        assumeTrue(isInstalled("zsh"), "zsh is not installed");
        Path script = Files.writeString(folder.resolve("_mhsld"), print("completion", "zsh"));
        run("zsh", "-fn", script.toString());
        // A terminal of its own, in which the key is pressed.
        String talk = """
                export TERM=xterm
                zmodload zsh/zpty
                zpty shell zsh -f
                zpty -w shell "PS1=; fpath=(FOLDER \\$fpath); autoload -Uz compinit; compinit -u -d FOLDER/dump; print REA''DY"
                zpty -r shell text '*READY*'
                zpty -n -w shell $'mhsld add pool --policy=enab\\t\\n'
                zpty -r shell text '*enable-shared-access*' && print completed
                zpty -d shell
                """.replace("FOLDER", folder.toString());
        Path test = Files.writeString(folder.resolve("talk.zsh"), talk);
        String output = run("timeout", "30", "zsh", "-f", test.toString());
        assertTrue(output.contains("completed"), output);
    }

    @Test
    void shouldHaveAManPageForEveryVerb() throws IOException, InterruptedException {
        Path pages = folder.resolve("man1");
        print("man", "--to", pages.toString());
        String top = Files.readString(pages.resolve("mhsld.1"));
        for (CommandSpec verb : verbs()) {
            String page = Files.readString(pages.resolve("mhsld-" + verb.name() + ".1"));
            assertEquals(page, print("man", verb.name()));
            assertTrue(top.contains("\\fB" + verb.name().replace("-", "\\-") + "\\fR"), verb.name());
            for (OptionSpec option : verb.options()) {
                for (String name : option.names()) {
                    boolean isThere = page.contains("\\fB" + name.replace("-", "\\-") + "\\fR");
                    assertEquals(!option.hidden(), isThere, verb.name() + " " + name);
                }
            }
        }
        assertEquals(top, print("man"));
        assertEquals(
                ExitCode.USAGE.number(), HeadProcesses.runRaw("man", "no-such").exitCode());
        try (var files = Files.list(pages)) {
            for (Path page : files.toList()) {
                if (isInstalled("mandoc")) {
                    assertEquals("", run("mandoc", "-Tlint", "-Wstyle", page.toString()));
                }
                if (isInstalled("groff")) {
                    // That a long option leaves too little to spread over a line is no fault of the page.
                    List<String> complaints = run("groff", "-man", "-ww", "-Tascii", page.toString())
                            .lines()
                            .filter(line -> line.startsWith("troff:") && !line.matches(".*(adjust|break) line.*"))
                            .toList();
                    assertEquals(List.of(), complaints);
                }
            }
        }
    }

    @Test
    void shouldShowInTheDocumentsWhatTheTablesSay() throws IOException {
        String advice = "run scripts/supported";
        assertEquals(print("x-supported"), Files.readString(PAGE), advice);
        assertEquals(print("x-registers", "--page", "--data-bar", "1G"), Files.readString(REGISTERS), advice);
        String readme = Files.readString(README);
        String begin = "<!-- supported: begin -->\n";
        int from = readme.indexOf(begin);
        int to = readme.indexOf("<!-- supported: end -->");
        assertTrue(from >= 0 && to > from, "no markers in README.md");
        assertEquals(print("x-supported", "--summary"), readme.substring(from + begin.length(), to), advice);
    }

    @Test
    void shouldTellEveryRegisterInALineThatProgramsCanRead() {
        List<String> lines = print("x-registers", "--sn", "0x1234").lines().toList();
        List<RegisterTable.Place> places = RegisterTable.places(0x1234, 0);
        assertEquals(
                places.stream()
                        .mapToInt(place -> place.layout().fields().size())
                        .sum(),
                lines.size());
        String row = "(configuration|bar0|bar2) 0x[0-9a-f]{3,4} [0-9]+ [0-9]+ [A-Z0-9]+ [A-Z]+ 0x[0-9a-f]+ .+ [0-9.]+";
        assertEquals(
                List.of(), lines.stream().filter(line -> !line.matches(row)).toList());
        assertTrue(lines.contains("bar2 0x08c 0 1 RW FLR 0x0 doorbell 8.2.8.4.4"), lines.toString());
        HeadProcesses.Outcome refused = HeadProcesses.runRaw("x-registers", "--data-bar", "3M");
        assertTrue(refused.err().contains("--data-bar=3145728"), refused.err());
    }

    @Test
    void shouldTellEveryOpcodeAndCommandInTheTables() {
        String page = print("x-supported");
        for (Opcode opcode : OpcodeTable.ALL) {
            assertTrue(
                    page.contains(String.format("| `%04xh` | %s |", opcode.code(), opcode.name())), opcode.toString());
        }
        PaperVerbs.qmpCommands().forEach(command -> assertTrue(page.contains("| `" + command.name() + "` |")));
        assertTrue(page.contains("| `x-cci` | `opcode`, `payload`?"), page);
        assertFalse(
                print("x-supported", "--summary").matches("(?s).*\n\\| [0-9a-f]{2}h .*"),
                "every command set has a name");
    }
}

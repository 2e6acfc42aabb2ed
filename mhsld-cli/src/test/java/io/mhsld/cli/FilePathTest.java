package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What no file can be called, typed where a file is to be named: the command line is wrong, and nothing is made. */
class FilePathTest {
    private static final List<String> NAMES =
            List.of("/tmp/a\0b", "/tmp/" + "a".repeat(256), "/" + "a/".repeat(2100) + "b", "");

    @TempDir
    static Path folder;

    static List<List<String>> commands() {
        String name = folder.resolve("pool").toString();
        List<List<String>> commands = new ArrayList<>();
        for (String file : NAMES) {
            commands.add(List.of("init", name, "--size=4M", "--media=" + file));
            commands.add(List.of(
                    "head", "--mhd-state_file=" + name, "--mhd-head=0", "--mhd-init", "--size=4M", "--media=" + file));
            commands.add(List.of("head", "--mhd-state_file=" + name, "--mhd-head=0", "--wait=0", "--media=" + file));
            commands.add(List.of(
                    "head",
                    "-object",
                    "memory-backend-file,id=m,size=4M,share=on,mem-path=" + file,
                    "-device",
                    "cxl-mhsld,volatile-dc-memdev=m,mhd-head=0,mhd-init=true,mhd-state_file=" + name));
            commands.add(List.of(
                    "head", "--mhd-state_file=" + name, "--mhd-head=0", "--wait=0", "--qmp=unix:" + file + ",server"));
            commands.add(List.of("mem", name, "read", "--head=0", "--dpa=0", "--length=4", "--out=" + file));
            commands.add(List.of("mem", name, "write", "--head=0", "--dpa=0", "--in=" + file));
            for (String verb : List.of("status", "map", "extents", "errors", "verify", "recover", "destroy")) {
                commands.add(List.of(verb, file));
            }
            commands.add(List.of("init", file, "--size=4M"));
            commands.add(List.of("fence", file, "--head=0"));
            commands.add(List.of("add", file, "--head=0", "--region=0", "--offset=0", "--length=2M"));
            commands.add(List.of("release", file, "--head=0", "--region=0", "--offset=0", "--length=2M"));
            commands.add(List.of("mem", file, "crc", "--head=0", "--dpa=0", "--length=4"));
            commands.add(List.of("cci", file, "--head=0", "0001"));
            commands.add(List.of("events", file, "--head=0"));
            commands.add(List.of("qmp", file, "--head=0"));
            commands.add(List.of("head", "--mhd-state_file=" + file, "--mhd-head=0", "--wait=0"));
        }
        return commands;
    }

    @ParameterizedTest
    @MethodSource("commands")
    void shouldBeAMistakeOnTheCommandLine(List<String> command) throws IOException {
        Outcome outcome = HeadProcesses.runRaw(command.toArray(String[]::new));

        assertEquals(ExitCode.USAGE.number(), outcome.exitCode(), outcome.err());
        assertTrue(outcome.err().startsWith("mhsld: "), outcome.err());
        assertFalse(outcome.err().contains("Exception"), outcome.err());
        assertTrue(outcome.err().matches("(?s).*(path|name|empty|NUL).*"), outcome.err());
        assertTrue(outcome.err().chars().noneMatch(c -> Character.isISOControl(c) && c != '\n'), outcome.err());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }

    /** The media file itself could be called so; the note beside it could not, and so not the path in a state file. */
    @Test
    void shouldLeaveRoomForTheFilesBesideTheMedia() throws IOException {
        String name = folder.resolve("pool").toString();
        Path deep = folder;
        while (deep.toString().length() < 1300) {
            deep = deep.resolve("d".repeat(200));
        }
        for (Path media : List.of(folder.resolve("a".repeat(250)), deep)) {
            Outcome outcome = HeadProcesses.runRaw("init", name, "--size=4M", "--media=" + media);

            assertEquals(ExitCode.USAGE.number(), outcome.exitCode(), outcome.err());
            assertTrue(outcome.err().contains("too long"), outcome.err());
        }
        Path longest = folder.resolve("a".repeat(255 - ".device.new".length()));
        assertEquals(
                0,
                HeadProcesses.runRaw("init", name, "--size=4M", "--media=" + longest)
                        .exitCode());
        assertEquals(0, HeadProcesses.runRaw("destroy", name).exitCode());
        Files.delete(longest);
    }
}

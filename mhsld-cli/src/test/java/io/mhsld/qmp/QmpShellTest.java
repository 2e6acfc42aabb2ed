package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The shell of QEMU's own Python package, unmodified, where it is installed (Debian: python3-qemu-qmp). */
@Timeout(60)
@Tag("interop")
class QmpShellTest {
    @TempDir
    Path folder;

    @Test
    void shouldServeAnUnmodifiedQmpShell() throws IOException, InterruptedException {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "qmp-shell"))),
                "qmp-shell is not installed");
        try (RunningServer server = RunningServer.on(folder)) {
            ProcessBuilder shell = new ProcessBuilder(
                            "qmp-shell", server.address.file().orElseThrow().toString())
                    .redirectErrorStream(true);
            shell.environment().put("HOME", folder.toString());
            Process process = shell.start();
            process.getOutputStream()
                    .write("query-status\necho value=[{\"a\":1}]\nadd path=x host-id=0\nsystem_reset\n\nnonsense\n"
                            .getBytes(StandardCharsets.US_ASCII));
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertTrue(process.waitFor(10, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), output);
            for (String expected : new String[] {
                "Connected to QEMU 11.1.3",
                "{\"return\": {\"status\": \"running\", \"running\": true}}",
                "{\"return\": [{\"a\": 1}]}",
                "Parameter 'selection-policy' is missing",
                "'event': 'RESET'",
                "The command nonsense has not been found"
            }) {
                assertTrue(output.contains(expected), () -> expected + " not in " + output);
            }
        }
    }
}

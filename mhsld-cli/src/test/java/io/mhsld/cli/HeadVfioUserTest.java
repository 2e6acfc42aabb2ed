package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.head.HostDriver;
import io.mhsld.mctp.DialectChoice;
import io.mhsld.qmp.QmpAddress;
import io.mhsld.qmp.QmpClient;
import io.mhsld.vfiouser.StandInFunction;
import io.mhsld.vfiouser.VfioUserClient;
import io.mhsld.vfiouser.VfioUserServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A head that serves a virtual machine, beside everything else that it serves. */
@Timeout(60)
class HeadVfioUserTest {
    @TempDir
    Path folder;

    private final HeadProcesses heads = new HeadProcesses();

    @AfterEach
    void end() {
        heads.close();
    }

    @Test
    void shouldServeAVirtualMachineUntilTheHeadLeaves() throws Exception {
        assertEquals(0, heads.run("init", "--size=64M").exitCode());
        Path socket = folder.resolve("vfio");
        StandInFunction function = new StandInFunction();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(said, true, StandardCharsets.UTF_8);
        CompletableFuture<ExitCode> exit = CompletableFuture.supplyAsync(
                () -> HeadProcess.run(options(socket, function), new Console(print, print, false, 80)));
        HeadProcesses.await(
                "the head to be ready",
                () -> said.toString(StandardCharsets.UTF_8).contains("ready "));
        String ready = said.toString(StandardCharsets.UTF_8);
        assertTrue(ready.contains(" vfio-user=unix:" + socket + " host-driver=manual"), ready);

        try (VfioUserClient client = VfioUserClient.negotiated(socket);
                QmpClient qmp = QmpClient.connect(QmpAddress.unix(heads.files.controlSocket(0)), 10_000)) {
            client.regionWrite32(0, 0, 5);
            assertEquals(5, client.regionRead32(0, 0));
            assertTrue(qmp.execute("x-query-head", Map.of()).error().isEmpty());
            assertTrue(qmp.execute("quit", Map.of()).error().isEmpty());
            assertEquals(ExitCode.DONE, exit.get(20, TimeUnit.SECONDS));
        }
        assertFalse(Files.exists(socket));
    }

    private HeadProcess.Options options(Path socket, StandInFunction function) {
        return new HeadProcess.Options(
                heads.files,
                0,
                Optional.empty(),
                new HeadProcess.Expected(
                        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()),
                List.of(),
                List.of(),
                DialectChoice.AUTO,
                Optional.of(VfioUserServer.address("unix:" + socket)),
                head -> function,
                HostDriver.Mode.MANUAL,
                "cxl-mem0",
                1000);
    }

    @Test
    void shouldRefuseAddressThatIsNoUnixSocket() {
        Outcome outcome = HeadProcesses.runRaw(
                "head", "--mhd-head=0", "--mhd-state_file=" + heads.name, "--vfio-user=tcp:127.0.0.1:4000");

        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains("vfio-user address is not unix:PATH"), outcome.err());
    }
}

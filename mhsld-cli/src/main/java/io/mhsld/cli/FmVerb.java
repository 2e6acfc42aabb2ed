package io.mhsld.cli;

import io.mhsld.mctp.MctpServer;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verb that is the fabric manager's door to a device. {@link FmProcess} does the work. */
@Command(
        name = "fm",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Be the fabric manager's one door to a device until SIGTERM or SIGINT: QMP, routed to the heads by",
            "host-id, and FM-API over MCTP/TCP. It holds nothing: kill it, start two, do without."
        })
final class FmVerb extends Verb {
    @Parameters(index = "0", paramLabel = "NAME", description = "The device: /dev/shm/NAME, or a path.")
    String name;

    @Option(
            names = "--qmp",
            paramLabel = "ADDRESS",
            description = "Listen for QMP: unix:PATH,server,nowait or tcp:127.0.0.1:PORT,server,nowait. Repeatable.")
    List<String> qmp = new ArrayList<>();

    @Mixin
    MctpOptions mctp;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            description = "How long to wait for somebody else's init: ${DEFAULT-VALUE}.")
    double waitSeconds = 10;

    FmVerb(Console console) {
        super(console);
    }

    @Override
    ExitCode run() {
        List<LocalAddress> mctpAddresses = mctp.isGiven()
                ? mctp.addresses()
                : List.of(MctpServer.address("tcp:127.0.0.1:" + MctpServer.DEFAULT_PORT));
        return FmProcess.run(
                new FmProcess.Options(
                        DeviceFiles.named(name),
                        qmp.stream().map(QmpServer::address).toList(),
                        mctpAddresses,
                        mctp.dialect(),
                        waitMs(waitSeconds)),
                console);
    }
}

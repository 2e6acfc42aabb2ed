package io.mhsld.cli;

import io.mhsld.cci.FmOwnedLd;
import io.mhsld.fabric.Fabric;
import io.mhsld.head.EventLoop;
import io.mhsld.mctp.DialectChoice;
import io.mhsld.mctp.MctpServer;
import io.mhsld.qmp.FmCommands;
import io.mhsld.qmp.HeadConnections;
import io.mhsld.qmp.QmpMachine;
import io.mhsld.qmp.QmpServer;
import io.mhsld.qmp.QmpVersion;
import io.mhsld.socket.ListenException;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFileException;
import java.util.List;
import java.util.Optional;

/** The fabric manager's door to one device as a process: opens the state file, serves its sockets, forwards to the heads. */
final class FmProcess {
    /** Within this time it notices that the device was made anew, or removed. */
    private static final long TICK_MS = 400;

    private static final long LEAVE_TIMEOUT_S = 5;

    /**
     * What the process is to be.
     *
     * @param files the device
     * @param qmp where to listen for QMP
     * @param mctp where to listen for FM-API
     * @param dialect which dialect those clients speak
     * @param waitMs how long to wait for somebody else's init
     */
    record Options(
            DeviceFiles files, List<LocalAddress> qmp, List<LocalAddress> mctp, DialectChoice dialect, long waitMs) {}

    private final Options options;
    private final Console console;
    private final BoundedLog log;
    private final ServingProcess life;

    private FmProcess(Options options, Console console) {
        this.options = options;
        this.console = console;
        this.log = new BoundedLog(console.err(), "fm", System::nanoTime);
        this.life = new ServingProcess(options.files, console, log, LEAVE_TIMEOUT_S);
    }

    /** Runs until it is told to leave. */
    static ExitCode run(Options options, Console console) {
        FmProcess process = new FmProcess(options, console);
        return process.life.run(process::serve);
    }

    private void serve() {
        EventLoop loop = life.loop();
        try (HeadConnections heads = new HeadConnections(loop);
                Fabric fabric = Fabric.open(options.files, heads, options.waitMs)) {
            FmOwnedLd cci = new FmOwnedLd(fabric, this::tellError);
            loop.onError(this::tellError);
            try (QmpServer qmp = new QmpServer(
                            loop, new Machine(), FmCommands.of(fabric, cci, heads), log, this::tellError);
                    MctpServer mctp = new MctpServer(loop, cci::execute, options.dialect, log, this::tellError)) {
                tellReady(fabric, options.qmp.stream().map(qmp::listen).toList(), listen(mctp));
                loop.every(TICK_MS, () -> follow(fabric));
                life.begun();
                loop.run();
                life.sayGoodbye(qmp);
            }
        }
    }

    private List<LocalAddress> listen(MctpServer server) {
        try {
            return options.mctp.stream().map(server::listen).toList();
        } catch (ListenException e) {
            throw new CommandException(
                    ExitCode.REFUSED,
                    e.getMessage() + System.lineSeparator() + "another one is chosen by --mctp, none by --mctp none",
                    e);
        }
    }

    private void tellReady(Fabric fabric, List<LocalAddress> qmp, List<LocalAddress> mctp) {
        // In one piece, for whoever waits for the line.
        console.out()
                .println(String.format(
                        "ready fm pid=%d device=%s size=%d heads=%d%s%s dialect=%s",
                        ProcessHandle.current().pid(),
                        options.files.stateFile(),
                        fabric.geometry().capacityBytes(),
                        fabric.headCount(),
                        MctpOptions.listed(" qmp=", qmp),
                        MctpOptions.listed(" mctp=", mctp),
                        options.dialect));
        console.out().flush();
    }

    private void follow(Fabric fabric) {
        try {
            if (fabric.follow()) {
                log.say(
                        "device was made anew: size=%d heads=%d",
                        fabric.geometry().capacityBytes(), fabric.headCount());
            }
        } catch (StateFileException e) {
            life.lose(e);
        }
    }

    private void tellError(Throwable error) {
        log.say("error: %s", error);
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            log.say("caused by: %s", cause);
        }
    }

    private final class Machine implements QmpMachine {
        @Override
        public QmpVersion version() {
            return QmpVersion.ofPackage("mhsld-" + Version.number());
        }

        @Override
        public String name() {
            return options.files.stateFile().getFileName() + "-fm";
        }

        @Override
        public void reset() {
            // Refused below.
        }

        @Override
        public Optional<String> resetRefusal() {
            return Optional.of("the fabric manager has no host to restart: ask the head");
        }

        @Override
        public void quit() {
            life.quit();
        }
    }
}

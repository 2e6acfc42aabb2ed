package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.cci.EventRecordWriter;
import io.mhsld.cci.Mailbox;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HeadLog;
import io.mhsld.head.HostDriver;
import io.mhsld.mctp.DialectChoice;
import io.mhsld.mctp.MctpEndpoint;
import io.mhsld.mctp.MctpServer;
import io.mhsld.media.Media;
import io.mhsld.qmp.CxlCommands;
import io.mhsld.qmp.QmpMachine;
import io.mhsld.qmp.QmpServer;
import io.mhsld.qmp.QmpVersion;
import io.mhsld.register.PciFunction;
import io.mhsld.register.ResetKind;
import io.mhsld.register.Type3Function;
import io.mhsld.socket.ListeningSocket;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.DcEvent;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.Extent;
import io.mhsld.type3.RasCapability;
import io.mhsld.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** One head as a process of its own: attaches, serves its sockets, answers for the host, and leaves cleanly when it is told to. */
final class HeadProcess {
    /** A signal handler waits so long for the head to let go of its capacity. */
    private static final long LEAVE_TIMEOUT_S = 10;

    /**
     * What the process is to be.
     *
     * @param files the device
     * @param head which head of it
     * @param init what to make the device of before attaching; empty: somebody else has made it, or will
     * @param expected what the device must be like, checked after attaching
     * @param qmp where to listen besides the control socket
     * @param mctp where to offer the LD's command interface in MCTP packets
     * @param dialect which dialect those clients speak
     * @param vfioUser where to serve the head as a PCI function
     * @param hasDataBar that function has the memory behind a BAR
     * @param driver what answers for the host
     * @param deviceId what QMP's {@code path} calls the device
     * @param waitMs how long to wait for somebody else's init
     */
    record Options(
            DeviceFiles files,
            int head,
            Optional<Device.Specification> init,
            Expected expected,
            List<LocalAddress> qmp,
            List<LocalAddress> mctp,
            DialectChoice dialect,
            Optional<LocalAddress> vfioUser,
            boolean hasDataBar,
            HostDriver.Mode driver,
            String deviceId,
            long waitMs) {}

    /** What a command line says of a device that exists already: what it leaves open is empty. */
    record Expected(
            Optional<Long> sizeBytes,
            Optional<Integer> regions,
            Optional<Integer> heads,
            Optional<Long> blockSizeBytes,
            Optional<String> mediaFile) {
        void check(Head head) {
            Geometry geometry = head.geometry();
            String media = head.state().identity().mediaFile();
            boolean same = isSo(sizeBytes, geometry.capacityBytes())
                    && isSo(regions, geometry.regions().size())
                    && isSo(heads, geometry.headCount())
                    && isSo(blockSizeBytes, geometry.blockSizeBytes())
                    && isSo(mediaFile, media);
            if (!same) {
                throw new CommandException(
                        ExitCode.REFUSED,
                        "the device is not what the command line says: size=" + geometry.capacityBytes() + " regions="
                                + geometry.regions().size() + " heads=" + geometry.headCount() + " blockSize="
                                + geometry.blockSizeBytes() + " media=" + media + " file="
                                + head.files().stateFile());
            }
        }

        private static <T> boolean isSo(Optional<T> said, T met) {
            return said.isEmpty() || said.get().equals(met);
        }
    }

    private final Options options;
    private final Console console;
    private final HeadLog log;
    private final ServingProcess life;
    private final Map<EventLog.Kind, Long> announcedEvents = new EnumMap<>(EventLog.Kind.class);

    private HeadProcess(Options options, Console console) {
        this.options = options;
        this.console = console;
        this.log = new BoundedLog(console.err(), options.head, System::nanoTime);
        this.life = new ServingProcess(options.files, console, log, LEAVE_TIMEOUT_S);
    }

    /** Runs until it is told to leave. */
    static ExitCode run(Options options, Console console) {
        HeadProcess process = new HeadProcess(options, console);
        return process.life.run(process::serve);
    }

    private void serve() {
        EventLoop loop = life.loop();
        options.init.ifPresent(this::initialise);
        try (Head head = Device.attach(options.files, options.head, loop, options.waitMs, log)) {
            life.begun();
            options.expected.check(head);
            HostDriver driver = new HostDriver(head.mailbox(), options.driver, this::tellAct);
            for (EventLog.Kind kind : EventLog.Kind.values()) {
                head.device().onEvent(kind, () -> {
                    tellEvents(head.device().log(kind), kind);
                    if (kind == EventLog.Kind.DYNAMIC_CAPACITY) {
                        // Not at once: the request that caused the event is still being answered.
                        loop.execute(driver::eventPending);
                    }
                });
            }
            Type3Function function = function(head);
            head.device().ras().onError(new RasTeller(function.internalErrors()));
            loop.onError(head::recordError);
            head.onLost(life::lose);
            Mailbox ldCci = head.mailbox().ldCci();
            MctpEndpoint endpoint = (opcode, payload, dialect, answer) -> answer.accept(ldCci.execute(opcode, payload));
            try (QmpServer server = new QmpServer(
                            loop,
                            new Machine(head, function),
                            CxlCommands.of(head, options.deviceId, options.driver, loop::execute),
                            log,
                            head::recordError);
                    MctpServer mctp = new MctpServer(loop, endpoint, options.dialect, log, head::recordError);
                    VfioUserServer vfioUser = vfioUserServer(function, head)) {
                List<LocalAddress> addresses = listen(server, head);
                List<LocalAddress> mctpAddresses =
                        options.mctp.stream().map(mctp::listen).toList();
                options.vfioUser.ifPresent(address -> vfioUser.listen(address, group(head)));
                head.serve();
                tellReady(head, addresses, mctpAddresses);
                runLoop(head);
                life.sayGoodbye(server);
            }
        }
    }

    /** A head that no virtual machine has is one, too: it is reset in the same way. */
    private Type3Function function(Head head) {
        Type3Function function =
                new Type3Function(head.device(), head.mailbox(), options.hasDataBar, head::countRefusedAccess);
        function.onReset(
                kind -> log.say(kind == ResetKind.FLR ? "function level reset" : "reset: all capacity released"));
        return function;
    }

    private void initialise(Device.Specification specification) {
        try {
            // First, for a device that was made anew for a head that then cannot serve would be half-done.
            requireFreeSockets();
            Device.initialise(options.files, specification, options.waitMs);
        } catch (StateFileException e) {
            if (e.problem() != Problem.IN_USE) {
                throw e;
            }
            throw new CommandException(
                    ExitCode.REFUSED,
                    e.getMessage() + System.lineSeparator() + "to join the device as it is, leave out --mhd-init",
                    e);
        }
    }

    /** Listens everywhere at the same time, so that no address is given twice either, and leaves nothing there. */
    private void requireFreeSockets() {
        List<ListeningSocket> sockets = new ArrayList<>();
        try {
            options.qmp.forEach(address -> sockets.add(ListeningSocket.open(QmpServer.PROTOCOL, address)));
            options.mctp.forEach(address -> sockets.add(ListeningSocket.open(MctpServer.PROTOCOL, address)));
            options.vfioUser.ifPresent(address -> sockets.add(ListeningSocket.open(VfioUserServer.PROTOCOL, address)));
        } finally {
            ListeningSocket.closeAll(sockets, e -> log.say("socket cannot be given back: reason=%s", e.getMessage()));
        }
    }

    private List<LocalAddress> listen(QmpServer server, Head head) {
        // A device that is open to its group would be of little use to the group without the control socket.
        server.listen(LocalAddress.unix(head.controlSocket()), group(head));
        return options.qmp.stream().map(server::listen).toList();
    }

    /** Null when the head is served to no virtual machine: nothing is loaded for it then. */
    private VfioUserServer vfioUserServer(PciFunction function, Head head) {
        return options.vfioUser.isEmpty() ? null : new VfioUserServer(life.loop(), function, log, head::recordError);
    }

    /** The group that the device is open to. */
    private static Optional<GroupPrincipal> group(Head head) {
        try {
            PosixFileAttributes state = Files.readAttributes(head.files().stateFile(), PosixFileAttributes.class);
            return state.permissions().contains(PosixFilePermission.GROUP_WRITE)
                    ? Optional.of(state.group())
                    : Optional.empty();
        } catch (IOException e) {
            throw new StateFileException(
                    Problem.SYSTEM,
                    "state file cannot be looked at",
                    head.files().stateFile(),
                    e);
        }
    }

    private void runLoop(Head head) {
        Thread warmUp = new Thread(Media::warmUp, "warm-up");
        warmUp.setDaemon(true);
        warmUp.start();
        try {
            life.loop().run();
        } catch (RuntimeException | Error e) {
            // A fault in mapped memory is an InternalError, and that can come from anywhere and lead to other errors.
            Optional<StateFileException> loss = head.lost();
            if (loss.isEmpty() && !(e instanceof InternalError)) {
                throw e;
            }
            life.lose(loss.orElseGet(() -> new StateFileException(
                    Problem.DAMAGED,
                    "state or media file was cut under a live head",
                    head.files().stateFile(),
                    e)));
        }
    }

    private void tellReady(Head head, List<LocalAddress> addresses, List<LocalAddress> mctpAddresses) {
        console.out()
                .printf(
                        "ready head=%d pid=%d device=%s size=%d heads=%d control=%s%s%s%s host-driver=%s%n",
                        head.id(),
                        ProcessHandle.current().pid(),
                        options.files.stateFile(),
                        head.geometry().capacityBytes(),
                        head.geometry().headCount(),
                        head.controlSocket(),
                        MctpOptions.listed(" qmp=", addresses),
                        MctpOptions.listed(" mctp=", mctpAddresses),
                        MctpOptions.listed(
                                " vfio-user=", options.vfioUser.stream().toList()),
                        options.driver);
        console.out().flush();
    }

    private void tellEvents(EventLog events, EventLog.Kind kind) {
        long told = announcedEvents.getOrDefault(kind, 0L);
        for (EventRecord record : events.appendedAfter(told)) {
            if (record.body() instanceof DcEvent event) {
                tellOffer(event);
            } else {
                log.say("event: log=%s %s", kind, EventText.of(EventRecordWriter.bytes(record)));
            }
        }
        announcedEvents.put(kind, events.appendedCount());
        if (events.overflowCount() > 0) {
            log.say("event log overflow: log=%s lost=%d depth=%d", kind, events.overflowCount(), events.depth());
        }
    }

    private void tellOffer(DcEvent event) {
        String what = switch (event.type()) {
            case ADD -> "offered";
            case RELEASE -> "asked to release";
            case FORCED_RELEASE -> "taken by force";
            case REGION_CONFIGURATION_UPDATED -> "region has other settings";
        };
        String extent = event.extent().equals(DcEvent.NOTHING) ? "" : " " + event.extent();
        log.say("%s: region=%d%s", what, event.region(), extent);
    }

    private void tellAct(HostDriver.Act act, List<Extent> extents, ReturnCode code) {
        String what = act.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        String outcome = code == ReturnCode.SUCCESS ? "" : String.format(" code=0x%04x (%s)", code.value(), code);
        if (extents.isEmpty()) {
            log.say("%s%s", what, outcome);
        }
        extents.forEach(extent -> log.say("%s: %s%s", what, extent, outcome));
    }

    /** The registers of the PCI function first, then the log. */
    private final class RasTeller implements RasCapability.Listener {
        private final RasCapability.Listener registers;

        private RasTeller(RasCapability.Listener registers) {
            this.registers = registers;
        }

        @Override
        public void uncorrectableInternalError(boolean isFatal) {
            registers.uncorrectableInternalError(isFatal);
            log.say("uncorrectable internal error: fatal=%s", isFatal);
        }

        @Override
        public void correctedInternalError() {
            registers.correctedInternalError();
            log.say("corrected internal error");
        }
    }

    private final class Machine implements QmpMachine {
        private final Head head;
        private final PciFunction function;

        private Machine(Head head, PciFunction function) {
            this.head = head;
            this.function = function;
        }

        @Override
        public QmpVersion version() {
            return QmpVersion.ofPackage("mhsld-" + Version.number());
        }

        @Override
        public String name() {
            return options.files.stateFile().getFileName() + "-head" + head.id();
        }

        @Override
        public void reset() {
            function.reset();
        }

        @Override
        public void quit() {
            life.quit();
        }
    }
}

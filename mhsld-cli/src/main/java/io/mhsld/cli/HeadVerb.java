package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.vfiouser.VfioUserServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The verb that is a head: our options, and QEMU's. {@link HeadProcess} does the work. */
@Command(
        name = "head",
        mixinStandardHelpOptions = true,
        description = {
            "Be one head of a device until SIGTERM or SIGINT.",
            "QEMU's own spelling is understood too: head -object memory-backend-ram,id=mem0,size=4G",
            "-device cxl-mhsld,volatile-dc-memdev=mem0,mhd-head=0,mhd-state_file=NAME,mhd-init=true -qmp ..."
        })
final class HeadVerb extends Verb {
    @Option(names = "--mhd-head", paramLabel = "N", description = "Which head to be, from 0.")
    Integer head;

    @Option(
            names = {"--mhd-state_file", "--mhd-state-file"},
            paramLabel = "NAME",
            description = "The device: /dev/shm/NAME, or a path.")
    String stateFile;

    @Option(
            names = "--mhd-init",
            arity = "0..1",
            fallbackValue = "true",
            paramLabel = "BOOL",
            description = "Make the device first; refused while another head uses it.")
    Boolean init;

    @Option(names = "--size", paramLabel = "SIZE", converter = SizeConverter.class, description = "Capacity: 4G.")
    Long sizeBytes;

    @Option(names = "--heads", paramLabel = "N", description = "Heads that the device has room for: 8.")
    Integer heads;

    @Option(names = "--num-dc-regions", paramLabel = "N", description = "Dynamic capacity regions, 1 to 8: 1.")
    Integer regions;

    @Option(
            names = "--block-size",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Granule of ownership: 2M.")
    Long blockSizeBytes;

    @Option(
            names = "--shareable",
            paramLabel = "REGIONS",
            converter = ShareableConverter.class,
            description = "Of a new device: regions whose capacity several heads may hold, by a tag: none.")
    Shareable shareable = Shareable.NONE;

    @Option(names = "--sn", paramLabel = "N", converter = SerialConverter.class, description = "Serial number: 66667.")
    Long serial;

    @Option(names = "--id", paramLabel = "ID", description = "What QMP's path calls the device: cxl-mem0.")
    String id;

    @Option(
            names = "--qmp",
            paramLabel = "ADDRESS",
            description = "Listen for QMP: unix:PATH,server,nowait or tcp:127.0.0.1:PORT,server,nowait. Repeatable.")
    List<String> qmp = new ArrayList<>();

    @Mixin
    MctpOptions mctp;

    @Option(
            names = "--vfio-user",
            paramLabel = "ADDRESS",
            description = {
                "Serve the head as a PCI function over vfio-user at unix:PATH, for QEMU's vfio-user-pci.",
                "The virtual machine is the host then, so that --host-driver is manual if it is not given."
            })
    String vfioUser;

    @Option(
            names = "--data-bar",
            description = {
                "With --vfio-user: BAR 4 of the function is the memory, an offset in it a DPA.",
                "What the head does not own reads as ones there, and swallows writes."
            })
    boolean dataBar;

    @Option(
            names = "--host-driver",
            paramLabel = "MODE",
            description = {
                "What answers for the host: auto accepts all, reject rejects all, manual leaves it to you.",
                "Default: auto; with --vfio-user manual."
            })
    HostDriver.Mode driver;

    @Option(
            names = "--media",
            paramLabel = "FILE",
            converter = FileConverter.class,
            description = "The DC memory, if not beside the state file.")
    Path media;

    @Option(
            names = "--media-space",
            paramLabel = "KIND",
            description = "sparse (default): memory is taken by the first store; reserved: before it is offered.")
    DeviceVerbs.MediaSpace mediaSpace = DeviceVerbs.MediaSpace.SPARSE;

    @Option(names = "--group", description = "Files of a new device are open to the group too (0660).")
    boolean group;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            description = "How long to wait for somebody else's init: ${DEFAULT-VALUE}.")
    double waitSeconds = 10;

    /** QEMU's options; taken out of the command line before picocli sees it. */
    private List<String> qemuArguments = List.of();

    HeadVerb(Console console) {
        super(console);
    }

    @Override
    ExitCode run() {
        QemuArguments qemu = QemuArguments.parse(qemuArguments);
        qemu.notes().forEach(note -> console.err().println("mhsld: note: " + note));
        int headId = required("mhd-head", once("mhd-head", head, qemu.head()));
        String file = required("mhd-state_file", once("mhd-state_file", stateFile, qemu.stateFile()));
        boolean makes = once("mhd-init", init, qemu.init()).orElse(false);
        Optional<Long> size = once("size", sizeBytes, qemu.sizeBytes());
        Optional<Integer> regionCount = once("num-dc-regions", regions, qemu.regionCount());
        Optional<Path> mediaFile = once("media", media, qemu.mediaFile()).map(Path::toAbsolutePath);
        long serialNumber = once("sn", serial, qemu.serial()).orElse(Device.Specification.DEFAULT_SERIAL);
        Optional<Device.Specification> specification = Optional.empty();
        if (makes) {
            int headCount = heads == null ? Device.Specification.DEFAULT_HEADS : heads;
            long blockSize = blockSizeBytes == null ? Device.Specification.DEFAULT_BLOCK_SIZE_BYTES : blockSizeBytes;
            Geometry geometry =
                    shareable.in(Geometry.of(headCount, required("size", size), regionCount.orElse(1), blockSize));
            specification = Optional.of(new Device.Specification(
                    geometry, serialNumber, mediaSpace == DeviceVerbs.MediaSpace.SPARSE, mediaFile, group));
            if (headId < 0 || headId >= headCount) {
                throw usage("no such head: head=" + headId + " heads=" + headCount + " (0 to " + (headCount - 1) + ")");
            }
        }
        List<LocalAddress> addresses = new ArrayList<>(qemu.qmp());
        qmp.forEach(address -> addresses.add(QmpServer.address(address)));
        Optional<LocalAddress> vfioUserAddress = Optional.ofNullable(vfioUser).map(VfioUserServer::address);
        if (dataBar && vfioUser == null) {
            throw usage("a data BAR is one of a function: --data-bar without --vfio-user");
        }
        HostDriver.Mode usualDriver = vfioUserAddress.isPresent() ? HostDriver.Mode.MANUAL : HostDriver.Mode.AUTO;
        return HeadProcess.run(
                new HeadProcess.Options(
                        DeviceFiles.named(file),
                        headId,
                        specification,
                        new HeadProcess.Expected(
                                size,
                                regionCount,
                                Optional.ofNullable(heads),
                                Optional.ofNullable(blockSizeBytes),
                                mediaFile.map(Path::toString)),
                        addresses,
                        mctp.addresses(),
                        mctp.dialect(),
                        vfioUserAddress,
                        dataBar,
                        driver == null ? usualDriver : driver,
                        once("id", id, qemu.id()).orElse("cxl-mem0"),
                        waitMs(waitSeconds)),
                console);
    }

    private <T> Optional<T> once(String option, T ours, Optional<T> qemus) {
        if (ours != null && qemus.isPresent() && !ours.equals(qemus.get())) {
            throw usage("given twice: " + option + "=" + ours + " and " + option + "=" + qemus.get());
        }
        return Optional.ofNullable(ours).or(() -> qemus);
    }

    private <T> T required(String option, Optional<T> value) {
        return value.orElseThrow(() -> usage("missing option: --" + option));
    }

    /**
     * Takes QEMU's single-dash options, and everything else that {@code head} does not know, out of the arguments; picocli gets the rest.
     *
     * @return the arguments for picocli
     */
    static String[] withoutQemuArguments(CommandLine commandLine, String[] arguments) {
        if (arguments.length == 0 || !arguments[0].equals("head")) {
            return arguments;
        }
        CommandLine headLine = commandLine.getSubcommands().get("head");
        List<String> ours = new ArrayList<>(List.of("head"));
        List<String> qemus = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++) {
            String argument = arguments[i];
            String name = argument.contains("=") ? argument.substring(0, argument.indexOf('=')) : argument;
            CommandLine.Model.OptionSpec option =
                    headLine.getCommandSpec().optionsMap().get(name);
            if (option == null) {
                qemus.add(argument);
                continue;
            }
            ours.add(argument);
            boolean valueFollows = option.arity().min() > 0 && !argument.contains("=");
            if (valueFollows && i + 1 < arguments.length) {
                ours.add(arguments[++i]);
            }
        }
        ((HeadVerb) headLine.getCommand()).qemuArguments = qemus;
        return ours.toArray(String[]::new);
    }
}

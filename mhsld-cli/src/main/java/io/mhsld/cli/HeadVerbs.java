package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The verbs that are a head, or speak to one. They hold options; {@link HeadProcess}, {@link HeadOperator} and {@link Demo} do the work. */
final class HeadVerbs {
    private HeadVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        commandLine.addSubcommand(new HeadVerb(console));
        commandLine.addSubcommand(new Add(console));
        commandLine.addSubcommand(new Release(console));
        commandLine.addSubcommand(new Mem(console));
        commandLine.addSubcommand(new Cci(console));
        commandLine.addSubcommand(new Events(console));
        commandLine.addSubcommand(new Qmp(console));
        commandLine.addSubcommand(new DemoVerb(console));
    }

    private abstract static class Verb implements Callable<Integer> {
        final Console console;

        @Spec
        CommandLine.Model.CommandSpec spec;

        Verb(Console console) {
            this.console = console;
        }

        abstract ExitCode run();

        @Override
        public Integer call() {
            return run().number();
        }

        ParameterException usage(String message) {
            return new ParameterException(spec.commandLine(), message);
        }
    }

    /** A verb that speaks to a running head. */
    private abstract static class HeadClientVerb extends Verb {
        @Parameters(index = "0", paramLabel = "NAME", description = "The device: /dev/shm/NAME, or a path.")
        String name;

        @Option(names = "--head", paramLabel = "H", required = true, description = "The head to speak to.")
        int head;

        HeadClientVerb(Console console) {
            super(console);
        }

        HeadOperator operator() {
            return new HeadOperator(DeviceFiles.named(name), head, console);
        }
    }

    private static final class Json {
        @Option(names = "--json", description = "Print facts as JSON.")
        boolean json;
    }

    // ------------------------------------------------------------------------------------------------------------------- head

    @Command(
            name = "head",
            mixinStandardHelpOptions = true,
            description = {
                "Be one head of a device until SIGTERM or SIGINT.",
                "QEMU's own spelling is understood too: head -object memory-backend-ram,id=mem0,size=4G",
                "-device cxl-mhsld,volatile-dc-memdev=mem0,mhd-head=0,mhd-state_file=NAME,mhd-init=true -qmp …"
            })
    private static final class HeadVerb extends Verb {
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

        @Option(names = "--heads", paramLabel = "N", description = "Heads that the device has room for: ${DEFAULT-VALUE}.")
        int heads = Device.Specification.DEFAULT_HEADS;

        @Option(names = "--num-dc-regions", paramLabel = "N", description = "Dynamic capacity regions, 1 to 8: 1.")
        Integer regions;

        @Option(
                names = "--block-size",
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "Granule of ownership: 2M.")
        long blockSizeBytes = Device.Specification.DEFAULT_BLOCK_SIZE_BYTES;

        @Option(names = "--sn", paramLabel = "N", description = "Serial number: 66667.")
        Long serial;

        @Option(names = "--id", paramLabel = "ID", description = "What QMP's path calls the device: cxl-mem0.")
        String id;

        @Option(
                names = "--qmp",
                paramLabel = "ADDRESS",
                description = "Listen for QMP: unix:PATH,server,nowait or tcp:127.0.0.1:PORT,server,nowait. Repeatable.")
        List<String> qmp = new ArrayList<>();

        @Option(
                names = "--host-driver",
                paramLabel = "MODE",
                description = "What answers for the host: auto accepts all, reject rejects all, manual leaves it to you. Default: auto.")
        HostDriver.Mode driver = HostDriver.Mode.AUTO;

        @Option(names = "--media", paramLabel = "FILE", description = "The DC memory, if not beside the state file.")
        Path media;

        @Option(
                names = "--media-space",
                paramLabel = "KIND",
                description = "reserved (default): memory is reserved before capacity is offered; sparse: it is not.")
        DeviceVerbs.MediaSpace mediaSpace = DeviceVerbs.MediaSpace.RESERVED;

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
                Geometry geometry =
                        Geometry.of(heads, required("size", size), regionCount.orElse(1), blockSizeBytes);
                specification = Optional.of(new Device.Specification(
                        geometry, serialNumber, mediaSpace == DeviceVerbs.MediaSpace.SPARSE, mediaFile, group));
                if (headId < 0 || headId >= heads) {
                    throw usage("no such head: head=" + headId + " heads=" + heads + " (0 to " + (heads - 1) + ")");
                }
            }
            if (!(waitSeconds >= 0)) {
                throw usage("--wait is not a time: seconds=" + waitSeconds);
            }
            List<QmpAddress> addresses = new ArrayList<>(qemu.qmp());
            qmp.forEach(address -> addresses.add(QmpAddress.parse(address)));
            return HeadProcess.run(
                    new HeadProcess.Options(
                            DeviceFiles.named(file),
                            headId,
                            specification,
                            new HeadProcess.Expected(size, regionCount, mediaFile.map(Path::toString)),
                            addresses,
                            driver,
                            once("id", id, qemu.id()).orElse("cxl-mem0"),
                            (long) (waitSeconds * 1000)),
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

    // -------------------------------------------------------------------------------------------------------- add and release

    /** One offset and length; repeated for more. */
    private static final class ExtentOption {
        @Option(
                names = "--offset",
                required = true,
                paramLabel = "O",
                converter = SizeConverter.class,
                description = "Offset from the start of the region: 256M.")
        long offsetBytes;

        @Option(
                names = "--length",
                required = true,
                paramLabel = "L",
                converter = SizeConverter.class,
                description = "Length: 128M.")
        long lengthBytes;
    }

    private static List<HeadOperator.Range> rangesOf(List<ExtentOption> extents) {
        return extents.stream()
                .map(extent -> new HeadOperator.Range(extent.offsetBytes, extent.lengthBytes))
                .toList();
    }

    @Command(
            name = "add",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Offer capacity to a head: all of the extents, or nothing.")
    private static final class Add extends HeadClientVerb {
        @Option(names = "--region", paramLabel = "R", description = "DC region: ${DEFAULT-VALUE}.")
        int region = 0;

        @ArgGroup(exclusive = false, multiplicity = "1..*")
        List<ExtentOption> extents;

        @Option(names = "--tag", paramLabel = "UUID", description = "Tag of the capacity.")
        UUID tag;

        @Mixin
        Json json;

        Add(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().add(region, rangesOf(extents), Optional.ofNullable(tag), json.json);
        }
    }

    @Command(
            name = "release",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Ask a head's host to give capacity back, or take it.")
    private static final class Release extends HeadClientVerb {
        @Option(names = "--region", paramLabel = "R", description = "DC region: ${DEFAULT-VALUE}.")
        int region = 0;

        @ArgGroup(exclusive = false, multiplicity = "1..*")
        List<ExtentOption> extents;

        @Option(names = "--forced", description = "Do not ask: the head revokes it from its host; unanswered offers are withdrawn.")
        boolean forced;

        @Mixin
        Json json;

        Release(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().release(region, rangesOf(extents), forced, json.json);
        }
    }

    // ------------------------------------------------------------------------------------------------------------- data and CCI

    @Command(
            name = "mem",
            mixinStandardHelpOptions = true,
            description = {
                "Read, write, fill or checksum memory through a head, under its access check.",
                "read prints bytes to standard output or --out; write takes them from standard input or --in."
            })
    private static final class Mem extends HeadClientVerb {
        /** What to do with the range. */
        enum Act {
            READ,
            WRITE,
            FILL,
            CRC
        }

        @Parameters(index = "1", paramLabel = "read|write|fill|crc", description = "What to do.")
        Act act;

        @Option(
                names = "--dpa",
                required = true,
                paramLabel = "A",
                converter = SizeConverter.class,
                description = "First byte, as the host sees it.")
        long dpa;

        @Option(
                names = "--length",
                paramLabel = "L",
                converter = SizeConverter.class,
                description = "How many bytes; write without it takes all of its input.")
        Long lengthBytes;

        @Option(names = "--value", paramLabel = "BYTE", description = "fill: the byte, decimal or 0x…; default ${DEFAULT-VALUE}.")
        String value = "0";

        @Option(names = "--in", paramLabel = "FILE", description = "write: where the bytes come from.")
        Path input;

        @Option(names = "--out", paramLabel = "FILE", description = "read: where the bytes go.")
        Path output;

        @Mixin
        Json json;

        Mem(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            if (act != Act.WRITE && lengthBytes == null) {
                throw usage("missing option: --length");
            }
            return switch (act) {
                case READ -> operator().memoryRead(dpa, lengthBytes, Optional.ofNullable(output));
                case WRITE -> operator()
                        .memoryWrite(dpa, Optional.ofNullable(lengthBytes), Optional.ofNullable(input), json.json);
                case FILL -> operator().memoryFill(dpa, lengthBytes, fillByte(), json.json);
                case CRC -> operator().memoryCrc(dpa, lengthBytes, json.json);
            };
        }

        private int fillByte() {
            try {
                int number = Integer.decode(value);
                if (number >= 0 && number <= 0xFF) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // The same answer as for a number out of range.
            }
            throw usage("not a byte: --value=" + value);
        }
    }

    @Command(
            name = "cci",
            mixinStandardHelpOptions = true,
            description = {"Send one mailbox command as the host would, and print the answer decoded.", "Without OPCODE: list them."})
    private static final class Cci extends HeadClientVerb {
        @Parameters(index = "1", paramLabel = "OPCODE", arity = "0..1", description = "Four hexadecimal digits: 4800.")
        String opcode;

        @Parameters(index = "2", paramLabel = "HEX", arity = "0..1", description = "Input payload, in hexadecimal digits.")
        String payload = "";

        @Mixin
        Json json;

        Cci(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            if (opcode == null) {
                return operator().listCommands(json.json);
            }
            String digits = opcode.replaceFirst("^0[xX]", "").replaceFirst("[hH]$", "");
            if (!digits.matches("[0-9a-fA-F]{1,4}")) {
                throw usage("not an opcode: opcode=" + opcode + " (one to four hexadecimal digits)");
            }
            String hex = payload.replaceAll("[\\s_:]", "");
            if (!hex.matches("([0-9a-fA-F]{2})*")) {
                throw usage("not a payload: payload=" + payload + " (pairs of hexadecimal digits)");
            }
            return operator().cci(Integer.parseInt(digits, 16), hex, json.json);
        }
    }

    @Command(
            name = "events",
            mixinStandardHelpOptions = true,
            description = "Dynamic capacity events of a head, those that its host has cleared included.")
    private static final class Events extends HeadClientVerb {
        @Option(names = "--follow", description = "Go on with new ones until interrupted.")
        boolean follow;

        @Mixin
        Json json;

        Events(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().events(follow, json.json);
        }
    }

    @Command(
            name = "qmp",
            mixinStandardHelpOptions = true,
            description = {
                "Type QMP commands to a head: one per line, either JSON or",
                "COMMAND [name=value …], as in: cxl-add-dynamic-capacity path=cxl-mem0 host-id=0 …"
            })
    private static final class Qmp extends HeadClientVerb {
        Qmp(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().qmp(System.in);
        }
    }

    @Command(
            name = "demo",
            mixinStandardHelpOptions = true,
            description = "The main job in one go: three heads as real processes on a fresh device; every step is checked.")
    private static final class DemoVerb extends Verb {
        DemoVerb(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return Demo.run(console);
        }
    }
}

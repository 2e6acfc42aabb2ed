package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.EventLog;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

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
        InjectVerbs.addTo(commandLine, console);
        commandLine.addSubcommand(new Qmp(console));
        commandLine.addSubcommand(new DemoVerb(console));
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

    // ---- add and release

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

    private static final class TagConverter implements ITypeConverter<UUID> {
        private static final int UUID_LENGTH = 36;

        @Override
        public UUID convert(String text) {
            try {
                if (text.length() == UUID_LENGTH) {
                    return UUID.fromString(text);
                }
            } catch (IllegalArgumentException e) {
                // The same answer as for one that is too short.
            }
            throw new TypeConversionException("not a UUID: tag=" + text);
        }
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

        @Option(
                names = "--tag",
                paramLabel = "UUID",
                converter = TagConverter.class,
                description = "Tag of the capacity.")
        UUID tag;

        @Mixin
        JsonOption json;

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

        @Option(
                names = "--forced",
                description = "Do not ask: the head revokes it from its host; unanswered offers are withdrawn.")
        boolean forced;

        @Mixin
        JsonOption json;

        Release(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().release(region, rangesOf(extents), forced, json.json);
        }
    }

    // ---- data and CCI

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

        @Option(
                names = "--value",
                paramLabel = "BYTE",
                description = "fill: the byte, decimal or 0x...; default ${DEFAULT-VALUE}.")
        String value = "0";

        @Option(
                names = "--in",
                paramLabel = "FILE",
                converter = FileConverter.class,
                description = "write: where the bytes come from.")
        Path input;

        @Option(
                names = "--out",
                paramLabel = "FILE",
                converter = FileConverter.class,
                description = "read: where the bytes go.")
        Path output;

        @Mixin
        JsonOption json;

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
                case WRITE ->
                    operator()
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
            description = {
                "Send one mailbox command as the host would, and print the answer decoded.",
                "Without OPCODE: list them."
            })
    private static final class Cci extends HeadClientVerb {
        @Parameters(index = "1", paramLabel = "OPCODE", arity = "0..1", description = "Four hexadecimal digits: 4800.")
        String opcode;

        @Parameters(
                index = "2",
                paramLabel = "HEX",
                arity = "0..1",
                description = "Input payload, in hexadecimal digits.")
        String payload = "";

        @Mixin
        JsonOption json;

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

    /** The logs that a word stands for. */
    private record Logs(List<EventLog.Kind> kinds) {}

    private static final class LogsConverter implements ITypeConverter<Logs> {
        @Override
        public Logs convert(String text) {
            List<EventLog.Kind> logs = Arrays.stream(EventLog.Kind.values())
                    .filter(log -> text.equals("all") || text.equals(log.toString()))
                    .toList();
            if (logs.isEmpty()) {
                throw new TypeConversionException("no such log: " + text);
            }
            return new Logs(logs);
        }
    }

    @Command(
            name = "events",
            mixinStandardHelpOptions = true,
            description = "Events of a head, those that its host has cleared included.")
    private static final class Events extends HeadClientVerb {
        @Option(
                names = "--log",
                paramLabel = "LOG",
                converter = LogsConverter.class,
                defaultValue = "dynamic-capacity",
                description = "informational, warning, failure, fatal, ${DEFAULT-VALUE} (if not given) or all.")
        Logs logs;

        @Option(names = "--follow", description = "Go on with new ones until interrupted.")
        boolean follow;

        @Mixin
        JsonOption json;

        Events(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().onEvents().events(logs.kinds, follow, json.json);
        }
    }

    @Command(
            name = "qmp",
            mixinStandardHelpOptions = true,
            description = {
                "Type QMP commands to a head: one per line, either JSON or",
                "COMMAND [name=value ...]: cxl-add-dynamic-capacity path=cxl-mem0 host-id=0 ..."
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
            description =
                    "The main job in one go: three heads as real processes on a fresh device; every step is checked.")
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

package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.EventLog;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs that are a head, or speak to one. They hold options; {@link HeadProcess}, {@link HeadOperator} and {@link Demo} do the work. */
final class HeadVerbs {
    private HeadVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        commandLine.addSubcommand(new HeadVerb(console));
        CapacityVerbs.addTo(commandLine, console);
        commandLine.addSubcommand(new Mem(console));
        commandLine.addSubcommand(new CciVerb(console));
        commandLine.addSubcommand(new Events(console));
        InjectVerbs.addTo(commandLine, console);
        commandLine.addSubcommand(new Qmp(console));
        commandLine.addSubcommand(new DemoVerb(console));
    }

    /** A verb that speaks to a running head. */
    abstract static class HeadClientVerb extends Verb {
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

    // ---- data

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

    /** The logs that a word stands for. */
    private record Logs(List<EventLog.Kind> kinds) {}

    private static final class LogsConverter implements ITypeConverter<Logs> {
        @Override
        public Logs convert(String text) {
            List<EventLog.Kind> logs = Arrays.stream(EventLog.Kind.values())
                    .filter(log -> text.equals("all") || text.equals(log.toString()))
                    .toList();
            if (logs.isEmpty()) {
                throw new CommandLine.TypeConversionException("no such log: " + text);
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

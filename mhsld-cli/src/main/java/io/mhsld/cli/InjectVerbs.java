package io.mhsld.cli;

import io.mhsld.qmp.QmpJson;
import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code mhsld inject} and its verbs: options only, {@link EventOperator} does the work. */
final class InjectVerbs {
    private static final long MAX_8_BITS = 0xFF;
    private static final long MAX_16_BITS = 0xFFFF;
    private static final long MAX_24_BITS = 0xFF_FFFF;
    private static final long MAX_32_BITS = 0xFFFF_FFFFL;

    private InjectVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        Inject inject = new Inject(console);
        CommandLine verbs = new CommandLine(inject);
        for (Injection verb : List.of(
                new GeneralMedia(inject),
                new Dram(inject),
                new MemoryModule(inject),
                new Poison(inject),
                new CorrectableError(inject),
                new UncorrectableErrors(inject))) {
            verbs.addSubcommand(verb);
        }
        commandLine.addSubcommand("inject", verbs);
    }

    /** A number, decimal or 0x... */
    private static final class NumberConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return Long.decode(text);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("not a number: " + text);
            }
        }
    }

    /** A word of QMP for each value. */
    private static final class UncorrectableConverter implements ITypeConverter<Uncorrectable> {
        @Override
        public Uncorrectable convert(String text) {
            return Uncorrectable.of(text).orElseThrow(() -> noSuchError(text, Uncorrectable.values()));
        }
    }

    private static final class CorrectableConverter implements ITypeConverter<Correctable> {
        @Override
        public Correctable convert(String text) {
            return Correctable.of(text).orElseThrow(() -> noSuchError(text, Correctable.values()));
        }
    }

    private static TypeConversionException noSuchError(String text, Object[] known) {
        return new TypeConversionException("no such error: " + text + " (" + words(known) + ")");
    }

    private static String words(Object[] values) {
        return String.join(", ", Arrays.stream(values).map(Object::toString).toList());
    }

    @Command(
            name = "inject",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Have a head report what has not happened: events, poison, errors of its link.")
    private static final class Inject extends Verb {
        @Parameters(index = "0", paramLabel = "NAME", description = "The device: /dev/shm/NAME, or a path.")
        String name;

        @Option(names = "--head", paramLabel = "H", required = true, description = "The head to speak to.")
        int head;

        Inject(Console console) {
            super(console);
        }

        EventOperator operator() {
            return new HeadOperator(DeviceFiles.named(name), head, console).onEvents();
        }

        @Override
        ExitCode run() {
            throw usage("what to inject is missing: "
                    + String.join(", ", spec.subcommands().keySet()));
        }
    }

    /** One of the things to inject. */
    private abstract static class Injection extends Verb {
        final Inject inject;

        @Mixin
        JsonOption json;

        Injection(Inject inject) {
            super(inject.console);
            this.inject = inject;
        }

        EventOperator operator() {
            return inject.operator();
        }
    }

    // ---- events

    /** The arguments of a QMP command, as far as options give them; each checked for its width. */
    private static final class Arguments {
        private final Verb verb;
        private final Map<String, Object> values = new LinkedHashMap<>();

        Arguments(Verb verb) {
            this.verb = verb;
        }

        Arguments put(String name, Long value, long max) {
            if (value != null) {
                if (value < 0 || value > max) {
                    throw verb.usage("not a number from 0 to " + max + ": --" + name + "=" + value);
                }
                values.put(name, value);
            }
            return this;
        }

        Arguments put(String name, Object value) {
            if (value != null) {
                values.put(name, value);
            }
            return this;
        }
    }

    /** What all event records say. */
    private abstract static class EventInjection extends Injection {
        @Option(
                names = "--log",
                paramLabel = "LOG",
                description = "informational, warning, failure or fatal; default ${DEFAULT-VALUE}.")
        EventLog.Kind log = EventLog.Kind.INFORMATIONAL;

        @Option(
                names = "--flags",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Event record flags, severity in bits 1:0; default: the log's number.")
        Long flags;

        @Option(
                names = "--maint-op-class",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Class of the maintenance operation that the device asks for.")
        Long maintenanceClass;

        @Option(
                names = "--maint-op-subclass",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Subclass of it.")
        Long maintenanceSubclass;

        @Option(
                names = "--ld-id",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "LD that the event came from.")
        Long ldId;

        @Option(
                names = "--head-id",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Head that the event came from.")
        Long headId;

        @Option(names = "--component-id", paramLabel = "TEXT", description = "Part of the device, up to 16 bytes.")
        String componentId;

        @Option(names = "--pldm", description = "The component id is in the PLDM format.")
        boolean isPldm;

        @Option(
                names = "--sub-type",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Details of the type.")
        Long subType;

        EventInjection(Inject inject) {
            super(inject);
        }

        Arguments common() {
            if (log == EventLog.Kind.DYNAMIC_CAPACITY) {
                throw usage("nothing can be injected there, use add and release: --log=" + log);
            }
            Arguments arguments = new Arguments(this)
                    .put("log", log.toString())
                    .put("flags", flags == null ? Long.valueOf(log.number()) : flags, MAX_24_BITS)
                    .put("maint-op-class", maintenanceClass, MAX_8_BITS)
                    .put("maint-op-subclass", maintenanceSubclass, MAX_8_BITS)
                    .put("ld-id", ldId, MAX_16_BITS)
                    .put("head-id", headId, MAX_8_BITS)
                    .put("component-id", componentId)
                    .put("sub-type", subType, MAX_8_BITS);
            return isPldm ? arguments.put("is-comp-id-pldm", true) : arguments;
        }
    }

    /** What general media and DRAM events say. */
    private abstract static class MediaErrorInjection extends EventInjection {
        @Option(
                names = "--dpa",
                required = true,
                paramLabel = "A",
                converter = SizeConverter.class,
                description = "Where; bits 5:0 are flags.")
        long dpa;

        @Option(
                names = "--descriptor",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "1 uncorrectable, 2 threshold reached, 4 poison list overflow; default ${DEFAULT-VALUE}.")
        Long descriptor = 0L;

        @Option(
                names = "--type",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "What happened; default ${DEFAULT-VALUE}, media ECC error.")
        Long type = 0L;

        @Option(
                names = "--transaction-type",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "1 host read, 2 host write, 3 scan media, ...; default ${DEFAULT-VALUE}, unknown.")
        Long transactionType = 0L;

        @Option(names = "--channel", paramLabel = "N", converter = NumberConverter.class, description = "Channel.")
        Long channel;

        @Option(names = "--rank", paramLabel = "N", converter = NumberConverter.class, description = "Rank.")
        Long rank;

        @Option(
                names = "--cme-ev-flags",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "1 errors in several media components, 2 programmable threshold exceeded.")
        Long thresholdFlags;

        @Option(
                names = "--count",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Corrected errors so far; says that a threshold was reached.")
        Long count;

        MediaErrorInjection(Inject inject) {
            super(inject);
        }

        Arguments mediaError(String countName) {
            return common().put("dpa", QmpJson.unsigned(dpa))
                    .put("descriptor", descriptor, MAX_8_BITS)
                    .put("type", type, MAX_8_BITS)
                    .put("transaction-type", transactionType, MAX_8_BITS)
                    .put("channel", channel, MAX_8_BITS)
                    .put("rank", rank, MAX_8_BITS)
                    .put("cme-ev-flags", thresholdFlags, MAX_8_BITS)
                    .put(countName, count, MAX_24_BITS);
        }
    }

    @Command(
            name = "general-media",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "A general media event.")
    private static final class GeneralMedia extends MediaErrorInjection {
        @Option(
                names = "--device",
                paramLabel = "MASK",
                converter = NumberConverter.class,
                description = "Memory devices of the rank, one bit each.")
        Long device;

        GeneralMedia(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            Arguments arguments = mediaError("cme-count").put("device", device, MAX_24_BITS);
            return operator().injectEvent("cxl-inject-general-media-event", arguments.values, json.json);
        }
    }

    @Command(name = "dram", mixinStandardHelpOptions = true, sortOptions = false, description = "A DRAM event.")
    private static final class Dram extends MediaErrorInjection {
        @Option(
                names = "--sub-channel",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Sub-channel.")
        Long subChannel;

        @Option(
                names = "--nibble-mask",
                paramLabel = "MASK",
                converter = NumberConverter.class,
                description = "Nibbles, one bit each.")
        Long nibbleMask;

        @Option(
                names = "--bank-group",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Bank group.")
        Long bankGroup;

        @Option(names = "--bank", paramLabel = "N", converter = NumberConverter.class, description = "Bank.")
        Long bank;

        @Option(names = "--row", paramLabel = "N", converter = NumberConverter.class, description = "Row.")
        Long row;

        @Option(names = "--column", paramLabel = "N", converter = NumberConverter.class, description = "Column.")
        Long column;

        @Option(
                names = "--correction-mask",
                paramLabel = "MASK",
                split = ",",
                converter = SizeConverter.class,
                description = "Bits of each nibble, up to four numbers with commas between them.")
        List<Long> correctionMask;

        Dram(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            Arguments arguments = mediaError("cvme-count")
                    .put("sub-channel", subChannel, MAX_8_BITS)
                    .put("nibble-mask", nibbleMask, MAX_24_BITS)
                    .put("bank-group", bankGroup, MAX_8_BITS)
                    .put("bank", bank, MAX_8_BITS)
                    .put("row", row, MAX_24_BITS)
                    .put("column", column, MAX_16_BITS);
            if (correctionMask != null) {
                arguments.put(
                        "correction-mask",
                        correctionMask.stream().map(QmpJson::unsigned).toList());
            }
            return operator().injectEvent("cxl-inject-dram-event", arguments.values, json.json);
        }
    }

    @Command(
            name = "memory-module",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "A memory module event: the device's health has changed.")
    private static final class MemoryModule extends EventInjection {
        @Option(
                names = "--type",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "0 health, 1 media, 2 life used, 3 temperature, ...; default ${DEFAULT-VALUE}.")
        Long type = 0L;

        @Option(
                names = "--health-status",
                paramLabel = "N",
                converter = NumberConverter.class,
                description =
                        "1 maintenance needed, 2 performance degraded, 4 replacement needed, 8 capacity degraded.")
        Long healthStatus = 0L;

        @Option(
                names = "--media-status",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "0 normal, 1 not ready, ...")
        Long mediaStatus = 0L;

        @Option(
                names = "--additional-status",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Levels of life used, temperature and corrected errors.")
        Long additionalStatus = 0L;

        @Option(
                names = "--life-used",
                paramLabel = "PERCENT",
                converter = NumberConverter.class,
                description = "Of the expected life.")
        Long lifeUsed = 0L;

        @Option(names = "--temperature", paramLabel = "C", description = "Degrees Celsius, may be negative.")
        short temperature;

        @Option(
                names = "--dirty-shutdowns",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "How often data may have been lost.")
        Long dirtyShutdowns = 0L;

        @Option(
                names = "--corrected-volatile",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Corrected errors of volatile memory.")
        Long correctedVolatile = 0L;

        @Option(
                names = "--corrected-persistent",
                paramLabel = "N",
                converter = NumberConverter.class,
                description = "Corrected errors of persistent memory.")
        Long correctedPersistent = 0L;

        MemoryModule(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            Arguments arguments = common().put("type", type, MAX_8_BITS)
                    .put("health-status", healthStatus, MAX_8_BITS)
                    .put("media-status", mediaStatus, MAX_8_BITS)
                    .put("additional-status", additionalStatus, MAX_8_BITS)
                    .put("life-used", lifeUsed, MAX_8_BITS)
                    .put("temperature", (long) temperature)
                    .put("dirty-shutdown-count", dirtyShutdowns, MAX_32_BITS)
                    .put("corrected-volatile-error-count", correctedVolatile, MAX_32_BITS)
                    .put("corrected-persistent-error-count", correctedPersistent, MAX_32_BITS);
            return operator().injectEvent("cxl-inject-memory-module-event", arguments.values, json.json);
        }
    }

    // ---- poison and errors

    @Command(
            name = "poison",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Poison in the media: reading it is an error until it is cleared.")
    private static final class Poison extends Injection {
        @Option(
                names = "--dpa",
                required = true,
                paramLabel = "A",
                converter = SizeConverter.class,
                description = "First byte, a multiple of 64.")
        long dpa;

        @Option(
                names = "--length",
                paramLabel = "L",
                converter = SizeConverter.class,
                description = "How many bytes, a multiple of 64; default ${DEFAULT-VALUE}.")
        long lengthBytes = 64;

        Poison(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            return operator().injectPoison(dpa, lengthBytes, json.json);
        }
    }

    /** Errors can be masked. */
    private abstract static class ErrorInjection extends Injection {
        @Option(
                names = "--unmask",
                description = "Unmask the error first, as a host's driver does; masked errors leave no trace.")
        boolean unmask;

        ErrorInjection(Inject inject) {
            super(inject);
        }
    }

    @Command(
            name = "correctable",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "A correctable error of link or protocol.")
    private static final class CorrectableError extends ErrorInjection {
        @Option(
                names = "--type",
                required = true,
                paramLabel = "TYPE",
                converter = CorrectableConverter.class,
                description = "cache-data-ecc, mem-data-ecc, crc-threshold, ...")
        Correctable type;

        CorrectableError(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            return operator()
                    .injectErrors(
                            "cxl-inject-correctable-error",
                            Map.of("type", type.toString()),
                            "correctable",
                            1L << type.bit(),
                            unmask,
                            json.json);
        }
    }

    @Command(
            name = "uncorrectable",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Uncorrectable errors of link or protocol, all at one moment.")
    private static final class UncorrectableErrors extends ErrorInjection {
        @Option(
                names = "--type",
                required = true,
                paramLabel = "TYPE",
                split = ",",
                converter = UncorrectableConverter.class,
                description = "mem-data-ecc, poison-received, internal, ...; several with commas, or once more.")
        List<Uncorrectable> types;

        @Option(
                names = "--header",
                paramLabel = "DWORD",
                split = ",",
                converter = NumberConverter.class,
                description = "Header log of each of them: up to 16 numbers with commas between them.")
        List<Long> header = new ArrayList<>();

        UncorrectableErrors(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            for (Long dword : header) {
                if (dword < 0 || dword > MAX_32_BITS) {
                    throw usage("not a number of 32 bits: --header=" + dword);
                }
            }
            List<Object> errors = new ArrayList<>();
            long bits = 0;
            for (Uncorrectable type : types) {
                errors.add(Map.of("type", type.toString(), "header", header));
                bits |= 1L << type.bit();
            }
            return operator()
                    .injectErrors(
                            "cxl-inject-uncorrectable-errors",
                            Map.of("errors", errors),
                            "uncorrectable",
                            bits,
                            unmask,
                            json.json);
        }
    }
}

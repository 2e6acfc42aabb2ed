package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.HealthAndAlerts;
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

/** {@code mhsld inject} and its verbs, but for those of events: options only, {@link EventOperator} does the work. */
final class InjectVerbs {
    private static final long MAX_32_BITS = 0xFFFF_FFFFL;

    private InjectVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        Inject inject = new Inject(console);
        CommandLine verbs = new CommandLine(inject);
        for (Injection verb : List.of(
                new InjectEventVerbs.GeneralMedia(inject),
                new InjectEventVerbs.Dram(inject),
                new InjectEventVerbs.MemoryModule(inject),
                new Poison(inject),
                new Health(inject),
                new CorrectableError(inject),
                new UncorrectableErrors(inject))) {
            verbs.addSubcommand(verb);
        }
        verbs.registerConverter(Long.class, new NumberConverter());
        commandLine.addSubcommand("inject", verbs);
    }

    /** An unsigned number of up to 64 bits, decimal or 0x... */
    private static final class NumberConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                boolean isHexadecimal = text.startsWith("0x");
                return Long.parseUnsignedLong(isHexadecimal ? text.substring(2) : text, isHexadecimal ? 16 : 10);
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
            description = "Have a head report what has not happened: events, poison, errors of its link, bad health.")
    static final class Inject extends Verb {
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
    abstract static class Injection extends Verb {
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

    @Command(
            name = "health",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Another state of health: alerts come and go by it. What is not given stays as it is.")
    private static final class Health extends Injection {
        @Option(
                names = "--life-used",
                paramLabel = "PERCENT",
                description = "How much of its life the device has behind it, 0 to 100.")
        Integer lifeUsed;

        @Option(names = "--temperature", paramLabel = "CELSIUS", description = "How hot it is, -128 to 127.")
        Integer temperature;

        @Option(
                names = "--corrected-errors",
                paramLabel = "N",
                description = "So many more errors of its memory were corrected.")
        Long correctedErrors;

        Health(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            Map<String, Object> arguments = new LinkedHashMap<>();
            putWithin(arguments, "life-used", lifeUsed, 0, HealthAndAlerts.MAX_LIFE_USED);
            putWithin(arguments, "temperature", temperature, Byte.MIN_VALUE, Byte.MAX_VALUE);
            putWithin(arguments, "corrected-errors", correctedErrors, 0, MAX_32_BITS);
            if (arguments.isEmpty()) {
                throw usage("what to set is missing: --life-used, --temperature, --corrected-errors");
            }
            return operator().setHealth(arguments, json.json);
        }

        private void putWithin(Map<String, Object> arguments, String name, Number value, long min, long max) {
            if (value == null) {
                return;
            }
            if (value.longValue() < min || value.longValue() > max) {
                throw usage("not a number from " + min + " to " + max + ": --" + name + "=" + value);
            }
            arguments.put(name, value.longValue());
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
                description = "Header log of each of them: up to 16 numbers with commas between them.")
        List<Long> header = new ArrayList<>();

        UncorrectableErrors(Inject inject) {
            super(inject);
        }

        @Override
        ExitCode run() {
            for (Long dword : header) {
                if (Long.compareUnsigned(dword, MAX_32_BITS) > 0) {
                    throw usage("not a number of 32 bits: --header=" + Long.toUnsignedString(dword));
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

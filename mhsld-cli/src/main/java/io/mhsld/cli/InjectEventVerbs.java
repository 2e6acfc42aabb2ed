package io.mhsld.cli;

import io.mhsld.cli.InjectVerbs.Inject;
import io.mhsld.cli.InjectVerbs.Injection;
import io.mhsld.qmp.QmpJson;
import io.mhsld.type3.EventLog;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The verbs of {@code mhsld inject} that put a record into an event log. */
final class InjectEventVerbs {
    private static final long MAX_8_BITS = 0xFF;
    private static final long MAX_16_BITS = 0xFFFF;
    private static final long MAX_24_BITS = 0xFF_FFFF;
    private static final long MAX_32_BITS = 0xFFFF_FFFFL;

    private InjectEventVerbs() {}

    /** The arguments of a QMP command, as far as options give them; each checked for its width. */
    private static final class Arguments {
        private final Verb verb;
        private final Map<String, Object> values = new LinkedHashMap<>();

        Arguments(Verb verb) {
            this.verb = verb;
        }

        Arguments put(String name, Long value, long max) {
            if (value != null) {
                if (Long.compareUnsigned(value, max) > 0) {
                    throw verb.usage(
                            "not a number from 0 to " + max + ": " + name + "=" + Long.toUnsignedString(value));
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
                description = "Event record flags, severity in bits 1:0; default: the log's number.")
        Long flags;

        @Option(
                names = "--maint-op-class",
                paramLabel = "N",
                description = "Class of the maintenance operation that the device asks for.")
        Long maintenanceClass;

        @Option(names = "--maint-op-subclass", paramLabel = "N", description = "Subclass of it.")
        Long maintenanceSubclass;

        @Option(names = "--ld-id", paramLabel = "N", description = "LD that the event came from.")
        Long ldId;

        @Option(names = "--head-id", paramLabel = "N", description = "Head that the event came from.")
        Long headId;

        @Option(names = "--component-id", paramLabel = "TEXT", description = "Part of the device, up to 16 bytes.")
        String componentId;

        @Option(names = "--pldm", description = "The component id is in the PLDM format.")
        boolean isPldm;

        @Option(names = "--sub-type", paramLabel = "N", description = "Details of the type.")
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
                description = "1 uncorrectable, 2 threshold reached, 4 poison list overflow; default ${DEFAULT-VALUE}.")
        Long descriptor = 0L;

        @Option(
                names = "--type",
                paramLabel = "N",
                description = "What happened; default ${DEFAULT-VALUE}, media ECC error.")
        Long type = 0L;

        @Option(
                names = "--transaction-type",
                paramLabel = "N",
                description = "1 host read, 2 host write, 3 scan media, ...; default ${DEFAULT-VALUE}, unknown.")
        Long transactionType = 0L;

        @Option(names = "--channel", paramLabel = "N", description = "Channel.")
        Long channel;

        @Option(names = "--rank", paramLabel = "N", description = "Rank.")
        Long rank;

        @Option(
                names = "--cme-ev-flags",
                paramLabel = "N",
                description = "1 errors in several media components, 2 programmable threshold exceeded.")
        Long thresholdFlags;

        @Option(
                names = "--count",
                paramLabel = "N",
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
    static final class GeneralMedia extends MediaErrorInjection {
        @Option(names = "--device", paramLabel = "MASK", description = "Memory devices of the rank, one bit each.")
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
    static final class Dram extends MediaErrorInjection {
        @Option(names = "--sub-channel", paramLabel = "N", description = "Sub-channel.")
        Long subChannel;

        @Option(names = "--nibble-mask", paramLabel = "MASK", description = "Nibbles, one bit each.")
        Long nibbleMask;

        @Option(names = "--bank-group", paramLabel = "N", description = "Bank group.")
        Long bankGroup;

        @Option(names = "--bank", paramLabel = "N", description = "Bank.")
        Long bank;

        @Option(names = "--row", paramLabel = "N", description = "Row.")
        Long row;

        @Option(names = "--column", paramLabel = "N", description = "Column.")
        Long column;

        @Option(
                names = "--correction-mask",
                paramLabel = "MASK",
                split = ",",
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
    static final class MemoryModule extends EventInjection {
        @Option(
                names = "--type",
                paramLabel = "N",
                description = "0 health, 1 media, 2 life used, 3 temperature, ...; default ${DEFAULT-VALUE}.")
        Long type = 0L;

        @Option(
                names = "--health-status",
                paramLabel = "N",
                description =
                        "1 maintenance needed, 2 performance degraded, 4 replacement needed, 8 capacity degraded.")
        Long healthStatus = 0L;

        @Option(names = "--media-status", paramLabel = "N", description = "0 normal, 1 not ready, ...")
        Long mediaStatus = 0L;

        @Option(
                names = "--additional-status",
                paramLabel = "N",
                description = "Levels of life used, temperature and corrected errors.")
        Long additionalStatus = 0L;

        @Option(names = "--life-used", paramLabel = "PERCENT", description = "Of the expected life.")
        Long lifeUsed = 0L;

        @Option(names = "--temperature", paramLabel = "C", description = "Degrees Celsius, may be negative.")
        short temperature;

        @Option(names = "--dirty-shutdowns", paramLabel = "N", description = "How often data may have been lost.")
        Long dirtyShutdowns = 0L;

        @Option(names = "--corrected-volatile", paramLabel = "N", description = "Corrected errors of volatile memory.")
        Long correctedVolatile = 0L;

        @Option(
                names = "--corrected-persistent",
                paramLabel = "N",
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
}

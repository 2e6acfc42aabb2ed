package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;
import static io.mhsld.qmp.QmpParameter.required;

import io.mhsld.type3.ComponentId;
import io.mhsld.type3.DramEvent;
import io.mhsld.type3.EventBody;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.HealthAndAlerts;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.MediaEvents.Alert;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MemoryModuleEvent;
import io.mhsld.type3.RasCapability;
import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * QEMU's commands that make a device report what has not happened: events, poison, errors of link and protocol; with QEMU's arguments, order of
 * checks and texts; and one of our own that moves its health. The arguments are those of QEMU 11; what QEMU 10 does not have is optional, so that clients of either are served.
 */
final class InjectCommands {
    /** QEMU takes that many, though the register has room for half of them. */
    private static final int MAX_HEADER_DWORDS = 32;

    private static final int MAX_24_BITS = 0xFF_FFFF;

    private static final QmpType REGISTER = QmpType.enumeration(
            "x-RasRegister",
            "uncorrectable-status",
            "uncorrectable-mask",
            "uncorrectable-severity",
            "correctable-status",
            "correctable-mask");

    private final Type3Device device;
    private final DevicePath path;

    /** @param path how clients name the device */
    InjectCommands(Type3Device device, DevicePath path) {
        this.device = device;
        this.path = path;
    }

    List<QmpCommand> table() {
        return List.of(
                QemuCommands.generalMediaEvent(this::generalMedia),
                QemuCommands.dramEvent(this::dram),
                QemuCommands.memoryModuleEvent(this::memoryModule),
                QemuCommands.poison(this::poison),
                QemuCommands.uncorrectableErrors(this::uncorrectable),
                QemuCommands.correctableError(this::correctable),
                QmpCommand.of(
                                "x-set-health",
                                this::setHealth,
                                optional("life-used", QmpType.UINT8),
                                optional("temperature", QmpType.INT16),
                                optional("corrected-errors", QmpType.UINT32))
                        .returning(QmpType.ANY),
                QmpCommand.of("x-query-ras", arguments -> queryRas()).returning(QmpType.ANY),
                QmpCommand.of(
                        "x-ras-write",
                        this::writeRas,
                        required("register", REGISTER),
                        required("value", QmpType.UINT32)));
    }

    // ---- events

    private interface BodyOf {
        EventBody read(QmpArguments arguments);
    }

    private QmpReply generalMedia(QmpArguments arguments) {
        return inject(arguments, InjectCommands::generalMediaEvent, "device", "cme-count");
    }

    private QmpReply dram(QmpArguments arguments) {
        return inject(arguments, InjectCommands::dramEvent, "nibble-mask", "row", "cvme-count");
    }

    private QmpReply memoryModule(QmpArguments arguments) {
        return inject(arguments, InjectCommands::memoryModuleEvent);
    }

    /** @param numbersOf24Bits arguments that are wider in QMP than in the record */
    private QmpReply inject(QmpArguments arguments, BodyOf body, String... numbersOf24Bits) {
        Optional<QmpReply> refusal = checkPath(arguments).or(() -> checkWidths(arguments, numbersOf24Bits));
        if (refusal.isPresent()) {
            return refusal.get();
        }
        EventHeader header = new EventHeader(
                (int) arguments.number("flags"),
                small(arguments, "maint-op-class"),
                small(arguments, "maint-op-subclass"),
                small(arguments, "ld-id"),
                small(arguments, "head-id"));
        // A full log loses the record, and counts that it did: that is what a log does, and no fault of the request.
        device.report(logOf(arguments.text("log")), header, body.read(arguments));
        return QmpReply.done();
    }

    private Optional<QmpReply> checkPath(QmpArguments arguments) {
        String given = arguments.text("path");
        if (!path.isObject(given)) {
            return Optional.of(QmpReply.refused("Unable to resolve path"));
        }
        return path.isDevice(given)
                ? Optional.empty()
                : Optional.of(QmpReply.refused("Path does not point to a CXL type 3 device"));
    }

    /** QEMU drops the bits that do not fit, and a component identifier's last characters; whoever sends them would rather know. */
    private static Optional<QmpReply> checkWidths(QmpArguments arguments, String... numbersOf24Bits) {
        List<String> names = new ArrayList<>(List.of("flags"));
        names.addAll(List.of(numbersOf24Bits));
        for (String name : names) {
            if (arguments.optionalNumber(name).orElse(0) > MAX_24_BITS) {
                return Optional.of(QmpReply.refused("Parameter '" + name + "' expects at most " + MAX_24_BITS));
            }
        }
        int length = arguments
                .optionalText("component-id")
                .map(id -> id.getBytes(StandardCharsets.UTF_8).length)
                .orElse(0);
        return length > ComponentId.LENGTH_BYTES
                ? Optional.of(QmpReply.refused(
                        "Parameter 'component-id' expects at most " + ComponentId.LENGTH_BYTES + " bytes"))
                : Optional.empty();
    }

    private static EventLog.Kind logOf(String name) {
        return Arrays.stream(EventLog.Kind.values())
                .filter(kind -> kind.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static GeneralMediaEvent generalMediaEvent(QmpArguments arguments) {
        return new GeneralMediaEvent(
                mediaError(arguments, "cme-count"),
                small(arguments, "channel"),
                small(arguments, "rank"),
                small(arguments, "device"),
                component(arguments));
    }

    private static DramEvent dramEvent(QmpArguments arguments) {
        List<Long> masks = arguments.numbers("correction-mask").stream()
                .limit(DramEvent.MAX_CORRECTION_MASKS)
                .toList();
        return new DramEvent(
                mediaError(arguments, "cvme-count"),
                small(arguments, "channel"),
                small(arguments, "sub-channel"),
                small(arguments, "rank"),
                small(arguments, "nibble-mask"),
                small(arguments, "bank-group"),
                small(arguments, "bank"),
                small(arguments, "row"),
                small(arguments, "column"),
                // An empty list is a mask that is there, and says nothing.
                arguments.has("correction-mask") && masks.isEmpty() ? List.of(0L) : masks,
                component(arguments));
    }

    /** A count of corrected errors says by itself that a threshold was reached. */
    private static MediaError mediaError(QmpArguments arguments, String countName) {
        OptionalInt count = small(arguments, countName);
        return new MediaError(
                arguments.number("dpa"),
                (int) arguments.number("descriptor") | (count.isPresent() ? MediaError.THRESHOLD : 0),
                (int) arguments.number("type"),
                (int) arguments.number("transaction-type"),
                small(arguments, "sub-type").orElse(0),
                small(arguments, "cme-ev-flags").orElse(0),
                count.orElse(0));
    }

    private static MemoryModuleEvent memoryModuleEvent(QmpArguments arguments) {
        MemoryModuleEvent.Health health = new MemoryModuleEvent.Health(
                (int) arguments.number("health-status"),
                (int) arguments.number("media-status"),
                (int) arguments.number("additional-status"),
                (int) arguments.number("life-used"),
                (int) arguments.number("temperature"),
                arguments.number("dirty-shutdown-count"),
                arguments.number("corrected-volatile-error-count"),
                arguments.number("corrected-persistent-error-count"));
        return new MemoryModuleEvent(
                (int) arguments.number("type"), small(arguments, "sub-type").orElse(0), health, component(arguments));
    }

    private static Optional<ComponentId> component(QmpArguments arguments) {
        return arguments.optionalText("component-id").map(id -> new ComponentId(id, arguments.flag("is-comp-id-pldm")));
    }

    private static OptionalInt small(QmpArguments arguments, String name) {
        OptionalLong number = arguments.optionalNumber(name);
        return number.isPresent() ? OptionalInt.of(Math.toIntExact(number.getAsLong())) : OptionalInt.empty();
    }

    // ---- poison

    private QmpReply poison(QmpArguments arguments) {
        long start = arguments.number("start");
        long length = arguments.number("length");
        if (length % MediaPoison.LINE_BYTES != 0) {
            return QmpReply.refused("Poison injection must be in multiples of " + MediaPoison.LINE_BYTES + " bytes");
        }
        if (start % MediaPoison.LINE_BYTES != 0) {
            return QmpReply.refused("Poison start address must be " + MediaPoison.LINE_BYTES + " byte aligned");
        }
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        if (length == 0) {
            return QmpReply.refused("poison has no length: start=0x" + Long.toHexString(start));
        }
        Optional<Refusal> refusal = device.injectPoison(start, length, MediaPoison.Source.INTERNAL);
        if (refusal.isEmpty()) {
            return QmpReply.done();
        }
        boolean isPoisoned = refusal.get().cause() == Refusal.Cause.ALREADY_POISONED;
        return QmpReply.refused(
                isPoisoned
                        ? "Overlap with existing poisoned region not supported"
                        : "poison cannot be injected: "
                                + refusal.get().toString().replace(": ", " "));
    }

    // ---- health

    /** What is not given stays as it is. Without any, it only tells. */
    private QmpReply setHealth(QmpArguments arguments) {
        OptionalInt lifeUsed = small(arguments, "life-used");
        OptionalInt temperature = small(arguments, "temperature");
        if (lifeUsed.orElse(0) > HealthAndAlerts.MAX_LIFE_USED) {
            return QmpReply.refused("Parameter 'life-used' expects at most " + HealthAndAlerts.MAX_LIFE_USED);
        }
        int celsius = temperature.orElse(0);
        if (celsius < Byte.MIN_VALUE || celsius > Byte.MAX_VALUE) {
            return QmpReply.refused("Parameter 'temperature' expects " + Byte.MIN_VALUE + " to " + Byte.MAX_VALUE);
        }
        HealthAndAlerts health = device.health();
        lifeUsed.ifPresent(health::setLifeUsed);
        temperature.ifPresent(health::setTemperature);
        arguments.optionalNumber("corrected-errors").ifPresent(health::countCorrectedErrors);
        return QmpReply.of(tell(health));
    }

    private static Map<String, Object> tell(HealthAndAlerts health) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("life-used", health.lifeUsed());
        answer.put("temperature", health.temperature());
        answer.put("corrected-errors", health.correctedVolatileErrors());
        for (Alert alert : List.of(
                Alert.LIFE_USED, Alert.OVER_TEMPERATURE, Alert.UNDER_TEMPERATURE, Alert.CORRECTED_VOLATILE_ERRORS)) {
            String name = alert.toString().toLowerCase(Locale.ROOT).replace('_', '-');
            answer.put(name + "-alert", health.level(alert).toString().toLowerCase(Locale.ROOT));
        }
        return answer;
    }

    // ---- errors

    private QmpReply uncorrectable(QmpArguments arguments) {
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        List<RasCapability.UncorrectableError> errors = new ArrayList<>();
        for (QmpArguments error : arguments.structs("errors")) {
            List<Integer> header =
                    error.numbers("header").stream().map(Long::intValue).toList();
            if (header.size() > MAX_HEADER_DWORDS) {
                return QmpReply.refused("Header must be " + MAX_HEADER_DWORDS + " DWORD or less");
            }
            errors.add(new RasCapability.UncorrectableError(
                    Uncorrectable.of(error.text("type")).orElseThrow(), header));
        }
        device.ras().report(errors);
        return QmpReply.done();
    }

    private QmpReply correctable(QmpArguments arguments) {
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        device.ras().report(Correctable.of(arguments.text("type")).orElseThrow());
        return QmpReply.done();
    }

    private QmpReply queryRas() {
        RasCapability ras = device.ras();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("uncorrectable-status", unsigned(ras.uncorrectableStatus()));
        answer.put("uncorrectable-mask", unsigned(ras.uncorrectableMask()));
        answer.put("uncorrectable-severity", unsigned(ras.uncorrectableSeverity()));
        answer.put("correctable-status", unsigned(ras.correctableStatus()));
        answer.put("correctable-mask", unsigned(ras.correctableMask()));
        answer.put("capabilities-and-control", unsigned(ras.capabilitiesAndControl()));
        answer.put(
                "header-log",
                Arrays.stream(ras.headerLog())
                        .mapToObj(InjectCommands::unsigned)
                        .toList());
        // The first one is what the first error pointer and the header log tell.
        answer.put(
                "errors",
                ras.errors().stream().map(error -> error.type().toString()).toList());
        answer.put("uncorrectable-internal-errors", ras.uncorrectableSignals());
        answer.put("corrected-internal-errors", ras.correctedSignals());
        return QmpReply.of(answer);
    }

    private QmpReply writeRas(QmpArguments arguments) {
        RasCapability ras = device.ras();
        int bits = (int) arguments.number("value");
        switch (arguments.text("register")) {
            case "uncorrectable-status" -> ras.writeUncorrectableStatus(bits);
            case "uncorrectable-mask" -> ras.writeUncorrectableMask(bits);
            case "uncorrectable-severity" -> ras.writeUncorrectableSeverity(bits);
            case "correctable-status" -> ras.writeCorrectableStatus(bits);
            default -> ras.writeCorrectableMask(bits);
        }
        return QmpReply.done();
    }

    private static long unsigned(int register) {
        return Integer.toUnsignedLong(register);
    }
}

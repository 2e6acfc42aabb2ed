package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;
import static io.mhsld.qmp.QmpParameter.required;

import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * The commands that QEMU has for dynamic capacity and for what a device reports, with QEMU's arguments: for a head, which runs them, and for the fabric
 * manager, which routes them.
 */
final class QemuCommands {
    private static final QmpType SELECTION_POLICY =
            QmpType.enumeration("CxlExtentSelectionPolicy", CxlCommands.SELECTION_POLICIES.toArray(new String[0]));
    private static final QmpType REMOVAL_POLICY =
            QmpType.enumeration("CxlExtentRemovalPolicy", CxlCommands.REMOVAL_POLICIES.toArray(new String[0]));
    private static final QmpType EXTENTS = QmpType.listOf(QmpType.struct(
            "CxlDynamicCapacityExtent", required("offset", QmpType.UINT64), required("len", QmpType.UINT64)));

    private static final QmpType LOG =
            QmpType.enumeration("CxlEventLog", "informational", "warning", "failure", "fatal");
    private static final QmpType UNCORRECTABLE =
            QmpType.enumeration("CxlUncorErrorType", names(Uncorrectable.values()));
    private static final QmpType CORRECTABLE = QmpType.enumeration("CxlCorErrorType", names(Correctable.values()));
    private static final QmpType ERRORS = QmpType.listOf(QmpType.struct(
            "CXLUncorErrorRecord",
            required("type", UNCORRECTABLE),
            required("header", QmpType.listOf(QmpType.UINT32))));

    private static final List<QmpParameter> COMMON = List.of(
            required("path", QmpType.STR),
            required("log", LOG),
            required("flags", QmpType.UINT32),
            optional("maint-op-class", QmpType.UINT8),
            optional("maint-op-subclass", QmpType.UINT8),
            optional("ld-id", QmpType.UINT16),
            optional("head-id", QmpType.UINT8));
    private static final List<QmpParameter> MEDIA_ERROR = List.of(
            required("dpa", QmpType.UINT64),
            required("descriptor", QmpType.UINT8),
            required("type", QmpType.UINT8),
            required("transaction-type", QmpType.UINT8),
            optional("channel", QmpType.UINT8),
            optional("rank", QmpType.UINT8));
    private static final List<QmpParameter> COMPONENT =
            List.of(optional("component-id", QmpType.STR), optional("is-comp-id-pldm", QmpType.BOOL));

    private QemuCommands() {}

    static QmpCommand add(QmpHandler handler) {
        return QmpCommand.of(
                        "cxl-add-dynamic-capacity",
                        handler,
                        required("path", QmpType.STR),
                        required("host-id", QmpType.UINT16),
                        required("selection-policy", SELECTION_POLICY),
                        required("region", QmpType.UINT8),
                        optional("tag", QmpType.STR),
                        required("extents", EXTENTS))
                .asUnstable();
    }

    static QmpCommand release(QmpHandler handler) {
        return QmpCommand.of(
                        "cxl-release-dynamic-capacity",
                        handler,
                        required("path", QmpType.STR),
                        required("host-id", QmpType.UINT16),
                        required("removal-policy", REMOVAL_POLICY),
                        optional("forced-removal", QmpType.BOOL),
                        optional("sanitize-on-release", QmpType.BOOL),
                        required("region", QmpType.UINT8),
                        optional("tag", QmpType.STR),
                        required("extents", EXTENTS))
                .asUnstable();
    }

    static QmpCommand generalMediaEvent(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-general-media-event",
                handler,
                parameters(List.of(
                        COMMON,
                        MEDIA_ERROR,
                        List.of(optional("device", QmpType.UINT32)),
                        COMPONENT,
                        List.of(
                                optional("cme-ev-flags", QmpType.UINT8),
                                optional("cme-count", QmpType.UINT32),
                                optional("sub-type", QmpType.UINT8)))));
    }

    static QmpCommand dramEvent(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-dram-event",
                handler,
                parameters(List.of(
                        COMMON,
                        MEDIA_ERROR,
                        List.of(
                                optional("nibble-mask", QmpType.UINT32),
                                optional("bank-group", QmpType.UINT8),
                                optional("bank", QmpType.UINT8),
                                optional("row", QmpType.UINT32),
                                optional("column", QmpType.UINT16),
                                optional("correction-mask", QmpType.listOf(QmpType.UINT64))),
                        COMPONENT,
                        List.of(
                                optional("sub-channel", QmpType.UINT8),
                                optional("cme-ev-flags", QmpType.UINT8),
                                optional("cvme-count", QmpType.UINT32),
                                optional("sub-type", QmpType.UINT8)))));
    }

    static QmpCommand memoryModuleEvent(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-memory-module-event",
                handler,
                parameters(List.of(
                        COMMON,
                        List.of(
                                required("type", QmpType.UINT8),
                                required("health-status", QmpType.UINT8),
                                required("media-status", QmpType.UINT8),
                                required("additional-status", QmpType.UINT8),
                                required("life-used", QmpType.UINT8),
                                required("temperature", QmpType.INT16),
                                required("dirty-shutdown-count", QmpType.UINT32),
                                required("corrected-volatile-error-count", QmpType.UINT32),
                                required("corrected-persistent-error-count", QmpType.UINT32)),
                        COMPONENT,
                        List.of(optional("sub-type", QmpType.UINT8)))));
    }

    static QmpCommand poison(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-poison",
                handler,
                required("path", QmpType.STR),
                required("start", QmpType.UINT64),
                required("length", QmpType.SIZE));
    }

    static QmpCommand uncorrectableErrors(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-uncorrectable-errors", handler, required("path", QmpType.STR), required("errors", ERRORS));
    }

    static QmpCommand correctableError(QmpHandler handler) {
        return QmpCommand.of(
                "cxl-inject-correctable-error", handler, required("path", QmpType.STR), required("type", CORRECTABLE));
    }

    /** All of them, each with the handler for its name. */
    static List<QmpCommand> all(Function<String, QmpHandler> handlers) {
        return List.of(
                add(handlers.apply("cxl-add-dynamic-capacity")),
                release(handlers.apply("cxl-release-dynamic-capacity")),
                generalMediaEvent(handlers.apply("cxl-inject-general-media-event")),
                dramEvent(handlers.apply("cxl-inject-dram-event")),
                memoryModuleEvent(handlers.apply("cxl-inject-memory-module-event")),
                poison(handlers.apply("cxl-inject-poison")),
                uncorrectableErrors(handlers.apply("cxl-inject-uncorrectable-errors")),
                correctableError(handlers.apply("cxl-inject-correctable-error")));
    }

    private static String[] names(Object[] values) {
        return Arrays.stream(values).map(Object::toString).toArray(String[]::new);
    }

    private static QmpParameter[] parameters(List<List<QmpParameter>> parts) {
        return parts.stream().flatMap(List::stream).toArray(QmpParameter[]::new);
    }
}

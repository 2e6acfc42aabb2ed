package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;
import static io.mhsld.qmp.QmpParameter.required;

import java.util.List;
import java.util.function.Function;

/** The commands that QEMU has for dynamic capacity, with QEMU's arguments: for a head, which runs them, and for the fabric manager, which routes them. */
final class QemuCommands {
    private static final QmpType SELECTION_POLICY =
            QmpType.enumeration("CxlExtentSelectionPolicy", CxlCommands.SELECTION_POLICIES.toArray(new String[0]));
    private static final QmpType REMOVAL_POLICY =
            QmpType.enumeration("CxlExtentRemovalPolicy", CxlCommands.REMOVAL_POLICIES.toArray(new String[0]));
    private static final QmpType EXTENTS = QmpType.listOf(QmpType.struct(
            "CxlDynamicCapacityExtent", required("offset", QmpType.UINT64), required("len", QmpType.UINT64)));

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

    /** All of them, each with the handler for its name. */
    static List<QmpCommand> all(Function<String, QmpHandler> handlers) {
        return List.of(
                add(handlers.apply("cxl-add-dynamic-capacity")),
                release(handlers.apply("cxl-release-dynamic-capacity")));
    }
}

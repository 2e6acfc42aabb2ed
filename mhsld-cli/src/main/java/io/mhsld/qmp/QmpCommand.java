package io.mhsld.qmp;

import java.util.List;

/**
 * One row of a command table: everything that the protocol layer has to know to check the arguments of a command, to run it, and to list it
 * in {@code query-commands} and {@code query-qmp-schema}. Parameters are checked in the order given here.
 */
public record QmpCommand(String name, QmpType.Struct parameters, QmpType result, boolean unstable, QmpHandler handler) {
    /** A row for a command that returns nothing. */
    public static QmpCommand of(String name, QmpHandler handler, QmpParameter... parameters) {
        return new QmpCommand(
                name, QmpType.struct(name + "-arg", parameters), QmpType.struct("q_empty"), false, handler);
    }

    /** The same row for a command that returns a value of this type. The type is for the schema; results are not checked. */
    public QmpCommand returning(QmpType type) {
        return new QmpCommand(name, parameters, type, unstable, handler);
    }

    /** The same row with the feature "unstable", which QEMU gives to commands that may still change. */
    public QmpCommand asUnstable() {
        return new QmpCommand(name, parameters, result, true, handler);
    }

    List<String> features() {
        return unstable ? List.of("unstable") : List.of();
    }
}

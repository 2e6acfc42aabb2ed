package io.mhsld.qmp;

/** One parameter of a command, or one member of a struct: its name on the wire, its type, and whether it may be left out. */
public record QmpParameter(String name, QmpType type, boolean optional) {
    /** A parameter that must be there. */
    public static QmpParameter required(String name, QmpType type) {
        return new QmpParameter(name, type, false);
    }

    /** A parameter that may be left out. */
    public static QmpParameter optional(String name, QmpType type) {
        return new QmpParameter(name, type, true);
    }
}

package io.mhsld.qmp;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A refusal in QMP's form: a class for programs, which is nearly always {@value #GENERIC}, and a sentence for people. */
public record QmpError(String errorClass, String description) implements QmpReply {
    /** The class of every error that has no class of its own. */
    public static final String GENERIC = "GenericError";

    /** The class of commands that do not exist, or not yet. */
    public static final String COMMAND_NOT_FOUND = "CommandNotFound";

    /** The usual class of error. */
    public static QmpError generic(String description) {
        return new QmpError(GENERIC, description);
    }

    /** There is no such command, or it is not to be had now. */
    public static QmpError commandNotFound(String description) {
        return new QmpError(COMMAND_NOT_FOUND, description);
    }

    @Override
    public Optional<QmpError> error() {
        return Optional.of(this);
    }

    @Override
    public Object value() {
        throw new IllegalStateException("command was refused: class=" + errorClass + " description=" + description);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("class", errorClass);
        json.put("desc", description);
        return json;
    }
}

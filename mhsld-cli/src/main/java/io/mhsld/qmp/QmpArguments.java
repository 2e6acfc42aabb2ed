package io.mhsld.qmp;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The checked arguments of a command, or the checked members of a struct in them. Asking for a name that the row does not have, or for another
 * type than the row gives it, is an {@link IllegalArgumentException}; so is asking for an absent optional one with a method that has no way to
 * say so.
 */
public final class QmpArguments {
    private final QmpType.Struct struct;
    private final Map<String, Object> values;

    QmpArguments(QmpType.Struct struct, Map<String, Object> values) {
        this.struct = struct;
        this.values = values;
    }

    /** Whether an optional parameter was given. */
    public boolean has(String name) {
        declared(name);
        return values.containsKey(name);
    }

    /** A string, or the wire value of an enumeration. */
    public String text(String name) {
        return present(name, String.class);
    }

    /** A string that may be absent. */
    public Optional<String> optionalText(String name) {
        return has(name) ? Optional.of(text(name)) : Optional.empty();
    }

    /** A whole number; of the types uint64 and size, all 64 bits, to be taken as unsigned. */
    public long number(String name) {
        return present(name, Long.class);
    }

    /** A whole number that may be absent. */
    public OptionalLong optionalNumber(String name) {
        return has(name) ? OptionalLong.of(number(name)) : OptionalLong.empty();
    }

    /** A boolean; an absent one is false, as everywhere in QMP. */
    public boolean flag(String name) {
        return has(name) && present(name, Boolean.class);
    }

    /** The structs of a list; none when it is absent. */
    public List<QmpArguments> structs(String name) {
        return list(name, QmpArguments.class);
    }

    /** One struct. */
    public QmpArguments struct(String name) {
        return present(name, QmpArguments.class);
    }

    /** The strings of a list; none when it is absent. */
    public List<String> texts(String name) {
        return list(name, String.class);
    }

    /** The whole numbers of a list; none when it is absent. */
    public List<Long> numbers(String name) {
        return list(name, Long.class);
    }

    /** The value of a parameter of type any, as JSON has it; null when it is absent, or null. */
    public Object any(String name) {
        declared(name);
        return values.get(name);
    }

    /** All that was given, in the form that {@link QmpJson#write} takes: to be passed on. A large unsigned number comes as its two's complement. */
    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        values.forEach((name, value) -> json.put(name, toJson(value)));
        return json;
    }

    private static Object toJson(Object value) {
        if (value instanceof QmpArguments members) {
            return members.toJson();
        }
        return value instanceof List<?> elements
                ? elements.stream().map(QmpArguments::toJson).toList()
                : value;
    }

    @Override
    public String toString() {
        return values.toString();
    }

    private <T> List<T> list(String name, Class<T> elementType) {
        if (!has(name)) {
            return List.of();
        }
        return ((List<?>) present(name, List.class))
                .stream().map(elementType::cast).toList();
    }

    private <T> T present(String name, Class<T> type) {
        Object value = has(name) ? values.get(name) : null;
        if (!type.isInstance(value)) {
            throw new IllegalArgumentException("argument is absent or of another type: name=" + name + " value=" + value
                    + " wanted=" + type.getSimpleName());
        }
        return type.cast(value);
    }

    private void declared(String name) {
        if (!struct.has(name)) {
            throw new IllegalArgumentException("no such parameter: name=" + name);
        }
    }
}

package io.mhsld.qmp;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The type of a QMP argument: tells whether a JSON value is one, and says in QEMU's words why not. The words differ by kind of type and by
 * kind of fault, without much system: the texts here were taken from a running QEMU 11.1.
 *
 * <p>Two oddities are kept because clients may count on them: negative numbers pass for 64-bit unsigned ones (as their two's complement), and
 * a fault of range names the bare member where a fault of type names its whole path.
 */
public abstract class QmpType {
    /** A string. */
    public static final QmpType STR = new Builtin("str", "string", "string", String.class);

    /** True or false; numbers and strings are neither. */
    public static final QmpType BOOL = new Builtin("bool", "boolean", "boolean", Boolean.class);

    /** Any number, whole or not. */
    public static final QmpType NUMBER = new Builtin("number", "number", "number", Number.class);

    /** Any JSON value. */
    public static final QmpType ANY = new Builtin("any", "value", "value", Object.class);

    /** 8 bits, unsigned. */
    public static final QmpType UINT8 = new Unsigned("uint8_t", 0xff);

    /** 16 bits, unsigned. */
    public static final QmpType UINT16 = new Unsigned("uint16_t", 0xffff);

    /** 32 bits, unsigned. */
    public static final QmpType UINT32 = new Unsigned("uint32_t", 0xffff_ffffL);

    /** 64 bits, unsigned. */
    public static final QmpType UINT64 = new Unsigned("uint64", -1);

    /** A length in bytes: on the wire the same as {@link #UINT64}. */
    public static final QmpType SIZE = UINT64;

    /** 8 bits, signed. */
    public static final QmpType INT8 = new Signed("int8_t", Byte.MIN_VALUE, Byte.MAX_VALUE);

    /** 16 bits, signed. */
    public static final QmpType INT16 = new Signed("int16_t", Short.MIN_VALUE, Short.MAX_VALUE);

    /** 32 bits, signed. */
    public static final QmpType INT32 = new Signed("int32_t", Integer.MIN_VALUE, Integer.MAX_VALUE);

    /** 64 bits, signed. */
    public static final QmpType INT = new Signed("int64_t", Long.MIN_VALUE, Long.MAX_VALUE);

    private QmpType() {}

    /** One of these strings; the name is for the schema. */
    public static QmpType enumeration(String name, String... values) {
        return new Enumeration(name, List.of(values));
    }

    /** A list, of any length. */
    public static QmpType listOf(QmpType element) {
        return new ListOf(element);
    }

    /** An object with these members, and no others; the name is for the schema. */
    public static Struct struct(String name, QmpParameter... members) {
        return new Struct(name, List.of(members));
    }

    /**
     * The typed form of a JSON value, as {@link QmpArguments} holds it.
     *
     * @throws QmpRefusal when it is of another type
     */
    abstract Object read(Object json, String path, String name);

    /** The name that the schema knows the type by; tells the schema about the type, if it is not built in. */
    abstract String describeTo(QmpSchema schema);

    private static QmpRefusal wrongType(String path, String expected) {
        return QmpRefusal.generic("Invalid parameter type for '" + path + "', expected: " + expected);
    }

    private static QmpRefusal outOfRange(String name, String expected) {
        return QmpRefusal.generic("Parameter '" + name + "' expects " + expected);
    }

    private static final class Builtin extends QmpType {
        private final String name;
        private final String jsonType;
        private final String expected;
        private final Class<?> javaType;

        private Builtin(String name, String jsonType, String expected, Class<?> javaType) {
            this.name = name;
            this.jsonType = jsonType;
            this.expected = expected;
            this.javaType = javaType;
        }

        @Override
        Object read(Object json, String path, String leaf) {
            if (javaType != Object.class && !javaType.isInstance(json)) {
                throw wrongType(path, expected);
            }
            return json;
        }

        @Override
        String describeTo(QmpSchema schema) {
            schema.builtin(name, jsonType);
            return name;
        }
    }

    private static final class Unsigned extends QmpType {
        private final String cName;
        private final long max;

        private Unsigned(String cName, long max) {
            this.cName = cName;
            this.max = max;
        }

        @Override
        Object read(Object json, String path, String name) {
            long value;
            if (json instanceof Long number) {
                value = number;
            } else if (json instanceof BigInteger number && number.signum() > 0 && number.bitLength() <= Long.SIZE) {
                value = number.longValue();
            } else {
                throw outOfRange(path, "uint64");
            }
            if (Long.compareUnsigned(value, max) > 0) {
                throw outOfRange(name, cName);
            }
            return value;
        }

        @Override
        String describeTo(QmpSchema schema) {
            schema.builtin("int", "int");
            return "int";
        }
    }

    private static final class Signed extends QmpType {
        private final String cName;
        private final long min;
        private final long max;

        private Signed(String cName, long min, long max) {
            this.cName = cName;
            this.min = min;
            this.max = max;
        }

        @Override
        Object read(Object json, String path, String name) {
            if (!(json instanceof Long value)) {
                throw wrongType(path, "integer");
            }
            if (value < min || value > max) {
                throw outOfRange(name, cName);
            }
            return value;
        }

        @Override
        String describeTo(QmpSchema schema) {
            schema.builtin("int", "int");
            return "int";
        }
    }

    private static final class Enumeration extends QmpType {
        private final String schemaName;
        private final List<String> values;

        private Enumeration(String schemaName, List<String> values) {
            this.schemaName = schemaName;
            this.values = values;
        }

        @Override
        Object read(Object json, String path, String name) {
            if (!(json instanceof String)) {
                throw wrongType(path, "string");
            }
            if (!values.contains(json)) {
                throw QmpRefusal.generic("Parameter '" + name + "' does not accept value '" + json + "'");
            }
            return json;
        }

        @Override
        String describeTo(QmpSchema schema) {
            schema.enumeration(schemaName, values);
            return schemaName;
        }
    }

    private static final class ListOf extends QmpType {
        private final QmpType element;

        private ListOf(QmpType element) {
            this.element = element;
        }

        @Override
        Object read(Object json, String path, String name) {
            if (!(json instanceof List<?> elements)) {
                throw wrongType(path, "array");
            }
            List<Object> values = new ArrayList<>(elements.size());
            for (int i = 0; i < elements.size(); i++) {
                String elementPath = path + "[" + i + "]";
                // QEMU says 'null' where the fault is one of range: its elements have no name. The path says more.
                values.add(element.read(elements.get(i), elementPath, elementPath));
            }
            return values;
        }

        @Override
        String describeTo(QmpSchema schema) {
            return schema.array(element.describeTo(schema));
        }
    }

    /** An object with known members; the arguments of a command are one. */
    public static final class Struct extends QmpType {
        private final String schemaName;
        private final List<QmpParameter> members;
        private final Set<String> names;

        private Struct(String schemaName, List<QmpParameter> members) {
            this.schemaName = schemaName;
            this.members = members;
            this.names = members.stream().map(QmpParameter::name).collect(Collectors.toUnmodifiableSet());
        }

        /** Its members, in the order in which they are checked. */
        public List<QmpParameter> members() {
            return members;
        }

        /** The checked arguments of a command. */
        QmpArguments arguments(Map<?, ?> json) {
            return members(json, "");
        }

        boolean has(String member) {
            return names.contains(member);
        }

        @Override
        Object read(Object json, String path, String name) {
            if (!(json instanceof Map<?, ?> members)) {
                throw wrongType(path, "object");
            }
            return members(members, path + ".");
        }

        private QmpArguments members(Map<?, ?> json, String prefix) {
            Map<String, Object> values = new LinkedHashMap<>();
            for (QmpParameter member : members) {
                String path = prefix + member.name();
                if (json.containsKey(member.name())) {
                    values.put(member.name(), member.type().read(json.get(member.name()), path, member.name()));
                } else if (!member.optional()) {
                    throw QmpRefusal.generic("Parameter '" + path + "' is missing");
                }
            }
            for (Object key : json.keySet()) {
                if (!names.contains(key)) {
                    throw QmpRefusal.generic("Parameter '" + prefix + key + "' is unexpected");
                }
            }
            return new QmpArguments(this, values);
        }

        @Override
        String describeTo(QmpSchema schema) {
            String name = members.isEmpty() ? "q_empty" : schemaName;
            schema.object(name, members);
            return name;
        }
    }
}

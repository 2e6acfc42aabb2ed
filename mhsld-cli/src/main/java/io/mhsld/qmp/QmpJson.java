package io.mhsld.qmp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as QMP speaks it, to and from plain maps (in the order written), lists, strings, {@link Long}, {@link BigInteger} (only for what does
 * not fit a long), {@link Double}, {@link Boolean} and null. Reading also takes single-quoted strings, as QEMU does; writing uses printable
 * ASCII only, on one line.
 */
public final class QmpJson {
    /** How many objects and lists may lie in each other; the limit is QEMU's. */
    static final int NESTING_LIMIT = 1024;

    private static final int TOKENS_LIMIT = 1 << 20;
    private static final int NUMBER_LENGTH_LIMIT = 1000;

    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(NESTING_LIMIT)
                    .maxTokenCount(TOKENS_LIMIT)
                    .maxNumberLength(NUMBER_LENGTH_LIMIT)
                    .build())
            // What was read can be written: an id comes back with the answer.
            .streamWriteConstraints(StreamWriteConstraints.builder()
                    .maxNestingDepth(NESTING_LIMIT)
                    .build())
            // Member names come from strangers: none of them is to stay in a table of this process.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .characterEscapes(new ControlEscapes())
            .build();

    /** What QEMU says where Jackson says something with these words in it. */
    private static final Map<String, String> WORDS = words();

    private QmpJson() {}

    /** The value that a text holds. Throws an {@link IllegalArgumentException} with QEMU's words, "JSON parse error, …", if it is no JSON. */
    public static Object parse(String text) {
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                throw malformed("expecting value");
            }
            Object value = read(parser);
            if (parser.nextToken() != null) {
                throw malformed("unexpected text behind the value");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw malformed(inQemusWords(e.getOriginalMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory failed", e);
        }
    }

    /** The same for bytes, which must be UTF-8. */
    static Object parse(ByteBuffer utf8) {
        try {
            return parse(StandardCharsets.UTF_8.newDecoder().decode(utf8).toString());
        } catch (CharacterCodingException e) {
            throw malformed("invalid UTF-8 sequence in string");
        }
    }

    /** The text of a value. Throws an {@link IllegalArgumentException} for what JSON has no form for. */
    public static String write(Object value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(text)) {
            generator.setPrettyPrinter(new OneLine());
            write(value, generator);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toString();
    }

    /** A number whose 64 bits are to be taken as unsigned, in the form that {@link #write} prints so. */
    public static Number unsigned(long value) {
        return value >= 0 ? (Number) value : new BigInteger(Long.toUnsignedString(value));
    }

    private static Object read(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> readList(parser);
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> readInteger(parser);
            case VALUE_NUMBER_FLOAT -> readDouble(parser);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw malformed("expecting value");
        };
    }

    private static Number readInteger(JsonParser parser) throws IOException {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            return parser.getBigIntegerValue();
        }
        return parser.getLongValue();
    }

    private static Double readDouble(JsonParser parser) throws IOException {
        double number = parser.getDoubleValue();
        if (Double.isInfinite(number)) {
            throw malformed("number out of range");
        }
        return number;
    }

    private static List<Object> readList(JsonParser parser) throws IOException {
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            list.add(read(parser));
        }
        return list;
    }

    private static Map<String, Object> readObject(JsonParser parser) throws IOException {
        Map<String, Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            if (object.containsKey(name)) {
                throw malformed("duplicate key");
            }
            parser.nextToken();
            object.put(name, read(parser));
        }
        return object;
    }

    private static void write(Object value, JsonGenerator generator) throws IOException {
        if (value == null) {
            generator.writeNull();
        } else if (value instanceof CharSequence text) {
            generator.writeString(text.toString());
        } else if (value instanceof Boolean flag) {
            generator.writeBoolean(flag);
        } else if (value instanceof BigInteger number) {
            generator.writeNumber(number);
        } else if (value instanceof Double number && Double.isFinite(number)) {
            generator.writeNumber(number);
        } else if (value instanceof Long
                || value instanceof Integer
                || value instanceof Short
                || value instanceof Byte) {
            generator.writeNumber(((Number) value).longValue());
        } else if (value instanceof Map<?, ?> map) {
            generator.writeStartObject();
            for (Map.Entry<?, ?> member : map.entrySet()) {
                generator.writeFieldName(String.valueOf(member.getKey()));
                write(member.getValue(), generator);
            }
            generator.writeEndObject();
        } else if (value instanceof Iterable<?> list) {
            generator.writeStartArray();
            for (Object element : list) {
                write(element, generator);
            }
            generator.writeEndArray();
        } else {
            throw new IllegalArgumentException(
                    "value has no form in JSON: type=" + value.getClass().getName() + " value=" + value);
        }
    }

    private static IllegalArgumentException malformed(String what) {
        return new IllegalArgumentException("JSON parse error, " + what);
    }

    private static String inQemusWords(String jacksonsWords) {
        if (jacksonsWords.startsWith("Unrecognized token '")) {
            int end = jacksonsWords.indexOf('\'', "Unrecognized token '".length());
            return "invalid keyword" + jacksonsWords.substring("Unrecognized token".length(), end + 1);
        }
        for (Map.Entry<String, String> entry : WORDS.entrySet()) {
            if (jacksonsWords.contains(entry.getKey())) {
                return entry.getValue();
            }
        }
        return Character.toLowerCase(jacksonsWords.charAt(0)) + jacksonsWords.substring(1);
    }

    private static Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("was expecting a colon", "expecting ':'");
        words.put("was expecting comma to separate Object entries", "expected ',' or '}'");
        words.put("was expecting comma to separate Array entries", "expected ',' or ']'");
        words.put("was expecting double-quote to start field name", "expecting key");
        words.put("was expecting either valid name character", "expecting key");
        words.put("(for Array starting", "expected ',' or ']'");
        words.put("(for Object starting", "expected ',' or '}'");
        words.put("Unexpected close marker", "expecting value");
        words.put("numeric value", "malformed number");
        words.put("expected a valid value", "expecting value");
        words.put("expected a value", "expecting value");
        words.put("character escape", "invalid escape sequence in string");
        words.put("hex-digit", "invalid escape sequence in string");
        words.put("nesting depth", "nesting depth limit exceeded");
        return words;
    }

    /** Everything on one line, with QEMU's spaces behind colons and commas. */
    private static final class OneLine extends MinimalPrettyPrinter {
        private static final long serialVersionUID = 1;

        @Override
        public void writeObjectFieldValueSeparator(JsonGenerator generator) throws IOException {
            generator.writeRaw(": ");
        }

        @Override
        public void writeObjectEntrySeparator(JsonGenerator generator) throws IOException {
            generator.writeRaw(", ");
        }

        @Override
        public void writeArrayValueSeparator(JsonGenerator generator) throws IOException {
            generator.writeRaw(", ");
        }
    }
}

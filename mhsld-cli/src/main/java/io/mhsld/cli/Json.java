package io.mhsld.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.mhsld.qmp.ControlEscapes;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.UUID;

/**
 * Facts as one JSON object, member by member in the order in which they are told. Names are in snake case, sizes and addresses are numbers of
 * bytes, times are milliseconds since 1970.
 */
final class Json {
    private static final JsonFactory FACTORY =
            new JsonFactoryBuilder().characterEscapes(new ControlEscapes()).build();

    private final JsonGenerator generator;

    private Json(JsonGenerator generator) {
        this.generator = generator;
    }

    /** Writes some members. */
    interface Body {
        /** Calls the methods of {@link Json} that add members, or elements. */
        void write(Json json);
    }

    /** Prints one object and a line end. Nothing is printed when the body throws. */
    static void print(PrintStream out, Body members) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(text)) {
            generator.setPrettyPrinter(new DefaultPrettyPrinter());
            generator.writeStartObject();
            members.write(new Json(generator));
            generator.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        out.println(text);
    }

    /** Adds a text, or null. */
    Json put(String name, String value) {
        return write(() -> generator.writeStringField(name, value));
    }

    /** Adds a number. */
    Json put(String name, long value) {
        return write(() -> generator.writeNumberField(name, value));
    }

    /** Adds true or false. */
    Json put(String name, boolean value) {
        return write(() -> generator.writeBooleanField(name, value));
    }

    /** Adds a UUID. */
    Json put(String name, UUID value) {
        return put(name, value.toString());
    }

    /** Adds a number that has 64 bits and no sign. */
    Json putUnsigned(String name, long value) {
        return write(() -> generator.writeNumberField(name, new BigInteger(Long.toUnsignedString(value))));
    }

    /** Adds a null: the fact is not known. */
    Json putUnknown(String name) {
        return write(() -> generator.writeNullField(name));
    }

    /** Adds an object. */
    Json object(String name, Body members) {
        return write(() -> {
            generator.writeObjectFieldStart(name);
            members.write(this);
            generator.writeEndObject();
        });
    }

    /** Adds an array. */
    Json array(String name, Body elements) {
        return write(() -> {
            generator.writeArrayFieldStart(name);
            elements.write(this);
            generator.writeEndArray();
        });
    }

    /** Adds an object to an array. */
    Json element(Body members) {
        return write(() -> {
            generator.writeStartObject();
            members.write(this);
            generator.writeEndObject();
        });
    }

    /** Adds a text to an array. */
    Json element(String value) {
        return write(() -> generator.writeString(value));
    }

    /** Adds a number to an array. */
    Json element(long value) {
        return write(() -> generator.writeNumber(value));
    }

    private interface Step {
        void run() throws IOException;
    }

    private Json write(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }
}

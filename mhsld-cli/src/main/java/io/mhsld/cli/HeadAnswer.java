package io.mhsld.cli;

import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpJson;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * What a head returned for a command, read member by member. Whoever sits on the socket may answer anything: a member that is missing, or of
 * another type than a head would send, is a {@link QmpException}.
 */
record HeadAnswer(Map<?, ?> members) {
    static HeadAnswer of(Object json) {
        if (json instanceof Map<?, ?> members) {
            return new HeadAnswer(members);
        }
        throw new QmpException("head answers what no head would: value=" + shown(json));
    }

    /** A whole number; 64 bits, unsigned ones included. */
    long number(String name) {
        Object value = members.get(name);
        if (value instanceof Long number) {
            return number;
        }
        if (value instanceof BigInteger number && number.signum() > 0 && number.bitLength() <= Long.SIZE) {
            return number.longValue();
        }
        throw unexpected(name);
    }

    String text(String name) {
        if (members.get(name) instanceof String text) {
            return text;
        }
        throw unexpected(name);
    }

    boolean flag(String name) {
        return Boolean.TRUE.equals(members.get(name));
    }

    /** The objects of a list. */
    List<HeadAnswer> objects(String name) {
        if (!(members.get(name) instanceof List<?> elements)) {
            throw unexpected(name);
        }
        List<HeadAnswer> objects = new ArrayList<>(elements.size());
        elements.forEach(element -> objects.add(of(element)));
        return objects;
    }

    /** Bytes in hexadecimal digits. */
    byte[] hexadecimal(String name) {
        try {
            return HexFormat.of().parseHex(text(name));
        } catch (IllegalArgumentException e) {
            throw unexpected(name);
        }
    }

    /** So many bytes, no more and no fewer, in Base64. */
    byte[] base64(String name, long lengthBytes) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(text(name));
        } catch (IllegalArgumentException e) {
            throw unexpected(name);
        }
        if (bytes.length != lengthBytes) {
            throw unexpected(name);
        }
        return bytes;
    }

    private QmpException unexpected(String name) {
        return new QmpException("head answers what no head would: " + name + "=" + shown(members.get(name)));
    }

    private static String shown(Object json) {
        String text = QmpJson.write(json);
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}

package io.mhsld.state;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Something that must hold and does not.
 *
 * @param invariant "I1" to "I8"
 * @param cause what is wrong, in lower case
 * @param facts which block, head and value it is, and where: {@code offset} is a place in the state file, {@code dpa} an address of the host.
 *     Numbers are {@link Number}s, all else is text
 */
public record Finding(String invariant, String cause, Map<String, Object> facts) {
    /** Addresses and places, which people write so. */
    private static final Set<String> HEXADECIMAL = Set.of("dpa", "length", "offset");

    /** Facts that say where it is; the others say how it is there. */
    private static final Set<String> PLACES = Set.of("head", "field", "counter", "section", "offset", "file");

    /** Copies the facts, and keeps their order. */
    public Finding {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** Without facts yet. */
    public static Finding of(String invariant, String cause) {
        return new Finding(invariant, cause, Map.of());
    }

    /** With one more fact. */
    public Finding with(String name, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(facts);
        more.put(name, value instanceof Number ? value : value.toString());
        return new Finding(invariant, cause, more);
    }

    /** One line: the cause, then {@code name=value} pairs. */
    public String message() {
        return facts.isEmpty()
                ? cause
                : facts.entrySet().stream()
                        .map(fact -> fact.getKey() + "=" + text(fact.getKey(), fact.getValue()))
                        .collect(Collectors.joining(" ", cause + ": ", ""));
    }

    /** The head that it is about, -1 for none. */
    public int head() {
        return facts.get("head") instanceof Number head ? head.intValue() : -1;
    }

    /** True when the other one tells of the same thing at the same place, whatever numbers it met there. */
    public boolean isSamePlace(Finding other) {
        return invariant.equals(other.invariant)
                && cause.equals(other.cause)
                && PLACES.stream().allMatch(name -> Objects.equals(facts.get(name), other.facts.get(name)));
    }

    private static String text(String name, Object value) {
        return HEXADECIMAL.contains(name) && value instanceof Number number
                ? "0x" + Long.toHexString(number.longValue())
                : value.toString();
    }

    @Override
    public String toString() {
        return invariant + " " + message();
    }
}

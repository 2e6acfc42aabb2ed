package io.mhsld.socket;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What QEMU's command line writes as {@code value,name=value,flag,noflag}: the first element may be a value without a name, a comma within a
 * value is written twice, a name alone is "on", and "no" before a name is "off". Of two values for one name the last one counts.
 */
public final class OptionText {
    private final String spelling;
    private final Map<String, String> values;

    private OptionText(String spelling, Map<String, String> values) {
        this.spelling = spelling;
        this.values = values;
    }

    /** Takes a spelling apart. The implied name is that of a first element which has none. */
    public static OptionText parse(String spelling, String impliedName) {
        Map<String, String> values = new LinkedHashMap<>();
        int at = 0;
        while (at < spelling.length()) {
            StringBuilder element = new StringBuilder();
            int next = takeElement(spelling, at, element);
            put(values, element.toString(), at == 0 ? impliedName : null, spelling);
            at = next;
        }
        return new OptionText(spelling, values);
    }

    /** Properties that come from elsewhere than a command line. */
    public static OptionText of(String spelling, Map<String, String> values) {
        return new OptionText(spelling, new LinkedHashMap<>(values));
    }

    /** The same properties, to be shown in messages as a part of something longer. */
    OptionText writtenAs(String longerSpelling) {
        return new OptionText(longerSpelling, values);
    }

    /** The names that have a value. */
    public Set<String> names() {
        return values.keySet();
    }

    /** Whether a name has a value. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** The value of a name; null when it has none. */
    public String text(String name) {
        return values.get(name);
    }

    /** A value that is on or off (or yes, no, true, false, y, n); anything else is an {@link IllegalArgumentException}. */
    public boolean flag(String name, boolean whenAbsent) {
        String value = values.get(name);
        if (value == null) {
            return whenAbsent;
        }
        return switch (value) {
            case "on", "yes", "true", "y" -> true;
            case "off", "no", "false", "n" -> false;
            default -> throw new IllegalArgumentException("'" + name + "' is either on or off: " + name + "=" + value);
        };
    }

    /** The properties as they were written. */
    @Override
    public String toString() {
        return spelling;
    }

    private static int takeElement(String spelling, int from, StringBuilder element) {
        int at = from;
        while (at < spelling.length()) {
            char c = spelling.charAt(at++);
            if (c == ',') {
                if (at == spelling.length() || spelling.charAt(at) != ',') {
                    return at;
                }
                at++;
            }
            element.append(c);
        }
        return at;
    }

    private static void put(Map<String, String> values, String element, String impliedName, String spelling) {
        int equals = element.indexOf('=');
        if (equals > 0 && isName(element.substring(0, equals))) {
            values.put(element.substring(0, equals), element.substring(equals + 1));
        } else if (impliedName != null) {
            values.put(impliedName, element);
        } else if (!isName(element)) {
            throw new IllegalArgumentException("not of the form name=value: '" + element + "' in '" + spelling + "'");
        } else if (element.startsWith("no") && element.length() > 2) {
            values.put(element.substring(2), "off");
        } else {
            values.put(element, "on");
        }
    }

    private static boolean isName(String text) {
        return text.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*");
    }
}

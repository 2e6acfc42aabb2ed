package io.mhsld.cli;

import io.mhsld.cci.CciKind;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** How people call the commands of a component command interface: by number, or by name. */
final class CommandNames {
    private static final Pattern NUMBER = Pattern.compile("(?:0[xX])?([0-9a-fA-F]{1,4})[hH]?");

    private CommandNames() {}

    /**
     * The opcode of a word. One to four hexadecimal digits are an opcode, also one that nobody has; everything else is a name, or the beginning of
     * just one: letters of either case, hyphens for blanks. A word of digits that is no known opcode, but begins just one name, is that name.
     *
     * @throws IllegalArgumentException when it is none of these, or the beginning of several names
     */
    static int opcodeOf(String word) {
        var number = NUMBER.matcher(word);
        boolean isNumber = number.matches();
        if (isNumber && OpcodeTable.of(valueOf(number.group(1))).isPresent()) {
            return valueOf(number.group(1));
        }
        String wanted = plain(word);
        Map<Integer, String> found = new TreeMap<>();
        for (Opcode opcode : OpcodeTable.ALL) {
            String name = plain(opcode.name());
            if (name.equals(wanted)) {
                return opcode.code();
            }
            if (!wanted.isEmpty() && name.startsWith(wanted)) {
                found.put(opcode.code(), opcode.name());
            }
        }
        if (found.size() == 1) {
            return found.keySet().iterator().next();
        }
        if (isNumber) {
            return valueOf(number.group(1));
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("not an opcode: opcode=" + word
                    + " (one to four hexadecimal digits, or a name of mhsld cci --list)");
        }
        String names = found.entrySet().stream()
                .map(entry -> String.format("%04x %s", entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", "));
        throw new IllegalArgumentException("several commands begin so: opcode=" + word + " (" + names + ")");
    }

    /** The row of an opcode as an interface has it; of any interface when that one has none. */
    static Optional<Opcode> rowOf(int code, CciKind kind) {
        return OpcodeTable.ALL.stream()
                .filter(opcode -> opcode.code() == code && opcode.kinds().contains(kind))
                .findFirst()
                .or(() -> OpcodeTable.of(code));
    }

    /** All names as one word each: what completion offers. */
    static List<String> words() {
        return OpcodeTable.ALL.stream()
                .map(opcode -> plain(opcode.name()).replace(' ', '-'))
                .distinct()
                .toList();
    }

    /** Lower case, with single blanks for hyphens and underscores: two spellings of a name come to the same. */
    static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]+", " ").strip();
    }

    private static int valueOf(String digits) {
        return Integer.parseInt(digits, 16);
    }
}

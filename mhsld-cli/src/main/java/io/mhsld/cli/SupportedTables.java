package io.mhsld.cli;

import io.mhsld.cci.CommandEffect;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.qmp.QmpCommand;
import io.mhsld.qmp.QmpParameter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is supported, as Markdown made from the tables that the code runs by: the page in {@code docs}, and the short form in the README. */
final class SupportedTables {
    /** Command sets by the upper byte of the opcode (CXL r3.1 table 8-37 and 7.6.7). */
    private static final Map<Integer, String> SETS = Map.ofEntries(
            Map.entry(0x00, "information and status"),
            Map.entry(0x01, "events"),
            Map.entry(0x02, "firmware update"),
            Map.entry(0x03, "timestamp"),
            Map.entry(0x04, "logs"),
            Map.entry(0x05, "features"),
            Map.entry(0x06, "maintenance"),
            Map.entry(0x40, "identify memory device"),
            Map.entry(0x41, "capacity configuration and label storage"),
            Map.entry(0x42, "health information and alerts"),
            Map.entry(0x43, "media and poison management"),
            Map.entry(0x44, "sanitize and media operations"),
            Map.entry(0x45, "persistent memory security"),
            Map.entry(0x48, "dynamic capacity"),
            Map.entry(0x53, "MLD port: tunnel"),
            Map.entry(0x54, "MLD components"),
            Map.entry(0x55, "multi-headed devices"),
            Map.entry(0x56, "dynamic capacity management"));

    private SupportedTables() {}

    // ---- the page

    /** Every opcode and every QMP command, a row each. */
    static String page(List<QmpCommand> commands) {
        StringBuilder text = new StringBuilder("""
                # What is supported

                Made by `scripts/supported` from the tables that the code runs by; do not edit.

                ## CCI commands

                Interfaces: `mailbox` is a head's primary mailbox, `ld` the same head by messages, `fm` the FM-owned LD. Clauses are of CXL r3.1.

                | opcode | command | interfaces | input bytes | effects | clause |
                |---|---|---|---|---|---|
                """);
        for (Opcode opcode : OpcodeTable.ALL) {
            row(
                    text,
                    "`" + code(opcode) + "`",
                    opcode.name(),
                    String.join(", ", CciOperator.wordsOf(opcode)),
                    inputOf(opcode),
                    effectsOf(opcode),
                    clauseOf(opcode));
        }
        text.append("""

                ## QMP commands

                A `?` marks what may be left out.

                | command | arguments |
                |---|---|
                """);
        for (QmpCommand command : commands) {
            row(text, "`" + command.name() + "`", argumentsOf(command));
        }
        return text.toString();
    }

    private static String code(Opcode opcode) {
        return String.format("%04xh", opcode.code());
    }

    private static String inputOf(Opcode opcode) {
        int min = opcode.input().min();
        int max = opcode.input().max();
        return min == max ? Integer.toString(min) : min + "–" + max;
    }

    private static String effectsOf(Opcode opcode) {
        return opcode.effects().stream().sorted().map(SupportedTables::words).collect(Collectors.joining(", "));
    }

    /** An effect as the Command Effects Log's reader is told it. */
    static String words(CommandEffect effect) {
        return effect.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String clauseOf(Opcode opcode) {
        return Stream.of(opcode.request().clause(), opcode.response().clause())
                .filter(clause -> !clause.isEmpty())
                .findFirst()
                .orElse("");
    }

    private static String argumentsOf(QmpCommand command) {
        return command.parameters().members().stream()
                .map(SupportedTables::argument)
                .collect(Collectors.joining(", "));
    }

    private static String argument(QmpParameter parameter) {
        return "`" + parameter.name() + "`" + (parameter.optional() ? "?" : "");
    }

    private static void row(StringBuilder text, String... cells) {
        text.append(Arrays.stream(cells).collect(Collectors.joining(" | ", "| ", " |\n")));
    }

    // ---- the short form

    /** A row for each command set, and one for the QMP commands of each kind. */
    static String summary(List<QmpCommand> commands) {
        StringBuilder text = new StringBuilder("| CCI command set | opcodes |\n|---|---|\n");
        Map<Integer, List<Opcode>> sets = OpcodeTable.ALL.stream()
                .collect(
                        Collectors.groupingBy(opcode -> opcode.code() >> Byte.SIZE, TreeMap::new, Collectors.toList()));
        sets.forEach(
                (set, opcodes) -> row(text, SETS.getOrDefault(set, String.format("%02xh", set)), codesOf(opcodes)));
        text.append("\n| QMP commands | |\n|---|---|\n");
        row(text, "QEMU's for CXL", namesOf(commands, "cxl-"));
        row(text, "QEMU's for every machine", namesOf(commands, ""));
        row(text, "ours", namesOf(commands, "x-"));
        return text.toString();
    }

    private static String codesOf(List<Opcode> opcodes) {
        return opcodes.stream()
                .map(opcode -> "`" + code(opcode) + "`")
                .distinct()
                .collect(Collectors.joining(" "));
    }

    private static String namesOf(List<QmpCommand> commands, String prefix) {
        return commands.stream()
                .map(QmpCommand::name)
                .filter(name -> kindOf(name).equals(prefix))
                .map(name -> "`" + name + "`")
                .collect(Collectors.joining(" "));
    }

    private static String kindOf(String name) {
        return Stream.of("cxl-", "x-").filter(name::startsWith).findFirst().orElse("");
    }
}

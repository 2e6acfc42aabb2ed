package io.mhsld.cli;

import io.mhsld.cci.CciKind;
import io.mhsld.cci.Layout;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.cci.ReturnCode;
import io.mhsld.cli.CciVerb.Interface;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Sends one command to a head's mailbox, or another of its interfaces, and shows the answer by the layouts of the opcode table. */
final class CciOperator {
    private final HeadOperator operator;
    private final Console console;
    private final boolean json;

    CciOperator(HeadOperator operator, Console console, boolean json) {
        this.operator = operator;
        this.console = console;
        this.json = json;
    }

    /** The input layout of a command, empty when nobody has it. */
    static Optional<Layout> requestOf(int opcode, Interface through) {
        return CommandNames.rowOf(opcode, through.kind()).map(Opcode::request);
    }

    // ---- the list

    /** @param through null: all interfaces */
    static ExitCode list(Console console, Interface through, boolean verbose, boolean json) {
        List<Opcode> opcodes = OpcodeTable.ALL.stream()
                .filter(opcode -> through == null || opcode.kinds().contains(through.kind()))
                .toList();
        if (json) {
            console.out()
                    .println(QmpJson.write(
                            opcodes.stream().map(CciOperator::facts).toList()));
            return ExitCode.DONE;
        }
        for (Opcode opcode : opcodes) {
            String where = through == null ? "  (" + String.join(", ", wordsOf(opcode)) + ")" : "";
            console.out().printf("%04x  %s%s%n", opcode.code(), opcode.name(), where);
            String fields = PayloadText.fieldsOf(opcode.request());
            if (verbose && !fields.isEmpty()) {
                console.out().println("      " + fields);
            }
        }
        return ExitCode.DONE;
    }

    private static Map<String, Object> facts(Opcode opcode) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("opcode", String.format("%04x", opcode.code()));
        facts.put("name", opcode.name());
        facts.put("interfaces", wordsOf(opcode));
        facts.put(
                "effects",
                opcode.effects().stream().sorted().map(SupportedTables::words).toList());
        facts.put("fields", PayloadText.fieldsOf(opcode.request()));
        return facts;
    }

    /** The interfaces that have a command, by the words of {@code --interface}. */
    static List<String> wordsOf(Opcode opcode) {
        return Arrays.stream(Interface.values())
                .filter(through -> opcode.kinds().contains(through.kind()))
                .map(Interface::toString)
                .toList();
    }

    // ---- one command

    ExitCode send(Interface through, int opcode, byte[] input) {
        try (QmpClient client = operator.connect()) {
            Map<String, Object> arguments = new LinkedHashMap<>();
            arguments.put("opcode", opcode);
            arguments.put("payload", HexFormat.of().formatHex(input));
            if (through != Interface.MAILBOX) {
                arguments.put("interface", through.toString());
            }
            HeadAnswer answer = operator.ask(client, "x-cci", arguments);
            int number = (int) answer.number("return-code");
            byte[] output = answer.hexadecimal("payload");
            Optional<Opcode> row = CommandNames.rowOf(opcode, through.kind());
            if (json) {
                tellJson(opcode, row, number, output);
            } else {
                tellText(opcode, row, number, input, output, through.kind());
            }
            return number == ReturnCode.SUCCESS.value() || number == ReturnCode.BACKGROUND_STARTED.value()
                    ? ExitCode.DONE
                    : ExitCode.REFUSED;
        }
    }

    private static String nameOf(Optional<Opcode> row) {
        return row.map(Opcode::name).orElse("unknown command");
    }

    private static String codeOf(int number) {
        return ReturnCode.of(number).map(ReturnCode::toString).orElse("unknown");
    }

    private void tellJson(int opcode, Optional<Opcode> row, int number, byte[] output) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("opcode", String.format("%04x", opcode));
        facts.put("name", nameOf(row));
        facts.put("return-code", number);
        facts.put("return-code-name", codeOf(number));
        facts.put("payload", HexFormat.of().formatHex(output));
        if (row.isPresent() && output.length > 0) {
            facts.put("decoded", row.get().response().decode(output));
        }
        console.out().println(QmpJson.write(facts));
    }

    private void tellText(int opcode, Optional<Opcode> row, int number, byte[] input, byte[] output, CciKind kind) {
        console.out()
                .printf("%04x %s: %04x %s, %d bytes%n", opcode, nameOf(row), number, codeOf(number), output.length);
        if (row.isEmpty()) {
            return;
        }
        if (number == ReturnCode.INVALID_PAYLOAD_LENGTH.value()) {
            tellInput(row.get(), input.length);
        }
        if (number == ReturnCode.UNSUPPORTED.value() && !row.get().kinds().contains(kind)) {
            String others = wordsOf(row.get()).stream()
                    .map(word -> "--interface " + word)
                    .collect(Collectors.joining(", "));
            console.out().println("  another interface has it: " + others);
        }
        if (output.length > 0) {
            row.get().response().lines(output).forEach(line -> console.out().println("  " + line));
        }
    }

    private void tellInput(Opcode row, int met) {
        Opcode.InputLength input = row.input();
        String expected = input.min() == input.max() ? "" + input.min() : input.min() + " to " + input.max();
        console.out().printf("  input: %d bytes, the command takes %s%n", met, expected);
        List<String> fields = new ArrayList<>(List.of(PayloadText.fieldsOf(row.request())));
        fields.removeIf(String::isEmpty);
        fields.forEach(text -> console.out().println("  fields: " + text));
    }
}

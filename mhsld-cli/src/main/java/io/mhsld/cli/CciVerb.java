package io.mhsld.cli;

import io.mhsld.cci.CciKind;
import io.mhsld.state.DeviceFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One command of a component command interface, by number or by name. {@link CciOperator} does the work. */
@Command(
        name = "cci",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Send one command to a head as its host or a fabric manager would, and print the answer decoded:",
            "cci pool0 --head 0 get-dynamic-capacity-extent-list extentCount=16",
            "Without COMMAND, or with --list: list them."
        })
final class CciVerb extends Verb {
    /** Which of a head's interfaces, in the words of {@code x-cci}. */
    enum Interface {
        MAILBOX(CciKind.PRIMARY_MAILBOX),
        LD(CciKind.LD),
        FM(CciKind.FM_OWNED_LD);

        private final CciKind kind;

        Interface(CciKind kind) {
            this.kind = kind;
        }

        CciKind kind() {
            return kind;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Parameters(index = "0", paramLabel = "NAME", arity = "0..1", description = "The device: /dev/shm/NAME, or a path.")
    String name;

    @Parameters(
            index = "1",
            paramLabel = "COMMAND",
            arity = "0..1",
            description = {
                "Opcode in hexadecimal digits, or a name, or as much of it as tells it from others:",
                "4800, get-event-records, \"Get Event Records\"."
            })
    String command;

    @Parameters(
            index = "2..*",
            paramLabel = "PAYLOAD",
            arity = "0..*",
            description = {
                "Input: hexadecimal digits, or FIELD=VALUE ... (--list --verbose tells the fields; what is left out is 0).",
                "Entries of what repeats are one word: extents=0x10000000:2M,0x10400000:4M"
            })
    List<String> payload = new ArrayList<>();

    @Option(names = "--head", paramLabel = "H", description = "The head to speak to.")
    Integer head;

    @Option(
            names = "--interface",
            paramLabel = "WHICH",
            description = {
                "mailbox (default): what a driver uses; ld: the same head by messages;",
                "fm: the device as a whole, through this head."
            })
    Interface through;

    @Option(names = "--list", description = "List the commands, those of --interface or all; no head is needed.")
    boolean list;

    @Option(names = "--verbose", description = "With --list: the fields of each command's input.")
    boolean verbose;

    @Mixin
    JsonOption json;

    CciVerb(Console console) {
        super(console);
    }

    @Override
    ExitCode run() {
        if (list || command == null) {
            if (!list && name == null) {
                throw usage("Missing required parameter: 'NAME'");
            }
            return CciOperator.list(console, through, verbose, json.json);
        }
        if (head == null) {
            throw usage("Missing required option: '--head=H'");
        }
        Interface chosen = through == null ? Interface.MAILBOX : through;
        int opcode;
        byte[] bytes;
        try {
            opcode = CommandNames.opcodeOf(command);
            bytes = PayloadText.bytesOf(payload, CciOperator.requestOf(opcode, chosen));
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
        HeadOperator operator = new HeadOperator(DeviceFiles.named(name), head, console);
        return new CciOperator(operator, console, json.json).send(chosen, opcode, bytes);
    }
}

package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_POLICY_CHANGE;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import java.util.Arrays;
import java.util.List;

/** Command sets 03h and 04h: timestamp and logs (CXL r3.1 8.2.9.4, 8.2.9.5). The only log is the Command Effects Log. */
final class LogCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x0300, "Get Timestamp").output(Layouts.TIMESTAMP).runs(LogCommands::getTimestamp),
            row(0x0301, "Set Timestamp", IMMEDIATE_POLICY_CHANGE)
                    .input(exactly(8), Layouts.TIMESTAMP)
                    .runs(LogCommands::setTimestamp),
            row(0x0400, "Get Supported Logs").output(Layouts.SUPPORTED_LOGS).runs(LogCommands::getSupportedLogs),
            row(0x0401, "Get Log")
                    .input(exactly(0x18), Layouts.GET_LOG)
                    .output(Layouts.COMMAND_EFFECTS_LOG)
                    .runs(LogCommands::getLog));

    private LogCommands() {}

    static Response getTimestamp(Component component, byte[] input) {
        return Response.of(Layouts.TIMESTAMP.empty(0).set("timestampNs", component.timestampNs()));
    }

    static Response setTimestamp(Component component, byte[] input) {
        component.setTimestampNs(Layouts.TIMESTAMP.over(input).number("timestampNs"));
        return Response.of(ReturnCode.SUCCESS);
    }

    static Response getSupportedLogs(Component component, byte[] input) {
        Payload answer = Layouts.SUPPORTED_LOGS.empty(1);
        answer.entry(0)
                .set("logId", Layouts.COMMAND_EFFECTS_LOG_ID)
                .set("sizeBytes", commandEffectsLog(component).length);
        return Response.of(answer);
    }

    /** Offset and length are bytes; what they name must lie in the log and fit the payload. */
    static Response getLog(Component component, byte[] input) {
        Payload request = Layouts.GET_LOG.over(input);
        if (!request.uuid("logId").equals(Layouts.COMMAND_EFFECTS_LOG_ID)) {
            return Response.of(ReturnCode.INVALID_LOG);
        }
        byte[] log = commandEffectsLog(component);
        long offset = request.number("offsetBytes");
        long length = request.number("lengthBytes");
        if (length > Mailbox.MAX_PAYLOAD_BYTES || offset + length > log.length) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        return Response.of(Arrays.copyOfRange(log, (int) offset, (int) (offset + length)));
    }

    private static byte[] commandEffectsLog(Component component) {
        List<Opcode> commands = component.commands();
        Payload log = Layouts.COMMAND_EFFECTS_LOG.empty(commands.size());
        for (int i = 0; i < commands.size(); i++) {
            log.entry(i)
                    .set("opcode", commands.get(i).code())
                    .setFlags("effects", CommandEffect.bits(commands.get(i).effects()));
        }
        return log.toBytes();
    }
}

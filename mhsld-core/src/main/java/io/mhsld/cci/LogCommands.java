package io.mhsld.cci;

import java.util.Arrays;
import java.util.List;

/** Command sets 03h and 04h: timestamp and logs (CXL r3.1 8.2.9.4, 8.2.9.5). The only log is the Command Effects Log. */
final class LogCommands {
    private LogCommands() {}

    static Response getTimestamp(Component component, byte[] input) {
        return Response.of(
                Layouts.TIMESTAMP.empty(0).set("timestampNs", component.device().timestampNs()));
    }

    static Response setTimestamp(Component component, byte[] input) {
        component.device().setTimestampNs(Layouts.TIMESTAMP.over(input).number("timestampNs"));
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

package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_LOG_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_POLICY_CHANGE;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.DebugLog;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Command sets 03h and 04h: timestamp and logs (CXL r3.1 8.2.9.4, 8.2.9.5). Every interface has its Command Effects Log; a head has a Vendor Debug
 * Log besides, which is empty until the host has it populated.
 */
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
                    .runs(LogCommands::getLog),
            row(0x0402, "Get Log Capabilities")
                    .input(exactly(0x10), LogLayouts.LOG_ID)
                    .output(LogLayouts.LOG_CAPABILITIES)
                    .runs(LogCommands::getLogCapabilities),
            row(0x0403, "Clear Log", IMMEDIATE_LOG_CHANGE)
                    .input(exactly(0x10), LogLayouts.LOG_ID)
                    .runsOnLd(LogCommands::clearLog),
            row(0x0404, "Populate Log", IMMEDIATE_LOG_CHANGE)
                    .input(exactly(0x10), LogLayouts.LOG_ID)
                    .runsOnLd(LogCommands::populateLog),
            row(0x0405, "Get Supported Logs Sub-List")
                    .input(exactly(2), LogLayouts.GET_SUPPORTED_LOGS_SUB_LIST)
                    .output(LogLayouts.SUPPORTED_LOGS_SUB_LIST)
                    .runs(LogCommands::getSupportedLogsSubList));

    @SuppressWarnings("ArrayRecordComponent")
    private record Log(UUID id, byte[] bytes) {}

    private LogCommands() {}

    static Response getTimestamp(Component component, byte[] input) {
        return Response.of(Layouts.TIMESTAMP.empty(0).set("timestampNs", component.timestampNs()));
    }

    static Response setTimestamp(Component component, byte[] input) {
        component.setTimestampNs(Layouts.TIMESTAMP.over(input).number("timestampNs"));
        return Response.of(ReturnCode.SUCCESS);
    }

    static Response getSupportedLogs(Component component, byte[] input) {
        List<Log> logs = logs(component);
        Payload answer = Layouts.SUPPORTED_LOGS.empty(logs.size());
        for (int i = 0; i < logs.size(); i++) {
            write(logs.get(i), answer.entry(i));
        }
        return Response.of(answer);
    }

    static Response getSupportedLogsSubList(Component component, byte[] input) {
        Payload request = LogLayouts.GET_SUPPORTED_LOGS_SUB_LIST.over(input);
        List<Log> logs = logs(component);
        int limit = (int) request.number("entryLimit");
        int start = (int) request.number("startIndex");
        if (limit == 0 || start >= logs.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int count = Math.min(limit, logs.size() - start);
        Payload answer = LogLayouts.SUPPORTED_LOGS_SUB_LIST
                .empty(count)
                .set("totalCount", logs.size())
                .set("startIndex", start);
        for (int i = 0; i < count; i++) {
            write(logs.get(start + i), answer.entry(i));
        }
        return Response.of(answer);
    }

    private static void write(Log log, Payload entry) {
        entry.set("logId", log.id).set("sizeBytes", log.bytes.length);
    }

    /** Offset and length are bytes; what they name must lie in the log and fit the payload. */
    static Response getLog(Component component, byte[] input) {
        Payload request = Layouts.GET_LOG.over(input);
        Optional<Log> wanted = log(component, request);
        if (wanted.isEmpty()) {
            return Response.of(ReturnCode.INVALID_LOG);
        }
        byte[] log = wanted.get().bytes;
        long offset = request.number("offsetBytes");
        long length = request.number("lengthBytes");
        if (length > component.messageLimit().bytes() || offset + length > log.length) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        return Response.of(Arrays.copyOfRange(log, (int) offset, (int) (offset + length)));
    }

    /** The Command Effects Log is what it is; the Vendor Debug Log can be cleared and populated. */
    static Response getLogCapabilities(Component component, byte[] input) {
        Optional<Log> log = log(component, LogLayouts.LOG_ID.over(input));
        if (log.isEmpty()) {
            return Response.of(ReturnCode.INVALID_LOG);
        }
        boolean isDebugLog = log.get().id.equals(LogLayouts.VENDOR_DEBUG_LOG_ID);
        return Response.of(LogLayouts.LOG_CAPABILITIES
                .empty(0)
                .setFlag("capabilities", "clear log", isDebugLog)
                .setFlag("capabilities", "populate log", isDebugLog));
    }

    static Response clearLog(LdComponent component, byte[] input) {
        return change(input, component.device().debugLog()::clear);
    }

    static Response populateLog(LdComponent component, byte[] input) {
        return change(input, component.device()::populateDebugLog);
    }

    /** The Command Effects Log cannot be changed: Invalid Input; any other log is none. */
    private static Response change(byte[] input, Runnable action) {
        UUID id = LogLayouts.LOG_ID.over(input).uuid("logId");
        if (id.equals(LogLayouts.VENDOR_DEBUG_LOG_ID)) {
            action.run();
            return Response.of(ReturnCode.SUCCESS);
        }
        return Response.of(
                id.equals(Layouts.COMMAND_EFFECTS_LOG_ID) ? ReturnCode.INVALID_INPUT : ReturnCode.INVALID_LOG);
    }

    private static Optional<Log> log(Component component, Payload request) {
        UUID id = request.uuid("logId");
        return logs(component).stream().filter(log -> log.id.equals(id)).findFirst();
    }

    private static List<Log> logs(Component component) {
        List<Log> logs = new ArrayList<>();
        logs.add(new Log(Layouts.COMMAND_EFFECTS_LOG_ID, commandEffectsLog(component)));
        component
                .debugLog()
                .map(DebugLog::bytes)
                .ifPresent(bytes -> logs.add(new Log(LogLayouts.VENDOR_DEBUG_LOG_ID, bytes)));
        return logs;
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

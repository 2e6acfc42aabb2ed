package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_CONFIGURATION_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_LOG_CHANGE;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.between;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.Extent;
import java.util.List;
import java.util.Optional;

/** Command set 01h: event records and interrupts (CXL r3.1 8.2.9.2). */
final class EventCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x0100, "Get Event Records")
                    .input(exactly(1), EventLayouts.GET_EVENT_RECORDS)
                    .output(EventLayouts.EVENT_RECORDS)
                    .runsOnLd(EventCommands::getRecords),
            row(0x0101, "Clear Event Records", IMMEDIATE_LOG_CHANGE)
                    .input(atLeast(6), EventLayouts.CLEAR_EVENT_RECORDS)
                    .runsOnLd(EventCommands::clearRecords),
            row(0x0102, "Get Event Interrupt Policy")
                    .output(EventLayouts.EVENT_INTERRUPT_POLICY)
                    .runsOnLd(EventCommands::getInterruptPolicy),
            row(0x0103, "Set Event Interrupt Policy", IMMEDIATE_CONFIGURATION_CHANGE)
                    .input(between(4, 5), EventLayouts.SET_EVENT_INTERRUPT_POLICY)
                    .runsOnLd(EventCommands::setInterruptPolicy));

    private EventCommands() {}

    static Response getRecords(LdComponent component, byte[] input) {
        Optional<EventLog> log = log(component, EventLayouts.GET_EVENT_RECORDS.over(input));
        int limit = EventLayouts.EVENT_RECORDS.entriesWithin(
                component.messageLimit().bytes());
        return log.map(present -> records(present, limit)).orElse(Response.of(ReturnCode.INVALID_INPUT));
    }

    private static Response records(EventLog log, int limit) {
        List<EventRecord> records = log.oldest(limit);
        Payload answer = EventLayouts.EVENT_RECORDS
                .empty(records.size())
                .setFlag("flags", "overflow", log.overflowCount() > 0)
                .setFlag("flags", "more", log.size() > records.size())
                .set("overflowCount", log.overflowCount())
                .set("firstOverflowNs", log.firstOverflowNs())
                .set("lastOverflowNs", log.lastOverflowNs());
        for (int i = 0; i < records.size(); i++) {
            EventRecordWriter.write(records.get(i), answer, i);
        }
        return Response.of(answer);
    }

    static void write(Extent extent, Payload entry) {
        entry.set("startDpa", extent.startDpa())
                .set("lengthBytes", extent.lengthBytes())
                .set("tag", extent.tag())
                .set("sharedSequence", extent.sharedSequence());
    }

    /**
     * The handles must be the oldest ones, in order. Clear All names no handles and empties the log. The specification has it refused, with
     * Invalid Input, unless the log has overflowed (CXL r3.1 8.2.9.2.3); here it is always done, because tools use it for any log.
     */
    static Response clearRecords(LdComponent component, byte[] input) {
        Payload request = EventLayouts.CLEAR_EVENT_RECORDS.over(input);
        Optional<EventLog> log = log(component, request);
        boolean clearsAll = request.flag("flags", "clear all");
        if (log.isEmpty() || (clearsAll && request.entryCount() > 0)) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        if (clearsAll) {
            log.get().clearAll();
            return Response.of(ReturnCode.SUCCESS);
        }
        int[] handles = new int[request.entryCount()];
        for (int i = 0; i < handles.length; i++) {
            handles[i] = (int) request.entry(i).number("handle");
        }
        return Response.of(log.get().clear(handles));
    }

    private static Optional<EventLog> log(LdComponent component, Payload request) {
        int log = (int) request.number("log");
        EventLog.Kind[] kinds = EventLog.Kind.values();
        return log < kinds.length ? Optional.of(component.device().log(kinds[log])) : Optional.empty();
    }

    static Response getInterruptPolicy(LdComponent component, byte[] input) {
        EventInterruptPolicy policy = component.interruptPolicy();
        return Response.of(EventLayouts.EVENT_INTERRUPT_POLICY
                .empty(0)
                .set("informational", policy.setting(EventLog.Kind.INFORMATIONAL))
                .set("warning", policy.setting(EventLog.Kind.WARNING))
                .set("failure", policy.setting(EventLog.Kind.FAILURE))
                .set("fatal", policy.setting(EventLog.Kind.FATAL))
                .set("dynamicCapacity", policy.setting(EventLog.Kind.DYNAMIC_CAPACITY)));
    }

    /** An input of 4 bytes leaves the dynamic-capacity log as it is. */
    static Response setInterruptPolicy(LdComponent component, byte[] input) {
        boolean done = component.interruptPolicy().trySet(input);
        return Response.of(done ? ReturnCode.SUCCESS : ReturnCode.INVALID_INPUT);
    }
}

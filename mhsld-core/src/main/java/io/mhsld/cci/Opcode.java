package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_CONFIGURATION_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_LOG_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_POLICY_CHANGE;

import io.mhsld.cci.Component.Handler;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One command of the component command interface: a row of {@link #TABLE}. */
public final class Opcode {
    /** All commands, by ascending opcode (CXL r3.1 table 8-37 and 7.6.7). A mailbox supports those that its device has the means for. */
    public static final List<Opcode> TABLE = List.of(
            row(0x0100, "Get Event Records")
                    .input(exactly(1), Layouts.GET_EVENT_RECORDS)
                    .output(Layouts.EVENT_RECORDS)
                    .runs(EventCommands::getRecords),
            row(0x0101, "Clear Event Records", IMMEDIATE_LOG_CHANGE)
                    .input(atLeast(6), Layouts.CLEAR_EVENT_RECORDS)
                    .runs(EventCommands::clearRecords),
            row(0x0102, "Get Event Interrupt Policy")
                    .output(Layouts.EVENT_INTERRUPT_POLICY)
                    .runs(EventCommands::getInterruptPolicy),
            row(0x0103, "Set Event Interrupt Policy", IMMEDIATE_CONFIGURATION_CHANGE)
                    .input(between(4, 5), Layouts.SET_EVENT_INTERRUPT_POLICY)
                    .runs(EventCommands::setInterruptPolicy),
            row(0x0300, "Get Timestamp").output(Layouts.TIMESTAMP).runs(LogCommands::getTimestamp),
            row(0x0301, "Set Timestamp", IMMEDIATE_POLICY_CHANGE)
                    .input(exactly(8), Layouts.TIMESTAMP)
                    .runs(LogCommands::setTimestamp),
            row(0x0400, "Get Supported Logs").output(Layouts.SUPPORTED_LOGS).runs(LogCommands::getSupportedLogs),
            row(0x0401, "Get Log")
                    .input(exactly(0x18), Layouts.GET_LOG)
                    .output(Layouts.COMMAND_EFFECTS_LOG)
                    .runs(LogCommands::getLog),
            row(0x4000, "Identify Memory Device")
                    .output(Layouts.IDENTIFY_MEMORY_DEVICE)
                    .runs(MemoryDeviceCommands::identify),
            row(0x4800, "Get Dynamic Capacity Configuration")
                    .input(exactly(2), Layouts.GET_DC_CONFIGURATION)
                    .output(Layouts.DC_CONFIGURATION)
                    .runs(DynamicCapacityCommands::getConfiguration),
            row(0x4801, "Get Dynamic Capacity Extent List")
                    .input(exactly(8), Layouts.GET_DC_EXTENT_LIST)
                    .output(Layouts.DC_EXTENT_LIST)
                    .runs(DynamicCapacityCommands::getExtentList),
            row(0x4802, "Add Dynamic Capacity Response", IMMEDIATE_DATA_CHANGE)
                    .input(atLeast(8), Layouts.HOST_EXTENT_LIST)
                    .runs(DynamicCapacityCommands::addResponse),
            row(0x4803, "Release Dynamic Capacity", IMMEDIATE_DATA_CHANGE)
                    .input(atLeast(8), Layouts.HOST_EXTENT_LIST)
                    .runs(DynamicCapacityCommands::release),
            row(0x5500, "Get Multi-Headed Info")
                    .onlyMultiHeaded()
                    .input(exactly(2), Layouts.GET_MULTI_HEADED_INFO)
                    .output(Layouts.MULTI_HEADED_INFO)
                    .runs(MultiHeadCommands::getMultiHeadedInfo),
            row(0x5501, "Get Head Info")
                    .onlyMultiHeaded()
                    .input(exactly(2), Layouts.GET_HEAD_INFO)
                    .output(Layouts.HEAD_INFO)
                    .runs(MultiHeadCommands::getHeadInfo));

    /**
     * The input lengths that a command takes.
     *
     * @param min in bytes
     * @param max in bytes
     */
    public record InputLength(int min, int max) {
        boolean allows(int length) {
            return length >= min && length <= max;
        }
    }

    private final int code;
    private final String name;
    private final InputLength input;
    private final Set<CommandEffect> effects;
    private final Layout request;
    private final Layout response;
    private final boolean onlyMultiHeaded;
    private final Handler handler;

    private Opcode(Row row, Handler handler) {
        this.code = row.code;
        this.name = row.name;
        this.input = row.input;
        this.effects = row.effects;
        this.request = row.request;
        this.response = row.response;
        this.onlyMultiHeaded = row.onlyMultiHeaded;
        this.handler = handler;
    }

    /** The row of a command, empty when this implementation has none. */
    public static Optional<Opcode> of(int code) {
        return TABLE.stream().filter(opcode -> opcode.code == code).findFirst();
    }

    /** Command set in bits 15:8, command in bits 7:0. */
    public int code() {
        return code;
    }

    /** The command's name in the specification. */
    public String name() {
        return name;
    }

    /** The input lengths that it takes. */
    public InputLength input() {
        return input;
    }

    /** What it may change. */
    public Set<CommandEffect> effects() {
        return effects;
    }

    /** Its input payload; a layout without fields when it has none. */
    public Layout request() {
        return request;
    }

    /** Its output payload; a layout without fields when it has none. */
    public Layout response() {
        return response;
    }

    /** True when only devices with more than one head have it. */
    public boolean isOnlyMultiHeaded() {
        return onlyMultiHeaded;
    }

    /** True when the length is right, also for as many entries as the input claims to have. */
    boolean takes(byte[] payload) {
        return input.allows(payload.length) && request.isHeldBy(payload);
    }

    Response run(Component component, byte[] payload) {
        return handler.handle(component, payload);
    }

    @Override
    public String toString() {
        return String.format("%04xh %s", code, name);
    }

    // ---- how a row is written

    private static InputLength exactly(int length) {
        return new InputLength(length, length);
    }

    private static InputLength between(int min, int max) {
        return new InputLength(min, max);
    }

    private static InputLength atLeast(int min) {
        return new InputLength(min, Mailbox.MAX_PAYLOAD_BYTES);
    }

    private static Row row(int code, String name, CommandEffect... effects) {
        return new Row(code, name, Set.of(effects));
    }

    private static final class Row {
        private static final Layout NO_PAYLOAD = Layout.named("no payload", "").build();

        private final int code;
        private final String name;
        private final Set<CommandEffect> effects;
        private InputLength input = exactly(0);
        private Layout request = NO_PAYLOAD;
        private Layout response = NO_PAYLOAD;
        private boolean onlyMultiHeaded;

        private Row(int code, String name, Set<CommandEffect> effects) {
            this.code = code;
            this.name = name;
            this.effects = effects;
        }

        private Row input(InputLength length, Layout layout) {
            input = length;
            request = layout;
            return this;
        }

        private Row output(Layout layout) {
            response = layout;
            return this;
        }

        private Row onlyMultiHeaded() {
            onlyMultiHeaded = true;
            return this;
        }

        private Opcode runs(Handler handler) {
            return new Opcode(this, handler);
        }
    }
}

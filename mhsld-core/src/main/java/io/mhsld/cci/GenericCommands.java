package io.mhsld.cci;

import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.BackgroundOperations;
import java.util.List;

/** Command set 00h: who answers, how long, and what it does besides (CXL r3.1 8.2.9.1). */
final class GenericCommands {
    /** The rows of the opcode table that this class runs. A mailbox has registers for the first four. */
    static final List<Opcode> ROWS = List.of(
            row(0x0001, "Identify")
                    .on(CciKind.OF_MESSAGES)
                    .output(GenericLayouts.IDENTITY)
                    .runs(GenericCommands::identify),
            row(0x0002, "Background Operation Status")
                    .on(CciKind.OF_MESSAGES)
                    .output(GenericLayouts.BACKGROUND_STATUS)
                    .runs(GenericCommands::backgroundStatus),
            row(0x0003, "Get Response Message Limit")
                    .on(CciKind.OF_MESSAGES)
                    .output(GenericLayouts.MESSAGE_LIMIT)
                    .runs(GenericCommands::getMessageLimit),
            row(0x0004, "Set Response Message Limit")
                    .on(CciKind.OF_MESSAGES)
                    .input(exactly(1), GenericLayouts.MESSAGE_LIMIT)
                    .output(GenericLayouts.MESSAGE_LIMIT)
                    .runs(GenericCommands::setMessageLimit),
            row(0x0005, "Request Abort Background Operation").runs(GenericCommands::abort));

    private static final int IN_PROGRESS = 1;
    private static final int PERCENT_SHIFT = 1;

    private GenericCommands() {}

    static Response identify(Component component, byte[] input) {
        ComponentIdentity identity = component.identity();
        return Response.of(GenericLayouts.IDENTITY
                .empty(0)
                .set("vendorId", ComponentIdentity.VENDOR_ID)
                .set("deviceId", identity.deviceId())
                .set("subsystemVendorId", ComponentIdentity.VENDOR_ID)
                .set("subsystemId", identity.deviceId())
                .set("serialNumber", identity.serial())
                .set("maxMessageSizeExponent", component.messageLimit().maxExponent())
                .set("componentType", identity.componentType()));
    }

    /** Zeros when there has been no background operation. */
    static Response backgroundStatus(Component component, byte[] input) {
        BackgroundOperations.Status status = component.background().status();
        boolean isRunning = status.state() == BackgroundOperations.State.RUNNING;
        return Response.of(GenericLayouts.BACKGROUND_STATUS
                .empty(0)
                .set("status", status.percent() << PERCENT_SHIFT | (isRunning ? IN_PROGRESS : 0))
                .set("opcode", status.command())
                .set("returnCode", ReturnCode.of(status).value()));
    }

    static Response getMessageLimit(Component component, byte[] input) {
        return limit(component);
    }

    static Response setMessageLimit(Component component, byte[] input) {
        int exponent = (int) GenericLayouts.MESSAGE_LIMIT.over(input).number("exponent");
        return component.messageLimit().trySet(exponent) ? limit(component) : Response.of(ReturnCode.INVALID_INPUT);
    }

    private static Response limit(Component component) {
        return Response.of(GenericLayouts.MESSAGE_LIMIT
                .empty(0)
                .set("exponent", component.messageLimit().exponent()));
    }

    static Response abort(Component component, byte[] input) {
        return Response.of(component.background().abort());
    }
}

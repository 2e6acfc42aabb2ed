package io.mhsld.cci;

import static io.mhsld.cci.Opcode.between;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.cci.FmComponent.Turn;
import java.util.Arrays;
import java.util.Set;
import java.util.function.Consumer;

/** 5300h: a command for another interface of the device, packed into one for this (CXL r3.1 7.6.7.3.1). */
final class TunnelCommand {
    /** The row of the opcode table. */
    static final Opcode ROW = row(0x5300, "Tunnel Management Command")
            .input(between(4, FmOwnedLd.MAX_PAYLOAD_BYTES), FabricLayouts.TUNNEL)
            .output(FabricLayouts.TUNNELLED)
            .on(Set.of(CciKind.FM_OWNED_LD))
            .runs((component, input) -> tunnel((FmComponent) component, input));

    private static final int TO_LD = 0;
    private static final int TO_LD_POOL = 1;

    /** A tunnel in a tunnel reaches an LD by way of the LD pool; deeper ones lead nowhere else. */
    private static final int MAX_DEPTH = 2;

    /** Of a tunnel's answer: its head, a message type, the header of the message. */
    private static final int MAX_AROUND = 4 + 1 + CciMessage.HEADER_BYTES;

    /** MCTP message type of a CCI message (DSP0281), before the message where the dialect has it there. */
    private static final int CCI_TYPE = 0x08;

    private static final int FM_API_TYPE = 0x07;

    private TunnelCommand() {}

    /** What the inner command comes to stands in the inner response; the outer one tells only whether it got there. */
    private static Response tunnel(FmComponent component, byte[] input) {
        Payload request = FabricLayouts.TUNNEL.over(input);
        Turn turn = component.turn();
        int headerStart = FabricLayouts.TUNNEL.headLength() + (turn.dialect().tunnelsWithType() ? 1 : 0);
        boolean fits = request.number("commandLength") == request.entryCount()
                && input.length >= headerStart + CciMessage.HEADER_BYTES;
        if (!fits) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        CciMessage command = CciMessage.read(input, headerStart, input.length);
        if (command.lengthBytes() != input.length - headerStart - CciMessage.HEADER_BYTES) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        int type = turn.dialect().tunnelsWithType() ? input[headerStart - 1] : CCI_TYPE;
        if (!command.isRequest() || (type != CCI_TYPE && type != FM_API_TYPE)) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int targetType = (int) request.number("targetType");
        int ld = (int) request.number("portOrLd");
        if (targetType == TO_LD && ld < component.operations().ldCount()) {
            return component.forwarded(answer -> component
                    .operations()
                    .forward(
                            ld,
                            CciKind.LD,
                            command.opcode(),
                            command.payload(),
                            response -> answer.accept(
                                    response.isUndelivered() ? response : packed(command, type, response, turn))));
        }
        if (targetType == TO_LD_POOL && turn.depth() + 1 < MAX_DEPTH) {
            return component.forwarded(answer ->
                    inside(component, command, turn, response -> answer.accept(packed(command, type, response, turn))));
        }
        return Response.of(ReturnCode.INVALID_INPUT);
    }

    private static void inside(FmComponent component, CciMessage command, Turn turn, Consumer<Response> answer) {
        component
                .door()
                .execute(command.opcode(), command.payload(), new Turn(turn.dialect(), turn.depth() + 1, answer));
    }

    private static Response packed(CciMessage command, int type, Response response, Turn turn) {
        if (response.length() > FmOwnedLd.MAX_PAYLOAD_BYTES - MAX_AROUND) {
            return Response.of(ReturnCode.RESOURCES_EXHAUSTED);
        }
        byte[] message = command.answer(response, turn.dialect());
        int start = FabricLayouts.TUNNELLED.headLength() + (turn.dialect().tunnelsWithType() ? 1 : 0);
        byte[] packed = Arrays.copyOf(new byte[0], start + message.length);
        int length = packed.length - FabricLayouts.TUNNELLED.headLength();
        packed[0] = (byte) length;
        packed[1] = (byte) (length >>> Byte.SIZE);
        if (turn.dialect().tunnelsWithType()) {
            packed[start - 1] = (byte) type;
        }
        System.arraycopy(message, 0, packed, start, message.length);
        return Response.of(packed);
    }
}

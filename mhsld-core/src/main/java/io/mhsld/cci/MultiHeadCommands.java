package io.mhsld.cci;

import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import java.util.List;

/** Command set 55h: what a device with several heads tells about itself (CXL r3.1 7.6.7.5). */
final class MultiHeadCommands {
    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
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

    private MultiHeadCommands() {}

    /** The limit bounds the answer and may exceed the number of LDs; a limit of 0 would ask for a map without entries. */
    static Response getMultiHeadedInfo(Component component, byte[] input) {
        Payload request = Layouts.GET_MULTI_HEADED_INFO.over(input);
        MultiHeadInfo info = component.multiHead().orElseThrow();
        int start = (int) request.number("startLd");
        int limit = (int) request.number("mapLengthLimit");
        if (start >= info.ldCount() || limit == 0) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int count = Math.min(limit, info.ldCount() - start);
        Payload answer = Layouts.MULTI_HEADED_INFO
                .empty(count)
                .set("ldCount", info.ldCount())
                .set("headCount", info.headCount())
                .set("startLd", start);
        for (int i = 0; i < count; i++) {
            answer.entry(i).set("head", info.headOf(start + i));
        }
        return Response.of(answer);
    }

    /** Every head that is asked for must exist. */
    static Response getHeadInfo(Component component, byte[] input) {
        Payload request = Layouts.GET_HEAD_INFO.over(input);
        MultiHeadInfo info = component.multiHead().orElseThrow();
        int start = (int) request.number("startHead");
        int count = (int) request.number("headCount");
        if (start >= info.headCount() || count == 0 || start + count > info.headCount()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        Payload answer = Layouts.HEAD_INFO.empty(count);
        for (int i = 0; i < count; i++) {
            write(start + i, info.isAttached(start + i) ? LinkState.UP : LinkState.DOWN, answer.entry(i));
        }
        return Response.of(answer);
    }

    private static void write(int head, LinkState link, Payload entry) {
        entry.set("port", head)
                .set("maxLinkWidth", LinkState.LANES)
                .set("negotiatedLinkWidth", link.negotiatedWidth)
                .setFlags("supportedLinkSpeeds", LinkState.SPEEDS_UP_TO_32_GT)
                .set("maxLinkSpeed", LinkState.SPEED_32_GT)
                .set("currentLinkSpeed", link.currentSpeed)
                .set("linkTrainingState", link.trainingState)
                .setFlag("linkFlags", "port present", link == LinkState.UP);
    }
}

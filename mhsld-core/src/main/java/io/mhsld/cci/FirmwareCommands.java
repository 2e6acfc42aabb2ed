package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.BACKGROUND_OPERATION;
import static io.mhsld.cci.CommandEffect.REQUEST_ABORT_SUPPORTED;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.BackgroundOperations.Work;
import io.mhsld.type3.Firmware;
import io.mhsld.type3.Refusal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Command set 02h: firmware and its slots (CXL r3.1 8.2.9.3). */
final class FirmwareCommands {
    private static final int TRANSFER = 0x0201;
    private static final int ACTIVATE = 0x0202;

    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x0200, "Get FW Info").output(FirmwareLayouts.FIRMWARE_INFO).runsOnLd(FirmwareCommands::getInfo),
            row(TRANSFER, "Transfer FW", BACKGROUND_OPERATION, REQUEST_ABORT_SUPPORTED)
                    .input(atLeast(0x80), FirmwareLayouts.TRANSFER_FIRMWARE)
                    .inBackground()
                    .runsOnLd(FirmwareCommands::transfer),
            row(ACTIVATE, "Activate FW", BACKGROUND_OPERATION, REQUEST_ABORT_SUPPORTED)
                    .input(exactly(2), FirmwareLayouts.ACTIVATE_FIRMWARE)
                    .inBackground()
                    .runsOnLd(FirmwareCommands::activate));

    private static final int FULL = 0;
    private static final int INITIATE = 1;
    private static final int CONTINUE = 2;
    private static final int END = 3;
    private static final int ABORT = 4;
    private static final int ONLINE = 0;
    private static final int ON_NEXT_RESET = 1;
    private static final int STAGED_SHIFT = 3;

    private FirmwareCommands() {}

    static Response getInfo(LdComponent component, byte[] input) {
        Firmware firmware = component.device().firmware();
        Payload answer = FirmwareLayouts.FIRMWARE_INFO
                .empty(0)
                .set("slotCount", Firmware.SLOTS)
                .set("slots", firmware.stagedSlot() << STAGED_SHIFT | firmware.activeSlot())
                .setFlag("capabilities", "online activation", true);
        for (int slot = 1; slot <= Firmware.SLOTS; slot++) {
            answer.set("revision" + slot, firmware.revision(slot).orElse(""));
        }
        return Response.of(answer);
    }

    /** A whole package is stored at once, one in parts in the background after its last part. */
    static Response transfer(LdComponent component, byte[] input) {
        Payload request = FirmwareLayouts.TRANSFER_FIRMWARE.over(input);
        Firmware firmware = component.device().firmware();
        int slot = (int) request.number("slot");
        long offset = request.number("offset") * FirmwareLayouts.OFFSET_UNIT_BYTES;
        byte[] data = Arrays.copyOfRange(input, (int) FirmwareLayouts.TRANSFER_FIRMWARE.lengthBytes(0), input.length);
        switch ((int) request.number("action")) {
            case FULL -> {
                return Response.of(firmware.transferWhole(slot, data));
            }
            case INITIATE -> {
                return Response.of(firmware.begin(offset, data));
            }
            case CONTINUE -> {
                return Response.of(firmware.append(offset, data));
            }
            case END -> {
                Optional<Refusal> refusal = firmware.end(slot, offset, data);
                return refusal.isPresent()
                        ? Response.of(refusal)
                        : Response.started(component.background(), TRANSFER, firmware.storing(slot));
            }
            case ABORT -> {
                firmware.abortTransfer();
                return Response.of(ReturnCode.SUCCESS);
            }
            default -> {
                return Response.of(ReturnCode.INVALID_INPUT);
            }
        }
    }

    /** The active slot is active at once. */
    static Response activate(LdComponent component, byte[] input) {
        Payload request = FirmwareLayouts.ACTIVATE_FIRMWARE.over(input);
        Firmware firmware = component.device().firmware();
        int slot = (int) request.number("slot");
        switch ((int) request.number("action")) {
            case ONLINE -> {
                Optional<Refusal> refusal = firmware.checkOnlineActivation(slot);
                Work activating = firmware.activating(slot);
                return refusal.isPresent() || slot == firmware.activeSlot()
                        ? Response.of(refusal)
                        : Response.started(component.background(), ACTIVATE, activating);
            }
            case ON_NEXT_RESET -> {
                return Response.of(firmware.stage(slot));
            }
            default -> {
                return Response.of(ReturnCode.INVALID_INPUT);
            }
        }
    }
}

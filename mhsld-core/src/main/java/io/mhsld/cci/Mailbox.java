package io.mhsld.cci;

import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The primary mailbox of a head: runs one command at a time on its Type-3 device. Any opcode and any bytes get an answer; nothing that a host
 * sends throws. One thread at a time, the device's.
 */
public final class Mailbox {
    /** Limit of input and output payloads (CXL r3.1 8.2.8.4.3: 2^n bytes, n = 11). */
    public static final int MAX_PAYLOAD_BYTES = 1 << 11;

    private final Component component;
    private final Consumer<? super RuntimeException> errors;

    /**
     * @param multiHead empty on a device with one head: then the multi-headed command set is not supported
     * @param errors told of faults of ours, which the host sees as Internal Error only
     */
    public Mailbox(Type3Device device, Optional<MultiHeadInfo> multiHead, Consumer<? super RuntimeException> errors) {
        List<Opcode> commands = Opcode.TABLE.stream()
                .filter(opcode -> multiHead.isPresent() || !opcode.isOnlyMultiHeaded())
                .toList();
        this.component = new Component(device, multiHead, new EventInterruptPolicy(), commands);
        this.errors = errors;
    }

    /** The commands that this mailbox supports, by ascending opcode: what the Command Effects Log lists. */
    public List<Opcode> commands() {
        return component.commands();
    }

    /**
     * Runs a command to its end. Refused before anything is looked at: an opcode that is not supported, with Unsupported; an input of the wrong
     * length, with Invalid Payload Length (bytes after the last entry of an extent or handle list are not looked at).
     */
    public Response execute(int opcode, byte[] payload) {
        Optional<Opcode> command = component.commands().stream()
                .filter(candidate -> candidate.code() == opcode)
                .findFirst();
        if (command.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        if (payload.length > MAX_PAYLOAD_BYTES || !command.get().takes(payload)) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        try {
            Response response = command.get().run(component, payload.clone());
            if (response.length() > MAX_PAYLOAD_BYTES) {
                throw new IllegalStateException("output payload too long: length=" + response.length());
            }
            return response;
        } catch (RuntimeException e) {
            errors.accept(new IllegalStateException("command failed: opcode=" + command.get(), e));
            return Response.of(ReturnCode.INTERNAL_ERROR);
        }
    }

    /** The host behind the device has restarted: what it had set through this mailbox is forgotten. The device is reset by itself. */
    public void reset() {
        component.interruptPolicy().reset();
    }
}

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

    private final LdComponent component;
    private final CommandRunner runner;
    private final Consumer<? super RuntimeException> errors;
    private Mailbox ldCci;

    /**
     * @param multiHead empty on a device with one head: then the multi-headed command set is not supported
     * @param errors told of faults of ours, which the host sees as Internal Error only
     */
    public Mailbox(Type3Device device, Optional<MultiHeadInfo> multiHead, Consumer<? super RuntimeException> errors) {
        this(
                new LdComponent(
                        CciKind.PRIMARY_MAILBOX,
                        device,
                        multiHead,
                        new EventInterruptPolicy(),
                        new MediaCursors(),
                        new MessageLimit(Mailbox.MAX_PAYLOAD_BYTES),
                        OpcodeTable.of(CciKind.PRIMARY_MAILBOX, multiHead.isPresent())),
                errors);
        device.onFirstEvent(component.interruptPolicy()::firstRecord);
    }

    private Mailbox(LdComponent component, Consumer<? super RuntimeException> errors) {
        this.component = component;
        this.runner = new CommandRunner(component, MAX_PAYLOAD_BYTES, errors);
        this.errors = errors;
    }

    /** The same head as messages reach it: its LD's CCI, one for all who send them. It shares the head's state with the mailbox. */
    public Mailbox ldCci() {
        if (ldCci == null) {
            ldCci = new Mailbox(component.through(CciKind.LD), errors);
        }
        return ldCci;
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
        return runner.execute(opcode, payload);
    }

    /** Tells this listener, and no other, of the interrupts that the host's event interrupt policy asks for. */
    public void onInterrupt(InterruptListener listener) {
        component.interruptPolicy().onInterrupt(listener);
    }

    /** The host behind the device has restarted: what was set through this mailbox, and the LD's CCI, is forgotten. The device is reset by itself. */
    public void reset() {
        component.interruptPolicy().reset();
        component.cursors().reset();
        component.messageLimit().reset();
        if (ldCci != null) {
            ldCci.reset();
        }
    }
}

package io.mhsld.cci;

import io.mhsld.cci.FmComponent.Turn;
import java.time.Clock;
import java.util.List;
import java.util.function.Consumer;

/**
 * The FM-owned LD's command interface: the device as the fabric manager sees it (CXL r3.1 7.6.7.6), with a tunnel to each LD. Any opcode and any
 * bytes get exactly one answer; nothing that a client sends throws. One thread at a time.
 *
 * <p>Commands that a head has to run are answered when it has. Several of them may be under way.
 */
public final class FmOwnedLd {
    /** Limit of input and output payloads: a message of a head's mailbox fits in a tunnel, with a tunnel around it. */
    public static final int MAX_PAYLOAD_BYTES = 1 << 12;

    private final FmComponent component;
    private final CommandRunner runner;
    private final Consumer<? super RuntimeException> errors;

    /** @param errors told of faults of ours, which the client sees as Internal Error only */
    public FmOwnedLd(FabricOperations operations, Consumer<? super RuntimeException> errors) {
        this.component = new FmComponent(operations, Clock.systemUTC(), this);
        this.runner = new CommandRunner(component, MAX_PAYLOAD_BYTES, errors);
        this.errors = errors;
    }

    /** The commands of this interface, by ascending opcode: what the Command Effects Log lists. */
    public List<Opcode> commands() {
        return component.commands();
    }

    /**
     * Runs a command. Refused before anything is looked at: an opcode that is not supported, with Unsupported; an input of the wrong length, with
     * Invalid Payload Length.
     *
     * @param dialect how messages in a tunnel are written
     * @param answer called once, on this thread, maybe before this returns
     */
    public void execute(int opcode, byte[] payload, CciDialect dialect, Consumer<? super Response> answer) {
        execute(opcode, payload, new Turn(dialect, 0, answer));
    }

    void execute(int opcode, byte[] payload, Turn turn) {
        Turn before = component.begin(turn);
        try {
            Response response = runner.execute(opcode, payload);
            // What goes wrong while it is forwarded is answered here, unless it was answered before.
            if (!turn.isForwarded() || response.code() == ReturnCode.INTERNAL_ERROR) {
                turn.answer(response);
            }
        } catch (RuntimeException e) {
            errors.accept(e);
            turn.answer(Response.of(ReturnCode.INTERNAL_ERROR));
        } finally {
            component.begin(before);
        }
    }
}

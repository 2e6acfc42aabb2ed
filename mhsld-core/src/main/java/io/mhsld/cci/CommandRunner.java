package io.mhsld.cci;

import java.util.function.Consumer;

/** Runs the commands of one interface, one at a time: what is the same for every command and interface. */
final class CommandRunner {
    private final Component component;
    private final int maxPayloadBytes;
    private final Consumer<? super RuntimeException> errors;

    /** By the two bytes of the opcode: command set, and command. */
    private final Opcode[][] commands = new Opcode[256][];

    /** @param errors told of faults of ours, which the client sees as Internal Error only */
    CommandRunner(Component component, int maxPayloadBytes, Consumer<? super RuntimeException> errors) {
        this.component = component;
        this.maxPayloadBytes = maxPayloadBytes;
        this.errors = errors;
        component.commands().forEach(this::put);
    }

    private void put(Opcode opcode) {
        int set = opcode.code() >>> Byte.SIZE;
        if (commands[set] == null) {
            commands[set] = new Opcode[256];
        }
        commands[set][opcode.code() & 0xFF] = opcode;
    }

    /** Null when there is none; any number may be asked for. */
    private Opcode commandOf(int opcode) {
        Opcode[] set = opcode >>> Short.SIZE == 0 ? commands[opcode >>> Byte.SIZE] : null;
        return set == null ? null : set[opcode & 0xFF];
    }

    /** As {@link Mailbox#execute}. */
    Response execute(int opcode, byte[] payload) {
        Opcode command = commandOf(opcode);
        if (command == null) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        if (payload.length > maxPayloadBytes || !command.takes(payload)) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        if (command.isBackground() && component.background().isRunning()) {
            return Response.of(ReturnCode.BUSY);
        }
        if (command.needsMedia() && !component.isMediaEnabled()) {
            return Response.of(ReturnCode.MEDIA_DISABLED);
        }
        try {
            Response response = command.run(component, payload.clone());
            if (response.length() > maxPayloadBytes) {
                throw new IllegalStateException("output payload too long: length=" + response.length());
            }
            // Of what can be had in parts less was given; the client allows too little for the rest.
            boolean fits = response.length() <= component.messageLimit().bytes();
            return fits ? response : Response.of(ReturnCode.RESOURCES_EXHAUSTED);
        } catch (RuntimeException e) {
            errors.accept(new IllegalStateException("command failed: opcode=" + command, e));
            return Response.of(ReturnCode.INTERNAL_ERROR);
        }
    }
}

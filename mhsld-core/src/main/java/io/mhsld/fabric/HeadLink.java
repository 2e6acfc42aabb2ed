package io.mhsld.fabric;

import io.mhsld.cci.CciKind;
import io.mhsld.cci.Response;
import java.util.function.Consumer;

/** The way to a head's process: its control socket. */
public interface HeadLink {
    /**
     * Where a head is to be found.
     *
     * @param incarnation the life of the head that is meant
     * @param pid the process that it says it is
     * @param controlSocket path of the socket
     */
    record Address(int head, long incarnation, long pid, String controlSocket) {}

    /**
     * Runs a command on an interface of a head, as {@link io.mhsld.cci.FabricOperations#forward} says.
     *
     * @param answer called once, on the caller's thread, maybe before this returns
     */
    void execute(Address to, CciKind target, int opcode, byte[] payload, Consumer<? super Response> answer);
}

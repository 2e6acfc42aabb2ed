package io.mhsld.mctp;

import io.mhsld.cci.CciDialect;
import io.mhsld.cci.Response;
import java.util.function.Consumer;

/** What answers the commands that come in messages: an LD, or the FM-owned LD. */
@FunctionalInterface
public interface MctpEndpoint {
    /**
     * Runs a command, on the loop's thread.
     *
     * @param dialect of the client
     * @param answer called once, on the loop's thread, maybe before this returns
     */
    void execute(int opcode, byte[] payload, CciDialect dialect, Consumer<? super Response> answer);
}

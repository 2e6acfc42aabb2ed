package io.mhsld.cci;

import java.util.List;
import java.util.Optional;

/** What the handlers of generic commands work on, whichever interface the command came through. */
interface Component {
    /** Does the work of one command. The input's length has been checked against the opcode's row and its request layout. */
    interface Handler {
        Response handle(Component component, byte[] input);
    }

    /** The commands that the interface supports, by ascending opcode. */
    List<Opcode> commands();

    /** Empty on a device with one head. */
    Optional<MultiHeadInfo> multiHead();

    /** Nanoseconds since 1970, 0 when nobody has set the time. */
    long timestampNs();

    /** Sets the time. */
    void setTimestampNs(long timestampNs);
}

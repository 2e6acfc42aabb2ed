package io.mhsld.cci;

import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.Optional;

/**
 * What handlers work on.
 *
 * @param multiHead empty on a device with one head
 * @param commands the commands that this component supports
 */
record Component(
        Type3Device device,
        Optional<MultiHeadInfo> multiHead,
        EventInterruptPolicy interruptPolicy,
        List<Opcode> commands) {
    /** Does the work of one command. The input's length has been checked against the opcode's row and its request layout. */
    interface Handler {
        Response handle(Component component, byte[] input);
    }
}

package io.mhsld.cci;

import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.Optional;

/**
 * One head's Type-3 device behind one of its interfaces. What both interfaces of the head have in common is in the parts.
 *
 * @param commands the commands that this interface supports
 */
record LdComponent(
        Type3Device device,
        Optional<MultiHeadInfo> multiHead,
        EventInterruptPolicy interruptPolicy,
        List<Opcode> commands)
        implements Component {
    /** As {@link Component.Handler}, for commands that only a head has. */
    interface Handler {
        Response handle(LdComponent component, byte[] input);
    }

    /** The same head through its other interface. */
    LdComponent through(CciKind kind) {
        return new LdComponent(device, multiHead, interruptPolicy, OpcodeTable.of(kind, multiHead.isPresent()));
    }

    @Override
    public long timestampNs() {
        return device.timestampNs();
    }

    @Override
    public void setTimestampNs(long timestampNs) {
        device.setTimestampNs(timestampNs);
    }
}

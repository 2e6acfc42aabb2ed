package io.mhsld.cci;

import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.DebugLog;
import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.Optional;

/**
 * One head's Type-3 device behind one of its interfaces. What both interfaces of the head have in common is in the parts.
 *
 * @param kind which of them
 * @param commands the commands that this interface supports
 */
record LdComponent(
        CciKind kind,
        Type3Device device,
        Optional<MultiHeadInfo> multiHead,
        EventInterruptPolicy interruptPolicy,
        MediaCursors cursors,
        MessageLimit messageLimit,
        List<Opcode> commands)
        implements Component {
    /** As {@link Component.Handler}, for commands that only a head has. */
    interface Handler {
        Response handle(LdComponent component, byte[] input);
    }

    /** The same head through its other interface. */
    LdComponent through(CciKind other) {
        return new LdComponent(
                other,
                device,
                multiHead,
                interruptPolicy,
                new MediaCursors(),
                new MessageLimit(Mailbox.MAX_PAYLOAD_BYTES),
                OpcodeTable.of(other, multiHead.isPresent()));
    }

    @Override
    public ComponentIdentity identity() {
        return ComponentIdentity.ofLd(device.identity().serial());
    }

    @Override
    public BackgroundOperations background() {
        return device.background();
    }

    @Override
    public boolean isMediaEnabled() {
        return !device.sanitizer().isMediaDisabled();
    }

    @Override
    public Optional<DebugLog> debugLog() {
        return Optional.of(device.debugLog());
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

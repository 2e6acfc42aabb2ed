package io.mhsld.cci;

import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.DebugLog;
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

    /** What 0001h tells of it. */
    ComponentIdentity identity();

    /** How long the answers of this interface may be. */
    MessageLimit messageLimit();

    /** What it does besides answering: what runs here makes commands of every interface that shares it wait. */
    BackgroundOperations background();

    /** False while commands that need the media are refused. */
    default boolean isMediaEnabled() {
        return true;
    }

    /** The Vendor Debug Log, where there is one. */
    default Optional<DebugLog> debugLog() {
        return Optional.empty();
    }

    /** Empty on a device with one head. */
    Optional<MultiHeadInfo> multiHead();

    /** Nanoseconds since 1970, 0 when nobody has set the time. */
    long timestampNs();

    /** Sets the time. */
    void setTimestampNs(long timestampNs);
}

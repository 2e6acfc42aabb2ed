package io.mhsld.cci;

import io.mhsld.type3.BackgroundOperations;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The FM-owned LD: what its commands work on. */
final class FmComponent implements Component {
    /** As {@link Component.Handler}, for commands that only the FM-owned LD has. */
    interface Handler {
        Response handle(FmComponent component, byte[] input);
    }

    /** One command that is being run. */
    static final class Turn {
        private final CciDialect dialect;
        private final int depth;
        private final Consumer<? super Response> receiver;
        private boolean isForwarded;
        private boolean isAnswered;

        Turn(CciDialect dialect, int depth, Consumer<? super Response> receiver) {
            this.dialect = dialect;
            this.depth = depth;
            this.receiver = receiver;
        }

        /** The first answer counts. */
        void answer(Response response) {
            if (!isAnswered) {
                isAnswered = true;
                receiver.accept(response);
            }
        }

        /** True when somebody else answers. */
        boolean isForwarded() {
            return isForwarded;
        }

        CciDialect dialect() {
            return dialect;
        }

        /** How many tunnels the command came through. */
        int depth() {
            return depth;
        }
    }

    private static final long NS_PER_SECOND = 1_000_000_000;

    private final FabricOperations operations;
    private final Clock clock;
    private final FmOwnedLd door;
    private final MessageLimit messageLimit = new MessageLimit(FmOwnedLd.MAX_PAYLOAD_BYTES);
    private final BackgroundOperations background = new BackgroundOperations(Runnable::run);
    private final List<Opcode> commands = OpcodeTable.of(CciKind.FM_OWNED_LD, true);
    private boolean timestampSet;
    private long timestampOffsetNs;
    private Turn turn;

    FmComponent(FabricOperations operations, Clock clock, FmOwnedLd door) {
        this.operations = operations;
        this.clock = clock;
        this.door = door;
    }

    FabricOperations operations() {
        return operations;
    }

    /** Where a command goes that came through a tunnel to the device itself. */
    FmOwnedLd door() {
        return door;
    }

    /** The command that is being run. */
    Turn turn() {
        return turn;
    }

    /** Starts a command. Returns the one before, which is to be put back when this one has been run. */
    Turn begin(Turn next) {
        Turn before = turn;
        turn = next;
        return before;
    }

    /** The command that is being run is answered by somebody else, later or at once; what this returns is nobody's answer. */
    Response forwarded(Consumer<Consumer<Response>> forwarding) {
        Turn current = turn;
        current.isForwarded = true;
        forwarding.accept(current::answer);
        return Response.of(ReturnCode.SUCCESS);
    }

    @Override
    public List<Opcode> commands() {
        return commands;
    }

    @Override
    public ComponentIdentity identity() {
        return ComponentIdentity.ofFmOwnedLd(operations.serial());
    }

    @Override
    public MessageLimit messageLimit() {
        return messageLimit;
    }

    /** None of its commands goes on in the background: this one never has anything to do. */
    @Override
    public BackgroundOperations background() {
        return background;
    }

    @Override
    public Optional<MultiHeadInfo> multiHead() {
        return Optional.of(operations);
    }

    @Override
    public long timestampNs() {
        return timestampSet ? clockNs() + timestampOffsetNs : 0;
    }

    @Override
    public void setTimestampNs(long timestampNs) {
        timestampSet = true;
        timestampOffsetNs = timestampNs - clockNs();
    }

    private long clockNs() {
        Instant now = clock.instant();
        return now.getEpochSecond() * NS_PER_SECOND + now.getNano();
    }
}

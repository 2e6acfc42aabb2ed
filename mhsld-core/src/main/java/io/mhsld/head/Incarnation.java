package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Type3Device;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * One life of a head, as far as it touches the shared memory: it frees what an earlier process left behind, says who it is, has a Type-3 device
 * whose hooks claim and clear, reaps peers that have died, and lets go of everything when it leaves. A {@link Head} adds what a process has besides:
 * files, sockets, timers.
 *
 * <p>Whoever begins one holds the lease of the head, until after its end. One thread at a time.
 */
public final class Incarnation {
    private final StateFile state;
    private final int id;
    private final SharedCapacity capacity;
    private final Type3Device device;
    private final SelfCheck selfCheck;

    private Incarnation(
            StateFile state,
            int id,
            Media media,
            Leases leases,
            Machine machine,
            HeadLog log,
            UnaryOperator<MultiHeadHooks> between) {
        this.state = state;
        this.id = id;
        Reaper reaper = new Reaper(state, leases, media, machine);
        CrashPoint.ATTACH_LEASED.reached();
        // First: numbers that nobody can have would be this life's from here on.
        state.mend(id, machine.clock().millis());
        long freed = reaper.freeLeftovers(id);
        if (freed > 0) {
            log.say("freed what an earlier process held as this head: blocks=%d", freed);
        }
        CrashPoint.ATTACH_FREED.reached();
        state.counters(id).resetRelease();
        ProcessIdentity process = machine.self();
        state.heads()
                .startRelease(
                        id, process.pid(), process.startTicks(), machine.clock().millis());
        CrashPoint.ATTACH_STARTED.reached();
        this.capacity = new SharedCapacity(state, id, media, leases, reaper, machine, log);
        this.device = new Type3Device(
                new Type3Device.Identity(state.identity().serial(), id, regionsOf(state)),
                machine.clock(),
                between.apply(capacity),
                capacity,
                capacity,
                (timestampNs, writer) -> new SharedPoison(state, id, capacity.poison(), timestampNs, writer));
        this.selfCheck = new SelfCheck(state, id, capacity.numbers(), log);
    }

    /** Begins a life; the caller holds the lease. */
    public static Incarnation begin(StateFile state, int id, Media media, Leases leases, Machine machine, HeadLog log) {
        return begin(state, id, media, leases, machine, log, UnaryOperator.identity());
    }

    /**
     * The same with something put between the device and its hooks: for trials that want to see a defect found.
     *
     * @param between makes of the sound hooks those that the device calls
     */
    public static Incarnation begin(
            StateFile state,
            int id,
            Media media,
            Leases leases,
            Machine machine,
            HeadLog log,
            UnaryOperator<MultiHeadHooks> between) {
        return new Incarnation(state, id, media, leases, machine, log, between);
    }

    /** The device that the host behind this head sees. */
    public Type3Device device() {
        return device;
    }

    /** Says in the head table that the control socket answers, so that peers and tools find it. */
    public void serve(String controlSocket) {
        state.heads().serveRelease(id, controlSocket);
        selfCheck.rememberRow();
        CrashPoint.ATTACH_SERVING.reached();
    }

    /** Reaps a peer if it is dead. */
    public Reaper.Outcome reapPeer(int peer) {
        return capacity.reapPeer(peer);
    }

    /**
     * Reaps every peer that is dead.
     *
     * @param serving is told of each peer whose control socket should answer
     */
    public void reapPeers(Consumer<Row> serving) {
        for (int peer = 0; peer < state.geometry().headCount(); peer++) {
            if (peer != id) {
                Row row = state.heads().readAcquire(peer);
                if (row.state() != HeadTable.State.FREE) {
                    reapPeer(peer);
                }
                if (row.state() == HeadTable.State.SERVING) {
                    serving.accept(row);
                }
            }
        }
    }

    /** Compares what the state file says of this head with what it knows, and puts right what differs: see {@link SelfCheck}. */
    public void lookAtItself() {
        selfCheck.look(device.capacity());
        capacity.lookAtTags();
    }

    /** Counts an access that the device refused. */
    public void countRefusedAccess() {
        state.counters(id).addRelease(Counter.ACCESSES_REFUSED, 1);
    }

    /** Lets go of all capacity and says that nobody is this head any more. The lease may be released then, and nothing be done but that. */
    public void leave() {
        device.capacity().releaseAll();
        CrashPoint.LEAVE_RELEASED.reached();
        state.heads().nextIncarnationRelease(id);
        state.heads().freeRelease(id);
        CrashPoint.LEAVE_ROW_FREED.reached();
    }

    private static List<DcRegion> regionsOf(StateFile state) {
        return state.geometry().regions().stream()
                .map(region -> RegionSettings.regionOf(region, state.geometry().blockSizeBytes()))
                .map(region -> RegionSettings.current(state, region))
                .toList();
    }
}

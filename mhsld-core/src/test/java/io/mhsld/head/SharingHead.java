package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal.Operation;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MultiHeadHooks.Selection;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * A head without loop and sockets, whose hooks are called as a device calls them that shares capacity: it keeps the lists itself. One thread at a
 * time.
 */
final class SharingHead implements AutoCloseable {
    static final long TIMESTAMP_NS = 42;

    final int id;
    final StateFile state;
    final Media media;
    final LeaseFile leases;
    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<Extent> accepted = new ArrayList<>();
    final Deque<PendingGroup> groups = new ArrayDeque<>();
    private final Leases.Lease lease;
    private final Incarnation incarnation;
    private final MediaPoison poison;
    private SharedCapacity capacity;
    private int generation;
    private long lastGroup;
    private boolean closed;

    private SharingHead(DeviceFiles files, int id, SharingHead[] self) {
        this.id = id;
        leases = LeaseFile.open(files.lockFile(), PosixFilePermissions.fromString("rw-------"));
        lease = Patience.await(() -> leases.tryHead(id), 2_000).orElseThrow();
        state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
        media = openMedia(state);
        if (self != null) {
            self[0] = this;
        }
        incarnation = Incarnation.begin(state, id, media, leases, Machine.REAL, lines::add, hooks -> {
            capacity = (SharedCapacity) hooks;
            return hooks;
        });
        poison = new SharedPoison(
                state, id, new PoisonRegistry(state, leases, Machine.REAL), () -> TIMESTAMP_NS, this::writeIfOwned);
    }

    private Optional<Refusal> writeIfOwned(long dpa, byte[] line) {
        boolean isMine = accepted.stream()
                .anyMatch(extent -> extent.startDpa() <= dpa && dpa < extent.endDpa() && capacity.accessValid(dpa, 1));
        return !isMine || capacity.write(dpa, line, 0, line.length)
                ? Optional.empty()
                : Refusal.of(Refusal.Cause.NO_SPACE, "dpa=0x%x", dpa);
    }

    static SharingHead attach(DeviceFiles files, int id) {
        return new SharingHead(files, id, null);
    }

    /** The same; {@code self} knows it even when it dies while it attaches. */
    static SharingHead attach(DeviceFiles files, int id, SharingHead[] self) {
        return new SharingHead(files, id, self);
    }

    static Media openMedia(StateFile state) {
        return Media.open(
                Path.of(state.identity().mediaFile()), state.geometry().capacityBytes(), Media.Space.RESERVED);
    }

    /** As its device would have it, whose lists this one keeps itself. */
    MediaPoison poison() {
        return poison;
    }

    SharedCapacity hooks() {
        return capacity;
    }

    void serve() {
        incarnation.serve("/dev/shm/x.head" + id + ".sock");
    }

    TagRegistry registry() {
        return new TagRegistry(state, leases, media, Machine.REAL);
    }

    DcRegion region(int region) {
        return new RegionSettings(state, leases).current(region);
    }

    // ---- what a device does

    /** Offers free blocks: the first ones of a tag, if it is one. */
    Optional<Refusal> create(UUID tag, int region, long blocks, int maxExtents) {
        return offer(() -> capacity.select(
                region(region), blocks * state.geometry().blockSizeBytes(), false, maxExtents, tag, true));
    }

    Optional<Refusal> addFree(int region, long blocks, boolean contiguous, int maxExtents) {
        return offer(() -> capacity.select(
                region(region),
                blocks * state.geometry().blockSizeBytes(),
                contiguous,
                maxExtents,
                Extent.NO_TAG,
                false));
    }

    Optional<Refusal> reserve(List<Extent> extents) {
        return offer(() -> capacity.reserve(extents).map(Selection::refused).orElseGet(() -> Selection.of(extents)));
    }

    Optional<Refusal> join(UUID tag, int region) {
        return offer(() -> capacity.join(region(region), tag));
    }

    private Optional<Refusal> offer(Supplier<Selection> selection) {
        capacity.begin(Operation.ADD);
        Selection taken = selection.get();
        if (taken.refusal().isEmpty() && !taken.extents().isEmpty()) {
            groups.add(new PendingGroup(++lastGroup, taken.extents(), taken.extents()));
            record();
        }
        capacity.end();
        return taken.refusal();
    }

    void accept() {
        capacity.begin(Operation.ACCEPT);
        List<Extent> extents = groups.remove().extents();
        accepted.addAll(extents);
        generation++;
        record();
        capacity.accept(extents);
        capacity.end();
    }

    void reject() {
        capacity.begin(Operation.REJECT);
        List<Extent> extents = groups.remove().extents();
        record();
        capacity.reclaim(extents);
        capacity.end();
    }

    /** The host lets go of all accepted extents of a tag. */
    void release(UUID tag) {
        release(accepted.stream().filter(extent -> extent.tag().equals(tag)).toList(), false);
    }

    void release(List<Extent> extents, boolean sanitize) {
        capacity.begin(Operation.RELEASE);
        accepted.removeAll(extents);
        generation++;
        record();
        capacity.release(extents, sanitize);
        capacity.end();
    }

    /** The host lets go of a tag block by block. */
    void releaseParts(UUID tag) {
        List<Extent> extents =
                accepted.stream().filter(extent -> extent.tag().equals(tag)).toList();
        long block = state.geometry().blockSizeBytes();
        for (Extent extent : extents) {
            for (long dpa = extent.startDpa(); dpa < extent.endDpa(); dpa += block) {
                capacity.begin(Operation.RELEASE);
                accepted.removeIf(one -> one.tag().equals(tag)
                        && one.startDpa() >= extent.startDpa()
                        && one.endDpa() <= extent.endDpa());
                if (dpa + block < extent.endDpa()) {
                    accepted.add(extent.withRange(dpa + block, extent.endDpa() - dpa - block));
                }
                generation++;
                record();
                capacity.release(List.of(extent.withRange(dpa, block)), false);
                capacity.end();
            }
        }
    }

    void releaseAll() {
        capacity.begin(Operation.RESET);
        List<Extent> revoked = List.copyOf(accepted);
        List<Extent> withdrawn =
                groups.stream().flatMap(group -> group.extents().stream()).toList();
        accepted.clear();
        groups.clear();
        generation++;
        record();
        if (!revoked.isEmpty()) {
            capacity.release(revoked, false);
        }
        if (!withdrawn.isEmpty()) {
            capacity.reclaim(withdrawn);
        }
        capacity.end();
    }

    private void record() {
        capacity.record(List.copyOf(accepted), List.copyOf(groups), generation);
    }

    void fill(UUID tag, int value) {
        accepted.stream().filter(extent -> extent.tag().equals(tag)).forEach(extent -> {
            if (!capacity.accessValid(extent.startDpa(), extent.lengthBytes())
                    || !capacity.fill(extent.startDpa(), extent.lengthBytes(), (byte) value)) {
                throw new IllegalStateException("no access: " + extent);
            }
        });
    }

    /** The value that all bytes of the tag's extents have; -1 for different ones. */
    int bytes(UUID tag) {
        return accepted.stream()
                .filter(extent -> extent.tag().equals(tag))
                .mapToInt(extent -> {
                    byte[] bytes = new byte[(int) extent.lengthBytes()];
                    capacity.read(extent.startDpa(), bytes, 0, bytes.length);
                    for (byte b : bytes) {
                        if (b != bytes[0]) {
                            return -1;
                        }
                    }
                    return bytes[0];
                })
                .reduce((a, b) -> a == b ? a : -1)
                .orElseThrow();
    }

    /** What a live head does twice in a second, except that it does not compare lists of a device that it has not. */
    void tick() {
        capacity.lookAtTags();
        incarnation.reapPeers(row -> {});
    }

    /** What the kernel does when the process is killed. */
    void bury() {
        if (!closed) {
            closed = true;
            state.close();
            media.close();
            lease.release();
            leases.close();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            releaseAll();
            incarnation.leave();
            bury();
        }
    }
}

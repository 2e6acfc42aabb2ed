package io.mhsld.fabric;

import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases.Lease;
import io.mhsld.head.Machine;
import io.mhsld.head.MediaBinding;
import io.mhsld.head.RegionSettings;
import io.mhsld.head.TagRegistry;
import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagTable;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * The sections of the state file that all processes write, tags and the settings of regions, for one that is no head. To look at them takes the
 * state file alone. For a change lock file and memory are opened; the lock file stays so, since it knows when somebody was waited for in vain, and
 * the next orders do not wait for him: each wait holds up all clients.
 *
 * <p>While it changes something it holds the right to change the device as a whole, for a head's lease, which keeps an init away from under a head, it
 * does not have: no other device can take this one's place, and its memory, meanwhile.
 */
public final class SharedTables implements AutoCloseable {
    /** For so long it waits for an init, destroy, recover or fence that is at work. */
    static final long PATIENCE_MS = 300;

    private final DeviceFiles files;
    private final StateFile state;
    private Optional<LeaseFile> opened = Optional.empty();

    /** @param state the open state file; writable, for changes */
    public SharedTables(DeviceFiles files, StateFile state) {
        this.files = files;
        this.state = state;
    }

    /** All tags, each at one moment, in the order of their rows, in which they stay. */
    public List<TagRegistry.Tag> tags() {
        return TagRegistry.listOf(state);
    }

    /** Changes with every change of the tags. */
    public int tagGeneration() {
        return TagRegistry.generationOf(state);
    }

    /** How many tags there can be: none without a region that can be shared. */
    public int tagsSupported() {
        boolean isAnyShareable = state.geometry().regions().stream().anyMatch(region -> region.shareable());
        return isAnyShareable ? TagTable.ROWS : 0;
    }

    /** How many more at this moment. */
    public int tagsAvailable() {
        return tagsSupported() == 0 ? 0 : state.tags().countFreeVolatile();
    }

    /** Keeps the capacity of a tag; as {@link TagRegistry#addReference}, and {@code BUSY} when the device is being changed as a whole. */
    public Optional<Refusal> addReference(UUID tag) {
        return changing(leases -> withMedia(media -> registry(leases, media).addReference(tag)));
    }

    /** Lets go of it; as {@link TagRegistry#removeReference}, and {@code BUSY} when the device is being changed as a whole. */
    public Optional<Refusal> removeReference(UUID tag) {
        return changing(leases -> withMedia(media -> registry(leases, media).removeReference(tag)));
    }

    /** A region with the settings of this moment. */
    public DcRegion region(int id) {
        return RegionSettings.current(state, id);
    }

    /** Block sizes that a region can have: bit n for 2^n bytes. */
    public long supportedBlockSizes(int region) {
        return state.geometry().supportedBlockSizes(region);
    }

    /** As {@link RegionSettings#set}, and {@code BUSY} when the device is being changed as a whole. */
    public Optional<Refusal> configure(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        return changing(leases -> new RegionSettings(state, leases).set(region, blockSizeBytes, sanitizeOnRelease));
    }

    private TagRegistry registry(LeaseFile leases, Media media) {
        return new TagRegistry(state, leases, media, Machine.REAL);
    }

    private Optional<Refusal> withMedia(Function<Media, Optional<Refusal>> change) {
        try (Media media = MediaBinding.open(files, state)) {
            return change.apply(media);
        }
    }

    private Optional<Refusal> changing(Function<LeaseFile, Optional<Refusal>> change) {
        // Without a lock file there is no device that could be changed: somebody is taking it away.
        Optional<LeaseFile> existing = lockFile();
        if (existing.isEmpty()) {
            return unavailable();
        }
        LeaseFile leases = existing.get();
        Optional<Lease> device = leases.awaitDevice(PATIENCE_MS);
        if (device.isEmpty()) {
            return unavailable();
        }
        try {
            return leases.isInPlace() && isInPlace() ? change.apply(leases) : unavailable();
        } finally {
            device.get().release();
        }
    }

    private Optional<LeaseFile> lockFile() {
        if (opened.isPresent() && !opened.get().isInPlace()) {
            close();
        }
        if (opened.isEmpty()) {
            opened = LeaseFile.openExisting(files.lockFile());
        }
        return opened;
    }

    @Override
    public void close() {
        Optional<LeaseFile> closed = opened;
        opened = Optional.empty();
        closed.ifPresent(LeaseFile::close);
    }

    private boolean isInPlace() {
        try {
            return state.fileKey().equals(FileGuard.look(files.stateFile()).key());
        } catch (IOException e) {
            return false;
        }
    }

    private Optional<Refusal> unavailable() {
        return Refusal.of(Cause.BUSY, "device is being changed as a whole: file=%s", files.stateFile());
    }
}

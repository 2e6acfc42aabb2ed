package io.mhsld.cli;

import io.mhsld.fabric.SharedTables;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** The tags of a device, with or without live heads; its files are open only while they are looked at. */
final class DeviceTags implements Tags {
    private final DeviceFiles files;

    DeviceTags(DeviceFiles files) {
        this.files = files;
    }

    @Override
    public List<Tag> list() {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return TagRegistry.listOf(state).stream()
                    .map(tag -> tagOf(state.geometry(), tag))
                    .toList();
        }
    }

    @Override
    public Optional<Refusal> addReference(UUID tag) {
        return changing(tables -> tables.addReference(tag));
    }

    @Override
    public Optional<Refusal> removeReference(UUID tag) {
        return changing(tables -> tables.removeReference(tag));
    }

    @Override
    public void close() {
        // Nothing is open.
    }

    private Optional<Refusal> changing(Function<SharedTables, Optional<Refusal>> change) {
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                SharedTables tables = new SharedTables(files, state)) {
            return change.apply(tables);
        }
    }

    private static Tag tagOf(Geometry geometry, TagRegistry.Tag tag) {
        // A damaged row may name any region.
        long baseDpa = tag.region() < geometry.regions().size()
                ? geometry.regions().get(tag.region()).baseDpa()
                : 0;
        List<Range> extents = tag.extents().stream()
                .map(extent -> new Range(extent.startDpa() - baseDpa, extent.lengthBytes()))
                .toList();
        return new Tag(
                tag.tag(),
                tag.region(),
                tag.epoch(),
                tag.holders(),
                tag.pendingHolders(),
                tag.isReferenced(),
                extents,
                tag.lengthBytes());
    }
}

package io.mhsld.cli;

import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.Geometry;
import io.mhsld.state.Geometry.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** {@code extents}: the runs of blocks that heads hold, as their extent tables have them. */
final class ExtentReport {
    private static final UUID NO_TAG = new UUID(0, 0);

    private ExtentReport() {}

    /** For people. */
    static String text(DeviceFacts facts, List<HeadFacts> heads) {
        boolean isAnyTagged = heads.stream()
                .flatMap(head -> head.extents().orElse(List.of()).stream())
                .anyMatch(entry -> !entry.tag().equals(NO_TAG));
        TextTable table = new TextTable()
                .numbers("head")
                .words("state")
                .numbers("region")
                .numbers("dpa")
                .numbers("offset")
                .numbers("length")
                .numbers("size")
                .numbers("blocks");
        if (isAnyTagged) {
            table.words("tag");
        }
        boolean isAnyShared = heads.stream()
                .flatMap(head -> head.extents().orElse(List.of()).stream())
                .anyMatch(entry -> entry.sharedSequence() != 0);
        if (isAnyShared) {
            table.numbers("sequence");
        }
        List<String> notes = new ArrayList<>();
        boolean isEmpty = true;
        for (HeadFacts head : heads) {
            if (head.extents().isEmpty()) {
                notes.add("its extent table is half written, it is busy or died while it wrote: head=" + head.head());
            }
            for (Entry entry : head.extents().orElse(List.of())) {
                table.row(cells(facts.geometry(), head.head(), entry, isAnyTagged, isAnyShared));
                isEmpty = false;
            }
        }
        List<String> lines = new ArrayList<>(isEmpty ? List.of("no extents") : table.lines(Integer.MAX_VALUE));
        lines.addAll(notes);
        return String.join("\n", lines) + "\n";
    }

    private static Object[] cells(Geometry geometry, int head, Entry entry, boolean withTag, boolean withSequence) {
        Optional<Region> region = regionOf(geometry, entry);
        List<Object> cells = new ArrayList<>(List.of(
                head,
                entry.isPending() ? "pending (group " + entry.pendingGroup() + ")" : "accepted",
                region.isPresent() ? region.get().id() : "none",
                hex(entry.startDpa()),
                region.isPresent() ? hex(entry.startDpa() - region.get().baseDpa()) : "",
                hex(entry.lengthBytes()),
                Sizes.text(entry.lengthBytes()),
                entry.lengthBytes() / geometry.blockSizeBytes()));
        if (withTag) {
            cells.add(entry.tag().equals(NO_TAG) ? "" : entry.tag());
        }
        if (withSequence) {
            cells.add(entry.sharedSequence() == 0 ? "" : entry.sharedSequence());
        }
        return cells.toArray();
    }

    /** The members of the JSON object. */
    static void json(Json out, DeviceFacts facts, List<HeadFacts> heads) {
        out.put("name", facts.name());
        out.array(
                "extents",
                all -> heads.forEach(head -> head.extents()
                        .orElse(List.of())
                        .forEach(entry -> all.element(one -> extent(one, facts.geometry(), head.head(), entry)))));
        out.array(
                "busy_heads",
                all -> heads.stream()
                        .filter(head -> head.extents().isEmpty())
                        .forEach(head -> all.element(head.head())));
    }

    private static void extent(Json out, Geometry geometry, int head, Entry entry) {
        Optional<Region> region = regionOf(geometry, entry);
        out.put("head", head).put("state", entry.isPending() ? "pending" : "accepted");
        if (entry.isPending()) {
            out.put("group", entry.pendingGroup());
        }
        if (region.isPresent()) {
            out.put("region", region.get().id())
                    .put("offset", entry.startDpa() - region.get().baseDpa());
        } else {
            out.putUnknown("region").putUnknown("offset");
        }
        out.put("dpa", entry.startDpa())
                .put("length", entry.lengthBytes())
                .put("blocks", entry.lengthBytes() / geometry.blockSizeBytes())
                .put("tag", entry.tag().equals(NO_TAG) ? null : entry.tag().toString())
                .put("shared_sequence", entry.sharedSequence());
    }

    /** The region that an extent lies in; empty for what a sound table cannot hold. */
    static Optional<Region> regionOf(Geometry geometry, Entry entry) {
        return geometry.regions().stream()
                .filter(region -> entry.startDpa() >= region.baseDpa()
                        && entry.lengthBytes() > 0
                        && entry.startDpa() - region.baseDpa() <= region.lengthBytes() - entry.lengthBytes())
                .findFirst();
    }

    private static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }
}

package io.mhsld.cli;

import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.Geometry;
import io.mhsld.state.Geometry.Region;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** {@code map}: the picture, or the same facts block run by block run. */
final class MapReport {
    private static final int NOBODYS = -1;

    private final DeviceFacts facts;
    private final OwnerMap map;
    private final List<MapPicture.Run> accepted;
    private final List<Tagged> tagged;

    /**
     * Blocks [first, end) of a tag.
     *
     * @param tag whose they are
     */
    private record Tagged(long first, long end, TagRegistry.Tag tag) {}

    private MapReport(DeviceFacts facts, OwnerMap map, List<Tagged> tagged) {
        this.facts = facts;
        this.map = map;
        this.accepted = acceptedRuns(facts);
        this.tagged = tagged;
    }

    static MapReport of(DeviceFacts facts, StateFile state) {
        return new MapReport(facts, state.ownerMap(), tagged(state));
    }

    /** For people. */
    String text(MapPicture.View view) {
        long[] pending = new long[facts.geometry().headCount()];
        forEachRun((first, end, lane, isAccepted, tag) -> {
            for (long bits = tag == null ? Long.lowestOneBit(lane) : lane & tag.pendingHolders();
                    bits != 0;
                    bits &= bits - 1) {
                int head = Long.numberOfTrailingZeros(bits);
                if (!isAccepted && head < pending.length) {
                    pending[head] += end - first;
                }
            }
        });
        List<MapPicture.Holder> holders = new ArrayList<>();
        for (HeadFacts head : facts.heads()) {
            holders.add(new MapPicture.Holder(
                    head.head(), head.state().label(), !head.isIdle(), head.blocks(), pending[head.head()]));
        }
        List<MapPicture.Shared> shared = tagged.stream()
                .map(part -> new MapPicture.Shared(
                        part.first, part.end, part.tag.holders() != 0, part.tag.pendingHolders() != 0))
                .toList();
        holders.addAll(MapPicture.Holder.ofShared(shared));
        holders.add(MapPicture.Holder.ofFree(facts.census().free()));
        MapPicture picture =
                new MapPicture(facts.name(), facts.geometry(), map::ownersVolatile, accepted, shared, holders, view);
        return String.join("\n", picture.lines()) + "\n";
    }

    /** The members of the JSON object. */
    void json(Json out) {
        Geometry geometry = facts.geometry();
        StatusReport.device(out, facts.files(), facts.identity(), geometry);
        out.put("free_blocks", facts.census().free())
                .put("owned_blocks", facts.census().ownedByAll());
        out.array(
                "heads",
                all -> facts.heads()
                        .forEach(head -> all.element(one -> one.put("head", head.head())
                                .put("state", head.state().label())
                                .put("blocks", head.blocks())
                                .put("size", head.blocks() * geometry.blockSizeBytes()))));
        out.array(
                "runs",
                all -> forEachRun((first, end, lane, isAccepted, tag) -> all.element(one -> {
                    Region region = geometry.regionOfBlock(first);
                    one.put("region", region.id())
                            .put("first_block", first)
                            .put("blocks", end - first)
                            .put("dpa", geometry.dpaOfBlock(first))
                            .put("offset", (first - region.firstBlock()) * geometry.blockSizeBytes())
                            .put("length", (end - first) * geometry.blockSizeBytes())
                            .put("state", lane == 0 ? "kept" : isAccepted ? "accepted" : "pending");
                    if (tag != null) {
                        one.put("tag", tag.tag());
                    }
                    one.array("heads", heads -> {
                        for (long bits = lane; bits != 0; bits &= bits - 1) {
                            heads.element(Long.numberOfTrailingZeros(bits));
                        }
                    });
                })));
    }

    private interface RunVisitor {
        /**
         * Blocks [first, end) of one region, all with the same owners, all accepted or none.
         *
         * @param tag whose shared capacity they are, null for none; with no owners the fabric manager keeps it
         */
        void run(long first, long end, long lane, boolean isAccepted, TagRegistry.Tag tag);
    }

    private void forEachRun(RunVisitor visitor) {
        int next = 0;
        int nextTagged = 0;
        for (Region region : facts.geometry().regions()) {
            long runStart = region.firstBlock();
            long runLane = 0;
            boolean runAccepted = false;
            TagRegistry.Tag runTag = null;
            int runPart = NOBODYS;
            long end = region.firstBlock()
                    + region.lengthBytes() / facts.geometry().blockSizeBytes();
            for (long block = region.firstBlock(); block < end; block++) {
                long lane = map.ownersVolatile(block);
                while (nextTagged < tagged.size() && tagged.get(nextTagged).end <= block) {
                    nextTagged++;
                }
                boolean isTagged = nextTagged < tagged.size() && tagged.get(nextTagged).first <= block;
                TagRegistry.Tag tag = isTagged ? tagged.get(nextTagged).tag : null;
                int part = isTagged ? nextTagged : NOBODYS;
                boolean isAccepted = tag != null && (lane & tag.pendingHolders()) == 0;
                if (lane != 0 && tag == null) {
                    while (next < accepted.size() && accepted.get(next).end() <= block) {
                        next++;
                    }
                    isAccepted = next < accepted.size()
                            && accepted.get(next).first() <= block
                            && lane == 1L << accepted.get(next).head();
                }
                if (lane != runLane || isAccepted != runAccepted || part != runPart) {
                    if (runLane != 0 || runTag != null) {
                        visitor.run(runStart, block, runLane, runAccepted, runTag);
                    }
                    runStart = block;
                    runLane = lane;
                    runAccepted = isAccepted;
                    runTag = tag;
                    runPart = part;
                }
            }
            if (runLane != 0 || runTag != null) {
                visitor.run(runStart, end, runLane, runAccepted, runTag);
            }
        }
    }

    private static List<Tagged> tagged(StateFile state) {
        Geometry geometry = state.geometry();
        List<Tagged> tagged = new ArrayList<>();
        for (TagRegistry.Tag tag : TagRegistry.listOf(state)) {
            for (TagTable.Range extent : tag.extents()) {
                try {
                    long first = geometry.blockOfDpa(extent.startDpa());
                    tagged.add(new Tagged(first, geometry.blockOfDpa(extent.endDpa() - 1) + 1, tag));
                } catch (IllegalArgumentException e) {
                    // Damage: it is nowhere; verify tells.
                }
            }
        }
        tagged.sort(Comparator.comparingLong(Tagged::first));
        return tagged;
    }

    private static List<MapPicture.Run> acceptedRuns(DeviceFacts facts) {
        List<MapPicture.Run> runs = new ArrayList<>();
        for (HeadFacts head : facts.heads()) {
            for (Entry entry : head.extents().orElse(List.of())) {
                Optional<Region> region = ExtentReport.regionOf(facts.geometry(), entry);
                if (!entry.isPending() && entry.sharedSequence() == 0 && region.isPresent()) {
                    long first = facts.geometry().blockOfDpa(entry.startDpa());
                    runs.add(new MapPicture.Run(
                            head.head(),
                            first,
                            first + entry.lengthBytes() / facts.geometry().blockSizeBytes()));
                }
            }
        }
        runs.sort(Comparator.comparingLong(MapPicture.Run::first));
        return runs;
    }
}

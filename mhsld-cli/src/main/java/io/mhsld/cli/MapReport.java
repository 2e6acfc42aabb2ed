package io.mhsld.cli;

import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.Geometry;
import io.mhsld.state.Geometry.Region;
import io.mhsld.state.OwnerMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** {@code map}: the picture, or the same facts block run by block run. */
final class MapReport {
    private final DeviceFacts facts;
    private final OwnerMap map;
    private final List<MapPicture.Run> accepted;

    MapReport(DeviceFacts facts, OwnerMap map) {
        this.facts = facts;
        this.map = map;
        this.accepted = acceptedRuns(facts);
    }

    /** For people. */
    String text(MapPicture.View view) {
        long[] pending = new long[facts.geometry().headCount()];
        forEachRun((first, end, lane, isAccepted) -> {
            int head = Long.numberOfTrailingZeros(lane);
            if (!isAccepted && head < pending.length) {
                pending[head] += end - first;
            }
        });
        List<MapPicture.Holder> holders = new ArrayList<>();
        for (HeadFacts head : facts.heads()) {
            holders.add(new MapPicture.Holder(
                    head.head(), head.state().label(), !head.isIdle(), head.blocks(), pending[head.head()]));
        }
        holders.add(MapPicture.Holder.ofFree(facts.census().free()));
        MapPicture picture =
                new MapPicture(facts.name(), facts.geometry(), map::ownersVolatile, accepted, holders, view);
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
                all -> forEachRun((first, end, lane, isAccepted) -> all.element(one -> {
                    Region region = geometry.regionOfBlock(first);
                    one.put("region", region.id())
                            .put("first_block", first)
                            .put("blocks", end - first)
                            .put("dpa", geometry.dpaOfBlock(first))
                            .put("offset", (first - region.firstBlock()) * geometry.blockSizeBytes())
                            .put("length", (end - first) * geometry.blockSizeBytes())
                            .put("state", isAccepted ? "accepted" : "pending");
                    one.array("heads", heads -> {
                        for (long bits = lane; bits != 0; bits &= bits - 1) {
                            heads.element(Long.numberOfTrailingZeros(bits));
                        }
                    });
                })));
    }

    private interface RunVisitor {
        /** Blocks [first, end) of one region, all with the same owners, all accepted or none. */
        void run(long first, long end, long lane, boolean isAccepted);
    }

    private void forEachRun(RunVisitor visitor) {
        int next = 0;
        for (Region region : facts.geometry().regions()) {
            long runStart = region.firstBlock();
            long runLane = 0;
            boolean runAccepted = false;
            long end = region.firstBlock()
                    + region.lengthBytes() / facts.geometry().blockSizeBytes();
            for (long block = region.firstBlock(); block < end; block++) {
                long lane = map.ownersVolatile(block);
                boolean isAccepted = false;
                if (lane != 0) {
                    while (next < accepted.size() && accepted.get(next).end() <= block) {
                        next++;
                    }
                    isAccepted = next < accepted.size()
                            && accepted.get(next).first() <= block
                            && lane == 1L << accepted.get(next).head();
                }
                if (lane != runLane || isAccepted != runAccepted) {
                    if (runLane != 0) {
                        visitor.run(runStart, block, runLane, runAccepted);
                    }
                    runStart = block;
                    runLane = lane;
                    runAccepted = isAccepted;
                }
            }
            if (runLane != 0) {
                visitor.run(runStart, end, runLane, runAccepted);
            }
        }
    }

    private static List<MapPicture.Run> acceptedRuns(DeviceFacts facts) {
        List<MapPicture.Run> runs = new ArrayList<>();
        for (HeadFacts head : facts.heads()) {
            for (Entry entry : head.extents().orElse(List.of())) {
                Optional<Region> region = ExtentReport.regionOf(facts.geometry(), entry);
                if (!entry.isPending() && region.isPresent()) {
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

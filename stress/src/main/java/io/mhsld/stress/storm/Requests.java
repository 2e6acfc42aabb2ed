package io.mhsld.stress.storm;

import io.mhsld.cci.Layouts;
import io.mhsld.cci.Payload;
import io.mhsld.state.Geometry;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The arguments of a head's QMP commands, for blocks instead of addresses. */
public final class Requests {
    private static final int ADD_RESPONSE = 0x4802;
    private static final int RELEASE = 0x4803;

    /** Blocks [first, first + count) of one region. */
    public record Run(long first, long count) {
        /** True when the block is one of them. */
        public boolean has(long block) {
            return block >= first && block < first + count;
        }
    }

    private final Geometry geometry;
    private final int head;

    /** Requests to one head of a device. */
    public Requests(Geometry geometry, int head) {
        this.geometry = geometry;
        this.head = head;
    }

    /** Of {@code cxl-add-dynamic-capacity}; the runs lie in the region of the first. */
    public Map<String, Object> add(List<Run> runs) {
        return Map.of(
                "path",
                "cxl-mem0",
                "host-id",
                head,
                "selection-policy",
                "prescriptive",
                "region",
                region(runs).id(),
                "extents",
                extents(runs));
    }

    /** Of {@code cxl-add-dynamic-capacity}: so many blocks, wherever the device has them; under a tag unless that is empty. */
    public Map<String, Object> addChosen(Geometry.Region region, long blocks, boolean contiguous, String tag) {
        return Map.of(
                "path",
                "cxl-mem0",
                "host-id",
                head,
                "selection-policy",
                contiguous ? "contiguous" : "free",
                "region",
                region.id(),
                "tag",
                tag,
                "extents",
                List.of(Map.of("offset", 0, "len", blocks * geometry.blockSizeBytes())));
    }

    /** Of {@code cxl-release-dynamic-capacity}. */
    public Map<String, Object> release(List<Run> runs, boolean forced) {
        return Map.of(
                "path",
                "cxl-mem0",
                "host-id",
                head,
                "removal-policy",
                "prescriptive",
                "forced-removal",
                forced,
                "region",
                region(runs).id(),
                "extents",
                extents(runs));
    }

    /** Of {@code x-cci}: the host's answer to an offer; no run at all rejects it. */
    public Map<String, Object> addResponse(List<Run> runs) {
        return hostList(ADD_RESPONSE, runs);
    }

    /** Of {@code x-cci}: the host gives blocks back. */
    public Map<String, Object> hostRelease(List<Run> runs) {
        return hostList(RELEASE, runs);
    }

    /** Of the {@code x-mem-} commands that take a range. */
    public Map<String, Object> range(Run run) {
        return Map.of("dpa", geometry.dpaOfBlock(run.first), "length", run.count * geometry.blockSizeBytes());
    }

    private Map<String, Object> hostList(int opcode, List<Run> runs) {
        Payload list = Layouts.HOST_EXTENT_LIST.empty(runs.size());
        for (int i = 0; i < runs.size(); i++) {
            list.entry(i)
                    .set("startDpa", geometry.dpaOfBlock(runs.get(i).first))
                    .set("lengthBytes", runs.get(i).count * geometry.blockSizeBytes());
        }
        return Map.of("opcode", opcode, "payload", HexFormat.of().formatHex(list.toBytes()));
    }

    private Geometry.Region region(List<Run> runs) {
        return geometry.regionOfBlock(runs.get(0).first);
    }

    private List<Map<String, Object>> extents(List<Run> runs) {
        Geometry.Region region = region(runs);
        return runs.stream()
                .map(run -> Map.<String, Object>of(
                        "offset",
                        (run.first - region.firstBlock()) * geometry.blockSizeBytes(),
                        "len",
                        run.count * geometry.blockSizeBytes()))
                .toList();
    }
}

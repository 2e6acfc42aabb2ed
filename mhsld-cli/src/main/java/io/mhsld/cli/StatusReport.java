package io.mhsld.cli;

import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.cli.DeviceFacts.HeadState;
import io.mhsld.state.Counter;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Geometry.Region;
import io.mhsld.state.StateFile;
import io.mhsld.text.ForeignText;
import java.util.ArrayList;
import java.util.List;

/** {@code status}: what the device is, who its heads are, how much they hold. */
final class StatusReport {
    private static final String UNKNOWN = "?";

    /** Room that a column of counters takes, its gap included: one is rarely longer. */
    private static final int COUNTER_COLUMNS = 12;

    private static final int COUNTER_LABEL_COLUMNS = 18;

    private final DeviceFacts facts;
    private final StateFile state;
    private final StringBuilder text = new StringBuilder();

    private StatusReport(DeviceFacts facts, StateFile state) {
        this.facts = facts;
        this.state = state;
    }

    /** For people, at most as wide as {@code columns} where there are many counters. */
    static String text(DeviceFacts facts, StateFile state, boolean withCounters, int columns) {
        StatusReport report = new StatusReport(facts, state);
        report.addDevice();
        report.addHeads();
        if (withCounters) {
            report.addCounters(columns);
        }
        return report.text.toString();
    }

    /** The members of the JSON object. */
    static void json(Json out, DeviceFacts facts, StateFile state) {
        device(out, facts.files(), facts.identity(), facts.geometry());
        out.put("free_blocks", facts.census().free());
        out.put("owned_blocks", facts.census().ownedByAll());
        out.put("shared_blocks", facts.census().shared());
        out.put("contested_blocks", facts.census().contested());
        out.array(
                "heads",
                all -> facts.heads()
                        .forEach(head -> all.element(one -> {
                            head(one, head, facts.geometry());
                            one.object("counters", counters -> counters(counters, state, head.head()));
                        })));
    }

    // ---- text

    /** "4 GiB in 2048 blocks of 2 MiB, 1 region, 8 heads". */
    static String summary(Geometry geometry) {
        return Sizes.text(geometry.capacityBytes()) + " in " + Sizes.count(geometry.blockCount(), "block") + " of "
                + Sizes.text(geometry.blockSizeBytes()) + ", "
                + Sizes.count(geometry.regions().size(), "region") + ", " + Sizes.count(geometry.headCount(), "head");
    }

    /** "region 1: 2 GiB from dpa 0x80000000". */
    static String summary(Region region) {
        return "region " + region.id() + ": " + Sizes.text(region.lengthBytes()) + " from dpa 0x"
                + Long.toHexString(region.baseDpa()) + (region.shareable() ? ", shareable" : "");
    }

    /** Whether offered capacity has memory behind it already. */
    static String mediaSpace(StateFile.Identity identity) {
        return identity.sparseMedia() ? "sparse: memory is taken by the first store" : "reserved when it is offered";
    }

    private void addDevice() {
        Geometry geometry = facts.geometry();
        StateFile.Identity identity = facts.identity();
        line(facts.name() + ": " + summary(geometry) + ", serial " + Long.toUnsignedString(identity.serial()));
        line("state file: " + facts.files().stateFile());
        line("media file: " + identity.mediaFile() + " (" + mediaSpace(identity) + ")");
        line("made: " + Times.utc(identity.createdMs()) + ", device id " + identity.deviceId());
        geometry.regions().forEach(region -> line(summary(region)));
        line("blocks: " + sum());
    }

    private String sum() {
        Geometry geometry = facts.geometry();
        DeviceFacts.Census census = facts.census();
        String text = geometry.blockCount() + " = " + census.free() + " free (" + size(census.free()) + ") + "
                + census.ownedByAll() + " owned (" + size(census.ownedByAll()) + ")"
                + (census.shared() == 0 ? "" : ", " + census.shared() + " of them shared or kept by tags");
        return census.contested() == 0
                ? text
                : text + " + " + census.contested() + " with impossible owners: see verify";
    }

    private void addHeads() {
        TextTable table = new TextTable()
                .words("head")
                .words("state")
                .numbers("pid")
                .numbers("since")
                .numbers("blocks")
                .numbers("size")
                .numbers("accepted")
                .numbers("pending")
                .numbers("errors");
        int firstIdle = 0;
        for (HeadFacts head : facts.heads()) {
            if (!head.isIdle()) {
                addIdle(table, firstIdle, head.head() - 1);
                addHead(table, head);
                firstIdle = head.head() + 1;
            }
        }
        addIdle(table, firstIdle, facts.heads().size() - 1);
        line("");
        table.lines(Integer.MAX_VALUE).forEach(this::line);
        if (facts.heads().stream().anyMatch(head -> head.extents().isEmpty())) {
            line("? its extent table is half written: the head is busy, or died while it wrote");
        }
        if (facts.heads().stream().anyMatch(head -> head.errors() > 0)) {
            line("what the errors were: mhsld errors " + facts.name());
        }
    }

    private void addHead(TextTable table, HeadFacts head) {
        boolean hasProcess = head.row().pid() > 0;
        table.row(
                head.head(),
                head.state().label(),
                hasProcess ? head.row().pid() : "",
                hasProcess ? Times.age(head.row().attachedMs()) : "",
                head.blocks(),
                size(head.blocks()),
                head.extents().isPresent() ? head.countExtents(false) : UNKNOWN,
                head.extents().isPresent() ? head.countExtents(true) : UNKNOWN,
                head.errors());
    }

    /** Heads that nobody is, with nothing to tell, share a row. */
    private static void addIdle(TextTable table, int first, int last) {
        if (first <= last) {
            table.row(first == last ? first : first + "-" + last, HeadState.FREE.label());
        }
    }

    private void addCounters(int columns) {
        List<Integer> heads = new ArrayList<>();
        facts.heads().forEach(head -> {
            if (hasCounted(head.head())) {
                heads.add(head.head());
            }
        });
        line("");
        if (heads.isEmpty()) {
            line("no head has counted anything");
        }
        int perTable = Math.max(1, (columns - COUNTER_LABEL_COLUMNS) / COUNTER_COLUMNS);
        for (int from = 0; from < heads.size(); from += perTable) {
            List<Integer> shown = heads.subList(from, Math.min(heads.size(), from + perTable));
            TextTable table = new TextTable().words("");
            shown.forEach(head -> table.numbers("head " + head));
            for (Counter counter : Counter.values()) {
                List<Object> cells = new ArrayList<>(List.of(counter.label()));
                shown.forEach(head -> cells.add(state.counters(head).getAcquire(counter)));
                table.row(cells.toArray());
            }
            table.lines(Integer.MAX_VALUE).forEach(this::line);
        }
    }

    private boolean hasCounted(int head) {
        for (Counter counter : Counter.values()) {
            if (state.counters(head).getAcquire(counter) != 0) {
                return true;
            }
        }
        return false;
    }

    private String size(long blocks) {
        return Sizes.text(blocks * facts.geometry().blockSizeBytes());
    }

    private void line(String line) {
        text.append(ForeignText.line(line)).append('\n');
    }

    // ---- JSON

    /** The members that tell what init decided. */
    static void device(Json out, DeviceFiles files, StateFile.Identity identity, Geometry geometry) {
        out.put("name", DeviceFacts.nameOf(files))
                .put("state_file", files.stateFile().toString())
                .put("media_file", identity.mediaFile())
                .put("media_space", identity.sparseMedia() ? "sparse" : "reserved")
                .put("device_id", identity.deviceId())
                .put("created_ms", identity.createdMs())
                .putUnsigned("serial", identity.serial())
                .put("size", geometry.capacityBytes())
                .put("block_size", geometry.blockSizeBytes())
                .put("blocks", geometry.blockCount())
                .put("head_count", geometry.headCount());
        out.array(
                "regions",
                all -> geometry.regions()
                        .forEach(region -> all.element(one -> one.put("region", region.id())
                                .put("dpa", region.baseDpa())
                                .put("size", region.lengthBytes())
                                .put("decode_size", region.decodeLengthBytes())
                                .put("first_block", region.firstBlock())
                                .put("shareable", region.shareable()))));
    }

    private static void head(Json out, HeadFacts head, Geometry geometry) {
        String socket = ForeignText.line(head.row().controlSocket());
        out.put("head", head.head()).put("state", head.state().label());
        if (head.row().pid() > 0) {
            out.put("pid", head.row().pid()).put("since_ms", head.row().attachedMs());
        } else {
            out.putUnknown("pid").putUnknown("since_ms");
        }
        out.put("incarnation", head.row().incarnation())
                .put("socket", socket.isEmpty() ? null : socket)
                .put("blocks", head.blocks())
                .put("size", head.blocks() * geometry.blockSizeBytes());
        if (head.extents().isPresent()) {
            out.put("accepted_extents", head.countExtents(false)).put("pending_extents", head.countExtents(true));
        } else {
            out.putUnknown("accepted_extents").putUnknown("pending_extents");
        }
        out.put("errors", head.errors());
    }

    private static void counters(Json out, StateFile state, int head) {
        for (Counter counter : Counter.values()) {
            out.put(counter.label().replace(' ', '_'), state.counters(head).getAcquire(counter));
        }
    }
}

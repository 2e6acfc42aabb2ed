package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;
import static io.mhsld.qmp.QmpParameter.required;

import io.mhsld.cci.CapacityOrders;
import io.mhsld.cci.Mailbox;
import io.mhsld.cci.Response;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;

/**
 * The device's commands on a head's QMP socket: QEMU's two for dynamic capacity, with QEMU's arguments, order of checks and texts, and our own,
 * which begin with {@code x-}, for what QEMU cannot be asked.
 */
public final class CxlCommands {
    /** The most that one {@code x-mem-read} or {@code x-mem-write} moves: in Base64 it fits a QMP message several times over. */
    public static final int MEMORY_CHUNK_BYTES = 256 << 10;

    /** Where {@code x-cci} sends a command: the mailbox, the LD's message interface, or what the head does of the fabric manager's commands. */
    static final QmpType CCI_INTERFACE = QmpType.enumeration("X-CciInterface", "mailbox", "ld", "fm");

    /** QEMU's own texts, to the letter. */
    private static final Map<Cause, String> QEMU_TEXTS = new EnumMap<>(Cause.class);

    /** Texts for what QEMU does not know, the first one the reference's; the detail of the refusal follows. */
    private static final Map<Cause, String> OWN_TEXTS = new EnumMap<>(Cause.class);

    static {
        QEMU_TEXTS.put(Cause.REGION_UNKNOWN, "region id is too large");
        QEMU_TEXTS.put(Cause.LENGTH_ZERO, "extent with 0 length is not allowed");
        QEMU_TEXTS.put(Cause.UNALIGNED, "dpa or len is not aligned to region block size");
        QEMU_TEXTS.put(Cause.OUTSIDE_REGION, "extent range is beyond the region end");
        QEMU_TEXTS.put(Cause.OVERLAP_IN_REQUEST, "duplicate or overlapped extents are detected");
        QEMU_TEXTS.put(Cause.NOT_ACCEPTED, "cannot release extent with non-existing DPA range");
        QEMU_TEXTS.put(Cause.ALREADY_ACCEPTED, "cannot add DPA already accessible to the same LD");

        OWN_TEXTS.put(Cause.OWNED_BY_OTHER_HEAD, "mhsld is enabled and extent reservation failed");
        OWN_TEXTS.put(Cause.NO_SPACE, "no memory left for the extent");
        OWN_TEXTS.put(Cause.TOO_MANY_EXTENTS, "too many extents");
        OWN_TEXTS.put(Cause.EVENT_LOG_FULL, "dynamic capacity event log is full, the host does not read it");
    }

    private final Head head;
    private final Mailbox mailbox;
    private final Mailbox ldCci;
    private final CapacityOrders orders;
    private final DynamicCapacity capacity;
    private final Geometry geometry;
    private final String deviceId;
    private final DevicePath path;
    private final HostDriver.Mode driverMode;
    private final MemoryCommands memory;

    private CxlCommands(Head head, String deviceId, HostDriver.Mode driverMode, Executor later) {
        this.memory = new MemoryCommands(head, later);
        this.head = head;
        this.mailbox = head.mailbox();
        this.ldCci = mailbox.ldCci();
        this.orders = new CapacityOrders(head.device(), head::recordError);
        this.capacity = head.device().capacity();
        this.geometry = head.geometry();
        this.deviceId = deviceId;
        this.path = new DevicePath(deviceId);
        this.driverMode = driverMode;
    }

    /**
     * The command table of one head.
     *
     * @param deviceId what {@code path} may call the device, bare or at the end of a QOM path
     * @param driverMode what answers for the host; told by {@code x-query-head}
     * @param later runs a task on the head's thread, when everybody else there had a turn
     */
    public static List<QmpCommand> of(Head head, String deviceId, HostDriver.Mode driverMode, Executor later) {
        return new CxlCommands(head, deviceId, driverMode, later).table();
    }

    private List<QmpCommand> table() {
        List<QmpCommand> table = new ArrayList<>(List.of(
                QemuCommands.add(this::add),
                QemuCommands.release(this::release),
                QmpCommand.of("x-query-head", arguments -> queryHead()).returning(QmpType.ANY),
                QmpCommand.of("x-query-extents", arguments -> queryExtents()).returning(QmpType.ANY),
                QmpCommand.of(
                                "x-cci",
                                this::cci,
                                required("opcode", QmpType.UINT16),
                                optional("payload", QmpType.STR),
                                optional("interface", CCI_INTERFACE))
                        .returning(QmpType.ANY)));
        table.addAll(new EventQueries(head.device(), geometry).table());
        table.addAll(new InjectCommands(head.device(), path).table());
        table.addAll(memory.table());
        return table;
    }

    // ---- dynamic capacity

    private QmpReply add(QmpArguments arguments) {
        if (!arguments.text("selection-policy").equals("prescriptive")) {
            return QmpReply.refused("Selection policy not supported");
        }
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        return answer(
                capacity.add((int) arguments.number("region"), rangesOf(arguments), tagOf(arguments)),
                "cannot add DPA again while still pending");
    }

    private QmpReply release(QmpArguments arguments) {
        if (!arguments.text("removal-policy").equals("prescriptive")) {
            return QmpReply.refused("Removal policy not supported");
        }
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        int region = (int) arguments.number("region");
        List<Range> ranges = rangesOf(arguments);
        return answer(
                arguments.flag("forced-removal")
                        ? capacity.forceRelease(region, ranges)
                        : capacity.requestRelease(region, ranges),
                "cannot release extent with pending DPA range");
    }

    private Optional<QmpReply> checkPath(QmpArguments arguments) {
        return path.isDevice(arguments.text("path"))
                ? Optional.empty()
                : Optional.of(QmpReply.refused("Unable to resolve CXL type 3 device"));
    }

    /** QEMU takes any string for a tag; one that is no UUID stands for the UUID that is made from its characters (RFC 4122, version 3). */
    private static UUID tagOf(QmpArguments arguments) {
        String tag = arguments.optionalText("tag").orElse("");
        try {
            return tag.isEmpty() ? Extent.NO_TAG : UUID.fromString(tag);
        } catch (IllegalArgumentException e) {
            return UUID.nameUUIDFromBytes(tag.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static List<Range> rangesOf(QmpArguments arguments) {
        List<Range> ranges = new ArrayList<>();
        for (QmpArguments extent : arguments.structs("extents")) {
            ranges.add(new Range(extent.number("offset"), extent.number("len")));
        }
        return ranges;
    }

    private static QmpReply answer(Optional<Refusal> refusal, String pendingText) {
        if (refusal.isEmpty()) {
            return QmpReply.done();
        }
        Cause cause = refusal.get().cause();
        if (cause == Cause.STILL_PENDING) {
            return QmpReply.refused(pendingText);
        }
        String text = QEMU_TEXTS.get(cause);
        if (text == null) {
            text = OWN_TEXTS.getOrDefault(cause, "refused") + ": "
                    + refusal.get().detail();
        }
        return QmpReply.refused(text);
    }

    // ---- queries

    private QmpReply queryHead() {
        StateFile state = head.state();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("head", (long) head.id());
        answer.put("id", deviceId);
        answer.put("pid", ProcessHandle.current().pid());
        answer.put("incarnation", state.heads().incarnationAcquire(head.id()));
        answer.put("state-file", state.file().toString());
        answer.put("media-file", state.identity().mediaFile());
        answer.put("serial", state.identity().serial());
        answer.put("heads", (long) geometry.headCount());
        answer.put("block-size", geometry.blockSizeBytes());
        answer.put("host-driver", driverMode.name().toLowerCase(Locale.ROOT));
        List<Object> regions = new ArrayList<>();
        for (Geometry.Region region : geometry.regions()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("region", (long) region.id());
            row.put("base", region.baseDpa());
            row.put("decode-length", region.decodeLengthBytes());
            row.put("length", region.lengthBytes());
            regions.add(row);
        }
        answer.put("regions", regions);
        Map<String, Object> counters = new LinkedHashMap<>();
        for (Counter counter : Counter.values()) {
            counters.put(counter.label().replace(' ', '-'), head.counters().getAcquire(counter));
        }
        answer.put("counters", counters);
        return QmpReply.of(answer);
    }

    private QmpReply queryExtents() {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("generation", (long) capacity.generation());
        answer.put("available", (long) capacity.extentsAvailable());
        answer.put("accepted", capacity.accepted().stream().map(this::extent).toList());
        List<Object> groups = new ArrayList<>();
        for (PendingGroup group : capacity.pending()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("group", group.id());
            row.put("withdrawn", group.isWithdrawn());
            row.put("extents", group.extents().stream().map(this::extent).toList());
            groups.add(row);
        }
        answer.put("pending", groups);
        return QmpReply.of(answer);
    }

    private Map<String, Object> extent(Extent extent) {
        Geometry.Region region = geometry.regionOfBlock(geometry.blockOfDpa(extent.startDpa()));
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("region", (long) region.id());
        row.put("dpa", extent.startDpa());
        row.put("offset", extent.startDpa() - region.baseDpa());
        row.put("len", extent.lengthBytes());
        row.put("tag", extent.tag().toString());
        return row;
    }

    // ---- mailbox

    private QmpReply cci(QmpArguments arguments) {
        byte[] payload;
        try {
            payload = HexFormat.of().parseHex(arguments.optionalText("payload").orElse(""));
        } catch (IllegalArgumentException e) {
            return QmpReply.refused("Parameter 'payload' expects pairs of hexadecimal digits");
        }
        int opcode = (int) arguments.number("opcode");
        String target = arguments.optionalText("interface").orElse("mailbox");
        return cciAnswer(
                switch (target) {
                    case "ld" -> ldCci.execute(opcode, payload);
                    case "fm" -> orders.execute(opcode, payload);
                    default -> mailbox.execute(opcode, payload);
                });
    }

    static QmpReply cciAnswer(Response response) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("return-code", (long) response.code().value());
        answer.put("payload", HexFormat.of().formatHex(response.payload()));
        return QmpReply.of(answer);
    }
}

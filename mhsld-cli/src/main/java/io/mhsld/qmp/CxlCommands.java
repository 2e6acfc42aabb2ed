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
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.DcEvent;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.RemovalPolicy;
import io.mhsld.type3.SelectionPolicy;
import io.mhsld.type3.TagText;
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

    /** In the order of the policies' numbers. */
    static final List<String> SELECTION_POLICIES =
            List.of("free", "contiguous", "prescriptive", "enable-shared-access");

    static final List<String> REMOVAL_POLICIES = List.of("tag-based", "prescriptive");

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
        OWN_TEXTS.put(Cause.NO_FREE_CAPACITY, "not enough free capacity in the region");
        OWN_TEXTS.put(Cause.TAG_UNKNOWN, "nothing has the tag");
        OWN_TEXTS.put(Cause.TAG_IN_USE, "shared capacity has the tag already");
        OWN_TEXTS.put(Cause.TAG_REQUIRED, "a tag is required");
        OWN_TEXTS.put(Cause.TAGS_EXHAUSTED, "too many tags");
        OWN_TEXTS.put(Cause.NOT_SHAREABLE, "capacity of the region cannot be shared");
        OWN_TEXTS.put(Cause.INCOMPLETE_TAG, "shared capacity comes and goes by whole tags");
        OWN_TEXTS.put(Cause.BUSY, "the device is busy");
        OWN_TEXTS.put(Cause.POISON_LIMIT, "the extent lies in the middle of poison, and the poison list is full");
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
        this.path = new DevicePath(deviceId, FmCommands.HEAD_NAME + head.id());
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
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        SelectionPolicy policy = SelectionPolicy.of(SELECTION_POLICIES.indexOf(arguments.text("selection-policy")))
                .orElseThrow();
        List<Range> ranges = rangesOf(arguments);
        UUID tag = tagOf(arguments);
        Optional<Refusal> refusal =
                capacity.add(new AddRequest(policy, (int) arguments.number("region"), lengthOf(ranges), tag, ranges));
        boolean needsTag = policy == SelectionPolicy.ENABLE_SHARED_ACCESS;
        return answer(
                refusal.or(() -> needsTag ? requireTag(tag) : Optional.empty()),
                "cannot add DPA again while still pending");
    }

    private QmpReply release(QmpArguments arguments) {
        Optional<QmpReply> wrongPath = checkPath(arguments);
        if (wrongPath.isPresent()) {
            return wrongPath.get();
        }
        RemovalPolicy policy = RemovalPolicy.of(REMOVAL_POLICIES.indexOf(arguments.text("removal-policy")))
                .orElseThrow();
        UUID tag = tagOf(arguments);
        Optional<Refusal> refusal = capacity.release(new ReleaseRequest(
                policy,
                arguments.flag("forced-removal"),
                arguments.flag("sanitize-on-release"),
                (int) arguments.number("region"),
                0,
                tag,
                rangesOf(arguments)));
        boolean needsTag = policy == RemovalPolicy.TAG_BASED;
        return answer(
                refusal.or(() -> needsTag ? requireTag(tag) : Optional.empty()),
                "cannot release extent with pending DPA range");
    }

    /** Without a tag the device finds nothing to do; a person who forgot it should be told. */
    private static Optional<Refusal> requireTag(UUID tag) {
        return tag.equals(Extent.NO_TAG) ? Refusal.of(Cause.TAG_REQUIRED, "tag=%s", tag) : Optional.empty();
    }

    /** What free and contiguous are asked for: the sum of the lengths; of a sum beyond 64 bits, more than any device has. */
    private static long lengthOf(List<Range> ranges) {
        long sum = 0;
        for (Range range : ranges) {
            long before = sum;
            sum += range.lengthBytes();
            if (Long.compareUnsigned(sum, before) < 0) {
                return Long.MIN_VALUE;
            }
        }
        return sum;
    }

    private Optional<QmpReply> checkPath(QmpArguments arguments) {
        return path.isDevice(arguments.text("path"))
                ? Optional.empty()
                : Optional.of(QmpReply.refused("Unable to resolve CXL type 3 device"));
    }

    /** Clients of QEMU send an empty one for none. */
    private static UUID tagOf(QmpArguments arguments) {
        return TagText.tagOf(arguments.optionalText("tag").orElse(""));
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
            DcRegion now = capacity.regions().get(region.id());
            row.put("block-size", now.blockSizeBytes());
            row.put("shareable", now.shareable());
            row.put("sanitize-on-release", now.sanitizeOnRelease());
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
        answer.put("tags-supported", (long) capacity.tagsSupported());
        answer.put("tags-available", (long) capacity.tagsAvailable());
        answer.put("accepted", capacity.accepted().stream().map(this::extent).toList());
        answer.put("leaving", capacity.leaving().stream().map(this::extent).toList());
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
        return extent(
                geometry.regionOfBlock(geometry.blockOfDpa(extent.startDpa())).id(), extent);
    }

    private Map<String, Object> extent(int region, Extent extent) {
        long base = geometry.regions().get(region).baseDpa();
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("region", (long) region);
        row.put("dpa", extent.startDpa());
        row.put("offset", extent.equals(DcEvent.NOTHING) ? 0 : extent.startDpa() - base);
        row.put("len", extent.lengthBytes());
        row.put("tag", extent.tag().toString());
        row.put("sequence", (long) extent.sharedSequence());
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

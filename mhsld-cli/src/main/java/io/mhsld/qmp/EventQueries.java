package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;

import io.mhsld.cci.EventRecordWriter;
import io.mhsld.state.Geometry;
import io.mhsld.type3.ComponentId;
import io.mhsld.type3.DcEvent;
import io.mhsld.type3.DramEvent;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.MemoryModuleEvent;
import io.mhsld.type3.MemoryModuleEvent.Health;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** {@code x-query-events}: what the event logs got, cleared or not. Fields have the names of the arguments of the commands that inject them. */
final class EventQueries {
    static final QmpType LOG = QmpType.enumeration(
            "x-EventLog",
            Arrays.stream(EventLog.Kind.values()).map(EventLog.Kind::toString).toArray(String[]::new));

    private final Type3Device device;
    private final Geometry geometry;

    EventQueries(Type3Device device, Geometry geometry) {
        this.device = device;
        this.geometry = geometry;
    }

    List<QmpCommand> table() {
        return List.of(
                QmpCommand.of("x-query-events", this::query, optional("log", LOG), optional("since", QmpType.UINT64))
                        .returning(QmpType.ANY));
    }

    private QmpReply query(QmpArguments arguments) {
        String name = arguments.optionalText("log").orElse(EventLog.Kind.DYNAMIC_CAPACITY.toString());
        EventLog.Kind kind = Arrays.stream(EventLog.Kind.values())
                .filter(value -> value.toString().equals(name))
                .findFirst()
                .orElseThrow();
        EventLog log = device.log(kind);
        List<EventRecord> recent =
                log.appendedAfter(arguments.optionalNumber("since").orElse(0));
        long sequence = log.appendedCount() - recent.size();
        List<Object> rows = new ArrayList<>();
        for (EventRecord record : recent) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("sequence", ++sequence);
            write(record, row);
            rows.add(row);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("log", name);
        answer.put("appended", log.appendedCount());
        answer.put("unread", (long) log.size());
        answer.put("depth", (long) log.depth());
        answer.put("overflow", (long) log.overflowCount());
        answer.put("first-overflow", log.firstOverflowNs());
        answer.put("last-overflow", log.lastOverflowNs());
        answer.put("records", rows);
        return QmpReply.of(answer);
    }

    private void write(EventRecord record, Map<String, Object> row) {
        row.put("handle", (long) record.handle());
        row.put("timestamp", record.timestampNs());
        if (record.body() instanceof DcEvent event) {
            write(event, row);
            return;
        }
        if (record.body() instanceof GeneralMediaEvent event) {
            row.put("record", "general-media");
            write(record.header(), row);
            write(event, row);
        } else if (record.body() instanceof DramEvent event) {
            row.put("record", "dram");
            write(record.header(), row);
            write(event, row);
        } else if (record.body() instanceof MemoryModuleEvent event) {
            row.put("record", "memory-module");
            write(record.header(), row);
            write(event, row);
        }
        row.put("bytes", HexFormat.of().formatHex(EventRecordWriter.bytes(record)));
    }

    private void write(DcEvent event, Map<String, Object> row) {
        row.put("record", "dynamic-capacity");
        row.put("type", event.type().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        row.put("host-id", (long) event.hostId());
        row.put("region", (long) event.region());
        row.put("dpa", event.extent().startDpa());
        long base = geometry.regions().get(event.region()).baseDpa();
        row.put(
                "offset",
                event.extent().equals(DcEvent.NOTHING) ? 0 : event.extent().startDpa() - base);
        row.put("len", event.extent().lengthBytes());
        row.put("tag", event.extent().tag().toString());
        row.put("shared-sequence", (long) event.extent().sharedSequence());
        row.put("more", event.more());
        row.put("extents-available", (long) event.extentsAvailable());
    }

    private static void write(EventHeader header, Map<String, Object> row) {
        row.put("flags", (long) header.wireFlags());
        put(row, "maint-op-class", header.maintenanceClass());
        put(row, "maint-op-subclass", header.maintenanceSubclass());
        put(row, "ld-id", header.ldId());
        put(row, "head-id", header.headId());
    }

    private static void write(GeneralMediaEvent event, Map<String, Object> row) {
        write(event.error(), row, "cme-count");
        put(row, "channel", event.channel());
        put(row, "rank", event.rank());
        put(row, "device", event.device());
        put(row, event.component());
    }

    private static void write(DramEvent event, Map<String, Object> row) {
        write(event.error(), row, "cvme-count");
        put(row, "channel", event.channel());
        put(row, "sub-channel", event.subChannel());
        put(row, "rank", event.rank());
        put(row, "nibble-mask", event.nibbleMask());
        put(row, "bank-group", event.bankGroup());
        put(row, "bank", event.bank());
        put(row, "row", event.row());
        put(row, "column", event.column());
        if (!event.correctionMask().isEmpty()) {
            row.put(
                    "correction-mask",
                    event.correctionMask().stream().map(QmpJson::unsigned).toList());
        }
        put(row, event.component());
    }

    private static void write(MediaError error, Map<String, Object> row, String countName) {
        row.put("dpa", QmpJson.unsigned(error.physicalAddress()));
        row.put("descriptor", (long) error.descriptor());
        row.put("type", (long) error.type());
        row.put("transaction-type", (long) error.transactionType());
        row.put("sub-type", (long) error.subType());
        row.put("cme-ev-flags", (long) error.thresholdFlags());
        row.put(countName, (long) error.correctedErrorCount());
    }

    private static void write(MemoryModuleEvent event, Map<String, Object> row) {
        Health health = event.health();
        row.put("type", (long) event.type());
        row.put("sub-type", (long) event.subType());
        row.put("health-status", (long) health.healthStatus());
        row.put("media-status", (long) health.mediaStatus());
        row.put("additional-status", (long) health.additionalStatus());
        row.put("life-used", (long) health.lifeUsed());
        row.put("temperature", (long) health.temperature());
        row.put("dirty-shutdown-count", health.dirtyShutdowns());
        row.put("corrected-volatile-error-count", health.correctedVolatileErrors());
        row.put("corrected-persistent-error-count", health.correctedPersistentErrors());
        put(row, event.component());
    }

    private static void put(Map<String, Object> row, String name, OptionalInt value) {
        value.ifPresent(number -> row.put(name, (long) number));
    }

    private static void put(Map<String, Object> row, Optional<ComponentId> component) {
        component.ifPresent(id -> {
            row.put("component-id", id.text());
            row.put("is-comp-id-pldm", id.isPldm());
        });
    }
}

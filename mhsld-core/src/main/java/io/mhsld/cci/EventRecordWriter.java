package io.mhsld.cci;

import io.mhsld.type3.ComponentId;
import io.mhsld.type3.DcEvent;
import io.mhsld.type3.DramEvent;
import io.mhsld.type3.EventBody;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.MemoryModuleEvent;
import io.mhsld.type3.MemoryModuleEvent.Health;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/** Event records as bytes. */
public final class EventRecordWriter {
    private EventRecordWriter() {}

    /** The record as Get Event Records transports it. */
    public static byte[] bytes(EventRecord record) {
        UUID id = idOf(record.body());
        Payload payload = EventLayouts.RECORDS.get(id).empty(0);
        write(record, id, payload);
        return payload.toBytes();
    }

    /** Writes a record into its place in an answer. */
    static void write(EventRecord record, Payload answer, int index) {
        UUID id = idOf(record.body());
        answer.entry(index).set("recordId", id);
        write(record, id, answer.entry(index));
    }

    private static UUID idOf(EventBody body) {
        if (body instanceof GeneralMediaEvent) {
            return EventLayouts.GENERAL_MEDIA_RECORD_ID;
        }
        if (body instanceof DramEvent) {
            return EventLayouts.DRAM_RECORD_ID;
        }
        return body instanceof MemoryModuleEvent ? EventLayouts.MEMORY_MODULE_RECORD_ID : EventLayouts.DC_RECORD_ID;
    }

    private static void write(EventRecord record, UUID id, Payload entry) {
        EventHeader header = record.header();
        entry.set("recordId", id)
                .set("recordLength", EventLayouts.RECORD_LENGTH_BYTES)
                .setFlags("recordFlags", header.wireFlags())
                .set("handle", record.handle())
                .set("timestampNs", record.timestampNs())
                .set("maintenanceOperationClass", header.maintenanceClass().orElse(0))
                .set(
                        "maintenanceOperationSubclass",
                        header.maintenanceSubclass().orElse(0))
                .set("ldId", header.ldId().orElse(0))
                .set("headId", header.headId().orElse(0));
        if (record.body() instanceof GeneralMediaEvent event) {
            write(event, entry);
        } else if (record.body() instanceof DramEvent event) {
            write(event, entry);
        } else if (record.body() instanceof MemoryModuleEvent event) {
            write(event, entry);
        } else if (record.body() instanceof DcEvent event) {
            write(event, entry);
        }
    }

    private static void write(GeneralMediaEvent event, Payload entry) {
        write(event.error(), entry);
        set(entry, "channel", event.channel());
        set(entry, "rank", event.rank());
        set(entry, "device", event.device());
        set(entry, event.component());
    }

    private static void write(DramEvent event, Payload entry) {
        write(event.error(), entry);
        set(entry, "channel", event.channel());
        set(entry, "rank", event.rank());
        set(entry, "nibbleMask", "nibble mask", event.nibbleMask());
        set(entry, "bankGroup", "bank group", event.bankGroup());
        set(entry, "bank", event.bank());
        set(entry, "row", event.row());
        set(entry, "column", event.column());
        entry.setFlag("validity", "correction mask", !event.correctionMask().isEmpty());
        for (int i = 0; i < event.correctionMask().size(); i++) {
            entry.set("correctionMask" + i, event.correctionMask().get(i));
        }
        set(entry, event.component());
        set(entry, "subChannel", "sub-channel", event.subChannel());
    }

    private static void write(MediaError error, Payload entry) {
        entry.set("physicalAddress", error.physicalAddress())
                .setFlags("descriptor", error.descriptor())
                .set("type", error.type())
                .set("transactionType", error.transactionType())
                .setFlags("thresholdFlags", error.thresholdFlags())
                .set("correctedErrorCount", error.correctedErrorCount())
                .set("subType", error.subType());
    }

    private static void write(MemoryModuleEvent event, Payload entry) {
        Health health = event.health();
        entry.set("type", event.type())
                .setFlags("healthStatus", health.healthStatus())
                .set("mediaStatus", health.mediaStatus())
                .setFlags("additionalStatus", health.additionalStatus())
                .set("lifeUsedPercent", health.lifeUsed())
                .set("temperatureCelsius", health.temperature())
                .set("dirtyShutdowns", health.dirtyShutdowns())
                .set("correctedVolatileErrors", health.correctedVolatileErrors())
                .set("correctedPersistentErrors", health.correctedPersistentErrors())
                .set("subType", event.subType());
        set(entry, event.component());
    }

    private static void write(DcEvent event, Payload entry) {
        boolean isOfRegion = event.type() == DcEvent.Type.REGION_CONFIGURATION_UPDATED;
        entry.set("type", event.type().value())
                .setFlag("validity", "extents available", true)
                .setFlag("validity", "tags available", event.tagsAvailable() != DcEvent.NO_TAGS)
                .set("hostId", event.hostId())
                .set("updatedRegion", isOfRegion ? event.region() : 0)
                .setFlag("flags", "more", event.more())
                .set("extentsAvailable", event.extentsAvailable())
                .set("tagsAvailable", Math.max(0, event.tagsAvailable()));
        EventCommands.write(event.extent(), entry);
    }

    private static void set(Payload entry, String field, OptionalInt value) {
        set(entry, field, field, value);
    }

    private static void set(Payload entry, String field, String validity, OptionalInt value) {
        value.ifPresent(number -> entry.set(field, number).setFlag("validity", validity, true));
    }

    private static void set(Payload entry, Optional<ComponentId> component) {
        component.ifPresent(id -> entry.set("componentId", id.bytes())
                .setFlag("validity", "component id", true)
                .setFlag("validity", "component id is PLDM", id.isPldm()));
    }
}

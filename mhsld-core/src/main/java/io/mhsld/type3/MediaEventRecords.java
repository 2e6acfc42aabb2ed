package io.mhsld.type3;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * What happens to the media and to the module's health, as records of the device's event logs (CXL r3.1 8.2.9.2.1.1, 8.2.9.2.1.3): poison that was
 * put in on request is information, poison that a scan finds a warning, poison that the host ran into a failure.
 */
final class MediaEventRecords implements MediaEvents {
    private static final int SEVERITY_INFORMATIONAL = 0;
    private static final int SEVERITY_WARNING = 1;
    private static final int SEVERITY_FAILURE = 2;

    /** General media event types (8.2.9.2.1.1). */
    private static final int MEDIA_ECC_ERROR = 0;

    /** Transaction types (8.2.9.2.1.1). */
    private static final int HOST_READ = 1;

    private static final int HOST_SCAN_MEDIA = 3;
    private static final int HOST_INJECT_POISON = 4;

    /** In the physical address: the memory is volatile. */
    private static final int VOLATILE = 1;

    private static final long FLAGS_MASK = 0x3F;

    /** Memory module event types (8.2.9.2.1.3). */
    private static final int HEALTH_STATUS_CHANGE = 0;

    private static final int LIFE_USED_CHANGE = 2;
    private static final int TEMPERATURE_CHANGE = 3;

    private final Type3Device device;

    MediaEventRecords(Type3Device device) {
        this.device = device;
    }

    @Override
    public void poisonInjected(MediaPoison.Line line) {
        reportMedia(EventLog.Kind.INFORMATIONAL, SEVERITY_INFORMATIONAL, line.dpa(), HOST_INJECT_POISON, 0);
    }

    @Override
    public void poisonFound(MediaPoison.Line line) {
        reportMedia(EventLog.Kind.WARNING, SEVERITY_WARNING, line.dpa(), HOST_SCAN_MEDIA, MediaError.UNCORRECTABLE);
    }

    @Override
    public void poisonRead(long dpa, long lengthBytes) {
        // The access may begin before the poison: the record names the line that is bad.
        long line = device.poison().scan(dpa, lengthBytes).stream()
                .mapToLong(MediaPoison.Line::dpa)
                .findFirst()
                .orElse(dpa);
        reportMedia(EventLog.Kind.FAILURE, SEVERITY_FAILURE, line, HOST_READ, MediaError.UNCORRECTABLE);
    }

    @Override
    public void poisonListOverflowed() {
        reportMedia(EventLog.Kind.WARNING, SEVERITY_WARNING, 0, 0, MediaError.POISON_LIST_OVERFLOW);
    }

    @Override
    public void alert(Alert alert, boolean isCritical, boolean isOn) {
        int type = switch (alert) {
            case LIFE_USED -> LIFE_USED_CHANGE;
            case OVER_TEMPERATURE, UNDER_TEMPERATURE -> TEMPERATURE_CHANGE;
            case CORRECTED_VOLATILE_ERRORS, CORRECTED_PERSISTENT_ERRORS -> HEALTH_STATUS_CHANGE;
        };
        EventLog.Kind log = EventLog.Kind.INFORMATIONAL;
        int severity = SEVERITY_INFORMATIONAL;
        if (isOn) {
            log = isCritical ? EventLog.Kind.FAILURE : EventLog.Kind.WARNING;
            severity = isCritical ? SEVERITY_FAILURE : SEVERITY_WARNING;
        }
        device.report(log, header(severity), new MemoryModuleEvent(type, 0, device.healthInfo(), Optional.empty()));
    }

    private void reportMedia(EventLog.Kind log, int severity, long dpa, int transactionType, int descriptor) {
        MediaError error = new MediaError((dpa & ~FLAGS_MASK) | VOLATILE, descriptor, MEDIA_ECC_ERROR, transactionType);
        device.report(log, header(severity), GeneralMediaEvent.of(error));
    }

    private EventHeader header(int severity) {
        int head = device.identity().hostId();
        return new EventHeader(
                severity, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.of(head), OptionalInt.of(head));
    }
}

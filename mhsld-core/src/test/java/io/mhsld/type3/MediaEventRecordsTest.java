package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MediaEventRecordsTest {
    private static final long BLOCK = 2L << 20;

    private final DcRegion region = new DcRegion(0, 0, 256L << 20, 256L << 20, BLOCK);
    private final Type3Device device = TestDevice.with(List.of(region), Clock.systemUTC());

    private List<EventRecord> records(EventLog.Kind log) {
        return device.log(log).oldest(100);
    }

    @Test
    void shouldInformOfPoisonThatWasInjected() {
        assertEquals(Optional.empty(), device.injectPoison(0x1040, 64, MediaPoison.Source.INJECTED));

        GeneralMediaEvent event = assertInstanceOf(
                GeneralMediaEvent.class,
                records(EventLog.Kind.INFORMATIONAL).get(0).body());
        assertEquals(0x1041, event.error().physicalAddress(), "address, and that the memory is volatile");
        assertEquals(4, event.error().transactionType(), "host inject poison");
        assertEquals(0, event.error().descriptor());
        assertTrue(records(EventLog.Kind.FAILURE).isEmpty());
    }

    @Test
    void shouldFailLoudlyWhenTheHostReadsPoison() {
        assertEquals(Optional.empty(), device.capacity().add(0, List.of(new Range(0, BLOCK)), Extent.NO_TAG));
        assertEquals(Optional.empty(), device.capacity().addResponse(List.of(new HostRange(0, BLOCK)), false));
        device.injectPoison(128, 64, MediaPoison.Source.INTERNAL);

        Optional<Refusal> refusal = device.read(100, new byte[64], 0, 64);

        assertEquals(Cause.POISONED, refusal.orElseThrow().cause());
        EventRecord record = records(EventLog.Kind.FAILURE).get(0);
        GeneralMediaEvent event = assertInstanceOf(GeneralMediaEvent.class, record.body());
        assertEquals(129, event.error().physicalAddress(), "the line that is bad, not where the access began");
        assertEquals(1, event.error().transactionType(), "host read");
        assertEquals(MediaError.UNCORRECTABLE, event.error().descriptor());
        assertEquals(2, record.header().flags(), "severity");
        assertEquals(device.identity().hostId(), record.header().headId().orElseThrow());
    }

    @Test
    void shouldWarnOfAnAlertAndTellItsEnd() {
        device.health().setTemperature(85);
        device.health().setTemperature(30);

        MemoryModuleEvent begin = assertInstanceOf(
                MemoryModuleEvent.class, records(EventLog.Kind.WARNING).get(0).body());
        assertEquals(3, begin.type(), "temperature");
        assertEquals(85, begin.health().temperature());
        assertEquals(1 << 2, begin.health().additionalStatus(), "temperature: warning");
        MemoryModuleEvent end = assertInstanceOf(
                MemoryModuleEvent.class,
                records(EventLog.Kind.INFORMATIONAL).get(0).body());
        assertEquals(0, end.health().additionalStatus());
    }

    @Test
    void shouldSayFailureWhenAThresholdIsCritical() {
        device.health().setLifeUsed(HealthAndAlerts.LIFE_USED_CRITICAL);

        List<EventRecord> failures = records(EventLog.Kind.FAILURE);
        MemoryModuleEvent event = assertInstanceOf(
                MemoryModuleEvent.class, failures.get(failures.size() - 1).body());
        assertEquals(2, event.type(), "life used");
        assertEquals(1 << 2, event.health().healthStatus(), "replacement needed");
    }
}

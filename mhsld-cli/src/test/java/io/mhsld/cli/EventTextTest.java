package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.EventLayouts;
import io.mhsld.cci.EventRecordWriter;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTextTest {
    @Test
    void shouldLeaveOutWhatARecordSaysNothingAbout() {
        byte[] record = EventRecordWriter.bytes(
                new EventRecord(9, 5, EventHeader.INFORMATIONAL, GeneralMediaEvent.of(new MediaError(0, 1, 9, 0))));
        assertEquals(
                "general media event: physicalAddress=0x0 descriptor=\"uncorrectable event\" type=0x9"
                        + " transactionType=unknown",
                EventText.of(record));
    }

    @Test
    void shouldShowWhatItDoesNotKnow() {
        byte[] record = new byte[128];
        record[0] = 1;
        record[127] = 7;
        assertEquals("event record: data=" + "00".repeat(79) + "07", EventText.of(record));
        assertEquals("event record: undecoded=0102", EventText.of(new byte[] {1, 2}));
        assertEquals("event record:", EventText.of(new byte[0]));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldShowAnyBytesOnOnePrintableLine(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<UUID> ids = List.copyOf(EventLayouts.RECORDS.keySet());
        for (int i = 0; i < 5000; i++) {
            byte[] record = new byte[random.nextInt(3) == 0 ? random.nextInt(300) : 128];
            random.nextBytes(record);
            if (record.length >= 16) {
                UUID id = ids.get(random.nextInt(ids.size()));
                byte[] begin =
                        EventLayouts.EVENT_RECORD.empty(0).set("recordId", id).toBytes();
                System.arraycopy(begin, 0, record, 0, 16);
            }
            String line = EventText.of(record);
            assertTrue(line.chars().allMatch(c -> c >= ' ' && c < 0x7F), "seed=" + seed + " " + line);
        }
    }
}

package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.ComponentId;
import io.mhsld.type3.DramEvent;
import io.mhsld.type3.EventBody;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.Extent;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.MemoryModuleEvent;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of event record byte by byte, as the tables of the specification have it; and logs in which kinds are mixed. */
class EventRecordsTest {
    private static final OptionalInt UNKNOWN = OptionalInt.empty();
    private static final EventHeader FULL_HEADER =
            new EventHeader(0x05, OptionalInt.of(2), OptionalInt.of(4), OptionalInt.of(0x0A0B), OptionalInt.of(7));

    /** Flags with subclass, LD id and head id valid; handle 0x0201; time 0x1234; class, subclass, LD id, head id. */
    private static final String FULL_HEADER_BYTES =
            " 80 c50100 0102 0000 3412000000000000 02 04 0b0a 07 0000000000000000000000 ";

    private static final String BARE_HEADER_BYTES =
            " 80 020000 0102 0000 3412000000000000 00 00 0000 00 0000000000000000000000 ";

    private static final MediaError FULL_ERROR =
            new MediaError(0x123456789ABCDEF1L, 0x03, 0x06, 0x08, 0x05, 0x03, 0x0C0B0A);
    private static final MediaError BARE_ERROR = new MediaError(-64L, 0x01, 0x00, 0x01);
    private static final Optional<ComponentId> PART = Optional.of(new ComponentId("part-0", false));
    private static final Optional<ComponentId> PLDM = Optional.of(new ComponentId("0123456789abcdef", true));

    static GeneralMediaEvent fullGeneralMedia() {
        return new GeneralMediaEvent(
                FULL_ERROR, OptionalInt.of(0x11), OptionalInt.of(0x12), OptionalInt.of(0x151413), PLDM);
    }

    static DramEvent fullDram() {
        return new DramEvent(
                FULL_ERROR,
                OptionalInt.of(0x11),
                OptionalInt.of(0x22),
                OptionalInt.of(0x12),
                OptionalInt.of(0x151413),
                OptionalInt.of(0x16),
                OptionalInt.of(0x17),
                OptionalInt.of(0x1A1918),
                OptionalInt.of(0x1C1B),
                List.of(1L, 2L, -1L, 0x0807060504030201L),
                PLDM);
    }

    static MemoryModuleEvent fullMemoryModule() {
        return new MemoryModuleEvent(
                0x04,
                0x03,
                new MemoryModuleEvent.Health(0x07, 0x09, 0x25, 0x63, -40, 0xFFFFFFFFL, 0x04030201L, 0x80000000L),
                PART);
    }

    static Stream<Arguments> records() {
        return Stream.of(
                Arguments.of(
                        "general media, all of it",
                        FULL_HEADER,
                        fullGeneralMedia(),
                        "fbcd0a77c260417f85a9088b1621eba6" + FULL_HEADER_BYTES
                                // address, descriptor, type, transaction
                                + "f1debc9a78563412 03 06 08"
                                // validity, channel, rank, device, component
                                + "1f00 11 12 131415 30313233343536373839616263646566"
                                // threshold flags, count, sub-type
                                + "03 0a0b0c 05" + "00".repeat(41)),
                Arguments.of(
                        "general media, address only",
                        EventHeader.ofFlags(2),
                        GeneralMediaEvent.of(BARE_ERROR),
                        "fbcd0a77c260417f85a9088b1621eba6" + BARE_HEADER_BYTES
                                + "c0ffffffffffffff 01 00 01 0000 00 00 000000" + "00".repeat(16 + 5 + 41)),
                Arguments.of(
                        "general media, some of it",
                        EventHeader.ofFlags(2),
                        new GeneralMediaEvent(BARE_ERROR, UNKNOWN, OptionalInt.of(0), UNKNOWN, PART),
                        "fbcd0a77c260417f85a9088b1621eba6" + BARE_HEADER_BYTES
                                + "c0ffffffffffffff 01 00 01 0a00 00 00 000000 706172742d30"
                                + "00".repeat(10 + 5 + 41)),
                Arguments.of(
                        "DRAM, all of it",
                        FULL_HEADER,
                        fullDram(),
                        "601dcbb39c064eabb8af4e9bfb5c9624" + FULL_HEADER_BYTES + "f1debc9a78563412 03 06 08"
                                // validity, channel, rank, nibble mask, bank group, bank, row, column
                                + "ff07 11 12 131415 16 17 18191a 1b1c"
                                // correction masks
                                + "0100000000000000 0200000000000000 ffffffffffffffff 0102030405060708"
                                // component, sub-channel, threshold flags, count, sub-type
                                + "30313233343536373839616263646566 22 03 0a0b0c 05 00"),
                Arguments.of(
                        "DRAM, one correction mask",
                        EventHeader.ofFlags(2),
                        new DramEvent(
                                BARE_ERROR,
                                UNKNOWN,
                                OptionalInt.of(1),
                                UNKNOWN,
                                UNKNOWN,
                                UNKNOWN,
                                UNKNOWN,
                                OptionalInt.of(0xFFFFFF),
                                UNKNOWN,
                                List.of(3L),
                                Optional.empty()),
                        "601dcbb39c064eabb8af4e9bfb5c9624" + BARE_HEADER_BYTES + "c0ffffffffffffff 01 00 01"
                                + "a004 00 00 000000 00 00 ffffff 0000 0300000000000000" + "00".repeat(24 + 16)
                                + "01 00 000000 00 00"),
                Arguments.of(
                        "memory module, all of it",
                        FULL_HEADER,
                        fullMemoryModule(),
                        "fe927475dd594339a58679bab113b774" + FULL_HEADER_BYTES
                                // type, health, media, additional, life used, temperature, counts
                                + "04 07 09 25 63 d8ff ffffffff 01020304 00000080"
                                // validity, component, sub-type
                                + "0100 706172742d3000000000000000000000 03" + "00".repeat(42)),
                Arguments.of(
                        "memory module, health only",
                        EventHeader.ofFlags(2),
                        new MemoryModuleEvent(
                                0, 0, new MemoryModuleEvent.Health(1, 0, 0, 0, 32767, 0, 0, 0), Optional.empty()),
                        "fe927475dd594339a58679bab113b774" + BARE_HEADER_BYTES + "00 01 00 00 00 ff7f"
                                + "00".repeat(12 + 2 + 16 + 1 + 42)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("records")
    void shouldWriteARecordByteByByte(String name, EventHeader header, EventBody body, String expected) {
        byte[] bytes = EventRecordWriter.bytes(new EventRecord(0x0201, 0x1234, header, body));
        byte[] wanted = Host.hex(expected);
        assertEquals(128, wanted.length, "vector");
        assertArrayEquals(wanted, bytes);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("records")
    void shouldAnswerWithTheSameBytesFromEachLog(String name, EventHeader header, EventBody body, String expected) {
        Host host = Host.singleHeaded();
        host.code(0x0301, "3412000000000000");
        for (EventLog.Kind kind : EventLog.Kind.values()) {
            host.device.report(kind, header, body);
            byte[] answer = host.outputBytes(0x0100, String.format("%02x", kind.number()));
            byte[] wanted = Host.hex(expected);
            wanted[20] = 1;
            wanted[21] = 0;
            assertEquals(32 + 128, answer.length);
            assertArrayEquals(wanted, Arrays.copyOfRange(answer, 32, 160), kind.toString());
        }
    }

    @Test
    void shouldDecodeALogInWhichKindsAreMixed() {
        Host host = Host.singleHeaded();
        host.device.capacity().add(0, List.of(TestDevice.blocks(0, 1)), Extent.NO_TAG);
        EventLog.Kind log = EventLog.Kind.DYNAMIC_CAPACITY;
        host.device.report(log, FULL_HEADER, fullGeneralMedia());
        host.device.report(log, FULL_HEADER, fullDram());
        host.device.report(log, FULL_HEADER, fullMemoryModule());
        byte[] answer = host.outputBytes(0x0100, "04");

        List<?> records = (List<?>) EventLayouts.EVENT_RECORDS.decode(answer).get("records");

        assertEquals(
                List.of("dynamic capacity event", "general media event", "DRAM event", "memory module event"),
                records.stream().map(record -> ((Map<?, ?>) record).get("kind")).toList());
        assertEquals("add capacity", ((Map<?, ?>) records.get(0)).get("type"));
        assertEquals("CKID violation", ((Map<?, ?>) records.get(1)).get("type"));
        assertEquals("media initialization", ((Map<?, ?>) records.get(2)).get("transactionType"));
        assertEquals(0x1A1918L, ((Map<?, ?>) records.get(2)).get("row"));
        assertEquals(-40L, ((Map<?, ?>) records.get(3)).get("temperatureCelsius"));
        List<String> lines = EventLayouts.EVENT_RECORDS.lines(answer);
        assertTrue(lines.contains("  temperatureCelsius: -40"), lines.toString());
        assertTrue(lines.contains("  row: 0x1a1918"), lines.toString());
    }

    @Test
    void shouldShowARecordOfAnUnknownKindAsHeaderAndData() {
        byte[] answer = new byte[32 + 128];
        answer[20] = 1;
        Arrays.fill(answer, 32, 48, (byte) 0x77);
        answer[32 + 48] = 0x12;
        Map<?, ?> record =
                (Map<?, ?>) ((List<?>) EventLayouts.EVENT_RECORDS.decode(answer).get("records")).get(0);
        assertEquals("event record", record.get("kind"));
        assertEquals("12" + "00".repeat(79), record.get("data"));
        Payload payload = EventLayouts.EVENT_RECORDS.over(answer);
        assertEquals("event record", payload.entry(0).layout().name());
    }

    @Test
    void shouldReadByNameWhatItWrites() {
        Payload record = EventLayouts.MEMORY_MODULE_RECORD.over(
                EventRecordWriter.bytes(new EventRecord(1, 0, FULL_HEADER, fullMemoryModule())));
        assertEquals(-40, record.number("temperatureCelsius"));
        assertTrue(record.flag("validity", "component id"));
        assertFalse(record.flag("validity", "component id is PLDM"));
        assertTrue(record.flag("recordFlags", "head id valid"));
    }

    static LongStream seeds() {
        return Seeds.of(3);
    }

    /** Whatever is in the bytes, it can be shown; and a known identifier decides how. */
    @ParameterizedTest
    @MethodSource("seeds")
    void shouldDecodeAnyBytes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<UUID> ids = new ArrayList<>(EventLayouts.RECORDS.keySet());
        for (int i = 0; i < 3000; i++) {
            int count = random.nextInt(4);
            byte[] answer = new byte[random.nextInt(4) == 0 ? random.nextInt(600) : 32 + 128 * count];
            random.nextBytes(answer);
            if (answer.length >= 32) {
                answer[20] = (byte) (random.nextInt(5) == 0 ? random.nextInt() : count);
                answer[21] = 0;
            }
            List<UUID> chosen = new ArrayList<>();
            for (int record = 0; 32 + 128 * (record + 1) <= answer.length && record < (answer[20] & 0xFF); record++) {
                UUID id = random.nextInt(5) == 0 ? new UUID(random.nextLong(), 1) : ids.get(random.nextInt(ids.size()));
                chosen.add(id);
                System.arraycopy(
                        EventLayouts.EVENT_RECORD.empty(0).set("recordId", id).toBytes(),
                        0,
                        answer,
                        32 + 128 * record,
                        16);
            }
            Map<String, Object> values = EventLayouts.EVENT_RECORDS.decode(answer);
            assertNotNull(EventLayouts.EVENT_RECORDS.lines(answer));
            if (values.get("records") instanceof List<?> records) {
                assertEquals(chosen.size(), records.size(), "seed=" + seed);
                for (int record = 0; record < records.size(); record++) {
                    Layout layout = EventLayouts.RECORDS.getOrDefault(chosen.get(record), EventLayouts.EVENT_RECORD);
                    assertEquals(layout.name(), ((Map<?, ?>) records.get(record)).get("kind"), "seed=" + seed);
                }
            }
        }
    }
}

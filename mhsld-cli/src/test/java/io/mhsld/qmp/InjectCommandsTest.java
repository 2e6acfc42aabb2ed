package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.EventRecordWriter;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.HealthAndAlerts;
import io.mhsld.type3.MediaEvents.Alert;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Type3Device;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's injection commands: requests as QEMU 10 and QEMU 11 take them, and what comes of them byte by byte. */
class InjectCommandsTest {
    private static final long BASE = 256L << 20;
    private static final String GM_10 = """
            {'path': 'cxl-mem0', 'log': 'fatal', 'flags': 3, 'dpa': 4097, 'descriptor': 1, 'type': 2,
             'transaction-type': 3, 'channel': 4, 'rank': 5, 'device': 460551, 'component-id': 'dimm7'}""";
    private static final String GM_11 = """
            {'path': '/machine/peripheral/cxl-mem0', 'log': 'warning', 'flags': 1, 'maint-op-class': 1,
             'maint-op-subclass': 2, 'ld-id': 258, 'head-id': 4, 'dpa': 18446744073709551552, 'descriptor': 0,
             'type': 5, 'transaction-type': 8, 'channel': 4, 'rank': 5, 'device': 16777215,
             'component-id': '0123456789abcdef', 'is-comp-id-pldm': true, 'cme-ev-flags': 3, 'cme-count': 66051,
             'sub-type': 4}""";
    private static final String DRAM_10 = """
            {'path': 'cxl-mem0', 'log': 'informational', 'flags': 0, 'dpa': 64, 'descriptor': 0, 'type': 1,
             'transaction-type': 2, 'channel': 1, 'rank': 2, 'nibble-mask': 197121, 'bank-group': 4, 'bank': 5,
             'row': 525062, 'column': 2569, 'correction-mask': [1, 2, 3, 4, 5]}""";
    private static final String DRAM_11 = """
            {'path': 'peripheral/cxl-mem0', 'log': 'failure', 'flags': 2, 'dpa': 64, 'descriptor': 4, 'type': 1,
             'transaction-type': 2, 'correction-mask': [], 'component-id': 'a', 'is-comp-id-pldm': false,
             'sub-channel': 6, 'cme-ev-flags': 1, 'cvme-count': 1, 'sub-type': 5}""";
    private static final String MM_10 = """
            {'path': 'cxl-mem0', 'log': 'informational', 'flags': 0, 'type': 3, 'health-status': 1, 'media-status': 2,
             'additional-status': 4, 'life-used': 99, 'temperature': -5, 'dirty-shutdown-count': 4294967295,
             'corrected-volatile-error-count': 1, 'corrected-persistent-error-count': 2}""";
    private static final String MM_11 = """
            {'path': 'cxl-mem0', 'log': 'fatal', 'flags': 8388608, 'head-id': 0, 'type': 8, 'health-status': 0,
             'media-status': 0, 'additional-status': 0, 'life-used': 0, 'temperature': 0, 'dirty-shutdown-count': 0,
             'corrected-volatile-error-count': 0, 'corrected-persistent-error-count': 0, 'component-id': '',
             'is-comp-id-pldm': true, 'sub-type': 3}""";

    private final Type3Device device = new Type3Device(
            new Type3Device.Identity(1, 0, List.of(new DcRegion(0, BASE, BASE, BASE, 2 << 20))),
            Clock.systemUTC(),
            MultiHeadHooks.NONE,
            ExtentJournal.NONE,
            new NoMemory());
    private final List<QmpCommand> table = new InjectCommands(device, new DevicePath("cxl-mem0")).table();

    private QmpCommand command(String name) {
        return table.stream().filter(row -> row.name().equals(name)).findFirst().orElseThrow();
    }

    /** What the client gets: "" for success. */
    private String execute(String name, Map<?, ?> arguments) {
        try {
            QmpCommand command = command(name);
            return command.handler()
                    .handle(command.parameters().arguments(arguments))
                    .error()
                    .map(QmpError::description)
                    .orElse("");
        } catch (QmpRefusal refusal) {
            return refusal.error().description();
        }
    }

    private static Map<String, Object> json(String text) {
        Map<String, Object> members = new LinkedHashMap<>();
        ((Map<?, ?>) QmpJson.parse(text.replace('\'', '"')))
                .forEach((name, value) -> members.put(String.valueOf(name), value));
        return members;
    }

    private String execute(String name, String arguments) {
        return execute(name, json(arguments));
    }

    private String inject(String arguments) {
        return execute(commandOf(arguments), arguments);
    }

    private static String commandOf(String arguments) {
        String kind = arguments.contains("transaction-type")
                ? (arguments.contains("correction-mask") ? "dram" : "general-media")
                : "memory-module";
        return "cxl-inject-" + kind + "-event";
    }

    private void assertRecord(EventLog.Kind kind, String header, String data) {
        List<EventRecord> records = device.log(kind).oldest(2);
        assertEquals(1, records.size());
        byte[] bytes = EventRecordWriter.bytes(records.get(0));
        byte[] wanted = HexFormat.of().parseHex((header + data).replace(" ", ""));
        assertEquals(128, wanted.length, "vector");
        assertArrayEquals(wanted, bytes);
    }

    private static String header(String id, String flags, String maintenance) {
        return id + "80" + flags + "0100 0000 0000000000000000" + maintenance + "00".repeat(11);
    }

    @Test
    void shouldTakeGeneralMediaEventsOfQemu10() {
        assertEquals("", inject(GM_10));
        assertRecord(
                EventLog.Kind.FATAL,
                header("fbcd0a77c260417f85a9088b1621eba6", "030000", "0000000000"),
                "0110000000000000 01 02 03 0f00 04 05 070707 64696d6d37" + "00".repeat(11 + 46));
    }

    @Test
    void shouldTakeGeneralMediaEventsOfQemu11() {
        assertEquals("", inject(GM_11));
        assertRecord(
                EventLog.Kind.WARNING,
                header("fbcd0a77c260417f85a9088b1621eba6", "c10100", "01 02 0201 04"),
                // The count sets the descriptor's threshold bit.
                "c0ffffffffffffff 02 05 08 1f00 04 05 ffffff 30313233343536373839616263646566 03 030201 04"
                        + "00".repeat(41));
    }

    @Test
    void shouldTakeDramEventsOfQemu10() {
        assertEquals("", inject(DRAM_10));
        assertRecord(
                EventLog.Kind.INFORMATIONAL,
                header("601dcbb39c064eabb8af4e9bfb5c9624", "000000", "0000000000"),
                // Four correction masks have a place.
                "4000000000000000 00 01 02 ff00 01 02 010203 04 05 060308 090a"
                        + "0100000000000000 0200000000000000 0300000000000000 0400000000000000" + "00".repeat(23));
    }

    @Test
    void shouldTakeDramEventsOfQemu11() {
        assertEquals("", inject(DRAM_11));
        assertRecord(
                EventLog.Kind.FAILURE,
                header("601dcbb39c064eabb8af4e9bfb5c9624", "020000", "0000000000"),
                "4000000000000000 06 01 02 8005" + "00".repeat(12 + 32) + "61" + "00".repeat(15)
                        + "06 01 010000 05 00");
    }

    @Test
    void shouldTakeMemoryModuleEventsOfQemu10() {
        assertEquals("", inject(MM_10));
        assertRecord(
                EventLog.Kind.INFORMATIONAL,
                header("fe927475dd594339a58679bab113b774", "000000", "0000000000"),
                "03 01 02 04 63 fbff ffffffff 01000000 02000000" + "00".repeat(61));
    }

    @Test
    void shouldTakeMemoryModuleEventsOfQemu11() {
        assertEquals("", inject(MM_11));
        assertRecord(
                EventLog.Kind.FATAL,
                header("fe927475dd594339a58679bab113b774", "000180", "0000000000"),
                "08" + "00".repeat(18) + "0300" + "00".repeat(16) + "03" + "00".repeat(42));
    }

    @Test
    void shouldTellTheSchemaOfQemu11WithTheSubTypeOptional() {
        Map<String, List<String>> members = new LinkedHashMap<>();
        for (Object entry : QmpSchema.of(table, Map.of())) {
            Map<?, ?> type = (Map<?, ?>) entry;
            if (type.get("members") instanceof List<?> list
                    && String.valueOf(type.get("name")).endsWith("-arg")) {
                members.put(
                        String.valueOf(type.get("name")),
                        list.stream()
                                .map(Map.class::cast)
                                .map(member -> member.get("name") + (member.containsKey("default") ? "?" : ""))
                                .toList());
            }
        }
        String common = "path log flags maint-op-class? maint-op-subclass? ld-id? head-id? ";
        String media = "dpa descriptor type transaction-type channel? rank? ";
        assertEquals(
                common + media + "device? component-id? is-comp-id-pldm? cme-ev-flags? cme-count? sub-type?",
                String.join(" ", members.get("cxl-inject-general-media-event-arg")));
        assertEquals(
                common + media + "nibble-mask? bank-group? bank? row? column? correction-mask? component-id?"
                        + " is-comp-id-pldm? sub-channel? cme-ev-flags? cvme-count? sub-type?",
                String.join(" ", members.get("cxl-inject-dram-event-arg")));
        assertEquals(
                common + "type health-status media-status additional-status life-used temperature"
                        + " dirty-shutdown-count corrected-volatile-error-count corrected-persistent-error-count"
                        + " component-id? is-comp-id-pldm? sub-type?",
                String.join(" ", members.get("cxl-inject-memory-module-event-arg")));
    }

    @ParameterizedTest
    @ValueSource(strings = {GM_10, DRAM_10, MM_10})
    void shouldSayInQemusWordsWhatIsWrongWithTheCommonArguments(String arguments) {
        String name = commandOf(arguments);
        assertEquals("Parameter 'path' is missing", execute(name, without(arguments, "path")));
        assertEquals("Parameter 'log' is missing", execute(name, without(arguments, "log")));
        assertEquals(
                "Parameter 'log' does not accept value 'dynamic-capacity'",
                execute(name, with(arguments, "log", "dynamic-capacity")));
        assertEquals("Parameter 'flags' expects uint32_t", execute(name, with(arguments, "flags", 1L << 32)));
        assertEquals("Parameter 'ld-id' expects uint16_t", execute(name, with(arguments, "ld-id", 1L << 16)));
        assertEquals("Parameter 'head-id' expects uint8_t", execute(name, with(arguments, "head-id", 256L)));
        assertEquals("Parameter 'sub-type' expects uint8_t", execute(name, with(arguments, "sub-type", 256L)));
        assertEquals("Parameter 'cow' is unexpected", execute(name, with(arguments, "cow", 1L)));
        assertEquals("Unable to resolve path", execute(name, with(arguments, "path", "cxl-mem1")));
        assertEquals("Unable to resolve path", execute(name, with(arguments, "path", "")));
        assertEquals("Unable to resolve path", execute(name, with(arguments, "path", "/cxl-mem0")));
        for (String other : List.of("/", "/machine", "machine", "peripheral", "/machine/peripheral")) {
            assertEquals("Path does not point to a CXL type 3 device", execute(name, with(arguments, "path", other)));
        }
        assertEquals("Parameter 'flags' expects at most 16777215", execute(name, with(arguments, "flags", 1L << 24)));
        assertEquals(
                "Parameter 'component-id' expects at most 16 bytes",
                execute(name, with(arguments, "component-id", "0123456789abcdefg")));
        assertEquals(0, device.eventStatus(), "nothing was reported");
    }

    @ParameterizedTest
    @CsvSource({
        "device, general-media, 24",
        "cme-count, general-media, 24",
        "nibble-mask, dram, 24",
        "row, dram, 24",
        "cvme-count, dram, 24"
    })
    void shouldRefuseNumbersThatAreWiderThanTheirFields(String name, String kind, int bits) {
        String arguments = kind.equals("dram") ? DRAM_10 : GM_10;
        long most = (1L << bits) - 1;
        assertEquals(
                "Parameter '" + name + "' expects at most " + most,
                execute(commandOf(arguments), with(arguments, name, most + 1)));
        assertEquals("", execute(commandOf(arguments), with(arguments, name, most)));
    }

    @Test
    void shouldRefuseTemperaturesThatAreNone() {
        assertEquals(
                "Parameter 'temperature' expects int16_t",
                execute("cxl-inject-memory-module-event", with(MM_10, "temperature", 32768L)));
        assertEquals(
                "Invalid parameter type for 'temperature', expected: integer",
                execute("cxl-inject-memory-module-event", with(MM_10, "temperature", "hot")));
    }

    @Test
    void shouldSucceedWhenTheLogIsFullAndTellTheOverflow() {
        for (int i = 0; i < Type3Device.EVENT_LOG_DEPTH + 2; i++) {
            assertEquals("", inject(MM_10));
        }
        assertEquals(2, device.log(EventLog.Kind.INFORMATIONAL).overflowCount());
    }

    private static Map<String, Object> with(String arguments, String name, Object value) {
        Map<String, Object> members = json(arguments);
        members.put(name, value);
        return members;
    }

    private static Map<String, Object> without(String arguments, String name) {
        Map<String, Object> members = json(arguments);
        members.remove(name);
        return members;
    }

    // ---- health

    @Test
    void shouldMoveHealthAsFarAsItIsGiven() {
        assertEquals("", execute("x-set-health", "{'life-used': 75}"));
        assertEquals("", execute("x-set-health", "{'temperature': -10, 'corrected-errors': 4294967295}"));
        assertEquals(75, device.health().lifeUsed());
        assertEquals(-10, device.health().temperature());
        assertEquals(0xFFFF_FFFFL, device.health().correctedVolatileErrors());
        assertEquals(HealthAndAlerts.Level.WARNING, device.health().level(Alert.LIFE_USED));
        assertEquals(HealthAndAlerts.Level.CRITICAL, device.health().level(Alert.UNDER_TEMPERATURE));
        assertEquals(1, device.log(EventLog.Kind.WARNING).oldest(9).size());
        assertEquals(1, device.log(EventLog.Kind.FAILURE).oldest(9).size());
        assertEquals("", execute("x-set-health", "{}"));
        assertEquals("Parameter 'life-used' expects at most 100", execute("x-set-health", "{'life-used': 101}"));
        assertEquals(
                "Parameter 'temperature' expects -128 to 127",
                execute("x-set-health", "{'life-used': 1, 'temperature': 128}"));
        assertEquals(75, device.health().lifeUsed());
    }

    // ---- poison

    private String poison(long start, long length) {
        return poison("cxl-mem0", start, length);
    }

    private String poison(String path, long start, long length) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("path", path);
        arguments.put("start", QmpJson.unsigned(start));
        arguments.put("length", QmpJson.unsigned(length));
        return execute("cxl-inject-poison", arguments);
    }

    @Test
    void shouldCheckPoisonInQemusOrder() {
        assertEquals("Poison injection must be in multiples of 64 bytes", poison("nowhere", 1, 63));
        assertEquals("Poison start address must be 64 byte aligned", poison("nowhere", 1, 64));
        assertEquals("Unable to resolve path", poison("nowhere", BASE, 64));
        assertEquals("Path does not point to a CXL type 3 device", poison("/machine", BASE, 64));
        assertEquals("", poison(BASE, 128));
        assertEquals(
                List.of(new MediaPoison.Line(BASE, 128, MediaPoison.Source.INTERNAL)),
                device.poison().lines(BASE, 4096));
        assertEquals("Overlap with existing poisoned region not supported", poison(BASE + 64, 64));
        assertEquals("Overlap with existing poisoned region not supported", poison(BASE, 256));
        assertEquals("", poison(BASE + 128, 64));
        assertEquals("poison has no length: start=0x10001000", poison(BASE + 0x1000, 0));
        assertTrue(poison(0, 64).startsWith("poison cannot be injected: outside region dpa=0x0"), poison(0, 64));
    }

    // ---- errors

    private Map<String, Object> ras() {
        Map<String, Object> answer = new LinkedHashMap<>();
        QmpCommand query = command("x-query-ras");
        ((Map<?, ?>) query.handler()
                        .handle(query.parameters().arguments(Map.of()))
                        .value())
                .forEach((name, value) -> answer.put(String.valueOf(name), value));
        return answer;
    }

    private void write(String register, long value) {
        assertEquals("", execute("x-ras-write", Map.of("register", register, "value", value)));
    }

    @Test
    void shouldQueueUncorrectableErrors() {
        String errors = """
                {'path': 'cxl-mem0', 'errors': [
                  {'type': 'mem-data-ecc', 'header': [4294967295, 2]},
                  {'type': 'cxl-ide-rx', 'header': []}]}""";
        assertEquals("", execute("cxl-inject-uncorrectable-errors", errors));
        assertEquals(0L, ras().get("uncorrectable-status"), "all are masked when the device comes up");
        assertEquals(0x1CFFFL, ras().get("uncorrectable-mask"));

        write("uncorrectable-mask", 0);
        write("uncorrectable-severity", 0x80);
        assertEquals("", execute("cxl-inject-uncorrectable-errors", errors));

        assertEquals(0x10080L, ras().get("uncorrectable-status"));
        assertEquals(0x80L, ras().get("uncorrectable-severity"));
        assertEquals(0x207L, ras().get("capabilities-and-control"));
        assertEquals(List.of("mem-data-ecc", "cxl-ide-rx"), ras().get("errors"));
        List<?> header = (List<?>) ras().get("header-log");
        assertEquals(16, header.size());
        assertEquals(List.of(0xFFFFFFFFL, 2L, 0L), header.subList(0, 3));
        assertEquals(1L, ras().get("uncorrectable-internal-errors"));
        write("uncorrectable-status", 0x80);
        assertEquals(List.of("cxl-ide-rx"), ras().get("errors"));
        assertEquals(0x210L, ras().get("capabilities-and-control"));
        device.reset();
        assertEquals(List.of("cxl-ide-rx"), ras().get("errors"), "sticky");
        write("uncorrectable-status", 0x10000);
        assertEquals(List.of(), ras().get("errors"));
    }

    @Test
    void shouldRefuseUncorrectableErrorsWhole() {
        write("uncorrectable-mask", 0);
        String name = "cxl-inject-uncorrectable-errors";
        Map<String, Object> good = Map.of("type", "internal", "header", List.of());
        List<Long> dwords = new ArrayList<>();
        for (long i = 0; i < 33; i++) {
            dwords.add(i);
        }
        assertEquals("Unable to resolve path", execute(name, Map.of("path", "no", "errors", List.of(good))));
        assertEquals(
                "Parameter 'type' does not accept value 'cow'",
                execute(
                        name,
                        Map.of(
                                "path",
                                "cxl-mem0",
                                "errors",
                                List.of(good, Map.of("type", "cow", "header", List.of())))));
        assertEquals(
                "Parameter 'errors[0].header' is missing",
                execute(name, Map.of("path", "cxl-mem0", "errors", List.of(Map.of("type", "internal")))));
        assertEquals(
                "Header must be 32 DWORD or less",
                execute(
                        name,
                        Map.of(
                                "path",
                                "cxl-mem0",
                                "errors",
                                List.of(good, Map.of("type", "internal", "header", dwords)))));
        assertEquals(0L, ras().get("uncorrectable-status"));
        assertEquals("", execute(name, Map.of("path", "cxl-mem0", "errors", List.of())));
        assertEquals(0L, ras().get("uncorrectable-internal-errors"));
    }

    @Test
    void shouldTellCorrectableErrors() {
        String name = "cxl-inject-correctable-error";
        assertEquals("Unable to resolve path", execute(name, Map.of("path", "no", "type", "physical")));
        assertEquals(
                "Parameter 'type' does not accept value 'cow'",
                execute(name, Map.of("path", "cxl-mem0", "type", "cow")));
        assertEquals("", execute(name, Map.of("path", "cxl-mem0", "type", "physical")));
        assertEquals(0L, ras().get("correctable-status"));
        write("correctable-mask", 0x3F);
        assertEquals("", execute(name, Map.of("path", "cxl-mem0", "type", "physical")));
        assertEquals("", execute(name, Map.of("path", "cxl-mem0", "type", "mem-data-ecc")));
        assertEquals(0x40L, ras().get("correctable-status"));
        assertEquals(1L, ras().get("corrected-internal-errors"));
        write("correctable-status", 0x40);
        assertEquals(0L, ras().get("correctable-status"));
    }

    /** Arguments of the right types and any value never end in an exception. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldAnswerAnyArguments(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<String> all = List.of(GM_11, DRAM_11, MM_11);
        for (int i = 0; i < 5000; i++) {
            String arguments = all.get(random.nextInt(all.size()));
            Map<String, Object> members = json(arguments);
            List<String> names = List.copyOf(members.keySet());
            for (int change = random.nextInt(4); change >= 0; change--) {
                String name = names.get(random.nextInt(names.size()));
                switch (random.nextInt(4)) {
                    case 0 -> members.remove(name);
                    case 1 -> members.put(name, random.nextLong() >>> random.nextInt(64));
                    case 2 -> members.put(name, -1L - random.nextInt(70_000));
                    default -> members.put(name, List.of("x".repeat(random.nextInt(40))));
                }
            }
            String answer = execute(commandOf(arguments), members);
            assertTrue(
                    answer.isEmpty() || answer.startsWith("Parameter") || answer.startsWith("Invalid parameter"),
                    "seed=" + seed + " " + members + " " + answer);
        }
        for (EventLog.Kind kind : EventLog.Kind.values()) {
            device.log(kind).oldest(1000).forEach(record -> assertEquals(128, EventRecordWriter.bytes(record).length));
        }
        assertEquals(
                0,
                Arrays.stream(EventLog.Kind.values())
                        .filter(kind -> kind == EventLog.Kind.DYNAMIC_CAPACITY)
                        .mapToInt(kind -> device.log(kind).size())
                        .sum());
    }

    private static final class NoMemory implements DcMemory {
        @Override
        public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {}

        @Override
        public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
            return true;
        }

        @Override
        public boolean fill(long dpa, long lengthBytes, byte value) {
            return true;
        }

        @Override
        public int crc32c(long dpa, long lengthBytes) {
            return 0;
        }
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.Layout;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.cli.HeadProcesses.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands by number and by name, payloads by digits and by fields. */
class CciVerbTest {
    @TempDir
    Path folder;

    private Outcome send(Map<String, Object> answer, String... words) throws IOException {
        try (ScriptedHead head = new ScriptedHead(folder)) {
            head.answers("x-cci", answer);
            Outcome outcome = head.run("cci", words);
            sent = head.requests.isEmpty() ? Map.of() : head.last("x-cci");
            return outcome;
        }
    }

    private Map<String, Object> sent;

    private static Map<String, Object> answer(int code, String payload) {
        return Map.of("return-code", code, "payload", payload);
    }

    @ParameterizedTest
    @CsvSource({
        "4800, 4800",
        "0x4800, 4800",
        "4800h, 4800",
        "100, 0100",
        "Get Event Records, 0100",
        "get-event-records, 0100",
        "GET_EVENT_RECORDS, 0100",
        "get-event-i, 0102",
        "clear-event, 0101",
        "identify-memory-device, 4000",
        "add-dynamic-capacity-resp, 4802",
        "0add, 0add",
        "ffff, ffff"
    })
    void shouldKnowCommandsByNumberAndByName(String word, String opcode) {
        assertEquals(Integer.parseInt(opcode, 16), CommandNames.opcodeOf(word));
    }

    @Test
    void shouldKnowEveryCommandByItsWholeName() {
        for (Opcode opcode : OpcodeTable.ALL) {
            assertEquals(opcode.code(), CommandNames.opcodeOf(opcode.name()));
            assertEquals(
                    opcode.code(),
                    CommandNames.opcodeOf(CommandNames.plain(opcode.name()).replace(' ', '-')));
        }
    }

    @Test
    void shouldNameTheCandidatesOfAnAmbiguousName() {
        String message = assertThrows(IllegalArgumentException.class, () -> CommandNames.opcodeOf("get-event"))
                .getMessage();
        assertTrue(message.contains("0100 Get Event Records, 0102 Get Event Interrupt Policy"), message);
        for (String word : new String[] {"no-such", "", "  ", "-", "12345", "0x", "h"}) {
            assertThrows(IllegalArgumentException.class, () -> CommandNames.opcodeOf(word), word);
        }
    }

    @Test
    void shouldSendWhatTheFieldsSay() throws IOException {
        Outcome outcome =
                send(answer(0, ""), "add-dynamic-capacity-response", "flags=more", "extents=0x10000000:2M,4K:0x1_000");

        assertEquals(0, outcome.exitCode(), outcome.err());
        assertEquals(0x4802L, sent.get("opcode"));
        assertFalse(sent.containsKey("interface"));
        assertEquals(
                "0200000001000000"
                        + "0000001000000000" + "0000200000000000" + "0000000000000000"
                        + "0010000000000000" + "0010000000000000" + "0000000000000000",
                sent.get("payload"));
        assertEquals("4802 Add Dynamic Capacity Response: 0000 success, 0 bytes\n", outcome.out());
    }

    @Test
    void shouldSendDigitsInSeveralWords() throws IOException {
        Outcome outcome = send(answer(0, "0102"), "--interface", "fm", "0x0777", "01 02", "0a");

        assertEquals(0, outcome.exitCode(), outcome.err());
        assertEquals("01020a", sent.get("payload"));
        assertEquals("fm", sent.get("interface"));
        assertEquals("0777 unknown command: 0000 success, 2 bytes\n", outcome.out());
    }

    @Test
    void shouldShowApartWhatIsPackedInOneNumber() throws IOException {
        String poison = "0000" + "00".repeat(8) + "0100" + "00".repeat(20) + "4310000000000000" + "0200000000000000";
        assertEquals(
                """
                4300 Get Poison List: 0000 success, 48 bytes
                  flags: none
                  overflowNs: 0
                  recordCount: 1
                  records[0]:
                    dpa: 0x1040
                    source: injected
                    lengthLines: 2
                """,
                send(answer(0, poison), "4300", "startDpa=0", "lengthLines=64").out());
        String background = send(answer(0, "5500044400000000"), "0002").out();
        assertTrue(background.contains("status: in progress\n  percentComplete: 42\n  opcode: 0x4404\n"), background);
        String firmware = send(answer(0, "0411" + "00".repeat(78)), "0200").out();
        assertTrue(firmware.contains("activeSlot: 1\n  stagedSlot: 2\n"), firmware);
        String health = send(answer(0, "000016" + "00".repeat(15)), "4200").out();
        assertTrue(health.contains("""
                  lifeUsedLevel: critical
                  temperatureLevel: warning
                  correctedVolatileErrorsLevel: warning
                  correctedPersistentErrorsLevel: normal
                """), health);
        String policy = send(answer(0, "0111000002"), "0102").out();
        assertTrue(policy.contains("informational: MSI/MSI-X\n  informationalVector: 0\n"), policy);
        assertTrue(policy.contains("warning: MSI/MSI-X\n  warningVector: 1\n"), policy);
        assertTrue(policy.contains("dynamicCapacity: firmware interrupt\n"), policy);
    }

    @Test
    void shouldTakeAnyWordForATag() throws IOException {
        assertEquals(
                0, send(answer(0, ""), "5606", "tag=test", "--interface=fm").exitCode());
        assertEquals("098f6bcd462133738ade4e832627b4f6", sent.get("payload"));
    }

    @Test
    void shouldDecodeTheAnswerAndNameTheReturnCode() throws IOException {
        Outcome good = send(answer(0, "2a00000000000000"), "get-timestamp");
        assertEquals("0300 Get Timestamp: 0000 success, 8 bytes\n  timestampNs: 42\n", good.out());

        Outcome length = send(answer(0x16, ""), "4801");
        assertEquals(ExitCode.REFUSED.number(), length.exitCode());
        assertEquals("""
                4801 Get Dynamic Capacity Extent List: 0016 invalid payload length, 0 bytes
                  input: 0 bytes, the command takes 8
                  fields: extentCount startIndex
                """, length.out());

        Outcome elsewhere = send(answer(3, ""), "get-event-records", "log=dynamic-capacity", "--interface=fm");
        assertEquals(ExitCode.REFUSED.number(), elsewhere.exitCode());
        assertEquals("04", sent.get("payload"));
        assertTrue(elsewhere.out().contains("another interface has it: --interface mailbox"), elsewhere.out());

        Outcome background = send(answer(1, ""), "4000");
        assertEquals(0, background.exitCode(), "a command that goes on in the background has not failed");
    }

    @Test
    void shouldListTheCommandsOfEachInterface() {
        Outcome all = HeadProcesses.runRaw("cci", "--list");
        Outcome fm = HeadProcesses.runRaw("cci", "--list", "--interface=fm");
        Outcome verbose = HeadProcesses.runRaw("cci", "--list", "--verbose");
        for (Opcode opcode : OpcodeTable.ALL) {
            String line = String.format("%04x  %s", opcode.code(), opcode.name());
            assertTrue(all.out().contains(line + "  ("), line);
            boolean isThere = fm.out().lines().anyMatch(line::equals);
            assertEquals(opcode.kinds().contains(CciVerb.Interface.FM.kind()), isThere, line);
        }
        assertTrue(verbose.out().contains("      extentCount flags extents=startDpa:lengthBytes,..."), verbose.out());
        assertEquals(ExitCode.USAGE.number(), HeadProcesses.runRaw("cci").exitCode());
        assertEquals(
                ExitCode.USAGE.number(),
                HeadProcesses.runRaw("cci", "pool", "4800").exitCode());
        assertTrue(HeadProcesses.runRaw("cci", "--list", "--json").out().contains("\"fields\": \"log\""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "4801 | nosuch=1              | no such field: field=nosuch (extentCount startIndex)",
                "4801 | startIndex=1 startIndex=2 | given twice",
                "4801 | startIndex=1 02       | not of the form field=value",
                "4801 | startIndex=0x100000000 | value does not fit",
                "4801 | startIndex=           | value does not fit",
                "4801 | startIndex=-1         | value does not fit",
                "4801 | 123                   | not a payload",
                "4802 | extents=1:2:3         | too many values in an entry",
                "4802 | extents=x             | value does not fit",
                "4802 | flags=less            | value does not fit",
                "4802 | flags=0x100           | value does not fit",
                "0401 | logId=1               | not a UUID",
                "0777 | a=1                   | nobody knows the fields"
            })
    void shouldSayWhatIsWrongWithAPayload(String opcode, String words, String message) {
        List<String> line = new ArrayList<>(List.of("cci", "nowhere", "--head=0", opcode));
        line.addAll(List.of(words.split(" ")));
        Outcome outcome = HeadProcesses.runRaw(line.toArray(String[]::new));

        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    @Test
    void shouldTakeAllSixtyFourBitsAndRawBytes() {
        Layout layout = OpcodeTable.of(0x4802).orElseThrow().request();
        byte[] bytes =
                PayloadText.bytesOf(List.of("extents=0xffffffffffffffff:18446744073709551615"), Optional.of(layout));
        assertEquals(
                "01000000" + "00000000" + "ff".repeat(16) + "00".repeat(8),
                HexFormat.of().formatHex(bytes));
        byte[] lying = PayloadText.bytesOf(List.of("extents=0:2M", "extentCount=7"), Optional.of(layout));
        assertEquals(7, lying[0], "what is written counts, for tests of a device");
    }

    /** Whatever stands there, it is a payload or a message for a person. */
    @Test
    void shouldSurviveAnyWords() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        String alphabet = "0129afxhKMGT=:,+-_ .extentsflagsTagmore\u00e9\ud83d\ude00\u0000";
        for (int i = 0; i < 20_000; i++) {
            Opcode opcode = OpcodeTable.ALL.get(random.nextInt(OpcodeTable.ALL.size()));
            List<String> words = new ArrayList<>();
            for (int word = random.nextInt(3); word >= 0; word--) {
                StringBuilder text = new StringBuilder();
                List<Layout.Field> fields = opcode.request().fields();
                if (!fields.isEmpty() && random.nextBoolean()) {
                    text.append(fields.get(random.nextInt(fields.size())).name())
                            .append('=');
                }
                for (int c = random.nextInt(12); c > 0; c--) {
                    text.append(alphabet.charAt(random.nextInt(alphabet.length())));
                }
                words.add(text.toString());
            }
            try {
                PayloadText.bytesOf(words, Optional.of(opcode.request()));
                CommandNames.opcodeOf(words.get(0));
            } catch (IllegalArgumentException e) {
                assertFalse(e.getMessage().isEmpty(), () -> "seed=" + seed + " words=" + words);
            } catch (RuntimeException e) {
                throw new AssertionError("seed=" + seed + " opcode=" + opcode + " words=" + words, e);
            }
        }
    }
}

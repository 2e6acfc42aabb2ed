package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code mhsld inject} and {@code mhsld events} against a head that is a process of its own. */
@ExtendWith(HeadProcesses.Evidence.class)
class InjectVerbsTest implements HeadProcesses.HoldsHeads {
    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void endHeads() {
        heads.close();
    }

    private Outcome inject(String... words) {
        List<String> arguments = new ArrayList<>(List.of("--head=0"));
        arguments.addAll(List.of(words));
        return heads.run("inject", arguments.toArray(String[]::new));
    }

    private String injected(String... words) {
        Outcome outcome = inject(words);
        assertEquals(0, outcome.exitCode(), outcome.err());
        return outcome.out().strip();
    }

    private List<String> events(String... options) {
        List<String> arguments = new ArrayList<>(List.of("--head=0"));
        arguments.addAll(List.of(options));
        Outcome outcome = heads.run("events", arguments.toArray(String[]::new));
        assertEquals(0, outcome.exitCode(), outcome.err());
        return outcome.out().lines().toList();
    }

    @Test
    void shouldShowEveryKindOfRecordInItsLog() {
        Head head = heads.startDevice(1)[0];

        assertEquals(
                "injected: log=warning events=1 unread=1 overflow=0",
                injected(
                        "general-media",
                        "--log=warning",
                        "--dpa=0x1000",
                        "--type=4",
                        "--transaction-type=1",
                        "--channel=2",
                        "--component-id=dimm7",
                        "--count=5"));
        injected("dram", "--log=fatal", "--dpa=4K", "--row=0x1234", "--correction-mask=1,0xffffffffffffffff");
        injected("memory-module", "--temperature=-40", "--health-status=3", "--flags=4", "--head-id=0");
        assertEquals(
                0, heads.run("add", "--head=0", "--offset=0", "--length=4M").exitCode());

        List<String> all = events("--log=all");
        assertEquals(
                List.of(
                        "informational     1  memory module event: recordFlags=\"permanent condition, head id valid\""
                                + " type=\"health status change\" healthStatus=\"maintenance needed, performance"
                                + " degraded\" mediaStatus=normal lifeUsedPercent=0 temperatureCelsius=-40",
                        "informational events=1 unread=1 overflow=0",
                        "warning     1  general media event: severity=warning physicalAddress=0x1000"
                                + " descriptor=\"threshold event\" type=\"scrub media ECC error\""
                                + " transactionType=\"host read\" channel=2"
                                + " componentId=64696d6d370000000000000000000000 correctedErrorCount=5",
                        "warning events=1 unread=1 overflow=0",
                        "failure events=0 unread=0 overflow=0",
                        "fatal     1  DRAM event: severity=fatal"
                                + " physicalAddress=0x1000 type=\"media ECC error\" transactionType=unknown row=0x1234"
                                + " correctionMask0=0x1 correctionMask1=0xffffffffffffffff",
                        "fatal events=1 unread=1 overflow=0",
                        "dynamic-capacity     1  add            region=0 dpa=0x0 length=0x400000 available=511",
                        "dynamic-capacity events=1 unread=0 overflow=0"),
                all);
        assertEquals(
                List.of(
                        "    1  add            region=0 dpa=0x0 length=0x400000 available=511",
                        "events=1 unread=0 overflow=0"),
                events());
        assertTrue(head.log().contains("event: log=fatal DRAM event: "), head.log());
    }

    @Test
    void shouldTellScriptsTheFieldsByTheNamesOfTheCommands() {
        heads.startDevice(1);
        Map<?, ?> done = (Map<?, ?>) QmpJson.parse(injected(
                "dram",
                "--log=failure",
                "--dpa=64",
                "--bank-group=1",
                "--bank=2",
                "--column=3",
                "--nibble-mask=0xf",
                "--sub-channel=1",
                "--sub-type=2",
                "--cme-ev-flags=1",
                "--ld-id=5",
                "--maint-op-class=1",
                "--maint-op-subclass=2",
                "--component-id=x",
                "--pldm",
                "--json"));
        assertEquals(Map.of("log", "failure", "events", 1L, "unread", 1L, "overflow", 0L), done);
        Map<?, ?> log = (Map<?, ?>) QmpJson.parse(String.join("", events("--log=failure", "--json")));
        assertEquals("failure", log.get("log"));
        assertEquals(256L, log.get("depth"));
        Map<?, ?> record = (Map<?, ?>) ((List<?>) log.get("records")).get(0);
        assertEquals("dram", record.get("record"));
        // The log's number is the severity, and two of the fields are flagged.
        assertEquals(0xC2L, record.get("flags"));
        assertEquals(5L, record.get("ld-id"));
        assertEquals(2L, record.get("maint-op-subclass"));
        assertEquals(15L, record.get("nibble-mask"));
        assertEquals(true, record.get("is-comp-id-pldm"));
        assertEquals(256, String.valueOf(record.get("bytes")).length());
        List<?> all = (List<?>) QmpJson.parse(String.join("", events("--log=all", "--json")));
        assertEquals(5, all.size());
    }

    @Test
    void shouldPoisonAndRefuseToDoItTwice() {
        heads.startDevice(1);
        assertEquals("poisoned: start=0x1000 length=0x80", injected("poison", "--dpa=4K", "--length=128"));
        Outcome again = inject("poison", "--dpa=4K");
        assertEquals(ExitCode.REFUSED.number(), again.exitCode());
        assertTrue(again.err().contains("Overlap with existing poisoned region not supported"), again.err());
        Outcome outside = inject("poison", "--dpa=64M");
        assertEquals(ExitCode.REFUSED.number(), outside.exitCode());
        assertTrue(outside.err().contains("dpa=0x4000000"), outside.err());
    }

    @Test
    void shouldSayWhenTheHostHasMaskedAnError() {
        Head head = heads.startDevice(1)[0];
        assertEquals(
                "masked, nothing is recorded (--unmask helps): masked=true status=0x0 mask=0x7f",
                injected("correctable", "--type=physical"));
        assertEquals(
                "injected: masked=false status=0x40 mask=0x3f", injected("correctable", "--type=physical", "--unmask"));
        assertEquals(
                "injected: masked=false status=0x4080 mask=0x18f7f",
                injected("uncorrectable", "--type=mem-data-ecc,internal", "--header=0x1,2,0xffffffff", "--unmask"));
        Map<?, ?> facts = (Map<?, ?>) QmpJson.parse(injected("uncorrectable", "--type=mem-data-ecc", "--json"));
        assertEquals(Map.of("masked", false, "status", 0x4080L, "mask", 0x18F7FL), facts);
        assertTrue(head.log().contains("uncorrectable internal error: fatal=true"), head.log());
        assertTrue(head.log().contains("corrected internal error"), head.log());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                  | what to inject is missing",
                "dram                              | Missing required option: '--dpa=A'",
                "dram --dpa=64 --rank=256          | not a number from 0 to 255: rank=256",
                "dram --dpa=64 --row=0x1000000     | not a number from 0 to 16777215: row=16777216",
                "dram --dpa=64 --row=-1            | not a number: -1",
                "dram --dpa=64 --log=cow           | --log",
                "dram --dpa=64 --log=dynamic_capacity | use add and release",
                "memory-module --temperature=40000 | --temperature",
                "correctable --type=cow            | no such error: cow",
                "uncorrectable --type=internal --header=0x100000000 | not a number of 32 bits",
                "cow                               | cow"
            })
    void shouldRefuseWhatMakesNoSense(String words, String message) {
        Outcome outcome = words == null ? inject() : inject(words.split(" "));
        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    @Test
    void shouldRefuseALogThatIsNone() {
        Outcome outcome = heads.run("events", "--head=0", "--log=cow");
        assertEquals(ExitCode.USAGE.number(), outcome.exitCode());
        assertTrue(outcome.err().contains("no such log: cow"), outcome.err());
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.state.CrashPoint;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Poison in the media of a device whose heads are processes, and what people do with it. */
@ExtendWith(HeadProcesses.Evidence.class)
class PoisonProcessesTest implements HeadProcesses.HoldsHeads {
    private static final String TAG = "00000000-0000-4000-8000-000000000001";

    private final HeadProcesses heads = new HeadProcesses();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @BeforeEach
    void initialise() {
        done("init", "--size=512M", "--heads=3", "--num-dc-regions=2", "--shareable=1");
    }

    @AfterEach
    void endHeads() {
        heads.close();
    }

    private String done(String verb, String... options) {
        Outcome outcome = heads.run(verb, options);
        assertEquals(0, outcome.exitCode(), verb + " " + List.of(options) + ": " + outcome.err());
        return outcome.out().strip();
    }

    private Head head(int id) {
        return heads.start(id).awaitReady();
    }

    private void share(int id) {
        List<String> options = new ArrayList<>(List.of("--head=" + id, "--region=1", "--tag=" + TAG));
        options.addAll(id == 0 ? List.of("--offset=0", "--length=4M") : List.of("--policy=enable-shared-access"));
        done("add", options.toArray(String[]::new));
    }

    private Outcome crc(int id, String dpa) {
        return heads.run("mem", "crc", "--head=" + id, "--dpa=" + dpa, "--length=64");
    }

    private void assertPoisoned(int id, String dpa) {
        Outcome outcome = crc(id, dpa);
        assertTrue(outcome.exitCode() != 0, outcome.out());
        assertTrue(outcome.err().contains("range has poisoned lines"), outcome.err());
    }

    private void assertReadable(int id, String dpa) {
        Outcome outcome = crc(id, dpa);
        assertEquals(0, outcome.exitCode(), outcome.err());
    }

    @Test
    void shouldOutliveWhoeverPutItInAndGoWithTheTag() {
        Head zero = head(0);
        head(1);
        head(2);
        share(0);
        share(1);
        done("inject", "--head=0", "poison", "--dpa=256M");
        assertPoisoned(0, "256M");
        assertPoisoned(1, "256M");
        String failures = done("events", "--head=1", "--log=failure");
        assertTrue(
                failures.contains("general media event")
                        && failures.contains("physicalAddress=0x10000000 physicalAddressFlags=volatile"),
                failures);
        Outcome other = heads.run("inject", "--head=2", "poison", "--dpa=257M");
        assertEquals(ExitCode.REFUSED.number(), other.exitCode());
        assertTrue(other.err().contains("owned by other head"), other.err());

        zero.kill();
        assertPoisoned(1, "256M");
        head(0);
        done("add", "--head=0", "--region=1", "--tag=" + TAG, "--policy=enable-shared-access");
        assertPoisoned(0, "256M");

        for (int id = 0; id < 2; id++) {
            done("release", "--head=" + id, "--region=1", "--removal=tag-based", "--tag=" + TAG);
        }
        done("add", "--head=2", "--region=1", "--offset=0", "--length=2M", "--tag=" + TAG);
        assertReadable(2, "256M");
        assertTrue(heads.inspect().isSound(), heads.inspect().toString());
    }

    @Test
    void shouldKeepPoisonOfFreeCapacityOverARestartOfAllAndOfferItWithout() {
        Head zero = head(0);
        done("add", "--head=0", "--offset=0", "--length=2M");
        done("inject", "--head=0", "poison", "--dpa=4K", "--length=128");
        done("inject", "--head=0", "poison", "--dpa=64M");
        assertPoisoned(0, "4160");
        assertReadable(0, "8K");
        zero.kill();

        head(1);
        String list = done("cci", "--head=1", "get-poison-list", "startDpa=0", "lengthLines=4194304");
        assertTrue(list.contains("dpa: 0x1000\n    source: internal") && list.contains("dpa: 0x4000000\n"), list);
        done("add", "--head=1", "--offset=0", "--length=2M");
        assertReadable(1, "4160");
        // The rest is where it was: free.
        Outcome again = heads.run("inject", "--head=1", "poison", "--dpa=64M");
        assertTrue(again.err().contains("Overlap with existing poisoned region not supported"), again.err());
        done("release", "--head=1", "--offset=0", "--length=2M");
        done("add", "--head=1", "--offset=64M", "--length=2M");
        assertReadable(1, "64M");
    }

    /** Whoever dies while it poisons free capacity leaves nothing behind for who gets that. */
    @ParameterizedTest
    @ValueSource(strings = {"POISON_ANNOUNCED", "POISON_WRITTEN", "POISON_SET"})
    void shouldOfferWhatSomebodyDiedPoisoning(String point) {
        List<String> flags = heads.jvmFlags;
        heads.jvmFlags = new ArrayList<>(flags);
        heads.jvmFlags.add("-D" + CrashPoint.PROPERTY + "=" + point);
        Head zero = head(0);
        heads.jvmFlags = flags;
        head(1);
        Outcome outcome = heads.run("inject", "--head=0", "poison", "--dpa=4M");
        assertTrue(outcome.exitCode() != 0, outcome.out());
        assertEquals(CrashPoint.EXIT_CODE, zero.awaitExit());
        assertTrue(heads.inspect().isSound(), heads.inspect().toString());
        done("add", "--head=1", "--offset=2M", "--length=4M");
        assertReadable(1, "4M");
        done("inject", "--head=1", "poison", "--dpa=4M");
        assertPoisoned(1, "4M");
    }

    @Test
    void shouldRaiseAlertsByHand() {
        head(0);
        assertEquals(
                "health: life-used=0 temperature=96 corrected-errors=0 life-used-alert=normal"
                        + " over-temperature-alert=critical under-temperature-alert=normal"
                        + " corrected-volatile-errors-alert=normal",
                done("inject", "--head=0", "health", "--temperature=96"));
        assertTrue(done("events", "--head=0", "--log=failure").contains("temperatureCelsius=96"));
        done("inject", "--head=0", "health", "--temperature=30", "--life-used=80", "--corrected-errors=7");
        assertTrue(done("events", "--head=0", "--log=warning").contains("lifeUsedPercent=80"));
        String json = done("inject", "--head=0", "health", "--corrected-errors=3", "--json");
        assertTrue(json.replace(" ", "").contains("\"corrected-errors\":10"), json);
        assertTrue(json.replace(" ", "").contains("\"life-used-alert\":\"warning\""), json);
        for (String wrong : List.of("--life-used=101", "--temperature=128", "--temperature=-129")) {
            Outcome outcome = heads.run("inject", "--head=0", "health", wrong);
            assertEquals(ExitCode.USAGE.number(), outcome.exitCode(), outcome.err());
        }
        assertEquals(
                ExitCode.USAGE.number(),
                heads.run("inject", "--head=0", "health").exitCode());
    }
}

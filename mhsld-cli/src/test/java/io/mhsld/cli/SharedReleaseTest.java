package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Hosts that accept and release a shared tag extent by extent, as Linux does, on heads that are processes. */
@ExtendWith(HeadProcesses.Evidence.class)
class SharedReleaseTest implements HeadProcesses.HoldsHeads {
    private static final String TAG = "00000000-0000-4000-8000-000000000001";
    private static final String FIRST = "0:2M";
    private static final String SECOND = "8M:4M";

    private final HeadProcesses heads = new HeadProcesses();
    private Head one;

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    /** Both have the tag; the first host took it in two answers. */
    @BeforeEach
    void share() {
        done("init", "--size=64M", "--heads=2", "--shareable=all");
        for (int id = 0; id < 2; id++) {
            one = heads.start(id, "--host-driver=manual").awaitReady();
        }
        // So that what is free is two pieces.
        fill("2M", "6M");
        fill("12M", "52M");
        done("add", "--head=0", "--tag=" + TAG, "--policy=free", "--length=6M");
        cci(0, "4802", FIRST);
        assertRefused(0, "0");
        cci(0, "4802", SECOND);
        done("add", "--head=1", "--tag=" + TAG, "--policy=enable-shared-access");
        cci(1, "4802", FIRST, SECOND);
        for (int id = 0; id < 2; id++) {
            assertEquals(id == 0 ? 4 : 2, accepted(id));
            done("mem", "fill", "--head=" + id, "--dpa=0", "--length=2M", "--value=7");
        }
        assertHeld(64, 2);
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

    private void fill(String offset, String length) {
        String tag = "00000000-0000-4000-8000-" + String.format("%012d", offset.length() + length.length());
        done("add", "--head=0", "--tag=" + tag, "--offset=" + offset, "--length=" + length);
        cci(0, "4802", offset + ":" + length);
    }

    private void cci(int id, String opcode, String... extents) {
        done("cci", "--head=" + id, opcode, "extents=" + String.join(",", extents));
    }

    /** Extents that the host has, by Get Dynamic Capacity Extent List. */
    private int accepted(int id) {
        String list = done("cci", "--head=" + id, "4801", "extentCount=8");
        return Integer.parseInt(list.replaceAll("(?s).*totalExtents: (\\d+).*", "$1"));
    }

    private void assertRefused(int id, String dpa) {
        Outcome outcome = heads.run("mem", "crc", "--head=" + id, "--dpa=" + dpa, "--length=64");
        assertEquals(ExitCode.REFUSED.number(), outcome.exitCode(), outcome.out());
    }

    /** Megabytes that are not free, and how many heads hold the tag, on a device that is sound. */
    private void assertHeld(int megabytes, int holders) {
        Inspector.Report report = heads.inspect();
        assertTrue(report.isSound(), report.toString());
        assertEquals(32 - megabytes / 2, report.freeBlocks(), report.toString());
        assertEquals(holders, Long.bitCount(holders()), report.toString());
    }

    /** Bit <i>h</i>: head <i>h</i> has the tag. */
    private long holders() {
        try (StateFile state = StateFile.open(heads.files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return TagRegistry.listOf(state).stream()
                    .filter(tag -> tag.tag().toString().equals(TAG))
                    .mapToLong(TagRegistry.Tag::holders)
                    .sum();
        }
    }

    @Test
    void shouldHoldTheTagUntilTheLastExtentOfTheLastHost() {
        cci(0, "4803", FIRST);
        assertEquals(3, accepted(0));
        assertRefused(0, "0");
        done("mem", "crc", "--head=0", "--dpa=8M", "--length=4M");
        done("mem", "crc", "--head=1", "--dpa=0", "--length=2M");
        assertHeld(64, 2);
        Outcome again = heads.run("cci", "--head=0", "4803", "extents=" + FIRST);
        assertTrue((again.out() + again.err()).contains("000f"), again.toString());
        cci(0, "4803", SECOND);
        assertEquals(2, accepted(0));
        assertHeld(64, 1);
        cci(1, "4803", SECOND);
        assertHeld(64, 1);
        cci(1, "4803", FIRST);
        assertHeld(58, 0);
    }

    @Test
    void shouldLeaveAsAWholeWhenForcedOrEnded() {
        cci(0, "4803", FIRST);
        done("release", "--head=0", "--removal=tag-based", "--tag=" + TAG, "--forced");
        assertHeld(64, 1);
        cci(1, "4803", SECOND);
        assertEquals(0, one.terminate());
        assertHeld(58, 0);
    }

    @Test
    void shouldLeaveAsAWholeWhenItsHeadDies() {
        cci(1, "4803", SECOND);
        one.kill();
        HeadProcesses.await("head 1 to be reaped", () -> Long.bitCount(holders()) == 1);
        assertHeld(64, 1);
        done("mem", "crc", "--head=0", "--dpa=8M", "--length=4M");
        cci(0, "4803", SECOND);
        cci(0, "4803", FIRST);
        assertHeld(58, 0);
    }
}

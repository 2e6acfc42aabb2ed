package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code add} and {@code release} send, and what they tell of the outcome. */
class CapacityVerbsTest {
    private static final long MIB = 1 << 20;
    private static final String TAG = "12345678-0000-4000-8000-00000000000f";
    private static final String ADD = "cxl-add-dynamic-capacity";
    private static final String RELEASE = "cxl-release-dynamic-capacity";

    @TempDir
    Path folder;

    private ScriptedHead head;

    @BeforeEach
    void start() throws IOException {
        head = new ScriptedHead(folder);
        head.answers("x-query-extents", holding(List.of(), List.of()));
    }

    @AfterEach
    void end() {
        head.close();
    }

    private static Map<String, Object> holding(List<?> accepted, List<?> pending) {
        return Map.of("accepted", accepted, "pending", List.of(Map.of("extents", pending)));
    }

    private static Map<String, Object> extent(int region, long offsetMib, long lengthMib, String tag) {
        return Map.of("region", region, "offset", offsetMib * MIB, "len", lengthMib * MIB, "tag", tag);
    }

    private static List<Map<String, Long>> extents(long... offsetsAndLengthsMib) {
        var extents = new java.util.ArrayList<Map<String, Long>>();
        for (int i = 0; i < offsetsAndLengthsMib.length; i += 2) {
            extents.add(Map.of("offset", offsetsAndLengthsMib[i] * MIB, "len", offsetsAndLengthsMib[i + 1] * MIB));
        }
        return extents;
    }

    @Test
    void shouldSendPrescriptiveExtentsAsBefore() {
        head.answers("x-query-extents", holding(List.of(extent(0, 0, 16, "")), List.of()));
        Outcome outcome = head.run("add", "--offset=0", "--length=4M", "--offset", "8M", "--length", "2M");

        assertEquals(0, outcome.exitCode(), outcome.err());
        Map<String, Object> sent = head.last(ADD);
        assertEquals(extents(0, 4, 8, 2), sent.get("extents"));
        assertEquals("prescriptive", sent.get("selection-policy"));
        assertEquals("dev0", sent.get("path"));
        assertEquals(0L, sent.get("host-id"));
        assertFalse(sent.containsKey("tag"));
        assertEquals("""
                added: head=0 region=0 extent=0x0+0x400000 state=accepted
                added: head=0 region=0 extent=0x800000+0x200000 state=accepted
                """, outcome.out());
    }

    @Test
    void shouldLetTheDeviceChooseAndTellWhatItChose() {
        // The new extents lie before and behind an old one that they were put together with.
        head.answers(
                "x-query-extents",
                holding(List.of(extent(1, 4, 4, "")), List.of()),
                holding(List.of(extent(1, 0, 12, ""), extent(0, 4, 4, "")), List.of(extent(1, 40, 2, TAG))));
        Outcome outcome = head.run("add", "--region=1", "--length=14M", "--tag", TAG);

        assertEquals(0, outcome.exitCode(), outcome.err());
        Map<String, Object> sent = head.last(ADD);
        assertEquals("free", sent.get("selection-policy"));
        assertEquals(extents(0, 14), sent.get("extents"));
        assertEquals(TAG, sent.get("tag"));
        assertEquals(1L, sent.get("region"));
        assertEquals(
                "added: head=0 region=1 extent=0x0+0x400000 state=accepted\n"
                        + "added: head=0 region=1 extent=0x800000+0x400000 state=accepted\n"
                        + "added: head=0 region=0 extent=0x400000+0x400000 state=accepted\n"
                        + "offered: head=0 region=1 extent=0x2800000+0x200000 state=pending tag=" + TAG + "\n",
                outcome.out());
    }

    @Test
    void shouldTellThatTheHostRejectedWhatTheDeviceChose() {
        Outcome outcome = head.run("add", "--policy=contiguous", "--length=8M");

        assertEquals("contiguous", head.last(ADD).get("selection-policy"));
        assertEquals("rejected: head=0 region=0 length=8388608 state=free\n", outcome.out());
        assertEquals(
                "[]\n",
                head.run("add", "--policy=free", "--length=8M", "--json").out());
        assertEquals(
                "nothing to do: head=0\n",
                head.run("add", "--policy=free", "--length=0").out());
    }

    @Test
    void shouldJoinSharedCapacityByItsTag() {
        head.answers(
                "x-query-extents",
                holding(List.of(), List.of()),
                holding(List.of(extent(0, 2, 2, TAG), extent(0, 6, 2, TAG)), List.of()));
        Outcome outcome = head.run("add", "--policy=enable-shared-access", "--tag=" + TAG, "--json");

        assertEquals(0, outcome.exitCode(), outcome.err());
        assertEquals("enable-shared-access", head.last(ADD).get("selection-policy"));
        assertEquals(List.of(), head.last(ADD).get("extents"));
        assertEquals(
                "[{\"head\": 0, \"region\": 0, \"offset\": 2097152, \"length\": 2097152, \"state\": \"accepted\", \"tag\": \""
                        + TAG + "\"}, {\"head\": 0, \"region\": 0, \"offset\": 6291456, \"length\": 2097152, "
                        + "\"state\": \"accepted\", \"tag\": \"" + TAG + "\"}]\n",
                outcome.out());
    }

    @Test
    void shouldTakeAnyWordForATag() {
        UUID made = UUID.nameUUIDFromBytes("pool".getBytes(StandardCharsets.UTF_8));
        assertEquals(0, head.run("add", "--length=2M", "--tag=pool").exitCode());
        assertEquals(made.toString(), head.last(ADD).get("tag"));
        assertEquals(0, head.run("release", "--tag=pool").exitCode());
        assertEquals(made.toString(), head.last(RELEASE).get("tag"));
    }

    @Test
    void shouldReleaseByTag() {
        head.answers(
                "x-query-extents",
                holding(List.of(extent(0, 2, 2, TAG), extent(0, 20, 2, "")), List.of(extent(0, 6, 2, TAG))),
                holding(List.of(extent(0, 20, 2, "")), List.of()));
        Outcome outcome = head.run("release", "--tag", TAG, "--forced", "--sanitize");

        assertEquals(0, outcome.exitCode(), outcome.err());
        Map<String, Object> sent = head.last(RELEASE);
        assertEquals("tag-based", sent.get("removal-policy"));
        assertEquals(List.of(), sent.get("extents"));
        assertEquals(TAG, sent.get("tag"));
        assertEquals(true, sent.get("forced-removal"));
        assertEquals(true, sent.get("sanitize-on-release"));
        assertEquals(
                "taken: head=0 region=0 extent=0x200000+0x200000 state=free tag=" + TAG + "\n"
                        + "taken: head=0 region=0 extent=0x600000+0x200000 state=free tag=" + TAG + "\n",
                outcome.out());
    }

    @Test
    void shouldReleaseNamedExtentsAsBefore() {
        Outcome outcome = head.run("release", "--offset=4M", "--length=2M");

        assertEquals(0, outcome.exitCode(), outcome.err());
        Map<String, Object> sent = head.last(RELEASE);
        assertEquals("prescriptive", sent.get("removal-policy"));
        assertEquals(false, sent.get("forced-removal"));
        assertFalse(sent.containsKey("sanitize-on-release"), "as today when it is not asked for");
        assertEquals(extents(4, 2), sent.get("extents"));
        assertEquals("released: head=0 region=0 extent=0x400000+0x200000 state=free\n", outcome.out());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "add     |                                                    | missing option: --offset",
                "add     | --offset=0                                         | missing option: --length",
                "add     | --offset=0 --length=2M --length=2M                 | missing option: --offset",
                "add     | --policy=prescriptive --length=2M                  | missing option: --offset",
                "add     | --policy=free --offset=0 --length=2M               | takes no --offset",
                "add     | --policy=contiguous                                | one --length says how much",
                "add     | --policy=free --length=2M --length=2M              | one --length says how much",
                "add     | --policy=enable-shared-access                      | missing option: --tag",
                "add     | --policy=enable-shared-access --tag=TAG --length=2M | the tag says what",
                "add     | --policy=best --length=2M                          | --policy",
                "add     | --tag= --length=2M                                 | tag is empty, leave it out for none",
                "release | --tag=                                             | tag is empty, leave it out for none",
                "release |                                                    | missing option: --offset",
                "release | --removal=tag-based                                | missing option: --tag",
                "release | --removal=tag-based --tag=TAG --offset=0 --length=2M | the tag says what",
                "release | --removal=prescriptive --tag=TAG                   | missing option: --offset",
                "release | --length=2M                                        | missing option: --offset"
            })
    void shouldRefuseWhatMakesNoSense(String verb, String options, String message) {
        String[] words =
                options == null ? new String[0] : options.replace("TAG", TAG).split(" ");
        Outcome outcome = head.run(verb, words);

        assertEquals(ExitCode.USAGE.number(), outcome.exitCode(), outcome.out());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertEquals(List.of(), head.requests);
    }
}

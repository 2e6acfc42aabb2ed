package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The verb {@code tags}, on tags that a test has made up. */
class TagsVerbTest {
    private static final UUID FIRST = UUID.fromString("00000000-0000-4000-8000-000000000001");
    private static final UUID SECOND = UUID.fromString("00000000-0000-4000-8000-000000000002");

    private final List<String> calls = new ArrayList<>();
    private final List<Tags.Tag> tags = new ArrayList<>();
    private Optional<Refusal> refusal = Optional.empty();

    private final class MadeUp implements Tags {
        @Override
        public List<Tag> list() {
            return List.copyOf(tags);
        }

        @Override
        public Optional<Refusal> addReference(UUID tag) {
            calls.add("add " + tag);
            return refusal;
        }

        @Override
        public Optional<Refusal> removeReference(UUID tag) {
            calls.add("remove " + tag);
            return refusal;
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }

    private Outcome run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                120);
        CommandLine line = new CommandLine(new TagsVerb(console, files -> new MadeUp()));
        line.setExecutionExceptionHandler((e, unused, result) -> Main.report(console, e));
        line.setParameterExceptionHandler((e, unused) -> {
            console.err().println(e.getMessage());
            return ExitCode.USAGE.number();
        });
        int exitCode = line.execute(words);
        return new Outcome(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private void twoTags() {
        tags.add(new Tags.Tag(SECOND, 1, 3, 1L << 63 | 0b110, 0b100, false, List.of(new Range(0, 4 << 20)), 4 << 20));
        tags.add(new Tags.Tag(
                FIRST, 0, 1, 0, 0, true, List.of(new Range(0, 1 << 20), new Range(8 << 20, 1 << 20)), 2 << 20));
    }

    @Test
    void shouldListTags() {
        twoTags();
        Outcome outcome = run("pool");

        assertEquals(0, outcome.exitCode(), outcome.err());
        assertEquals("""
                tag                                   region   size  extents  heads  offered to  kept by FM
                00000000-0000-4000-8000-000000000001       0  2 MiB        2  -      -           yes
                00000000-0000-4000-8000-000000000002       1  4 MiB        1  1,63   2           no
                """, outcome.out());
        assertEquals(List.of("close"), calls);
    }

    @Test
    void shouldListNone() {
        assertEquals("no tags\n", run("pool").out());
        assertTrue(run("pool", "--json").out().contains("\"tags\" : [ ]"));
    }

    @Test
    void shouldPrintJson() {
        twoTags();
        String text = run("pool", "--json").out().replaceAll("\\s+", "");
        assertTrue(
                text.contains("{\"tag\":\"" + SECOND
                        + "\",\"region\":1,\"epoch\":3,\"length\":4194304,\"referenced\":false,\"heads\":[1,63],"
                        + "\"pending_heads\":[2],\"extents\":[{\"offset\":0,\"length\":4194304}]}"),
                text);
    }

    @Test
    void shouldAddAndRemoveReferences() {
        assertEquals(
                "referenced: tag=" + FIRST + "\n",
                run("pool", "--add-reference", FIRST.toString()).out());
        assertEquals(
                "no longer referenced: tag=" + SECOND + "\n",
                run("pool", "--remove-reference=" + SECOND).out());
        assertEquals(List.of("add " + FIRST, "close", "remove " + SECOND, "close"), calls);
    }

    @Test
    void shouldTellARefusal() {
        refusal = Optional.of(new Refusal(Refusal.Cause.TAG_REQUIRED, "tag=" + FIRST));
        Outcome outcome = run("pool", "--add-reference", FIRST.toString());

        assertEquals(ExitCode.REFUSED.number(), outcome.exitCode());
        assertEquals("mhsld: refused: tag required: tag=" + FIRST + "\n", outcome.err());
        assertEquals(List.of("add " + FIRST, "close"), calls);
    }

    @Test
    void shouldRefuseTwoThingsAtOnceAndWhatIsNoTag() {
        assertEquals(
                ExitCode.USAGE.number(),
                run("pool", "--add-reference=" + FIRST, "--remove-reference=" + FIRST)
                        .exitCode());
        assertEquals(ExitCode.USAGE.number(), run("pool", "--add-reference=").exitCode());
        assertEquals(List.of(), calls);
    }
}

package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules of the source tree that no compiler knows. */
class SourceTreeTest {
    private static final int MAX_LINES = 600;
    private static final Pattern IMPORT =
            Pattern.compile("^import (?:static )?(io\\.mhsld(?:\\.[a-z0-9]+)*)\\.[A-Z]", Pattern.MULTILINE);

    /** Each package, and the packages of ours that it may know: dependencies run downwards only. */
    private static final Map<String, List<String>> MAY_KNOW = Map.ofEntries(
            entry("io.mhsld.text"),
            entry("io.mhsld.state", "io.mhsld.text"),
            entry("io.mhsld.media"),
            entry("io.mhsld.type3"),
            entry("io.mhsld.cci", "io.mhsld.text", "io.mhsld.type3"),
            entry("io.mhsld.head", "io.mhsld.state", "io.mhsld.media", "io.mhsld.type3", "io.mhsld.cci"),
            entry("io.mhsld.register", "io.mhsld.type3", "io.mhsld.cci"),
            entry(
                    "io.mhsld.fabric",
                    "io.mhsld.state",
                    "io.mhsld.media",
                    "io.mhsld.type3",
                    "io.mhsld.cci",
                    "io.mhsld.head"),
            entry("io.mhsld", "io.mhsld.state", "io.mhsld.media", "io.mhsld.head"),
            // The loop that lets clients in, and how files are guarded.
            entry("io.mhsld.socket", "io.mhsld.state", "io.mhsld.head"),
            entry(
                    "io.mhsld.qmp",
                    "io.mhsld.state",
                    "io.mhsld.type3",
                    "io.mhsld.cci",
                    "io.mhsld.head",
                    "io.mhsld.fabric",
                    "io.mhsld.socket"),
            entry("io.mhsld.mctp", "io.mhsld.cci", "io.mhsld.head", "io.mhsld.socket"),
            // The function's regions are all that it knows of the device; the loader of native code is the media's,
            // JSON is QMP's.
            entry(
                    "io.mhsld.vfiouser",
                    "io.mhsld.media",
                    "io.mhsld.head",
                    "io.mhsld.register",
                    "io.mhsld.socket",
                    "io.mhsld.qmp"),
            entry(
                    "io.mhsld.cli",
                    "io.mhsld",
                    "io.mhsld.text",
                    "io.mhsld.state",
                    "io.mhsld.media",
                    "io.mhsld.type3",
                    "io.mhsld.cci",
                    "io.mhsld.head",
                    "io.mhsld.fabric",
                    "io.mhsld.socket",
                    "io.mhsld.qmp",
                    "io.mhsld.mctp",
                    "io.mhsld.register",
                    "io.mhsld.vfiouser"));

    private static Map.Entry<String, List<String>> entry(String packageName, String... known) {
        return Map.entry(packageName, List.of(known));
    }

    private record Source(Path file, String packageName, String text) {
        static Source read(Path file) {
            try {
                String text = Files.readString(file);
                Matcher matcher = Pattern.compile("^package ([a-z0-9.]+);", Pattern.MULTILINE)
                        .matcher(text);
                assertTrue(matcher.find(), "no package: " + file);
                return new Source(file, matcher.group(1), text);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        boolean isNamed(String name) {
            return file.getFileName().toString().equals(name);
        }
    }

    private static List<Source> sources() throws IOException {
        List<Source> sources = new ArrayList<>();
        for (String module : List.of("../mhsld-core", "../mhsld-cli")) {
            try (Stream<Path> files = Files.walk(Path.of(module, "src", "main", "java"))) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .map(Source::read)
                        .forEach(sources::add);
            }
        }
        assertTrue(sources.size() > 100, "found only " + sources.size());
        return sources;
    }

    @Test
    void shouldDependDownwardsOnly() throws IOException {
        List<String> upwards = new ArrayList<>();
        for (Source source : sources()) {
            assertTrue(MAY_KNOW.containsKey(source.packageName), "a package without a place: " + source.packageName);
            Matcher imports = IMPORT.matcher(source.text);
            while (imports.find()) {
                String known = imports.group(1);
                boolean allowed = known.equals(source.packageName)
                        || MAY_KNOW.get(source.packageName).contains(known);
                if (!allowed) {
                    upwards.add(source.file + " knows " + known);
                }
            }
        }
        assertEquals(List.of(), upwards);
    }

    @Test
    void shouldReachSharedMemoryThroughOnePackageEach() throws IOException {
        List<String> elsewhere = new ArrayList<>();
        for (Source source : sources()) {
            boolean mayUseAgrona = source.packageName.equals("io.mhsld.state")
                    || source.isNamed("Head.java")
                    || source.isNamed("ErrorReport.java");
            if (source.text.contains("import org.agrona") && !mayUseAgrona) {
                elsewhere.add(source.file + " uses Agrona");
            }
            if (source.text.contains("import net.openhft") && !source.packageName.equals("io.mhsld.media")) {
                elsewhere.add(source.file + " uses Chronicle");
            }
        }
        assertEquals(List.of(), elsewhere);
    }

    @Test
    void shouldNeitherSleepNorExitNorGrowWithoutBound() throws IOException {
        List<String> found = new ArrayList<>();
        for (Source source : sources()) {
            if (source.text.contains("Thread.sleep(")) {
                found.add(source.file + " sleeps");
            }
            if (source.text.contains("System.exit(") && !source.isNamed("Main.java")) {
                found.add(source.file + " exits");
            }
            if (source.text.lines().count() > MAX_LINES) {
                found.add(source.file + " has more than " + MAX_LINES + " lines");
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    void shouldSayWhatEachPackageIsFor() throws IOException {
        List<Source> sources = sources();
        for (String packageName : MAY_KNOW.keySet()) {
            assertTrue(
                    sources.stream()
                            .anyMatch(source -> source.packageName.equals(packageName)
                                    && source.isNamed("package-info.java")
                                    && source.text.contains("/**")),
                    packageName);
        }
    }
}

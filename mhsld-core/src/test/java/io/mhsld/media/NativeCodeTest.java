package io.mhsld.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class NativeCodeTest {
    @TempDir
    Path temporary;

    /** Shows from where jffi is told to load, while it loads, and what the temporary folder holds then and afterwards. */
    public static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            String seen = NativeCode.load(() -> {
                try {
                    Path folder = Path.of(System.getProperty("jffi.boot.library.path"));
                    String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(folder));
                    com.kenai.jffi.Library.getDefault();
                    return folder.getParent() + " " + permissions;
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            System.out.println(seen + " into=" + System.getProperty("jffi.extract.dir") + " works="
                    + (Fallocate.call(-1, Fallocate.RESERVE, 0, 1) == Fallocate.EBADF));
        }
    }

    private String run() throws Exception {
        Path out = Files.createTempFile("mhsld-native-test", ".out");
        try {
            Process process = new ProcessBuilder(
                            "sh",
                            "-c",
                            "umask 000; exec \"$@\"",
                            "sh",
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Djava.io.tmpdir=" + temporary,
                            "-cp",
                            System.getProperty("java.class.path"),
                            Child.class.getName())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            assertTrue(process.waitFor(50, TimeUnit.SECONDS));
            return Files.readString(out).strip();
        } finally {
            Files.delete(out);
        }
    }

    @Test
    void shouldUnpackNativeCodeWhereNobodyElseMayWriteAndLeaveNothing() throws Exception {
        String seen = run();
        assertTrue(seen.contains(temporary + " rwx------ into=/dev/null works=true"), seen);
        try (var files = Files.list(temporary)) {
            assertEquals(List.of(), files.toList());
        }
    }

    /** From a working directory that has no {@code target}, nor one above it. */
    @Test
    void shouldLeaveNoFolderThatNobodyAskedFor() throws Exception {
        Path file = temporary.resolve("media");
        Path own = Files.createDirectory(temporary.resolve("own"));
        Media.create(file, 1 << 20, PosixFilePermissions.fromString("rw-------"), false);
        assertEquals(
                "hostile=null\n",
                MediaChild.run(
                        Path.of("/"),
                        jar -> true,
                        "-Djava.io.tmpdir=" + own,
                        "store",
                        file.toString(),
                        "" + (1 << 20)));
        try (var files = Files.list(own)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void shouldSweepWhatKilledProcessesLeftAndNothingElse() throws Exception {
        Path old = Files.createDirectory(temporary.resolve("mhsld-native-old"));
        Path library = Files.createFile(old.resolve(System.mapLibraryName("jffi-1.2")));
        Path fresh = Files.createDirectory(temporary.resolve("mhsld-native-fresh"));
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        Path precious = Files.createFile(elsewhere.resolve(library.getFileName()));
        Path link = Files.createSymbolicLink(temporary.resolve("mhsld-native-link"), elsewhere);
        FileTime longAgo = FileTime.fromMillis(System.currentTimeMillis() - 3_600_000);
        Files.setLastModifiedTime(old, longAgo);
        Files.setLastModifiedTime(elsewhere, longAgo);
        assertTrue(run().endsWith("works=true"));
        assertTrue(Files.notExists(old));
        assertTrue(Files.exists(fresh));
        assertTrue(Files.exists(precious) && Files.isSymbolicLink(link));
    }
}

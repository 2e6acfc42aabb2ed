package io.mhsld;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs our programs as the user nobody, or as another number, which only root can. */
public final class OtherUser implements AutoCloseable {
    public static final int NOBODY = 65_534;

    private static final long TIMEOUT_S = 30;

    /** What a program came to. */
    public record Outcome(int exitCode, String out, String err) {}

    private final int user;
    private final String groups;
    private final Path folder;
    private final String classPath;

    private OtherUser(int user, String groups) throws IOException {
        this.user = user;
        this.groups = groups;
        folder = Files.createTempDirectory(Path.of("/tmp"), "mhsld-other-user-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        classPath = copyOfClassPath();
    }

    /** Skips the test, with a reason, where that cannot be. */
    public static OtherUser nobody() throws Exception {
        return withGroups(NOBODY, "");
    }

    /** The same with another number and some groups, separated by commas. */
    public static OtherUser withGroups(int user, String groups) throws Exception {
        assumeTrue(
                (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "only root can become another user");
        OtherUser other = new OtherUser(user, groups);
        boolean works = other.run(List.of(java(), "-version")).exitCode == 0;
        if (!works) {
            other.close();
        }
        assumeTrue(works, "no setpriv(1) here, or a JDK that other users may not run");
        return other;
    }

    /** A class of the class path, with its main method. */
    public Outcome runMain(String mainClass, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                java(),
                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                classPath,
                mainClass));
        command.addAll(List.of(arguments));
        return run(command);
    }

    /** Any program. */
    public Outcome run(List<String> command) throws Exception {
        List<String> whole = new ArrayList<>(List.of("setpriv", "--reuid=" + user, "--regid=" + user));
        whole.add(groups.isEmpty() ? "--clear-groups" : "--groups=" + groups);
        whole.addAll(command);
        Path out = Files.createTempFile("mhsld-other-user-", ".out");
        Path err = Files.createTempFile("mhsld-other-user-", ".err");
        try {
            Process process = new ProcessBuilder(whole)
                    .directory(new File("/"))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("does not end: " + command + Files.readString(err));
            }
            return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
        } catch (IOException e) {
            return new Outcome(127, "", e.toString());
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** What we run may lie where nobody else may look. */
    private String copyOfClassPath() throws IOException {
        List<String> copies = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path from = Path.of(entry);
            Path to = folder.resolve(copies.size() + "-" + from.getFileName());
            if (Files.exists(from)) {
                copyAll(from, to);
                copies.add(to.toString());
            }
        }
        return String.join(File.pathSeparator, copies);
    }

    private static void copyAll(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                Files.copy(file, from.equals(file) ? to : copy, StandardCopyOption.COPY_ATTRIBUTES);
                boolean isFolder = Files.isDirectory(file);
                Files.setPosixFilePermissions(
                        from.equals(file) ? to : copy,
                        PosixFilePermissions.fromString(isFolder ? "rwxr-xr-x" : "rw-r--r--"));
            }
        }
    }

    /** For {@link #runMain}: connects to a unix socket or a port of this machine and shows the first line that comes. */
    public static final class Connect {
        private Connect() {}

        /** {@code unix:PATH} or {@code tcp:PORT}. */
        public static void main(String[] arguments) throws IOException {
            String place = arguments[0];
            SocketAddress address = place.startsWith("unix:")
                    ? UnixDomainSocketAddress.of(place.substring("unix:".length()))
                    : new InetSocketAddress(
                            InetAddress.getLoopbackAddress(), Integer.parseInt(place.substring("tcp:".length())));
            try (var channel = SocketChannel.open(address)) {
                ByteBuffer bytes = ByteBuffer.allocate(4096);
                int length = channel.read(bytes);
                System.out.println(
                        length < 0 ? "closed" : new String(bytes.array(), 0, length, StandardCharsets.UTF_8));
            } catch (IOException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }
}

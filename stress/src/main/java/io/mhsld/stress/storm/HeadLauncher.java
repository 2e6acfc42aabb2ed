package io.mhsld.stress.storm;

import io.mhsld.Device;
import io.mhsld.cli.Main;
import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpClient;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.stress.process.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Starts heads as {@code scripts/mhsld head} does, in half the time: with the first compiler alone, and with an archive of the classes that a
 * head needs, made once for a build.
 */
public final class HeadLauncher {
    private static final List<String> SHORT_LIVED = List.of("-Xms8m", "-Xmx256m", "-XX:TieredStopAtLevel=1");
    /**
     * All of its heap in RAM from the start: what a head takes of RAM after that is not garbage which waits to be collected. The JVM keeps an account
     * of the rest.
     */
    private static final List<String> LONG_LIVED =
            List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:NativeMemoryTracking=summary");

    private static final long TRAINING_S = 60;
    private static final long ARCHIVE_AGE_MS = TimeUnit.HOURS.toMillis(1);
    private static final int TIMEOUT_MS = 20_000;

    private final Path folder;
    private final String classPath;
    private final List<String> options = new ArrayList<>();

    /**
     * @param folder of logs and crash reports
     * @param before classes that take the place of the product's; empty: none
     */
    public HeadLauncher(Path folder, Optional<Path> before) {
        this.folder = folder;
        List<String> libraries = libraries();
        boolean onlyJars = libraries.stream().allMatch(entry -> entry.endsWith(".jar"));
        String product = String.join(File.pathSeparator, libraries);
        this.classPath = before.map(path -> path + File.pathSeparator + product).orElse(product);
        options.addAll(List.of(
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-XX:Flags=/dev/null",
                "-XX:ErrorFile=" + folder.resolve("hs_err_pid%p.log")));
        Path natives = Path.of(libraries.get(0))
                .resolveSibling("../../../mhsld-cli/target/lib/jni")
                .normalize();
        try (var platforms = Files.isDirectory(natives) ? Files.list(natives) : Stream.<Path>empty()) {
            String own = System.getProperty("os.arch").replace("amd64", "x86_64") + "-Linux";
            platforms
                    .filter(platform -> platform.endsWith(own))
                    .forEach(platform -> options.add("-Djffi.boot.library.path=" + platform));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (onlyJars && before.isEmpty()) {
            archive(libraries)
                    .ifPresent(archive -> options.addAll(
                            List.of("-XX:SharedArchiveFile=" + archive, "-Xlog:disable", "-Xlog:all=error:stderr")));
        }
    }

    /**
     * Starts a head.
     *
     * @param log where it says what it does
     * @param shortLived false: compile as a head that is meant to stay, with a small heap that is there in full from the start
     */
    public ChildJvm start(DeviceFiles files, int head, HostDriver.Mode mode, Path log, boolean shortLived) {
        List<String> jvmOptions = new ArrayList<>(options);
        jvmOptions.addAll(shortLived ? SHORT_LIVED : LONG_LIVED);
        return ChildJvm.start(
                Main.class.getName(),
                classPath,
                log,
                jvmOptions,
                List.of(
                        "head",
                        "--mhd-head=" + head,
                        "--mhd-state_file=" + files.stateFile(),
                        "--host-driver=" + mode));
    }

    /** Where heads leave their logs and crash reports. */
    public Path folder() {
        return folder;
    }

    /** The class path of this JVM without what only the trials need. */
    static List<String> libraries() {
        List<String> own = Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
        List<String> libraries = own.stream()
                .filter(entry -> !entry.isEmpty() && Files.exists(Path.of(entry)))
                .filter(entry ->
                        !entry.matches(".*(jcstress|jmh-|jopt|commons-math|junit|opentest4j|apiguardian).*\\.jar"))
                .filter(entry -> !isOfTrials(Path.of(entry)))
                .toList();
        return libraries.isEmpty() ? own : libraries;
    }

    private static boolean isOfTrials(Path entry) {
        return Files.isDirectory(entry)
                && (entry.endsWith("test-classes") || Files.isDirectory(entry.resolve("io/mhsld/stress")));
    }

    // ---- the archive

    private Optional<Path> archive(List<String> libraries) {
        String age = libraries.stream()
                .map(library -> library + new File(library).lastModified())
                .collect(Collectors.joining());
        String name =
                "heads-" + System.getProperty("java.version") + "-" + Integer.toHexString(age.hashCode()) + ".jsa";
        Path archive = folder.resolveSibling(name);
        if (Files.exists(archive)) {
            return Optional.of(archive);
        }
        DeviceFiles files =
                DeviceFiles.named("mhsld-training-" + ProcessHandle.current().pid());
        Path classes = folder.resolve("classes");
        Path made = folder.resolve("archive");
        Device.initialise(files, Device.Specification.ofSize(16 << 20), TIMEOUT_MS);
        try {
            useHead(files, classes);
            try (ChildJvm dump = ChildJvm.start(
                    "-version",
                    classPath,
                    folder.resolve("dump.log"),
                    with("-Xshare:dump", "-XX:SharedClassListFile=" + classes, "-XX:SharedArchiveFile=" + made),
                    List.of())) {
                dump.awaitExit(TRAINING_S);
            }
            if (!Files.exists(made)) {
                return Optional.empty();
            }
            removeOldArchives(archive);
            // Two storms at a time: the last one's stays, and a file that is mapped goes on under it.
            Files.move(made, archive, StandardCopyOption.ATOMIC_MOVE);
            return Optional.of(archive);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            Device.destroy(files, TIMEOUT_MS);
        }
    }

    /** Of builds that nobody uses any more: a head whose archive is gone starts without it, and takes twice as long. */
    private static void removeOldArchives(Path archive) throws IOException {
        try (var others = Files.newDirectoryStream(archive.getParent(), "heads-*.jsa")) {
            for (Path other : others) {
                if (System.currentTimeMillis() - other.toFile().lastModified() > ARCHIVE_AGE_MS) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }

    /** Lets the JVM note the classes of a head that does a little of everything. */
    private void useHead(DeviceFiles files, Path classes) {
        Path log = folder.resolve("training.log");
        try (ChildJvm head = ChildJvm.start(
                Main.class.getName(),
                classPath,
                log,
                with("-Xshare:off", "-XX:DumpLoadedClassList=" + classes),
                List.of("head", "--mhd-head=0", "--mhd-state_file=" + files.stateFile()))) {
            awaitReady(head, TIMEOUT_MS);
            try (QmpClient client = QmpClient.connect(LocalAddress.unix(files.controlSocket(0)), TIMEOUT_MS)) {
                Geometry geometry = Device.Specification.ofSize(16 << 20).geometry();
                Requests requests = new Requests(geometry, 0);
                client.execute("cxl-add-dynamic-capacity", requests.add(List.of(new Requests.Run(0, 2))));
                client.execute("x-query-extents");
                client.execute("x-mem-crc", Map.of("dpa", 0, "length", geometry.blockSizeBytes()));
                client.execute(
                        "cxl-release-dynamic-capacity", requests.release(List.of(new Requests.Run(0, 1)), false));
                client.execute("cxl-release-dynamic-capacity", requests.release(List.of(new Requests.Run(1, 1)), true));
                client.execute("x-cci", Map.of("opcode", 0x4000));
                client.execute("system_reset");
            }
            head.signal("TERM");
            head.awaitExit(TRAINING_S);
        }
    }

    private List<String> with(String... more) {
        List<String> all = new ArrayList<>(options);
        all.addAll(Arrays.asList(more));
        return all;
    }

    /** Waits until the head says that it is ready; false when it has ended instead, or the time has passed. */
    public static boolean awaitReady(ChildJvm head, long timeoutMs) {
        long endNs = System.nanoTime() + timeoutMs * 1_000_000;
        while (System.nanoTime() - endNs < 0) {
            if (isReady(head)) {
                return true;
            }
            if (!head.isAlive()) {
                return isReady(head);
            }
            LockSupport.parkNanos(5_000_000);
        }
        return false;
    }

    static boolean isReady(ChildJvm head) {
        return head.hasOutput() && head.output().contains("ready head=");
    }
}

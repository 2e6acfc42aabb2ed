package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Does what the verbs do, on a small device of its own in a temporary folder, so that the JVM notes the classes that they need: the launcher
 * makes an archive of them, and the verbs start in half the time. Whether anything succeeds here matters to nobody.
 */
final class Training {
    private static final int LOOP_MS = 100;
    private static final long OFFERED_BYTES = 4L << 20;

    /** What verbs look like when they are used; "%" is the device. */
    private static final List<String> LOOKS = List.of(
            "--help",
            "--version",
            "status --help",
            "status %",
            "status % --counters",
            "status % --json",
            "map %",
            "map % --color always --width 120",
            "map % --json",
            "extents %",
            "extents % --json",
            "errors %",
            "errors % --json",
            "verify %",
            "verify % --json",
            "status %.missing",
            "fence % --head 9",
            "map % --width 3",
            "no-such-verb");

    private Training() {}

    static ExitCode run() {
        Console nowhere = new Console(silent(), silent(), true, 80);
        Path folder = null;
        try {
            folder = createFolder();
            String device = deviceIn(folder).toString();
            run(nowhere, "init % --size 64M --block-size 1M --num-dc-regions 2 --json", device);
            run(nowhere, "init % --size 64M --block-size 1M --num-dc-regions 2", device);
            useHeads(DeviceFiles.named(device), () -> LOOKS.forEach(look -> run(nowhere, look, device)));
            run(nowhere, "recover %", device);
            run(nowhere, "fence % --head 1", device);
            run(nowhere, "destroy %", device);
            return ExitCode.DONE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(folder);
        }
    }

    /** Where a temporary folder has a long name there is no room for the sockets beside a device. */
    private static Path createFolder() throws IOException {
        Path folder = Files.createTempDirectory("mhsld");
        try {
            DeviceFiles.named(deviceIn(folder).toString());
            return folder;
        } catch (IllegalArgumentException e) {
            Files.delete(folder);
            return Files.createTempDirectory(Path.of("/tmp"), "mhsld");
        }
    }

    private static Path deviceIn(Path folder) {
        return folder.resolve("d");
    }

    private static void useHeads(DeviceFiles files, Runnable looks) {
        try (EventLoop loop = EventLoop.open();
                Head first = Device.attach(files, 0, loop, 0, line -> {});
                Head second = Device.attach(files, 1, loop, 0, line -> {})) {
            for (Head head : List.of(first, second)) {
                // Accepted capacity for one, pending capacity for both.
                Range offered = new Range((long) head.id() * OFFERED_BYTES, OFFERED_BYTES);
                head.device().capacity().add(0, List.of(offered), Extent.NO_TAG);
                head.device().capacity().add(1, List.of(offered), Extent.NO_TAG);
            }
            first.device().capacity().addResponse(List.of(new HostRange(0, OFFERED_BYTES)), false);
            second.recordError(new IllegalStateException("training"));
            looks.run();
            loop.after(LOOP_MS, loop::stop);
            loop.run();
        }
    }

    private static void run(Console nowhere, String line, String device) {
        Main.run(nowhere, line.replace("%", device).split(" "));
    }

    private static PrintStream silent() {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    }

    private static void delete(Path folder) {
        if (folder == null) {
            return;
        }
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

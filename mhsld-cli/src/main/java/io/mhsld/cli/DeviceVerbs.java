package io.mhsld.cli;

import io.mhsld.Device.Specification;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs that are about a device as a whole. They hold options; {@link DeviceOperator} does the work. */
final class DeviceVerbs {
    private DeviceVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        commandLine.addSubcommand(new Init(console));
        commandLine.addSubcommand(new Status(console));
        commandLine.addSubcommand(new MapVerb(console));
        commandLine.addSubcommand(new Extents(console));
        commandLine.addSubcommand(new Verify(console));
        commandLine.addSubcommand(new Errors(console));
        commandLine.addSubcommand(new Recover(console));
        commandLine.addSubcommand(new Fence(console));
        commandLine.addSubcommand(new Destroy(console));
        commandLine.addSubcommand(new Train(console));
    }

    /** When memory is taken for capacity. */
    enum MediaSpace {
        /** Before it is offered, so that a host's store cannot fail. */
        RESERVED,
        /** By the first store. */
        SPARSE
    }

    /** When to paint. */
    enum Colour {
        /** On a terminal, unless NO_COLOR is set. */
        AUTO,
        ALWAYS,
        NEVER
    }

    private abstract static class DeviceVerb extends Verb {
        @Parameters(index = "0", paramLabel = "NAME", description = "The device: /dev/shm/NAME, or a path.")
        String name;

        @Mixin
        JsonOption json;

        DeviceVerb(Console console) {
            super(console);
        }

        DeviceOperator operator() {
            return new DeviceOperator(DeviceFiles.named(name), console, json.json);
        }
    }

    /** A verb that needs the device for itself. */
    private abstract static class WaitingVerb extends DeviceVerb {
        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                description = "How long to wait for another init, destroy or recover to end: 10 by default.")
        double waitSeconds = 10;

        WaitingVerb(Console console) {
            super(console);
        }

        long waitMs() {
            return waitMs(waitSeconds);
        }
    }

    // ---- verbs

    @Command(
            name = "init",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Make a device, or make a leftover anew; refused while a head uses it.")
    private static final class Init extends WaitingVerb {
        @Option(
                names = "--size",
                required = true,
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "Capacity over all regions: 4G.")
        long sizeBytes;

        @Option(names = "--heads", paramLabel = "N", description = "Heads to make room for, 1 to 64: ${DEFAULT-VALUE}.")
        int heads = Specification.DEFAULT_HEADS;

        @Option(
                names = "--num-dc-regions",
                paramLabel = "N",
                description = "Dynamic capacity regions, 1 to 8: ${DEFAULT-VALUE}.")
        int regions = 1;

        @Option(
                names = "--block-size",
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "Granule of ownership, a power of two from 4K up: 2M.")
        long blockSizeBytes = Specification.DEFAULT_BLOCK_SIZE_BYTES;

        @Option(
                names = "--sn",
                paramLabel = "N",
                converter = SerialConverter.class,
                description = "Serial number: ${DEFAULT-VALUE}.")
        long serial = Specification.DEFAULT_SERIAL;

        @Option(
                names = "--media",
                paramLabel = "FILE",
                converter = FileConverter.class,
                description = "The DC memory, if not beside the state file.")
        Path media;

        @Option(
                names = "--media-space",
                paramLabel = "KIND",
                description = "sparse (default): memory is taken by the first store; reserved: before it is offered.")
        MediaSpace mediaSpace = MediaSpace.SPARSE;

        @Option(
                names = "--shareable",
                paramLabel = "REGIONS",
                converter = ShareableConverter.class,
                description = "Regions whose capacity several heads may hold, by a tag: none.")
        Shareable shareable = Shareable.NONE;

        @Option(names = "--group", description = "The files are open to the group too (mode 0660, not 0600).")
        boolean group;

        Init(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            Geometry geometry = shareable.in(Geometry.of(heads, sizeBytes, regions, blockSizeBytes));
            Specification specification = new Specification(
                    geometry, serial, mediaSpace == MediaSpace.SPARSE, Optional.ofNullable(media), group);
            return operator().init(specification, waitMs());
        }
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "What the device is, who its heads are, how much they hold.")
    private static final class Status extends DeviceVerb {
        @Option(names = "--counters", description = "With what each head has counted.")
        boolean counters;

        Status(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().status(counters);
        }
    }

    @Command(
            name = "map",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "A picture of who owns which blocks.")
    private static final class MapVerb extends DeviceVerb {
        @Option(names = "--width", paramLabel = "N", description = "Columns to fill; default: the terminal's, or 80.")
        Integer columns;

        @Option(names = "--color", paramLabel = "WHEN", description = "auto (default), always or never.")
        Colour colour = Colour.AUTO;

        @Option(
                names = "--rows",
                paramLabel = "N",
                description = "More rows, fewer blocks in a cell: ${DEFAULT-VALUE}.")
        int rows = MapPicture.DEFAULT_ROWS;

        @Option(
                names = "--dpa",
                paramLabel = "A",
                converter = SizeConverter.class,
                description = "Show only what is at this address and after it.")
        long startDpa;

        @Option(
                names = "--length",
                paramLabel = "L",
                converter = SizeConverter.class,
                description = "Show only so much of it.")
        long lengthBytes = Long.MAX_VALUE;

        MapVerb(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            if (columns != null && (columns < MapPicture.MIN_COLUMNS || columns > Console.MAX_COLUMNS)) {
                throw usage("width out of range: --width=" + columns + " (" + MapPicture.MIN_COLUMNS + " to "
                        + Console.MAX_COLUMNS + ")");
            }
            if (rows < 1) {
                throw usage("too few rows: --rows=" + rows);
            }
            return operator()
                    .map(new MapPicture.View(
                            columns == null ? console.columns() : columns,
                            colour == Colour.ALWAYS || (colour == Colour.AUTO && console.isTerminal()),
                            rows,
                            startDpa,
                            lengthBytes));
        }
    }

    /** A verb that can do with one head. */
    private abstract static class HeadsVerb extends DeviceVerb {
        @Option(names = "--head", paramLabel = "H", description = "Only of this head.")
        Integer head;

        HeadsVerb(Console console) {
            super(console);
        }

        OptionalInt head() {
            return head == null ? OptionalInt.empty() : OptionalInt.of(head);
        }
    }

    @Command(name = "extents", mixinStandardHelpOptions = true, description = "The extents that heads hold.")
    private static final class Extents extends HeadsVerb {
        Extents(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().extents(head());
        }
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description =
                    "Check what must always hold (I1 to I8), as far as the files show it; 0 only when nothing is wrong.")
    private static final class Verify extends DeviceVerb {
        Verify(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().verify();
        }
    }

    @Command(name = "errors", mixinStandardHelpOptions = true, description = "Errors of heads, live or dead.")
    private static final class Errors extends HeadsVerb {
        @Option(names = "--traces", description = "With the places in the code, for a bug report.")
        boolean traces;

        Errors(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().errors(head(), traces);
        }
    }

    @Command(name = "recover", mixinStandardHelpOptions = true, description = "Free what dead heads left behind.")
    private static final class Recover extends WaitingVerb {
        Recover(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().recover(waitMs());
        }
    }

    @Command(
            name = "fence",
            mixinStandardHelpOptions = true,
            description = "End the process that is a head (SIGKILL), and free what it held.")
    private static final class Fence extends DeviceVerb {
        @Option(names = "--head", required = true, paramLabel = "H", description = "The head to end.")
        int head;

        Fence(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().fence(head);
        }
    }

    @Command(
            name = "destroy",
            mixinStandardHelpOptions = true,
            description = "Remove a device and its files; refused while a head uses it.")
    private static final class Destroy extends WaitingVerb {
        Destroy(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return operator().destroy(waitMs());
        }
    }

    /** For the launcher: see {@link Training}. */
    @Command(name = "x-train", hidden = true, description = "Load what the other verbs need.")
    private static final class Train extends Verb {
        Train(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            return Training.run();
        }
    }
}

package io.mhsld.stress.fuzz;

import io.mhsld.cli.CommandLineText;
import io.mhsld.cli.CommandLineText.Options;
import io.mhsld.cli.UsageException;
import io.mhsld.state.DeviceFiles;
import java.util.List;

/** A QEMU command line, one argument a line. It is taken, and what it says makes sense; or it is refused with a message that names the culprit. */
public final class QemuCommandLine {
    private QemuCommandLine() {}

    /** Fails when an argument is neither taken nor refused. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        List<String> arguments = List.of(new Input(bytes).text().split("\n", -1));
        Options options;
        try {
            options = CommandLineText.qemu(arguments);
        } catch (UsageException e) {
            Check.that(!e.getMessage().isBlank(), "message");
            return;
        }
        options.head().ifPresent(head -> Check.that(head >= 0, "head=" + head));
        options.sizeBytes().ifPresent(size -> Check.that(size > 0, "size=" + size));
        options.regionCount().ifPresent(count -> Check.that(count >= 0, "regions=" + count));
        options.qmp().forEach(Addresses::check);
        options.stateFile().ifPresent(QemuCommandLine::checkName);
        Check.equal(options, CommandLineText.qemu(arguments), "the same arguments, read again");
    }

    private static void checkName(String name) {
        try {
            DeviceFiles files = DeviceFiles.named(name);
            Check.that(files.stateFile().isAbsolute(), "state file is absolute: " + files.stateFile());
            Check.equal(files.stateFile().getParent(), files.controlSocket(63).getParent(), "folder of the socket");
        } catch (IllegalArgumentException e) {
            Check.that(
                    e.getMessage().startsWith("not a name") || e.getMessage().startsWith("state file path too long"),
                    e.toString());
        }
    }
}

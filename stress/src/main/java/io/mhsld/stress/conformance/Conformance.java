package io.mhsld.stress.conformance;

import io.mhsld.Device;
import io.mhsld.cli.Main;
import io.mhsld.qmp.QmpAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.stress.conformance.AlteredTarget.Mistake;
import io.mhsld.stress.conformance.MctpTarget.Dialect;
import io.mhsld.stress.conformance.Suite.Result;
import io.mhsld.stress.conformance.Suite.Verdict;
import io.mhsld.stress.conformance.Target.ConnectionLost;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.TrialFolder;
import io.mhsld.stress.storm.HeadLauncher;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The conformance suite as a trial: against a device of its own, as real processes, or against any other. */
@Command(
        name = "conformance",
        description = {
            "Every command and every refusal of the component command interfaces, one line each.",
            "The device is one of our own, a head in a process, unless another one is named. Its head must be idle, and nobody may answer for its "
                    + "host (--host-driver=manual)."
        })
public final class Conformance implements Callable<Integer> {
    private static final Pattern TCP = Pattern.compile("tcp:(.+):([0-9]{1,5})");
    private static final long START_MS = 30_000;

    @Option(names = "--qmp", paramLabel = "unix:PATH", description = "A head's QMP socket: commands go through x-cci.")
    private Optional<String> qmp = Optional.empty();

    @Option(names = "--mctp", paramLabel = "tcp:HOST:PORT", description = "MCTP in TCP, packets of 68 bytes.")
    private Optional<String> mctp = Optional.empty();

    @Option(
            names = "--dialect",
            paramLabel = "D",
            defaultValue = "STANDARD",
            description = "With --mctp: standard or jack (${DEFAULT-VALUE}).")
    private Dialect dialect;

    @Option(
            names = "--ld",
            paramLabel = "N",
            defaultValue = "0",
            description = "With --mctp: the LD to reach (${DEFAULT-VALUE}).")
    private int ld;

    @Option(names = "--no-skip", description = "Fail when a command is missing, or an interface.")
    private boolean noSkip;

    @Option(names = "--quiet", description = "Only what failed, and the sum.")
    private boolean quiet;

    @Option(
            names = "--broken",
            paramLabel = "MISTAKE",
            description = "The answers are altered; it must fail: ${COMPLETION-CANDIDATES}.")
    private Optional<Mistake> mistake = Optional.empty();

    @Option(
            names = "--evidence",
            paramLabel = "FOLDER",
            defaultValue = "${sys:java.io.tmpdir}",
            description = "Where the log of our own device goes (${DEFAULT-VALUE}).")
    private Path evidence;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (qmp.isPresent() && mctp.isPresent()) {
            throw new ParameterException(spec.commandLine(), "either --qmp or --mctp");
        }
        try {
            if (qmp.isPresent()) {
                return run(new QmpTarget(address(qmp.get())));
            }
            return mctp.isPresent() ? run(new MctpTarget(tcp(mctp.get()), dialect, ld)) : runOnOwnDevice();
        } catch (ConnectionLost e) {
            say("FAILED: %s", e.getMessage());
            return 1;
        }
    }

    private QmpAddress address(String text) {
        try {
            // The parser is the server's own, and wants to be told so.
            return QmpAddress.parse(text.contains(",") ? text : text + ",server,nowait");
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private InetSocketAddress tcp(String text) {
        Matcher matcher = TCP.matcher(text);
        if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 0xFFFF) {
            throw new ParameterException(spec.commandLine(), "not tcp:HOST:PORT: " + text);
        }
        return new InetSocketAddress(matcher.group(1), Integer.parseInt(matcher.group(2)));
    }

    private int runOnOwnDevice() {
        TrialFolder folder = TrialFolder.create(evidence, "conformance");
        DeviceFiles files =
                DeviceFiles.named("mhsld-conformance-" + ProcessHandle.current().pid());
        Geometry geometry = Geometry.of(4, 128 << 20, 2, 2 << 20);
        Device.initialise(files, new Device.Specification(geometry, 1, true, Optional.empty(), false), 0);
        int status = 1;
        try (ChildJvm head = ChildJvm.start(
                Main.class,
                folder.file("head.log"),
                List.of("-XX:TieredStopAtLevel=1"),
                List.of("head", "--mhd-head=0", "--mhd-state_file=" + files.stateFile(), "--host-driver=manual"))) {
            if (!HeadLauncher.awaitReady(head, START_MS)) {
                say("FAILED: head does not start: %s", head.output());
                return 1;
            }
            status = run(new QmpTarget(QmpAddress.unix(files.controlSocket(0))));
        } finally {
            Device.destroy(files, 0);
            if (status == 0) {
                folder.delete();
            }
        }
        return status;
    }

    private int run(Target device) {
        List<Result> results = new ArrayList<>();
        try (Target target =
                mistake.<Target>map(wrong -> new AlteredTarget(device, wrong)).orElse(device)) {
            results.addAll(new Suite(target, this::tell).run(Rows.EVERYTHING));
        }
        long failed = count(results, Verdict.FAIL);
        long skipped = count(results, Verdict.SKIP);
        long passed = count(results, Verdict.PASS);
        boolean good = failed == 0 && passed > 0 && !(noSkip && skipped > 0);
        say("%s: passed=%d failed=%d skipped=%d", good ? "passed" : "FAILED", passed, failed, skipped);
        return good ? 0 : 1;
    }

    private static long count(List<Result> results, Verdict verdict) {
        return results.stream().filter(result -> result.verdict() == verdict).count();
    }

    private void tell(Result result) {
        if (!quiet || result.verdict() == Verdict.FAIL || (noSkip && result.verdict() == Verdict.SKIP)) {
            say("%s", result);
        }
    }

    private static void say(String format, Object... values) {
        System.out.println(String.format(format, values));
    }
}

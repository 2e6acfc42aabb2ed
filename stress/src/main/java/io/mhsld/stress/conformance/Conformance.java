package io.mhsld.stress.conformance;

import io.mhsld.Device;
import io.mhsld.cli.Main;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.stress.conformance.AlteredTarget.Mistake;
import io.mhsld.stress.conformance.MctpTarget.Dialect;
import io.mhsld.stress.conformance.Suite.Result;
import io.mhsld.stress.conformance.Suite.Verdict;
import io.mhsld.stress.conformance.Target.ConnectionLost;
import io.mhsld.stress.conformance.Target.Via;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.TrialFolder;
import io.mhsld.stress.storm.HeadLauncher;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
            "The device is one of our own, a head and a fabric manager in processes, unless another one is named. Its head must be idle, and nobody may answer for its "
                    + "host (--host-driver=manual)."
        })
public final class Conformance implements Callable<Integer> {
    private static final Pattern TCP = Pattern.compile("tcp:(.+):([0-9]{1,5})");
    private static final Pattern LISTENS = Pattern.compile("(?m)^ready .*mctp=tcp:([^ :]+):([0-9]+)");
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
                LocalAddress address = address(qmp.get());
                return run(List.of(() -> new QmpTarget(address)));
            }
            if (mctp.isPresent()) {
                InetSocketAddress address = tcp(mctp.get());
                return run(List.of(() -> new MctpTarget(address, dialect, ld)));
            }
            return runOnOwnDevice();
        } catch (ConnectionLost e) {
            say("FAILED: %s", e.getMessage());
            return 1;
        }
    }

    private LocalAddress address(String text) {
        try {
            // The parser is the server's own, and wants to be told so.
            return QmpServer.address(text.contains(",") ? text : text + ",server,nowait");
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
        Geometry geometry = Geometry.of(4, 128 << 20, 2, 2 << 20).withShareable(Set.of(1));
        Device.initialise(files, new Device.Specification(geometry, 1, true, Optional.empty(), false), 0);
        int status = 1;
        try (ChildJvm head = start(
                        folder,
                        "head",
                        "--mhd-head=0",
                        "--mhd-state_file=" + files.stateFile(),
                        "--mctp=tcp:127.0.0.1:0",
                        "--host-driver=manual");
                ChildJvm fabric = start(folder, "fm", files.stateFile().toString(), "--mctp=tcp:127.0.0.1:0")) {
            if (!HeadLauncher.awaitReady(head, START_MS)) {
                say("FAILED: head does not start: %s", head.output());
                return 1;
            }
            List<Supplier<Target>> targets =
                    new ArrayList<>(List.of(() -> new QmpTarget(LocalAddress.unix(files.controlSocket(0)))));
            Optional<InetSocketAddress> manager = addressOf(fabric);
            for (Dialect each : manager.isPresent() ? Dialect.values() : new Dialect[0]) {
                targets.add(() -> new MctpTarget(manager.get(), each, 0));
                targets.add(() -> new MctpTarget(
                        addressOf(head).orElseThrow(),
                        each,
                        0,
                        Optional.of(new QmpTarget(LocalAddress.unix(files.controlSocket(0))))));
            }
            if (manager.isEmpty()) {
                say("no fabric manager: %s", fabric.output().lines().findFirst().orElse("it says nothing"));
            }
            status = run(targets);
        } finally {
            Device.destroy(files, 0);
            if (status == 0) {
                folder.delete();
            }
        }
        return status;
    }

    private static ChildJvm start(TrialFolder folder, String... arguments) {
        return ChildJvm.start(
                Main.class, folder.file(arguments[0] + ".log"), List.of("-XX:TieredStopAtLevel=1"), List.of(arguments));
    }

    /** Where the fabric manager listens; empty when it has ended instead. */
    private static Optional<InetSocketAddress> addressOf(ChildJvm fabric) {
        long endNs = System.nanoTime() + START_MS * 1_000_000;
        while (System.nanoTime() - endNs < 0) {
            Matcher matcher = LISTENS.matcher(fabric.output());
            if (matcher.find()) {
                return Optional.of(new InetSocketAddress(matcher.group(1), Integer.parseInt(matcher.group(2))));
            }
            if (!fabric.isAlive()) {
                return Optional.empty();
            }
            LockSupport.parkNanos(5_000_000);
        }
        return Optional.empty();
    }

    private int run(List<Supplier<Target>> devices) {
        List<Result> results = new ArrayList<>();
        for (Supplier<Target> device : devices) {
            try (Target real = device.get();
                    Target target = mistake.<Target>map(wrong -> new AlteredTarget(real, wrong))
                            .orElse(real)) {
                say("%s", target);
                results.addAll(new Suite(target, this::tell).run(Rows.EVERYTHING));
            }
        }
        // Each transport leads to some interfaces; one that none leads to is missing.
        Set<Via> reached = results.stream()
                .filter(result -> !result.isAboutWholeInterface())
                .map(Result::via)
                .collect(Collectors.toSet());
        results.removeIf(result -> result.isAboutWholeInterface() && reached.contains(result.via()));
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

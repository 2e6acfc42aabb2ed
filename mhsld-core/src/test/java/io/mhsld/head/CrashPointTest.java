package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Finding;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Kills a real process at each {@link CrashPoint}, then reapers at points of their own, one after the other, and looks after each death whether
 * all that must hold does. Each victim gets two reapers that die, in turn at all of theirs; {@code -Dmhsld.test.crash=all} kills a reaper at
 * each of its points after every victim, which takes minutes.
 */
@Tag("one-java")
@Timeout(600)
class CrashPointTest {
    private static final boolean ALL = "all".equals(System.getProperty("mhsld.test.crash"));
    private static final int REAPERS = 2;

    private static final List<CrashPoint> REAP_POINTS = pointsOf("REAP_");

    /** Points at which the row says that nobody is the head: a reaper finds nothing to do. */
    private static final List<CrashPoint> NOTHING_TO_REAP =
            List.of(CrashPoint.ATTACH_LEASED, CrashPoint.LEAVE_ROW_FREED);

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /** How many reapers died at each of their points. */
    private final Map<CrashPoint, LongAdder> reapersDied = new EnumMap<>(CrashPoint.class);

    private static List<CrashPoint> pointsOf(String... prefixes) {
        return Arrays.stream(CrashPoint.values())
                .filter(point -> Arrays.stream(prefixes).anyMatch(point.name()::startsWith))
                .toList();
    }

    /** Every point that a head which shares nothing comes to in its life, and those that a successor comes to when it frees what was left. */
    private static List<CrashPoint> pointsOfLife() {
        List<CrashPoint> others = pointsOf("REAP_", "INIT_", "DESTROY_", "RECOVER_", "TAG_", "REGION_", "POISON_");
        return Arrays.stream(CrashPoint.values())
                .filter(point -> !others.contains(point))
                .toList();
    }

    @Test
    void shouldHoldAfterHeadAndItsReapersDiedAtAnyPoint() throws Exception {
        REAP_POINTS.forEach(point -> reapersDied.put(point, new LongAdder()));
        List<Callable<Void>> deaths = new ArrayList<>();
        for (CrashPoint point : pointsOfLife()) {
            int number = deaths.size();
            deaths.add(() -> dieInLife(number, point, 1));
        }
        // Later in the same life there is more to lose.
        for (CrashPoint point : pointsOf("ADD_", "ACCEPT_", "RELEASE_", "FORCED_RELEASE_", "RESET_")) {
            int number = deaths.size();
            int passage = point.name().startsWith("ADD_") ? 3 : 2;
            if (isPassedAgain(point)) {
                deaths.add(() -> dieInLife(number, point, passage));
            }
        }
        runAll(deaths);
        reapersDied.forEach((point, count) -> assertTrue(count.sum() > 0, "no reaper died at " + point));
        System.out.println("victims=" + deaths.size() + " reapers=" + reapersDied);
    }

    @Test
    void shouldHoldAfterRecoverDiedAtAnyPoint() throws Exception {
        List<Callable<Void>> deaths = new ArrayList<>();
        List<CrashPoint> points = new ArrayList<>(pointsOf("RECOVER_"));
        points.addAll(List.of(CrashPoint.REAP_BEGUN, CrashPoint.REAP_GIVEN_BACK, CrashPoint.REAP_ENDED));
        for (CrashPoint point : points) {
            deaths.add(() -> {
                try (CrashSweep sweep = CrashSweep.onNewDevice(deviceFiles(point.name()))) {
                    die(CrashPoint.FORCED_RELEASE_PUBLISHED, 1, "live", deviceFiles(point.name()));
                    die(point, 1, "recover", deviceFiles(point.name()));
                    sweep.check(point + " as recover left it", false);
                    sweep.repair(2, point.name());
                    sweep.check(point + " after another recover", true);
                }
                return null;
            });
        }
        runAll(deaths);
    }

    @Test
    void shouldHaveOldDeviceOrNewOneAfterInitDiedAtAnyPoint() throws Exception {
        List<Callable<Void>> deaths = new ArrayList<>();
        for (CrashPoint point : pointsOf("INIT_")) {
            deaths.add(() -> dieInInit(point, false));
            deaths.add(() -> dieInInit(point, true));
        }
        runAll(deaths);
    }

    @Test
    void shouldEndInNothingAfterDestroyDiedAtAnyPoint() throws Exception {
        List<Callable<Void>> deaths = new ArrayList<>();
        for (CrashPoint point : pointsOf("DESTROY_")) {
            deaths.add(() -> {
                DeviceFiles files = deviceFiles(point.name());
                CrashSweep.initialise(files);
                die(point, 1, "destroy", files);
                try {
                    // A device whose media is gone is good for nothing but to be destroyed.
                    List<Finding> findings = Device.inspect(files).findings();
                    assertTrue(
                            findings.stream()
                                    .allMatch(finding -> finding.cause().equals("media file missing")),
                            point + ": " + findings);
                    Device.destroy(files, 1_000);
                } catch (StateFileException e) {
                    assertEquals(Problem.MISSING, e.problem(), point + ": " + e.getMessage());
                }
                mustServeAndGo(files, point.name());
                return null;
            });
        }
        runAll(deaths);
    }

    // ---- deaths

    private Void dieInLife(int number, CrashPoint point, int passage) throws IOException {
        String which = point + ":" + passage;
        List<CrashPoint> reapers = new ArrayList<>();
        if (ALL) {
            reapers.addAll(REAP_POINTS);
        } else {
            for (int i = 0; i < REAPERS; i++) {
                reapers.add(REAP_POINTS.get((number * REAPERS + i) % REAP_POINTS.size()));
            }
        }
        DeviceFiles files = deviceFiles(point + "-" + passage);
        try (CrashSweep sweep = CrashSweep.onNewDevice(files)) {
            die(point, passage, "live", files);
            sweep.check(which + " as it was left", false);
            for (CrashPoint reaper : reapers) {
                which += ", reaper died at " + reaper;
                if (NOTHING_TO_REAP.contains(point)) {
                    Child child = start(reaper, 1, "reap", files);
                    assertEquals(0, child.exitCode(), which + ": " + child.lines);
                    assertEquals(List.of("FREE"), child.lines, which);
                    break;
                }
                boolean died = dieReaping(reaper, files);
                sweep.check(which + (died ? "" : " (not)"), false);
                if (!died || reaper == CrashPoint.REAP_ROW_FREED) {
                    // A reaper that met less than what its point needs came to its end.
                    break;
                }
                reapersDied.get(reaper).increment();
            }
            sweep.repair(number % 4, which);
            sweep.check(which + ", after repair " + number % 4, true);
        }
        return null;
    }

    /** False when the reaper did not come to the point: there was nothing to give back or to clear any more. */
    private boolean dieReaping(CrashPoint point, DeviceFiles files) {
        Child child = start(point, 1, "reap", files);
        int exitCode = child.exitCode();
        if (exitCode == CrashPoint.EXIT_CODE) {
            if (point == CrashPoint.REAP_ROW_FREED) {
                reapersDied.get(point).increment();
            }
            return true;
        }
        boolean mayBeMissed = point == CrashPoint.REAP_GIVEN_BACK || point == CrashPoint.REAP_CLEARED;
        assertTrue(exitCode == 0 && mayBeMissed, point + ": exitCode=" + exitCode + " " + child.lines);
        return false;
    }

    private Void dieInInit(CrashPoint point, boolean overOldDevice) throws IOException {
        String which = point + (overOldDevice ? " over an old device" : " anew");
        DeviceFiles files = deviceFiles(point + "-" + overOldDevice);
        if (overOldDevice) {
            CrashSweep.onNewDevice(files).close();
            CrashSweep.initialise(files);
            die(CrashPoint.ACCEPT_PUBLISHED, 1, "take", files);
        }
        die(point, 1, "init", files);
        boolean published = point == CrashPoint.INIT_PUBLISHED;
        if (overOldDevice || published) {
            Inspector.Report report = Device.inspect(files);
            assertTrue(report.isSound(), which + ": " + report.findings());
            assertEquals(published, report.ownedBlocks()[0] == 0, which + ": the device is neither old nor new");
        } else {
            assertTrue(Files.notExists(files.stateFile()), which);
        }
        mustServeAndGo(files, which);
        return null;
    }

    /** Another init makes a device that serves, in which nothing is left of what was; destroyed, it leaves nothing. */
    private static void mustServeAndGo(DeviceFiles files, String which) throws IOException {
        CrashSweep sweep = CrashSweep.onNewDevice(files);
        sweep.check(which + ", made anew", true);
        sweep.close();
        Device.destroy(files, 1_000);
        try (Stream<Path> left = Files.list(files.stateFile().getParent())) {
            assertEquals(List.of(), left.toList(), which + ": destroyed, and something is left");
        }
    }

    private void die(CrashPoint point, int passage, String what, DeviceFiles files) {
        Child child = start(point, passage, what, files);
        assertEquals(
                CrashPoint.EXIT_CODE,
                child.exitCode(),
                what + " came past " + point + ":" + passage + " " + child.lines);
    }

    private Child start(CrashPoint point, int passage, String what, DeviceFiles files) {
        return fixture.start(
                CrashVictim.class,
                0,
                "-D" + CrashPoint.PROPERTY + "=" + point + ":" + passage,
                what,
                files.stateFile().toString());
    }

    // ---- running

    /** A folder for each, so that what is left behind can be seen. */
    private DeviceFiles deviceFiles(String name) throws IOException {
        Path folder = Files.createDirectories(fixture.folder().resolve(name));
        return DeviceFiles.named(folder.resolve("dev").toString());
    }

    private static boolean isPassedAgain(CrashPoint point) {
        return switch (point) {
            case RELEASE_BEGUN, RELEASE_PUBLISHED, RELEASE_GIVEN_BACK, RELEASE_CLEARED, RELEASE_ENDED -> false;
            case ADD_GIVEN_BACK, ADD_CLEARED -> false;
            default -> true;
        };
    }

    private static void runAll(List<Callable<Void>> deaths) throws InterruptedException {
        ExecutorService threads =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            TreeSet<String> failures = new TreeSet<>();
            for (Future<Void> death : threads.invokeAll(deaths)) {
                try {
                    death.get();
                } catch (ExecutionException e) {
                    failures.add(e.getCause().toString());
                }
            }
            assertTrue(failures.isEmpty(), String.join("\n", failures));
        } finally {
            threads.shutdownNow();
        }
    }
}

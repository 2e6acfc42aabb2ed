package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.DeviceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Death in the middle of sharing: at every store in one JVM, and of real processes at every {@link CrashPoint} of it. */
@Tag("one-java")
@Timeout(600)
class SharedCrashTest {
    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    @Test
    void shouldRepairDeathAtEveryStoreOfSharing() {
        Child sweep = fixture.start(
                SharedCrashSweep.class,
                0,
                "-Dmhsld.step=" + CrashStep.class.getName(),
                fixture.folder().resolve("sweep").toString());
        assertEquals(0, sweep.exitCode(300), () -> String.join("\n", sweep.lines));
        String swept = sweep.awaitLine("sweep", line -> line.startsWith("swept"));
        System.out.println(swept);
        int points = Integer.parseInt(swept.replaceAll(".* points=(\\d+) .*", "$1"));
        int reaperPoints = Integer.parseInt(swept.replaceAll(".*reaperPoints=(\\d+)", "$1"));
        assertTrue(points > 400 && reaperPoints > 400, swept);
    }

    /** I1: what is gone stays gone, also when the one who came too late could not take it back. */
    @Test
    void shouldNotTakeLateComerForHolderWhereverItDied() {
        Child sweep = fixture.start(
                LateComerSweep.class,
                0,
                "-Dmhsld.step=" + CrashStep.class.getName(),
                fixture.folder().resolve("late").toString());
        assertEquals(0, sweep.exitCode(60), () -> String.join("\n", sweep.lines));
        String swept = sweep.awaitLine("sweep", line -> line.startsWith("swept"));
        assertTrue(Integer.parseInt(swept.replaceAll(".*=", "")) >= 6, swept);
    }

    @Test
    void shouldHoldAfterProcessDiedAtAnyPointOfSharing() throws Exception {
        List<Callable<Void>> deaths = new ArrayList<>();
        for (CrashPoint point : CrashPoint.values()) {
            boolean isOfSharing = point.name().startsWith("TAG_")
                    || point.name().startsWith("REGION_")
                    || point.name().startsWith("POISON_");
            if (isOfSharing && point != CrashPoint.TAG_SWEPT) {
                boolean isPassedOnce = point == CrashPoint.TAG_REFERENCE_REMOVED;
                for (int passage = 1; passage <= (isPassedOnce ? 1 : 2); passage++) {
                    int number = deaths.size();
                    int which = passage;
                    deaths.add(() -> die(number, point, which));
                }
            }
        }
        ExecutorService threads =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        TreeSet<String> failures = new TreeSet<>();
        try {
            for (Future<Void> death : threads.invokeAll(deaths)) {
                try {
                    death.get();
                } catch (ExecutionException e) {
                    failures.add(e.getCause().toString());
                }
            }
        } finally {
            threads.shutdownNow();
        }
        assertTrue(failures.isEmpty(), String.join("\n", failures));
        System.out.println("victims=" + deaths.size());
    }

    private Void die(int number, CrashPoint point, int passage) throws IOException {
        String which = point + ":" + passage;
        Path folder = Files.createDirectories(fixture.folder().resolve(point + "-" + passage));
        DeviceFiles files = DeviceFiles.named(folder.resolve("dev").toString());
        try (SharedCrashSweep sweep = new SharedCrashSweep(files)) {
            Child victim = start(point, passage, "share", files);
            assertEquals(CrashPoint.EXIT_CODE, victim.exitCode(), "came past " + which + " " + victim.lines);
            sweep.check(which + " as it was left", false);
            // Some reapers die too, in turn at all of their points.
            List<CrashPoint> reaperPoints = Arrays.stream(CrashPoint.values())
                    .filter(one -> one.name().startsWith("REAP_") || one == CrashPoint.TAG_SWEPT)
                    .toList();
            CrashPoint reaperPoint = reaperPoints.get(number % reaperPoints.size());
            Child reaper = start(reaperPoint, 1, "reap", files);
            int exitCode = reaper.exitCode();
            assertTrue(exitCode == 0 || exitCode == CrashPoint.EXIT_CODE, which + " " + reaper.lines);
            sweep.check(which + ", reaper " + (exitCode == 0 ? "done" : "died at " + reaperPoint), false);
            sweep.repair(number % 4, which);
            sweep.check(which + ", after repair " + number % 4, true);
        }
        return null;
    }

    private Child start(CrashPoint point, int passage, String what, DeviceFiles files) {
        return fixture.start(
                CrashVictim.class,
                0,
                "-D" + CrashPoint.PROPERTY + "=" + point + ":" + passage,
                what,
                files.stateFile().toString());
    }
}

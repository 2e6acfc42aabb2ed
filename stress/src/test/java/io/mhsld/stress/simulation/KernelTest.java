package io.mhsld.stress.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KernelTest {
    private final Scheduler scheduler = new Scheduler(new SplittableRandom(4711), 1_000, 10);
    private final SimulatedProcess process = new Kernel(scheduler, 2).spawn(scheduler.add("head-0", unused -> {}));

    /** A process that is thought to look after its peers while it is stopped would be blamed for the dead. */
    @Test
    void shouldCountAsStoppedUntilTheLongestStopIsOver() {
        process.serves();
        long nowNs = scheduler.nowNs();
        process.stop(1_172_000_000);
        process.stop(161_000_000);
        assertEquals(nowNs + 1_172_000_000, process.healthySinceNs());
        process.stop(2_000_000_000);
        assertEquals(nowNs + 2_000_000_000, process.healthySinceNs());
    }

    @Test
    void shouldNotLookAfterPeersAgainBecauseItWasStopped() {
        process.stop(1_000);
        assertEquals(Kernel.NOT_YET, process.healthySinceNs());
        process.serves();
        process.leaves();
        process.stop(1_000);
        assertEquals(Kernel.NOT_YET, process.healthySinceNs());
    }
}

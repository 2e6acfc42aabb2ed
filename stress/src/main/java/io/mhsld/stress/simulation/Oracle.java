package io.mhsld.stress.simulation;

import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFileDescriptor;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.SharedFiles.Mapped;
import io.mhsld.type3.Extent;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Knows what must hold, and when: after each store, at the end of each operation, at any moment. It looks at shared memory aside, without being
 * part of the run.
 */
final class Oracle {
    /** I5: when nobody asks for its blocks, a dead head's are free after so long. */
    private static final long FORGOTTEN_NS = 1_000_000_000L;

    private static final long NOBODY = 0;

    /** What one file held after the last store. */
    private static final class Shadow {
        private final long[] lanes;
        private final long[] incarnations;

        private Shadow(Geometry geometry) {
            this.lanes = new long[(int) geometry.blockCount()];
            this.incarnations = new long[geometry.headCount()];
        }
    }

    private final Geometry geometry;
    private final Kernel kernel;
    private final Scheduler scheduler;
    private final IdentityHashMap<Mapped, Shadow> shadows = new IdentityHashMap<>();

    /** For each block the process whose device lists it, {@link #NOBODY} for none. */
    private final long[] listedBy;

    private long looks;

    Oracle(Geometry geometry, Kernel kernel, Scheduler scheduler) {
        this.geometry = geometry;
        this.kernel = kernel;
        this.scheduler = scheduler;
        this.listedBy = new long[(int) geometry.blockCount()];
    }

    /** How often the whole file was inspected. */
    long looks() {
        return looks;
    }

    /** I6: who is about to store to a head's own part has its lease. */
    void beforeStore(SimulatedProcess process, String section, long offset) {
        int head = StateFileDescriptor.headOf(section, offset);
        if (head >= 0 && !process.holds(head)) {
            throw new Violation(
                    "I6", "store without the lease: %s head=%d section=%s offset=%d", process, head, section, offset);
        }
    }

    /** I1, I6, I8: what that store has done. */
    void afterStore(SimulatedProcess process, Mapped file, String section, long offset) {
        if (section.equals("OWNER_MAP")) {
            Steps.aside(() -> {
                checkWord(process, file, offset);
                return null;
            });
        } else if (section.equals("HEAD_TABLE")) {
            int head = StateFileDescriptor.headOf(section, offset);
            long incarnation = Steps.aside(() -> file.state().heads().incarnationAcquire(head));
            Shadow shadow = shadowOf(file);
            if (incarnation < shadow.incarnations[head]) {
                throw new Violation(
                        "I8",
                        "incarnation went back: head=%d from=%d to=%d",
                        head,
                        shadow.incarnations[head],
                        incarnation);
            }
            shadow.incarnations[head] = incarnation;
        }
    }

    private void checkWord(SimulatedProcess process, Mapped file, long offset) {
        int lanesPerWord = Long.BYTES / geometry.laneBytes();
        long first = offset / Long.BYTES * lanesPerWord;
        long[] lanes = shadowOf(file).lanes;
        for (long block = first; block < Math.min(first + lanesPerWord, geometry.blockCount()); block++) {
            long lane = file.state().ownerMap().ownersVolatile(block);
            if (Long.bitCount(lane) > 1) {
                throw new Violation("I1", "several owners: block=%d lane=0x%x %s", block, lane, process);
            }
            for (long changed = lane ^ lanes[(int) block]; changed != 0; changed &= changed - 1) {
                int head = Long.numberOfTrailingZeros(changed);
                if (!process.holds(head)) {
                    throw new Violation(
                            "I6",
                            "bit changed without the lease: block=%d head=%d lane=0x%x %s",
                            block,
                            head,
                            lane,
                            process);
                }
            }
            lanes[(int) block] = lane;
        }
    }

    /** I2, I1: at the end of an operation, the device's lists, the map and what others list are of one mind. */
    void afterOperation(SimulatedProcess process, Mapped file, int head, List<Extent> held) {
        boolean[] listed = new boolean[listedBy.length];
        for (Extent extent : held) {
            long first = geometry.blockOfDpa(extent.startDpa());
            for (long block = first; block < first + extent.lengthBytes() / geometry.blockSizeBytes(); block++) {
                listed[(int) block] = true;
            }
        }
        Shadow shadow = shadowOf(file);
        for (int block = 0; block < listed.length; block++) {
            boolean owned = (shadow.lanes[block] >>> head & 1) != 0;
            if (owned != listed[block]) {
                throw new Violation(
                        "I2",
                        "%s: block=%d head=%d lane=0x%x %s",
                        owned ? "owned block in no extent" : "block of an extent not owned",
                        block,
                        head,
                        shadow.lanes[block],
                        process);
            }
            if (listed[block]) {
                if (listedBy[block] != NOBODY && listedBy[block] != process.pid()) {
                    throw new Violation(
                            "I1",
                            "block in the extents of two: block=%d pid=%d and %s",
                            block,
                            listedBy[block],
                            process);
                }
                listedBy[block] = process.pid();
            } else if (listedBy[block] == process.pid()) {
                listedBy[block] = NOBODY;
            }
        }
    }

    /** What a process lists may change from now on, or it has ended. */
    void forget(SimulatedProcess process) {
        for (int block = 0; block < listedBy.length; block++) {
            if (listedBy[block] == process.pid()) {
                listedBy[block] = NOBODY;
            }
        }
    }

    /** I8: what only grows has grown. */
    static void checkCounters(Mapped file, int head, EnumMap<Counter, Long> last) {
        for (Counter counter : Counter.values()) {
            long value = Steps.aside(() -> file.state().counters(head).getAcquire(counter));
            long before = last.getOrDefault(counter, 0L);
            if (!counter.isLevel() && value < before) {
                throw new Violation(
                        "I8",
                        "counter went back: head=%d counter=%s from=%d to=%d",
                        head,
                        counter.label(),
                        before,
                        value);
            }
            last.put(counter, value);
        }
    }

    /** I5: nobody is dead for longer than a second and still an owner, while a sound head looks after its peers. */
    void checkForgotten(Mapped file, List<SimulatedProcess> living) {
        long healthySinceNs = Kernel.NOT_YET;
        for (SimulatedProcess process : living) {
            healthySinceNs = Math.min(healthySinceNs, process.healthySinceNs());
        }
        if (healthySinceNs == Kernel.NOT_YET) {
            return;
        }
        long owners = 0;
        for (long lane : shadowOf(file).lanes) {
            owners |= lane;
        }
        for (; owners != 0; owners &= owners - 1) {
            int head = Long.numberOfTrailingZeros(owners);
            long sinceNs = kernel.deadSinceNs(head);
            if (sinceNs != Kernel.NOT_YET && scheduler.nowNs() - Math.max(sinceNs, healthySinceNs) > FORGOTTEN_NS) {
                throw new Violation(
                        "I5",
                        "dead head still owns blocks: head=%d deadMs=%d",
                        head,
                        (scheduler.nowNs() - sinceNs) / 1_000_000);
            }
        }
    }

    /** All of them, as `mhsld verify` looks. */
    void inspect(Mapped file, String when) {
        looks++;
        Inspector.Report report = Steps.aside(() -> Inspector.inspectStill(file.state(), kernel::isHeld));
        if (!report.isSound()) {
            throw new Violation("inspector", "%s: %s", when, report.findings());
        }
    }

    /** After the last reaper nothing is left of anybody. */
    void inspectEmpty(Mapped file) {
        inspect(file, "after all have died and were reaped");
        Inspector.Report report = Steps.aside(() -> Inspector.inspectStill(file.state(), kernel::isHeld));
        if (report.freeBlocks() != geometry.blockCount() || !report.notes().isEmpty()) {
            throw new Violation(
                    "I5",
                    "not all is free after the end: free=%d blocks=%d %s",
                    report.freeBlocks(),
                    geometry.blockCount(),
                    report.notes());
        }
    }

    private Shadow shadowOf(Mapped file) {
        return shadows.computeIfAbsent(file, unused -> new Shadow(geometry));
    }
}

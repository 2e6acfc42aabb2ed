package io.mhsld.stress.simulation;

import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFileDescriptor;
import io.mhsld.state.TagTable;
import io.mhsld.state.TagTable.Entry;
import io.mhsld.state.TagTable.Range;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.SharedFiles.Mapped;
import io.mhsld.stress.simulation.TagLives.Life;
import io.mhsld.type3.Extent;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Knows what must hold, and when: after each store, at the end of each operation, at any moment. It looks at shared memory aside, without being
 * part of the run.
 */
final class Oracle {
    /** I5: when nobody asks for its blocks, a dead head's are free after so long. */
    private static final long FORGOTTEN_NS = 1_000_000_000L;

    /** What one file held after the last store. */
    private static final class Shadow {
        private final long[] lanes;
        private final long[] incarnations;
        private final TagLives lives = new TagLives();

        private Shadow(Geometry geometry) {
            this.lanes = new long[(int) geometry.blockCount()];
            this.incarnations = new long[geometry.headCount()];
        }
    }

    private final Geometry geometry;
    private final Kernel kernel;
    private final Scheduler scheduler;
    private final IdentityHashMap<Mapped, Shadow> shadows = new IdentityHashMap<>();

    /** For each block the processes whose devices list it, and under which life of which tag; empty: it is no shared one. */
    private final List<Map<Long, Optional<Life>>> listedBy = new ArrayList<>();

    private long looks;

    Oracle(Geometry geometry, Kernel kernel, Scheduler scheduler) {
        this.geometry = geometry;
        this.kernel = kernel;
        this.scheduler = scheduler;
        for (long block = 0; block < geometry.blockCount(); block++) {
            listedBy.add(new HashMap<>());
        }
    }

    /** How often the whole file was inspected. */
    long looks() {
        return looks;
    }

    /** What is known of the tags of that file. */
    TagLives livesOf(Mapped file) {
        return shadowOf(file).lives;
    }

    /** I6: who is about to store to a head's own part has its lease; to what is nobody's own, the table lock. */
    void beforeStore(SimulatedProcess process, String section, long offset) {
        int head = StateFileDescriptor.headOf(section, offset);
        if (head >= 0 && !process.holds(head)) {
            throw new Violation(
                    "I6", "store without the lease: %s head=%d section=%s offset=%d", process, head, section, offset);
        }
        if ((section.equals("TAG_TABLE") || section.equals("REGION_SETTINGS")) && !process.holdsTables()) {
            throw new Violation(
                    "I6", "store without the table lock: %s section=%s offset=%d", process, section, offset);
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
            long added = lane & ~lanes[(int) block];
            if (added != 0 && Long.bitCount(lane) > 1 && !isHeldBy(file, added, block)) {
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

    /** Beside others only heads may have a block that hold a tag which has it. */
    private boolean isHeldBy(Mapped file, long heads, long block) {
        long dpa = geometry.dpaOfBlock(block);
        for (Entry entry : file.state().tags().readAll()) {
            boolean isOfTag = entry.state() == TagTable.State.LIVE
                    && (entry.holders() & heads) == heads
                    && entry.extents().stream().anyMatch(range -> range.overlaps(dpa, geometry.blockSizeBytes()));
            if (isOfTag) {
                return true;
            }
        }
        return false;
    }

    /**
     * I2, I1: at the end of an operation, the device's lists, the map, the tag table and what others list are of one mind.
     *
     * @param owes the head has left tags whose rows may still name it
     * @return the lives of the tags that the head holds
     */
    Map<UUID, Life> afterOperation(SimulatedProcess process, Mapped file, int head, List<Extent> held, boolean owes) {
        Map<UUID, Life> lives = Steps.aside(() -> checkTags(file, head, held, owes));
        List<Optional<Life>> listed = new ArrayList<>();
        for (int block = 0; block < geometry.blockCount(); block++) {
            listed.add(null);
        }
        for (Extent extent : held) {
            Optional<Life> life = extent.sharedSequence() > 0 ? Optional.of(lives.get(extent.tag())) : Optional.empty();
            long first = geometry.blockOfDpa(extent.startDpa());
            for (long block = first; block < first + extent.lengthBytes() / geometry.blockSizeBytes(); block++) {
                listed.set((int) block, life);
            }
        }
        Shadow shadow = shadowOf(file);
        for (int block = 0; block < listed.size(); block++) {
            Optional<Life> life = listed.get(block);
            boolean owned = (shadow.lanes[block] >>> head & 1) != 0;
            if (owned != (life != null)) {
                throw new Violation(
                        "I2",
                        "%s: block=%d head=%d lane=0x%x %s",
                        owned ? "owned block in no extent" : "block of an extent not owned",
                        block,
                        head,
                        shadow.lanes[block],
                        process);
            }
            list(block, life, process);
        }
        return lives;
    }

    private void list(int block, Optional<Life> life, SimulatedProcess process) {
        Map<Long, Optional<Life>> listing = listedBy.get(block);
        if (life == null) {
            listing.remove(process.pid());
            return;
        }
        listing.put(process.pid(), life);
        listing.forEach((pid, other) -> {
            if (pid != process.pid() && (life.isEmpty() || !life.equals(other))) {
                throw new Violation(
                        "I1",
                        "block in the extents of two: block=%d pid=%d as %s and %s as %s",
                        block,
                        pid,
                        other,
                        process,
                        life);
            }
        });
    }

    /** A shared extent is in a row that says so, a row that names the head in its extents, and no block in a row of others. */
    private Map<UUID, Life> checkTags(Mapped file, int head, List<Extent> held, boolean owes) {
        TagTable tags = file.state().tags();
        Map<UUID, List<Range>> shared = new HashMap<>();
        held.stream()
                .filter(extent -> extent.sharedSequence() > 0)
                .sorted((a, b) -> Integer.compare(a.sharedSequence(), b.sharedSequence()))
                .forEach(extent -> shared.computeIfAbsent(extent.tag(), unused -> new ArrayList<>())
                        .add(new Range(extent.startDpa(), extent.lengthBytes())));
        Map<UUID, Life> lives = new HashMap<>();
        List<Entry> entries = tags.readAll();
        for (Entry entry : entries) {
            boolean isMine = entry.state() == TagTable.State.LIVE && entry.isHeldBy(head);
            List<Range> mine = shared.get(entry.tag());
            if (isMine && mine == null && !owes) {
                throw new Violation("I2", "held tag in no extent: head=%d %s", head, entry);
            }
            if (isMine && mine != null && entry.extents().equals(mine)) {
                lives.put(entry.tag(), Life.of(entry));
            }
        }
        shared.forEach((tag, ranges) -> {
            if (!lives.containsKey(tag)) {
                throw new Violation("I2", "shared extents in no row: head=%d tag=%s %s", head, tag, ranges);
            }
        });
        // Who makes himself a holder takes that back when it was too late: with that, the table is changing.
        if ((tags.sequenceVolatile() & 1) == 0) {
            entries.stream()
                    .filter(entry -> entry.state() != TagTable.State.FREE && !entry.isGone())
                    .filter(entry -> !Life.of(entry).equals(lives.get(entry.tag())))
                    .forEach(entry -> checkApart(entry, head, held));
        }
        for (Extent extent : held) {
            Geometry.Region region = geometry.regionOfBlock(geometry.blockOfDpa(extent.startDpa()));
            long granule =
                    file.state().regionSettings().readVolatile(region.id()).blockSizeBytes();
            if ((extent.startDpa() - region.baseDpa() | extent.lengthBytes()) % granule != 0) {
                throw new Violation(
                        "I2", "extent off the region's blocks: head=%d %s blockSize=%d", head, extent, granule);
            }
        }
        return lives;
    }

    private static void checkApart(Entry entry, int head, List<Extent> held) {
        for (Extent extent : held) {
            if (entry.extents().stream().anyMatch(range -> range.overlaps(extent.startDpa(), extent.lengthBytes()))) {
                throw new Violation(
                        "I1", "block of a tag that it does not hold: head=%d %s of %s", head, extent, entry);
            }
        }
    }

    /** What a process lists may change from now on, or it has ended. */
    void forget(SimulatedProcess process) {
        listedBy.forEach(listing -> listing.remove(process.pid()));
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

    /** After the last reaper nothing is left of anybody, and nothing is kept any more. */
    void inspectEmpty(Mapped file) {
        inspect(file, "after all have died and were reaped");
        Inspector.Report report = Steps.aside(() -> Inspector.inspectStill(file.state(), kernel::isHeld));
        int freeTags = Steps.aside(() -> file.state().tags().countFreeVolatile());
        if (report.freeBlocks() != geometry.blockCount()
                || freeTags != TagTable.ROWS
                || !report.notes().isEmpty()) {
            throw new Violation(
                    "I5",
                    "not all is free after the end: free=%d blocks=%d freeTags=%d %s",
                    report.freeBlocks(),
                    geometry.blockCount(),
                    freeTags,
                    report.notes());
        }
    }

    private Shadow shadowOf(Mapped file) {
        return shadows.computeIfAbsent(file, unused -> new Shadow(geometry));
    }
}

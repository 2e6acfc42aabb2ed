package io.mhsld.stress.simulation;

import io.mhsld.head.RegionSettings;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.Geometry;
import io.mhsld.state.TagTable;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.SharedFiles.Mapped;
import io.mhsld.type3.Refusal;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;

/** A process that is no head: through it the fabric manager keeps tags and lets go of them, and sets regions. */
final class Keeper {
    private final World world;
    private final SimulatedProcess process;
    private final SplittableRandom random;
    private final Geometry geometry;
    private final Mapped file;
    private final TagRegistry registry;
    private final RegionSettings settings;
    private final TagLives lives;

    Keeper(World world, SimulatedProcess process, Mapped file) {
        this.world = world;
        this.process = process;
        this.random = world.scheduler().random();
        this.geometry = world.geometry();
        this.file = file;
        this.registry = new TagRegistry(file.state(), world.leasesOf(process), file.media(), process);
        this.settings = new RegionSettings(file.state(), world.leasesOf(process));
        this.lives = world.oracle().livesOf(file);
    }

    /** Until it is killed. */
    void live() {
        while (true) {
            lives.checkKept(file.state().tags());
            int dice = random.nextInt(100);
            if (dice < 40) {
                keep(choose());
            } else if (dice < 88) {
                letGo(choose());
            } else {
                set(random.nextInt(geometry.regions().size()));
            }
            world.settle();
            process.pause(1 + random.nextLong(2 * world.maxPauseNs()));
        }
    }

    private UUID choose() {
        return world.someLiveTag(file).map(TagTable.Entry::tag).orElseGet(() -> FabricRequest.tag(random));
    }

    private void keep(UUID tag) {
        Optional<Refusal> refusal = registry.addReference(tag);
        world.tally().operated("keep", refusal.map(Refusal::cause));
        if (refusal.isEmpty()) {
            lives.keep(file.state().tags(), tag);
        }
    }

    private void letGo(UUID tag) {
        lives.letGo(tag);
        Optional<Refusal> refusal = registry.removeReference(tag);
        world.tally().operated("unkeep", refusal.map(Refusal::cause));
    }

    /** Mostly back to the least, with which most requests go. */
    private void set(int region) {
        long supported = settings.supportedBlockSizes(region);
        long wanted = random.nextInt(3) == 0
                ? geometry.blockSizeBytes() << random.nextInt(Long.bitCount(supported))
                : geometry.blockSizeBytes();
        boolean sanitizes = random.nextBoolean();
        Optional<Refusal> refusal = settings.set(region, wanted, sanitizes);
        world.tally().operated("set region", refusal.map(Refusal::cause));
        if (refusal.isEmpty()) {
            long now = Steps.aside(() -> settings.current(region)).blockSizeBytes();
            if (now != wanted) {
                throw new Violation(
                        "I8", "block size is not what was set: region=%d is=%d wanted=%d", region, now, wanted);
            }
        }
    }
}

package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.fabric.SharedTables;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Real processes share at random and are killed while they do; one of them is stopped with the table lock. */
@Tag("one-java")
@Timeout(300)
class SharingProcessesTest {
    private static final long SEED = Long.getLong("mhsld.seed", 4711);
    private static final int HEADS = 4;
    private static final int BLOCKS = 64;
    private static final long BLOCK = 4096;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private void make() {
        Geometry geometry = Geometry.of(HEADS, BLOCKS * BLOCK, 1, BLOCK).withShareable(Set.of(0));
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
    }

    private Child start(int head, long seed, String what) {
        return fixture.start(
                SharingVictim.class,
                head,
                fixture.files().stateFile().toString(),
                Integer.toString(head),
                Long.toString(seed),
                what);
    }

    @Test
    void shouldHoldWhileSharersAreKilled() {
        make();
        SplittableRandom random = new SplittableRandom(SEED);
        String which = "-Dmhsld.seed=" + SEED;
        List<Child> children = new ArrayList<>();
        for (int head = 0; head < HEADS; head++) {
            children.add(start(head, random.nextLong(), "share"));
        }
        for (int kill = 0; kill < 12; kill++) {
            DeviceFixture.pause(150 + random.nextInt(250));
            int head = random.nextInt(HEADS);
            Child child = children.get(head);
            assertTrue(child.isAlive(), which + ": " + child.lines);
            child.kill();
            assertEquals(List.of(), Device.inspect(fixture.files()).findings(), which + " kill=" + kill);
            children.set(head, start(head, random.nextLong(), "share"));
        }
        for (Child child : children) {
            child.awaitLine("shared", line -> line.startsWith("shared"));
            child.order("leave");
            assertEquals(0, child.exitCode(), which + ": " + child.lines);
        }
        try (SharingHead last = SharingHead.attach(fixture.files(), 0)) {
            for (TagRegistry.Tag tag : last.registry().list()) {
                assertTrue(tag.isReferenced() && tag.holders() == 0, which + ": " + tag);
                assertEquals(Optional.empty(), last.registry().removeReference(tag.tag()));
            }
        }
        Inspector.Report report = fixture.assertSound();
        assertEquals(List.of(), report.notes(), which);
        assertEquals(BLOCKS, report.freeBlocks(), which);
    }

    /** The manager does for all clients what each of them orders: nobody may make it stand still. */
    @Test
    void shouldNotHoldUpTheManagerForAStoppedHolderOfTheLock() {
        make();
        Child holder = start(0, 1, "hold");
        holder.awaitLine("held", line -> line.equals("held"));
        Child stopped = start(1, 1, "lock");
        stopped.awaitLine("locked", line -> line.equals("locked"));
        DeviceFixture.signal("STOP", stopped.pid());
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
                SharedTables tables = new SharedTables(fixture.files(), state)) {
            UUID tag = tables.tags().get(0).tag();
            assertEquals(Optional.of(Cause.BUSY), tables.addReference(tag).map(Refusal::cause));
            long startNs = System.nanoTime();
            for (int order = 0; order < 5; order++) {
                assertEquals(Optional.of(Cause.BUSY), tables.addReference(tag).map(Refusal::cause));
                assertEquals(
                        Optional.of(Cause.BUSY), tables.configure(0, 0, true).map(Refusal::cause));
            }
            long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            assertTrue(tookMs < 500, "tookMs=" + tookMs);
            DeviceFixture.signal("CONT", stopped.pid());
            stopped.kill();
            assertEquals(Optional.empty(), tables.addReference(tag), "at once, not after a while");
            assertEquals(Optional.empty(), tables.removeReference(tag));
        }
    }

    /** The lock file is open from the first order on, but not for longer than it is the device's. */
    @Test
    void shouldFollowALockFileThatWasReplaced() throws IOException {
        make();
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
                SharedTables tables = new SharedTables(fixture.files(), state)) {
            assertEquals(Optional.empty(), tables.configure(0, 0, true));
            Files.delete(fixture.files().lockFile());
            assertEquals(Optional.of(Cause.BUSY), tables.configure(0, 0, false).map(Refusal::cause));
            SharingHead.attach(fixture.files(), 0).close();
            assertEquals(Optional.empty(), tables.configure(0, 0, false));
        }
    }

    /** I5: the dead let go within a second, though somebody who is stopped has the table lock. */
    @Test
    void shouldReuseBlocksOfDeadThoughLockHolderIsStopped() {
        make();
        try (SharingHead head = SharingHead.attach(fixture.files(), 2)) {
            Child dead = start(0, 1, "hold");
            dead.awaitLine("held", line -> line.equals("held"));
            assertEquals(1, head.registry().list().size());
            Child stopped = start(1, 1, "lock");
            stopped.awaitLine("locked", line -> line.equals("locked"));
            DeviceFixture.signal("STOP", stopped.pid());
            dead.kill();
            long startNs = System.nanoTime();
            assertEquals(Optional.empty(), head.reserve(List.of(Extent.untagged(0, 4 * BLOCK))));
            assertTrue(System.nanoTime() - startNs < 1_000_000_000L);
            head.accept();
            assertEquals(0, head.bytes(Extent.NO_TAG));
            fixture.assertSound();
            DeviceFixture.signal("CONT", stopped.pid());
            stopped.kill();
            head.tick();
            assertEquals(List.of(), fixture.assertSound().notes());
        }
    }
}

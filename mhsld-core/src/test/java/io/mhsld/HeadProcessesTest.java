package io.mhsld;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.state.Inspector;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Heads as real processes that compete, are killed, stopped and started again. */
@Timeout(60)
class HeadProcessesTest {
    private static final long SEED = Long.getLong("mhsld.seed", 2_501L);

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /** Invariants I1 and I3. */
    @Test
    void shouldGiveOverlappingRangesToExactlyOneWhole() {
        fixture.make(8, 1, 64);
        Child one = fixture.startHead(0);
        Child two = fixture.startHead(5);
        SplittableRandom random = new SplittableRandom(SEED);
        int[] wins = new int[2];
        for (int round = 0; round < 30; round++) {
            // Both want several extents, and meet in at least one block, wherever that is.
            int meeting = random.nextInt(20, 40);
            String first = request(random, meeting);
            String second = request(random, meeting);
            long moment = System.currentTimeMillis() + 15;
            one.order("race " + moment + " " + first);
            two.order("race " + moment + " " + second);
            List<String> answers = List.of(one.answer(), two.answer());
            String which = "seed=" + SEED + " round=" + round + " " + first + " | " + second + " " + answers;

            assertEquals(1, answers.stream().filter("ok"::equals).count(), which);
            int winner = answers.indexOf("ok");
            wins[winner]++;
            assertTrue(answers.get(1 - winner).startsWith("refused OWNED_BY_OTHER_HEAD block="), which);
            List<Integer> wanted = blocksOf(winner == 0 ? first : second);
            assertEquals(wanted, fixture.blocksOf(winner == 0 ? 0 : 5), which);
            assertEquals(List.of(), fixture.blocksOf(winner == 0 ? 5 : 0), which);
            fixture.assertSound();
            assertEquals("ok", (winner == 0 ? one : two).ask("reset"));
        }
        assertTrue(wins[0] + wins[1] == 30, Arrays.toString(wins));
    }

    /** Three extents in ascending or descending order, one of which has the block in which both meet. */
    private static String request(SplittableRandom random, int meeting) {
        List<String> extents = new ArrayList<>(List.of(
                random.nextInt(0, 4) + " " + random.nextInt(1, 5),
                (meeting - random.nextInt(0, 8)) + " 8",
                random.nextInt(50, 55) + " " + random.nextInt(1, 9)));
        if (random.nextBoolean()) {
            Collections.reverse(extents);
        }
        return "add 0 " + String.join(" ", extents);
    }

    private static List<Integer> blocksOf(String request) {
        String[] words = request.split(" ");
        List<Integer> blocks = new ArrayList<>();
        for (int i = 2; i < words.length; i += 2) {
            for (int block = 0; block < Integer.parseInt(words[i + 1]); block++) {
                blocks.add(Integer.parseInt(words[i]) + block);
            }
        }
        return blocks.stream().sorted().toList();
    }

    @Test
    void shouldClaimBlocksOfKilledHeadAtOnceAndScrubbed() {
        fixture.make(4, 2, 16);
        Child dead = fixture.startHead(0);
        Child heir = fixture.startHead(1);
        dead.take(1, 2, 3);
        long dpa = (256L << 20) + 2 * BLOCK;
        assertEquals("ok", dead.ask("fill " + dpa + " " + 3 * BLOCK + " 85"));
        assertEquals("ok", dead.ask("add 0 0 2"), "offered, and never answered");
        assertTrue(heir.ask("add 1 1 3").startsWith("refused OWNED_BY_OTHER_HEAD block=18 dpa=0x10400000 owner=[0]"));
        dead.kill();
        assertEquals("ok", heir.ask("add 1 0 16"), "no waiting for any tick");
        assertEquals("ok", heir.ask("accept"));
        assertEquals("all 0", heir.ask("bytes " + dpa + " " + 3 * BLOCK));
        assertEquals(List.of(), fixture.blocksOf(0));
        assertTrue(heir.lines.contains("log reaped dead head: head=0 blocks=5"), heir.lines.toString());
    }

    /** Invariant I5; how long it takes is printed, for a busy machine is late. */
    @Test
    void shouldFreeBlocksOfKilledHeadThoughNobodyWantsThem() {
        fixture.make(4, 1, 16);
        Child watcher = fixture.startHead(1);
        for (int round = 0; round < 2; round++) {
            Child dead = fixture.startHead(0);
            dead.take(0, 0, 8);
            if (round == 1) {
                // Time to be seen: then the news come by the socket, and not by the tick.
                DeviceFixture.pause(450);
            }
            long start = System.nanoTime();
            dead.kill();
            DeviceFixture.await(
                    "reaping",
                    DeviceFixture.PATIENCE_MS,
                    () -> fixture.blocksOf(0).isEmpty());
            System.out.println("reapedMs=" + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        }
        // The map is empty an instant before the head says so.
        DeviceFixture.await(
                "two lines",
                DeviceFixture.PATIENCE_MS,
                () -> watcher.lines.stream()
                                .filter("log reaped dead head: head=0 blocks=8"::equals)
                                .count()
                        == 2);
    }

    @Test
    void shouldLeaveStoppedHeadItsBlocks() {
        fixture.make(4, 1, 16);
        Child stopped = fixture.startHead(0);
        Child other = fixture.startHead(1);
        stopped.take(0, 0, 4);
        assertEquals("ok", stopped.ask("fill 0 4096 85"));
        DeviceFixture.signal("STOP", stopped.pid());
        DeviceFixture.pause(600);
        assertEquals("refused OWNED_BY_OTHER_HEAD block=3 dpa=0x600000 owner=[0] requester=1", other.ask("add 0 3 4"));
        assertEquals(List.of(0, 1, 2, 3), fixture.blocksOf(0));
        fixture.assertSound();
        DeviceFixture.signal("CONT", stopped.pid());
        assertEquals("all 85", stopped.ask("bytes 0 4096"));
        assertEquals("ok", stopped.ask("release 0 8388608"));
        assertEquals("ok", other.ask("add 0 0 4"));
    }

    @Test
    void shouldStartSameHeadAnewRightAfterItWasKilled() {
        fixture.make(4, 1, 16);
        Child other = fixture.startHead(1);
        for (int round = 0; round < 2; round++) {
            Child first = fixture.startHead(0);
            first.take(0, 0, 16);
            first.kill();
            // The other head may be reaping at this moment: the new process waits, and does not call the head taken.
            Child again = fixture.startHead(0);
            assertEquals(List.of(), fixture.blocksOf(0));
            assertEquals("ok", again.ask("add 0 0 16"));
            again.kill();
        }
        assertTrue(other.isAlive());
    }

    @Test
    void shouldLeaveWithAllItHeld() {
        fixture.make(4, 1, 16);
        Child child = fixture.startHead(0);
        child.take(0, 0, 16);
        assertEquals("ok", child.ask("leave"));
        assertEquals(0, child.exitCode());
        child.awaitLine("leave", "left"::equals);
        Inspector.Report report = fixture.assertSound();
        assertEquals(16, report.freeBlocks());
        assertEquals(List.of(), report.notes());
        assertFalse(Device.liveHeads(fixture.files(), 4)[0]);
    }

    @Test
    void shouldTellHeadThatStateFileWasRemovedOrCut() throws IOException {
        fixture.expectDamage();
        fixture.make(4, 1, 16);
        Child removed = fixture.startHead(0);
        removed.take(0, 0, 4);
        Files.delete(fixture.files().stateFile());
        assertEquals(
                "lost state file was removed under a live head: head=0 file="
                        + fixture.files().stateFile(),
                removed.awaitLine("loss", line -> line.startsWith("lost")));
        assertEquals(0, removed.exitCode(), "it leaves, and does not crash");

        fixture.make(4, 1, 16);
        Child cut = fixture.startHead(0);
        cut.take(0, 0, 4);
        try (RandomAccessFile file =
                new RandomAccessFile(fixture.files().stateFile().toFile(), "rw")) {
            file.setLength(4096);
        }
        // The table that it would write to next is gone, too: whatever comes first, the process ends in order.
        String end = cut.awaitLine("loss", line -> line.startsWith("lost") || line.contains("InternalError"));
        assertTrue(
                end.equals("lost state file was cut under a live head: head=0 file="
                        + fixture.files().stateFile()),
                end);
        assertEquals(0, cut.exitCode());
    }

    /** Everything at once: several heads at work without a pause, one of them killed in the middle of it, and somebody who looks on. */
    @Test
    void shouldKeepAllInvariantsWhileHeadsWorkAndDie() throws Exception {
        fixture.make(4, 2, 24);
        List<Child> children = new ArrayList<>();
        for (int head = 0; head < 3; head++) {
            children.add(fixture.startHead(head));
        }
        for (Child child : children) {
            child.order("soak " + (SEED + child.head) + " 2500 24");
        }
        long killAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1_200);
        long endAt = killAt + TimeUnit.MILLISECONDS.toNanos(1_600);
        int looks = 0;
        boolean killed = false;
        while (System.nanoTime() < endAt) {
            Inspector.Report report = Device.inspect(fixture.files());
            assertEquals(List.of(), report.findings(), "seed=" + SEED + " look=" + looks);
            looks++;
            if (!killed && System.nanoTime() > killAt) {
                children.get(2).kill();
                killed = true;
            }
        }
        for (Child child : children.subList(0, 2)) {
            String[] counts = child.answer().split(" ");
            assertEquals(2, counts.length, Arrays.toString(counts));
            assertTrue(Integer.parseInt(counts[0]) > 20, "won too little: " + Arrays.toString(counts));
            assertTrue(Integer.parseInt(counts[1]) > 5, "nothing was contended: " + Arrays.toString(counts));
        }
        DeviceFixture.await(
                "reaping", DeviceFixture.PATIENCE_MS, () -> fixture.blocksOf(2).isEmpty());
        children.forEach(Child::kill);
        assertTrue(looks > 5, "looks=" + looks);

        LocalHead heir = fixture.attach(3);
        heir.take(0, 0, 24);
        heir.take(1, 0, 24);
        assertEquals(0, fixture.assertSound().freeBlocks());
        assertArrayEquals(new byte[65_536], heir.read(0, 65_536));
        assertEquals(Optional.empty(), heir.release(0, 24 * BLOCK));
    }
}

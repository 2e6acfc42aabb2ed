package io.mhsld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.head.Fence;
import io.mhsld.head.ProcessIdentity;
import io.mhsld.state.CrashPoint;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whom fence ends, and who is taken for a head without a lease: whom the kernel names, and nobody because the head table says so. */
@Timeout(60)
class FenceTest {
    private static final int HEADS = 4;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private Process stranger;

    @BeforeEach
    void startStranger() throws IOException {
        stranger = new ProcessBuilder("sleep", "60").start();
    }

    @AfterEach
    void endStranger() {
        stranger.destroyForcibly();
    }

    private void forge(int head, long pid) {
        try (StateFile open = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0)) {
            open.heads().startRelease(head, pid, startTicksOf(pid), 0);
            open.heads().serveRelease(head, fixture.files().controlSocket(head).toString());
        }
    }

    private static long startTicksOf(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            long startTicks =
                    Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
            assertTrue(new ProcessIdentity(pid, startTicks).isAlive());
            return startTicks;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Row row(int head) {
        try (StateFile open = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            return open.heads().readAcquire(head);
        }
    }

    private Optional<Fence.Ended> fence(int head) {
        return Device.fence(fixture.files(), head);
    }

    // ---- rows that lie

    @Test
    void shouldEndNobodyWhomOnlyAFreeRowNames() {
        fixture.make(HEADS, 1, 16);
        forge(2, stranger.pid());
        assertEquals(Optional.empty(), fence(2));
        assertTrue(stranger.isAlive());
        assertEquals(HeadTable.State.FREE, row(2).state());
    }

    @Test
    void shouldGoOnThoughAFreeRowNamesAStranger() {
        fixture.make(HEADS, 1, 16);
        forge(2, stranger.pid());
        assertEquals(List.of(), Device.inspect(fixture.files()).findings());
        Device.recover(fixture.files(), 0);
        assertEquals(HeadTable.State.FREE, row(2).state(), "recovered");

        forge(2, stranger.pid());
        LocalHead head = fixture.attach(2);
        head.take(0, 0, 2);
        head.close();

        forge(2, stranger.pid());
        LocalHead peer = fixture.attach(1);
        DeviceFixture.await("reaping", 1_000, () -> row(2).state() == HeadTable.State.FREE);
        peer.close();

        forge(2, stranger.pid());
        fixture.make(HEADS, 1, 16);
        forge(2, stranger.pid());
        Device.destroy(fixture.files(), 0);
        assertFalse(Files.exists(fixture.files().stateFile()));
        assertTrue(stranger.isAlive());
    }

    @Test
    void shouldEndNoOtherHeadWhomAFreeRowNames() {
        fixture.make(HEADS, 1, 16);
        Child other = fixture.startHead(0);
        forge(2, other.pid());
        assertEquals(Optional.empty(), fence(2));
        assertTrue(other.isAlive());
        other.take(0, 0, 4);
    }

    // ---- without a lease

    @Test
    void shouldEndStoppedHeadWhoseLockFileIsGone() throws IOException {
        fixture.make(HEADS, 1, 16);
        Child head = fixture.startHead(1);
        head.take(0, 0, 4);
        DeviceFixture.signal("STOP", head.pid());
        Files.delete(fixture.files().lockFile());
        Device.recover(fixture.files(), 0);
        assertEquals(List.of(0, 1, 2, 3), fixture.blocksOf(1), "it lives");
        assertEquals(Optional.of(new Fence.Ended(head.pid(), true, List.of())), fence(1));
        assertEquals(137, head.exitCode());
        assertEquals(List.of(), fixture.blocksOf(1));
    }

    // ---- holders that the table does not name

    @Test
    void shouldEndTheHolderAndNotWhomTheRowNames() {
        fixture.make(HEADS, 1, 16);
        Child head = fixture.startHead(1);
        DeviceFixture.signal("STOP", head.pid());
        forge(1, stranger.pid());
        assertEquals(Optional.of(new Fence.Ended(head.pid(), false, List.of())), fence(1));
        assertEquals(137, head.exitCode());
        assertTrue(stranger.isAlive());
    }

    @Test
    void shouldEndHeadWhoseNeighboursLiveInTheSameProcess() {
        fixture.make(HEADS, 1, 16);
        Child both =
                fixture.start(Neighbours.class, 1, fixture.files().stateFile().toString(), "1", "2", "0");
        both.awaitLine("ready", "ready"::equals);
        assertEquals(Optional.of(new Fence.Ended(both.pid(), true, List.of(0, 2))), fence(1));
        assertEquals(137, both.exitCode());
        for (int head = 0; head < 3; head++) {
            assertEquals(List.of(), fixture.blocksOf(head), "what ended with it is freed too");
        }
        assertEquals(Optional.empty(), fence(2));
    }

    @Test
    void shouldEndHeadThatWasStoppedWhileItReapedAnother() {
        fixture.make(HEADS, 1, 16);
        Child dead = fixture.startHead(2);
        dead.take(0, 0, 8);
        dead.kill();
        Child reaper = startStopping(1, CrashPoint.REAP_GIVEN_BACK);
        assertEquals(8, fixture.blocksOf(2).size(), "nobody frees them");

        assertEquals(Optional.of(new Fence.Ended(reaper.pid(), false, List.of(1))), fence(2));

        assertEquals(137, reaper.exitCode());
        assertEquals(List.of(), fixture.blocksOf(2));
        assertEquals(Optional.empty(), fence(1));
    }

    @Test
    void shouldEndTheReaperByItsOwnNumberToo() {
        fixture.make(HEADS, 1, 16);
        Child dead = fixture.startHead(2);
        dead.take(0, 0, 8);
        dead.kill();
        Child reaper = startStopping(1, CrashPoint.REAP_GIVEN_BACK);
        assertEquals(Optional.of(new Fence.Ended(reaper.pid(), true, List.of(2))), fence(1));
        assertEquals(List.of(), fixture.blocksOf(2));
    }

    @Test
    void shouldEndHeadThatWasStoppedWhileItStarted() {
        fixture.make(HEADS, 1, 16);
        Child dead = fixture.startHead(2);
        dead.take(0, 0, 8);
        dead.kill();
        Child starting = startStopping(2, CrashPoint.REAP_GIVEN_BACK);
        assertEquals(Optional.of(new Fence.Ended(starting.pid(), false, List.of())), fence(2));
        assertEquals(137, starting.exitCode());
        assertEquals(List.of(), fixture.blocksOf(2));
    }

    private Child startStopping(int head, CrashPoint point) {
        List<String> arguments = new ArrayList<>(List.of(StopStep.at(point)));
        arguments.addAll(List.of(fixture.files().stateFile().toString(), Integer.toString(head), "5000", "manual"));
        Child child = fixture.start(HeadChild.class, head, arguments.toArray(String[]::new));
        child.awaitLine("stop", line -> line.startsWith("stops at"));
        DeviceFixture.await("stop of head " + head, 5_000, () -> isStopped(child.pid()));
        return child;
    }

    private static boolean isStopped(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.startsWith("T", stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}

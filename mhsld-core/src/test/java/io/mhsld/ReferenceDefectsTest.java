package io.mhsld;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.head.HostDriver;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The defects of the reference that concern the shared device, each by the number that it has in our list: e1 is the race at set-up, e9 the
 * wrong roll-back, and so on. What they were is said in the name of the test.
 */
@Timeout(60)
class ReferenceDefectsTest {
    private static final long REGION_1 = 256L << 20;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private static Cause cause(Optional<Refusal> refusal) {
        return refusal.orElseThrow().cause();
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    // ---- e1

    @Test
    void e1ShouldBringHeadsUpWhichComeBeforeInit() {
        Child early =
                fixture.start(HeadChild.class, 1, fixture.files().stateFile().toString(), "1", "10000", "manual");
        Child earlier =
                fixture.start(HeadChild.class, 0, fixture.files().stateFile().toString(), "0", "10000", "manual");
        DeviceFixture.pause(400);
        fixture.make(4, 1, 16);
        for (Child child : List.of(early, earlier)) {
            child.awaitLine("ready", line -> line.startsWith("ready "));
        }
        early.take(0, 0, 4);
        assertTrue(earlier.ask("add 0 2 4").startsWith("refused OWNED_BY_OTHER_HEAD"));
    }

    @Test
    void e1ShouldGiveUpWithWordsWhenNoInitComes() {
        Child child =
                fixture.start(HeadChild.class, 1, fixture.files().stateFile().toString(), "1", "200", "manual");
        assertEquals(
                "unusable MISSING no such state file: waitedMs=200 (start one head with --mhd-init, or run init) file="
                        + fixture.files().stateFile(),
                child.awaitLine("refusal", line -> line.startsWith("unusable")));
        assertEquals(3, child.exitCode());
    }

    @Test
    void e1ShouldNotWipeLiveStateByLateInit() {
        fixture.make(4, 1, 16);
        LocalHead head = fixture.attach(2);
        head.take(0, 3, 3);
        StateFileException refusal = assertThrows(StateFileException.class, () -> fixture.make(4, 1, 16));
        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(List.of(3, 4, 5), fixture.blocksOf(2));
    }

    // ---- e9 to e14

    @Test
    void e9ShouldRollBackEveryExtentOfRequestThatFails() {
        fixture.make(4, 2, 32);
        LocalHead owner = fixture.attach(0);
        LocalHead requester = fixture.attach(1);
        owner.take(0, 20, 1);
        requester.take(0, 21, 3);
        requester.take(1, 0, 2);
        List<Long> before = fixture.lanes();
        assertEquals(Cause.OWNED_BY_OTHER_HEAD, cause(requester.add(0, 0, 4, 8, 1, 10, 5, 16, 5, 24, 8)));
        assertEquals(before, fixture.lanes());
        // And what was taken back is free for others.
        owner.take(0, 0, 20);
    }

    @Test
    void e10ShouldNotLoseBlockThatHeadOwnsAlready() {
        fixture.make(4, 1, 32);
        LocalHead head = fixture.attach(1);
        head.take(0, 8, 2);
        head.call(h -> h.device().fill(8 * BLOCK, 2 * BLOCK, (byte) 6));
        List<Long> before = fixture.lanes();
        assertEquals(Cause.ALREADY_ACCEPTED, cause(head.add(0, 4, 6)));
        assertEquals(before, fixture.lanes());
        head.add(0, 20, 2);
        before = fixture.lanes();
        assertEquals(Cause.STILL_PENDING, cause(head.add(0, 10, 2, 21, 2)));
        assertEquals(before, fixture.lanes());
        assertArrayEquals(filled((int) BLOCK, 6), head.read(9 * BLOCK, (int) BLOCK));
    }

    @Test
    void e11ShouldCheckEveryByteOfAccessesOfAnySize() {
        fixture.make(4, 2, 32);
        LocalHead owner = fixture.attach(0);
        LocalHead other = fixture.attach(1);
        owner.take(0, 1, 2);
        owner.take(1, 30, 2);
        other.take(0, 3, 1);
        long[][] allowed = {
            {BLOCK, 1}, {3 * BLOCK - 1, 1}, {2 * BLOCK - 1, 2}, {BLOCK, 2 * BLOCK}, {REGION_1 + 32 * BLOCK - 8, 8}
        };
        for (long[] access : allowed) {
            assertEquals(Optional.empty(), owner.call(h -> h.device().checkAccess(access[0], access[1])));
            assertFalse(other.call(h -> h.device().checkAccess(access[0], access[1]))
                    .isEmpty());
        }
        long[][] refused = {
            {BLOCK - 1, 1},
            {BLOCK - 1, 2},
            {3 * BLOCK - 1, 2},
            {3 * BLOCK, 1},
            {0, 1},
            {BLOCK, 2 * BLOCK + 1},
            {BLOCK, (1L << 32) + 1},
            {BLOCK, Long.MAX_VALUE},
            {BLOCK, -1},
            {BLOCK, -BLOCK},
            {-1, 1},
            {-1, 2},
            {Long.MIN_VALUE, 1},
            {32 * BLOCK, 1},
            {REGION_1 + 32 * BLOCK - 8, 9},
            {REGION_1 + 32 * BLOCK, 1},
            {REGION_1 + 30 * BLOCK - 1, 1},
            {BLOCK, 0}
        };
        for (long[] access : refused) {
            Optional<Refusal> refusal = owner.call(h -> h.device().checkAccess(access[0], access[1]));
            assertFalse(refusal.isEmpty(), Arrays.toString(access));
        }
        byte[] one = {9};
        assertEquals(Cause.ACCESS_INVALID, cause(other.call(h -> h.device().write(BLOCK, one, 0, 1))));
        assertEquals(0, owner.read(BLOCK, 1)[0]);
    }

    @Test
    void e12ShouldUseOneIndexSpaceForBlocksOfSeveralRegions() {
        // 33 blocks of 2 MiB: regions that are no multiple of 256 MiB, so that addresses and block numbers differ.
        Geometry geometry = fixture.make(4, 2, 33);
        LocalHead zero = fixture.attach(0);
        LocalHead one = fixture.attach(1);
        zero.take(0, 0, 33);
        one.take(1, 0, 33);
        assertEquals(
                List.of(32, 33),
                List.of(fixture.blocksOf(0).get(32), fixture.blocksOf(1).get(0)));
        zero.call(h -> h.device().fill(0, 33 * BLOCK, (byte) 1));
        one.call(h -> h.device().fill(REGION_1, 33 * BLOCK, (byte) 2));
        assertArrayEquals(filled((int) BLOCK, 1), zero.read(32 * BLOCK, (int) BLOCK));
        assertArrayEquals(filled((int) BLOCK, 2), one.read(REGION_1, (int) BLOCK));
        assertEquals(Cause.ACCESS_INVALID, cause(zero.call(h -> h.device().checkAccess(REGION_1, 1))));

        // Reclaim, release and forced removal find the blocks that reserve had taken.
        assertEquals(Optional.empty(), one.release(REGION_1 + 5 * BLOCK, 2 * BLOCK));
        assertEquals(0L, fixture.lanes().get(38));
        assertEquals(0L, fixture.lanes().get(39));
        zero.add(1, 5, 2);
        assertEquals(1L, fixture.lanes().get(38));
        zero.call(h -> h.device().capacity().addResponse(List.of(new HostRange(REGION_1 + 6 * BLOCK, BLOCK)), false));
        assertEquals(0L, fixture.lanes().get(38));
        assertEquals(1L, fixture.lanes().get(39));
        assertEquals(66, geometry.blockCount());
        assertEquals(31, fixture.blocksOf(1).size());
    }

    @Test
    void e13ShouldFreeBlocksWhenHostRejectsEverything() {
        fixture.make(4, 1, 16);
        LocalHead head = fixture.attach(0);
        LocalHead other = fixture.attach(1);
        HostDriver driver = new HostDriver(head.head.mailbox(), HostDriver.Mode.REJECT, (act, extents, code) -> {});
        head.add(0, 0, 8, 10, 2);
        assertEquals(10, fixture.blocksOf(0).size());
        head.call(h -> {
            driver.eventPending();
            return h;
        });
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(List.of(), head.head.device().capacity().pending());
        other.take(0, 0, 16);
    }

    @Test
    void e13ShouldLetGroupBeWithdrawnThatHostNeverAnswers() {
        fixture.make(4, 1, 16);
        LocalHead head = fixture.attach(0);
        head.add(0, 0, 8);
        assertEquals(
                Optional.empty(),
                head.call(h -> h.device()
                        .capacity()
                        .release(ReleaseRequest.prescriptive(0, DeviceFixture.ranges(0, 8))
                                .byForce(true))));
        assertEquals(List.of(), fixture.blocksOf(0));
        fixture.attach(1).take(0, 0, 8);
    }

    @Test
    void e14ShouldReclaimFromRegionOfEachGroup() {
        fixture.make(4, 3, 16);
        LocalHead head = fixture.attach(0);
        head.add(2, 10, 4);
        head.add(0, 0, 4);
        head.add(1, 5, 4, 12, 2);
        // In the order of the offers: a part of the first, nothing of the second, a part of the third.
        long region2 = 2 * REGION_1;
        head.call(h -> h.device().capacity().addResponse(List.of(new HostRange(region2 + 11 * BLOCK, BLOCK)), false));
        assertEquals(List.of(0, 1, 2, 3, 21, 22, 23, 24, 28, 29, 43), fixture.blocksOf(0));
        head.call(h -> h.device().capacity().addResponse(List.of(), false));
        assertEquals(List.of(21, 22, 23, 24, 28, 29, 43), fixture.blocksOf(0));
        head.call(h -> h.device()
                .capacity()
                .addResponse(
                        List.of(
                                new HostRange(REGION_1 + 13 * BLOCK, BLOCK),
                                new HostRange(REGION_1 + 5 * BLOCK, BLOCK)),
                        false));
        assertEquals(List.of(21, 29, 43), fixture.blocksOf(0));
    }

    // ---- e15 to e18

    @Test
    void e15ShouldNotUnlinkStateFileWhenHeadLeavesOrFailsToStart() throws IOException {
        fixture.make(4, 1, 16);
        LocalHead stays = fixture.attach(0);
        Object before = Files.readAttributes(fixture.files().stateFile(), "unix:dev,ino");
        Child leaves = fixture.startHead(1);
        leaves.take(0, 0, 4);
        Child fails =
                fixture.start(HeadChild.class, 1, fixture.files().stateFile().toString(), "1", "100", "manual");
        fails.awaitLine("refusal", line -> line.startsWith("unusable IN_USE"));
        assertEquals("ok", leaves.ask("leave"));
        leaves.exitCode();
        assertThrows(StateFileException.class, () -> fixture.make(4, 1, 16));

        assertEquals(before, Files.readAttributes(fixture.files().stateFile(), "unix:dev,ino"));
        LocalHead comes = fixture.attach(1);
        stays.take(0, 0, 4);
        assertEquals(Cause.OWNED_BY_OTHER_HEAD, cause(comes.add(0, 3, 2)), "both see one device");
    }

    @Test
    void e16ShouldClearListAndMapOnReset() {
        fixture.make(4, 1, 16);
        LocalHead head = fixture.attach(0);
        LocalHead other = fixture.attach(1);
        head.take(0, 0, 8);
        head.add(0, 8, 4);
        head.call(h -> {
            h.device().reset();
            h.mailbox().reset();
            return h;
        });
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(List.of(), head.head.device().capacity().accepted());
        assertEquals(List.of(), head.head.device().capacity().pending());
        assertEquals(Cause.ACCESS_INVALID, cause(head.call(h -> h.device().checkAccess(0, 1))));
        other.take(0, 0, 12);
        assertEquals(Cause.ACCESS_INVALID, cause(head.call(h -> h.device().checkAccess(0, 1))));
    }

    @Test
    void e17ShouldRefuseSecondProcessWithSameHead() {
        fixture.make(4, 1, 16);
        Child first = fixture.startHead(2);
        first.take(0, 0, 8);
        assertEquals("ok", first.ask("fill 0 4096 85"));
        Child second =
                fixture.start(HeadChild.class, 2, fixture.files().stateFile().toString(), "2", "100", "manual");
        assertEquals(
                "unusable IN_USE head is taken: head=2 pid=" + first.pid() + " file="
                        + fixture.files().stateFile(),
                second.awaitLine("refusal", line -> line.startsWith("unusable")));
        assertEquals(3, second.exitCode());
        assertEquals("all 85", first.ask("bytes 0 4096"));
        assertEquals(8, fixture.blocksOf(2).size());
    }

    @Test
    void e18ShouldTakeGeometryFromFileAndRefuseFilesOfOtherMaking() throws IOException {
        Geometry made = Geometry.of(12, 5 * 3 * 4096, 3, 4096);
        Device.initialise(fixture.files(), DeviceFixture.specification(made), 0);
        LocalHead head = fixture.attach(11);
        assertEquals(made, head.head.geometry());
        assertEquals(4096, head.head.device().capacity().regions().get(2).blockSizeBytes());
        head.close();

        byte[] good = Files.readAllBytes(fixture.files().stateFile());
        byte[] claimsMore = good.clone();
        claimsMore[64]++; // one more block, as a device of another size would have
        Files.write(fixture.files().stateFile(), claimsMore);
        assertEquals(
                Problem.DAMAGED,
                assertThrows(StateFileException.class, () -> fixture.attach(0)).problem());
        Files.write(fixture.files().stateFile(), Arrays.copyOf(good, good.length - 4096));
        StateFileException refusal = assertThrows(StateFileException.class, () -> fixture.attach(0));
        assertEquals(
                "wrong file length: met=" + (good.length - 4096) + " expected=" + good.length + " file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        // What the reference makes: counts, a small table, a byte for each block, no word of what it is.
        byte[] reference = new byte[1 << 20];
        reference[0] = 8;
        reference[1] = 8;
        Files.write(fixture.files().stateFile(), reference);
        assertEquals(
                Problem.FOREIGN,
                assertThrows(StateFileException.class, () -> fixture.attach(0)).problem());
        Files.write(fixture.files().stateFile(), good);
        LocalHead again = fixture.attach(0);
        assertEquals(
                Optional.empty(),
                again.call(h -> h.device().capacity().add(2, List.of(new Range(4 * 4096, 4096)), Extent.NO_TAG)));
        assertEquals(List.of(14), fixture.blocksOf(0));
    }

    // ---- e22 to e28

    @Test
    void e22ShouldTakeCapacityAwayFromHostByForce() {
        fixture.make(4, 1, 16);
        Child hung = fixture.startHead(0);
        hung.take(0, 0, 8);
        assertEquals("ok", hung.ask("add 0 8 2"));
        assertEquals("ok", hung.ask("force 0 4 6"));
        assertEquals(List.of(0, 1, 2, 3), fixture.blocksOf(0));
        assertTrue(hung.ask("bytes 8388608 1").startsWith("refused ACCESS_INVALID"));
        fixture.attach(1).take(0, 4, 12);
    }

    /** Invariant I4. */
    @Test
    void e24ShouldShareContentsButNeverShowThoseOfEarlierOwner() {
        fixture.make(4, 1, 16);
        Child first = fixture.startHead(0);
        LocalHead second = fixture.attach(1);
        String[] endings = {"release 0 8388608", "force 0 0 4", "reset"};
        for (String ending : endings) {
            first.take(0, 0, 4);
            assertEquals("ok", first.ask("fill 0 8388608 85"));
            assertEquals("ok", first.ask(ending));
            second.take(0, 0, 4);
            assertArrayEquals(new byte[(int) (4 * BLOCK)], second.read(0, (int) (4 * BLOCK)), ending);
            second.call(h -> h.device().fill(0, 4 * BLOCK, (byte) 0x33));
            second.release(0, 4 * BLOCK);
            // Offered and rejected: the bytes of the last owner are not to be seen by the next one either.
            assertEquals("ok", first.ask("add 0 0 4"));
            assertTrue(first.ask("bytes 0 1").startsWith("refused ACCESS_INVALID"), "offered is not accepted");
            assertEquals("ok", first.ask("accept"));
            assertEquals("all 0", first.ask("bytes 0 8388608"));
            assertEquals("ok", first.ask("reset"));
        }
        // One memory behind both heads: what the file holds is what the head wrote.
        first.take(0, 2, 1);
        assertEquals("ok", first.ask("fill 4194304 2097152 119"));
        assertEquals(0x77, mediaByte(4_194_304 + 12_345));
    }

    private int mediaByte(long offset) {
        try (RandomAccessFile media =
                new RandomAccessFile(fixture.files().mediaFile().toFile(), "r")) {
            media.seek(offset);
            return media.read();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void e25ShouldFreeBlocksOfCrashedHeadThoughItNeverComesBack() {
        fixture.make(4, 1, 16);
        LocalHead survivor = fixture.attach(3);
        Child crashes = fixture.startHead(0);
        crashes.take(0, 0, 16);
        crashes.kill();
        DeviceFixture.await(
                "reaping", DeviceFixture.PATIENCE_MS, () -> fixture.blocksOf(0).isEmpty());
        survivor.take(0, 0, 16);
    }

    @Test
    void e28ShouldKeepFilesFromOthersWhateverItsNameIs() throws IOException {
        fixture.make(4, 1, 16);
        fixture.attach(0);
        for (Path file : List.of(
                fixture.files().stateFile(),
                fixture.files().mediaFile(),
                fixture.files().lockFile())) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        }
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            assertEquals(
                    fixture.files().mediaFile().toString(), state.identity().mediaFile());
        }
    }
}

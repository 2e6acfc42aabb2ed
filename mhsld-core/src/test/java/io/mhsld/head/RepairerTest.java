package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.head.Repairer.Recovery;
import io.mhsld.head.Repairer.Remedy;
import io.mhsld.media.Media;
import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.PendingGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** What recover, and live heads by themselves, make of a state file that was damaged. */
@Tag("one-java")
@Timeout(120)
class RepairerTest {
    private static final long SEED = Long.getLong("mhsld.seed", 6L);
    private static final long BLOCK = DeviceFixture.BLOCK;
    private static final long PATIENCE_MS = DeviceFixture.PATIENCE_MS;
    private static final int ROW = 256;
    private static final int TABLE = 36_864;
    private static final int TAGS = 1_122_368;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /** Where the sections of this device are: see docs/state-file.md. */
    private record Places(int rows, int tables, int tags, int counters, int logs, int map, int end) {
        static Places of(MappedByteBuffer bytes) {
            return new Places(
                    (int) bytes.getLong(88),
                    (int) bytes.getLong(104),
                    (int) bytes.getLong(120),
                    (int) bytes.getLong(168),
                    (int) bytes.getLong(184),
                    (int) bytes.getLong(200),
                    bytes.capacity());
        }
    }

    private MappedByteBuffer map() throws IOException {
        try (FileChannel channel =
                FileChannel.open(fixture.files().stateFile(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            return bytes;
        }
    }

    // ---- without live heads

    /**
     * Every bit of what means something, and one bit of each eight bytes of the rest: afterwards the file is sound, and a second recover does not
     * change a byte of it.
     */
    @Test
    void shouldMakeFileSoundWhateverBitWasFlipped() throws IOException {
        Geometry geometry = fixture.make(2, 2, 21);
        Path stateFile = fixture.files().stateFile();
        try (StateFile state = StateFile.open(stateFile, StateFile.Access.READ_WRITE, 0);
                LeaseFile leases =
                        LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
                Media media = Media.open(fixture.files().mediaFile(), geometry.capacityBytes(), Media.Space.RESERVED)) {
            dieWithCapacity(state, leases, media);
            MappedByteBuffer bytes = map();
            byte[] whole = new byte[bytes.capacity()];
            bytes.get(0, whole);
            List<Integer> bits = bitsToFlip(Places.of(bytes));
            int repaired = 0;
            for (int bit : bits) {
                bytes.put(0, whole);
                bytes.put(bit / 8, (byte) (whole[bit / 8] ^ (1 << (bit % 8))));
                Repairer repairer = new Repairer(fixture.files(), state, leases, media);
                Recovery recovery = repairer.recover();
                String what = "bit " + bit % 8 + " of byte " + bit / 8 + " "
                        + recovery.before().findings();
                assertEquals(List.of(), recovery.after().findings(), what);
                assertEquals(List.of(), recovery.refused(), what);
                assertEquals(
                        recovery.before().findings().size(), recovery.repaired().size(), what);
                repaired += recovery.repaired().isEmpty() ? 0 : 1;
                assertEquals(42, recovery.after().freeBlocks(), what);
                byte[] once = new byte[whole.length];
                bytes.get(0, once);
                Recovery again = new Repairer(fixture.files(), state, leases, media).recover();
                byte[] twice = new byte[whole.length];
                bytes.get(0, twice);
                assertArrayEquals(once, twice, what);
                assertEquals(List.of(), again.repaired(), what);
                assertEquals(List.of(), again.before().notes(), what);
            }
            assertTrue(
                    bits.size() > 15_000 && repaired > bits.size() / 3,
                    "bits=" + bits.size() + " repaired=" + repaired);
        }
    }

    /** A head that died with three extents, one of them not answered. */
    private static void dieWithCapacity(StateFile state, Leases leases, Media media) {
        SharedCapacity capacity = new SharedCapacity(
                state, 0, media, leases, new Reaper(state, leases, media, Machine.REAL), Machine.REAL, line -> {});
        state.heads().startRelease(0, 4_000_000, 1, 1_700_000_000_000L);
        state.heads().serveRelease(0, "/dev/shm/x.head0.sock");
        List<Extent> accepted = List.of(Extent.untagged(0, 4 * BLOCK), Extent.untagged(10 * BLOCK, BLOCK));
        Extent offered = new Extent(state.geometry().regions().get(1).baseDpa(), 2 * BLOCK, new UUID(1, 2), 0);
        capacity.begin(ExtentJournal.Operation.ADD);
        assertEquals(Optional.empty(), capacity.reserve(accepted));
        assertEquals(Optional.empty(), capacity.reserve(List.of(offered)));
        capacity.accept(accepted);
        capacity.record(accepted, List.of(new PendingGroup(2, List.of(offered), List.of(offered))), 1);
        capacity.end();
    }

    private static List<Integer> bitsToFlip(Places places) {
        List<int[]> dense = List.of(
                new int[] {places.rows, 2 * ROW},
                new int[] {places.tables, 64 + 4 * 64},
                new int[] {places.tables + TABLE, 64 + 2 * 64},
                new int[] {places.counters, 2 * ROW},
                new int[] {places.logs, 64},
                new int[] {places.map, 64});
        Set<Integer> bytes = new HashSet<>();
        dense.forEach(part -> {
            for (int at = part[0]; at < part[0] + part[1]; at++) {
                bytes.add(at);
            }
        });
        List<Integer> bits = new ArrayList<>();
        bytes.forEach(at -> {
            for (int bit = 0; bit < 8; bit++) {
                bits.add(at * 8 + bit);
            }
        });
        SplittableRandom random = new SplittableRandom(SEED);
        for (int at = 1536; at + 16 <= places.end; at += at > places.tags && at < places.tags + TAGS ? 1024 : 32) {
            bits.add((at + random.nextInt(32)) * 8 + random.nextInt(8));
        }
        return bits;
    }

    @Test
    void shouldMakeFileOfGarbageSound() throws IOException {
        fixture.make(5, 2, 21);
        MappedByteBuffer bytes = map();
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 30; round++) {
            int every = 1 << random.nextInt(10);
            for (int at = 1536; at < bytes.capacity(); at++) {
                if (random.nextInt(every) == 0) {
                    bytes.put(at, (byte) random.nextInt());
                }
            }
            Recovery recovery = Device.recover(fixture.files(), 1_000);
            assertFalse(recovery.before().isSound());
            assertEquals(List.of(), recovery.after().findings(), "seed=" + SEED + " round=" + round);
            byte[] once = Files.readAllBytes(fixture.files().stateFile());
            Device.recover(fixture.files(), 1_000);
            assertArrayEquals(once, Files.readAllBytes(fixture.files().stateFile()), "seed=" + SEED);
        }
    }

    /** Freeing what the head left behind raises them by one; the first repair must leave nothing for a second. */
    @Test
    void shouldMakeNumbersAtTheEndOfTheirRangeSound() throws IOException {
        fixture.make(2, 1, 21);
        MappedByteBuffer bytes = map();
        Places places = Places.of(bytes);
        for (int at = 0; at < ROW; at++) {
            bytes.put(places.rows + at, (byte) -1);
            bytes.put(places.tables + TABLE + at, (byte) -1);
        }

        Recovery recovery = Device.recover(fixture.files(), 1_000);

        assertFalse(recovery.before().isSound());
        assertEquals(List.of(), recovery.after().findings());
        assertEquals(List.of(), Device.recover(fixture.files(), 1_000).repaired());
    }

    // ---- with live heads

    /** Whatever is damaged of what a live head says about itself, or of its blocks: nobody else gets them, and the head puts it right. */
    @Test
    void shouldNeverGrantWhatLiveHeadHasInItsExtentsWhateverBitWasFlipped() throws IOException {
        Geometry geometry = fixture.make(2, 1, 21);
        LocalHead live = fixture.attach(0);
        live.take(0, 2, 3);
        live.take(0, 9, 2);
        live.call(h -> h.device().fill(2 * BLOCK, 3 * BLOCK, (byte) 9));
        MappedByteBuffer bytes = map();
        byte[] whole = new byte[bytes.capacity()];
        Places places = Places.of(bytes);
        int flips = 0;
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
                LeaseFile leases =
                        LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
                Media media = Media.open(fixture.files().mediaFile(), geometry.capacityBytes(), Media.Space.RESERVED)) {
            Leases.Lease lease = leases.tryHead(1).orElseThrow();
            state.heads().startRelease(1, ProcessHandle.current().pid(), 1, 1);
            SharedCapacity other = new SharedCapacity(
                    state, 1, media, leases, new Reaper(state, leases, media, Machine.REAL), Machine.REAL, line -> {});
            bytes.get(0, whole);
            for (int bit : bitsOfLiveHead(places)) {
                int at = bit / 8;
                // On the head's own thread, so that it does not look at itself in between.
                boolean granted = live.call(h -> {
                    byte before = bytes.get(at);
                    bytes.put(at, (byte) (before ^ (1 << (bit % 8))));
                    boolean any = false;
                    for (int block : new int[] {2, 3, 4, 9, 10}) {
                        any |= other.reserve(List.of(Extent.untagged(block * BLOCK, BLOCK)))
                                .isEmpty();
                    }
                    bytes.put(at, (byte) (bytes.get(at) ^ (1 << (bit % 8))));
                    return any;
                });
                assertFalse(granted, "bit " + bit % 8 + " of byte " + at);
                flips++;
            }
            lease.release();
            state.heads().freeRelease(1);
            state.counters(1).resetRelease();
        }
        assertTrue(flips > 1_000, "flips=" + flips);
        byte[] read = live.read(3 * BLOCK, 100);
        byte[] expected = new byte[100];
        Arrays.fill(expected, (byte) 9);
        assertArrayEquals(expected, read);
    }

    private static List<Integer> bitsOfLiveHead(Places places) {
        List<Integer> bits = new ArrayList<>();
        for (int[] part : new int[][] {
            {places.rows, 24}, // the process is another matter: see below
            {places.rows + 40, ROW - 40},
            {places.counters, ROW},
            {places.map, 24}
        }) {
            for (int bit = part[0] * 8; bit < (part[0] + part[1]) * 8; bit++) {
                bits.add(bit);
            }
        }
        for (int entry = 0; entry < 2; entry++) {
            for (int bit = 0; bit < 44 * 8; bit++) {
                bits.add((places.tables + 64 + entry * 64) * 8 + bit);
            }
        }
        for (int bit = 0; bit < 16 * 8; bit++) {
            bits.add(places.tables * 8 + bit);
        }
        return bits;
    }

    @Test
    void shouldPutRightWhatIsWrongAboutItself() throws IOException {
        fixture.make(3, 1, 21);
        LocalHead live = fixture.attach(0);
        live.take(0, 2, 3);
        assertEquals(Optional.empty(), live.add(0, 12, 2));
        live.call(h -> {
            h.serve();
            return h;
        });
        MappedByteBuffer bytes = map();
        Places places = Places.of(bytes);
        byte[] whole = new byte[bytes.capacity()];
        bytes.get(0, whole);
        int[] damage = {
            places.rows + 5, // incarnation
            places.rows + 8, // operation
            places.rows + 16, // state
            places.rows + 24, // process
            places.rows + 45, // attached
            places.rows + 49, // length of the socket's path
            places.rows + 60, // its path
            places.tables, // sequence
            places.tables + 9, // count
            places.tables + 12, // generation
            places.tables + 64 + 3, // an extent
            places.tables + 64 + 20, // its tag
            places.counters, // blocks owned
            places.counters + 8, // extents held
            places.map + 3, // a block that it owns
            places.map + 7, // a block that it does not
        };
        for (int at : damage) {
            bytes.put(at, (byte) (bytes.get(at) ^ 1));
            // A row that says that nobody is it has to be told apart from one that starts: it is the head itself that
            // knows.
            DeviceFixture.await(
                    "byte " + at + " to be right: " + live.lines, PATIENCE_MS, () -> bytes.get(at) == whole[at]);
        }
        DeviceFixture.await(
                "sound", PATIENCE_MS, () -> Device.inspect(fixture.files()).isSound());
        assertEquals(List.of(2, 3, 4, 12, 13), fixture.blocksOf(0));
        assertTrue(
                live.lines.stream()
                                .filter(line -> line.startsWith("repaired own"))
                                .count()
                        >= 10,
                live.lines::toString);
    }

    @Test
    void shouldStoreNothingWhileNothingIsWrong() throws IOException {
        fixture.make(3, 1, 21);
        LocalHead live = fixture.attach(0);
        live.take(0, 2, 3);
        byte[] before = Files.readAllBytes(fixture.files().stateFile());
        DeviceFixture.pause(1_000);
        assertArrayEquals(before, Files.readAllBytes(fixture.files().stateFile()));
    }

    @Test
    void shouldLeaveToLiveHeadsWhatIsTheirsAndSayThatTheyRepairedIt() throws IOException {
        fixture.make(3, 1, 21);
        LocalHead live = fixture.attach(0);
        live.take(0, 2, 3);
        MappedByteBuffer bytes = map();
        Places places = Places.of(bytes);
        bytes.put(places.map + 3, (byte) 0b10); // head 1, whom nobody is, instead of head 0
        bytes.put(places.map + 4, (byte) 0b11); // both
        bytes.put(places.map + 15, (byte) 0b1); // in no extent
        bytes.put(places.rows + 25, (byte) 0x40);
        Recovery recovery = Device.recover(fixture.files(), 1_000);
        assertFalse(recovery.before().isSound());
        assertEquals(List.of(), recovery.after().findings());
        assertTrue(
                recovery.repaired().stream()
                        .anyMatch(remedy -> remedy.toString().contains("the head has put it right itself")),
                recovery.repaired().toString());
        assertEquals(List.of(2, 3, 4), fixture.blocksOf(0));
        assertEquals(List.of(), fixture.blocksOf(1));
    }

    /** 4 GiB in blocks of 4 KiB: advice to fence a head that is about to repair it would cost what the head holds. */
    @Test
    void shouldWaitUntilLiveHeadHasSeenAllOfLargeMap() throws IOException {
        Geometry geometry = Geometry.of(8, 4L << 30, 1, 4096);
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), PATIENCE_MS);
        LocalHead live = fixture.attach(1);
        MappedByteBuffer bytes = map();
        int at = Places.of(bytes).map + 900_000;
        for (int round = 0; round < 5; round++) {
            // Anywhere within the head's ticks.
            DeviceFixture.pause(83);
            bytes.put(at, (byte) 0b10);
            Recovery recovery = Device.recover(fixture.files(), 1_000);
            assertEquals(List.of(), recovery.refused());
            assertEquals(
                    List.of("the head has put it right itself"),
                    recovery.repaired().stream().map(Remedy::remedy).distinct().toList());
            assertEquals(0, bytes.get(at));
        }
        assertTrue(live.lines.toString().contains("block=900000 blocks=1"), live.lines::toString);
    }

    /** Other numbers than before are not a repair. */
    @Test
    void shouldNotSayOfOneThingThatItIsRepairedAndThatItIsNot() throws Exception {
        fixture.expectDamage();
        fixture.make(3, 1, 21);
        Child stopped = fixture.startHead(0);
        stopped.take(0, 2, 3);
        DeviceFixture.signal("STOP", stopped.pid());
        MappedByteBuffer bytes = map();
        Places places = Places.of(bytes);
        AtomicBoolean isOver = new AtomicBoolean();
        Thread other = new Thread(() -> {
            for (long count = 1000; !isOver.get(); count++) {
                bytes.putLong(places.counters, count);
                DeviceFixture.pause(1);
            }
        });
        other.start();
        DeviceFixture.await("a wrong number", PATIENCE_MS, () -> bytes.getLong(places.counters) >= 1000);
        Recovery recovery;
        try {
            recovery = Device.recover(fixture.files(), 1_000);
        } finally {
            isOver.set(true);
            other.join();
        }
        String cause = "counter and owner map disagree";
        assertEquals(List.of(), recovery.repaired());
        assertEquals(
                List.of(cause),
                recovery.refused().stream()
                        .map(remedy -> remedy.finding().cause())
                        .toList());
        assertNotEquals(
                recovery.before().findings().get(0), recovery.after().findings().get(0));
    }

    @Test
    void shouldNotClaimWhatSomebodyElseHasPutRight() throws Exception {
        Geometry geometry = fixture.make(3, 1, 21);
        Path media = fixture.files().mediaFile();
        Path aside = fixture.folder().resolve("aside");
        int reserved = 2_000;
        MappedByteBuffer bytes = map();
        bytes.put(reserved, (byte) 1);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0);
                LeaseFile leases =
                        LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
                Media open = Media.open(media, geometry.capacityBytes(), Media.Space.RESERVED)) {
            // Somebody lives, so that recover looks again.
            Leases.Lease lease = leases.tryHead(1).orElseThrow();
            Files.move(media, aside);
            CompletableFuture<Void> person = CompletableFuture.runAsync(() -> {
                DeviceFixture.await("recover to have looked", PATIENCE_MS, () -> bytes.get(reserved) == 0);
                try {
                    Files.move(aside, media);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            Recovery recovery = new Repairer(fixture.files(), state, leases, open).recover();
            person.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
            lease.release();
            assertEquals(
                    List.of(
                            "I7 reserved bytes are not zero: section=header bytes=1 offset=0x7d0 (made zero)",
                            "I7 media file missing: file=" + media
                                    + " (gone with the rest, or put right by somebody else)"),
                    recovery.repaired().stream().map(Remedy::toString).toList());
            assertEquals(List.of(), recovery.refused());
        }
    }

    /** Between a look and a compare-and-swap the head may die, be reaped, start again and win the block: only the head itself can tell. */
    @Test
    void shouldRefuseWhatStoppedHeadWouldHaveToRepairAndSayWhatHelps() throws IOException {
        fixture.expectDamage();
        fixture.make(3, 1, 21);
        Child stopped = fixture.startHead(0);
        stopped.take(0, 2, 3);
        DeviceFixture.signal("STOP", stopped.pid());
        MappedByteBuffer bytes = map();
        Places places = Places.of(bytes);
        bytes.put(places.map + 15, (byte) 0b1);
        Recovery recovery = Device.recover(fixture.files(), 1_000);
        assertEquals(List.of(), recovery.repaired());
        String expected = "I2 owned blocks in no extent: head=0 block=15 count=1 dpa=0x1e00000 offset=0x"
                + Integer.toHexString(places.map + 15)
                + " (it belongs to a live head, which has not put it right: mhsld fence --head 0 ends it and frees what"
                + " it holds)";
        assertTrue(
                recovery.refused().stream().anyMatch(remedy -> remedy.toString().equals(expected)),
                recovery.refused().toString());
        assertEquals(1, bytes.get(places.map + 15));
        DeviceFixture.signal("CONT", stopped.pid());
        DeviceFixture.await("repaired", PATIENCE_MS, () -> bytes.get(places.map + 15) == 0);
        assertTrue(Device.inspect(fixture.files()).isSound());
    }

    // ---- the lock file

    /** Without it no lease tells that the head lives, only its process does: until that has noticed, and ended, its blocks are its own. */
    @Test
    void shouldFreeNothingOfLiveHeadWhoseLockFileWasRemoved() throws IOException {
        fixture.expectDamage();
        fixture.make(3, 1, 21);
        Child child = fixture.startHead(0);
        child.take(0, 2, 3);
        DeviceFixture.signal("STOP", child.pid());
        Files.delete(fixture.files().lockFile());
        assertTrue(
                Device.inspect(fixture.files())
                        .findings()
                        .toString()
                        .contains("I5 lock file missing, and a head's process lives"),
                Device.inspect(fixture.files()).findings().toString());
        for (int i = 0; i < 2; i++) {
            Recovery recovery = Device.recover(fixture.files(), 1_000);
            assertEquals(
                    List.of("I6 its process lives and has no lease: head=0 pid=" + child.pid()),
                    recovery.after().findings().stream().map(Object::toString).toList());
            assertEquals(List.of(2, 3, 4), fixture.blocksOf(0));
            assertFalse(
                    recovery.after().notes().toString().contains("is dead"),
                    recovery.after().notes().toString());
        }
        LocalHead other = fixture.attach(1);
        assertTrue(other.add(0, 3, 1).isPresent());
        assertEquals(HeadTable.State.STARTING, other.head.state().heads().stateAcquire(1));
        assertThrowsInUse(() -> fixture.attach(0));
        assertThrowsInUse(() -> fixture.make(3, 1, 21));
        assertEquals(Optional.of(new Fence.Ended(child.pid(), true, List.of())), Device.fence(fixture.files(), 0));
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(0, other.head.state().counters(0).getAcquire(Counter.BLOCKS_OWNED));
    }

    private static void assertThrowsInUse(Executable act) {
        StateFileException refusal = assertThrows(StateFileException.class, act);
        assertEquals(Problem.IN_USE, refusal.problem(), refusal.getMessage());
    }
}

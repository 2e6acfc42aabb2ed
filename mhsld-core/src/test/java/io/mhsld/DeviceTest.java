package io.mhsld;

import static io.mhsld.DeviceFixture.BLOCK;
import static io.mhsld.DeviceFixture.MIB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Fence;
import io.mhsld.head.Head;
import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases;
import io.mhsld.head.Repairer;
import io.mhsld.state.Counter;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is done to a device as a whole: init, destroy, recover, fence, inspect. */
@Timeout(60)
class DeviceTest {
    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private static StateFileException refusal(Runnable act) {
        return assertThrows(StateFileException.class, act::run);
    }

    private List<String> filesLeft() throws IOException {
        try (Stream<Path> paths = Files.list(fixture.folder())) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static Object key(Path file) throws IOException {
        return Files.readAttributes(file, "unix:dev,ino");
    }

    // ---- init

    @Test
    void shouldMakeFilesForOwnerOnlyOrForGroup() throws IOException {
        Geometry geometry = Geometry.of(4, 8 * BLOCK, 1, BLOCK);
        for (boolean group : new boolean[] {false, true, false}) {
            Device.initialise(
                    fixture.files(), new Device.Specification(geometry, 7, group, Optional.empty(), group), 1_000);
            String mode = group ? "rw-rw----" : "rw-------";
            for (Path file :
                    List.of(fixture.files().stateFile(), fixture.files().mediaFile())) {
                assertEquals(mode, PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), file.toString());
            }
            if (group) {
                assertEquals(
                        mode,
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(fixture.files().lockFile())));
            }
            try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
                assertEquals(geometry, state.geometry());
                assertEquals(7, state.identity().serial());
                assertEquals(group, state.identity().sparseMedia());
                assertEquals(
                        fixture.files().mediaFile().toString(), state.identity().mediaFile());
            }
        }
        assertEquals(List.of("dev", "dev.lock", "dev.media", "dev.media.device"), filesLeft());
        assertEquals(8 * BLOCK, Files.size(fixture.files().mediaFile()));
    }

    @Test
    void shouldUseDefaultsOfReference() {
        Device.initialise(fixture.files(), Device.Specification.ofSize(64 * MIB), 1_000);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            assertEquals(Geometry.of(8, 64 * MIB, 1, 2 * MIB), state.geometry());
            assertEquals(66_667, state.identity().serial());
        }
    }

    @Test
    void shouldRefuseInitUnderLiveHeadsAndLeaveAllAsItWas() throws IOException {
        fixture.make(4, 1, 16);
        Child one = fixture.startHead(1);
        Child three = fixture.startHead(3);
        one.take(0, 0, 4);
        assertEquals("ok", one.ask("fill 0 4096 85"));
        byte[] before = Files.readAllBytes(fixture.files().stateFile());
        Object state = key(fixture.files().stateFile());
        Object media = key(fixture.files().mediaFile());

        StateFileException refusal = refusal(() -> fixture.make(8, 2, 8));

        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(
                "the device is in use by head 1 (pid " + one.pid() + "), head 3 (pid " + three.pid()
                        + "): nothing was changed file=" + fixture.files().stateFile(),
                refusal.getMessage());
        assertArrayEquals(before, Files.readAllBytes(fixture.files().stateFile()));
        assertEquals(state, key(fixture.files().stateFile()));
        assertEquals(media, key(fixture.files().mediaFile()));
        assertEquals("all 85", one.ask("bytes 0 4096"));
        assertEquals("ok", three.ask("add 0 4 4"), "and nobody is kept from working");
        assertFalse(Files.exists(fixture.files().unfinishedStateFile()));
    }

    @Test
    void shouldInitialiseLeftoverOfDeadHeadsAnew() throws IOException {
        fixture.make(4, 1, 16);
        Child child = fixture.startHead(2);
        child.take(0, 3, 5);
        assertEquals("ok", child.ask("fill 6291456 4096 85"));
        child.kill();
        Object before = key(fixture.files().stateFile());

        fixture.make(2, 2, 8);

        assertNotEquals(before, key(fixture.files().stateFile()));
        assertEquals(List.of(), fixture.blocksOf(0));
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 8);
        head.take(1, 0, 8);
        assertArrayEquals(new byte[4096], head.read(3 * BLOCK, 4096));
    }

    @Test
    void shouldWaitForOtherInitRecoverOrDestroy() throws Exception {
        fixture.make(2, 1, 4);
        LeaseFile leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        Leases.Lease other = leases.tryDevice().orElseThrow();
        for (Runnable act : List.<Runnable>of(
                () -> Device.initialise(fixture.files(), Device.Specification.ofSize(4 * MIB), 60),
                () -> Device.destroy(fixture.files(), 60),
                () -> Device.recover(fixture.files(), 60))) {
            long start = System.nanoTime();
            StateFileException refusal = refusal(act);
            assertEquals(Problem.IN_USE, refusal.problem());
            assertEquals(
                    "another init, destroy, recover or fence is at work: waitedMs=60 file="
                            + fixture.files().stateFile(),
                    refusal.getMessage());
            assertTrue(System.nanoTime() - start >= 60_000_000);
        }
        CompletableFuture<Void> init = CompletableFuture.runAsync(
                () -> Device.initialise(fixture.files(), Device.Specification.ofSize(4 * MIB), 10_000));
        DeviceFixture.pause(60);
        assertFalse(init.isDone());
        other.release();
        init.get(20, TimeUnit.SECONDS);
        leases.close();
    }

    /** Whoever waited for a destroy must not go on with the lock file that the destroy has removed. */
    @Test
    void shouldInitialiseAfterDestroyThatItWaitedFor() throws Exception {
        fixture.make(2, 1, 4);
        LeaseFile leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        Leases.Lease destroy = leases.tryDevice().orElseThrow();
        CompletableFuture<Void> init = CompletableFuture.runAsync(
                () -> Device.initialise(fixture.files(), Device.Specification.ofSize(4 * MIB), 10_000));
        DeviceFixture.pause(60);
        Files.delete(fixture.files().stateFile());
        leases.retire();
        destroy.release();
        init.get(20, TimeUnit.SECONDS);
        leases.close();

        assertTrue(Files.exists(fixture.files().lockFile()));
        fixture.attach(0).take(0, 0, 2);
        assertEquals(Problem.IN_USE, refusal(() -> fixture.make(2, 1, 4)).problem());
    }

    @Test
    void shouldNeitherReplaceNorRemoveForeignFileNorLeaveAnythingBesideIt() throws IOException {
        fixture.expectDamage();
        Files.writeString(fixture.files().stateFile(), "precious data of somebody");
        StateFileException refusal = refusal(() -> fixture.make(2, 1, 4));
        assertEquals(Problem.FOREIGN, refusal.problem());
        assertEquals(
                "not a state file, and init will not overwrite it: file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        refusal = refusal(() -> Device.destroy(fixture.files(), 0));
        assertEquals(Problem.FOREIGN, refusal.problem());
        assertEquals(
                "not a state file, and destroy will not remove it: file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        for (Runnable act : List.<Runnable>of(
                () -> Device.recover(fixture.files(), 0),
                () -> Device.fence(fixture.files(), 0),
                () -> Device.inspect(fixture.files()),
                () -> fixture.attach(0))) {
            assertEquals(Problem.FOREIGN, refusal(act).problem());
        }
        assertEquals(List.of("dev"), filesLeft());
        assertEquals(
                "precious data of somebody", Files.readString(fixture.files().stateFile()));
    }

    @Test
    void shouldRefuseMediaThatIsAnotherFileOfDevice() throws IOException {
        for (Path media : List.of(
                fixture.files().stateFile(),
                fixture.files().lockFile(),
                fixture.folder().resolve("x/../dev"),
                fixture.files().unfinishedStateFile())) {
            Exception refusal = assertThrows(
                    IllegalArgumentException.class,
                    () -> Device.initialise(
                            fixture.files(),
                            new Device.Specification(
                                    Geometry.of(2, 4 * MIB, 1, 2 * MIB), 1, false, Optional.of(media), false),
                            0));
            assertEquals("media file is another file of the device: file=" + media, refusal.getMessage());
        }
        assertEquals(List.of(), filesLeft());
    }

    @Test
    void shouldLeaveNothingBehindWhenInitFailsWithoutDeviceBefore() throws IOException {
        Path media = fixture.folder().resolve("none/media");
        Device.Specification impossible =
                new Device.Specification(Geometry.of(2, 8 * BLOCK, 1, BLOCK), 1, false, Optional.of(media), false);
        String message =
                refusal(() -> Device.initialise(fixture.files(), impossible, 0)).getMessage();
        assertTrue(message.startsWith("media file cannot be bound to the device: reason="), message);
        assertEquals(List.of(), filesLeft());
        fixture.make(2, 1, 4);
        fixture.attach(0).take(0, 0, 4);
    }

    @Test
    void shouldLeaveEarlierDeviceAsItWasWhenInitFails() throws IOException {
        fixture.make(2, 1, 16);
        byte[] state = Files.readAllBytes(fixture.files().stateFile());
        Object media = key(fixture.files().mediaFile());
        Device.Specification impossible = new Device.Specification(
                Geometry.of(2, 8 * BLOCK, 1, BLOCK),
                1,
                false,
                Optional.of(fixture.folder().resolve("none/media")),
                false);
        refusal(() -> Device.initialise(fixture.files(), impossible, 0));
        assertEquals(List.of("dev", "dev.lock", "dev.media", "dev.media.device"), filesLeft());
        assertArrayEquals(state, Files.readAllBytes(fixture.files().stateFile()));
        assertEquals(media, key(fixture.files().mediaFile()));
        fixture.attach(0).take(0, 0, 16);
    }

    @Test
    void shouldLeaveEarlierDeviceAsItWasWhenFileSystemIsFull() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may mount a small file system");
        Path mount = Files.createDirectory(fixture.folder().resolve("small"));
        assumeTrue(
                new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount.toString())
                                .start()
                                .waitFor()
                        == 0,
                "no mounting here");
        try {
            DeviceFiles files = DeviceFiles.named(mount.resolve("dev").toString());
            Device.Specification small = DeviceFixture.specification(Geometry.of(8, 8 * BLOCK, 1, BLOCK));
            Device.Specification large = DeviceFixture.specification(Geometry.of(64, 8 * BLOCK, 1, BLOCK));
            assertEquals(
                    Problem.SYSTEM,
                    refusal(() -> Device.initialise(files, large, 0)).problem());
            try (Stream<Path> left = Files.list(mount)) {
                assertEquals(0, left.count());
            }
            Device.initialise(files, small, 0);
            Object media = key(files.mediaFile());
            String message = refusal(() -> Device.initialise(files, large, 0)).getMessage();
            assertTrue(
                    message.startsWith("state file cannot be created: reason=\"No space left on device\" length="),
                    message);
            assertEquals(media, key(files.mediaFile()));
            try (EventLoop loop = EventLoop.open();
                    Head head = Device.attach(files, 7, loop, 0, line -> {})) {
                assertEquals(8, head.geometry().headCount());
            }
            assertTrue(Device.inspect(files).isSound());
        } finally {
            new ProcessBuilder("umount", mount.toString()).start().waitFor();
        }
    }

    @Test
    void shouldKeepMediaFileThatItWasGiven() throws IOException {
        Path media = fixture.folder().resolve("backend");
        byte[] old = new byte[(int) (10 * BLOCK)];
        Arrays.fill(old, (byte) 3);
        Files.write(media, old);
        Object before = key(media);
        Device.initialise(
                fixture.files(),
                new Device.Specification(Geometry.of(2, 8 * BLOCK, 1, BLOCK), 1, false, Optional.of(media), false),
                0);
        assertEquals(before, key(media));
        assertEquals(10 * BLOCK, Files.size(media), "never made shorter");
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 8);
        assertArrayEquals(new byte[(int) BLOCK], head.read(7 * BLOCK, (int) BLOCK));
        head.close();

        assertEquals(Optional.of(media), Device.destroy(fixture.files(), 0));
        assertEquals(List.of("backend"), filesLeft());
    }

    @Test
    void shouldRefuseMediaOfAnotherDeviceForAsLongAsThatDeviceIsThere() throws IOException {
        Path media = fixture.folder().resolve("backend");
        DeviceFiles other = DeviceFiles.named(fixture.folder().resolve("other").toString());
        Device.Specification specification =
                new Device.Specification(Geometry.of(2, 8 * BLOCK, 1, BLOCK), 1, false, Optional.of(media), false);
        Device.initialise(other, specification, 0);
        String refused = "media file belongs to another device: device=" + other.stateFile() + " media=" + media
                + " file=" + fixture.files().stateFile();

        // Not even while nobody is a head of the other one: its heads may come back.
        StateFileException refusal = refusal(() -> Device.initialise(fixture.files(), specification, 0));
        assertEquals(refused, refusal.getMessage());
        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(List.of("backend", "backend.device", "other", "other.lock"), filesLeft());

        Device.destroy(other, 0);
        Device.initialise(fixture.files(), specification, 0);
        fixture.attach(0).take(0, 0, 8);
        assertEquals(
                Problem.IN_USE,
                refusal(() -> Device.initialise(other, specification, 0)).problem());
    }

    @Test
    void shouldRefuseMemoryThatBesideItsStateFileBelongsToAnotherDevice() {
        fixture.make(2, 1, 16);
        DeviceFiles other = DeviceFiles.named(fixture.folder().resolve("other").toString());
        Device.Specification thief = new Device.Specification(
                Geometry.of(2, 8 * BLOCK, 1, BLOCK),
                1,
                false,
                Optional.of(fixture.files().mediaFile()),
                false);
        assertEquals(
                Problem.IN_USE,
                refusal(() -> Device.initialise(other, thief, 0)).problem());
    }

    @Test
    void shouldNotAttachWhenItsMemoryHasBecomeAnotherDevices() throws IOException {
        fixture.expectDamage();
        fixture.make(2, 1, 16);
        DeviceFiles other = DeviceFiles.named(fixture.folder().resolve("other").toString());
        Path media = fixture.files().mediaFile();
        Path note = media.resolveSibling(media.getFileName() + ".device");
        Files.delete(note);
        Device.initialise(
                other,
                new Device.Specification(Geometry.of(2, 16 * BLOCK, 1, BLOCK), 1, false, Optional.of(media), false),
                0);
        assertTrue(refusal(() -> fixture.attach(0))
                .getMessage()
                .startsWith("media file belongs to another device: device="));
        assertEquals(
                Problem.IN_USE,
                refusal(() -> Device.recover(fixture.files(), 0)).problem());
    }

    @Test
    void shouldNotOverwriteFileInThePlaceOfItsMemory() throws IOException {
        Files.writeString(fixture.files().mediaFile(), "somebody's");
        StateFileException refusal =
                refusal(() -> Device.initialise(fixture.files(), Device.Specification.ofSize(64 * MIB), 0));
        assertEquals(Problem.FOREIGN, refusal.problem());
        assertEquals("somebody's", Files.readString(fixture.files().mediaFile()));
        assertEquals(List.of("dev.media"), filesLeft());
    }

    @Test
    void shouldNotDestroyAnEmptyFile() throws IOException {
        fixture.expectDamage();
        Files.createFile(fixture.files().stateFile());
        Files.writeString(fixture.files().mediaFile(), "somebody's");
        assertEquals(
                Problem.FOREIGN,
                refusal(() -> Device.destroy(fixture.files(), 0)).problem());
        assertEquals(List.of("dev", "dev.media"), filesLeft());
    }

    @Test
    void shouldServe16TiBWithoutTakingThem() {
        assumeTrue(fixture.folder().startsWith("/dev/shm"), "ext4 has no files of 16 TiB");
        Geometry geometry = Geometry.of(8, 16L << 40, 8, BLOCK);
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 1_000);
        LocalHead head = fixture.attach(7);
        long last = (2L << 40) / BLOCK - 1;
        head.take(7, last, 1, 0, 1);
        long dpa = geometry.dpaOfBlock(geometry.blockCount() - 1);
        assertEquals(Optional.empty(), head.call(h -> h.device().fill(dpa, BLOCK, (byte) 0x11)));
        assertEquals(0x11, head.read(dpa + BLOCK - 1, 1)[0]);
        assertArrayEquals(new byte[4096], head.read(geometry.dpaOfBlock(7L << 20), 4096));
        assertTrue(head.call(h -> h.device().checkAccess(dpa + BLOCK, 1)).isPresent());
    }

    // ---- destroy

    @Test
    void shouldLeaveAFileAloneThatHasTheNameOfASocket() throws IOException {
        fixture.make(4, 1, 4);
        Path precious = Files.writeString(fixture.files().controlSocket(3), "precious");
        Path linked = fixture.folder().resolve("linked");
        leaveSocket(linked);
        Files.createSymbolicLink(fixture.files().controlSocket(2), linked);
        Files.createDirectory(fixture.files().controlSocket(1));
        Device.destroy(fixture.files(), 0);
        assertEquals("precious", Files.readString(precious));
        assertEquals(List.of("dev.head1.sock", "dev.head2.sock", "dev.head3.sock", "linked"), filesLeft());
    }

    @Test
    void shouldRemoveSocketsThatWereMovedAsideByProcessesThatDied() throws IOException {
        fixture.make(2, 1, 4);
        leaveSocket(fixture.files().controlSocket(1));
        leaveSocket(DeviceFiles.leftoverOf(fixture.files().controlSocket(0)));
        Path precious = Files.writeString(DeviceFiles.leftoverOf(fixture.files().controlSocket(1)), "precious");

        Device.destroy(fixture.files(), 0);

        assertEquals(List.of(precious.getFileName().toString()), filesLeft());
    }

    private static void leaveSocket(Path file) throws IOException {
        try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.bind(UnixDomainSocketAddress.of(file));
        }
    }

    @Test
    void shouldRemoveAllFilesOfDevice() throws IOException {
        fixture.make(4, 1, 4);
        Files.createFile(fixture.files().unfinishedStateFile());
        for (int head : new int[] {0, 3, 63}) {
            leaveSocket(fixture.files().controlSocket(head));
        }
        Files.createFile(fixture.folder().resolve(".dev.media.new"));
        Files.createFile(fixture.folder().resolve("dev.media.device.new"));
        Files.createFile(fixture.folder().resolve("dev.other"));
        assertEquals(Optional.empty(), Device.destroy(fixture.files(), 0));
        assertEquals(List.of("dev.other"), filesLeft());

        StateFileException refusal = refusal(() -> Device.destroy(fixture.files(), 0));
        assertEquals(Problem.MISSING, refusal.problem());
        assertEquals("no such state file: file=" + fixture.files().stateFile(), refusal.getMessage());
        assertEquals(List.of("dev.other"), filesLeft());
        fixture.make(2, 1, 4);
        fixture.attach(1).take(0, 0, 4);
    }

    @Test
    void shouldRefuseToDestroyUnderLiveHead() throws IOException {
        fixture.make(4, 1, 4);
        LocalHead head = fixture.attach(3);
        head.take(0, 1, 2);
        StateFileException refusal = refusal(() -> Device.destroy(fixture.files(), 0));
        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(
                "the device is in use by head 3 (pid " + ProcessHandle.current().pid() + "): nothing was changed file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        assertEquals(List.of(1, 2), fixture.blocksOf(3));
        head.close();
        Device.destroy(fixture.files(), 0);
        assertEquals(List.of(), filesLeft());
    }

    @Test
    void shouldDestroyWhatCannotBeReadAnyMore() throws IOException {
        fixture.make(4, 1, 4);
        try (RandomAccessFile file =
                new RandomAccessFile(fixture.files().stateFile().toFile(), "rw")) {
            file.setLength(5000);
        }
        assertEquals(Problem.DAMAGED, refusal(() -> fixture.attach(0)).problem());
        Device.destroy(fixture.files(), 0);
        assertEquals(List.of(), filesLeft());
    }

    @Test
    void shouldAttachToDeviceMadeAfterDestroy() throws Exception {
        fixture.make(2, 1, 4);
        Device.destroy(fixture.files(), 0);
        CompletableFuture<LocalHead> attached = CompletableFuture.supplyAsync(() -> fixture.attach(1));
        DeviceFixture.pause(60);
        assertFalse(attached.isDone());
        fixture.make(2, 1, 8);
        assertEquals(8, attached.get(20, TimeUnit.SECONDS).head.geometry().blockCount());
    }

    /** A head that waited for its lease while a destroy held it, and whose device is another one afterwards. */
    @Test
    void shouldNotAttachToDeviceThatWasDestroyedWhileItWaited() throws Exception {
        fixture.make(2, 1, 4);
        LeaseFile leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        Leases.Lease destroy = leases.tryHead(1).orElseThrow();
        CompletableFuture<LocalHead> attached = CompletableFuture.supplyAsync(() -> fixture.attach(1));
        DeviceFixture.pause(80);
        assertFalse(attached.isDone());
        Files.delete(fixture.files().stateFile());
        leases.retire();
        destroy.release();
        DeviceFixture.pause(30);
        fixture.make(2, 1, 8);
        assertEquals(8, attached.get(20, TimeUnit.SECONDS).head.geometry().blockCount());
        leases.close();
        assertArrayEquals(new boolean[] {false, true}, Device.liveHeads(fixture.files(), 2));
    }

    // ---- recover

    @Test
    void shouldRecoverWhatDeadHeadsLeftAndTouchNothingElse() throws IOException {
        fixture.make(4, 2, 16);
        Child dead = fixture.startHead(0);
        LocalHead live = fixture.attach(1);
        dead.take(0, 0, 5);
        dead.take(1, 10, 2);
        assertEquals("ok", dead.ask("add 1 0 3"), "offered, and never answered");
        live.take(0, 5, 5);
        live.call(h -> h.device().fill(5 * BLOCK, 100, (byte) 4));
        // The live head must not be quicker.
        DeviceFixture.await("lease", DeviceFixture.PATIENCE_MS, () -> Device.liveHeads(fixture.files(), 4)[0]);
        Repairer.Recovery recovery = live.call(h -> {
            dead.kill();
            return Device.recover(fixture.files(), 1_000);
        });

        assertArrayEquals(new long[] {10, 0, 0, 0}, recovery.freedBlocks());
        assertEquals(0, recovery.clearedBits());
        assertTrue(recovery.before().isSound());
        assertEquals(
                List.of("head is dead, the next claim or recover frees its blocks: head=0 blocks=10 pid=" + dead.pid()),
                recovery.before().notes());
        assertEquals(List.of(), recovery.after().notes());
        assertEquals(22 + 5, recovery.after().freeBlocks());
        assertEquals(List.of(5, 6, 7, 8, 9), fixture.blocksOf(1));
        assertEquals(4, live.read(5 * BLOCK, 1)[0]);

        Repairer.Recovery again = Device.recover(fixture.files(), 1_000);
        assertArrayEquals(new long[4], again.freedBlocks());
        assertEquals(List.of(), again.before().notes());
    }

    @Test
    void shouldRepairDamageThatBelongsToNobodyAlive() throws IOException {
        fixture.make(5, 1, 21);
        LocalHead live = fixture.attach(1);
        live.take(0, 0, 2);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.ownerMap().claim(0, 7, 3); // bits of a head that nobody is
            state.counters(2).setRelease(Counter.BLOCKS_OWNED, 9);
            state.heads().beginOperationRelease(3);
            state.heads().startRelease(4, 1, 1, 1);
        }
        long map = 0;
        try (RandomAccessFile file =
                new RandomAccessFile(fixture.files().stateFile().toFile(), "rw")) {
            file.seek(200);
            map = Long.reverseBytes(file.readLong());
            file.seek(map + 15);
            file.write(0xE0); // heads 5 to 7 do not exist
            file.seek(map + 21);
            file.write(0x01); // nor does block 21
        }
        assertFalse(Device.inspect(fixture.files()).isSound());

        Repairer.Recovery recovery = Device.recover(fixture.files(), 1_000);

        assertFalse(recovery.before().isSound());
        assertEquals(List.of(), recovery.after().findings());
        assertEquals(List.of(), recovery.after().notes());
        assertArrayEquals(new long[] {3, 0, 0, 0, 0}, recovery.freedBlocks());
        assertEquals(4, recovery.clearedBits());
        assertEquals(List.of(0, 1), fixture.blocksOf(1));
        assertEquals(19, recovery.after().freeBlocks());
        Repairer.Recovery again = Device.recover(fixture.files(), 1_000);
        assertArrayEquals(new long[5], again.freedBlocks());
        assertEquals(0, again.clearedBits());
        assertTrue(again.before().isSound());
    }

    @Test
    void shouldRefuseToRecoverWhatIsNotThere() throws IOException {
        assertEquals(
                Problem.MISSING,
                refusal(() -> Device.recover(fixture.files(), 0)).problem());
        assertEquals(
                Problem.MISSING, refusal(() -> Device.fence(fixture.files(), 0)).problem());
        assertEquals(
                Problem.MISSING, refusal(() -> Device.inspect(fixture.files())).problem());
        assertEquals(List.of(), filesLeft());
    }

    // ---- fence

    @Test
    void shouldFenceHeadEvenWhenItIsStopped() throws IOException {
        fixture.make(4, 1, 16);
        Child child = fixture.startHead(2);
        child.take(0, 4, 4);
        assertEquals("ok", child.ask("fill 8388608 4096 85"));
        DeviceFixture.signal("STOP", child.pid());
        assertTrue(Device.liveHeads(fixture.files(), 4)[2]);

        assertEquals(Optional.of(new Fence.Ended(child.pid(), true, List.of())), Device.fence(fixture.files(), 2));

        assertEquals(137, child.exitCode());
        assertArrayEquals(new boolean[4], Device.liveHeads(fixture.files(), 4));
        assertEquals(List.of(), fixture.blocksOf(2));
        LocalHead next = fixture.attach(1);
        next.take(0, 4, 4);
        assertArrayEquals(new byte[4096], next.read(8_388_608, 4096));
        assertEquals(Optional.empty(), Device.fence(fixture.files(), 2), "a second time nobody is there");
    }

    @Test
    void shouldFreeWhatDeadHeadLeftWhenFenced() {
        fixture.make(4, 1, 16);
        Child child = fixture.startHead(0);
        child.take(0, 0, 16);
        child.kill();
        assertEquals(Optional.empty(), Device.fence(fixture.files(), 0));
        assertEquals(List.of(), fixture.blocksOf(0));
    }

    @Test
    void shouldRefuseToFenceItsOwnProcess() {
        fixture.make(4, 1, 16);
        LeaseFile leases = LeaseFile.openExisting(fixture.files().lockFile()).orElseThrow();
        Leases.Lease lease = leases.tryHead(3).orElseThrow();
        StateFileException refusal = refusal(() -> Device.fence(fixture.files(), 3));
        assertEquals(Problem.IN_USE, refusal.problem());
        assertEquals(
                "this process itself has the lease of the head: head=3 pid="
                        + ProcessHandle.current().pid() + " file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        lease.release();
        leases.close();

        LocalHead head = fixture.attach(3);
        head.take(0, 0, 1);
        refusal = refusal(() -> Device.fence(fixture.files(), 3));
        assertEquals(
                "this process itself is the head: head=3 pid="
                        + ProcessHandle.current().pid() + " file="
                        + fixture.files().stateFile(),
                refusal.getMessage());
        assertEquals(List.of(0), fixture.blocksOf(3));
        assertEquals(
                "no such head: head=4 heads=4",
                assertThrows(IllegalArgumentException.class, () -> Device.fence(fixture.files(), 4))
                        .getMessage());
    }

    // ---- looking

    @Test
    void shouldLookWithoutChangingAnything() throws IOException {
        fixture.make(4, 1, 16);
        Child child = fixture.startHead(0);
        child.take(0, 0, 3);
        byte[] before = Files.readAllBytes(fixture.files().stateFile());
        for (int i = 0; i < 20; i++) {
            assertArrayEquals(
                    new long[] {3, 0, 0, 0}, Device.inspect(fixture.files()).ownedBlocks());
            assertArrayEquals(new boolean[] {true, false, false, false}, Device.liveHeads(fixture.files(), 4));
        }
        assertArrayEquals(before, Files.readAllBytes(fixture.files().stateFile()));
        Files.delete(fixture.files().lockFile());
        assertArrayEquals(new boolean[4], Device.liveHeads(fixture.files(), 4));
        assertFalse(Files.exists(fixture.files().lockFile()));
        child.kill();
        Device.recover(fixture.files(), 0);
        try (StateFile state = StateFile.open(fixture.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            assertEquals(HeadTable.State.FREE, state.heads().stateAcquire(0));
        }
    }
}

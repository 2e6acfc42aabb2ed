package io.mhsld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mhsld.head.EventLoop;
import io.mhsld.head.Fence;
import io.mhsld.head.LeaseFile;
import io.mhsld.media.MediaException;
import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** What stands already under a name that a device uses is never followed, overwritten or relied on, unless it is ours. */
@Timeout(60)
class ForeignFilesTest {
    private static final int ROOT = 0;
    private static final int NOBODY = 65_534;
    private static final Geometry GEOMETRY = Geometry.of(2, 4 * DeviceFixture.BLOCK, 1, DeviceFixture.BLOCK);

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private Path state;
    private Path media;
    private Path lock;
    private Path note;
    private Path victim;

    @BeforeEach
    void choose() throws IOException {
        state = fixture.files().stateFile();
        media = fixture.files().mediaFile();
        lock = fixture.files().lockFile();
        note = media.resolveSibling(media.getFileName() + ".device");
        victim = Files.writeString(fixture.folder().resolve("victim"), "precious");
    }

    private void initialise() {
        Device.initialise(fixture.files(), DeviceFixture.specification(GEOMETRY), 0);
    }

    private static Problem refused(Executable action) {
        RuntimeException refusal = assertThrows(RuntimeException.class, action);
        if (refusal instanceof MediaException) {
            return Problem.SYSTEM;
        }
        assertTrue(refusal instanceof StateFileException, refusal.toString());
        return ((StateFileException) refusal).problem();
    }

    /** Every file name that a device uses, or passes through. */
    private List<Path> names() {
        return List.of(
                state,
                lock,
                media,
                note,
                fixture.files().unfinishedStateFile(),
                media.resolveSibling("." + media.getFileName() + ".new"),
                note.resolveSibling(note.getFileName() + ".new"));
    }

    @Test
    void shouldFollowNoSymbolicLink() throws IOException {
        for (Path name : names()) {
            for (Path target : List.of(victim, fixture.folder().resolve("nothing"), fixture.folder())) {
                Files.createSymbolicLink(name, target);
                initialiseOrRefuse();
                assertEquals("precious", Files.readString(victim), name + " -> " + target);
                assertFalse(Files.exists(fixture.folder().resolve("nothing")), name + " -> " + target);
                clear();
            }
        }
    }

    @Test
    void shouldWriteThroughNoHardLink() throws IOException {
        for (Path name : names()) {
            Files.createLink(name, victim);
            initialiseOrRefuse();
            assertEquals("precious", Files.readString(victim), name.toString());
            clear();
        }
    }

    @Test
    void shouldWaitForNoPipe() throws Exception {
        for (Path name : names()) {
            assertEquals(
                    0, new ProcessBuilder("mkfifo", name.toString()).start().waitFor());
            initialiseOrRefuse();
            refusedOrSound();
            clear();
        }
    }

    @Test
    void shouldRefuseAFolderInTheWay() throws IOException {
        for (Path name : names()) {
            Files.createDirectory(name);
            Files.createFile(name.resolve("something"));
            refused(this::initialise);
            assertTrue(Files.exists(name.resolve("something")), name.toString());
            Files.delete(name.resolve("something"));
            clear();
        }
    }

    @Test
    void shouldRefuseAPlainFileThatIsNoDevices() throws IOException {
        for (Path name : List.of(state, media)) {
            Files.writeString(name, "precious");
            assertEquals(Problem.FOREIGN, refused(this::initialise));
            assertEquals("precious", Files.readString(name));
            assertEquals(List.of(name.getFileName().toString(), "victim"), left());
            clear();
        }
    }

    @Test
    void shouldReadNoEndlessNote() throws IOException {
        // Sparse, and longer than any memory.
        try (var file = new RandomAccessFile(note.toFile(), "rw")) {
            file.setLength(1L << 40);
        }
        initialiseOrRefuse();
        assertTrue(Files.size(note) < 1L << 40 || Files.notExists(state));
    }

    @Test
    void shouldOpenNoStateFileThroughALink() throws IOException {
        initialise();
        Path moved = Files.move(state, fixture.folder().resolve("moved"));
        Files.createSymbolicLink(state, moved);
        for (StateFile.Access access : StateFile.Access.values()) {
            StateFileException refusal = assertThrows(StateFileException.class, () -> StateFile.open(state, access, 0));
            assertEquals("not a state file but a symbolic link: file=" + state, refusal.getMessage());
        }
        Files.delete(state);
    }

    // ---- other users' files; only root can make them

    @Test
    void shouldKnowWhoItIs() throws IOException {
        Path own = Files.createFile(fixture.folder().resolve("own"));
        assertEquals(FileGuard.userId(), FileGuard.look(own).userId());
        assertEquals(FileGuard.userId(), (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    @Test
    void shouldRefuseMemoryThatTheOwnerOfTheStateFileDoesNotOwn() throws IOException {
        assumeTrue(FileGuard.userId() == ROOT, "only root can make files of two other users");
        Path precious = Files.writeString(fixture.folder().resolve("other.media"), "precious");
        try (var file = new RandomAccessFile(precious.toFile(), "rw")) {
            file.setLength(GEOMETRY.capacityBytes());
        }
        Device.initialise(
                fixture.files(), new Device.Specification(GEOMETRY, 1, false, Optional.of(precious), false), 0);
        // As the other user would have planted it: his state file, with leftovers to reap, and root's memory.
        try (StateFile open = StateFile.open(state, StateFile.Access.READ_WRITE, 0)) {
            open.ownerMap().claim(0, 0, GEOMETRY.blockCount());
        }
        try (var file = new RandomAccessFile(precious.toFile(), "rw")) {
            file.write("precious".getBytes(StandardCharsets.UTF_8));
        }
        Files.setAttribute(state, "unix:uid", NOBODY);
        fixture.expectDamage();

        String expected = "media file belongs to another user than the state file that names it: stateOwner=65534"
                + " mediaOwner=0 media=" + precious;
        StateFileException recovery = assertThrows(StateFileException.class, () -> Device.recover(fixture.files(), 0));
        assertTrue(recovery.getMessage().startsWith(expected), recovery.getMessage());
        StateFileException head = assertThrows(StateFileException.class, () -> {
            try (var loop = EventLoop.open()) {
                Device.attach(fixture.files(), 0, loop, 0, line -> {}).close();
            }
        });
        assertTrue(head.getMessage().startsWith(expected), head.getMessage());
        byte[] start = new byte[8];
        try (var in = Files.newInputStream(precious)) {
            assertEquals(8, in.read(start));
        }
        assertEquals("precious", new String(start, StandardCharsets.UTF_8));
    }

    @Test
    void shouldUseNoLockFileThatIsNoPlainOne() throws IOException {
        Files.createSymbolicLink(lock, victim);
        StateFileException refusal = assertThrows(
                StateFileException.class, () -> LeaseFile.open(lock, PosixFilePermissions.fromString("rw-rw-rw-")));
        assertEquals("not a lock file but a symbolic link: file=" + lock, refusal.getMessage());
        assertFalse(PosixFilePermissions.toString(Files.getPosixFilePermissions(victim))
                .endsWith("w-"));
    }

    @Test
    void shouldKillNobodyBecauseTheHeadTableSaysSo() throws IOException {
        initialise();
        DeviceFixture.Child head = fixture.startHead(1);
        // Or it would put its row right.
        DeviceFixture.signal("STOP", head.pid());
        Process victimProcess = new ProcessBuilder("sleep", "60").start();
        try (StateFile open = StateFile.open(state, StateFile.Access.READ_WRITE, 0)) {
            String stat = Files.readString(Path.of("/proc/" + victimProcess.pid() + "/stat"));
            long startTicks =
                    Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
            for (int forged = 0; forged < 2; forged++) {
                open.heads().startRelease(forged, victimProcess.pid(), startTicks, 0);
                open.heads().serveRelease(forged, "/nowhere.head" + forged + ".sock");
            }
            assertEquals(Optional.empty(), Device.fence(fixture.files(), 0));
            assertEquals(Optional.of(new Fence.Ended(head.pid(), false, List.of())), Device.fence(fixture.files(), 1));
            assertTrue(victimProcess.isAlive());
            assertEquals(137, head.exitCode());
        } finally {
            victimProcess.destroyForcibly();
        }
    }

    @Test
    void shouldChangeNoPermissionsOfAFileThatIsNotItsOwn() throws IOException {
        Files.createLink(lock, victim);
        Set<PosixFilePermission> before = PosixFilePermissions.fromString("rw-r-----");
        Files.setPosixFilePermissions(victim, before);
        LeaseFile.open(lock, PosixFilePermissions.fromString("rw-rw----")).close();
        assertEquals(before, Files.getPosixFilePermissions(victim), "under another name too");
        Files.delete(lock);
        assumeTrue(FileGuard.userId() == ROOT, "only root can make another user's file");
        Files.createFile(lock, PosixFilePermissions.asFileAttribute(before));
        Files.setAttribute(lock, "unix:uid", NOBODY);
        LeaseFile.open(lock, PosixFilePermissions.fromString("rw-rw----")).close();
        assertEquals(before, Files.getPosixFilePermissions(lock), "another user's");
    }

    // ---- parts

    private void initialiseOrRefuse() {
        try {
            initialise();
        } catch (StateFileException | MediaException e) {
            // Either is right: what matters is what is left.
        }
    }

    private void refusedOrSound() {
        try {
            assertTrue(Device.inspect(fixture.files()).isSound());
        } catch (StateFileException e) {
            // No device was made.
        }
    }

    private List<String> left() throws IOException {
        List<String> names = new ArrayList<>();
        try (var files = Files.list(fixture.folder())) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        }
        names.sort(null);
        return names;
    }

    private void clear() throws IOException {
        for (Path name : names()) {
            if (Files.isDirectory(name, LinkOption.NOFOLLOW_LINKS)) {
                try (var files = Files.list(name)) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
            }
            Files.deleteIfExists(name);
        }
    }
}

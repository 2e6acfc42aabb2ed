package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.head.Leases.Lease;
import io.mhsld.state.StateFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class LeaseFileTest {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private final List<LeaseFile> opened = new ArrayList<>();
    private Path file;

    @BeforeEach
    void nameFile() {
        file = fixture.files().lockFile();
    }

    @AfterEach
    void close() {
        opened.forEach(LeaseFile::close);
    }

    private LeaseFile open() {
        LeaseFile leases = LeaseFile.open(file, OWNER_ONLY);
        opened.add(leases);
        return leases;
    }

    private Child startHolder(String... heads) {
        List<String> arguments = new ArrayList<>(List.of(file.toString()));
        arguments.addAll(List.of(heads));
        Child holder = fixture.start(LeaseHolder.class, -1, arguments.toArray(String[]::new));
        holder.awaitLine("leases", line -> line.startsWith("holds"));
        return holder;
    }

    // ---- within the JVM

    @Test
    void shouldGiveEachLeaseToOneHolderWithinJvm() {
        LeaseFile leases = open();
        LeaseFile same = open();
        Lease lease = leases.tryHead(3).orElseThrow();
        assertTrue(lease.isHeld());
        for (LeaseFile any : List.of(leases, same)) {
            assertEquals(Optional.empty(), any.tryHead(3));
            assertTrue(any.isHeld(3));
            assertFalse(any.isHeld(2));
        }
        Lease neighbour = same.tryHead(4).orElseThrow();
        Lease device = same.tryDevice().orElseThrow();
        assertEquals(Optional.empty(), leases.tryDevice());

        lease.release();
        lease.release();
        assertFalse(lease.isHeld());
        assertFalse(same.isHeld(3));
        assertTrue(same.isHeld(4));
        same.tryHead(3).orElseThrow().release();
        neighbour.release();
        device.release();
        assertTrue(leases.tryDevice().isPresent());
    }

    @Test
    void shouldNotTakeLeaseByLooking() {
        LeaseFile leases = open();
        for (int i = 0; i < 100; i++) {
            assertFalse(leases.isHeld(5));
        }
        assertTrue(leases.tryHead(5).isPresent());
        assertTrue(leases.isHeld(5));
    }

    @Test
    void shouldOpenEachFileOnce() throws IOException {
        LeaseFile leases = open();
        assertSame(leases, open());
        assertSame(leases, LeaseFile.openExisting(file).orElseThrow());
        opened.add(leases);
        // By another path, too: closing a second channel would drop the leases of the first.
        Path elsewhere = fixture.folder().resolve("elsewhere");
        Files.createSymbolicLink(elsewhere, fixture.folder());
        LeaseFile same = LeaseFile.open(elsewhere.resolve(file.getFileName()), OWNER_ONLY);
        opened.add(same);
        assertSame(leases, same);
    }

    @Test
    void shouldHaveNoFileToOpenWhenNobodyMadeIt() {
        assertEquals(Optional.empty(), LeaseFile.openExisting(file));
        assertFalse(Files.exists(file));
    }

    @Test
    void shouldMakeFileWithPermissionsAskedForWhateverUmask() throws IOException {
        open();
        assertEquals(OWNER_ONLY, Files.getPosixFilePermissions(file));
        opened.remove(0).close();

        Set<PosixFilePermission> group = PosixFilePermissions.fromString("rw-rw----");
        opened.add(LeaseFile.open(file, group));
        assertEquals(group, Files.getPosixFilePermissions(file), "an older file is opened to the group");
        opened.add(LeaseFile.open(file, OWNER_ONLY));
        assertEquals(group, Files.getPosixFilePermissions(file), "and nobody is shut out");
        Files.delete(file);
        opened.add(LeaseFile.open(file, group));
        assertEquals(group, Files.getPosixFilePermissions(file));
    }

    @Test
    void shouldRefuseWhatIsNoFile() throws IOException {
        Path missing = fixture.folder().resolve("none/dev.lock");
        assertEquals(
                "lock file cannot be opened: reason=\"no such folder\" file=" + missing,
                assertThrows(StateFileException.class, () -> LeaseFile.open(missing, OWNER_ONLY))
                        .getMessage());
        Path victim = fixture.folder().resolve("victim");
        Files.createFile(victim);
        Files.createSymbolicLink(file, victim);
        String message = assertThrows(StateFileException.class, this::open).getMessage();
        assertTrue(message.startsWith("lock file cannot be opened: reason=\"not a regular file\""), message);
        Files.delete(file);
        Files.createDirectory(file);
        assertThrows(StateFileException.class, this::open);
    }

    @Test
    void shouldNotMindWhatStandsInFile() throws IOException {
        Files.writeString(file, "somebody wrote here");
        LeaseFile leases = open();
        assertTrue(leases.isInPlace());
        assertTrue(leases.tryHead(0).isPresent());
    }

    // ---- between processes

    @Test
    void shouldGiveEachLeaseToOneProcess() {
        LeaseFile leases = open();
        Lease mine = leases.tryHead(1).orElseThrow();
        Child holder = startHolder("1", "2", "3");

        assertEquals("holds - 2 3", holder.lines.get(0));
        assertTrue(leases.isHeld(1));
        assertTrue(leases.isHeld(2));
        assertEquals(Optional.empty(), leases.tryHead(2));
        assertFalse(leases.isHeld(4));
        assertTrue(mine.isHeld());

        holder.kill();
        assertFalse(leases.isHeld(2), "the kernel drops the leases of a killed process");
        assertTrue(leases.tryHead(2).isPresent());
        assertTrue(leases.tryHead(3).isPresent());
    }

    @Test
    void shouldKeepLeasesOfOtherHeadsOfThisJvmWhenOneCloses() {
        LeaseFile first = open();
        LeaseFile second = LeaseFile.open(file, OWNER_ONLY);
        LeaseFile looking = LeaseFile.openExisting(file).orElseThrow();
        assertTrue(first.tryHead(1).isPresent());
        Lease leaving = second.tryHead(2).orElseThrow();
        leaving.release();
        second.close();
        looking.isHeld(1);
        looking.close();

        Child holder = startHolder("1", "2");
        assertEquals("holds - 2", holder.lines.get(0));
    }

    @Test
    void shouldDropLeasesWithLastClose() {
        LeaseFile first = LeaseFile.open(file, OWNER_ONLY);
        LeaseFile second = LeaseFile.open(file, OWNER_ONLY);
        Lease lease = first.tryHead(1).orElseThrow();
        first.close();
        assertTrue(lease.isHeld());
        second.close();
        assertFalse(lease.isHeld());
        lease.release();
        assertEquals("holds 1", startHolder("1").lines.get(0));
    }

    @Test
    void shouldKeepLeasesOfThreadThatIsInterrupted() {
        LeaseFile leases = open();
        assertTrue(leases.tryHead(1).isPresent());
        Thread.currentThread().interrupt();
        try {
            assertTrue(leases.isInPlace());
            assertTrue(leases.isHeld(1));
            assertFalse(leases.isHeld(2));
            assertEquals(Optional.empty(), leases.tryHead(1));
            leases.tryHead(3).orElseThrow().release();
            LeaseFile again = LeaseFile.open(file, OWNER_ONLY);
            assertTrue(again.isInPlace());
            again.close();
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertTrue(leases.isInPlace());
        assertEquals("holds - 2 3", startHolder("1", "2", "3").lines.get(0));
    }

    // ---- removal

    @Test
    void shouldSeeThatRemovedFileIsWorthNothing() throws IOException {
        LeaseFile leases = open();
        Lease lease = leases.tryHead(1).orElseThrow();
        assertTrue(leases.isInPlace());
        leases.retire();
        assertFalse(Files.exists(file));
        assertFalse(leases.isInPlace());
        assertTrue(lease.isHeld(), "it still is a lock, of a file that nobody can open any more");

        LeaseFile next = open();
        assertNotSame(leases, next);
        assertTrue(next.isInPlace());
        assertFalse(next.isHeld(1));
        assertTrue(next.tryHead(1).isPresent());
        assertFalse(leases.isInPlace(), "another file of the name is not this one");

        Files.move(file, fixture.folder().resolve("away"));
        assertFalse(next.isInPlace());
        Files.move(fixture.folder().resolve("away"), file);
        assertTrue(next.isInPlace());
    }

    @Test
    void shouldRetireTwiceWithoutHarm() {
        LeaseFile leases = open();
        leases.retire();
        leases.retire();
        assertFalse(leases.isInPlace());
    }

    @Test
    void shouldKeepOneChannelOnly() throws IOException {
        for (int i = 0; i < 20; i++) {
            open();
        }
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            assertEquals(
                    1,
                    descriptors
                            .filter(descriptor -> {
                                try {
                                    return Files.readSymbolicLink(descriptor).equals(file);
                                } catch (IOException e) {
                                    return false;
                                }
                            })
                            .count());
        }
    }

    @Test
    void shouldLetOnlyOneOfManyThreadsIn() throws InterruptedException {
        LeaseFile leases = open();
        AtomicReference<Lease> held = new AtomicReference<>();
        AtomicReference<String> failure = new AtomicReference<>();
        int[] wins = new int[4];
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < wins.length; t++) {
            int number = t;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 5_000; i++) {
                    Optional<Lease> lease = leases.tryHead(7);
                    if (lease.isPresent()) {
                        if (!held.compareAndSet(null, lease.get())) {
                            failure.set("two holders");
                        }
                        wins[number]++;
                        held.set(null);
                        lease.get().release();
                    } else {
                        leases.isHeld(7);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, failure.get());
        assertTrue(wins[0] + wins[1] + wins[2] + wins[3] > 1_000);
        assertTrue(leases.tryHead(7).isPresent());
    }
}

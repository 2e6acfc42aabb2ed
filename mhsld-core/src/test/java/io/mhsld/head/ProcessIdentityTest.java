package io.mhsld.head;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProcessIdentityTest {
    private static String field(long pid, int number) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[number - 3];
    }

    private static ProcessIdentity identity(long pid) throws IOException {
        return new ProcessIdentity(pid, Long.parseLong(field(pid, 22)));
    }

    @Test
    void shouldKnowThisProcess() throws IOException {
        ProcessIdentity current = ProcessIdentity.current();
        assertEquals(identity(ProcessHandle.current().pid()), current);
        assertTrue(current.isAlive());
    }

    @Test
    void shouldTellLiveFromDead() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        ProcessIdentity identity = identity(process.pid());
        assertTrue(identity.isAlive());
        DeviceFixture.signal("STOP", process.pid());
        assertTrue(identity.isAlive(), "a stopped process is alive");
        process.destroyForcibly().waitFor();
        assertFalse(identity.isAlive());
        assertFalse(new ProcessIdentity(identity.pid(), -1).isAlive(), "not even when nothing is known of its start");
    }

    @Test
    void shouldTellProcessFromLaterOneWithSameNumber() throws IOException {
        ProcessIdentity current = ProcessIdentity.current();
        assertFalse(new ProcessIdentity(current.pid(), current.startTicks() + 1).isAlive());
        assertFalse(new ProcessIdentity(current.pid(), 0).isAlive());
    }

    @Test
    void shouldNotTakeNumbersThatAreNoneForProcesses() {
        for (long pid : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40}) {
            assertFalse(new ProcessIdentity(pid, 0).isAlive());
            assertFalse(new ProcessIdentity(pid, -1).isAlive());
        }
    }

    @Test
    void shouldTakeZombieForDead() throws Exception {
        // The child of a process that never asks for it stays behind when it ends.
        Process parent = new ProcessBuilder("sh", "-c", "sleep 0.3 & echo $!; exec sleep 60").start();
        try (BufferedReader output = parent.inputReader(UTF_8)) {
            long child = Long.parseLong(output.readLine());
            ProcessIdentity identity = identity(child);
            assertTrue(identity.isAlive());
            DeviceFixture.await("zombie", 10_000, () -> {
                try {
                    return field(child, 3).equals("Z");
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertFalse(identity.isAlive());
        } finally {
            parent.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldReadNamesWithSpacesAndParentheses() throws Exception {
        Path folder = Files.createTempDirectory("mhsld-test-");
        Path strange = folder.resolve("a) Z 1 (b");
        Files.copy(Path.of("/bin/sleep").toRealPath(), strange);
        Process process = new ProcessBuilder(strange.toString(), "60").start();
        try {
            DeviceFixture.await("its own name", 20_000, () -> {
                try {
                    return Files.readString(Path.of("/proc/" + process.pid() + "/comm"))
                            .startsWith("a) Z");
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertTrue(identity(process.pid()).isAlive());
        } finally {
            process.destroyForcibly().waitFor();
            Files.delete(strange);
            Files.delete(folder);
        }
    }
}

package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MediaBindingTest {
    @TempDir
    Path folder;

    private Path note;
    private MediaBinding binding;

    @BeforeEach
    void name() {
        note = folder.resolve("memory.device");
        binding = new MediaBinding(
                folder.resolve("memory"),
                DeviceFiles.named(folder.resolve("pool").toString()));
    }

    @Test
    void shouldNotWaitForTheOtherEndOfAPipe() throws Exception {
        assertEquals(0, new ProcessBuilder("mkfifo", note.toString()).start().waitFor());

        assertTimeoutPreemptively(Duration.ofSeconds(10), this::shouldBeUnreadable);
    }

    @Test
    void shouldNotReadWhatIsTooLongForAPath() throws Exception {
        Files.write(note, new byte[(16 << 10) + 1]);

        shouldBeUnreadable();
    }

    @Test
    void shouldNotFollowALink() throws Exception {
        Files.createSymbolicLink(note, Files.writeString(folder.resolve("elsewhere"), "/some/device"));

        shouldBeUnreadable();
    }

    /** The folder of the other device was removed, and its name given to a file. */
    @Test
    void shouldTakeMemoryWhoseDeviceCannotBeThere() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "plain");
        for (String device : List.of("pool", "deep/pool")) {
            Files.writeString(note, file.resolve(device).toString());
            binding.requireOurs();
        }
        binding.bind(PosixFilePermissions.fromString("rw-------"));
        assertEquals(folder.resolve("pool").toString(), Files.readString(note));
    }

    /** A link that leads to itself: who knows what was behind it. */
    @Test
    void shouldNotTakeMemoryWhoseDeviceCannotBeSeen() throws Exception {
        Path loop = folder.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        Files.writeString(note, loop.resolve("pool").toString());

        assertEquals(
                Problem.IN_USE,
                assertThrows(StateFileException.class, binding::requireOurs).problem());
    }

    private void shouldBeUnreadable() {
        StateFileException refusal = assertThrows(StateFileException.class, binding::requireOurs);
        assertEquals(Problem.SYSTEM, refusal.problem());
        assertTrue(refusal.getMessage().startsWith("binding of the media file cannot be read: note=" + note));
    }
}

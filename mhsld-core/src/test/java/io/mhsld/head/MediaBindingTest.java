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
import java.time.Duration;
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

    private void shouldBeUnreadable() {
        StateFileException refusal = assertThrows(StateFileException.class, binding::requireOurs);
        assertEquals(Problem.SYSTEM, refusal.problem());
        assertTrue(refusal.getMessage().startsWith("binding of the media file cannot be read: note=" + note));
    }
}

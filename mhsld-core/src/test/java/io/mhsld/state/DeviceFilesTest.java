package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceFilesTest {
    @Test
    void shouldPutPlainNameIntoSharedMemory() {
        DeviceFiles files = DeviceFiles.named("mhd_metadata");
        assertEquals(Path.of("/dev/shm/mhd_metadata"), files.stateFile());
        assertEquals(Path.of("/dev/shm/mhd_metadata.lock"), files.lockFile());
        assertEquals(Path.of("/dev/shm/mhd_metadata.media"), files.mediaFile());
        assertEquals(Path.of("/dev/shm/mhd_metadata.new"), files.unfinishedStateFile());
        assertEquals(Path.of("/dev/shm/mhd_metadata.head63.sock"), files.controlSocket(63));
    }

    @Test
    void shouldTakeNameWithSlashAsPath() {
        assertEquals(
                Path.of("/srv/pool/a"), DeviceFiles.named("/srv/x/..//pool/./a").stateFile());
        assertEquals(Path.of("b").toAbsolutePath(), DeviceFiles.named("./b").stateFile());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ".", "..", "/", "a/", "/dev/shm/", "/..", "/.", "/a/..", "a\0b"})
    void shouldRefuseWhatIsNoFileName(String name) {
        Exception refusal = assertThrows(IllegalArgumentException.class, () -> DeviceFiles.named(name));
        assertEquals("not a name of a state file: name=\"" + name.replace('\0', '?') + "\"", refusal.getMessage());
    }

    /** The reference cut longer names off (reference defect e28). */
    @Test
    void shouldRefuseNameThatIsTooLongInsteadOfCuttingIt() {
        String longest = "n".repeat(94 - "/dev/shm/".length());
        DeviceFiles files = DeviceFiles.named(longest);
        assertEquals(106, files.controlSocket(63).toString().length());
        Exception refusal = assertThrows(IllegalArgumentException.class, () -> DeviceFiles.named(longest + "n"));
        assertEquals(
                "state file path too long for the sockets beside it: bytes=95 limit=94 file=/dev/shm/" + longest + "n",
                refusal.getMessage());
        assertTrue(DeviceFiles.named("ö".repeat(42)).stateFile().toString().endsWith("ö"));
        assertThrows(IllegalArgumentException.class, () -> DeviceFiles.named("ö".repeat(43)));
    }
}

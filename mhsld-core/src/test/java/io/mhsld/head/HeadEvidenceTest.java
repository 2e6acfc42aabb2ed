package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class HeadEvidenceTest {
    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    @BeforeEach
    void make() {
        fixture.make(3, 1, 16);
    }

    private StateFile open(StateFile.Access access) {
        return StateFile.open(fixture.files().stateFile(), access, 0);
    }

    @Test
    void shouldNotTakeForAHeadWhoOnlyLooks() {
        long self = ProcessHandle.current().pid();
        try (StateFile looking = open(StateFile.Access.READ_ONLY)) {
            assertFalse(HeadEvidence.isHead(self, looking, 0));
            StateFile changing = open(StateFile.Access.READ_WRITE);
            assertTrue(HeadEvidence.isHead(self, looking, 0));
            assertTrue(HeadEvidence.isHead(self, changing, 0));
            changing.close();
            assertFalse(HeadEvidence.isHead(self, looking, 0));
        }
    }

    @Test
    void shouldKnowAHeadByItsLeaseWhileThereIsOne() throws IOException {
        Child child = fixture.startHead(1);
        try (StateFile state = open(StateFile.Access.READ_ONLY)) {
            assertTrue(HeadEvidence.isHead(child.pid(), state, 1));
            assertFalse(HeadEvidence.isHead(child.pid(), state, 2), "it is another");
            DeviceFixture.signal("STOP", child.pid());
            Files.delete(fixture.files().lockFile());
            assertTrue(HeadEvidence.isHead(child.pid(), state, 1), "its lock file was removed");
            LeaseFile.open(
                            fixture.files().lockFile(),
                            Files.getPosixFilePermissions(fixture.files().stateFile()))
                    .close();
            assertTrue(HeadEvidence.isHead(child.pid(), state, 1), "and made anew");
            child.kill();
            assertFalse(HeadEvidence.isHead(child.pid(), state, 1));
        }
    }

    @Test
    void shouldTakeForNoHeadWhatUsesAnotherFileOfThatName() throws IOException {
        fixture.expectDamage();
        Child child = fixture.startHead(1);
        DeviceFixture.signal("STOP", child.pid());
        Files.delete(fixture.files().stateFile());
        Files.delete(fixture.files().lockFile());
        fixture.make(3, 1, 16);
        try (StateFile state = open(StateFile.Access.READ_ONLY)) {
            assertFalse(HeadEvidence.isHead(child.pid(), state, 1));
        }
    }
}

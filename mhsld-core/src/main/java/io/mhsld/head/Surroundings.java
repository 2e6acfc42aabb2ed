package io.mhsld.head;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Finding;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/** What must hold around a state file: the files beside it, and the processes that it names. It only looks. */
public final class Surroundings {
    private final DeviceFiles files;
    private final StateFile state;
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private Surroundings(DeviceFiles files, StateFile state) {
        this.files = files;
        this.state = state;
    }

    /**
     * Looks once.
     *
     * @param lives whether some process holds the lease of a head
     */
    public static Surroundings look(DeviceFiles files, StateFile state, IntPredicate lives) {
        Surroundings surroundings = new Surroundings(files, state);
        surroundings.lookAtMedia();
        surroundings.lookAtLockFile();
        for (int head = 0; head < state.geometry().headCount(); head++) {
            surroundings.lookAtProcess(state.heads().readAcquire(head), lives.test(head));
        }
        return surroundings;
    }

    /** What is wrong. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** What is not wrong and worth knowing. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /** I7: what the state file promises about the media file. */
    private void lookAtMedia() {
        Path media = Path.of(state.identity().mediaFile());
        long expected = state.geometry().capacityBytes();
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(media, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isRegularFile()) {
                foundMedia(
                        attributes.isSymbolicLink()
                                ? "media file is a symbolic link"
                                : "media file is not a regular file");
            } else if (attributes.size() < expected) {
                findings.add(Finding.of("I7", "media file too short")
                        .with("bytes", attributes.size())
                        .with("expected", expected)
                        .with("file", media));
            } else if (!Files.isReadable(media) || !Files.isWritable(media)) {
                foundMedia("media file may not be read and written");
            }
        } catch (NoSuchFileException e) {
            foundMedia("media file missing");
        } catch (IOException e) {
            foundMedia("media file cannot be looked at (" + e.getClass().getSimpleName() + ")");
        }
        lookAtBinding(media);
    }

    private void lookAtBinding(Path media) {
        MediaBinding binding = new MediaBinding(media, files);
        try {
            binding.requireOurs();
            if (!binding.isKnown()) {
                notes.add(
                        "nothing beside the media file says whose it is, so another init may take it: media=" + media);
            }
        } catch (StateFileException e) {
            foundMedia(
                    e.problem() == Problem.IN_USE
                            ? "media file belongs to another device"
                            : "binding of the media file cannot be read");
        }
    }

    private void foundMedia(String cause) {
        findings.add(Finding.of("I7", cause).with("file", media()));
    }

    private String media() {
        return state.identity().mediaFile();
    }

    /** I5: without its lock file nobody can tell whether a head lives, but by the process that its row names. */
    private void lookAtLockFile() {
        if (Files.exists(files.lockFile(), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        for (int head = 0; head < state.geometry().headCount(); head++) {
            Row row = state.heads().readAcquire(head);
            boolean isServed = row.state() != HeadTable.State.FREE
                    && Machine.REAL.canBeHead(ProcessIdentity.named(row), state, head);
            if (isServed) {
                findings.add(Finding.of("I5", "lock file missing, and a head's process lives")
                        .with("head", head)
                        .with("pid", row.pid())
                        .with("file", files.lockFile()));
            }
        }
    }

    private void lookAtProcess(Row row, boolean alive) {
        String who = ": head=" + row.head() + " pid=" + row.pid();
        if (alive && row.state() == HeadTable.State.FREE) {
            notes.add(
                    "somebody holds the lease of a head, and its row says that nobody is it: it starts, or the device is"
                            + " being made or removed" + who);
        }
        if (alive && row.state() == HeadTable.State.SERVING) {
            if (!ProcessIdentity.named(row).isAlive()) {
                notes.add("the process that the row names does not live here, and somebody holds the lease: it lives in"
                        + " another container, or the row is damaged" + who);
            }
            if (!exists(row.controlSocket())) {
                notes.add("the control socket of a live head is gone, so nobody can speak to it" + who + " socket="
                        + row.controlSocket());
            }
        }
    }

    private static boolean exists(String path) {
        try {
            return Files.exists(Path.of(path));
        } catch (IllegalArgumentException e) {
            // A path in a damaged row that is none.
            return false;
        }
    }

    /** What is wrong with a head that a process other than this one is, as {@link Reaper} judges that, and holds no lease for. */
    public static Optional<Finding> findUnleased(StateFile state, Row row) {
        return Reaper.isServedByAnother(state, row, Machine.REAL) ? Optional.of(unleased(row)) : Optional.empty();
    }

    /** I6: what the row says of a process that lives and holds no lease. */
    private static Finding unleased(Row row) {
        return Finding.of("I6", "its process lives and has no lease")
                .with("head", row.head())
                .with("pid", row.pid());
    }
}

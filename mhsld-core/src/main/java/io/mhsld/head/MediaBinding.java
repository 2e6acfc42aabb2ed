package io.mhsld.head;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/**
 * Says beside a media file whose memory it is, in a small file {@code MEDIA.device} that holds the path of the state file. Two devices on one media
 * file would hand out the same memory twice, each with a clear conscience; a command line that was copied is all it takes.
 */
public final class MediaBinding {
    /** No path is longer, whatever its characters. */
    private static final long MAX_NOTE_BYTES = 16 << 10;

    private final Path mediaFile;
    private final Path note;
    private final DeviceFiles files;

    /** The binding, present or to be made, of a media file to a device. */
    public MediaBinding(Path mediaFile, DeviceFiles files) {
        this.mediaFile = mediaFile;
        this.note = mediaFile.resolveSibling(mediaFile.getFileName() + ".device");
        this.files = files;
    }

    /** True when some device has, or had, this media file. */
    public boolean isKnown() {
        return Files.exists(note, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Makes the media file this device's, unless it is another one's.
     *
     * @throws StateFileException {@code IN_USE} naming the other device, {@code SYSTEM} when the system refuses
     */
    public void bind(Set<PosixFilePermission> permissions) {
        requireOurs();
        Path unfinished = note.resolveSibling(note.getFileName() + ".new");
        try {
            Files.deleteIfExists(unfinished);
            Files.createFile(unfinished, PosixFilePermissions.asFileAttribute(permissions));
            Files.setPosixFilePermissions(unfinished, permissions);
            Files.writeString(unfinished, files.stateFile().toString(), StandardOpenOption.WRITE);
            Files.move(unfinished, note, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failed("media file cannot be bound to the device", e);
        }
    }

    /**
     * Refuses a media file that another device has; one whose device is gone, or has moved to other memory, is nobody's.
     *
     * @throws StateFileException {@code IN_USE} naming the other device
     */
    public void requireOurs() {
        Optional<Path> other = boundTo().filter(device -> !device.equals(files.stateFile()));
        if (other.isPresent() && usesThisMedia(other.get())) {
            throw new StateFileException(
                    Problem.IN_USE,
                    "media file belongs to another device: device=" + other.get() + " media=" + mediaFile,
                    files.stateFile());
        }
    }

    /** Takes the binding away, if it is this device's. */
    public void unbind() {
        if (boundTo().filter(files.stateFile()::equals).isPresent()) {
            try {
                Files.deleteIfExists(note);
            } catch (IOException e) {
                throw failed("binding of the media file cannot be removed", e);
            }
        }
    }

    private Optional<Path> boundTo() {
        try {
            // Reading a pipe would wait for its other end.
            if (isKnown()
                    && (!Files.isRegularFile(note, LinkOption.NOFOLLOW_LINKS) || Files.size(note) > MAX_NOTE_BYTES)) {
                throw new IOException("not a file that a device has made");
            }
            return Optional.of(Path.of(Files.readString(note).strip()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            throw new StateFileException(
                    Problem.SYSTEM, "binding of the media file cannot be read: note=" + note, files.stateFile(), e);
        }
    }

    private boolean usesThisMedia(Path device) {
        try (StateFile state = StateFile.open(device, StateFile.Access.READ_ONLY, 0)) {
            return state.identity().mediaFile().equals(mediaFile.toString());
        } catch (StateFileException e) {
            // Whether somebody else's device still uses it cannot be seen; a missing or broken one does not.
            return e.problem() == Problem.SYSTEM;
        }
    }

    private StateFileException failed(String what, IOException e) {
        return new StateFileException(
                Problem.SYSTEM, what + ": reason=\"" + e.getMessage() + "\" media=" + mediaFile, files.stateFile(), e);
    }
}

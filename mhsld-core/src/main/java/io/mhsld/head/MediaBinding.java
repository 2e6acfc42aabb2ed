package io.mhsld.head;

import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileDescriptor;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/**
 * Says beside a media file whose memory it is, in a small file {@code MEDIA.device} that holds the path of the state file. Two devices on one media
 * file would hand out the same memory twice, each with a clear conscience; a command line that was copied is all it takes.
 */
public final class MediaBinding {
    private static final int ROOT = 0;

    /** PATH_MAX: what is longer is no path. */
    private static final int LONGEST_NOTE_BYTES = 4096;

    private static final String NOTE_SUFFIX = ".device";
    private static final String UNFINISHED_SUFFIX = ".new";

    private final Path mediaFile;
    private final Path note;
    private final DeviceFiles files;

    /** The binding, present or to be made, of a media file to a device. */
    public MediaBinding(Path mediaFile, DeviceFiles files) {
        this.mediaFile = mediaFile;
        this.note = mediaFile.resolveSibling(mediaFile.getFileName() + NOTE_SUFFIX);
        this.files = files;
    }

    /**
     * For a path that a person gives.
     *
     * @throws IllegalArgumentException when it is too long for a state file, or for the note beside it
     */
    public static void requirePath(Path mediaFile) {
        Path absolute = mediaFile.toAbsolutePath();
        int lengthBytes = absolute.toString().getBytes(StandardCharsets.UTF_8).length;
        if (lengthBytes > StateFileDescriptor.MAX_MEDIA_PATH_BYTES) {
            throw new IllegalArgumentException("media path too long: bytes=" + lengthBytes + " limit="
                    + StateFileDescriptor.MAX_MEDIA_PATH_BYTES + " media=" + absolute);
        }
        if (DeviceFiles.pathOf(absolute + NOTE_SUFFIX + UNFINISHED_SUFFIX).isEmpty()) {
            throw new IllegalArgumentException(
                    "name of the media file too long for the files beside it: media=" + absolute);
        }
    }

    /** True when some device has, or had, this media file. */
    public boolean isKnown() {
        return Files.exists(note, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Opens the memory of a device for a head or a repair.
     *
     * <p>It must be this device's, and belong to the user whose state file names it: a state file shared by one user could otherwise make another
     * one's process clear a file that only that process may write to. Root may name what it likes.
     *
     * @throws StateFileException {@code IN_USE} naming the other device, {@code FOREIGN} when it belongs to another user than the state file
     * @throws io.mhsld.media.MediaException when it cannot be opened
     */
    public static Media open(DeviceFiles files, StateFile state) {
        Path mediaFile = Path.of(state.identity().mediaFile());
        MediaBinding binding = new MediaBinding(mediaFile, files);
        binding.requireOurs();
        Media media = Media.open(
                mediaFile,
                state.geometry().capacityBytes(),
                state.identity().sparseMedia() ? Media.Space.SPARSE : Media.Space.RESERVED);
        boolean done = false;
        try {
            binding.requireSameOwner(media);
            done = true;
        } finally {
            if (!done) {
                media.close();
            }
        }
        return media;
    }

    private void requireSameOwner(Media media) {
        try {
            int stateOwner = FileGuard.look(files.stateFile()).userId();
            int mediaOwner = media.ownerId();
            if (stateOwner != mediaOwner && stateOwner != FileGuard.userId() && stateOwner != ROOT) {
                throw new StateFileException(
                        Problem.FOREIGN,
                        "media file belongs to another user than the state file that names it: stateOwner=" + stateOwner
                                + " mediaOwner=" + mediaOwner + " media=" + mediaFile,
                        files.stateFile());
            }
        } catch (IOException e) {
            throw failed("owner of the media file is not to be seen", e);
        }
    }

    /**
     * Makes the media file this device's, unless it is another one's.
     *
     * @throws StateFileException {@code IN_USE} naming the other device, {@code SYSTEM} when the system refuses
     */
    public void bind(Set<PosixFilePermission> permissions) {
        requireOurs();
        Path unfinished = unfinished();
        try {
            Files.deleteIfExists(unfinished);
            Files.createFile(unfinished, PosixFilePermissions.asFileAttribute(permissions));
            // Neither of the two follows what may have taken the name in the meantime.
            Files.getFileAttributeView(unfinished, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setPermissions(permissions);
            Files.write(
                    unfinished,
                    files.stateFile().toString().getBytes(StandardCharsets.UTF_8),
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
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
                Files.deleteIfExists(unfinished());
            } catch (IOException e) {
                throw failed("binding of the media file cannot be removed", e);
            }
        }
    }

    /** Read as what anybody may have put there: opening a pipe would wait for its other end, and a long file would fill the memory. */
    private Optional<Path> boundTo() {
        try {
            if (!FileGuard.look(note).isRegular()) {
                throw new IOException("not a plain file");
            }
            try (InputStream in = Files.newInputStream(note, LinkOption.NOFOLLOW_LINKS)) {
                String text = new String(in.readNBytes(LONGEST_NOTE_BYTES), StandardCharsets.UTF_8);
                // A path that nothing can have names no device, and who knows which one it named.
                return Optional.of(DeviceFiles.pathOf(text.strip()).orElseThrow(() -> new IOException("not a path")));
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new StateFileException(
                    Problem.SYSTEM, "binding of the media file cannot be read: note=" + note, files.stateFile(), e);
        }
    }

    private Path unfinished() {
        return note.resolveSibling(note.getFileName() + UNFINISHED_SUFFIX);
    }

    private boolean usesThisMedia(Path device) {
        try (StateFile state = StateFile.open(device, StateFile.Access.READ_ONLY, 0)) {
            return state.identity().mediaFile().equals(mediaFile.toString());
        } catch (StateFileException e) {
            // Whether somebody else's device still uses it cannot be seen; a missing or broken one does not.
            return e.problem() == Problem.SYSTEM && !leadsThroughPlainFile(device);
        }
    }

    /** Where a folder of the path is a file by now, nothing can be. The JDK tells that (ENOTDIR) by a text alone, in the user's language. */
    private static boolean leadsThroughPlainFile(Path device) {
        Path folder = device.getParent();
        while (folder != null && !Files.exists(folder)) {
            folder = folder.getParent();
        }
        return folder != null && Files.isRegularFile(folder);
    }

    private StateFileException failed(String what, IOException e) {
        return new StateFileException(
                Problem.SYSTEM, what + ": reason=\"" + e.getMessage() + "\" media=" + mediaFile, files.stateFile(), e);
    }
}

package io.mhsld.socket;

import io.mhsld.state.DeviceFiles;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;

/**
 * The file of a unix socket that is listened on: readable and writable for its owner only, in place of one that a dead process left behind,
 * but never in place of anything else.
 */
final class UnixSocketFile implements AutoCloseable {
    private static final int ATTEMPTS_LIMIT = 3;
    private static final int FILE_TYPE_MASK = 0170000;
    private static final int FILE_TYPE_SOCKET = 0140000;

    private final String protocol;
    private final Path file;
    private final ServerSocketChannel channel;
    private final Object fileKey;
    private final UserPrincipal owner;
    private boolean isShared;

    private UnixSocketFile(String protocol, Path file, ServerSocketChannel channel) throws IOException {
        this.protocol = protocol;
        this.file = file;
        this.channel = channel;
        this.fileKey = keyOf(file);
        this.owner = Files.getOwner(file, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Throws a {@link ListenException} that says why not: a live socket, another kind of file, no folder, no permission.
     *
     * @param protocol what the socket is for, as messages say it
     */
    static UnixSocketFile listen(String protocol, Path file) {
        try {
            for (int attempt = 0; attempt < ATTEMPTS_LIMIT; attempt++) {
                UnixSocketFile socket = tryToListen(protocol, file);
                if (socket != null) {
                    removeForgotten(protocol, file);
                    return socket;
                }
                try {
                    removeLeftover(protocol, file);
                } catch (NoSuchFileException e) {
                    // It went away by itself: good.
                }
            }
            throw new ListenException(protocol + " socket is being fought over by several processes: file=" + file);
        } catch (FileSystemException e) {
            String reason = e.getReason() != null ? e.getReason() : e.getClass().getSimpleName();
            throw new ListenException(protocol + " socket cannot be made: reason=" + reason + " file=" + file, e);
        } catch (IOException e) {
            throw new ListenException(
                    protocol + " socket cannot be made: reason=" + e.getMessage() + " file=" + file, e);
        }
    }

    /** What clients come in at. */
    ServerSocketChannel channel() {
        return channel;
    }

    /** Lets the members of a group connect too; with a {@link ListenException} when the system does not allow it. */
    void shareWith(GroupPrincipal group) {
        try {
            PosixFileAttributeView view =
                    Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
            if (!view.readAttributes().group().equals(group)) {
                view.setGroup(group);
            }
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
            isShared = true;
        } catch (IOException e) {
            throw new ListenException(
                    protocol + " socket cannot be opened to the group: group=" + group.getName() + " reason="
                            + e.getMessage() + " file=" + file,
                    e);
        }
    }

    /** Why a client that has connected is not served; empty when it is. */
    Optional<String> refusal(SocketChannel client) throws IOException {
        return isShared ? Optional.empty() : Peer.refusal(client, owner);
    }

    /** Stops listening, and removes the file unless somebody put another one there. */
    @Override
    public void close() throws IOException {
        channel.close();
        try {
            if (fileKey.equals(keyOf(file))) {
                Files.delete(file);
            }
        } catch (NoSuchFileException e) {
            // Somebody was faster.
        }
    }

    /** Null when there is a file of this name already. */
    private static UnixSocketFile tryToListen(String protocol, Path file) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(file));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            UnixSocketFile socket = new UnixSocketFile(protocol, file, channel);
            letGoOfTheEarly(channel);
            return socket;
        } catch (BindException e) {
            channel.close();
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return null;
            }
            throw e;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Whoever connected before the file had its permissions had only the umask against him. */
    private static void letGoOfTheEarly(ServerSocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        for (SocketChannel early = channel.accept(); early != null; early = channel.accept()) {
            early.close();
        }
    }

    private static void removeLeftover(String protocol, Path file) throws IOException {
        if (!isSocket(file)) {
            throw new ListenException(
                    protocol + " socket cannot be made, the file is there and is no socket: file=" + file);
        }
        refuseLive(protocol, file, file);
        // Between the question and the removal another process may have put its own socket there. So the file is moved
        // aside first, and asked again where nobody else exchanges it.
        Path aside = DeviceFiles.leftoverOf(file);
        if (!LocalAddress.fits(aside)) {
            aside = file;
        } else {
            requireRoomFor(protocol, aside, file);
            Files.move(file, aside);
        }
        try {
            refuseLive(protocol, aside, file);
        } catch (ListenException e) {
            if (!aside.equals(file) && !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                Files.move(aside, file);
            }
            throw e;
        }
        Files.deleteIfExists(aside);
    }

    /** Removes what a process that died in {@link #removeLeftover} has left, and nothing else. */
    private static void requireRoomFor(String protocol, Path aside, Path file) throws IOException {
        try {
            if (!isSocket(aside)) {
                throw new ListenException(
                        protocol + " socket of a dead process cannot be moved, the name is taken by a file that is"
                                + " no socket: taken=" + aside + " file=" + file);
            }
            refuseLive(protocol, aside, file);
            Files.deleteIfExists(aside);
        } catch (NoSuchFileException e) {
            // Nobody died there, as nearly always.
        }
    }

    /** The same where the name is not needed: what cannot be removed stays. */
    private static void removeForgotten(String protocol, Path file) {
        Path aside = DeviceFiles.leftoverOf(file);
        try {
            if (LocalAddress.fits(aside)) {
                requireRoomFor(protocol, aside, file);
            }
        } catch (IOException | ListenException e) {
            // It is somebody else's, alive, or no socket.
        }
    }

    private static void refuseLive(String protocol, Path at, Path file) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            // Without blocking: a stopped process with a full queue would hold us up otherwise, and is alive.
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(at));
        } catch (ConnectException e) {
            return;
        } catch (SocketException e) {
            if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
                return;
            }
            if (!Peer.isQueueFull(e)) {
                throw new ListenException(
                        protocol + " socket is there, and its owner cannot be asked: reason=" + e.getMessage()
                                + " file=" + file,
                        e);
            }
        }
        throw new ListenException(protocol + " socket is in use, a live process answers on it: file=" + file);
    }

    private static boolean isSocket(Path file) throws IOException {
        int mode = (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & FILE_TYPE_MASK) == FILE_TYPE_SOCKET;
    }

    private static Object keyOf(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }
}

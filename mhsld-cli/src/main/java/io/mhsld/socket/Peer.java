package io.mhsld.socket;

import io.mhsld.state.FileGuard;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jdk.net.ExtendedSocketOptions;

/**
 * Which user is at the other end of a connection on this machine. The protocols have no passwords, but the kernel tells whose each socket is: a unix socket
 * can be asked, and the other end of a TCP connection has a row of its own in {@code /proc/net/tcp} or {@code tcp6}.
 */
public final class Peer {
    private static final List<Path> TABLES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    private static final int ROOT = 0;

    /** Columns: number, local address, remote address, state, queues, timer, retransmits, user, timeout, inode. */
    private static final int LOCAL = 1;

    private static final int REMOTE = 2;
    private static final int USER = 7;
    private static final int INODE = 9;

    /** The inode of a socket that its process has closed, which is said to be root's. */
    private static final String CLOSED = "0";

    private static final int HEX = 16;
    private static final int WORD_DIGITS = 8;

    private Peer() {}

    /**
     * Why the client of a unix socket that is for its owner only is not served; empty when it is. The permissions of the file keep others out, but for
     * the moment in which it is made: then they are what the umask leaves.
     */
    static Optional<String> refusal(SocketChannel connection, UserPrincipal owner) throws IOException {
        UserPrincipal user =
                connection.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
        UserPrincipal root =
                FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(Integer.toString(ROOT));
        return user.equals(owner) || user.equals(root)
                ? Optional.empty()
                : Optional.of("client belongs to another user: user=" + user.getName());
    }

    /**
     * Why the client of a TCP connection is not served; empty when it is: it belongs to this process's user, or to root. Whose it was cannot be said
     * of one that has gone again, which is an {@code IOException}.
     */
    static Optional<String> refusal(SocketChannel connection) throws IOException {
        InetSocketAddress client = (InetSocketAddress) connection.getRemoteAddress();
        InetSocketAddress server = (InetSocketAddress) connection.getLocalAddress();
        for (Path table : TABLES) {
            try (Stream<String> rows = Files.lines(table)) {
                Optional<String[]> row = rows.skip(1)
                        .map(line -> line.trim().split("\\s+"))
                        .filter(words -> isConnection(words, client, server))
                        .findFirst();
                if (row.isPresent() && row.get()[INODE].equals(CLOSED)) {
                    throw new IOException("client has gone");
                }
                if (row.isPresent()) {
                    long user = Long.parseLong(row.get()[USER]);
                    return user == ROOT || user == FileGuard.userId()
                            ? Optional.empty()
                            : Optional.of("client belongs to another user: user=" + user);
                }
            } catch (NoSuchFileException e) {
                // A system without IPv6.
            }
        }
        return Optional.of("the system does not tell whose it is");
    }

    /** Whether connecting failed only because too many others are waiting to be accepted. The JDK tells it by the text alone. */
    public static boolean isQueueFull(IOException connecting) {
        return String.valueOf(connecting.getMessage()).contains("temporarily unavailable");
    }

    private static boolean isConnection(String[] words, InetSocketAddress client, InetSocketAddress server) {
        return words.length > INODE && isAddress(words[LOCAL], client) && isAddress(words[REMOTE], server);
    }

    private static boolean isAddress(String text, InetSocketAddress expected) {
        int colon = text.indexOf(':');
        if (colon < 0 || Integer.parseInt(text.substring(colon + 1), HEX) != expected.getPort()) {
            return false;
        }
        // 32 bits at a time, each as this machine stores a number.
        byte[] address = new byte[colon / 2];
        ByteBuffer words = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
        for (int at = 0; at + WORD_DIGITS <= colon; at += WORD_DIGITS) {
            words.putInt(Integer.parseUnsignedInt(text.substring(at, at + WORD_DIGITS), HEX));
        }
        try {
            // One that is IPv4 in the clothes of IPv6 comes out as IPv4.
            return Arrays.equals(
                    InetAddress.getByAddress(address).getAddress(),
                    expected.getAddress().getAddress());
        } catch (UnknownHostException e) {
            return false;
        }
    }
}

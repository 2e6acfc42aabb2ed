package io.mhsld.socket;

import io.mhsld.state.DeviceFiles;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where a server listens: a unix socket, or a TCP port on loopback, for no protocol here has passwords. Written as QEMU writes it,
 * {@code unix:PATH,server,nowait} or {@code tcp:HOST:PORT,server=on,wait=off}; a comma within the path is written twice.
 *
 * <p>"wait", which makes QEMU hold up the machine until a client is there, is accepted and has no effect: a head never waits.
 */
public final class LocalAddress {
    /** How many bytes the path of a unix socket may have. */
    public static final int UNIX_PATH_LENGTH_LIMIT = DeviceFiles.MAX_SOCKET_PATH_BYTES;

    private static final int PORT_LIMIT = 0xffff;

    private static final Set<String> WITHOUT_EFFECT = Set.of("wait", "delay", "ipv4", "ipv6", "tight", "keep-alive");

    /** What QEMU's sockets can be besides: harmless when switched off, refused otherwise. */
    private static final Set<String> UNSUPPORTED = Set.of(
            "abstract",
            "fd",
            "logappend",
            "logfile",
            "mux",
            "reconnect",
            "reconnect-ms",
            "telnet",
            "tls-authz",
            "tls-creds",
            "tn3270",
            "to",
            "websocket");

    /** What the JDK takes for a number without asking a name server; it would ask for 127.0.0.256. */
    private static final Pattern LITERAL =
            Pattern.compile("127(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*");

    private final Path file;
    private final InetSocketAddress inetAddress;

    private LocalAddress(Path file, InetSocketAddress inetAddress) {
        this.file = file;
        this.inetAddress = inetAddress;
    }

    /**
     * Where to listen. Throws an {@link IllegalArgumentException} for anything that is not served: other kinds of channel, client mode, hosts
     * that are not loopback, paths that are too long, options that do not exist or would need something that is not there.
     *
     * @param protocol what the address is for, as messages say it
     */
    public static LocalAddress parse(String protocol, String spelling) {
        return new Reader(protocol, true).address(spelling);
    }

    /** Where to connect to: the same, where "server" and the options may be left out. */
    public static LocalAddress parseClient(String protocol, String spelling) {
        return new Reader(protocol, false).address(spelling);
    }

    /** Where to listen, from options that were taken apart already: those of QEMU's {@code -chardev socket}. */
    public static LocalAddress of(String protocol, OptionText options) {
        return new Reader(protocol, true).address(options);
    }

    /** The unix socket of this file; an {@link IllegalArgumentException} when its path is longer than {@link #UNIX_PATH_LENGTH_LIMIT}. */
    public static LocalAddress unix(Path file) {
        if (!fits(file)) {
            throw new IllegalArgumentException("unix socket has " + tooLong(file) + " file=" + file);
        }
        return new LocalAddress(file, null);
    }

    /** Whether the path of a unix socket may be so long. */
    static boolean fits(Path file) {
        return lengthBytes(file) <= UNIX_PATH_LENGTH_LIMIT;
    }

    private static String tooLong(Path file) {
        return "a path that is too long: lengthBytes=" + lengthBytes(file) + " limitBytes=" + UNIX_PATH_LENGTH_LIMIT;
    }

    private static int lengthBytes(Path file) {
        return file.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    /** A TCP address. */
    public static LocalAddress tcp(InetSocketAddress address) {
        return new LocalAddress(null, address);
    }

    /** The file of a unix socket; empty for TCP. */
    public Optional<Path> file() {
        return Optional.ofNullable(file);
    }

    /** The address for the system. */
    public SocketAddress socketAddress() {
        return file != null ? UnixDomainSocketAddress.of(file) : inetAddress;
    }

    /** Equal addresses lead to the same place. */
    @Override
    public boolean equals(Object other) {
        return other instanceof LocalAddress && toString().equals(other.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** The short form that a client is given, which {@link #parseClient} reads again: {@code unix:PATH} or {@code tcp:HOST:PORT}. */
    @Override
    public String toString() {
        if (file != null) {
            String path = file.toString().replace(",", ",,");
            boolean beginsLikeAnOption = path.matches("(?s)[A-Za-z0-9_][A-Za-z0-9_.-]*=.*");
            return "unix:" + (beginsLikeAnOption ? "path=" : "") + path;
        }
        String host = inetAddress.getAddress().getHostAddress();
        return "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + inetAddress.getPort();
    }

    /** Reads addresses that people write. */
    private record Reader(String protocol, boolean isServer) {
        LocalAddress address(OptionText options) {
            if (options.has("path")) {
                return unix(options);
            }
            if (!options.has("port")) {
                throw refused("has neither path nor port", options.toString());
            }
            String host = options.has("host") ? options.text("host") : "";
            return tcp(host, options.text("port"), options);
        }

        LocalAddress address(String spelling) {
            if (spelling.startsWith("unix:")) {
                return unix(properties(spelling.substring("unix:".length()), "path", spelling));
            }
            if (spelling.startsWith("tcp:")) {
                String rest = spelling.substring("tcp:".length());
                int comma = rest.indexOf(',');
                String hostAndPort = comma < 0 ? rest : rest.substring(0, comma);
                OptionText options = properties(comma < 0 ? "" : rest.substring(comma + 1), null, spelling);
                int colon = hostAndPort.lastIndexOf(':');
                if (colon < 0) {
                    throw refused("has no port", spelling);
                }
                return tcp(hostAndPort.substring(0, colon), hostAndPort.substring(colon + 1), options);
            }
            throw refused("is neither unix:PATH,server,nowait nor tcp:HOST:PORT,server,nowait", spelling);
        }

        private OptionText properties(String options, String impliedName, String spelling) {
            try {
                return OptionText.parse(options, impliedName).writtenAs(spelling);
            } catch (IllegalArgumentException e) {
                throw refused("is malformed, " + e.getMessage(), spelling);
            }
        }

        private LocalAddress unix(OptionText options) {
            checkOptions(options, Set.of("path"));
            String path = options.text("path");
            if (path == null || path.isEmpty()) {
                throw refused("has no path", options.toString());
            }
            Path file;
            try {
                file = Path.of(path);
            } catch (InvalidPathException e) {
                throw refused("has a malformed path", options.toString());
            }
            if (!fits(file)) {
                throw refused("has " + tooLong(file), options.toString());
            }
            return LocalAddress.unix(file);
        }

        private LocalAddress tcp(String host, String port, OptionText options) {
            checkOptions(options, Set.of("host", "port"));
            if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > PORT_LIMIT) {
                throw refused("has a malformed port, which is 0 to 65535: port=" + port, options.toString());
            }
            return LocalAddress.tcp(new InetSocketAddress(loopback(host, options), Integer.parseInt(port)));
        }

        /** No name is looked up: what a name server answers is no reason to open a port to others. */
        private InetAddress loopback(String host, OptionText options) {
            String literal = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
            if (literal.isEmpty() || literal.equals("localhost")) {
                literal = flag(options, "ipv4", !flag(options, "ipv6", false)) ? "127.0.0.1" : "::1";
            }
            if (LITERAL.matcher(literal).matches()) {
                try {
                    InetAddress address = InetAddress.getByName(literal);
                    if (address.isLoopbackAddress()) {
                        return address;
                    }
                } catch (UnknownHostException e) {
                    // Not an address after all: refused below.
                }
            }
            throw refused(
                    "is not on loopback (127.0.0.1, localhost, [::1]), and " + protocol + " has no passwords: host="
                            + host,
                    options.toString());
        }

        private void checkOptions(OptionText options, Set<String> own) {
            String spelling = options.toString();
            for (String name : options.names()) {
                if (UNSUPPORTED.contains(name)) {
                    if (!"off".equals(options.text(name))) {
                        throw refused("has an option that is not supported: option=" + name, spelling);
                    }
                } else if (!own.contains(name) && !name.equals("server") && !WITHOUT_EFFECT.contains(name)) {
                    throw refused("has an unknown option: option=" + name, spelling);
                }
            }
            if (!flag(options, "server", !isServer)) {
                throw refused("is a client's, for it lacks the option 'server'", spelling);
            }
            flag(options, "wait", false);
        }

        private boolean flag(OptionText options, String name, boolean whenAbsent) {
            try {
                return options.flag(name, whenAbsent);
            } catch (IllegalArgumentException e) {
                throw refused("is malformed, " + e.getMessage(), options.toString());
            }
        }

        private IllegalArgumentException refused(String why, String spelling) {
            String values = why.contains("=") ? " address=" : ": address=";
            return new IllegalArgumentException(protocol + " address " + why + values + spelling);
        }
    }
}

package io.mhsld.stress.fuzz;

import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where QMP is served and found: {@code unix:…} and {@code tcp:…}. Never anywhere but on this machine, and without asking anybody for a name. */
public final class Addresses {
    private Addresses() {}

    /** Fails when an address is taken that must not be served, or does not say what it is. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        String text = new Input(bytes).text();
        for (boolean server : new boolean[] {true, false}) {
            LocalAddress address;
            try {
                address = server ? QmpServer.address(text) : LocalAddress.parseClient(QmpServer.PROTOCOL, text);
            } catch (IllegalArgumentException e) {
                Check.that(e.getMessage().startsWith("QMP address "), "message: " + e.getMessage());
                continue;
            }
            check(address);
        }
    }

    static void check(LocalAddress address) {
        if (address.file().isPresent()) {
            Path file = address.file().get();
            int length = file.toString().getBytes(StandardCharsets.UTF_8).length;
            Check.that(length > 0 && length <= LocalAddress.UNIX_PATH_LENGTH_LIMIT, "length of a path: " + length);
        } else {
            InetSocketAddress inet = (InetSocketAddress) address.socketAddress();
            Check.that(inet.getAddress().isLoopbackAddress(), "address is not on loopback: " + address);
            // The name that an address was looked up by stays with it.
            Check.that(inet.getHostString().matches("[0-9a-fA-F.:]+"), "a name was looked up: " + inet.getHostString());
        }
        Check.equal(address, LocalAddress.parseClient(QmpServer.PROTOCOL, address.toString()), "address as it is told");
    }
}

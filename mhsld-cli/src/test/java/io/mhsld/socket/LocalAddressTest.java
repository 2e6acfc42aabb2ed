package io.mhsld.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocalAddressTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "unix:/tmp/qmp-sock-1,server,nowait           | unix:/tmp/qmp-sock-1",
                "unix:/tmp/q,server=on,wait=off               | unix:/tmp/q",
                "unix:/tmp/q,server                           | unix:/tmp/q",
                "unix:/tmp/q,server,wait                      | unix:/tmp/q",
                "unix:/tmp/q,server,wait=on                   | unix:/tmp/q",
                "unix:/tmp/q,server=yes,wait=no               | unix:/tmp/q",
                "unix:path=/tmp/q,server=on                   | unix:/tmp/q",
                "unix:q,server                                | unix:q",
                "unix:/tmp/a,,b,server                        | unix:/tmp/a,,b",
                "unix:/tmp/a=b,server                         | unix:/tmp/a=b",
                "unix:path=a=b,server                         | unix:path=a=b",
                "unix:/tmp/q,server,telnet=off                | unix:/tmp/q",
                "unix:/tmp/q,server=off,server=on             | unix:/tmp/q",
                "tcp:127.0.0.1:4444,server,nowait             | tcp:127.0.0.1:4444",
                "tcp:127.1.2.3:4444,server,nowait             | tcp:127.1.2.3:4444",
                "tcp:localhost:4444,server=on,wait=off        | tcp:127.0.0.1:4444",
                "tcp:localhost:4444,server,ipv6               | tcp:[0:0:0:0:0:0:0:1]:4444",
                "tcp:[::1]:4444,server,nowait,nodelay         | tcp:[0:0:0:0:0:0:0:1]:4444",
                "tcp::4444,server,nowait                      | tcp:127.0.0.1:4444",
                "tcp::0,server                                | tcp:127.0.0.1:0"
            })
    void shouldUnderstandQemusSpellings(String spelling, String address) {
        assertEquals(address, LocalAddress.parse("QMP", spelling).toString());
        assertEquals(address, LocalAddress.parseClient("QMP", address).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.256", "127.300.1.1", "127.999.999.999"})
    void shouldNotAskANameServerForANumberThatIsNone(String host, @TempDir Path folder) throws Exception {
        // A name server that would call it loopback: the JDK reads this file instead of asking one.
        Path names = Files.writeString(folder.resolve("hosts"), "127.0.0.1 " + host + "\n");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djdk.net.hosts.file=" + names,
                        "-cp",
                        System.getProperty("java.class.path"),
                        AddressChild.class.getName(),
                        "tcp:" + host + ":4444,server")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertEquals(0, process.waitFor(), said);
        assertTrue(said.contains("not on loopback"), said);
    }

    /** Parses its argument in a JVM of its own. */
    static final class AddressChild {
        public static void main(String[] arguments) {
            try {
                System.out.println("taken: " + LocalAddress.parse("QMP", arguments[0]));
            } catch (IllegalArgumentException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "unix:/tmp/q                          | lacks the option 'server'",
                "unix:/tmp/q,server=off               | lacks the option 'server'",
                "unix:/tmp/q,noserver                 | lacks the option 'server'",
                "tcp:127.0.0.1:4444                   | lacks the option 'server'",
                "unix:,server                         | has no path",
                "unix:/tmp/q,server=maybe             | 'server' is either on or off: server=maybe",
                "unix:/tmp/q,server,wait=maybe        | 'wait' is either on or off: wait=maybe",
                "unix:/tmp/q,server,foo=1             | has an unknown option: option=foo",
                "unix:/tmp/q,server,nowhere           | has an unknown option: option=where",
                "unix:/tmp/q,server,tel net           | not of the form name=value: 'tel net'",
                "unix:/tmp/q,server,telnet            | not supported: option=telnet",
                "unix:/tmp/q,server,websocket=on      | not supported: option=websocket",
                "unix:/tmp/q,server,abstract=on       | not supported: option=abstract",
                "unix:/tmp/q,server,reconnect=5       | not supported: option=reconnect",
                "tcp:0.0.0.0:4444,server              | not on loopback",
                "tcp:192.168.1.1:4444,server          | not on loopback",
                "tcp:example.com:4444,server          | not on loopback",
                "tcp:[::]:4444,server                 | not on loopback",
                "tcp:127.0.0.999:4444,server          | not on loopback",
                "tcp:127.0.0.1,server                 | has no port",
                "tcp:127.0.0.1:,server                | malformed port",
                "tcp:127.0.0.1:abc,server             | malformed port",
                "tcp:127.0.0.1:65536,server           | malformed port",
                "tcp:127.0.0.1:-1,server              | malformed port",
                "tcp:127.0.0.1:44,server,to=50        | not supported: option=to",
                "telnet:127.0.0.1:4444,server         | neither unix:PATH,server,nowait nor tcp",
                "udp:127.0.0.1:4444                   | neither unix:PATH,server,nowait nor tcp",
                "stdio                                | neither unix:PATH,server,nowait nor tcp",
                "''                                   | neither unix:PATH,server,nowait nor tcp",
                "/tmp/q                               | neither unix:PATH,server,nowait nor tcp"
            })
    void shouldRefuseWhatItCannotServe(String spelling, String reason) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> LocalAddress.parse("QMP", spelling));

        assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
        assertTrue(refusal.getMessage().endsWith(" address=" + spelling), refusal.getMessage());
    }

    @Test
    void shouldRefuseAPathThatASocketCannotHave() {
        String longest = "/" + "a".repeat(LocalAddress.UNIX_PATH_LENGTH_LIMIT - 1);
        String tooLong = "/" + "ä".repeat(LocalAddress.UNIX_PATH_LENGTH_LIMIT / 2 + 1);

        assertEquals(
                Optional.of(Path.of(longest)),
                LocalAddress.parse("QMP", "unix:" + longest + ",server").file());
        IllegalArgumentException refusal = assertThrows(
                IllegalArgumentException.class, () -> LocalAddress.parse("QMP", "unix:" + tooLong + ",server"));
        assertTrue(refusal.getMessage().contains("lengthBytes=109 limitBytes=106"), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix:/tmp/q", "unix:/tmp/q,server,nowait", "tcp:localhost:4444"})
    void shouldTakeAnAddressToConnectToWithoutServer(String spelling) {
        assertTrue(spelling.startsWith(
                LocalAddress.parseClient("QMP", spelling).toString().substring(0, 4)));
    }

    @Test
    void shouldTakeTheOptionsOfAChardev() {
        assertEquals(
                "unix:/tmp/q",
                LocalAddress.of("QMP", OptionText.parse("path=/tmp/q,server=on,wait=off", null))
                        .toString());
        assertEquals(
                "tcp:127.0.0.1:44",
                LocalAddress.of("QMP", OptionText.parse("host=localhost,port=44,server=on", null))
                        .toString());
        assertThrows(IllegalArgumentException.class, () -> LocalAddress.of("QMP", OptionText.parse("server=on", null)));
    }
}

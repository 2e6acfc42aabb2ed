package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.EventLoop;
import io.mhsld.socket.ListenException;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class QmpListenTest {
    @TempDir
    Path folder;

    @Test
    void shouldMakeASocketForItsOwnerOnlyAndRemoveItAtTheEnd() throws IOException {
        Path file = folder.resolve("qmp");
        try (RunningServer server = RunningServer.on(folder)) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            assertEquals("unix:" + file, server.address.toString());
        }
        assertFalse(Files.exists(file, LinkOption.NOFOLLOW_LINKS));
        assertEquals(0, filesInFolder());
    }

    @Test
    void shouldReplaceASocketThatADeadProcessLeftBehind() throws IOException {
        leaveStaleSocket(folder.resolve("qmp"));

        try (RunningServer server = RunningServer.on(folder);
                RawClient client = server.negotiated()) {
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
        assertEquals(0, filesInFolder());
    }

    @Test
    void shouldReplaceAStaleSocketThatIsNextToNothingElse() throws IOException {
        // Too short a name to be moved aside within the length of a socket's path.
        Path file = folder.resolve("q");
        leaveStaleSocket(file);

        RunningServer.at("unix:" + file + ",server,nowait").close();
        assertEquals(0, filesInFolder());
    }

    @Test
    void shouldRemoveWhatAProcessThatDiedWhileReplacingHasLeft() throws IOException {
        for (String name : List.of("qmp", "pool.head0.sock")) {
            Path file = folder.resolve(name);
            // It died between moving the socket aside and removing it, with or without a new one made since.
            leaveStaleSocket(DeviceFiles.leftoverOf(file));
            RunningServer.at("unix:" + file + ",server,nowait").close();
            assertEquals(0, filesInFolder(), name);

            leaveStaleSocket(DeviceFiles.leftoverOf(file));
            leaveStaleSocket(file);
            RunningServer.at("unix:" + file + ",server,nowait").close();
            assertEquals(0, filesInFolder(), name);
        }
    }

    @Test
    void shouldLeaveAloneWhatIsNoLeftoverUnderTheNameOfOne() throws IOException {
        Path file = folder.resolve("qmp");
        Path taken = DeviceFiles.leftoverOf(file);
        Path precious = Files.writeString(folder.resolve("precious"), "precious");
        Files.createSymbolicLink(taken, precious);
        RunningServer.at("unix:" + file + ",server,nowait").close();
        assertTrue(Files.isSymbolicLink(taken));

        leaveStaleSocket(file);
        assertRefused(
                file,
                "QMP socket of a dead process cannot be moved, the name is taken by a file that is no socket: taken="
                        + taken);
        assertEquals("precious", Files.readString(precious));
        assertTrue(Files.isSymbolicLink(taken));
        Files.delete(taken);
        try (ServerSocketChannel live = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            live.bind(UnixDomainSocketAddress.of(taken));
            assertRefused(file, "QMP socket is in use, a live process answers on it");
            assertTrue(Files.exists(taken));
            Files.delete(file);
            RunningServer.at("unix:" + file + ",server,nowait").close();
            assertTrue(Files.exists(taken));
        }
    }

    @Test
    void shouldReplaceAStaleSocketWhoseNameIsAsLongAsCanBe() throws IOException {
        int room = LocalAddress.UNIX_PATH_LENGTH_LIMIT - folder.toString().length() - 1;
        for (String name : List.of("a".repeat(room), "b".repeat(room - ".sock".length()) + ".sock")) {
            Path file = folder.resolve(name);
            leaveStaleSocket(file);

            RunningServer.at("unix:" + file + ",server,nowait").close();
            assertEquals(0, filesInFolder());
        }
    }

    @Test
    void shouldRefuseASocketThatALiveProcessAnswersOn() {
        try (RunningServer server = RunningServer.on(folder)) {
            assertRefused(folder.resolve("qmp"), "QMP socket is in use, a live process answers on it: file=");
            try (RawClient client = server.negotiated()) {
                assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
            }
        }
    }

    @Test
    void shouldRefuseASocketWhoseOwnerIsStopped() throws IOException {
        Path file = folder.resolve("qmp");
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel stopped = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stopped.bind(UnixDomainSocketAddress.of(file), 1);
            // Nobody accepts: after a few the queue is full, and connecting would block.
            for (int i = 0; i < 5; i++) {
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
                queue.add(client);
                client.configureBlocking(false);
                try {
                    client.connect(UnixDomainSocketAddress.of(file));
                } catch (IOException e) {
                    break;
                }
            }
            assertRefused(file, "QMP socket is in use");
            assertTrue(Files.exists(file));
        }
        for (SocketChannel client : queue) {
            client.close();
        }
    }

    @Test
    void shouldNeverRemoveAFileThatIsNoSocket() throws IOException {
        Path file = Files.writeString(folder.resolve("qmp"), "precious");
        Path directory = Files.createDirectory(folder.resolve("directory"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nowhere"));

        for (Path path : List.of(file, directory, link, dangling)) {
            assertRefused(path, "QMP socket cannot be made, the file is there and is no socket: file=" + path);
        }
        assertEquals("precious", Files.readString(file));
        assertTrue(Files.isDirectory(directory));
        assertTrue(Files.isSymbolicLink(link));
        assertTrue(Files.isSymbolicLink(dangling));
    }

    @Test
    void shouldSayWhenThereIsNoFolder() {
        assertRefused(
                folder.resolve("missing/qmp"), "QMP socket cannot be made: reason=No such file or directory file=");
    }

    @Test
    void shouldLeaveAFileAloneThatSomebodyElsePutInItsPlace() throws IOException {
        Path file = folder.resolve("qmp");
        RunningServer server = RunningServer.on(folder);
        Files.move(file, folder.resolve("moved"));
        Files.writeString(file, "somebody else's");
        server.close();

        assertEquals("somebody else's", Files.readString(file));
    }

    @Test
    void shouldNotMindThatItsFileWasRemoved() throws IOException {
        RunningServer server = RunningServer.on(folder);
        Files.delete(folder.resolve("qmp"));
        server.close();

        assertEquals(List.of(), server.errors);
    }

    @Test
    void shouldListenOnSeveralAddresses() {
        try (EventLoop loop = EventLoop.open();
                QmpServer server = new QmpServer(loop, new NoMachine(), List.of(), line -> {}, error -> {})) {
            List<LocalAddress> addresses = new ArrayList<>();
            addresses.add(server.listen(QmpServer.address("tcp:localhost:0,server,nowait")));
            addresses.add(server.listen(QmpServer.address("tcp::0,server,nowait")));
            addresses.add(server.listen(QmpServer.address("unix:" + folder.resolve("third") + ",server")));

            assertEquals(3, addresses.stream().distinct().count());
            ListenException taken = assertThrows(ListenException.class, () -> server.listen(addresses.get(0)));
            assertTrue(taken.getMessage().startsWith("QMP port is in use or forbidden: reason="), taken.getMessage());
            assertTrue(taken.getMessage().endsWith(" address=" + addresses.get(0)), taken.getMessage());
        }
    }

    @Test
    void shouldServeTcpOnLoopback() {
        try (RunningServer server = RunningServer.at("tcp:localhost:0,server,nowait");
                RawClient client = server.negotiated()) {
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
    }

    @Test
    void shouldNotLetABrowserSmuggleCommandsInOverTcp() {
        try (RunningServer server = RunningServer.at("tcp:localhost:0,server,nowait");
                RawClient browser = server.connect()) {
            browser.receive();
            browser.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{'execute':'qmp_capabilities'}"
                    + "{'execute':'echo','arguments':{'value':1}}");

            assertEquals("GenericError: JSON parse error, stray 'P'", browser.receiveRefusal());
            assertNull(browser.receiveLine());
            assertEquals(0, server.echoes.get());
        }
    }

    private static void leaveStaleSocket(Path file) throws IOException {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(file));
        }
        assertTrue(Files.exists(file));
    }

    private static void assertRefused(Path file, String beginning) {
        try (EventLoop loop = EventLoop.open();
                QmpServer server = new QmpServer(loop, new NoMachine(), List.of(), line -> {}, error -> {})) {
            ListenException refusal = assertThrows(ListenException.class, () -> server.listen(LocalAddress.unix(file)));
            assertTrue(refusal.getMessage().startsWith(beginning), refusal.getMessage());
            assertTrue(refusal.getMessage().endsWith("file=" + file), refusal.getMessage());
        }
    }

    private long filesInFolder() throws IOException {
        try (var files = Files.list(folder)) {
            return files.count();
        }
    }

    private static final class NoMachine implements QmpMachine {
        @Override
        public QmpVersion version() {
            return QmpVersion.ofPackage("none");
        }

        @Override
        public String name() {
            return "none";
        }

        @Override
        public void reset() {}

        @Override
        public void quit() {}
    }
}

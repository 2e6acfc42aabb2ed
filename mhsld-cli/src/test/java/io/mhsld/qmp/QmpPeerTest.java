package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.OtherUser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who may connect: the same user and root, and where a socket is shared, the members of its group. */
@Timeout(120)
class QmpPeerTest {
    private static final int GROUP = 54_321;

    @Test
    void shouldServeItsOwnUserOverEachFormOfLoopback() {
        for (String host : new String[] {"127.0.0.1", "127.9.8.7", "[::1]", "localhost"}) {
            try (RunningServer server = RunningServer.at("tcp:" + host + ":0,server,nowait");
                    RawClient client = server.negotiated()) {
                assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"), host);
            }
        }
    }

    @Test
    void shouldTurnAnotherUserAwayFromTcp() throws Exception {
        try (OtherUser nobody = OtherUser.nobody();
                RunningServer server = RunningServer.at("tcp:127.0.0.1:0,server,nowait")) {
            String port = server.address.toString().replaceFirst(".*:", "tcp:");
            String answer =
                    nobody.runMain(OtherUser.Connect.class.getName(), port).out();
            assertEquals(
                    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"client belongs to another user: user="
                            + OtherUser.NOBODY + "\"}}",
                    answer.strip());
            assertEquals(0, server.clientCount());
            try (RawClient client = server.negotiated()) {
                assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
            }
        }
    }

    @Test
    void shouldTurnAnotherUserAwayWhoGotPastThePermissionsOfAUnixSocket() throws Exception {
        Path folder = openFolder();
        try (OtherUser nobody = OtherUser.nobody();
                RunningServer server = RunningServer.on(folder)) {
            Path socket = folder.resolve("qmp");
            String connect = OtherUser.Connect.class.getName();
            assertEquals(
                    "refused: Permission denied",
                    nobody.runMain(connect, "unix:" + socket).out().strip());
            // As it is between its making and its getting permissions under a umask of 0.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
            String answer = nobody.runMain(connect, "unix:" + socket).out();
            assertTrue(answer.contains("client belongs to another user: user="), answer);
            assertEquals(0, server.clientCount());
        } finally {
            delete(folder);
        }
    }

    @Test
    void shouldServeTheGroupThatASocketIsSharedWithAndNobodyElse() throws Exception {
        Path folder = openFolder();
        try (OtherUser member = OtherUser.withGroups(4_321, Integer.toString(GROUP));
                OtherUser stranger = OtherUser.withGroups(4_322, Integer.toString(GROUP + 1));
                RunningServer server = RunningServer.on(folder)) {
            Path socket = folder.resolve("shared");
            Path like = Files.createFile(folder.resolve("like"));
            Files.setAttribute(like, "unix:gid", GROUP);
            server.alsoShared(
                    socket,
                    Files.readAttributes(like, PosixFileAttributes.class).group());
            assertEquals("rw-rw----", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
            assertEquals(GROUP, Files.getAttribute(socket, "unix:gid"));

            String connect = OtherUser.Connect.class.getName();
            String answer = member.runMain(connect, "unix:" + socket).out();
            assertTrue(answer.startsWith("{\"QMP\""), answer);
            assertEquals(
                    "refused: Permission denied",
                    stranger.runMain(connect, "unix:" + socket).out().strip());
        } finally {
            delete(folder);
        }
    }

    private static Path openFolder() throws Exception {
        Path folder = Files.createTempDirectory(Path.of("/tmp"), "mhsld-peer-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        return folder;
    }

    private static void delete(Path folder) throws Exception {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}

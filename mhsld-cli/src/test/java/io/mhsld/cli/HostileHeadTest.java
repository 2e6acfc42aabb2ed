package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.agrona.concurrent.errors.DistinctErrorLog;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whoever sits on a head's socket, or writes to the state file, may say anything: it is told as what it is, and no terminal obeys it. */
class HostileHeadTest {
    private static final String WELCOME = "{'QMP': {}}{'return': {}, 'id': 1}";

    @TempDir
    Path folder;

    private DeviceFiles files() {
        return DeviceFiles.named(folder.resolve("pool").toString());
    }

    private Outcome run(String... arguments) {
        return HeadProcesses.runRaw(arguments);
    }

    private void init(String... options) {
        String[] arguments = new String[options.length + 4];
        System.arraycopy(new String[] {"init", files().stateFile().toString(), "--size", "4M"}, 0, arguments, 0, 4);
        System.arraycopy(options, 0, arguments, 4, options.length);
        assertEquals(0, run(arguments).exitCode());
    }

    private void serveAt(String socket) {
        try (StateFile state = StateFile.open(files().stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().startRelease(0, 1, 0, 0);
            state.heads().serveRelease(0, socket);
        }
    }

    /** Answers one client with this text, whatever it asks. */
    private Outcome ask(String answer, String verb, String... options) throws Exception {
        init();
        Path socket = files().controlSocket(0);
        serveAt(socket.toString());
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket));
            Thread head = new Thread(() -> answer(listener, answer));
            head.start();
            String[] arguments = new String[options.length + 4];
            System.arraycopy(new String[] {verb, files().stateFile().toString(), "--head", "0"}, 0, arguments, 0, 4);
            System.arraycopy(options, 0, arguments, 4, options.length);
            Outcome outcome = run(arguments);
            head.join();
            return outcome;
        }
    }

    private static void answer(ServerSocketChannel listener, String answer) {
        try (SocketChannel client = listener.accept()) {
            client.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
            client.shutdownOutput();
            ByteBuffer unheard = ByteBuffer.allocate(1 << 12);
            while (client.read(unheard.clear()) >= 0) {
                // Until the client has gone.
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "[]                                      | value=[]",
                "null                                    | value=null",
                "{}                                      | return-code=null",
                "{'return-code': 1.5, 'payload': ''}     | return-code=1.5",
                "{'return-code': -1e3, 'payload': ''}    | return-code=-1000.0",
                "{'return-code': 0, 'payload': 7}        | payload=7",
                "{'return-code': 0, 'payload': 'abc'}    | payload=\"abc\"",
                "{'return-code': 0, 'payload': 'xy'}     | payload=\"xy\""
            })
    void shouldSayThatAnAnswerIsNoHeads(String value, String culprit) throws Exception {
        Outcome outcome = ask(WELCOME + "{'return': " + value + ", 'id': 2}", "cci", "0100", "04");

        assertEquals(ExitCode.HEAD_NOT_RUNNING.number(), outcome.exitCode(), outcome.err());
        assertEquals("mhsld: head answers what no head would: " + culprit + "\n", outcome.err());
    }

    @Test
    void shouldRefuseMoreMemoryThanItAskedFor() throws Exception {
        Outcome outcome = ask(
                WELCOME + "{'return': {}, 'id': 2}{'return': {'data': 'AAAAAAAAAAAA'}, 'id': 3}",
                "mem",
                "read",
                "--dpa",
                "0",
                "--length",
                "4");

        assertEquals(ExitCode.HEAD_NOT_RUNNING.number(), outcome.exitCode(), outcome.err());
        assertEquals("", outcome.out());
    }

    @Test
    void shouldNotLetATerminalObeyWhatAHeadSays() throws Exception {
        Outcome outcome = ask(
                WELCOME + "{'error': {'class': 'GenericError', 'desc': 'no\\u001b[2J\\u009b'}, 'id': 2}",
                "cci",
                "0100",
                "04");

        assertEquals("mhsld: refused: no?[2J?\n", outcome.err());
    }

    @Test
    void shouldSayThatTheSocketOfAHeadMakesNoSense() {
        init();
        serveAt("/a\0b");
        Outcome outcome = run("cci", files().stateFile().toString(), "--head", "0", "0100", "04");

        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), outcome.exitCode(), outcome.err());
        assertTrue(outcome.err().contains("control socket in the head table makes no sense: head=0"), outcome.err());

        serveAt("/" + "a".repeat(115));
        outcome = run("cci", files().stateFile().toString(), "--head", "0", "0100", "04");
        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), outcome.exitCode(), outcome.err());
    }

    @Test
    void shouldNotLetATerminalObeyWhatAFileSays() {
        init("--media", folder.resolve("red\u001b[31m").toString());
        try (StateFile state = StateFile.open(files().stateFile(), StateFile.Access.READ_WRITE, 0)) {
            IllegalStateException error = new IllegalStateException("bell\u0007");
            // The whole trace of a test is too long for the log.
            error.setStackTrace(new StackTraceElement[0]);
            assertTrue(new DistinctErrorLog(state.errorLog(0), () -> 1).record(error));
        }

        Outcome status = run("status", files().stateFile().toString());
        assertTrue(status.out().contains("red?[31m"), status.out());
        Outcome errors = run("errors", files().stateFile().toString());
        assertTrue(errors.out().contains("bell?"), errors.out());
        Outcome verify = run("verify", files().stateFile().toString());
        assertFalse((status.out() + errors.out() + verify.out()).matches("(?s).*[\\x00-\\x09\\x0b-\\x1f\\x7f].*"));
        Outcome destroy = run("destroy", files().stateFile().toString());
        assertTrue(destroy.out().contains("red?[31m"), destroy.out());
    }

    /** JSON lets them stand as they are; whoever looks at it on a terminal is no safer for that. */
    @Test
    void shouldEscapeControlCharactersInJson() {
        String name = files().stateFile().toString();
        Path media = folder.resolve("del\u007f csi\u009b esc\u001b ä");
        Outcome init = run("init", name, "--size", "4M", "--media", media.toString(), "--json");
        assertEquals(0, init.exitCode(), init.err());

        Outcome status = run("status", name, "--json");
        Outcome destroy = run("destroy", name, "--json");
        for (Outcome outcome : List.of(init, status, destroy)) {
            assertTrue(outcome.out().contains("del\\u007F csi\\u009B esc\\u001B ä\""), outcome.out());
            assertTrue(outcome.out().chars().noneMatch(c -> Character.isISOControl(c) && c != '\n'), outcome.out());
        }
    }
}

package io.mhsld.stress.fuzz;

import io.mhsld.cli.HeadRequests;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpJson;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * A head, or whoever sits on its socket, that answers whatever it likes. The first byte says what is asked of it: by the bare client, or by one
 * of the verbs. The rest is the answer, all of it at once. The client understands it or says that this is no QMP, a verb ends with a message and
 * prints nothing that a terminal would obey.
 */
public final class HostileHead {
    private static final int TIMEOUT_MS = 5_000;

    private static HostileHead head;

    private final DeviceFiles files;
    private final LocalAddress address;
    private final BlockingQueue<byte[]> answers = new ArrayBlockingQueue<>(1);

    private HostileHead() {
        files = Scratch.device("hostile", 1, 8);
        Path socket = files.controlSocket(0);
        address = LocalAddress.unix(socket);
        try {
            ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listener.bind(address.socketAddress());
            Thread thread = new Thread(() -> serve(listener), "hostile head");
            thread.setDaemon(true);
            thread.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().startRelease(0, 1, 0, 0);
            state.heads().serveRelease(0, socket.toString());
        }
    }

    /** Fails when an answer is not understood and not refused either. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        if (head == null) {
            head = new HostileHead();
        }
        Input input = new Input(bytes);
        int verb = input.below(HeadRequests.COUNT + 1);
        head.answers.clear();
        head.answers.add(input.rest());
        if (verb == 0) {
            askClient(head.address);
        } else {
            String shown = HeadRequests.ask(verb - 1, head.files);
            Check.isPrintable(shown, "what a verb prints");
        }
    }

    private static void askClient(LocalAddress address) {
        try (QmpClient client = QmpClient.connect(address, TIMEOUT_MS)) {
            Check.that(client.greeting() != null, "greeting");
            while (true) {
                QmpReply reply = client.execute("query-name", Map.of("some", "thing"));
                reply.error().ifPresent(error -> Check.that(error.description() != null, "error has a text"));
                if (reply.error().isEmpty()) {
                    Check.equal(reply.value(), QmpJson.parse(QmpJson.write(reply.value())), "value of a reply");
                }
                Optional<Map<?, ?>> event = client.awaitEvent(0);
                event.ifPresent(members -> Check.that(members.containsKey("event"), "event"));
            }
        } catch (QmpException e) {
            // How it must end: the head closes the connection behind its last answer.
            Check.that(
                    !e.getMessage().contains(" in time: timeoutMs=" + TIMEOUT_MS + " address="),
                    "client waits for a head that has gone: " + e.getMessage());
        }
    }

    private void serve(ServerSocketChannel listener) {
        while (true) {
            try (SocketChannel client = listener.accept()) {
                client.write(ByteBuffer.wrap(answers.take()));
                client.shutdownOutput();
                ByteBuffer unheard = ByteBuffer.allocate(1 << 12);
                while (client.read(unheard.clear()) >= 0) {
                    // Until the client leaves: closing before would take back what it has not read.
                }
            } catch (IOException e) {
                // The client has gone.
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}

package io.mhsld.stress.fuzz;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.qmp.CxlCommands;
import io.mhsld.qmp.QmpJson;
import io.mhsld.qmp.QmpMachine;
import io.mhsld.qmp.QmpServer;
import io.mhsld.qmp.QmpVersion;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Inspector;
import io.mhsld.type3.DynamicCapacity;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What up to three clients say to a head over QMP: schema, commands, the device behind them. The input is what is sent, as it is; a byte 1, 2 or 3
 * goes on with that client, a byte 4 cuts a packet. The first client has negotiated. Every client is answered to its end, in QMP; nothing goes
 * wrong inside; and afterwards the device's state file is sound.
 */
public final class QmpTalk {
    private static final int CLIENTS = 3;
    private static final int CUT = 4;
    private static final int PATIENCE_S = 5;
    private static final String NEGOTIATION = "{'execute':'qmp_capabilities'}";

    /** Behind a byte that ends whatever is open. It cannot be told apart from a client's own, but one more comes than without it. */
    private static final String LAST_COMMAND = "\u00ff\n{'execute':'query-name','id':'the last one'}";

    private static Server server;

    private QmpTalk() {}

    /** Fails when a client is not answered, or the device comes to harm. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        if (server == null) {
            server = new Server();
        }
        server.talk(bytes);
    }

    private static final class Server implements QmpMachine {
        private final List<Throwable> errors = new CopyOnWriteArrayList<>();
        private final EventLoop loop = EventLoop.open();
        private final DeviceFiles files = Scratch.device("talk", 2, 32);
        private final LocalAddress address;
        private final QmpServer qmp;
        private final Head head;

        private Server() {
            loop.onError(errors::add);
            head = Device.attach(files, 0, loop, 0, line -> {});
            qmp = new QmpServer(
                    loop,
                    this,
                    CxlCommands.of(head, "cxl-mem0", HostDriver.Mode.MANUAL, loop::execute),
                    line -> {},
                    errors::add);
            address = qmp.listen(LocalAddress.unix(Path.of(files.stateFile() + ".qmp")));
            Thread thread = new Thread(loop::run, "talk");
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((unused, error) -> errors.add(error));
            thread.start();
        }

        private void talk(byte[] bytes) {
            List<SocketChannel> clients = new ArrayList<>();
            try {
                for (int i = 0; i < CLIENTS; i++) {
                    clients.add(SocketChannel.open(StandardProtocolFamily.UNIX));
                    clients.get(i).connect(address.socketAddress());
                }
                send(clients.get(0), NEGOTIATION.getBytes(StandardCharsets.US_ASCII));
                sendAll(clients, bytes);
                for (SocketChannel client : clients) {
                    send(client, LAST_COMMAND.getBytes(StandardCharsets.ISO_8859_1));
                    client.shutdownOutput();
                    checkAnswers(readToEnd(client));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                clients.forEach(Server::close);
            }
            onLoop(this::checkDevice);
            if (!errors.isEmpty()) {
                throw new AssertionError("something went wrong in the server", errors.remove(0));
            }
        }

        private void sendAll(List<SocketChannel> clients, byte[] bytes) throws IOException {
            ByteArrayOutputStream packet = new ByteArrayOutputStream();
            int client = 0;
            for (byte b : bytes) {
                if (b < 1 || b > CUT) {
                    packet.write(b);
                    continue;
                }
                send(clients.get(client), packet.toByteArray());
                packet.reset();
                client = b == CUT ? client : b - 1;
            }
            send(clients.get(client), packet.toByteArray());
        }

        /** Goes on when the server has read it: so the same input always comes in the same packets. */
        private void send(SocketChannel client, byte[] packet) throws IOException {
            if (packet.length > 0) {
                client.write(ByteBuffer.wrap(packet));
                onLoop(() -> {});
            }
        }

        private String readToEnd(SocketChannel client) throws IOException {
            ByteArrayOutputStream answers = new ByteArrayOutputStream();
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
            client.configureBlocking(false);
            while (true) {
                int read = client.read(buffer.clear());
                if (read < 0) {
                    return answers.toString(StandardCharsets.UTF_8);
                }
                answers.write(buffer.array(), 0, read);
                if (read == 0) {
                    Check.that(System.nanoTime() - endNs < 0, "client is not answered to its end: " + answers);
                    onLoop(() -> {});
                }
            }
        }

        private static void checkAnswers(String answers) {
            Check.that(answers.endsWith("\r\n"), "answers end with a line");
            List<Map<?, ?>> messages = new ArrayList<>();
            for (String line : answers.lines().toList()) {
                Check.that(line.chars().allMatch(c -> c >= ' ' && c < 0x7F), "answer is ASCII: " + line);
                Map<?, ?> message = (Map<?, ?>) QmpJson.parse(line);
                int kinds = 0;
                for (String kind : List.of("QMP", "return", "error", "event")) {
                    kinds += message.containsKey(kind) ? 1 : 0;
                }
                Check.equal(1, kinds, "kinds of message in " + line);
                if (!message.containsKey("event")) {
                    messages.add(message);
                }
            }
            Check.that(messages.get(0).containsKey("QMP"), "greeting comes first");
            Check.equal("the last one", messages.get(messages.size() - 1).get("id"), "id of the last answer");
        }

        private void checkDevice() {
            Inspector.Report report = Inspector.inspect(head.state(), live -> live == 0);
            Check.that(report.isSound(), "state file is not sound: " + report.findings());
            DynamicCapacity capacity = head.device().capacity();
            Check.that(capacity.acceptedCount() <= DynamicCapacity.MAX_EXTENTS, "too many extents");
            reset();
            report = Inspector.inspect(head.state(), live -> live == 0);
            Check.that(report.isSound(), "state file is not sound after reset: " + report.findings());
            Check.equal(head.geometry().blockCount(), report.freeBlocks(), "free blocks after reset");
        }

        private void onLoop(Runnable task) {
            FutureTask<Void> future = new FutureTask<>(task, null);
            loop.execute(future);
            try {
                future.get(PATIENCE_S, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new AssertionError(e.getCause().getMessage(), e.getCause());
            } catch (TimeoutException e) {
                throw new AssertionError("loop does not answer" + (errors.isEmpty() ? "" : ": " + errors.get(0)), e);
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
            }
        }

        private static void close(SocketChannel client) {
            try {
                client.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public QmpVersion version() {
            return QmpVersion.ofPackage("mhsld-fuzz");
        }

        @Override
        public String name() {
            return "cxl-mem0";
        }

        @Override
        public void reset() {
            head.device().reset();
            head.mailbox().reset();
        }

        @Override
        public void quit() {
            // The head goes on: the next input wants it.
        }
    }
}

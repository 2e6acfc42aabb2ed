package io.mhsld.mctp;

import io.mhsld.cci.CciDialect;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.EventLoop;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A server whose endpoint answers as the test wants, on a loop in a thread of its own; and a client that sees every byte. */
final class RunningMctpServer implements AutoCloseable {
    /** A command that reached the endpoint. */
    record Asked(int opcode, String payload, CciDialect dialect, Consumer<? super Response> answer) {}

    private static final int TIMEOUT_MS = 10_000;

    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<Throwable> errors = new CopyOnWriteArrayList<>();
    final List<Asked> asked = new CopyOnWriteArrayList<>();
    final int port;

    private final EventLoop loop = EventLoop.open();
    private final MctpServer server;
    private final Thread thread;

    /** An endpoint that answers every command at once. */
    interface Brain {
        /** Null to answer later. */
        Response answer(int opcode, byte[] payload);
    }

    RunningMctpServer(DialectChoice dialect, Brain brain) {
        loop.onError(errors::add);
        MctpEndpoint endpoint = (opcode, payload, spoken, answer) -> {
            asked.add(new Asked(opcode, HexFormat.of().formatHex(payload), spoken, answer));
            Response response = brain.answer(opcode, payload);
            if (response != null) {
                answer.accept(response);
            }
        };
        server = new MctpServer(loop, endpoint, dialect, lines::add, errors::add);
        port = ((InetSocketAddress)
                        server.listen(MctpServer.address("tcp:127.0.0.1:0")).socketAddress())
                .getPort();
        thread = new Thread(loop::run, "test loop");
        thread.start();
    }

    static Response bytes(String digits) {
        return Response.received(ReturnCode.SUCCESS, HexFormat.of().parseHex(digits.replace(" ", "")));
    }

    void run(Runnable task) {
        FutureTask<Void> future = new FutureTask<>(task, null);
        loop.execute(future);
        try {
            future.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (Exception e) {
            throw new AssertionError("loop does not answer", e);
        }
    }

    int clientCount() {
        int[] count = new int[1];
        run(() -> count[0] = server.clientCount());
        return count[0];
    }

    void awaitClients(int wanted) {
        await("clients=" + wanted, () -> clientCount() == wanted);
    }

    void awaitAsked(int wanted) {
        await("asked=" + wanted, () -> asked.size() >= wanted);
    }

    private static void await(String what, java.util.function.BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("waited in vain for " + what);
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    Client connect() {
        return new Client(port);
    }

    @Override
    public void close() {
        run(server::close);
        loop.stop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        loop.close();
    }

    /** Sends and gets packets as digits; zeros at the end of a packet may be left out. */
    static final class Client implements AutoCloseable {
        private static final int LENGTH = 68;

        private final Socket socket;
        private final OutputStream out;
        private final DataInputStream in;

        Client(int port) {
            try {
                socket = new Socket(InetAddress.getLoopbackAddress(), port);
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(TIMEOUT_MS);
                out = socket.getOutputStream();
                in = new DataInputStream(socket.getInputStream());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        static byte[] packet(String digits) {
            byte[] packet = new byte[LENGTH];
            byte[] given = HexFormat.of().parseHex(digits.replace(" ", "").replace("|", ""));
            System.arraycopy(given, 0, packet, 0, given.length);
            return packet;
        }

        void send(String digits) {
            sendRaw(packet(digits));
        }

        void sendRaw(byte[] bytes) {
            try {
                out.write(bytes);
                out.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        byte[] receive() {
            byte[] packet = new byte[LENGTH];
            try {
                in.readFully(packet);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return packet;
        }

        /** Without the zeros at the end. */
        String receiveDigits() {
            return trimmed(receive());
        }

        static String trimmed(byte[] packet) {
            return HexFormat.of().formatHex(packet).replaceAll("(00)+$", "");
        }

        void closeOutput() {
            try {
                socket.shutdownOutput();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Closes the connection under whoever is using it. */
        void abandon() {
            close();
        }

        /** True when the server has closed the connection. */
        boolean isAtEnd() {
            try {
                return in.read() < 0;
            } catch (IOException e) {
                return true;
            }
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

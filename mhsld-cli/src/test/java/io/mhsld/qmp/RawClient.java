package io.mhsld.qmp;

import io.mhsld.socket.LocalAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Sends any bytes, and receives lines. */
public final class RawClient implements AutoCloseable {
    private final SocketChannel channel;
    private final BufferedReader lines;

    public RawClient(LocalAddress address) {
        try {
            channel =
                    address.file().isPresent() ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open();
            channel.connect(address.socketAddress());
            lines = new BufferedReader(
                    new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void send(String text) {
        send(text.getBytes(StandardCharsets.UTF_8));
    }

    void send(byte[] bytes) {
        send(ByteBuffer.wrap(bytes));
    }

    void send(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing more comes from here; answers still arrive. */
    void endInput() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next line; null when the server has closed the connection. */
    public String receiveLine() {
        try {
            return lines.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    public Map<?, ?> receive() {
        String line = receiveLine();
        if (line == null) {
            throw new AssertionError("connection is closed");
        }
        return (Map<?, ?>) QmpJson.parse(line);
    }

    /** The next answer; events before it are left out. */
    public Map<?, ?> receiveAnswer() {
        Map<?, ?> message = receive();
        while (message.containsKey("event")) {
            message = receive();
        }
        return message;
    }

    /** Greeting and capabilities. */
    public void negotiate() {
        receive();
        ask("{'execute': 'qmp_capabilities'}");
    }

    /** What a command returned. */
    Object ask(String message) {
        send(message);
        Map<?, ?> answer = receive();
        if (!answer.containsKey("return")) {
            throw new AssertionError("refused: " + answer);
        }
        return answer.get("return");
    }

    /** Why a command was refused: class and description. */
    String refusal(String message) {
        send(message);
        return receiveRefusal();
    }

    String receiveRefusal() {
        Map<?, ?> answer = receive();
        if (!(answer.get("error") instanceof Map)) {
            throw new AssertionError("not refused: " + answer);
        }
        Map<?, ?> error = (Map<?, ?>) answer.get("error");
        return error.get("class") + ": " + error.get("desc");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

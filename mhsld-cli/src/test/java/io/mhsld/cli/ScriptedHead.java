package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.qmp.QmpJson;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands for head 0 of a small device: it writes down what verbs ask of it, and answers what a test has told it to. */
final class ScriptedHead implements AutoCloseable {
    private final Path device;
    private final ServerSocketChannel listener;
    private final Thread thread = new Thread(this::serve, "scripted head");
    private final Map<String, Deque<Object>> answers = new HashMap<>();

    /** The arguments of every command that was asked for, with the command under the name {@code execute}. */
    final List<Map<String, Object>> requests = new CopyOnWriteArrayList<>();

    ScriptedHead(Path folder) throws IOException {
        device = folder.resolve("pool");
        DeviceFiles files = DeviceFiles.named(device.toString());
        Device.initialise(files, Device.Specification.ofSize(64 << 20), 0);
        Path socket = files.controlSocket(0);
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0)) {
            state.heads().startRelease(0, 1, 0, 0);
            state.heads().serveRelease(0, socket.toString());
        }
        Files.deleteIfExists(socket);
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        answers("x-query-head", Map.of("id", "dev0"));
        thread.setDaemon(true);
        thread.start();
    }

    /** What to answer a command with, one time after the other; the last one for ever. */
    ScriptedHead answers(String command, Object... values) {
        synchronized (answers) {
            answers.put(command, new ArrayDeque<>(List.of(values)));
        }
        return this;
    }

    /** Runs a verb on the device. */
    Outcome run(String verb, String... options) {
        List<String> arguments = new ArrayList<>(List.of(verb, device.toString(), "--head=0"));
        arguments.addAll(List.of(options));
        return HeadProcesses.runRaw(arguments.toArray(String[]::new));
    }

    /** The arguments of the last command of this name. */
    Map<String, Object> last(String command) {
        return requests.stream()
                .filter(request -> request.get("execute").equals(command))
                .reduce((first, second) -> second)
                .orElseThrow(() -> new AssertionError("never asked for: " + command + " but " + requests));
    }

    private void serve() {
        while (true) {
            try (SocketChannel client = listener.accept()) {
                serve(client);
            } catch (IOException e) {
                if (!listener.isOpen()) {
                    return;
                }
            }
        }
    }

    private void serve(SocketChannel client) throws IOException {
        say(client, Map.of("QMP", Map.of("version", Map.of(), "capabilities", List.of())));
        BufferedReader lines = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<?, ?> message = (Map<?, ?>) QmpJson.parse(line);
            String command = (String) message.get("execute");
            Map<String, Object> request = new HashMap<>();
            request.put("execute", command);
            if (message.get("arguments") instanceof Map<?, ?> arguments) {
                arguments.forEach((name, value) -> request.put((String) name, value));
            }
            requests.add(request);
            say(client, Map.of("return", answerOf(command), "id", message.get("id")));
        }
    }

    private Object answerOf(String command) {
        synchronized (answers) {
            Deque<Object> left = answers.getOrDefault(command, new ArrayDeque<>(List.of(Map.of())));
            return left.size() > 1 ? left.remove() : left.element();
        }
    }

    private static void say(SocketChannel client, Map<String, Object> message) throws IOException {
        client.write(ByteBuffer.wrap((QmpJson.write(message) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void close() {
        try {
            listener.close();
            thread.join(1_000);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

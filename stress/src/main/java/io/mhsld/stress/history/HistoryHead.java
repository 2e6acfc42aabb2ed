package io.mhsld.stress.history;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.state.DeviceFiles;
import io.mhsld.stress.history.Operation.Kind;
import io.mhsld.stress.history.Operation.Outcome;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A head process of the trial: a real head on its event loop, with a socket whose end tells the others of its death. */
final class HistoryHead {
    private static final long WAIT_MS = 20_000;
    private static final int BATCH = 32;
    private static final long PAUSE_MS = 1;
    private static final int FAILED = 3;

    private final EventLoop loop = EventLoop.open();
    private final Control control;
    private final Head head;
    private final Workload workload;
    private final List<SocketChannel> peers = new ArrayList<>();

    private HistoryHead(DeviceFiles files, int id, Control control, OperationLog log, long seed) throws IOException {
        this.control = control;
        log.invoke(Kind.ATTACH, 0, List.of());
        this.head = Device.attach(files, id, loop, WAIT_MS, HistoryHead::say);
        log.complete(Outcome.DONE, 0, 0);
        this.workload = new Workload(head, log, seed);
        loop.onError(HistoryHead::fail);
        head.onLost(HistoryHead::fail);
        listen();
        head.serve();
    }

    /** Arguments: device, head, number and generation of the process, log, its capacity, control file, seed. */
    public static void main(String[] arguments) throws IOException {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        int number = Integer.parseInt(arguments[2]);
        int generation = Integer.parseInt(arguments[3]);
        OperationLog log = OperationLog.create(Path.of(arguments[4]), Integer.parseInt(arguments[5]));
        Control control = Control.map(Path.of(arguments[6]));
        control.checkClock();
        HistoryHead process =
                new HistoryHead(files, Integer.parseInt(arguments[1]), control, log, Long.parseLong(arguments[7]));
        control.setReadyGeneration(number, generation);
        process.loop.execute(process::work);
        process.loop.run();
        process.loop.close();
    }

    private void listen() throws IOException {
        Files.deleteIfExists(head.controlSocket());
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(head.controlSocket()));
        loop.register(server, SelectionKey.OP_ACCEPT, key -> peers.add(server.accept()));
    }

    private void work() {
        control.checkClock();
        if (control.isStopped()) {
            workload.leave();
            loop.stop();
        } else if (control.operations() >= control.limit()) {
            loop.after(PAUSE_MS, this::work);
        } else {
            for (int i = 0; i < BATCH; i++) {
                workload.step();
            }
            control.addOperations(BATCH);
            loop.execute(this::work);
        }
    }

    private static void say(String line) {
        // There are as many of these as there are lost claims, and the log has them.
        if (!line.startsWith("add refused")) {
            System.out.println(line);
        }
    }

    private static void fail(Throwable error) {
        error.printStackTrace(System.out);
        Runtime.getRuntime().halt(FAILED);
    }
}

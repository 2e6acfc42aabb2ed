package io.mhsld.cli;

import io.mhsld.head.EventLoop;
import io.mhsld.head.HeadLog;
import io.mhsld.qmp.QmpServer;
import io.mhsld.state.DeviceFiles;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The life of a process that serves a device until it is told to leave, by a signal or over QMP, or until it has lost the device: everything happens on
 * the loop's thread, a signal too ends in a clean leave, and that is success.
 */
final class ServingProcess {
    private final DeviceFiles files;
    private final Console console;
    private final HeadLog log;
    private final long leaveTimeoutS;
    private final EventLoop loop = EventLoop.open();
    private final CountDownLatch left = new CountDownLatch(1);
    private volatile boolean hasSomethingToLeave;
    private volatile RuntimeException lost;
    private boolean quitByQmp;

    /** @param leaveTimeoutS a signal waits so long for the process to leave; then the process ends as it is */
    ServingProcess(DeviceFiles files, Console console, HeadLog log, long leaveTimeoutS) {
        this.files = files;
        this.console = console;
        this.log = log;
        this.leaveTimeoutS = leaveTimeoutS;
    }

    EventLoop loop() {
        return loop;
    }

    /**
     * Serves until the end.
     *
     * @param service returns when the loop has stopped, and has left by then
     */
    ExitCode run(Runnable service) {
        // The hook is there before what it ends is: a signal at any moment ends in a clean leave, or finds nothing to
        // leave.
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(this::leaveOnSignal, "signal"));
        } catch (IllegalStateException e) {
            // The signal came first: the JVM ends, and there is nothing yet to leave.
            return ExitCode.DONE;
        }
        try {
            return DeviceOperator.guarded(files, () -> serve(service));
        } finally {
            left.countDown();
        }
    }

    private ExitCode serve(Runnable service) {
        try (loop) {
            service.run();
        }
        if (lost != null) {
            throw lost;
        }
        log.say("left");
        return ExitCode.DONE;
    }

    /** From now on a signal is not the end at once: there is something to leave. */
    void begun() {
        hasSomethingToLeave = true;
    }

    /** A client wants the process to end. */
    void quit() {
        quitByQmp = true;
        loop.stop();
    }

    /** The device cannot be served any more; that is the end, and no success. */
    void lose(RuntimeException problem) {
        lost = problem;
        loop.stop();
    }

    /** Tells the clients of a server why it ends; after quit it has told them itself. */
    void sayGoodbye(QmpServer server) {
        if (!quitByQmp) {
            server.emitShutdown(lost == null ? "host-signal" : "host-error");
        }
    }

    private void leaveOnSignal() {
        if (left.getCount() == 0 || !hasSomethingToLeave) {
            // The ordinary end of the process; or it still waits for its device and has nothing to leave, so the signal
            // ends it at once.
            return;
        }
        loop.stop();
        try {
            if (left.await(leaveTimeoutS, TimeUnit.SECONDS) && lost == null) {
                // Leaving on request is success; the JVM would report the signal.
                console.out().flush();
                console.err().flush();
                Runtime.getRuntime().halt(ExitCode.DONE.number());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
